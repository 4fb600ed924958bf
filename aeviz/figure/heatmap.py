"""The heat map: one flat colour per cell, with crisp edges on screen and in files."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPainterPath

from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.figure.layer import Layer, is_vector
from aeviz.figure.theme import lookup_table

_MOST_PATHS = 20_000  # cells that are paths in vector files: more are an image
_UNDER = 0.4  # px that a cell reaches under the next ones
_VECTOR_CELL = 12  # image pixels per cell in vector files: viewers that interpolate blur a twelfth of it
_VECTOR_IMAGE = 4_096  # pixels across such an image at most


def colours(
    values: FloatArray, low: float, high: float, colour_map: str, unknown: str = "black"
) -> NDArray[np.uint32]:
    """Colours 0xffRRGGBB of values between `low` and `high`.

    What is outside takes the end's colour, and what is not a number the colour `unknown`.
    """
    scaled = (values - low) * (255.0 / (high - low))
    missing = np.isnan(scaled)
    found = lookup_table(colour_map)[np.clip(np.where(missing, 0.0, scaled), 0.0, 255.0).astype(np.intp)]
    if missing.any():
        found[missing] = QColor(unknown).rgb()
    return found


class HeatMapLayer(Layer):
    """Cells of a grid, coloured by value."""

    def __init__(self, box: pg.ViewBox, depth: float) -> None:
        super().__init__(box, depth)
        self._grid: Grid | None = None
        self._pixels: NDArray[np.uint32] = np.empty((0, 0), dtype=np.uint32)

    def set_values(
        self, grid: Grid, values: FloatArray | None, low: float, high: float, colour_map: str, unknown: str
    ) -> None:
        """Show `values` (H, W) on `grid`, row 0 lowest; None shows nothing."""
        self._grid = grid if values is not None else None
        if values is not None:
            self._pixels = colours(values[::-1], low, high, colour_map, unknown)
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the cells as one image, never smoothed."""
        if self._grid is None:
            return
        draw_cells(painter, self._target(self._grid), self._pixels)

    def _target(self, grid: Grid) -> QRectF:
        half_x, half_y = 0.5 * grid.cell[0], 0.5 * grid.cell[1]
        x0, x1, y0, y1 = grid.extent
        (left, bottom), (right, top) = self.to_pixels(
            np.array([[x0 - half_x, y0 - half_y], [x1 + half_x, y1 + half_y]])
        )
        return QRectF(left, top, right - left, bottom - top)


def draw_cells(painter: QPainter, target: QRectF, pixels: NDArray[np.uint32]) -> None:
    """Draw colours 0xffRRGGBB, (H, W), as flat cells with crisp edges."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    if is_vector(painter) and pixels.size <= _MOST_PATHS:
        _fill_cells(painter, target, pixels)
        return
    if is_vector(painter):
        repeat = max(1, min(_VECTOR_CELL, _VECTOR_IMAGE // max(pixels.shape)))
        pixels = pixels.repeat(repeat, axis=0).repeat(repeat, axis=1)
    rows, columns = pixels.shape
    image = QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGB32)
    painter.drawImage(target, image)


def _fill_cells(painter: QPainter, target: QRectF, pixels: NDArray[np.uint32]) -> None:
    """Fill the cells as rectangles, a path for each colour.

    Each reaches a little under the next ones, those right of it and below it: viewers blend the edges of
    shapes, and the ground would shine through between two that only touch.
    """
    rows, columns = pixels.shape
    painter.setPen(Qt.PenStyle.NoPen)
    x = target.left() + target.width() / columns * np.arange(columns + 1)
    y = target.top() + target.height() / rows * np.arange(rows + 1)
    right, bottom = np.minimum(x[1:] + _UNDER, x[-1]), np.minimum(y[1:] + _UNDER, y[-1])
    # Cells of a row that are alike, one after the other, are one rectangle.
    begins = np.ones(pixels.shape, dtype=bool)
    begins[:, 1:] = pixels[:, 1:] != pixels[:, :-1]
    row, first = np.nonzero(begins)
    last = np.append(first[1:], 0) - 1
    last[np.append(row[1:] != row[:-1], True)] = columns - 1
    paths: dict[int, QPainterPath] = {}
    for colour, k, left, end in zip(pixels[row, first].tolist(), row, first, last, strict=True):
        path = paths.setdefault(colour, QPainterPath())
        path.addRect(x[left], y[k], right[end] - x[left], bottom[k] - y[k])
    for colour, path in paths.items():
        path.setFillRule(Qt.FillRule.WindingFill)
        painter.fillPath(path, QColor.fromRgb(colour))
