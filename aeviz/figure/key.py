"""What explains the field: the legend above it and the colour bar beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen
from PyQt6.QtWidgets import QGraphicsItem

from aeviz.figure.arrows import SHAFT, arrow_shapes
from aeviz.figure.heatmap import colours, draw_cells
from aeviz.figure.layer import fill_polygons, stroke_segments
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
            painter.setPen(QPen(QColor(entry.colour), 2.2))
            painter.drawLine(QPointF(x, y), QPointF(x + _SWATCH, y))
        elif entry.sign == "arrow":
            shafts, heads = arrow_shapes(np.array([[x, y]]), np.array([[entry.length, 0.0]]))
            stroke_segments(painter, shafts, QPen(QColor(entry.colour), SHAFT))
            fill_polygons(painter, heads, QBrush(QColor(entry.colour)))


class ColourBar(QGraphicsItem):
    """The heat map's scale, upright, from 0 to `high`."""

    WIDTH = 62.0  # px, labels included
    _BAR = 12.0

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._font = font(11)
        self._high, self._colour_map, self._title = 1.0, "viridis", ""
        self._mark: float | None = None
        self._text = QColor("white")
        self._height = 100.0

    def set_scale(self, high: float, colour_map: str, title: str, theme: Theme, mark: float | None) -> None:
        """Show the scale 0…`high`; `mark` is a value to point out, such as the threshold."""
        self._high, self._colour_map, self._title, self._mark = high, colour_map, title, mark
        self._text = QColor(theme.muted)
        self.update()

    def set_height(self, height: float) -> None:
        """Take this height."""
        self.prepareGeometryChange()
        self._height = height

    def boundingRect(self) -> QRectF:
        """Bar, labels and the title below."""
        return QRectF(-10.0, -8.0, self.WIDTH + 20.0, self._height + 40.0)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the bar as an image, then its labels."""
        steps = np.linspace(1.0, 0.0, 256)[:, None]
        bar = QRectF(0.0, 0.0, self._BAR, self._height)
        draw_cells(painter, bar, colours(steps, 1.0, self._colour_map))
        painter.setFont(self._font)
        painter.setPen(self._text)
        ticks = [0.0, 0.5 * self._high, self._high]
        for value in ticks:
            y = self._height * (1.0 - value / self._high)
            rect = QRectF(self._BAR + 7.0, y - 8.0, self.WIDTH, 16.0)
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, f"{value:.3g}")
        painter.setFont(font(13))
        title = QRectF(-24.0, self._height + 10.0, 80.0, 20.0)
        painter.drawText(title, Qt.AlignmentFlag.AlignCenter, self._title)
        if self._mark is not None and self._mark <= self._high:
            y = self._height * (1.0 - self._mark / self._high)
            painter.setPen(QPen(self._text, 1.5))
            painter.drawLine(QPointF(-4.0, y), QPointF(self._BAR + 4.0, y))
