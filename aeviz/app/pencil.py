"""Drawing the data by hand: the left button leaves points on the field, the right one erases them."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QEvent, QObject, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent

from aeviz.app.store import Store
from aeviz.core.clean_data import CleanData
from aeviz.core.marks import Point
from aeviz.core.strokes import Strokes
from aeviz.figure.view import FieldView

SPACING, ERASER = 9.0, 14.0  # px between two points, and from the cursor to what is erased


class Pencil(QObject):
    """While it is down, the mouse draws on the field instead of moving it."""

    toggled = pyqtSignal(bool)
    drawing = pyqtSignal(object)
    """The points so far, (N, 2) in the figure's units, while a stroke goes on."""

    def __init__(self, view: FieldView, store: Store) -> None:
        super().__init__(view)
        self._view, self._store = view, store
        self._strokes: Strokes | None = None
        self._data: CleanData | None = None
        self.is_down = False

    def toggle(self, data: CleanData) -> None:
        """Begin to draw over these data, or end it."""
        self._data = data
        self.put(not self.is_down)

    def put(self, down: bool) -> None:
        """Draw, or let the mouse move the field again."""
        if down == self.is_down:
            return
        self.is_down = down
        port = self._view.viewport()
        if down:
            port.installEventFilter(self)
            self._view.setCursor(Qt.CursorShape.CrossCursor)
        else:
            port.removeEventFilter(self)
            self._view.unsetCursor()
        self.toggled.emit(down)

    def follow(self, data: CleanData) -> None:
        """The data are others now, perhaps those that were just drawn."""
        self._data = data

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """Take presses, moves and releases of the mouse."""
        if not isinstance(event, QMouseEvent):
            return False
        kind = event.type()
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            if self._place(event.position()) is not None:
                drawn = np.reshape(self._store.settings.drawn, (-1, 2))
                self._strokes = Strokes(drawn if self._store.settings.data == "drawn" else np.empty((0, 2)))
                self._stroke(event)
            return True
        if kind == QEvent.Type.MouseMove and self._strokes is not None:
            self._stroke(event)
            return True
        if kind == QEvent.Type.MouseButtonRelease and self._strokes is not None:
            self._finish()
            return True
        return False

    def _stroke(self, event: QMouseEvent) -> None:
        place = self._place(event.position())
        assert self._strokes is not None
        if place is None or self._data is None:
            return
        pixel = self._view.figure.box.viewPixelSize()[0]
        own = self._data.scale  # the strokes are kept in the units of the points as they were drawn
        at = tuple(self._data.offset + own * np.array(place))
        erases = bool((event.buttons() | event.button()) & Qt.MouseButton.RightButton)
        if erases:
            self._strokes.erase(at, ERASER * pixel * float(own.max()))
        else:
            self._strokes.draw_to(at, SPACING * pixel * float(own.min()))
        self.drawing.emit((self._strokes.points - self._data.offset) / own)

    def _finish(self) -> None:
        assert self._strokes is not None
        points, self._strokes = self._strokes.points, None
        if len(points):
            self._store.set(data="drawn", drawn=tuple(points.ravel().tolist()))
        elif self._store.settings.data == "drawn":
            self._store.refused.emit("the last points stay: a run needs at least one")
            if self._data is not None:
                self.drawing.emit(self._data.points)

    def _place(self, position: QPointF) -> Point | None:
        """The place in the figure's units, or None beside the field."""
        box = self._view.figure.box
        scene = self._view.mapToScene(position.toPoint())
        if not box.sceneBoundingRect().contains(scene):
            return None
        place = box.mapSceneToView(scene)
        return place.x(), place.y()
