"""Marks over the field: who votes for a place, a probe's path, a cloud of noise, a cross."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import NO_MARKS, ExactPlace, Marks, Place, Point
from aeviz.figure.arrows import arrow_shapes
from aeviz.figure.layer import Layer, fill_circles, fill_polygons, stroke_segments
from aeviz.figure.theme import Theme, font

PROBE = 7.0  # px, radius of the ring that is dragged
DEVIATIONS = 1.0  # standard deviations that the posterior's ellipse reaches
_LOOK = 24.0  # px, radius of the ring round the place to look at
_GLOW, _SIZES = (2.0, 8.5), 8  # px, radii of the weakest and the strongest vote; and how many sizes there are
_ANGLES = np.linspace(0.0, 2.0 * np.pi, 61)
_CIRCLE = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)), axis=1)


def ellipse(exact: ExactPlace) -> FloatArray:
    """The posterior's ellipse, (61, 2), in data units: one standard deviation round r*.

    Halfway between two arms it passes through both.
    """
    values, vectors = np.linalg.eigh(exact.covariance)
    axes = vectors * np.sqrt(np.maximum(values, 0.0))
    outline: FloatArray = np.array(exact.reconstruction) + DEVIATIONS * _CIRCLE @ axes.T
    return outline


class MarkLayer(Layer):
    """Everything that is shown of single places."""

    def __init__(self, box: pg.ViewBox, depth: float) -> None:
        super().__init__(box, depth)
        self._marks, self._data = NO_MARKS, np.empty((0, 2))
        self._theme: Theme | None = None
        self._cross: Point | None = None
        self._lit: Point | None = None
        self._look: Point | None = None
        self._look_text = ""

    def set_marks(self, marks: Marks, data: FloatArray, theme: Theme) -> None:
        """Show these marks; `data` are the clean points, (N, 2)."""
        self._marks, self._data, self._theme = marks, data, theme
        self.update()

    def set_cross(self, place: Point | None) -> None:
        """Show a cross at a place."""
        self._cross = place
        self.update()

    def set_lit(self, place: Point | None) -> None:
        """Ring a clean point."""
        self._lit = place
        self.update()

    def set_look(self, place: Point | None, text: str, theme: Theme) -> None:
        """Ring a place to look at, with a text beside."""
        self._look, self._look_text, self._theme = place, text, theme
        self.update()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw cloud, path, and what is under the cursor, in this order."""
        theme, marks = self._theme, self._marks
        if theme is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if marks.cloud is not None and marks.cloud_reconstruction is not None:
            self._paint_cloud(painter, marks.cloud, marks.cloud_reconstruction, theme)
        if marks.cursor is not None:
            self._paint_cursor(painter, marks.cursor, theme)
        if marks.path is not None:
            self._paint_path(painter, marks.path, theme)
        if self._look is not None:
            self._paint_look(painter, self.to_pixels(np.array(self._look)), theme)
        if self._lit is not None:
            _ring(painter, self.to_pixels(np.array(self._lit)), 8.0, theme.data_rim, theme.vote)
        if self._cross is not None:
            x, y = self.to_pixels(np.array(self._cross))
            arms = np.array([[[x - 9, y], [x - 3, y]], [[x + 3, y], [x + 9, y]],
                             [[x, y - 9], [x, y - 3]], [[x, y + 3], [x, y + 9]]])  # fmt: skip
            for width, colour in ((3.5, theme.data_rim), (1.5, theme.exact)):
                stroke_segments(painter, arms, QPen(QColor(colour), width))

    def _paint_look(self, painter: QPainter, at: FloatArray, theme: Theme) -> None:
        """A ring and a label that stays within the box, on the side where there is more room."""
        rect, ring = self.boundingRect(), QPointF(*at)
        if not rect.contains(ring):
            return
        _ring(painter, at, _LOOK, theme.data_rim, theme.look)
        text = font(12, weight=QFont.Weight.DemiBold)
        metrics = QFontMetricsF(text)
        wide, high = metrics.horizontalAdvance(self._look_text) + 16.0, metrics.height() + 8.0
        if wide > rect.width() - 8.0:
            return  # half a sentence tells nothing; the lesson has it whole
        below = ring.y() < rect.center().y()
        left = min(max(ring.x() - 0.5 * wide, rect.left() + 4.0), rect.right() - wide - 4.0)
        label = QRectF(left, ring.y() + (_LOOK + 6.0 if below else -_LOOK - 6.0 - high), wide, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.look))
        painter.drawRoundedRect(label, 5.0, 5.0)
        painter.setFont(text)
        painter.setPen(QColor("#1b1400"))
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self._look_text)

    def _paint_cloud(
        self, painter: QPainter, noisy: FloatArray, reconstruction: FloatArray, theme: Theme
    ) -> None:
        start, end = self.to_pixels(noisy), self.to_pixels(reconstruction)
        faint = QColor(theme.noisy)
        faint.setAlpha(110)
        stroke_segments(painter, np.stack((start, end), axis=1), QPen(faint, 1.0))
        fill_circles(painter, start, 2.0, QColor(theme.noisy))
        for radius, colour in ((2.9, theme.data_rim), (2.1, theme.reconstruction)):
            fill_circles(painter, end, radius, QColor(colour))

    def _paint_path(self, painter: QPainter, path: FloatArray, theme: Theme) -> None:
        pixels = self.to_pixels(path)
        pixels = pixels[np.isfinite(pixels).all(axis=1)]
        if not len(pixels):
            return
        steps = np.stack((pixels[:-1], pixels[1:]), axis=1)
        for width, colour in ((4.0, theme.data_rim), (2.0, theme.probe)):
            stroke_segments(painter, steps, QPen(QColor(colour), width, cap=Qt.PenCapStyle.RoundCap))
        fill_circles(painter, pixels[1:], 2.6, QColor(theme.probe))
        _ring(painter, pixels[0], PROBE, theme.data_rim, theme.probe)

    def _paint_cursor(self, painter: QPainter, place: Place, theme: Theme) -> None:
        start = self.to_pixels(np.array([place.place]))
        if place.exact is not None:
            self._paint_votes(painter, place.exact, theme)
            outline = QPolygonF([QPointF(*point) for point in self.to_pixels(ellipse(place.exact))])
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for width, colour in ((3.0, theme.data_rim), (1.4, theme.exact)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawPolygon(outline)
            self._paint_arrow(painter, start, place.exact.reconstruction, theme.exact, theme, 4.0)
        self._paint_arrow(painter, start, place.reconstruction, theme.probe, theme, 1.8)

    def _paint_arrow(
        self, painter: QPainter, start: FloatArray, to: tuple[float, float], colour: str, theme: Theme,
        width: float,
    ) -> None:  # fmt: skip
        shafts, heads = arrow_shapes(start, self.to_pixels(np.array([to])) - start, 1.0 + 0.25 * width)
        stroke_segments(painter, shafts, QPen(QColor(theme.data_rim), width + 1.8))
        stroke_segments(painter, shafts, QPen(QColor(colour), width))
        fill_polygons(painter, heads, QBrush(QColor(colour)))

    def _paint_votes(self, painter: QPainter, exact: ExactPlace, theme: Theme) -> None:
        """The stronger the vote, the larger the disc."""
        pixels = self.to_pixels(self._data[exact.voters])
        part = np.sqrt(exact.votes / exact.votes.max())
        size = np.ceil(part * _SIZES)
        colour = QColor(theme.vote)
        colour.setAlpha(200)
        for step in range(1, _SIZES + 1):
            radius = _GLOW[0] + (_GLOW[1] - _GLOW[0]) * step / _SIZES
            fill_circles(painter, pixels[size == step], radius, colour)


def _ring(painter: QPainter, at: FloatArray, radius: float, rim: str, colour: str) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, ink in ((4.5, rim), (2.2, colour)):
        painter.setPen(QPen(QColor(ink), width))
        painter.drawEllipse(QPointF(*at), radius, radius)
