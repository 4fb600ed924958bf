"""Clean data: points on a curve in the plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aeviz.core.settings import Settings

FloatArray = NDArray[np.float64]


def spiral(points: int, turns: float) -> FloatArray:
    """The lecture's spiral: radius 0.5·(1 + θ/π), θ uniform from 0 to 2π·turns, counter-clockwise.

    The gap between neighbouring arms is 1. With 1.5 turns it runs from (0.5, 0) to (−2, 0).

    Returns
    -------
    (N, 2) array
        Clean points in order along the curve, in data units.
    """
    theta = np.linspace(0.0, 2.0 * np.pi * turns, points)
    radius = 0.5 * (1.0 + theta / np.pi)
    curve: FloatArray = radius[:, None] * np.stack((np.cos(theta), np.sin(theta)), axis=1)
    return curve


def clean_data(settings: Settings) -> FloatArray:
    """Return the clean points y of these settings, jitter included.

    Returns
    -------
    (N, 2) array
        In data units; depends on ``points``, ``turns``, ``jitter``, ``seed`` and ``cost`` alone: for a
        cross-entropy the points are mapped into the unit square, which their longer side fills.
    """
    data = spiral(settings.points, settings.turns)
    if settings.jitter > 0.0:
        rng = np.random.default_rng((settings.seed, _JITTER_STREAM))
        data = data + settings.jitter * rng.standard_normal(data.shape)
    return _in_unit_square(data) if settings.in_unit_square else data


def _in_unit_square(data: FloatArray) -> FloatArray:
    low, high = data.min(axis=0), data.max(axis=0)
    mapped: FloatArray = 0.5 + (data - 0.5 * (low + high)) / (float((high - low).max()) or 1.0)
    return mapped.clip(0.0, 1.0)


_JITTER_STREAM = 1  # keeps this draw apart from the other draws of the same seed
