"""The widget that holds a figure: on the screen, and unseen for files."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent

from aeviz.core.settings import Settings
from aeviz.figure.figure import FieldFigure


class FieldView(pg.GraphicsView):
    """Shows one `FieldFigure`; drag pans, the wheel zooms, a double click goes home."""

    hovered = pyqtSignal(object)
    """(x, y) in data units under the cursor, or None when it leaves the field."""
    view_changed = pyqtSignal()
    """Another part of the plane is in view."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(background=None)
        self.setFrameShape(pg.GraphicsView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setAccessibleName("Vector field")
        self.figure = FieldFigure(settings)
        self.setCentralItem(self.figure)
        self.figure.box.sigRangeChanged.connect(lambda *_: self.view_changed.emit())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell where the cursor is."""
        super().mouseMoveEvent(event)
        self._tell(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        """Tell that the cursor is gone."""
        super().leaveEvent(event)
        self.hovered.emit(None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to the first view."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.figure.home()
        super().mouseDoubleClickEvent(event)

    def wheelEvent(self, event: Any) -> None:
        """Zoom about the cursor, over the field alone."""
        if self._inside(event.position()):
            super().wheelEvent(event)

    def _inside(self, position: QPointF) -> bool:
        return bool(self.figure.box.sceneBoundingRect().contains(self.mapToScene(position.toPoint())))

    def _tell(self, position: QPointF) -> None:
        if not self._inside(position):
            self.hovered.emit(None)
            return
        place = self.figure.box.mapSceneToView(self.mapToScene(position.toPoint()))
        self.hovered.emit((place.x(), place.y()))
