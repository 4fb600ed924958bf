"""The exact denoiser: what the best possible network would do, in closed form.

For N equally likely clean points y_i and noise N(0, σ²I), the posterior given a noisy point x is
w_i(x) ∝ exp(−‖x − y_i‖² / 2σ²), Σw_i = 1. Squared cost is minimised by the posterior mean
r*(x) = Σ w_i y_i = x + σ²∇log p_σ(x) and by nothing else (Miyasawa 1961; Robbins 1956 after Tweedie;
for autoencoders Alain and Bengio 2014), and Cov*(x) = Σ w_i y_i y_iᵀ − r*r*ᵀ = σ² ∂r*/∂x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aeviz.core.manifolds import FloatArray

_BLOCK = 20_000  # weights held at once: with what goes with them 1 MB, which stays in the cache
_LEAST_NOISE = 1e-100  # less answers alike, and its square would be 0


@dataclass(frozen=True, slots=True)
class Posterior:
    """Mean and covariance of the clean point given the noisy one.

    Attributes
    ----------
    mean : (M, 2) array
        r*(x), the exact reconstruction, in data units.
    covariance : (M, 2, 2) array
        Cov*(x), in data units squared.
    """

    mean: FloatArray
    covariance: FloatArray

    @property
    def variance(self) -> FloatArray:
        """Trace of the covariance, (M,): the least expected squared error at each place."""
        return self.covariance[:, 0, 0] + self.covariance[:, 1, 1]


def posterior(x: FloatArray, data: FloatArray, noise: float) -> Posterior:
    """Compute the exact posterior at the places `x`, in blocks of bounded memory.

    Parameters
    ----------
    x : (M, 2) array
        Noisy points.
    data : (N, 2) array
        Clean points, equally likely.
    noise : float
        σ > 0, in data units.

    Raises
    ------
    ValueError
        Where `noise` is not positive: without noise there is no posterior off the data.
    """
    if not noise > 0.0:
        raise ValueError("the exact denoiser needs a noise above 0")
    noise = max(noise, _LEAST_NOISE)
    mean = np.empty((len(x), 2))
    covariance = np.empty((len(x), 2, 2))
    rows, y = max(1, _BLOCK // len(data)), np.ascontiguousarray(data.T)  # (2, N)
    for start in range(0, len(x), rows):
        block = slice(start, start + rows)
        exponent, other = (np.square(x[block, k, None] - y[k]) for k in (0, 1))  # (m, N)
        exponent += other
        exponent *= -0.5 / noise**2
        exponent -= exponent.max(axis=1, keepdims=True)
        weights = np.exp(exponent, out=exponent)
        weights /= weights.sum(axis=1, keepdims=True)
        mean[block] = weights @ data
        # About the mean, not Σwyyᵀ − r*r*ᵀ: that difference loses all digits far from the origin.
        spread = [y[k] - mean[block, k, None] for k in (0, 1)]
        for i, j in ((0, 0), (0, 1), (1, 1)):
            moment = np.einsum("mn,mn->m", np.multiply(weights, spread[i], out=other), spread[j])
            covariance[block, i, j] = covariance[block, j, i] = moment
    return Posterior(mean, covariance)


def exact_ambiguity(posterior: Posterior, noise: float) -> FloatArray:
    """a*(x) = λ_max(Cov*(x)) / σ², the largest eigenvalue of the exact denoiser's Jacobian, (M,)."""
    c = posterior.covariance
    return largest_eigenvalue(c[..., 0, 0], c[..., 1, 1], c[..., 0, 1]) / max(noise, _LEAST_NOISE) ** 2


def largest_eigenvalue(a: FloatArray, d: FloatArray, b: FloatArray) -> FloatArray:
    """Largest eigenvalue of the symmetric matrices [[a, b], [b, d]], elementwise."""
    return 0.5 * (a + d) + np.hypot(0.5 * (a - d), b)
