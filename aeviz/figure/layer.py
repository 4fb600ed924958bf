"""What all layers of the field have in common: they paint in pixels of the view box.

A layer is a child of the view box itself, not of its scaled inner group. It maps data to pixels and
draws with plain pens there: cosmetic pens come out as wide as the page in some SVG viewers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainterPath
from PyQt6.QtWidgets import QGraphicsItem

from aeviz.core.manifolds import FloatArray


class Layer(QGraphicsItem):
    """One layer over a view box; subclasses paint in its pixel coordinates."""

    def __init__(self, box: pg.ViewBox, depth: float) -> None:
        super().__init__(box)
        self._box = box
        self.setZValue(depth)
        box.sigResized.connect(self._moved)
        box.sigTransformChanged.connect(self._moved)

    def _moved(self, *_: Any) -> None:
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


def closed_path(polygons: FloatArray) -> QPainterPath:
    """One path of many polygons, (K, V, 2) in pixels."""
    count, corners, _ = polygons.shape
    if count == 0:
        return QPainterPath()
    ring = np.concatenate((polygons, polygons[:, :1]), axis=1)
    connect = np.ones((count, corners + 1), dtype=np.int32)
    connect[:, -1] = 0
    path: QPainterPath = pg.arrayToQPath(ring[..., 0].ravel(), ring[..., 1].ravel(), connect.ravel())
    return path
