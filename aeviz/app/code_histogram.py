"""How often the code's units take which values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QLineF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from aeviz.app.plot import CENTRE, LEFT, RIGHT, Plot, ink, short
from aeviz.core.code import CodeView

_SIDE, _TOP, _BOTTOM = 6.0, 20.0, 16.0  # px beside, above and below the bars
_GAP, _LEAST = 1.0, 1.5  # px between bars, and height of the lowest
_NEAR = 44.0  # px from an end within which zero is not named as well


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
