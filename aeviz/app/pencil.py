"""Drawing the data by hand: the left button leaves points on the field, the right one erases them."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent

from aeviz.app.notice import Notice
from aeviz.app.store import Store
from aeviz.core.clean_data import CleanData
from aeviz.core.manifolds import FloatArray
from aeviz.core.strokes import Strokes
from aeviz.figure.view import FieldView

SPACING, ERASER = 9.0, 14.0  # px between two points, and from the cursor to what is erased
_HELP = "Drawing: the left button adds points, the right one erases them; each stroke begins a run."
_NOTHING = np.empty((0, 2))


class Pencil(QObject):
    """While it is down, the mouse draws on the field instead of moving it."""

    toggled = pyqtSignal(bool)

    def __init__(self, view: FieldView, store: Store, notice: Notice, data: CleanData) -> None:
        super().__init__(view)
        self._view, self._store, self._notice, self._data = view, store, notice, data
        self._strokes: Strokes | None = None
        self.is_down = False

    @property
    def is_drawing(self) -> bool:
        """Whether a stroke goes on: the figure shows it, and nothing else should be shown there."""
        return self._strokes is not None

    def toggle(self) -> None:
        """Begin to draw, or end it."""
        self.put(not self.is_down)

    def put(self, down: bool) -> None:
        """Draw, or let the mouse move the field again; a stroke that goes on is given up."""
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
            if self._strokes is not None:
                self._strokes = None
                self._show(self._data.points)
        self.remind()
        self.toggled.emit(down)

    def remind(self) -> None:
        """Say how to draw while it is down, and nothing else."""
        if self.is_down:
            self._notice.say(_HELP, "Done", lambda: self.put(False))
        else:
            self._notice.hide()

    def follow(self, data: CleanData) -> None:
        """The data are others now, perhaps those that were just drawn."""
        self._data = data
        self.remind()

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """Take presses, moves and releases of the mouse."""
        if not isinstance(event, QMouseEvent):
            return False
        kind = event.type()
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            if self._strokes is None and self._view.place_at(event.position()) is not None:
                drawn = np.reshape(self._store.settings.drawn, (-1, 2))
                self._strokes = Strokes(drawn if self._store.settings.data == "drawn" else _NOTHING)
                self._go_on(self._strokes, event)
            return True
        if kind == QEvent.Type.MouseMove and self._strokes is not None:
            self._go_on(self._strokes, event)
            return True
        if kind == QEvent.Type.MouseButtonRelease and self._strokes is not None:
            strokes, self._strokes = self._strokes, None
            self._finish(strokes.points)
            return True
        return False

    def _go_on(self, strokes: Strokes, event: QMouseEvent) -> None:
        place = self._view.place_at(event.position())
        if place is None:
            return
        pixel, unit = self._view.figure.box.viewPixelSize()[0], self._data.scale
        # Strokes are kept in the units in which they were drawn, however the data are mapped.
        x, y = self._data.offset + unit * np.array(place)
        at = float(x), float(y)
        if (event.buttons() | event.button()) & Qt.MouseButton.RightButton:
            strokes.erase(at, ERASER * pixel * float(unit.max()))
        else:
            strokes.draw_to(at, SPACING * pixel * float(unit.min()))
        self._show((strokes.points - self._data.offset) / unit)

    def _show(self, points: FloatArray) -> None:
        self._view.figure.show_points(points, _NOTHING)

    def _finish(self, points: FloatArray) -> None:
        if len(points):
            self._store.set(data="drawn", drawn=tuple(points.ravel().tolist()))
            return
        if self._store.settings.data == "drawn":
            self._store.refused.emit("the last points stay: a run needs at least one")
        self._show(self._data.points)
