"""How often the code's units take which values; and what all small plots of the panels have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QLineF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from aeviz.core.code import CodeView
from aeviz.figure.theme import DARK, Theme, font

LEFT, CENTRE, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight
_SIDE, _TOP, _BOTTOM = 6.0, 20.0, 16.0  # px beside, above and below the bars
_GAP, _LEAST = 1.0, 1.5  # px between bars, and height of the lowest
_NEAR = 44.0  # px from an end within which zero is not named as well


def is_light(theme: Theme) -> bool:
    """Whether panels are light."""
    return QColor(theme.panel).lightnessF() > 0.5


def ink(colour: str, theme: Theme) -> QColor:
    """A colour of the figure as it can be seen on a panel: darker on a light one."""
    return QColor(colour).darker(140) if is_light(theme) else QColor(colour)


def short(value: float, digits: int = 2) -> str:
    """A number with so many digits, and an exponent where it is very large or small; a dash for none."""
    if not np.isfinite(value):
        return "—"
    return f"{value + 0.0:.{digits}g}".replace("e+", "e").replace("-", "−")


class Plot(QWidget):
    """A low plot that is drawn once, and copied to the screen until what it shows changes."""

    def __init__(self, height: int, name: str, tip: str) -> None:
        super().__init__()
        self.theme, self._height, self._drawn = DARK, height, QPixmap()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self.setToolTip(tip)

    def sizeHint(self) -> QSize:
        """Low and wide."""
        return QSize(200, self._height)

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self.theme = theme
        self.redraw()

    def redraw(self, description: str | None = None) -> None:
        """Draw anew when it is next seen; a description is told to screen readers."""
        if description is not None:
            self.setAccessibleDescription(description)
        self._drawn = QPixmap()
        self.update()

    def resizeEvent(self, _event: QResizeEvent | None) -> None:
        """Draw anew."""
        self.redraw()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Copy the drawing, and add what follows the mouse."""
        ratio = self.devicePixelRatioF()
        if self._drawn.isNull() or self._drawn.devicePixelRatio() != ratio:
            self._drawn = QPixmap(self.size() * ratio)
            self._drawn.setDevicePixelRatio(ratio)
            self._drawn.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._drawn)
            self._begin(painter)
            self.draw(painter)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        self._begin(painter)
        self.draw_over(painter)

    def _begin(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(11))
        painter.setPen(QColor(self.theme.muted))

    def draw(self, painter: QPainter) -> None:
        """Draw what stands still, muted text to begin with."""
        raise NotImplementedError

    def draw_over(self, painter: QPainter) -> None:
        """Draw what follows the mouse."""


def bars(counts: NDArray[np.int64], rect: QRectF) -> list[QRectF]:
    """Bars side by side in a rectangle, as high as the square roots of `counts`, (B,)."""
    heights = np.sqrt(counts / max(1, counts.max())) * rect.height()
    heights = np.where(counts > 0, np.maximum(heights, _LEAST), 0.0)
    pitch = rect.width() / len(counts)
    return [
        QRectF(rect.left() + k * pitch, rect.bottom() - height, max(1.0, pitch - _GAP), height)
        for k, height in enumerate(heights.tolist())
    ]


class CodeHistogram(Plot):
    """All values of all units at the clean points, and which part of them is as good as zero."""

    def __init__(self) -> None:
        super().__init__(
            84, "Histogram of the code’s values",
            "How often the code’s units take which values at the clean points. Heights are square roots, so "
            "that few are seen beside many. Near 0: within a twentieth of the largest.",
        )  # fmt: skip
        self._view: CodeView | None = None

    def show_code(self, view: CodeView | None) -> None:
        """Show how a code's values are spread, or that nothing is known."""
        self._view, text = view, ""
        if view is not None:
            low, high = map(short, view.edges[[0, -1]].tolist())
            text = f"d = {view.width}, values from {low} to {high}, {100.0 * view.quiet:.0f} % near 0"
        self.redraw(text)

    def draw(self, painter: QPainter) -> None:
        """Draw the bars, the axis with its ends and zero, and the part near zero."""
        view, theme = self._view, self.theme
        if view is None:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "The code’s values appear here.")
            return
        rect = QRectF(self.rect()).adjusted(_SIDE, _TOP, -_SIDE, -_BOTTOM)
        below = QRectF(rect.left(), rect.bottom() + 2.0, rect.width(), _BOTTOM - 2.0)
        low, high = view.edges[[0, -1]].tolist()
        painter.drawLine(QLineF(rect.left(), rect.bottom() + 0.5, rect.right(), rect.bottom() + 0.5))
        painter.drawText(below, LEFT, short(low))
        painter.drawText(below, RIGHT, short(high))
        for bar in bars(view.counts, rect):
            painter.fillRect(bar, ink(theme.noisy, theme))
        if low <= 0.0 <= high:
            zero = rect.left() - rect.width() * low / (high - low)
            if rect.left() + _NEAR < zero < rect.right() - _NEAR:
                painter.drawText(QRectF(zero - 20.0, below.top(), 40.0, below.height()), CENTRE, "0")
            painter.setPen(QPen(QColor(theme.text), 1.0, Qt.PenStyle.DotLine))
            painter.drawLine(QLineF(zero, 0.5 * _TOP, zero, rect.bottom()))
        painter.setPen(QColor(theme.text))
        painter.drawText(
            QRectF(rect.left(), 0.0, rect.width(), _TOP), RIGHT, f"{100.0 * view.quiet:.0f} % near 0"
        )
