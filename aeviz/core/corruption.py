"""Corruption of the clean points, for those that are drawn and those that measure.

Noise is added as ŷ = y + σε: gaussian ε ~ N(0, I); uniform, each coordinate in ±√3, so that σ is its
standard deviation too; rare, gaussian, but one point in twenty is moved ten times as far (Alain and
Bengio 2014). Or each coordinate is corrupted with probability σ: masking makes it 0 (Vincent et al.
2008), flip mirrors it in the box of the data, which makes of a bit the other one. There ε is uniform in
0…1, and a coordinate is corrupted where ε < σ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from aeviz.core.clean_data import CleanData
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings

PROBES = 4_096
HALF_WIDTH = math.sqrt(3.0)  # of uniform ε
OFTEN, FACTOR = 0.95, 10.0  # rare: how often ε is the usual one, and how much larger it is else
DISCRETE = ("masking", "flip")
"""Kinds that send a point to a few places alone."""
_SHOWN_STREAM, _PROBE_STREAM, _CLOUD_STREAM = 2, 3, 4  # keep these draws apart from others of the same seed


def draw(rng: np.random.Generator, kind: str, points: int) -> FloatArray:
    """Draw ε of this kind of noise, (points, 2)."""
    if kind in DISCRETE:
        return rng.random((points, 2))
    if kind == "uniform":
        return rng.uniform(-HALF_WIDTH, HALF_WIDTH, (points, 2))
    eps = rng.standard_normal((points, 2))
    if kind == "rare":
        eps[rng.random(points) >= OFTEN] *= FACTOR
    return eps


@dataclass(frozen=True, slots=True)
class Corruption:
    """Makes noisy points of clean ones.

    Attributes
    ----------
    kind : {"gaussian", "uniform", "rare", "masking", "flip"}
    noise : float
        σ, or the probability.
    mirror : (2,) array
        Sum of the least and the greatest coordinate of the data: flip makes ``mirror - y`` of y.
    """

    kind: str
    noise: float
    mirror: FloatArray

    @classmethod
    def of(cls, settings: Settings, data: CleanData) -> Corruption:
        """That of these settings."""
        low, high = data.box
        return cls(settings.noise_kind, settings.noise, low + high)

    def __call__(self, clean: FloatArray, eps: FloatArray) -> FloatArray:
        """Corrupt points (M, 2) with ε of the same shape."""
        if self.kind == "masking":
            return np.where(eps < self.noise, 0.0, clean)
        if self.kind == "flip":
            return np.where(eps < self.noise, self.mirror - clean, clean)
        return clean + self.noise * eps


def shown_noisy(settings: Settings, data: CleanData, every: int = 1) -> FloatArray:
    """Return one corrupted point for each clean one, or for every k-th, to be looked at.

    The draw of ε is the same in every epoch, so that moving σ moves each point along a ray and
    nothing flickers. Training draws its own noise anew in every step, unless it is frozen: then it is this.

    Parameters
    ----------
    every : int
        k; what is not looked at is not made.

    Returns
    -------
    (⌈N / k⌉, 2) array
    """
    eps = shown_eps(settings.seed, settings.noise_kind, len(data.points))
    return Corruption.of(settings, data)(data.points[::every], eps[::every])


@lru_cache(maxsize=1)  # a frame in sixty milliseconds else, of a million points
def shown_eps(seed: int, kind: str, points: int) -> FloatArray:
    """The ε of `shown_noisy`, (points, 2)."""
    return draw(np.random.default_rng((seed, _SHOWN_STREAM)), kind, points)


def probes(settings: Settings, data: CleanData, points: int = PROBES) -> tuple[FloatArray, FloatArray]:
    """Return a fixed, seeded set of clean points and their ε, (points, 2) each, to measure a network on.

    Every clean point comes equally often, but for one draw.
    """
    rng = np.random.default_rng((settings.seed, _PROBE_STREAM))
    origin = np.resize(rng.permutation(len(data.points)), points)
    return data.points[origin], draw(rng, settings.noise_kind, points)


def probe_noisy(settings: Settings, data: CleanData, points: int = PROBES) -> FloatArray:
    """Return the probe set, corrupted: the noisy points on which the excess risk is measured, (points, 2)."""
    return Corruption.of(settings, data)(*probes(settings, data, points))


def cloud_noisy(settings: Settings, data: CleanData, place: tuple[float, float], points: int) -> FloatArray:
    """Return a cloud of corrupted points round one place, the same ε every time: (points, 2)."""
    rng = np.random.default_rng((settings.seed, _CLOUD_STREAM))
    eps = draw(rng, settings.noise_kind, points)
    return Corruption.of(settings, data)(np.broadcast_to(place, (points, 2)), eps)
