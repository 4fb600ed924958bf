"""The line between two layers that lie on top of each other; it is dragged across."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen
from PyQt6.QtWidgets import QGraphicsItem

from aeviz.figure.layer import is_screen, is_vector
from aeviz.figure.theme import DARK

_COLOUR = QColor(DARK.text)  # whatever the theme: with its black edge it is seen on every colour map
_GRIP = 7.0  # px on each side of the line that take the mouse


class WipeLine(pg.GraphicsObject):
    """An upright line over a rectangle, with a handle in its middle."""

    def __init__(self, parent: QGraphicsItem, moved: Callable[[float], object]) -> None:
        super().__init__(parent)
        self._rect, self._at = QRectF(), 0.5
        self._moved = moved
        self.setZValue(2.0)
        self.setCursor(Qt.CursorShape.SplitHCursor)

    def stand(self, rect: QRectF, at: float) -> None:
        """Stand over `rect` at this fraction of its width."""
        self.prepareGeometryChange()
        self._rect, self._at = rect, at
        self.update()

    @property
    def _x(self) -> float:
        return round(self._rect.x() + self._at * self._rect.width()) + 0.5

    def boundingRect(self) -> QRectF:
        """The line and what takes the mouse beside it."""
        return QRectF(self._x - _GRIP, self._rect.y(), 2.0 * _GRIP, self._rect.height())

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw line and handle."""
        rect, middle = self._rect, QPointF(self._x, self._rect.center().y())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Qt's SVG engine still clips by the right panel, which ends at the line.
        x = self._x + (1.8 if is_vector(painter) else 0.0)
        for width, colour in ((3.6, QColor("black")), (1.6, _COLOUR)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        if not is_screen(painter):
            return  # there is nothing to drag
        painter.setPen(QPen(QColor("black"), 1.0))
        painter.setBrush(_COLOUR)
        painter.drawRoundedRect(QRectF(middle.x() - 4.0, middle.y() - 14.0, 8.0, 28.0), 4.0, 4.0)

    def mouseClickEvent(self, event: Any) -> None:
        """Keep clicks on the line from what lies under it."""
        event.accept()

    def mouseDragEvent(self, event: Any) -> None:
        """Tell where the line is dragged to."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        x = event.pos().x() - self._rect.x()
        self._moved(min(1.0, max(0.0, x / max(1.0, self._rect.width()))))
