"""Arrows from places to their reconstructions, painted as all shafts, then all heads."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PyQt6.QtGui import QBrush, QColor, QPainter, QPen

from aeviz.core.manifolds import FloatArray
from aeviz.figure.layer import Layer, fill_polygons, is_screen, stroke_segments

SHAFT = 1.0  # px, width: Qt draws lines of just this width twice as fast as wider ones
HEAD_LENGTH, HEAD_WIDTH = 7.0, 5.5  # px
_APART = 1.65  # px between the lines of a head at its back
_SHORTEST = 0.35  # px; a shorter arrow is smaller than the ink it would take
_ROOMY, _LEAST, _MOST = 17.0, 0.55, 1.2  # px between arrows that suits size 1; limits of the size
_FINEST = 0.35  # px, width of a shaft in a file


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
    x, y, back_x, back_y, side_x, side_y, tip_x, tip_y = _corners(start, vector, size)
    shafts = np.stack((x, y, back_x, back_y), axis=1).reshape(-1, 2, 2)
    heads = np.stack(
        (back_x + side_x, back_y + side_y, tip_x, tip_y, back_x - side_x, back_y - side_y), axis=1
    )
    return shafts, heads.reshape(-1, 3, 2)


def arrow_lines(start: FloatArray, vector: FloatArray, size: float = 1.0) -> FloatArray:
    """Arrows as lines alone, (L, 2, 2): the shaft, and lines from the head's back to the tip.

    They are so close that no eye sees between them. On the screen they stand for the filled triangles, which
    take eight times as long.
    """
    x, y, back_x, back_y, side_x, side_y, tip_x, tip_y = _corners(start, vector, size)
    count = math.ceil(size * HEAD_WIDTH / _APART) + 1
    lines = np.empty((count + 1, len(x), 4))
    lines[0] = np.stack((x, y, back_x, back_y), axis=1)
    for line, part in zip(lines[1:], np.linspace(1.0, -1.0, count), strict=True):
        line[:, 0], line[:, 1] = back_x + part * side_x, back_y + part * side_y
        line[:, 2], line[:, 3] = tip_x, tip_y
    return lines.reshape(-1, 2, 2)


def _corners(start: FloatArray, vector: FloatArray, size: float) -> tuple[FloatArray, ...]:
    """Tail, head's back, half of its width, and tip of each arrow that is seen: x and y of each, (K',)."""
    length = np.hypot(vector[:, 0], vector[:, 1])
    seen = length > _SHORTEST
    if not seen.all():
        start, vector, length = start[seen], vector[seen], length[seen]
    (x, y), (u, v) = start.T, vector.T
    part = np.minimum(HEAD_LENGTH * size / length, 0.6)
    along_x, along_y, wide = part * u, part * v, 0.5 * HEAD_WIDTH / HEAD_LENGTH
    tip_x, tip_y = x + u, y + v
    return x, y, tip_x - along_x, tip_y - along_y, -wide * along_y, wide * along_x, tip_x, tip_y


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
        spacing = self._spacing * scale[0] if self._spacing else _ROOMY
        size, bold = head_size(spacing), boldness(spacing)
        start, vector = self.to_pixels(self._start), self._vector * scale
        shown = self._box.shown_rect  # under a wipe line, half the arrows are out of sight
        ends = np.sort(np.stack((start[:, 0], start[:, 0] + vector[:, 0])), axis=0)
        seen = (ends[1] > shown.left() - HEAD_WIDTH) & (ends[0] < shown.right() + HEAD_WIDTH)
        if is_screen(painter):  # where lines cannot be finer, but fainter
            colour = QColor(self._colour)
            colour.setAlphaF(bold)
            lines = arrow_lines(start[seen], vector[seen], bold * size)
            stroke_segments(painter, lines, QPen(colour, SHAFT))
        else:
            shafts, heads = arrow_shapes(start[seen], vector[seen], bold * size)
            stroke_segments(painter, shafts, QPen(self._colour, bold * SHAFT))
            fill_polygons(painter, heads, QBrush(self._colour))


def head_size(spacing: float) -> float:
    """The size of heads that suits arrows with so many pixels between them."""
    return min(max(spacing / _ROOMY, _LEAST), _MOST)


def boldness(spacing: float) -> float:
    """How bold arrows with so many pixels between them are: in a file finer, on the screen fainter."""
    return min(max(spacing / (_LEAST * _ROOMY), _FINEST), 1.0)
