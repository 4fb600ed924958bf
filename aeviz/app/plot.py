"""What the small plots of the panels have in common."""

from __future__ import annotations

import math

import numpy as np
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from aeviz.figure.theme import DARK, Theme, font

LEFT, CENTRE, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight
_FINE = 1.5  # decades: of fewer, 2 and 5 are numbered as well


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
    text = f"{value + 0.0:.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return text.replace("-", "−")


def decade_values(low: float, high: float, pixels: float, apart: float) -> list[float]:
    """Numbers of a logarithmic axis: 1, 2 and 5 of each decade, or decades, or some where they are too many.

    Parameters
    ----------
    low, high : float
        Its ends, log₁₀.
    pixels, apart : float
        How long it is, and how far from each other numbers stand at least.
    """
    steps = (1, 2, 5) if high - low < _FINE and apart < math.log10(2.0) * pixels / (high - low) else (1,)
    every = math.ceil(apart * (high - low) / pixels)
    decades = range(every * math.floor(low / every), math.ceil(high) + 1, every)
    values = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return [value for value in values if low <= math.log10(value) <= high]


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
