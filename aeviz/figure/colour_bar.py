"""The heat map's scale: upright beside the field, or lying below it where two fields share the width."""

from __future__ import annotations

import math

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen
from PyQt6.QtWidgets import QGraphicsItem

from aeviz.figure.heatmap import colours, draw_cells
from aeviz.figure.theme import Theme, font

_BAR = 12.0  # px, thickness
_NOTHING = 1e-9  # of a range: nobody sees it
_STEPS = np.linspace(0.0, 1.0, 256)[None]


def value_text(value: float, span: float) -> str:
    """A value with as many digits as tell it from others of a range this long."""
    if abs(value) <= _NOTHING * span:
        return "0"
    digits = max(3, 3 + math.floor(math.log10(abs(value) / span)))
    return f"{value:.{min(digits, 12)}g}".replace("-", "−")


class ColourBar(QGraphicsItem):
    """A bar of all colours, with its lowest, middle and highest value, and a title."""

    WIDTH = 62.0  # px that an upright one takes, labels included
    HEIGHT = 44.0  # px that a lying one takes
    TITLE = 30.0  # px that an upright one's title takes below it
    _TITLE_BESIDE = 74.0  # px that a lying one's title takes

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._low, self._high, self._colour_map, self._title = 0.0, 1.0, "viridis", ""
        self._mark: float | None = None
        self._text = QColor("white")
        self._length, self._upright = 100.0, True

    def set_scale(
        self, low: float, high: float, colour_map: str, title: str, theme: Theme, mark: float | None
    ) -> None:
        """Show the scale `low`…`high`; `mark` is a value to point out, such as the threshold."""
        self._low, self._high, self._colour_map, self._title, self._mark = low, high, colour_map, title, mark
        self._text = QColor(theme.muted)
        self.update()

    def stand(self, x: float, y: float, height: float) -> None:
        """Stand upright with the upper left corner here; the title comes below."""
        self._place(x, y, height, upright=True)

    def lie(self, x: float, y: float, width: float) -> None:
        """Lie with the upper left corner here; the title comes at the right, within the width."""
        self._place(x, y, width - self._TITLE_BESIDE, upright=False)

    def _place(self, x: float, y: float, length: float, *, upright: bool) -> None:
        self.prepareGeometryChange()
        self.setPos(x, y)
        self._length, self._upright = max(1.0, length), upright

    def boundingRect(self) -> QRectF:
        """Bar, labels and title."""
        if self._upright:
            return QRectF(-30.0, -8.0, self.WIDTH + 40.0, self._length + 40.0)
        return QRectF(-30.0, -8.0, self._length + self._TITLE_BESIDE + 60.0, self.HEIGHT + 8.0)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the bar as an image, then its labels."""
        steps, rect = _STEPS, QRectF(0.0, 0.0, self._length, _BAR)
        if self._upright:
            steps, rect = _STEPS[:, ::-1].T, rect.transposed()
        draw_cells(painter, rect, colours(steps, 0.0, 1.0, self._colour_map))
        painter.setFont(font(11))
        painter.setPen(self._text)
        for value in (self._low, 0.5 * (self._low + self._high), self._high):
            text, at = value_text(value, self._high - self._low), self._at(value)
            if self._upright:
                beside = QRectF(_BAR + 7.0, at - 8.0, self.WIDTH, 16.0)
                painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter, text)
            else:
                below = QRectF(at - 40.0, _BAR + 4.0, 80.0, 16.0)
                painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, text)
        painter.setFont(font(13))
        title, how = QRectF(-24.0, self._length + 10.0, 80.0, 20.0), Qt.AlignmentFlag.AlignCenter
        if not self._upright:
            title = QRectF(self._length + 12.0, -5.0, self._TITLE_BESIDE + 20.0, 22.0)
            how = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(title, how, self._title)
        if self._mark is not None and self._low <= self._mark <= self._high:
            at = self._at(self._mark)
            ends = (QPointF(-4.0, at), QPointF(_BAR + 4.0, at))
            if not self._upright:
                ends = (QPointF(at, -4.0), QPointF(at, _BAR + 4.0))
            painter.setPen(QPen(self._text, 1.5))
            painter.drawLine(*ends)

    def _at(self, value: float) -> float:
        part = (value - self._low) / (self._high - self._low)
        return self._length * (1.0 - part if self._upright else part)
