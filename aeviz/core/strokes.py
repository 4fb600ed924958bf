"""Points drawn by hand: strokes that leave points behind, and an eraser."""

from __future__ import annotations

import math

import numpy as np

from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import Point
from aeviz.core.settings import MOST_DRAWN


class Strokes:
    """Points (N, 2), at most 2,000, that grow along one stroke or are erased."""

    def __init__(self, points: FloatArray) -> None:
        self._points = [(float(x), float(y)) for x, y in points]
        self._last: Point | None = None  # where the stroke in progress has got to

    @property
    def points(self) -> FloatArray:
        """All points, (N, 2)."""
        return np.array(self._points).reshape(-1, 2)

    @property
    def is_full(self) -> bool:
        """Whether no more points fit."""
        return len(self._points) >= MOST_DRAWN

    def draw_to(self, place: Point, spacing: float) -> None:
        """Go on with the stroke to a place, leaving points this far apart."""
        if self._last is None:
            self._add(place)
            return
        (x0, y0), (x1, y1) = self._last, place
        distance = math.hypot(x1 - x0, y1 - y0)
        steps = min(MOST_DRAWN, int(distance / spacing))
        for step in range(1, steps + 1):
            part = step * spacing / distance
            self._add((x0 + part * (x1 - x0), y0 + part * (y1 - y0)))

    def _add(self, place: Point) -> None:
        self._last = place
        if not self.is_full:
            self._points.append(place)

    def erase(self, place: Point, radius: float) -> None:
        """Take away what lies within a radius round a place."""
        self._points = [point for point in self._points if math.dist(point, place) > radius]
