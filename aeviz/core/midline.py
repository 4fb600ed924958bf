"""The geometric midline: places as near to one part of the curve as to another, far away along it.

It is the part of the curve's medial axis between its arms: the edges of the Voronoi diagram of a dense
sampling (Brandt and Algazi 1992), but for those between samples that are neighbours along the curve.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aeviz.core.manifolds import FloatArray

APART = 1.5  # times their distance that two samples lie apart along the curve, at least
SPACING = 0.04  # of the data's size: between two places where a ridge is looked for
_FAR = 20.0  # times the data's size: a frame of points there closes all cells round the data
# Times its length that the next piece begins after one: none of it is near along the curve.
_APART_PIECES = 100.0
_AROUND = 2.0  # times the data's size: farther from their middle the midline is not followed
_REACH, _OFFSETS = 0.8, 17  # how far across, as a part of the way to the curve, and in how many steps


@dataclass(frozen=True, slots=True)
class Midline:
    """The geometric midline.

    Attributes
    ----------
    lines : tuple of (K, 2) arrays
        Its branches, in data units.
    places, across : (P, 2) arrays
        Places on it about equally far apart, and the unit vector across it at each.
    half_gap : (P,) array
        Distance from each place to the curve.
    """

    lines: tuple[FloatArray, ...] = ()
    places: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    across: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    half_gap: FloatArray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, pieces: tuple[FloatArray, ...], closed: bool = False) -> Midline:
        """That of a curve given by dense samples in order, piece by piece, (K, 2) each; it may be empty.

        With `closed`, the one piece ends where it begins.
        """
        from scipy.spatial import Voronoi  # takes 0.2 s to import, and the window never measures

        if not pieces:
            return cls()
        curve = np.concatenate(pieces)
        size, middle = float(np.ptp(curve, axis=0).max()), curve.mean(axis=0)
        if size == 0.0 or np.linalg.matrix_rank(curve - middle, tol=1e-9 * size) < 2:
            return cls()  # a straight line, or a point
        angle = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
        frame = middle + _FAR * size * np.stack((np.cos(angle), np.sin(angle)), axis=1)
        diagram = Voronoi(np.concatenate((curve, frame)))
        pairs, ends, corners = diagram.ridge_points, np.array(diagram.ridge_vertices), diagram.vertices
        kept = (pairs < len(curve)).all(axis=1) & (ends >= 0).all(axis=1)
        kept &= (np.abs(corners[ends] - middle) < _AROUND * size).all(axis=(1, 2))
        pairs, ends = pairs[kept], ends[kept]
        along, length = _along(pieces, closed)
        chord = curve[pairs[:, 1]] - curve[pairs[:, 0]]
        distance = np.hypot(*chord.T)
        way = np.abs(along[pairs[:, 1]] - along[pairs[:, 0]])
        apart = np.minimum(way, np.abs(length - way)) > APART * distance
        places = corners[ends[apart]].mean(axis=1)
        some = _spread(places, SPACING * size)
        of_curve, across = curve[pairs[apart][some, 0]], chord[apart] / distance[apart, None]
        return cls(
            tuple(_thinned(corners[chain], 0.5 * SPACING * size) for chain in _chains(ends[apart])),
            places[some], across[some], np.hypot(*(places[some] - of_curve).T),
        )  # fmt: skip

    def where(self, kept: NDArray[np.bool_]) -> Midline:
        """With those places alone at which `kept`, (P,), is true."""
        return Midline(self.lines, self.places[kept], self.across[kept], self.half_gap[kept])

    @property
    def offsets(self) -> FloatArray:
        """How far across each place a ridge is looked for, (P, 17), in data units."""
        return self.half_gap[:, None] * np.linspace(-_REACH, _REACH, _OFFSETS)

    @property
    def searched(self) -> FloatArray:
        """The places where the ambiguity is to be known to find its ridge, (P·17, 2)."""
        return (self.places[:, None] + self.offsets[..., None] * self.across[:, None]).reshape(-1, 2)

    def ridge_distance(self, ambiguity: FloatArray, threshold: float) -> float | None:
        """Mean distance of the ambiguity's ridge from the midline, in data units.

        Parameters
        ----------
        ambiguity : (P·17,) array
            At the places `searched`.

        Returns
        -------
        float or None
            None where no ridge rises above the threshold.
        """
        if not len(self.places):
            return None
        a, rows = ambiguity.reshape(-1, _OFFSETS), np.arange(len(self.places))
        top = a.argmax(axis=1)
        seen = (top > 0) & (top < _OFFSETS - 1) & (a[rows, top] > threshold)
        if not seen.any():
            return None
        rows, top = rows[seen], top[seen]
        left, middle, right = (a[rows, top + k] for k in (-1, 0, 1))
        bend = np.maximum(2.0 * middle - left - right, 1e-300)  # the vertex of the parabola through three
        step = self.half_gap[rows] * 2.0 * _REACH / (_OFFSETS - 1)
        return float(np.abs(self.offsets[rows, top] + 0.5 * step * (right - left) / bend).mean())


def _along(pieces: tuple[FloatArray, ...], closed: bool) -> tuple[FloatArray, float]:
    """Where along the curve each sample lies, (K,), pieces far apart; and the way round, or infinity."""
    along, begin = [], 0.0
    for piece in pieces:
        steps = np.hypot(*np.diff(piece, axis=0).T)
        along.append(begin + np.concatenate(([0.0], steps.cumsum())))
        begin = along[-1][-1] + _APART_PIECES * float(steps.sum() + np.ptp(piece, axis=0).max())
    closing = float(np.hypot(*(pieces[-1][0] - pieces[-1][-1])))
    return np.concatenate(along), along[-1][-1] + closing if closed else np.inf


def _spread(points: FloatArray, spacing: float) -> NDArray[np.int64]:
    """Indices of one point out of each square of side `spacing`."""
    _, first = np.unique(np.floor(points / spacing).astype(np.int64), axis=0, return_index=True)
    return np.sort(first)


def _chains(edges: NDArray[np.int64]) -> list[list[int]]:
    """Join edges (E, 2) between numbered corners into chains of corners that end where others begin."""
    others: dict[int, list[int]] = defaultdict(list)
    for a, b in edges.tolist():
        others[a].append(b)
        others[b].append(a)
    chains = []
    # First from the ends and forks; what is left then are rings.
    for start in sorted(others, key=lambda corner: len(others[corner]) == 2):
        while others[start]:
            chain = [start]
            while others[chain[-1]]:
                here, after = chain[-1], others[chain[-1]].pop()
                others[after].remove(here)
                chain.append(after)
                if len(others[after]) != 1:
                    break
            chains.append(chain)
    return chains


def _thinned(line: FloatArray, spacing: float) -> FloatArray:
    """Corners of a line about `spacing` apart, its ends among them."""
    along = np.concatenate(([0.0], np.hypot(*np.diff(line, axis=0).T).cumsum()))
    chosen = np.unique(along.searchsorted(np.arange(0.0, along[-1], spacing)))
    thinned: FloatArray = line[np.unique(np.append(chosen, len(line) - 1))]
    return thinned
