"""The exact denoiser: what the best possible network would do, in closed form.

For N equally likely clean points y_i and noise of density p(x|y), the posterior given a noisy point x is
w_i(x) ∝ p(x|y_i), Σw_i = 1, for Gaussian noise exp(−‖x − y_i‖² / 2σ²). Squared cost is minimised by
the posterior mean r*(x) = Σ w_i y_i and by nothing else; with Gaussian noise r*(x) = x + σ²∇log p_σ(x)
(Miyasawa 1961; Robbins 1956 after Tweedie; for autoencoders Alain and Bengio 2014) and
Cov*(x) = Σ w_i y_i y_iᵀ − r*r*ᵀ = σ² ∂r*/∂x. Where the target is not the point that was corrupted but
the clean point nearest to x, that point itself is the minimiser, and nothing is uncertain.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import DISCRETE, FACTOR, HALF_WIDTH, OFTEN
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings

_BLOCK = 20_000  # weights held at once, or those of one place: with what goes with them 1 MB, in the cache
_LEAST_NOISE = 1e-100  # less answers alike, and its square would be 0
_ROUNDING = 1e-9  # error of an exponent from which on squared distances are taken from the nearest one's

Result = TypeVar("Result")
Steps = Generator[None, None, Result]
"""Work in steps of less than a tenth of a millisecond per thousand clean points, then its result."""


def finish(steps: Steps[Result]) -> Result:
    """Do all steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is known of the clean point given the noisy one; NaN where no clean point can have come from.

    Attributes
    ----------
    mean : (M, 2) array
        r*(x), the exact reconstruction, in data units.
    covariance : (M, 2, 2) array
        Cov*(x), in data units squared.
    log_density : (M,) array
        log p_σ(x), natural, per data unit squared.
    ambiguity : (M,) array or None
        a*(x) = λ_max(sym ∂r*/∂x), for Gaussian noise λ_max(Cov*(x)) / σ²; None where r* has cliffs.
    """

    mean: FloatArray
    covariance: FloatArray
    log_density: FloatArray
    ambiguity: FloatArray | None

    @property
    def variance(self) -> FloatArray:
        """Trace of the covariance, (M,): the least expected squared error at each place."""
        return self.covariance[:, 0, 0] + self.covariance[:, 1, 1]


@dataclass(frozen=True)
class Denoiser:
    """The exact denoiser of given clean points.

    Attributes
    ----------
    data : (N, 2) array
        Clean points, equally likely.
    noise : float
        σ > 0, in data units, or the probability.
    kind : {"gaussian", "uniform", "rare", "masking", "flip"}
        With one of the last two, the clean points are pairs of bits.
    target : {"original", "nearest"}

    Raises
    ------
    ValueError
        Where `noise` is not positive: without noise there is no posterior off the data.
    """

    data: FloatArray
    noise: float
    kind: str = "gaussian"
    target: str = "original"

    def __post_init__(self) -> None:
        if not self.noise > 0.0:
            raise ValueError("the exact denoiser needs a noise above 0")
        object.__setattr__(self, "noise", max(self.noise, _LEAST_NOISE))

    @classmethod
    def of(cls, settings: Settings, data: CleanData) -> Denoiser | None:
        """That of these settings, or None: without noise there is none.

        Nor with masking and flips, unless the data are bits: they send a point to a few places, and of
        other data hardly ever two points to the same, so that knowing all data by heart would be best.
        """
        if settings.noise <= 0.0 or (settings.noise_kind in DISCRETE and not data.is_binary):
            return None
        return cls(data.points, settings.noise, settings.noise_kind, settings.target)

    def thinned(self, most: int) -> Denoiser:
        """A sketch of it that knows every k-th clean point alone, at most `most` of them."""
        return Denoiser(self.data[:: -(-len(self.data) // most)], self.noise, self.kind, self.target)

    @cached_property
    def _columns(self) -> FloatArray:
        """The clean points, (2, N): laid out once, not for every block."""
        return np.ascontiguousarray(self.data.T)

    def at(self, x: FloatArray) -> Posterior:
        """The posterior at places x, (M, 2)."""
        return finish(self.solving(x))

    def solving(self, x: FloatArray) -> Steps[Posterior]:
        """The posterior at places x, (M, 2), in blocks: memory does not grow with M·N."""
        mean, covariance = np.empty((len(x), 2)), np.empty((len(x), 2, 2))
        log_density, ambiguity = np.empty(len(x)), np.empty(len(x))
        rows = max(1, _BLOCK // len(self.data))
        for start in range(0, len(x), rows):
            some = slice(start, start + rows)
            mean[some], covariance[some], log_density[some], ambiguity[some], _ = self._block(x[some])
            yield
        return Posterior(mean, covariance, log_density, ambiguity if self.is_smooth else None)

    @property
    def is_smooth(self) -> bool:
        """Whether r* has a Jacobian everywhere, and so an ambiguity: else it has cliffs."""
        return self.kind in ("gaussian", "rare") and self.target == "original"

    @property
    def is_everywhere(self) -> bool:
        """Whether r* is more than a value at the few places where noise puts points."""
        return self.kind not in DISCRETE

    def place(self, x: FloatArray) -> tuple[Posterior, FloatArray]:
        """The posterior at one place, (1, 2), and its weights w_i, (N,): what say each clean point has."""
        mean, covariance, log_density, ambiguity, weights = self._block(x)
        return Posterior(mean, covariance, log_density, ambiguity if self.is_smooth else None), weights[0]

    def _block(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Mean, covariance, log p, ambiguity and weights (m, N) at places (m, 2)."""
        y = self._columns
        weights, pull, log_density = self._weights(x, y)  # (m, N)
        covariance, ambiguity = np.zeros((len(x), 2, 2)), np.zeros(len(x))
        if self.target == "nearest":
            chosen = (np.square(x[:, 0, None] - y[0]) + np.square(x[:, 1, None] - y[1])).argmin(axis=1)
            weights = np.zeros_like(weights)
            weights[np.arange(len(x)), chosen] = 1.0
            return self.data[chosen], covariance, log_density, ambiguity, weights
        mean = weights @ self.data
        # About the mean, not Σwyyᵀ − r*r*ᵀ: that difference loses all digits far from the origin.
        spread = [y[k] - mean[:, k, None] for k in (0, 1)]
        other = np.empty_like(weights)
        for i, j in ((0, 0), (0, 1), (1, 1)):
            moment = np.einsum("mn,mn->m", np.multiply(weights, spread[i], out=other), spread[j])
            covariance[:, i, j] = covariance[:, j, i] = moment
        if pull is None:
            c = covariance / self.noise**2
            ambiguity = largest_eigenvalue(c[:, 0, 0], c[:, 1, 1], c[:, 0, 1])
        else:  # ∂r*/∂x = Σ w (y − r*) ∇log p(x|y)ᵀ
            pulled = weights * pull
            J = np.empty((2, 2, len(x)))
            for i, j in np.ndindex(2, 2):
                J[i, j] = np.einsum(
                    "mn,mn->m", np.multiply(pulled, spread[i], out=other), y[j] - x[:, j, None]
                )
            ambiguity = largest_eigenvalue(J[0, 0], J[1, 1], 0.5 * (J[0, 1] + J[1, 0])) / self.noise**2
        return mean, covariance, log_density, ambiguity, weights

    # Uniform noise: the logarithm of nothing, where no point can have come from.
    @np.errstate(divide="ignore", invalid="ignore")
    def _weights(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray | None, FloatArray]:
        """Weights (m, N), how strongly each pulls as a multiple of 1/σ² (None for 1), and log p (m,)."""
        if self.kind in DISCRETE:
            return self._weights_of_bits(x, y)
        variance = self.noise**2
        exponent, other = (np.square(x[:, k, None] - y[k]) for k in (0, 1))  # (m, N)
        pull, area = None, 2.0 * math.pi * variance
        if self.kind == "uniform":
            rounding = 2.0 * np.finfo(float).eps * np.abs(x).max(axis=1, initial=0.0)[:, None]
            inside = np.maximum(exponent, other) <= (HALF_WIDTH * self.noise + rounding) ** 2
            exponent, area = np.where(inside, 0.0, -np.inf), 4.0 * HALF_WIDTH**2 * variance
        else:
            exponent += other
            exponent *= -0.5 / variance
            if self.kind == "rare":
                usual = math.log(OFTEN) + exponent
                rare = math.log((1.0 - OFTEN) / FACTOR**2) + exponent / FACTOR**2
                exponent = np.logaddexp(usual, rare)
                share = np.exp(usual - exponent)
                pull = share + (1.0 - share) / FACTOR**2
        top = exponent.max(axis=1, keepdims=True)
        if self.kind == "gaussian" and top.min() * np.finfo(float).eps < -_ROUNDING:
            exponent = _from_nearest(x, y, exponent.argmax(axis=1)) * (-0.5 / variance)
            exponent -= exponent.max(axis=1, keepdims=True)  # rounding may have chosen a wrong one
        else:
            exponent -= top
        weights = np.exp(exponent, out=exponent)
        total = weights.sum(axis=1, keepdims=True)
        weights /= total
        log_density = (top + np.log(total))[:, 0] - math.log(area * y.shape[1])
        return weights, pull, np.where(np.isfinite(top[:, 0]), log_density, -np.inf)

    @np.errstate(divide="ignore", invalid="ignore")
    def _weights_of_bits(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, None, FloatArray]:
        """The same of pairs of bits of which each is corrupted by itself; p is a probability, no density."""
        likelihood = np.ones((len(x), y.shape[1]))
        for k in (0, 1):
            noisy, clean = x[:, k, None], y[k]
            corrupted = 0.0 if self.kind == "masking" else y[k].min() + y[k].max() - clean
            likelihood *= (1.0 - self.noise) * (noisy == clean) + self.noise * (noisy == corrupted)
        total = likelihood.sum(axis=1, keepdims=True)
        return likelihood / total, None, np.log(total[:, 0] / y.shape[1])


def _from_nearest(x: FloatArray, y: FloatArray, nearest: NDArray[np.int64]) -> FloatArray:
    """‖x − y_i‖² − ‖x − y_n‖² as (y_n − y_i)·(2x − y_n − y_i), which keeps its digits far from the data."""
    first, second = (
        (y[k, nearest, None] - y[k]) * ((2.0 * x[:, k] - y[k, nearest])[:, None] - y[k]) for k in (0, 1)
    )
    difference: FloatArray = first + second
    return difference


def largest_eigenvalue(a: FloatArray, d: FloatArray, b: FloatArray) -> FloatArray:
    """Largest eigenvalue of the symmetric matrices [[a, b], [b, d]], elementwise."""
    return 0.5 * (a + d) + np.hypot(0.5 * (a - d), b)
