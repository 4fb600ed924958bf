"""Corruption ŷ = y + σε, for the points that are drawn and for those that measure.

Of every kind but the rare one, each coordinate of ε has variance 1, so σ is the noise's standard
deviation. Gaussian: ε ~ N(0, I). Uniform: each coordinate uniform in ±√3. Rare: Gaussian, but one
point in twenty is moved ten times as far (Alain and Bengio 2014).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings

PROBES = 4_096
HALF_WIDTH = math.sqrt(3.0)  # of uniform ε
OFTEN, FACTOR = 0.95, 10.0  # rare: how often ε is the usual one, and how much larger it is else
_SHOWN_STREAM, _PROBE_STREAM, _CLOUD_STREAM = 2, 3, 4  # keep these draws apart from others of the same seed


def draw(rng: np.random.Generator, kind: str, points: int) -> FloatArray:
    """Draw ε of this kind of noise, (points, 2)."""
    if kind == "uniform":
        return rng.uniform(-HALF_WIDTH, HALF_WIDTH, (points, 2))
    eps = rng.standard_normal((points, 2))
    if kind == "rare":
        eps[rng.random(points) >= OFTEN] *= FACTOR
    return eps


def shown_noisy(settings: Settings, data: FloatArray, every: int = 1) -> FloatArray:
    """Return one corrupted point for each clean one, or for every k-th, to be looked at.

    The draw of ε is the same in every epoch, so that moving σ moves each point along a ray and
    nothing flickers; training draws its own noise anew in every epoch.

    Parameters
    ----------
    data : (N, 2) array
        Clean points in data units.
    every : int
        k; what is not looked at is not made.

    Returns
    -------
    (⌈N / k⌉, 2) array
    """
    eps = _shown_eps(settings.seed, settings.noise_kind, len(data))
    return data[::every] + settings.noise * eps[::every]


@lru_cache(maxsize=1)  # a frame in sixty milliseconds else, of a million points
def _shown_eps(seed: int, kind: str, points: int) -> FloatArray:
    return draw(np.random.default_rng((seed, _SHOWN_STREAM)), kind, points)


def probe_noisy(settings: Settings, data: FloatArray, points: int = PROBES) -> FloatArray:
    """Return the fixed, seeded probe set on which the excess risk is measured: (points, 2).

    Every clean point is corrupted equally often, but for one draw.
    """
    rng = np.random.default_rng((settings.seed, _PROBE_STREAM))
    origin = np.resize(rng.permutation(len(data)), points)
    return data[origin] + settings.noise * draw(rng, settings.noise_kind, points)


def cloud_noisy(settings: Settings, place: tuple[float, float], points: int) -> FloatArray:
    """Return a cloud of corrupted points round one place, the same ε every time: (points, 2)."""
    rng = np.random.default_rng((settings.seed, _CLOUD_STREAM))
    return np.array(place) + settings.noise * draw(rng, settings.noise_kind, points)
