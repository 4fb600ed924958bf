"""The loss over the epochs, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QColor, QMouseEvent
from PyQt6.QtWidgets import QLabel

from aeviz.core.events import Losses
from aeviz.core.explanation import loss_text
from aeviz.figure.theme import Theme, font

_BUCKETS = 600  # about one per pixel: a curve of a million epochs costs what one of a thousand costs
_REACH = 10  # px from another branch's curve within which it is read
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


class LossCurve(pg.PlotWidget):
    """Mean loss of each epoch and its course, smoothed; hover reads epoch and value."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(pg.GraphicsView.Shape.NoFrame)
        self.setAccessibleName("Loss over epochs")
        self.setMinimumHeight(70)
        self.setMouseTracking(True)
        self._losses: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._regularisers = self._losses
        self._drawn = (-1, -1)
        self._others: Sequence[OtherCurve] = ()
        self._other_items: list[pg.PlotDataItem] = []
        self._other_colour = QColor()
        self._set_up()
        item = self.getPlotItem()
        self._raw = item.plot()
        self._cost = item.plot()  # C alone, where there is a regulariser
        self._smooth = item.plot()
        self._here = item.plot(symbol="o", symbolSize=8, pen=None)
        self._line = pg.InfiniteLine(angle=90)
        self._line.setVisible(False)
        item.addItem(self._line)
        self._floor_line = pg.InfiniteLine(
            angle=0, label="", labelOpts={"position": 0.03, "anchors": [(0, 1), (0, 1)]}
        )
        self._floor_line.label.setFont(font(10))
        self._floor_line.setVisible(False)
        item.addItem(self._floor_line)
        self._floor: float | None = None
        self._name = pg.TextItem(anchor=(1, 1))  # of the branch that is compared
        self._name.setFont(font(10))
        self._name.setVisible(False)
        item.addItem(self._name)
        self._show_range(-1.3, 0.5)
        self._reading = QLabel(self)
        self._reading.setProperty("role", "tag")
        self._reading.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._reading.hide()

    def _set_up(self) -> None:
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.setMouseEnabled(False, False)
        item.hideButtons()
        item.hideAxis("bottom")
        item.setLogMode(y=True)
        item.getViewBox().setDefaultPadding(0.0)
        axis = item.getAxis("left")
        axis.setWidth(AXIS)
        item.layout.setContentsMargins(0, 4, HANDLE, 2)
        axis.setTickFont(font(10))

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        faint = QColor(theme.noisy)
        faint.setAlpha(80)
        self._raw.setPen(pg.mkPen(faint, width=1))
        self._smooth.setPen(pg.mkPen(theme.noisy, width=2))
        self._cost.setPen(pg.mkPen(theme.reconstruction, width=1.5))
        self._here.setSymbolBrush(theme.noisy)
        self._here.setSymbolPen(pg.mkPen(theme.panel, width=1.5))
        self._line.setPen(pg.mkPen(theme.muted, width=1))
        self._floor_line.setPen(pg.mkPen(theme.live, width=1.5, style=Qt.PenStyle.DashLine))
        self._floor_line.label.setColor(theme.live)
        self._other_colour = QColor(theme.muted)
        self._name.setColor(theme.muted)
        self._paint_others()
        self.setBackground(theme.panel)
        axis = self.getPlotItem().getAxis("left")
        axis.setPen(pg.mkPen(theme.line))
        axis.setTextPen(theme.muted)
        self.getPlotItem().showGrid(y=True, alpha=0.25)

    def show_losses(self, losses: Losses, last: int, shown: int) -> None:
        """Show the losses, (E, 2), of epochs 1…E in a plot that ends at `last`; mark the epoch `shown`.

        Where a regulariser has a part of them, the rest, C, is drawn as well.
        """
        losses, regularisers = losses[:, 0], losses[:, 1]
        if (len(losses), last) != self._drawn:
            self._drawn = (len(losses), last)
            self._losses, self._regularisers = losses, regularisers
            self._draw(last)
        if 1 <= shown <= len(losses):
            self._here.setData([shown], [max(float(_course(losses[max(0, shown - 9) : shown])[-1]), 1e-12)])
        else:
            self._here.setData([], [])

    def show_floor(self, floor: float | None) -> None:
        """Show the least possible loss as a line, or none."""
        if floor == self._floor:
            return
        self._floor = floor
        self._floor_line.setVisible(bool(floor))
        if floor:
            self._floor_line.setValue(np.log10(floor))
            self._floor_line.label.setText(f"Bayes floor {floor:.3g}")

    def show_others(self, others: Sequence[OtherCurve]) -> None:
        """Show the losses of other branches, each from where it is another course."""
        self._others, self._drawn = others, (-1, -1)
        while len(self._other_items) < len(others):
            self._other_items.append(self.getPlotItem().plot())
            self._other_items[-1].setZValue(-1)
        self._name.setVisible(False)
        for item in self._other_items[len(others) :]:
            item.setData([], [])
        for item, other in zip(self._other_items, others, strict=False):
            epochs, buckets = _bucketed(other.losses[other.since :])
            course = _course(buckets.mean(axis=1)) if len(buckets) else np.empty(0)
            item.setData(epochs + other.since, course)
            if other.is_beside and len(course):
                self._name.setText(other.name)
                self._name.setPos(other.since + epochs[-1], math.log10(course[-1]))
                self._name.setVisible(True)
        self._paint_others()

    def _paint_others(self) -> None:
        for item, other in zip(self._other_items, self._others, strict=False):
            colour = QColor(self._other_colour)
            colour.setAlpha(255 if other.is_beside else 150)
            item.setPen(pg.mkPen(colour, width=1.8 if other.is_beside else 1.1))

    def _draw(self, last: int) -> None:
        losses = np.maximum(self._losses, 1e-12)
        epochs, buckets = _bucketed(losses)
        whole, size = buckets.size, buckets.shape[1]
        low_high = np.stack((buckets.min(axis=1), buckets.max(axis=1)), axis=1) if size > 1 else buckets
        self._raw.setData(np.repeat(epochs, low_high.shape[1]), low_high.ravel())
        course = _course(buckets.mean(axis=1)) if whole else np.empty(0)
        self._smooth.setData(epochs, course)
        least = self._floor or math.inf
        if whole and self._regularisers[whole - 1]:
            costs = np.maximum(losses[:whole] - self._regularisers[:whole], 1e-12)
            self._cost.setData(epochs, _course(costs.reshape(-1, size).mean(axis=1)))
            least = min(least, float(costs.min()))
        else:
            self._cost.setData([], [])
        self.setXRange(0, max(1, last), padding=0)
        if whole:
            seen = [losses, *(each.losses for each in self._others if each.is_beside and len(each.losses))]
            least, most = min(least, *(each.min() for each in seen)), max(each.max() for each in seen)
            low, high = math.log10(max(least, 1e-12)), math.log10(max(most, 1e-12))
            self._show_range(low - 0.08, max(high, low + 0.3) + 0.05)

    def _show_range(self, low: float, high: float) -> None:
        self.setYRange(low, high, padding=0)
        steps = (1, 2, 5) if high - low < 1.5 else (1,)
        decades = range(math.floor(low), math.ceil(high) + 1)
        values = [
            (decade + math.log10(step), f"{step * 10.0**decade:g}") for decade in decades for step in steps
        ]
        self.getPlotItem().getAxis("left").setTicks([values])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the curve under the cursor."""
        super().mouseMoveEvent(event)
        place = self.getPlotItem().getViewBox().mapSceneToView(self.mapToScene(event.position().toPoint()))
        self._read(round(place.x()), place.y(), event.position())

    def leaveEvent(self, event: QEvent) -> None:
        """Stop reading."""
        super().leaveEvent(event)
        self._line.setVisible(False)
        self._reading.hide()

    def _read(self, epoch: int, level: float, position: QPointF) -> None:
        """Tell the loss of an epoch, or that of another branch whose curve is at the mouse.

        `level` is where that is, as log₁₀ of a loss.
        """
        known = 1 <= epoch <= len(self._losses)
        low, high = self.getPlotItem().getViewBox().viewRange()[1]
        near = _REACH * (high - low) / self.height()
        text = ""
        if known:
            loss, regulariser = float(self._losses[epoch - 1]), float(self._regularisers[epoch - 1])
            near = min(near, abs(math.log10(max(loss, 1e-12)) - level))
            text = f"epoch {epoch:,} · loss {loss_text(loss, regulariser, '.5g')}"
        for other in self._others:
            if other.since < epoch <= len(other.losses):
                loss = float(other.losses[epoch - 1])
                away = abs(math.log10(max(loss, 1e-12)) - level)
                if away < near:
                    near, text = away, f"{other.name} · epoch {epoch:,} · loss {loss:.5g}"
        self._line.setVisible(bool(text))
        self._reading.setVisible(bool(text))
        if text:
            self._line.setValue(epoch)
            self._reading.setText(text.replace(",", "\u2009"))
            self._reading.adjustSize()
            left = min(round(position.x()) + 10, self.width() - self._reading.width() - 4)
            self._reading.move(left, 4)


def _bucketed(losses: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Losses, (E,), in some hundreds of buckets of equal size: last epoch (B,) and losses (B, S) of each."""
    losses = np.maximum(losses, 1e-12)
    size = max(1, -(-len(losses) // _BUCKETS))
    whole = len(losses) // size * size
    return np.arange(size, whole + 1, size), losses[:whole].reshape(-1, size)


def _course(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Running mean over up to nine neighbours before, which follows the end of the curve."""
    width = min(9, max(1, len(values)))
    padded = np.concatenate((np.full(width - 1, values[0]), values))
    return np.convolve(padded, np.full(width, 1.0 / width), mode="valid")
