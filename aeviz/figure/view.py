"""The widget that holds a figure: on the screen, and unseen for files."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent

from aeviz.core.clean_data import CleanData
from aeviz.core.marks import Point
from aeviz.core.settings import Settings
from aeviz.figure.figure import FieldFigure
from aeviz.figure.panel import Box


class FieldView(pg.GraphicsView):
    """Shows one `FieldFigure`; drag pans, the wheel zooms, a click drops a probe, two go home."""

    hovered = pyqtSignal(object)
    """(x, y) in data units under the cursor, or None when it leaves the field."""
    probed = pyqtSignal(object)
    """The probe is dropped at or dragged to (x, y), in data units; None takes it away."""
    clouded = pyqtSignal(object)
    """A cloud of noise is wanted round (x, y)."""
    view_changed = pyqtSignal()
    """Another part of the plane is in view."""

    def __init__(self, settings: Settings, data: CleanData) -> None:
        super().__init__(background=None)
        self.setFrameShape(pg.GraphicsView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setAccessibleName("Vector field")
        self.figure = FieldFigure(settings, data)
        self.setCentralItem(self.figure)
        self._pointer: QPointF | None = None  # over the view
        self._probe_before: Point | None = None  # the last click
        self.figure.box.sigRangeChanged.connect(lambda *_: self._moved())
        for panel in self.figure.panels:
            panel.box.probed.connect(self.probed)
            panel.box.clouded.connect(self.clouded)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell where the cursor is."""
        super().mouseMoveEvent(event)
        self._pointer = event.position()
        self._tell(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        """Tell that the cursor is gone."""
        super().leaveEvent(event)
        self._pointer = None
        self._say(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember the probe that a click is about to replace."""
        self._probe_before = self.figure.box.probe
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to the first view."""
        if event.button() == Qt.MouseButton.LeftButton:
            over_field = self._box_at(event.position()) is not None
            self.figure.home()
            if over_field:
                self.probed.emit(self._probe_before)  # the first of the two clicks has dropped another one
        super().mouseDoubleClickEvent(event)

    def wheelEvent(self, event: Any) -> None:
        """Zoom about the cursor, over the field alone; at the limit the view stays where it is."""
        if self._box_at(event.position()) is None:
            return
        if not self.figure.at_zoom_limit(outwards=event.angleDelta().y() < 0):
            super().wheelEvent(event)

    def _moved(self) -> None:
        if self._pointer is not None:  # another place has come under it
            self._tell(self._pointer)
        self.view_changed.emit()

    def _box_at(self, position: QPointF) -> Box | None:
        place = self.mapToScene(position.toPoint())
        return next((box for box in self.figure.boxes if box.sceneBoundingRect().contains(place)), None)

    def place_at(self, position: QPointF) -> Point | None:
        """The place of the field, in data units, at a position of the widget; None beside the field."""
        box = self._box_at(position)
        if box is None:
            return None
        place = box.mapSceneToView(self.mapToScene(position.toPoint()))
        return place.x(), place.y()

    def _tell(self, position: QPointF) -> None:
        self._say(self.place_at(position))

    def _say(self, place: Point | None) -> None:
        self.figure.show_cross(place)
        self.hovered.emit(place)
