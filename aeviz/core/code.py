"""The code h as it is looked at: the one or two directions in which it varies most, and how it is spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aeviz.core.manifolds import FloatArray

MOST_CODES = 300  # of the data's codes that are looked at
BINS = 40
QUIET = 0.05  # of the largest |h|: what is smaller counts as zero
_LINES, _FINE, _FINER = 9, 41, 241  # lines of a grid in each direction, their corners, and those of a curve


@dataclass(frozen=True, slots=True)
class Directions:
    """The directions in the space of codes along which the data's codes are looked at.

    With d = 1 and 2 they are the code's own axes; above, the two main directions (Pearson 1901).

    Attributes
    ----------
    origin : (d,) array
    basis : (k, d) array
        Orthonormal, or 0 where the codes vary no further; k is 1 or 2.
    low, high : (k,) arrays
        What the data's codes reach along each.
    shares : (k,) array or None
        Which part of the codes' variance lies along each; None where that is all of it.
    """

    origin: FloatArray
    basis: FloatArray
    low: FloatArray
    high: FloatArray
    shares: FloatArray | None

    @classmethod
    def of(cls, codes: FloatArray, before: Directions | None = None) -> Directions:
        """Those of finite codes (K, d); turned as those `before` where there are some: nothing flips."""
        width, shares = codes.shape[1], None
        origin, basis = np.zeros(width), np.eye(width)
        if width > 2:
            origin = codes.mean(axis=0)
            values, basis = _main_directions(codes - origin)
            total = float(np.square(codes - origin).sum())
            shares = values / total if total > 0.0 else np.zeros(2)
            like = basis if before is None or before.basis.shape != basis.shape else before.basis
            basis = np.where((basis * like).sum(axis=1, keepdims=True) < 0.0, -basis, basis)
        along = (codes - origin) @ basis.T
        return cls(origin, basis, along.min(axis=0), along.max(axis=0), shares)

    def __call__(self, codes: FloatArray) -> FloatArray:
        """Where codes (M, d) lie along the directions, (M, k)."""
        along: FloatArray = (codes - self.origin) @ self.basis.T
        return along

    @property
    def lattice(self) -> list[FloatArray]:
        """Lines of codes, (L, d) each, through all that the data's codes reach: one line, or a grid."""
        if len(self.basis) == 1:
            lines = [np.linspace(self.low, self.high, _FINER)]
        else:
            (x0, y0), (x1, y1) = self.low, self.high
            fine = np.linspace(0.0, 1.0, _FINE)
            steps = np.linspace(0.0, 1.0, _LINES)
            across = [np.stack((x0 + fine * (x1 - x0), np.full(_FINE, y0 + s * (y1 - y0))), 1) for s in steps]
            up = [np.stack((np.full(_FINE, x0 + s * (x1 - x0)), y0 + fine * (y1 - y0)), 1) for s in steps]
            lines = [*across, *up]
        return [self.origin + line @ self.basis for line in lines]


@dataclass(frozen=True, slots=True)
class CodeView:
    """What the code plot and the histogram show of one network.

    Attributes
    ----------
    points : (K,) array of int
        Which clean points these are.
    positions : (K,) array
        Where along the data each lies, from 0 to 1.
    places : (K, k) array
        Where its code lies along the directions; k is 1 or 2.
    shares : (k,) array or None
        Of the codes' variance, where there are more than two directions.
    width : int
        d.
    counts, edges : (40,) and (41,) arrays
        How many of all K·d values lie between two edges.
    quiet : float
        Which part of them is as good as 0.
    """

    points: NDArray[np.int64]
    positions: FloatArray
    places: FloatArray
    shares: FloatArray | None
    width: int
    counts: NDArray[np.int64]
    edges: FloatArray
    quiet: float

    @classmethod
    def of(
        cls, points: NDArray[np.int64], positions: FloatArray, codes: FloatArray, directions: Directions
    ) -> CodeView:
        """That of the codes (K, d) of some clean points."""
        size = np.abs(codes)
        most = float(size.max())
        counts, edges = np.histogram(codes, BINS, _range(codes))
        quiet = float((size <= QUIET * most).mean())
        return cls(
            points, positions, directions(codes), directions.shares, codes.shape[1], counts, edges, quiet
        )


def some_points(count: int) -> NDArray[np.int64]:
    """Which of `count` clean points are looked at, about equally far apart."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_CODES)).round().astype(np.int64))


def _main_directions(codes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The two greatest sums of squares, (2,), and their directions, (2, d), of centred codes (K, d)."""
    if codes.shape[1] <= len(codes):
        values, vectors = np.linalg.eigh(codes.T @ codes)
        return np.maximum(values[:-3:-1], 0.0), vectors[:, :-3:-1].T
    values, vectors = np.linalg.eigh(codes @ codes.T)  # few points: the same, seen from them
    basis = np.zeros((2, codes.shape[1]))
    found = vectors[:, :-3:-1].T @ codes
    length = np.hypot.reduce(found, axis=1, keepdims=True)
    np.divide(found, length, out=basis[: len(found)], where=length > 1e-9 * (length.max() or 1.0))
    top = np.zeros(2)
    top[: len(found)] = np.maximum(values[:-3:-1], 0.0)
    return top, basis


def _range(codes: FloatArray) -> tuple[float, float]:
    low, high = float(codes.min()), float(codes.max())
    pad = max(0.5, 1e-3 * abs(low))
    return (low, high) if high - low > 1e-9 * max(1.0, abs(low)) else (low - pad, high + pad)
