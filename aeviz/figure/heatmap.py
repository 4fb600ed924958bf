"""The heat map: one flat colour per cell, with crisp edges on screen and in files."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter

from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.figure.layer import Layer, is_vector
from aeviz.figure.theme import lookup_table

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
    if is_vector(painter):
        repeat = max(1, min(_VECTOR_CELL, _VECTOR_IMAGE // max(pixels.shape)))
        pixels = pixels.repeat(repeat, axis=0).repeat(repeat, axis=1)
    rows, columns = pixels.shape
    image = QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGB32)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(target, image)
