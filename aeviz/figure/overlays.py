"""What lies over the heat map: points, outlines, the lines through the origin."""

from __future__ import annotations

from collections.abc import Sequence

import contourpy
import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.figure.layer import EDGE, Layer, fill_circles, fill_specks, stroke_segments

_MANY = 1_000  # points, which would take half a frame as circles on the screen

Lines = Sequence[FloatArray]
"""Lines of (K, 2) corners each, in data units."""


class PointLayer(Layer):
    """Round points of a fixed size on the screen, with an optional rim."""

    def __init__(self, box: pg.ViewBox, depth: float, radius: float) -> None:
        super().__init__(box, depth)
        self._radius = self._usual_radius = radius
        self._points = np.empty((0, 2))
        self._fill, self._rim = QColor("white"), QColor("black")

    def set_scale(self, scale: float) -> None:
        """Draw points at `scale` times their usual size."""
        self._radius = scale * self._usual_radius
        self.update()

    def set_points(self, points: FloatArray, fill: str, rim: str) -> None:
        """Show points (K, 2) in data units."""
        self._points, self._fill, self._rim = points, QColor(fill), QColor(rim)
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Fill rims, then points."""
        centres = self.to_pixels(self._points)
        rect = self.boundingRect()
        near = np.all(np.abs(centres - [rect.center().x(), rect.center().y()]) < rect.width() + 50.0, axis=1)
        many = np.count_nonzero(near) > _MANY
        for radius, colour in ((self._radius + 0.9, self._rim), (self._radius, self._fill)):
            if many:
                fill_specks(painter, centres[near], 1.8 * radius, colour)
            else:
                fill_circles(painter, centres[near], radius, colour)


class OutlineLayer(Layer):
    """Lines, such as the border of the region where a value on the grid is above a level."""

    def __init__(self, box: pg.ViewBox, depth: float, width: float = 2.2) -> None:
        super().__init__(box, depth)
        self._lines: Lines = ()
        self._pen = QPen()
        self._width = width

    def set_region(self, grid: Grid, values: FloatArray | None, level: float, colour: str) -> None:
        """Outline {values > level} of `values` (H, W) on `grid`; None shows nothing."""
        lines = []
        if values is not None:
            generator = contourpy.contour_generator(grid.x, grid.y, np.nan_to_num(values, posinf=1e30))
            lines = [np.asarray(line) for line in generator.lines(level)]
        self.set_lines(lines, colour)

    def set_lines(self, lines: Lines, colour: str) -> None:
        """Draw lines, each (K, 2) in data units."""
        self._lines = lines
        self._pen = QPen(QColor(colour), self._width)
        self._pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Stroke all borders, over a dark edge that keeps them visible on yellow."""
        if not self._lines:
            return
        lines = [self.to_pixels(line) for line in self._lines]
        segments = np.concatenate([np.stack((line[:-1], line[1:]), axis=1) for line in lines])
        edge = QPen(self._pen)
        edge.setWidthF(self._pen.widthF() + 1.6)
        edge.setColor(EDGE)
        stroke_segments(painter, segments, edge)
        stroke_segments(painter, segments, self._pen)


class StreakLayer(Layer):
    """Particles, each with a streak from where it was a moment ago."""

    def __init__(self, box: pg.ViewBox, depth: float) -> None:
        super().__init__(box, depth)
        self._streaks: FloatArray | None = None
        self._colour = QColor("white")

    def set_streaks(self, streaks: FloatArray | None, colour: str) -> None:
        """Show streaks (M, 2, 2) in data units, from the tail to the particle; None shows nothing."""
        self._streaks, self._colour = streaks, QColor(colour)
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the streaks, then the particles."""
        if self._streaks is None:
            return
        pixels = self.to_pixels(self._streaks)
        faint = QColor(self._colour)
        faint.setAlpha(120)
        if not np.array_equal(pixels[:, 0], pixels[:, 1]):
            stroke_segments(painter, pixels, QPen(faint, 1.0))
        fill_specks(painter, pixels[:, 1], 2.0, self._colour)


class OriginLayer(Layer):
    """Lines through the origin, as in the lecture's figures."""

    def __init__(self, box: pg.ViewBox, depth: float) -> None:
        super().__init__(box, depth)
        self._colour = QColor("grey")

    def set_colour(self, colour: str) -> None:
        """Change the lines' colour."""
        self._colour = QColor(colour)
        self._colour.setAlphaF(0.6)
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the two lines on whole pixels."""
        x, y = np.floor(self.to_pixels(np.zeros(2))) + 0.5
        rect = self.boundingRect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(self._colour, 1.0))
        if rect.left() < x < rect.right():
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        if rect.top() < y < rect.bottom():
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
