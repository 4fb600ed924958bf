"""Which parts of the data claim the place under the cursor: posterior weights along the curve."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import lumps
from aeviz.figure.theme import DARK, Theme, font

_TOP, _BOTTOM = 20.0, 16.0  # px for texts above and below
_MOST, _WIDE = 3, 64.0  # lumps that are named, and px of a name


class VotesPlot(QWidget):
    """Posterior weight over the position along the curve, each lump with its share."""

    def __init__(self) -> None:
        super().__init__()
        self._profile: FloatArray | None = None
        self._lumps: list[tuple[float, float]] = []
        self._theme = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Votes for the place under the cursor, along the curve")
        self.setToolTip(
            "How much each part of the data, from the curve’s first end to its last, claims the place"
        )

    def sizeHint(self) -> QSize:
        """Low and wide."""
        return QSize(200, 84)

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        self.update()

    def show_votes(self, profile: FloatArray | None) -> None:
        """Show a vote, (B,) along the data; see `ExactPlace.profile`."""
        self._profile = profile
        self._lumps = [] if profile is None else lumps(profile)
        self.setAccessibleDescription(
            ", ".join(f"{100 * share:.0f} % at {where:.2f}" for where, share in self._lumps)
        )
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw the axis, the weights, and the names of the lumps."""
        painter, theme = QPainter(self), self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(11))
        left, right, base = 6.0, self.width() - 6.0, self.height() - _BOTTOM
        painter.setPen(QPen(QColor(theme.muted), 1.0))
        painter.drawLine(QPointF(left, base + 0.5), QPointF(right, base + 0.5))
        ends = QRectF(left, base + 2.0, right - left, _BOTTOM - 2.0)
        painter.drawText(ends, Qt.AlignmentFlag.AlignLeft, "first point")
        painter.drawText(ends, Qt.AlignmentFlag.AlignRight, "last")
        profile = self._profile
        if profile is None:
            return
        x = left + (right - left) * (np.arange(len(profile)) + 0.5) / len(profile)
        y = base - profile / profile.max() * (base - _TOP)
        outline = [QPointF(x[0], base), *map(QPointF, x, y), QPointF(x[-1], base)]
        fill = QColor(theme.vote)
        fill.setAlpha(70)
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(theme.vote), 1.6))
        painter.drawPolygon(QPolygonF(outline))
        painter.setPen(QColor(theme.text))
        for where, share in self._lumps[:_MOST]:
            middle = min(max(left + (right - left) * where, left + 0.5 * _WIDE), right - 0.5 * _WIDE)
            name = QRectF(middle - 0.5 * _WIDE, 0.0, _WIDE, _TOP - 4.0)
            painter.drawText(name, Qt.AlignmentFlag.AlignCenter, f"{100.0 * share:.0f} %")
