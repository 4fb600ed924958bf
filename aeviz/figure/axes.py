"""The axes' ticks and numbers, beside and below the field.

pyqtgraph's AxisItem is not used: it clips its text, which Qt's SVG engine then goes on doing for
whatever follows, and it records its drawing at the screen's resolution.
"""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from aeviz.core.manifolds import FloatArray
from aeviz.figure.layer import Layer
from aeviz.figure.theme import font

_MOST_DECIMALS = 4
_MOST_STEPS = 1e4  # from 0 to the farthest number
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_CENTRE = Qt.AlignmentFlag.AlignHCenter
_BESIDE = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
_TICK = 4.0  # px: its length
_SPACING, _CLOSEST = 50.0, 22.0  # px: least distance of two of a field's, and where else they are too few
_FEWEST, _GAP = 3, 16.0  # numbers, px between the texts of two


def tick_values(low: float, high: float, pixels: float, spacing: float = 64.0) -> tuple[list[float], int]:
    """Round values between `low` and `high`, and the decimals that tell them apart.

    Neighbours are 1, 2 or 5 times a power of ten apart and at least `spacing` of the `pixels` apart.
    """
    rough = (high - low) * spacing / max(pixels, 1.0)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1.0 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [k * step for k in range(first, last + 1)], decimals


class AxesLayer(Layer):
    """Numbers left of and below a view box; a child of its parent, so that it is not clipped."""

    LEFT, BOTTOM = 46.0, 26.0  # px taken beside the field

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box, 0.0)
        self.setParentItem(box.parentItem())
        self._font = font(11)
        self._colour = QColor("white")
        self._scale, self._offset = np.ones(2), np.zeros(2)
        self._left = self._below = True

    def set_sides(self, *, left: bool, below: bool) -> None:
        """Show numbers on these sides alone."""
        self._left, self._below = left, below
        self.update()

    def set_units(self, scale: FloatArray, offset: FloatArray) -> None:
        """Show numbers in the user's units, ``offset + scale * place``, (2,) each."""
        self._scale, self._offset = scale, offset
        self.update()

    def set_colour(self, colour: str) -> None:
        """Change the colour of ticks and numbers."""
        self._colour = QColor(colour)
        self.update()

    def follow(self) -> None:
        """Stand where the box stands: a box that only moves says nothing of it."""
        self.setPos(self._box.pos())
        self.moved()

    def boundingRect(self) -> QRectF:
        """The view box with room for the numbers."""
        return super().boundingRect().adjusted(-self.LEFT, -10.0, 20.0, self.BOTTOM)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw ticks and numbers."""
        rect = self._box.rect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(self._font)
        painter.setPen(QPen(self._colour, 1.0))
        if self._below:
            self._paint_below(painter, rect)
        if self._left:
            self._paint_left(painter, rect)

    def _paint_below(self, painter: QPainter, rect: QRectF) -> None:
        ticks, note = self.ticks(0)
        wide = QFontMetricsF(self._font).horizontalAdvance(note)
        painter.drawText(QRectF(rect.right() - wide, rect.bottom() + _TICK + 3.0, wide, 16.0), _CENTRE, note)
        for x, text in ticks:
            painter.drawLine(QPointF(x, rect.bottom()), QPointF(x, rect.bottom() + _TICK))
            below = QRectF(x - 40.0, rect.bottom() + _TICK + 3.0, 80.0, 16.0)
            if not note or x + 30.0 < rect.right() - wide:
                painter.drawText(below, _CENTRE, text)

    def _paint_left(self, painter: QPainter, rect: QRectF) -> None:
        ticks, note = self.ticks(1)
        corner = QRectF(rect.left() - self.LEFT, rect.bottom() + _TICK + 3.0, self.LEFT - _TICK - 4.0, 16.0)
        painter.drawText(corner, _BESIDE, note)
        for y, text in ticks:
            painter.drawLine(QPointF(rect.left() - _TICK, y), QPointF(rect.left(), y))
            beside = QRectF(rect.left() - self.LEFT, y - 8.0, self.LEFT - _TICK - 4.0, 16.0)
            painter.drawText(beside, _BESIDE, text)

    def ticks(self, k: int) -> tuple[list[tuple[float, str]], str]:
        """Where the ticks of one axis stand, in pixels, with their texts; and what those are parts of."""
        rect = self._box.rect()
        scale, offset = float(self._scale[k]), float(self._offset[k])
        low, high = (offset + scale * end for end in self._box.viewRange()[k])
        pixels, spaced = (rect.width(), rect.height())[k], self._across if k == 0 else tick_values
        values, _ = spaced(low, high, pixels, _SPACING)
        if len(values) < _FEWEST:
            values, _ = spaced(low, high, pixels, _CLOSEST)
        places = np.zeros((len(values), 2))
        places[:, k] = (np.array(values) - offset) / scale
        at = np.floor(self.to_pixels(places)[:, k]) + 0.5
        texts, note = tick_texts(values)
        return list(zip(at.tolist(), texts, strict=True)), note

    def _across(self, low: float, high: float, pixels: float, spacing: float) -> tuple[list[float], int]:
        """As `tick_values`, with room for the texts beside each other."""
        texts, _ = tick_texts(tick_values(low, high, pixels, spacing)[0])
        widest = max(map(QFontMetricsF(self._font).horizontalAdvance, texts), default=0.0)
        return tick_values(low, high, pixels, max(spacing, widest + _GAP))


def tick_texts(values: list[float]) -> tuple[list[str], str]:
    """Short texts for round values, and a note: times which power of ten, and plus what, they are meant."""
    if not values:
        return [], ""
    step = values[1] - values[0] if len(values) > 1 else abs(values[0]) or 1.0
    most, base = max(map(abs, values)), 0.0
    if most > _MOST_STEPS * step:  # so many digits fit nowhere
        unit = 10.0 ** math.ceil(math.log10(len(values) * step) - 1e-9)
        base = math.floor(values[0] / unit + 1e-9) * unit
        most = max(abs(value - base) for value in values)
    power = 3 * math.floor(math.log10(most) / 3.0 + 1e-9) if most else 0
    if step >= 1e-2 and most < 1e4:
        power = 0
    decimals = max(0, -math.floor(math.log10(step) - power + 1e-9))
    texts = [f"{(value - base) / 10.0**power + 0.0:.{decimals}f}".replace("-", "−") for value in values]
    note = f"×10{str(power).translate(_RAISED)}" if power else ""
    return texts, f"{note} {'+' if base > 0.0 else '−'} {abs(base):.12g}".strip() if base else note


def number_text(value: float, decimals: int) -> str:
    """A number with so many decimals; very large and very small ones with an exponent."""
    text = f"{value + 0.0:.{decimals}f}"
    if value and (abs(value) >= 1e5 or decimals > _MOST_DECIMALS):
        digits = max(0, decimals + math.floor(math.log10(abs(value))))
        mantissa, exponent = f"{value:.{min(digits, 15)}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")
