"""What all layers of the field have in common: they paint in pixels of the view box.

A layer is a child of the view box itself, not of its scaled inner group. It maps data to pixels and
draws with plain pens there: cosmetic pens come out as wide as the page in some SVG viewers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPaintEngine, QPainter, QPainterPath, QPen, QPolygonF
from PyQt6.QtWidgets import QGraphicsItem, QWidget
from pyqtgraph.Qt.internals import PrimitiveArray

from aeviz.core.manifolds import FloatArray

EDGE = QColor(40, 16, 28)  # under a line, so that it stands out on yellow and on white
_MOST_AT_ONCE = 14  # the power of two of primitives that are drawn by one call
_ANGLES = np.linspace(0.0, 2.0 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)), axis=1)  # round at every size points are drawn at


class Layer(QGraphicsItem):
    """One layer over a view box; subclasses paint in its pixel coordinates."""

    def __init__(self, box: pg.ViewBox, depth: float) -> None:
        super().__init__(box)
        self._box = box
        self.setZValue(depth)
        box.layers.append(self)

    def moved(self) -> None:
        """The box has another size, or shows another part of the plane."""
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole view box."""
        return QRectF(self._box.rect())

    def to_pixels(self, points: FloatArray) -> FloatArray:
        """Map points in data units, (…, 2), to pixels of the view box."""
        scale, offset = self.affine()
        return points * scale + offset

    def affine(self) -> tuple[FloatArray, FloatArray]:
        """Scale (2,) in pixels per data unit, y downwards, and offset (2,) in pixels."""
        (x0, x1), (y0, y1) = self._box.viewRange()
        rect = self._box.rect()
        scale = np.array([rect.width() / (x1 - x0), -rect.height() / (y1 - y0)])
        return scale, np.array([rect.left(), rect.bottom()]) - scale * np.array([x0, y0])


def is_vector(painter: QPainter) -> bool:
    """Whether a file of paths is being written, not an image."""
    engine = painter.paintEngine()
    return engine is not None and engine.type() in (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf)


def is_screen(painter: QPainter) -> bool:
    """Whether a window is being painted, where speed counts more than the last tenth of a pixel."""
    return isinstance(painter.device(), QWidget)


def fill_polygons(painter: QPainter, polygons: FloatArray, brush: QBrush) -> None:
    """Fill convex polygons, (K, V, 2) in pixels.

    Vector files get one path. Images get polygon after polygon: the time to fill one path grows much
    faster than its number of edges, and to make many takes its time as well (1,400 arrow heads: 11 ms as
    paths of sixteen, 2.5 ms one by one).
    """
    if not len(polygons):
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if is_vector(painter):
        ring = np.concatenate((polygons, polygons[:, :1]), axis=1)
        connect = np.ones(ring.shape[:2], dtype=np.int32)
        connect[:, -1] = 0
        path: QPainterPath = pg.arrayToQPath(ring[..., 0].ravel(), ring[..., 1].ravel(), connect.ravel())
        path.setFillRule(Qt.FillRule.WindingFill)
        painter.fillPath(path, brush)
        return
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    polygon, corners = _polygon(polygons.shape[1])
    for each in polygons.reshape(len(polygons), -1):
        corners[:] = each
        painter.drawConvexPolygon(polygon)
    painter.restore()


@cache
def _polygon(corners: int) -> tuple[QPolygonF, FloatArray]:
    """A polygon that is used again and again, and its corners' coordinates, (2·V,)."""
    polygon = QPolygonF([QPointF()] * corners)
    memory: Any = polygon.data()
    memory.setsize(16 * corners)
    return polygon, np.frombuffer(memory, dtype=np.float64)


def stroke_segments(painter: QPainter, segments: FloatArray, pen: QPen) -> None:
    """Draw straight lines, (K, 2, 2) in pixels: one path in vector files, single lines in images."""
    if not len(segments):
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    if is_vector(painter):
        x, y = segments[..., 0].ravel(), segments[..., 1].ravel()
        painter.strokePath(pg.arrayToQPath(x, y, "pairs"), pen)
        return
    for some in _primitives(QLineF, segments.reshape(-1, 4)):
        painter.drawLines(some)


def fill_circles(painter: QPainter, centres: FloatArray, radius: float, colour: QColor) -> None:
    """Fill circles round `centres` (K, 2) in pixels: outlines in vector files, round pen marks in images."""
    if not len(centres):
        return
    if is_vector(painter):
        fill_polygons(painter, centres[:, None, :] + radius * _CIRCLE, QBrush(colour))
        return
    pen = QPen(colour, 2.0 * radius)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    for some in _primitives(QPointF, centres):
        painter.drawPoints(some)


def fill_specks(painter: QPainter, centres: FloatArray, size: float, colour: QColor) -> None:
    """Mark thousands of places (K, 2) in pixels: squares on the screen, a third of a circle's time."""
    if not is_screen(painter):
        fill_circles(painter, centres, 0.5 * size, colour)
        return
    pen = QPen(colour, size)
    pen.setCapStyle(Qt.PenCapStyle.SquareCap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(pen)
    for some in _primitives(QPointF, centres):
        painter.drawPoints(some)


def _primitives(kind: Any, numbers: FloatArray) -> Iterator[Any]:
    """What QPainter's drawLines and drawPoints take, from (K, 4) or (K, 2) numbers, in some pieces.

    A `sip.array` is never freed as a whole, nor is a slice of one: 72 bytes stay, at every frame. So there
    is one for each power of two, which is used again, and K is made of those.
    """
    start = 0
    while start < len(numbers):
        power = min((len(numbers) - start).bit_length() - 1, _MOST_AT_ONCE)
        array, values = _array(kind, numbers.shape[1], 2**power)
        values[:] = numbers[start : start + len(values)]
        yield array
        start += len(values)


@cache
def _array(kind: Any, width: int, size: int) -> tuple[Any, FloatArray]:
    array = PrimitiveArray(kind, width)
    array.resize(size)
    return array.instances(), array.ndarray()
