"""The error over the noise: the network's, the least possible, and that of leaving points alone."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen, QPolygonF

from aeviz.app.plot import CENTRE, RIGHT, Plot, ink, short
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import NoiseCurve
from aeviz.figure.axes import number_text, tick_values

_LEFT, _RIGHT, _TOP, _BOTTOM = 36.0, 64.0, 20.0, 18.0  # px round the lines: numbers, names, marks, numbers
_LINE, _GAP = 13.0, 8.0  # px of a line of text, and between texts
_ACROSS, _UP = 1.6, 2.0  # times closer than on the field's axes numbers stand
_HIGHEST = 2.0  # times the other roots: a network that is still worse leaves the plot


def heights(curve: NoiseCurve) -> tuple[dict[str, FloatArray], float]:
    """Square roots of the errors, (S,) each by name, and how far up the plot reaches.

    The root of a squared error is a distance: doing nothing is then a straight line, and what a network
    does to points that are hardly corrupted can be seen.
    """
    errors = {"untouched": curve.untouched, "learned": curve.learned}
    if curve.best is not None:
        errors["best"] = curve.best
    roots = {name: np.sqrt(np.nan_to_num(values, nan=np.inf)) for name, values in errors.items()}
    usual = max(float(roots[name].max()) for name in roots if name != "learned") or 1.0
    top = min(_HIGHEST * usual, max(float(values.max()) for values in roots.values()) or 1.0)
    return {name: np.minimum(values, 1.1 * top) for name, values in roots.items()}, top


def apart(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near to the wanted ones as can be, in their order, `gap` apart, from `low` to `high`."""
    order = np.argsort(wanted, kind="stable")
    groups: list[tuple[float, int]] = []  # neighbours that touch: mean of what they want, and their number
    for k, index in enumerate(order):
        groups.append((wanted[index] - k * gap, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (a, m), (b, n) = groups.pop(), groups.pop()
            groups.append(((a * m + b * n) / (m + n), m + n))
    found = np.repeat([mean for mean, _ in groups], [count for _, count in groups])
    places = np.empty(len(wanted))
    places[order] = np.clip(found, low, high - gap * (len(wanted) - 1)) + gap * np.arange(len(wanted))
    return places.tolist()


class NoiseCurvePlot(Plot):
    """Up to three lines with their names at the right end; hover reads them."""

    def __init__(self) -> None:
        super().__init__(
            130, "Error over the noise",
            "How large the error E‖r(ŷ) − y‖² is when the points are corrupted with other noise than the "
            "training’s. Heights are square roots: distances, in data units.",
        )  # fmt: skip
        self._curve: NoiseCurve | None = None
        self._marks: dict[str, float] = {}
        self._read_at: int | None = None  # which of the noises is read
        self.setMouseTracking(True)

    def show_curve(self, curve: NoiseCurve | None, trained: float, tested: float) -> None:
        """Show a network's error, and the σ of the training and of the test."""
        if curve is None or self._curve is None or len(curve.noises) != len(self._curve.noises):
            self._read_at = None
        self._curve = curve
        self._marks = {"trained": trained} | ({"tested": tested} if tested != trained else {})
        self.redraw("" if curve is None else self._described(curve))

    def _described(self, curve: NoiseCurve) -> str:
        def told(word: str, noise: float) -> str:
            values = {
                name: np.interp(noise, curve.noises, getattr(curve, name)) for name in heights(curve)[0]
            }
            errors = ", ".join(f"{name} {short(float(value), 3)}" for name, value in values.items())
            return f"{word} at σ {noise:.2f}: {errors}"

        return "; ".join(told(word, noise) for word, noise in self._marks.items())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the tested noise that is nearest."""
        if self._curve is not None:
            self._read(int(np.abs(self._x(self._curve.noises) - event.position().x()).argmin()))

    def leaveEvent(self, _event: QEvent) -> None:
        """Stop reading."""
        self._read(None)

    def _read(self, index: int | None) -> None:
        if index != self._read_at:
            self._read_at = index
            self.redraw()

    @property
    def _frame(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def _x(self, noises: FloatArray) -> FloatArray:
        assert self._curve is not None
        x: FloatArray = self._frame.left() + self._frame.width() * noises / self._curve.noises[-1]
        return x

    def _lines(self, curve: NoiseCurve) -> dict[str, FloatArray]:
        roots, top = heights(curve)
        return {
            name: self._frame.bottom() - self._frame.height() * root / top for name, root in roots.items()
        }

    def draw(self, painter: QPainter) -> None:
        """Draw the axes, the noises of training and test, the lines, and their names or values."""
        curve, frame, theme = self._curve, self._frame, self.theme
        if curve is None:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "The error over σ appears here.")
            return
        self._draw_axes(painter, curve)
        self._draw_marks(painter, curve)
        colours = {"learned": ink(theme.reconstruction, theme), "best": QColor(theme.live)}
        x, lines = self._x(curve.noises), self._lines(curve)
        painter.setClipRect(frame.adjusted(-6.0, -3.0, 6.0, 3.0))
        for name, y in lines.items():
            colour = colours.setdefault(name, QColor(theme.muted))
            style = Qt.PenStyle.SolidLine if name in ("learned", "best") else Qt.PenStyle.DashLine
            painter.setPen(QPen(colour, 2.6 if name == "learned" else 1.4, style))
            painter.drawPolyline(QPolygonF(map(QPointF, x, y)))
            if self._read_at is not None:
                painter.setBrush(colour)
                painter.drawEllipse(QPointF(x[self._read_at], y[self._read_at]), 2.0, 2.0)
        painter.setClipping(False)
        for name, (text, rect) in self.names().items():
            painter.setPen(colours[name])
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, text)

    def names(self) -> dict[str, tuple[str, QRectF]]:
        """What is written beside the lines and where: their names, and below them what is read."""
        if self._curve is None:
            return {}
        at, height = (-1, _LINE) if self._read_at is None else (self._read_at, 2.0 * _LINE)
        wanted = {name: float(y[at]) for name, y in self._lines(self._curve).items()}
        places = apart([*wanted.values()], height + 3.0, 0.5 * height, self._frame.bottom() - 0.5 * height)
        found = {}
        for name, middle in zip(wanted, places, strict=True):
            value = "" if self._read_at is None else f"\n{short(float(getattr(self._curve, name)[at]), 3)}"
            rect = QRectF(self._frame.right() + _GAP, middle - 0.5 * height, _RIGHT - _GAP, height)
            found[name] = name + value, rect
        return found

    def _draw_axes(self, painter: QPainter, curve: NoiseCurve) -> None:
        frame, top = self._frame, heights(curve)[1]
        painter.drawLine(QLineF(frame.left(), frame.bottom() + 0.5, frame.right(), frame.bottom() + 0.5))
        noises, decimals = tick_values(0.0, float(curve.noises[-1]), _ACROSS * frame.width())
        for noise, x in zip(noises, self._x(np.array(noises)).tolist(), strict=True):
            below = QRectF(x - 20.0, frame.bottom() + 4.0, 40.0, _LINE)
            painter.drawText(below, CENTRE, number_text(noise, decimals))
        painter.drawText(QPointF(frame.right() + 2.5 * _GAP, frame.bottom() + _LINE + 1.0), "σ")
        for root in tick_values(0.0, top, _UP * frame.height())[0]:
            y = frame.bottom() - frame.height() * root / top
            beside = QRectF(0.0, y - 0.5 * _LINE, frame.left() - _GAP, _LINE)
            painter.drawText(beside, RIGHT | Qt.AlignmentFlag.AlignVCenter, short(root**2))

    def _draw_marks(self, painter: QPainter, curve: NoiseCurve) -> None:
        """Mark the noises of training and test, with their names or that of the noise that is read."""
        named = self._marks
        painter.setPen(QPen(ink(self.theme.noisy, self.theme), 1.0, Qt.PenStyle.DotLine))
        painter.drawLines(*(self._upright(noise) for noise in named.values()))
        if self._read_at is not None:
            named = {"σ": float(curve.noises[self._read_at])}
            painter.setPen(QColor(self.theme.text))
            painter.drawLines(*(self._upright(noise) for noise in named.values()))
        wanted = [self._upright(noise).x1() for noise in named.values()]
        texts = [f"{word} {noise:.2f}" for word, noise in named.items()]
        wide = max(map(QFontMetricsF(painter.font()).horizontalAdvance, texts))
        middles = apart(wanted, wide + _GAP, 0.5 * wide, self.width() - 0.5 * wide)
        for text, middle in zip(texts, middles, strict=True):
            painter.drawText(QRectF(middle - 0.5 * wide, 0.0, wide, _TOP), CENTRE, text)

    def _upright(self, noise: float) -> QLineF:
        x = float(self._x(np.array(noise)))
        return QLineF(x, self._frame.top(), x, self._frame.bottom())
