"""The exact denoiser by its definition, in 60 decimal digits or fractions, without any tricks."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from decimal import MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
from fields import spiral

from aeviz.core.corruption import Corruption
from aeviz.core.manifolds import FloatArray

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
    data = spiral(9)
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


@dataclass(frozen=True)
class Outcome:
    """What is known where one outcome of a corruption was seen: its probability, and Bayes' rule."""

    probability: float
    weights: FloatArray
    mean: FloatArray
    covariance: FloatArray


def outcomes(data: FloatArray, corruption: Corruption) -> dict[tuple[float, float], Outcome]:
    """All that masking or flips can make of some points: every choice of coordinates, in whole fractions."""
    p, n = Fraction(corruption.noise), len(data)
    seen: dict[tuple[float, float], list[Fraction]] = {}
    for i, y in enumerate(data):
        for chosen in itertools.product((True, False), repeat=2):
            eps = np.where(chosen, 0.0, 1.0)  # 0 is below any probability but 0, and 1 is not
            first, second = corruption(y[None], eps[None])[0].tolist()
            likelihood = math.prod(p if each else 1 - p for each in chosen)
            seen.setdefault((first, second), [Fraction(0)] * n)[i] += likelihood / n
    found = {}
    for place, joint in seen.items():
        total = sum(joint)
        if total == 0:
            continue
        w = [each / total for each in joint]
        y = [[Fraction(x) for x in row] for row in data.tolist()]
        mean = [sum(wi * yi[k] for wi, yi in zip(w, y, strict=True)) for k in (0, 1)]
        covariance = [
            [sum(wi * (yi[j] - mean[j]) * (yi[k] - mean[k]) for wi, yi in zip(w, y, strict=True))
             for k in (0, 1)] for j in (0, 1)
        ]  # fmt: skip
        found[place] = Outcome(*(np.array(each, dtype=float) for each in (total, w, mean, covariance)))
    return found
