"""The loss over the epochs, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen
from PyQt6.QtWidgets import QLabel, QSizePolicy

from aeviz.app.plot import CENTRE, RIGHT, Plot, decade_values
from aeviz.core.events import Losses
from aeviz.core.explanation import loss_text
from aeviz.core.numbers import grouped
from aeviz.figure.theme import font

_BUCKETS = 600  # about one per pixel: a curve of a million epochs costs what one of a thousand costs
_REACH = 10  # px from another branch's curve within which it is read
_LEAST = 1e-12  # what has no logarithm is drawn so
_STEP = 0.05  # decades: the range shown is of whole steps, so that it seldom changes while a loss falls
_TOP, _BOTTOM = 4, 2  # px above and below the curves
_LINE, _GAP = 12.0, 4.0  # px: height of a text, and between a text and what it belongs to
_GRID, _DOT = 100, 4.0  # of 255: how much of the grid is seen; px: radius of the mark at the shown epoch
_INDENT = 0.03  # of the width: where the floor's name begins
_MIDDLE = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
AXIS, HANDLE = 46, 9  # px: width of the numbers at the left, half of the epoch slider's handle at the right


@dataclass(frozen=True, slots=True)
class OtherCurve:
    """The loss of another branch.

    Attributes
    ----------
    since : int
        Up to which epoch it is the same as the current one's.
    losses : (E,) array
        Of all its epochs.
    is_beside : bool
        Whether the branch is compared with the current one.
    """

    name: str
    since: int
    losses: NDArray[np.float32]
    is_beside: bool


class DrawnCurve(NamedTuple):
    """Corners, (B,) each, and width in px of a curve as it is drawn."""

    epochs: NDArray[np.integer]
    losses: NDArray[np.floating]
    width: float


_NOTHING = DrawnCurve(np.empty(0, dtype=int), np.empty(0), 0.0)


class LossCurve(Plot):
    """Mean loss of each epoch and its course, smoothed; hover reads epoch and value.

    Axis and other branches are drawn once. pyqtgraph's plots are not used: they draw all of them anew
    each time, and the arrays of lines and marks that they make lose memory in PyQt6.

    Attributes
    ----------
    shown_range : (int, int), (float, float)
        First and last epoch of the plot, and log₁₀ of the least and the largest loss in view.
    floor : float or None
        The loss at which the floor's line is drawn.
    drawn_cost : DrawnCurve
        That of C alone; without corners where there is no regulariser.
    drawn_others : list of DrawnCurve
        Those of the other branches, in their order.
    """

    def __init__(self) -> None:
        super().__init__(90, "Loss over epochs", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(70)
        self.setMouseTracking(True)
        self._losses: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._regularisers = self._losses
        self._known = (-1, -1)  # how many losses are drawn, and where the plot ends
        self._others: Sequence[OtherCurve] = ()
        self.drawn_others: list[DrawnCurve] = []
        self._raw = self._smooth = self.drawn_cost = _NOTHING
        self._mark: tuple[int, float] | None = None  # epoch and loss
        self.floor: float | None = None
        self.shown_range = (0, 1), (-1.3, 0.5)
        self._read_at: int | None = None  # epoch
        self._reading = QLabel(self)
        self._reading.setProperty("role", "tag")
        self._reading.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._reading.hide()

    def position_of(self, epoch: float, loss: float) -> QPointF:
        """Where an epoch's loss is drawn."""
        x, y = self._pixels(np.array(epoch), np.array(loss))
        return QPointF(float(x), float(y))

    def show_losses(self, losses: Losses, last: int, shown: int) -> None:
        """Show the losses, (E, 2), of epochs 1…E in a plot that ends at `last`; mark the epoch `shown`.

        Where a regulariser has a part of them, the rest, C, is drawn as well.
        """
        losses, regularisers = losses[:, 0], losses[:, 1]
        if (len(losses), last) != self._known:
            self._known = (len(losses), last)
            self._losses, self._regularisers = losses, regularisers
            self._follow()
            self._fit(max(1, last))
        known = 1 <= shown <= len(losses)
        self._mark = (shown, float(_course(losses[max(0, shown - 9) : shown])[-1])) if known else None
        self.update()

    def show_floor(self, floor: float | None) -> None:
        """Show the least possible loss as a line, or none."""
        if (floor := floor or None) != self.floor:
            self.floor = floor
            self._fit(self.shown_range[0][1])
            self.update()

    def show_others(self, others: Sequence[OtherCurve]) -> None:
        """Show the losses of other branches, each from where it is another course."""
        self._others, self.drawn_others, self._known = others, [], (-1, -1)
        for other in others:
            epochs, buckets = _bucketed(other.losses[other.since :])
            course = _course(buckets.mean(axis=1)) if len(buckets) else np.empty(0)
            width = 1.8 if other.is_beside else 1.1
            self.drawn_others.append(DrawnCurve(epochs + other.since, course, width))
        self.redraw()

    def _follow(self) -> None:
        """Find the own curves."""
        epochs, buckets = _bucketed(self._losses)
        whole, size = buckets.size, buckets.shape[1]
        self._raw = self._smooth = self.drawn_cost = _NOTHING
        if not whole:
            return
        ends = np.stack((buckets.min(axis=1), buckets.max(axis=1)), axis=1) if size > 1 else buckets
        self._raw = DrawnCurve(np.repeat(epochs, ends.shape[1]), ends.ravel(), 1.0)
        self._smooth = DrawnCurve(epochs, _course(buckets.mean(axis=1)), 2.0)
        if self._regularisers[whole - 1]:
            costs = np.maximum(buckets.ravel() - self._regularisers[:whole], _LEAST)
            self.drawn_cost = DrawnCurve(epochs, _course(costs.reshape(-1, size).mean(axis=1)), 1.5)

    def _fit(self, last: int) -> None:
        """Have in view all losses up to an epoch, those of the compared branch, and the floor."""
        levels = self.shown_range[1]
        if len(self._losses):
            seen = [self._losses, self._losses - self._regularisers]
            seen += [each.losses for each in self._others if each.is_beside and len(each.losses)]
            ends = [float(end) for each in seen for end in (each.min(), each.max())]
            ends += [] if self.floor is None else [self.floor]
            low, high = (math.log10(max(_LEAST, end)) for end in (min(ends), max(ends)))
            low, high = low - 0.08, max(high, low + 0.3) + 0.05
            levels = _STEP * math.floor(low / _STEP), _STEP * math.ceil(high / _STEP)
        if self.shown_range != ((0, last), levels):
            self.shown_range = (0, last), levels
            self.redraw()

    def _pixels(self, epochs: NDArray, losses: NDArray) -> tuple[NDArray, NDArray]:
        ((_, last), (low, high)), frame = self.shown_range, self.frame
        up = (np.log10(np.maximum(losses, _LEAST)) - low) / (high - low)
        return frame.left() + frame.width() * epochs / last, frame.bottom() - frame.height() * up

    @property
    def frame(self) -> QRectF:
        """Where the curves lie."""
        width, height = self.width() - AXIS - HANDLE, self.height() - _TOP - _BOTTOM
        return QRectF(AXIS, _TOP, max(1, width), max(1, height))

    def draw(self, painter: QPainter) -> None:
        """Draw the axis, and the other branches' curves."""
        frame = self.frame
        painter.setFont(font(10))
        faint = QColor(self.theme.line)
        faint.setAlpha(_GRID)
        for loss in decade_values(*self.shown_range[1], frame.height(), _LINE):
            painter.setPen(faint)
            self._draw_level(painter, loss)
            beside = QRectF(0.0, self.position_of(0, loss).y() - 0.5 * _LINE, AXIS - 5.0, _LINE)
            if QRectF(self.rect()).contains(beside):
                painter.setPen(QColor(self.theme.muted))
                painter.drawText(beside, RIGHT | _MIDDLE, f"{loss:g}")
        painter.setPen(QColor(self.theme.line))
        painter.drawLine(QLineF(AXIS - 0.5, frame.top(), AXIS - 0.5, frame.bottom()))
        painter.setClipRect(frame)
        colour = QColor(self.theme.muted)
        for other, curve in zip(self._others, self.drawn_others, strict=True):
            colour.setAlpha(255 if other.is_beside else 150)
            self._draw_curve(painter, curve, colour)

    def draw_over(self, painter: QPainter) -> None:
        """Draw the own curves, the floor, and what is read."""
        theme, frame = self.theme, self.frame
        faint = QColor(theme.noisy)
        faint.setAlpha(80)
        painter.setClipRect(frame)
        self._draw_curve(painter, self._raw, faint)
        self._draw_curve(painter, self.drawn_cost, QColor(theme.reconstruction))
        self._draw_curve(painter, self._smooth, QColor(theme.noisy))
        if self._read_at is not None:
            x = self.position_of(self._read_at, 1.0).x()
            painter.setPen(QColor(theme.muted))
            painter.drawLine(QLineF(x, frame.top(), x, frame.bottom()))
        if self.floor is not None:
            painter.setPen(QPen(QColor(theme.live), 1.5, Qt.PenStyle.DashLine))
            self._draw_level(painter, self.floor)
        painter.setClipping(False)
        if self._mark is not None:
            painter.setPen(QPen(QColor(theme.panel), 1.5))
            painter.setBrush(QColor(theme.noisy))
            painter.drawEllipse(self.position_of(*self._mark), _DOT, _DOT)
        painter.setFont(font(10))
        for name, (text, rect) in self.labels().items():
            painter.setPen(QColor(theme.live if name == "floor" else theme.muted))
            painter.drawText(rect, CENTRE | _MIDDLE, text)

    def _draw_curve(self, painter: QPainter, curve: DrawnCurve, colour: QColor) -> None:
        painter.setPen(QPen(colour, curve.width))
        painter.drawPolyline(pg.functions.arrayToQPolygonF(*self._pixels(curve.epochs, curve.losses)))

    def _draw_level(self, painter: QPainter, loss: float) -> None:
        y = math.floor(self.position_of(0, loss).y()) + 0.5  # sharp
        painter.drawLine(QLineF(self.frame.left(), y, self.frame.right(), y))

    def labels(self) -> dict[str, tuple[str, QRectF]]:
        """What is written at the "floor" and at the end of the curve "beside", and where."""
        found, frame, (low, high) = {}, self.frame, self.shown_range[1]
        if self.floor is not None and low <= math.log10(self.floor) <= high:
            start = QPointF(frame.left() + _INDENT * frame.width(), self.position_of(0, self.floor).y())
            found["floor"] = self._label(f"Bayes floor {self.floor:.3g}", start, 0.0)
        for other, curve in zip(self._others, self.drawn_others, strict=True):
            if other.is_beside and len(curve.epochs):
                end = self.position_of(curve.epochs[-1], curve.losses[-1])
                found["beside"] = self._label(other.name, end, 1.0)
        return found

    def _label(self, text: str, at: QPointF, before: float) -> tuple[str, QRectF]:
        """A text in the plot, so much of it before a place, and above it if there is room, else below."""
        frame, wide = self.frame, QFontMetricsF(font(10)).horizontalAdvance(text) + 2.0 * _GAP
        left = max(frame.left(), min(at.x() - before * wide, frame.right() - wide))
        above, below = at.y() - _GAP - _LINE, min(at.y() + _GAP, frame.bottom() - _LINE)
        return text, QRectF(left, above if above >= frame.top() else below, wide, _LINE)

    def leaveEvent(self, _event: QEvent) -> None:
        """Stop reading."""
        self._tell(None, "")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the loss of the epoch at the mouse, or that of another branch whose curve is there."""
        mouse = event.position()
        epoch = round(self.shown_range[0][1] * (mouse.x() - self.frame.left()) / self.frame.width())

        def away(loss: float) -> float:
            return abs(self.position_of(epoch, loss).y() - mouse.y())

        near, text = float(_REACH), ""
        if 1 <= epoch <= len(self._losses):
            loss, regulariser = float(self._losses[epoch - 1]), float(self._regularisers[epoch - 1])
            near = min(near, away(loss))
            text = f"epoch {grouped(epoch)} · loss {loss_text(loss, regulariser, '.5g')}"
        for other in self._others:
            if other.since < epoch <= len(other.losses):
                loss = float(other.losses[epoch - 1])
                if away(loss) < near:
                    near, text = away(loss), f"{other.name} · epoch {grouped(epoch)} · loss {loss:.5g}"
        self._tell(epoch if text else None, text)
        self._reading.move(min(round(mouse.x()) + 10, self.width() - self._reading.width() - 4), _TOP)

    def _tell(self, epoch: int | None, text: str) -> None:
        self._read_at = epoch
        self._reading.setVisible(bool(text))
        self._reading.setText(text)
        self._reading.adjustSize()
        self.update()


def _bucketed(losses: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Losses, (E,), in some hundreds of buckets of equal size: last epoch (B,) and losses (B, S) of each."""
    losses = np.maximum(losses, _LEAST)
    size = max(1, -(-len(losses) // _BUCKETS))
    whole = len(losses) // size * size
    return np.arange(size, whole + 1, size), losses[:whole].reshape(-1, size)


def _course(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Running mean over up to nine neighbours before, which follows the end of the curve."""
    width = min(9, max(1, len(values)))
    padded = np.concatenate((np.full(width - 1, values[0]), values))
    return np.convolve(padded, np.full(width, 1.0 / width), mode="valid")
