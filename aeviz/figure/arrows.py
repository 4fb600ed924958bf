"""Arrows from places to their reconstructions, painted as all shafts, then all heads."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtGui import QBrush, QColor, QPainter, QPen

from aeviz.core.manifolds import FloatArray
from aeviz.figure.layer import Layer, fill_polygons, is_screen, stroke_segments

SHAFT = 1.0  # px, width: Qt draws lines of just this width twice as fast as wider ones
HEAD_LENGTH, HEAD_WIDTH = 7.0, 5.5  # px
_SHORTEST = 0.35  # px; a shorter arrow is smaller than the ink it would take
_ROOMY, _LEAST, _MOST = 17.0, 0.55, 1.2  # px between arrows that suits size 1; limits of the size


def arrow_shapes(start: FloatArray, vector: FloatArray, size: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Shafts and heads of arrows.

    Parameters
    ----------
    start, vector : (K, 2) arrays
        In pixels; the tip lies exactly at start + vector.
    size : float
        Scale of the head.

    Returns
    -------
    shafts : (K', 2, 2) array
        From the tail to the head's back. Arrows shorter than a third of a pixel are left out.
    heads : (K', 3, 2) array
        One side of the back, the tip, the other side. The head of a short arrow shrinks with it, so
        that it is never longer than the arrow.
    """
    length = np.hypot(vector[:, 0], vector[:, 1])
    seen = length > _SHORTEST
    start, vector, length = start[seen], vector[seen], length[seen, None]
    along = vector / length
    head = np.minimum(HEAD_LENGTH * size, 0.6 * length)
    side = along[:, ::-1] * np.array([-1.0, 1.0]) * (0.5 * HEAD_WIDTH / HEAD_LENGTH * head)
    tip = start + vector
    back = tip - along * head
    return np.stack((start, back), axis=1), np.stack((back + side, tip, back - side), axis=1)


class ArrowLayer(Layer):
    """Arrows in one colour."""

    def __init__(self, box: pg.ViewBox, depth: float) -> None:
        super().__init__(box, depth)
        self._start = self._vector = np.empty((0, 2))
        self._spacing = 0.0
        self._colour = QColor("black")

    def set_arrows(self, start: FloatArray, vector: FloatArray, colour: str, spacing: float = 0.0) -> None:
        """Show arrows from `start` (K, 2) by `vector` (K, 2), in data units; `spacing` lies between them."""
        self._start, self._vector, self._colour, self._spacing = start, vector, QColor(colour), spacing
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw all arrows."""
        scale, _offset = self.affine()
        size = float(np.clip(self._spacing * scale[0] / _ROOMY, _LEAST, _MOST)) if self._spacing else 1.0
        start, vector = self.to_pixels(self._start), self._vector * scale
        shown = self._box.shown_rect  # under a wipe line, half the arrows are out of sight
        ends = np.sort(np.stack((start[:, 0], start[:, 0] + vector[:, 0])), axis=0)
        seen = (ends[1] > shown.left() - HEAD_WIDTH) & (ends[0] < shown.right() + HEAD_WIDTH)
        shafts, heads = arrow_shapes(start[seen], vector[seen], size)
        pen = QPen(self._colour, SHAFT)
        if is_screen(painter):
            stroke_segments(painter, np.concatenate((shafts, fans(heads))), pen)
        else:
            stroke_segments(painter, shafts, pen)
            fill_polygons(painter, heads, QBrush(self._colour))


def fans(heads: FloatArray) -> FloatArray:
    """Heads as lines from the back to the tip, (5·K, 2, 2): so close that no eye sees between them.

    On the screen they stand for the filled triangles, which take eight times as long.
    """
    one_side, tip, other_side = heads[:, 0], heads[:, 1], heads[:, 2]
    backs = [one_side + (other_side - one_side) * part for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return np.concatenate([np.stack((back, tip), axis=1) for back in backs])
