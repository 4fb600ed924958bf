"""Clean data: points on a curve in the plane."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from aeviz.core.settings import Settings

DENSE = 2_000  # samples of the curve itself
_JITTER_STREAM = 1  # keeps this draw apart from the other draws of the same seed

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


def curve(settings: Settings) -> FloatArray:
    """Return dense samples of the curve itself, without jitter, in order, where the data lie: (2000, 2)."""
    return _placed(settings, spiral(DENSE, settings.turns), _scattered(settings))


def positions(settings: Settings) -> FloatArray:
    """Return where along the curve each clean point lies, in turns, (N,)."""
    return np.linspace(0.0, settings.turns, settings.points)


def spacing(settings: Settings) -> float:
    """Return how far apart neighbours on the curve usually lie, jitter left out, in data units.

    Infinite of a single point.
    """
    points = _placed(settings, spiral(settings.points, settings.turns), _scattered(settings))
    return float(np.median(np.hypot(*np.diff(points, axis=0).T))) if len(points) > 1 else math.inf


def clean_data(settings: Settings) -> FloatArray:
    """Return the clean points y of these settings, jitter included.

    Returns
    -------
    (N, 2) array
        In data units; depends on ``points``, ``turns``, ``jitter``, ``seed`` and ``cost`` alone: for a
        cross-entropy the points are mapped into the unit square, which their longer side fills.
    """
    data = _scattered(settings)
    return _placed(settings, data, data).clip(0.0, 1.0) if settings.in_unit_square else data


def _scattered(settings: Settings) -> FloatArray:
    data = spiral(settings.points, settings.turns)
    if settings.jitter > 0.0:
        rng = np.random.default_rng((settings.seed, _JITTER_STREAM))
        data = data + settings.jitter * rng.standard_normal(data.shape)
    return data


def _placed(settings: Settings, points: FloatArray, data: FloatArray) -> FloatArray:
    """Points as they are, or as the map of the data into the unit square moves them."""
    if not settings.in_unit_square:
        return points
    low, high = data.min(axis=0), data.max(axis=0)
    mapped: FloatArray = 0.5 + (points - 0.5 * (low + high)) / (float((high - low).max()) or 1.0)
    return mapped
