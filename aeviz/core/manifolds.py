"""The shapes of the built-in data: points on curves in the plane, in order along them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Shape = Callable[[int, float], list[FloatArray]]
"""Of so many points, with so many turns where it winds: the pieces of a curve, (N_k, 2) each, in order."""


def spiral(points: int, turns: float) -> list[FloatArray]:
    """The lecture's spiral: radius 0.5·(1 + θ/π), θ uniform from 0 to 2π·turns, counter-clockwise.

    The gap between neighbouring arms is 1. With 1.5 turns it runs from (0.5, 0) to (−2, 0).
    """
    theta = np.linspace(0.0, 2.0 * np.pi * turns, points)
    return [_polar(0.5 * (1.0 + theta / np.pi), theta)]


def two_spirals(points: int, turns: float) -> list[FloatArray]:
    """The lecture's spiral, drawn out to gaps of 1 between two of its kind, and its mirror image."""
    first, second = (np.linspace(0.0, 2.0 * np.pi * turns, each) for each in _halves(points))
    return [_polar(0.5 + first / np.pi, first), -_polar(0.5 + second / np.pi, second)]


def circle(points: int, _turns: float) -> list[FloatArray]:
    """A circle of radius 1.5."""
    angle = 2.0 * np.pi * np.arange(points) / points
    return [_polar(np.full(points, 1.5), angle)]


def moons(points: int, _turns: float) -> list[FloatArray]:
    """Two interleaved half circles of radius 1.5, as scikit-learn's make_moons places them."""
    upper, lower = (np.linspace(0.0, np.pi, each) for each in _halves(points))
    left = np.stack((np.cos(upper), np.sin(upper)), axis=1)
    right = np.stack((1.0 - np.cos(lower), 0.5 - np.sin(lower)), axis=1)
    return [1.5 * (piece - (0.5, 0.25)) for piece in (left, right)]


def s_curve(points: int, _turns: float) -> list[FloatArray]:
    """Two three-quarter circles of radius 1, one after the other: scikit-learn's make_s_curve, flat."""
    t = np.linspace(-1.5 * np.pi, 1.5 * np.pi, points)
    return [np.stack((np.sin(t), np.sign(t) * (np.cos(t) - 1.0)), axis=1)]


def line(points: int, _turns: float) -> list[FloatArray]:
    """A straight line from (−1.6, −0.8) to (1.6, 0.8)."""
    t = np.linspace(-1.6, 1.6, points)
    return [np.stack((t, 0.5 * t), axis=1)]


def eight(points: int, _turns: float) -> list[FloatArray]:
    """The figure eight (Gerono's lemniscate) of half width 1.8, which crosses itself at the origin."""
    t = 2.0 * np.pi * np.arange(points) / points
    return [1.8 * np.stack((np.cos(t), np.sin(t) * np.cos(t)), axis=1)]


def alain_bengio(points: int, _turns: float) -> list[FloatArray]:
    """That of Alain and Bengio (2014): 0.04·t·(sin t, cos t), t from 3 to 15. Its arms lie 0.25 apart."""
    t = np.linspace(3.0, 15.0, points)
    return [0.04 * t[:, None] * np.stack((np.sin(t), np.cos(t)), axis=1)]


def corners(_points: int, _turns: float) -> list[FloatArray]:
    """The four corners of the unit square: all pairs of bits."""
    return [np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])]


def xor(_points: int, _turns: float) -> list[FloatArray]:
    """The two pairs of bits that differ."""
    return [np.array([[0.0, 1.0], [1.0, 0.0]])]


CURVES: dict[str, Shape] = {
    "spiral": spiral, "two-spirals": two_spirals, "circle": circle, "moons": moons, "s-curve": s_curve,
    "line": line, "eight": eight, "alain-bengio": alain_bengio,
}  # fmt: skip
BITS: dict[str, Shape] = {"corners": corners, "xor": xor}
CLOSED = ("circle", "eight")
"""Curves that end where they begin."""


def _polar(radius: FloatArray, angle: FloatArray) -> FloatArray:
    curve: FloatArray = radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return curve


def _halves(points: int) -> tuple[int, int]:
    return points - points // 2, points // 2
