"""The exact denoiser by its definition in 60 decimal digits, without any of the tricks that keep them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MIN_EMIN, Context, Decimal, localcontext

import numpy as np

from aeviz.core.manifolds import FloatArray, spiral

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")
FAR = 3  # of the places of `few_points`, at their end


@dataclass(frozen=True)
class Best:
    """What `Posterior` holds, at one place."""

    mean: FloatArray
    covariance: FloatArray
    log_density: float


def few_points() -> tuple[FloatArray, FloatArray]:
    """Places near some clean points, on a tie between two of them, and far from all; and those points."""
    data = spiral(9, 1.5)
    rng = np.random.default_rng(0)
    near = data[rng.integers(9, size=6)] + 0.3 * rng.standard_normal((6, 2))
    ties = 0.5 * (data[:3] + data[3:6])
    far = np.array([[40.0, -30.0], [-1000.0, 1000.0], [1e5, 3.0]])
    return np.concatenate([near, data[:2], ties, far]), data


def in_many_digits(x: FloatArray, data: FloatArray, sigma: float, kind: str = "gaussian") -> Best:
    """The posterior at one place, (2,), for Gaussian or rare noise."""
    with localcontext(Context(prec=60, Emin=MIN_EMIN)):  # e^(−5·10¹⁷) is not 0 here
        (p, q), s = (Decimal(float(c)) for c in x), Decimal(sigma)
        points = [(Decimal(float(u)), Decimal(float(v))) for u, v in data]
        likelihoods = [_likelihood((p - u) ** 2 + (q - v) ** 2, s, kind) for u, v in points]
        total = sum(likelihoods, Decimal(0))
        w = [each / total for each in likelihoods]
        mean = [sum(wi * y[k] for wi, y in zip(w, points, strict=True)) for k in (0, 1)]
        covariance = [
            [sum(wi * (y[i] - mean[i]) * (y[j] - mean[j]) for wi, y in zip(w, points, strict=True))
             for j in (0, 1)] for i in (0, 1)
        ]  # fmt: skip
        log_density = float((total / len(points)).ln())
    return Best(np.array(mean, dtype=float), np.array(covariance, dtype=float), log_density)


def _likelihood(squared: Decimal, s: Decimal, kind: str) -> Decimal:
    """p(x|y) of this distance, squared."""

    def normal(s: Decimal) -> Decimal:
        return (-squared / (2 * s * s)).exp() / (2 * PI * s * s)

    return normal(s) if kind == "gaussian" else (19 * normal(s) + normal(10 * s)) / 20
