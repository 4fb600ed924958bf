"""The slider over the epochs of a run, with marks where something happened, and their names under it."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPointF, QRect, QRectF, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PyQt6.QtWidgets import QStyle, QStyleOptionSlider, QToolTip, QWidget

from aeviz.app.click_slider import ClickSlider
from aeviz.app.epoch_marks import EpochMark
from aeviz.core.numbers import grouped
from aeviz.figure.theme import DARK, Theme, font

_REACH = 5  # px from a mark at which its tip is shown
_MOST_TOLD = 5  # marks in a tip
_HALF, _RING = 6.5, 2.5  # px: half of a mark's height, and radius of the ring where a branch was left
_SIZE = 4.5  # px: half of the diamond where the loss was least
_LEAST, _MOST, _GAP = 70, 220, 12  # px: width of a name under the slider, and from one to the next
_TIP = "Drag back to see a past epoch; at the right end it is live again (← → step, with Shift a hundred)"


class EpochSlider(ClickSlider):
    """The run from its first to its last epoch; follows unless it is held."""

    marked = pyqtSignal()
    """The marks have moved, or are others."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("epochs")
        self.setAccessibleName("Epoch")
        self.setAccessibleDescription(_TIP)
        self.setPageStep(100)
        self._theme = DARK
        self.marks: Sequence[EpochMark] = ()
        self._best: tuple[int, float] | None = None  # epoch and loss
        self._drawn, self._drawn_is = QPixmap(), (0, 0, 0.0)
        self._track: tuple[int, int] | None = None  # where it begins, and how long it is

    @property
    def stops(self) -> list[int]:
        """The epochs of all marks, and that of the least loss."""
        return [mark.epoch for mark in self.marks] + ([self._best[0]] if self._best else [])

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        self._mark_anew()

    def follow(self, epoch: int, last: int) -> None:
        """Stand at an epoch, without saying that it was moved."""
        if self.isSliderDown():
            return
        moved = last != self.maximum()
        with QSignalBlocker(self):
            self.setRange(0, last)
            self.setValue(epoch)
        if moved:
            self.marked.emit()

    def show_marks(self, marks: Sequence[EpochMark]) -> None:
        """Show where something happened."""
        self.marks = marks
        self._mark_anew()

    def show_best(self, best: tuple[int, float] | None) -> None:
        """Show where the loss was least: epoch and loss."""
        if best != self._best:
            self._best = best
            self.update()

    def x_of(self, epoch: int) -> int:
        """Where an epoch is, in pixels."""
        if self._track is None:
            option = QStyleOptionSlider()
            self.initStyleOption(option)
            control, sub = QStyle.ComplexControl.CC_Slider, QStyle.SubControl
            groove = self.style().subControlRect(control, option, sub.SC_SliderGroove, self)
            handle = self.style().subControlRect(control, option, sub.SC_SliderHandle, self)
            self._track = groove.x() + handle.width() // 2, groove.width() - handle.width()
        left, span = self._track
        return left + round(epoch * span / max(1, self.maximum()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Find the marks' places again."""
        super().resizeEvent(event)
        self._mark_anew()

    def changeEvent(self, event: QEvent) -> None:
        """Find the marks' places again: the handle may have another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._mark_anew()

    def event(self, event: QEvent) -> bool:
        """Tell what the marks under the mouse are."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos().x()), self)
            return True
        return super().event(event)

    def tip_at(self, x: int) -> str:
        """What is told where the mouse is."""
        near = [mark.tip for mark in self.marks if abs(self.x_of(mark.epoch) - x) <= _REACH]
        told = near[:_MOST_TOLD]
        if len(near) > len(told):
            told.append(f"and {grouped(len(near) - len(told))} more")
        if self._best and abs(self.x_of(self._best[0]) - x) <= _REACH:
            told.append(f"epoch {grouped(self._best[0])}: least loss {self._best[1]:.3g}")
        return "\n".join(told) or _TIP

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint the marks over the groove, and the handle over the marks."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        painter = QPainter(self)
        option.subControls = QStyle.SubControl.SC_SliderGroove | QStyle.SubControl.SC_SliderHandle
        self.style().drawComplexControl(QStyle.ComplexControl.CC_Slider, option, painter, self)
        painter.drawPixmap(0, 0, self._marks_drawn())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._best:
            self._draw_best(painter, self.x_of(self._best[0]))
        option.subControls = QStyle.SubControl.SC_SliderHandle
        self.style().drawComplexControl(QStyle.ComplexControl.CC_Slider, option, painter, self)

    def _mark_anew(self) -> None:
        self._drawn_is, self._track = (0, 0, 0.0), None
        self.update()
        self.marked.emit()

    def _marks_drawn(self) -> QPixmap:
        """All marks; drawn again only where they or the slider have changed, for there may be thousands."""
        wanted = (self.maximum(), self.width(), self.devicePixelRatioF())
        if wanted != self._drawn_is:
            self._drawn_is = wanted
            self._drawn = QPixmap(self.size() * wanted[2])
            self._drawn.setDevicePixelRatio(wanted[2])
            self._drawn.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._drawn)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_marks(painter)
            painter.end()
        return self._drawn

    def _draw_marks(self, painter: QPainter) -> None:
        colour, top = QColor(self._theme.warning), self.height() / 2.0 - _HALF
        for x in {self.x_of(mark.epoch) for mark in self.marks}:
            painter.fillRect(QRectF(x - 1.0, top, 2.0, 2.0 * _HALF), colour)
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(QColor(self._theme.panel))
        for mark in self.marks:
            if mark.kind == "left":
                painter.drawEllipse(QPointF(self.x_of(mark.epoch), top), _RING, _RING)

    def _draw_best(self, painter: QPainter, x: float) -> None:
        y, size = self.height() / 2.0, _SIZE
        painter.setPen(QPen(QColor(self._theme.panel), 1.0))
        painter.setBrush(QColor(self._theme.live))
        corners = [(x, y - size), (x + size, y), (x, y + size), (x - size, y)]
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


class MarkNames(QWidget):
    """The marks' names, each under its mark as far as there is room; the newer ones come first."""

    wanted = pyqtSignal(int)
    """The epoch of a name that was clicked."""

    def __init__(self, slider: EpochSlider) -> None:
        super().__init__()
        self._slider = slider
        self._theme, self._font = DARK, font(11)
        self._placed: list[tuple[QRect, str, EpochMark]] | None = None
        slider.marked.connect(self._place_anew)
        self.setFixedHeight(15)

    def paint_with(self, theme: Theme) -> None:
        """Take a theme's colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as the slider."""
        return QSize(100, self.height())

    @property
    def texts(self) -> list[str]:
        """What is to be read, from left to right."""
        return [text for _, text, _ in reversed(self._names())]

    def event(self, event: QEvent) -> bool:
        """Tell a name in full."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            mark = self._at(event.pos().x())
            QToolTip.showText(event.globalPos(), mark.tip if mark else "", self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the epoch of a name."""
        mark = self._at(round(event.position().x()))
        if mark is not None and event.button() == Qt.MouseButton.LeftButton:
            self.wanted.emit(mark.epoch)

    def resizeEvent(self, _event: object) -> None:
        """Place the names anew."""
        self._place_anew()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Write the names."""
        painter = QPainter(self)
        painter.setFont(self._font)
        painter.setPen(QColor(self._theme.muted))
        for place, text, _ in self._names():
            painter.drawText(QRectF(place), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)

    def _place_anew(self) -> None:
        self._placed = None
        self.update()

    def _at(self, x: int) -> EpochMark | None:
        return next((mark for place, _, mark in self._names() if place.left() <= x <= place.right()), None)

    def _names(self) -> list[tuple[QRect, str, EpochMark]]:
        if self._placed is None:
            self._placed = self._place()
        return self._placed

    def _place(self) -> list[tuple[QRect, str, EpochMark]]:
        placed: list[tuple[QRect, str, EpochMark]] = []
        metrics, offset = QFontMetrics(self._font), self._slider.x() - self.x()
        left = self.width() + _GAP  # of the name at the right
        for mark in reversed(self._slider.marks):
            x = self._slider.x_of(mark.epoch) + offset - 1
            room = left - _GAP - x
            if room < _LEAST and placed:
                continue  # before its title is worked out
            most = min(_MOST, room if placed else self.width())
            text = metrics.elidedText(mark.short, Qt.TextElideMode.ElideRight, most)
            width = metrics.horizontalAdvance(text)
            left = min(x, self.width() - width)  # that of the last mark may begin before it
            placed.append((QRect(left, 0, width + 1, self.height()), text, mark))
        return placed
