"""Which parts of the data claim the place under the cursor: posterior weights along the curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from aeviz.app.plot import LEFT, RIGHT, Plot, ink
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import lumps

_TOP, _BOTTOM = 20.0, 16.0  # px for texts above and below
_MOST, _WIDE = 3, 64.0  # lumps that are named, and px of a name


class VotesPlot(Plot):
    """Posterior weight over the position along the data, each lump with its share."""

    def __init__(self) -> None:
        super().__init__(
            84, "Votes for the place under the cursor, along the data",
            "How much each part of the data, from the first point to the last, claims the place",
        )  # fmt: skip
        self._profile: FloatArray | None = None
        self._lumps: list[tuple[float, float]] = []

    def show_votes(
        self, profile: FloatArray | None, *, closed: bool = False, breaks: Sequence[float] = ()
    ) -> None:
        """Show a vote, (B,) along the data; see `ExactPlace.profile` and `lumps`."""
        if profile is self._profile:
            return
        self._profile = profile
        self._lumps = [] if profile is None else lumps(profile, closed, breaks)
        self.redraw(", ".join(f"{100 * share:.0f} % at {where:.2f}" for where, share in self._lumps))

    def draw(self, painter: QPainter) -> None:
        """Draw the axis, the weights, and the names of the lumps."""
        theme = self.theme
        left, right, base = 6.0, self.width() - 6.0, self.height() - _BOTTOM
        painter.drawLine(QPointF(left, base + 0.5), QPointF(right, base + 0.5))
        ends = QRectF(left, base + 2.0, right - left, _BOTTOM - 2.0)
        painter.drawText(ends, LEFT, "first point")
        painter.drawText(ends, RIGHT, "last")
        profile = self._profile
        if profile is None:
            return
        x = left + (right - left) * (np.arange(len(profile)) + 0.5) / len(profile)
        y = base - profile / profile.max() * (base - _TOP)
        outline = [QPointF(x[0], base), *map(QPointF, x, y), QPointF(x[-1], base)]
        fill = QColor(theme.vote)
        fill.setAlpha(70)
        painter.setBrush(fill)
        painter.setPen(QPen(ink(theme.vote, theme), 1.6))
        painter.drawPolygon(QPolygonF(outline))
        painter.setPen(QColor(theme.text))
        for where, share in self._lumps[:_MOST]:
            middle = min(max(left + (right - left) * where, left + 0.5 * _WIDE), right - 0.5 * _WIDE)
            name = QRectF(middle - 0.5 * _WIDE, 0.0, _WIDE, _TOP - 4.0)
            painter.drawText(name, Qt.AlignmentFlag.AlignCenter, f"{100.0 * share:.0f} %")
