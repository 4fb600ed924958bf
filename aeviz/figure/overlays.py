"""What lies over the heat map: points, outlines, the lines through the origin."""

from __future__ import annotations

import contourpy
import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.figure.layer import Layer, fill_circles, stroke_segments

_EDGE = QColor(40, 16, 28)  # under an outline, so that it stands out on yellow


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
        for radius, colour in ((self._radius + 0.9, self._rim), (self._radius, self._fill)):
            fill_circles(painter, centres[near], radius, colour)


class OutlineLayer(Layer):
    """The border of the region where a value on the grid is above a level."""

    def __init__(self, box: pg.ViewBox, depth: float, width: float = 2.2) -> None:
        super().__init__(box, depth)
        self._lines: list[FloatArray] = []
        self._pen = QPen()
        self._width = width

    def set_region(self, grid: Grid, values: FloatArray | None, level: float, colour: str) -> None:
        """Outline {values > level} of `values` (H, W) on `grid`; None shows nothing."""
        self._lines = []
        if values is not None:
            generator = contourpy.contour_generator(grid.x, grid.y, np.nan_to_num(values, posinf=1e30))
            self._lines = [np.asarray(line) for line in generator.lines(level)]
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
        edge.setColor(_EDGE)
        stroke_segments(painter, segments, edge)
        stroke_segments(painter, segments, self._pen)


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
