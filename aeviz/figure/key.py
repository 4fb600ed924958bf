"""What explains the field in words: the legend above it, a title in its corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen
from PyQt6.QtWidgets import QGraphicsItem

from aeviz.figure.arrows import SHAFT, arrow_shapes
from aeviz.figure.layer import EDGE, fill_polygons, stroke_segments
from aeviz.figure.theme import Theme, font

_GAP, _SWATCH = 18.0, 9.0  # px


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the legend: a sign and its meaning. An arrow is as long as `length` pixels."""

    sign: Literal["point", "arrow", "line", "text"]
    colour: str
    text: str
    rim: str = ""
    length: float = 0.0


class Legend(QGraphicsItem):
    """A row of signs and their meanings; wraps where the width ends."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        self._colour = QColor("white")
        self._font = font(12)
        self._width = 0.0

    def set_entries(self, entries: tuple[Entry, ...], colour: str) -> bool:
        """Show these entries with texts in `colour`; True where they may need another place."""
        if (entries, QColor(colour)) == (self._entries, self._colour):
            return False
        before = self.needed_width
        self._entries, self._colour = entries, QColor(colour)
        self.prepareGeometryChange()
        self.update()
        return self.needed_width != before

    @property
    def needed_width(self) -> float:
        """Width of all entries in one row."""
        return sum(self._entry_width(entry) + _GAP for entry in self._entries) - _GAP

    def _entry_width(self, entry: Entry) -> float:
        return max(_SWATCH, entry.length) + 7.0 + QFontMetricsF(self._font).horizontalAdvance(entry.text)

    def set_width(self, width: float) -> float:
        """Lay out for this width and return the height that is needed."""
        self.prepareGeometryChange()
        self._width = width
        return self._row_height * (1 + max((row for _, _, row in self._placed()), default=0))

    @property
    def _row_height(self) -> float:
        return QFontMetricsF(self._font).height() + 4.0

    def boundingRect(self) -> QRectF:
        """All rows."""
        rows = 1 + max((row for _, _, row in self._placed()), default=0)
        return QRectF(0.0, 0.0, self._width, rows * self._row_height)

    def _placed(self) -> list[tuple[Entry, float, int]]:
        placed, x, row = [], 0.0, 0
        for entry in self._entries:
            wide = self._entry_width(entry)
            if x > 0.0 and x + wide > self._width:
                x, row = 0.0, row + 1
            placed.append((entry, x, row))
            x += wide + _GAP
        return placed

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw signs and texts."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        height = self._row_height
        for entry, x, row in self._placed():
            middle = (row + 0.5) * height
            self._sign(painter, entry, x, middle)
            painter.setPen(self._colour)
            left = x + max(_SWATCH, entry.length) + 7.0
            rect = QRectF(left, row * height, 4000.0, height)
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, entry.text)

    def _sign(self, painter: QPainter, entry: Entry, x: float, y: float) -> None:
        if entry.sign == "point":
            painter.setPen(QPen(QColor(entry.rim), 1.0) if entry.rim else QPen(Qt.PenStyle.NoPen))
            painter.setBrush(QColor(entry.colour))
            painter.drawEllipse(QPointF(x + 0.5 * _SWATCH, y), 3.6, 3.6)
        elif entry.sign == "line":
            for width, colour in ((4.0, EDGE), (2.2, QColor(entry.colour))):
                painter.setPen(QPen(colour, width))
                painter.drawLine(QPointF(x, y), QPointF(x + _SWATCH, y))
        elif entry.sign == "arrow":
            shafts, heads = arrow_shapes(np.array([[x, y]]), np.array([[entry.length, 0.0]]))
            stroke_segments(painter, shafts, QPen(QColor(entry.colour), SHAFT))
            fill_polygons(painter, heads, QBrush(QColor(entry.colour)))


class Heading(QGraphicsItem):
    """A line above a figure; what is too long for it is cut short."""

    HEIGHT = 30.0  # px

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._font = font(16, weight=QFont.Weight.DemiBold)
        self._caption_font = font(16)  # whose figures are of equal width
        self._text, self._ink, self._width = "", QColor("white"), 0.0
        self.caption = ""

    def set_text(self, text: str, colour: str, width: float) -> None:
        """Write this text in a line of this width."""
        self.prepareGeometryChange()
        self._text, self._ink, self._width = text, QColor(colour), width
        self.update()

    def set_caption(self, caption: str) -> None:
        """Write at the end of the line what changes from picture to picture; alone, at its beginning."""
        self.caption = caption
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole line."""
        return QRectF(0.0, 0.0, self._width, self.HEIGHT)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Write the text at the left."""
        left, top = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignTop
        painter.setPen(self._ink)
        room = self._width
        if self.caption:
            painter.setFont(self._caption_font)
            side = Qt.AlignmentFlag.AlignRight if self._text else left
            painter.drawText(self.boundingRect(), side | top, self.caption)
            room -= QFontMetricsF(self._caption_font).horizontalAdvance(self.caption) + _GAP
        text = QFontMetricsF(self._font).elidedText(self._text, Qt.TextElideMode.ElideRight, room)
        painter.setFont(self._font)
        painter.drawText(self.boundingRect(), left | top, text)


class Title(QGraphicsItem):
    """A layer's or a run's name in a corner of its box, where two are compared."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)
        self._box = box
        self._font = font(12)
        self._text, self._ink, self._ground = "", QColor("white"), QColor("black")
        self._from_right = False
        self.setZValue(20.0)
        self.hide()

    def set_text(self, text: str, theme: Theme) -> None:
        """Write this text in a theme's colours."""
        self._text, self._ink, self._ground = text, QColor(theme.text), QColor(theme.panel)
        self._ground.setAlphaF(0.85)
        self.update()

    def stand(self, visible: bool, from_right: bool) -> None:
        """Be there or not, in the box's left or right upper corner."""
        self._from_right = from_right
        self.setVisible(visible)
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole box."""
        return QRectF(self._box.boundingRect())

    def paint(self, painter: QPainter, *_: object) -> None:
        """Write the text on a ground that keeps it legible."""
        box, metrics = self.boundingRect(), QFontMetricsF(self._font)
        room = max(self._box.shown_rect.width(), 0.5 * box.width())  # a wipe line comes over it as it must
        text = metrics.elidedText(self._text, Qt.TextElideMode.ElideMiddle, room - 32.0)
        wide = metrics.horizontalAdvance(text) + 16.0
        left = box.right() - wide - 8.0 if self._from_right else box.left() + 8.0
        rect = QRectF(left, box.top() + 8.0, wide, 22.0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground)
        painter.drawRoundedRect(rect, 5.0, 5.0)
        painter.setPen(self._ink)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
