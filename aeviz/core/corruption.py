"""Corruption ŷ = y + σε, for the points that are drawn and for those that measure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings

PROBES = 4_096
_SHOWN_STREAM, _PROBE_STREAM = 2, 3  # keep these draws apart from the other draws of the same seed


def shown_noisy(settings: Settings, data: FloatArray) -> FloatArray:
    """Return one corrupted point for each clean one, to be looked at.

    The draw of ε is the same in every epoch, so that moving σ moves each point along a ray and
    nothing flickers; training draws its own noise anew in every epoch.

    Parameters
    ----------
    data : (N, 2) array
        Clean points in data units.

    Returns
    -------
    (N, 2) array
    """
    return data + settings.noise * _shown_eps(settings.seed, len(data))


@lru_cache(maxsize=1)  # a frame in sixty milliseconds else, of a million points
def _shown_eps(seed: int, points: int) -> FloatArray:
    return np.random.default_rng((seed, _SHOWN_STREAM)).standard_normal((points, 2))


def probe_noisy(settings: Settings, data: FloatArray) -> FloatArray:
    """Return the fixed, seeded probe set on which the excess risk is measured: (4096, 2)."""
    rng = np.random.default_rng((settings.seed, _PROBE_STREAM))
    origin = rng.integers(len(data), size=PROBES)
    return data[origin] + settings.noise * rng.standard_normal((PROBES, 2))
