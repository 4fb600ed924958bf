"""A chart of numbers of many runs: lines over a setting, with their spread over the seeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QGraphicsScene, QGraphicsWidget

from aeviz.core.setting import SettingError
from aeviz.figure.axes import tick_texts, tick_values
from aeviz.figure.curves import Curves
from aeviz.figure.key import Entry, Legend
from aeviz.figure.layer import fill_circles
from aeviz.figure.theme import Theme, font, lookup_table

SIZE = (900, 560)  # px of a chart that is given none
_LEFT, _RIGHT, _BOTTOM, _MARGIN, _TITLE = 62.0, 30.0, 50.0, 22.0, 30.0  # px
_LEAST = 60.0  # px of the frame's width and height
_INSET = 14.0  # px between the frame and the outermost points
_DODGE = 0.5  # of the distance of two categories: what the lines beside each other take
_DECADES = 1.3  # a metric that spans more, and is never 0 or below, has a logarithmic axis
_CLOSE = 1.5  # times as close as a field's may the numbers of an axis stand
_APART = 44.0  # px between two numbers on the horizontal axis
_DARK = ("#5fa8ff", "#ff9f40", "#ff5c8a", "#4fc39a", "#b59cff", "#ffd24d")
_LIGHT = ("#2f6fd0", "#c25a00", "#cc2a62", "#0b7a53", "#7450cc", "#8a6a00")


class _Scale:
    """From values to pixels, along one axis."""

    def __init__(self, low: float, high: float, start: float, end: float, is_log: bool) -> None:
        self.is_log, self._start = is_log, start
        self._low, top = (math.log10(low), math.log10(high)) if is_log else (low, high)
        self._factor = (end - start) / (top - self._low)

    def __call__(self, values: Any) -> Any:
        values = np.log10(values) if self.is_log else np.asarray(values)
        return self._start + (values - self._low) * self._factor


class Chart(QGraphicsWidget):
    """The chart as an item, in pixels; `chart_of` makes one that no window shows."""

    def __init__(self, curves: Curves, theme: Theme, title: str = "", legend: bool = True) -> None:
        super().__init__()
        self._curves, self._theme, self._title = curves, theme, title
        self._legend = Legend(self)
        self.colours = _colours(curves, theme)
        entries = [
            Entry("point", colour, curve.label)
            for curve, colour in zip(curves.curves, self.colours, strict=True)
            if legend and curve.label
        ]
        self._legend.set_entries(tuple(entries), theme.text)
        self._above = _MARGIN + (_TITLE if title else 0.0)

    def lay_out(self, size: QSizeF) -> None:
        """Take this size."""
        self.resize(size)
        height = self._legend.set_width(size.width() - 2.0 * _MARGIN)
        self._legend.setPos(_MARGIN, self._above)
        room = QRectF(_MARGIN, self._above + height + 8.0, size.width() - 2.0 * _MARGIN, size.height())
        self._up = _wrapped(room, self._curves.up, _axis_font())
        self._caption = _wrapped(room, self._curves.caption, font(11))
        self._caption.moveBottom(size.height() - 10.0)
        top = self._up.bottom() + 10.0
        bottom = min(self._caption.top(), size.height() - 20.0) - _BOTTOM
        self._frame = QRectF(_LEFT, top, size.width() - _LEFT - _RIGHT, max(1.0, bottom - top))

    @property
    def fits(self) -> bool:
        """Whether there is room for the curves."""
        return min(self._frame.width(), self._frame.height()) >= _LEAST

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw all but the legend, which draws itself."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self._theme.figure))
        x, y = self._scales()
        self._draw_texts(painter)
        self._draw_across(painter, x)
        self._draw_up(painter, y)
        for number, colour in enumerate(self.colours):
            self._draw_curve(painter, number, QColor(colour), x, y)

    def _scales(self) -> tuple[_Scale, _Scale]:
        frame, curves = self._frame, self._curves
        values = np.concatenate([each for curve in curves.curves for each in curve.values])
        low, high = float(values.min()), float(values.max())
        log_up = low > 0.0 and math.log10(high / low) > _DECADES
        if not log_up:
            low, high = _padded(low, high)
        up = _Scale(low, high, frame.bottom() - (_INSET if log_up else 0.0), frame.top() + _INSET, log_up)
        if curves.categories:
            return _Scale(-0.5, len(curves.categories) - 0.5, frame.left(), frame.right(), False), up
        places = np.concatenate([curve.x for curve in curves.curves])
        left, right = float(places.min()), float(places.max())
        if left == right:
            left, right = (0.5 * left, 2.0 * right) if curves.is_log else (left - 0.5, right + 0.5)
        inset = 2.0 * _INSET
        return _Scale(left, right, frame.left() + inset, frame.right() - inset, curves.is_log), up

    def _draw_texts(self, painter: QPainter) -> None:
        theme, frame = self._theme, self._frame
        if self._title:
            painter.setFont(font(16, weight=QFont.Weight.DemiBold))
            painter.setPen(QColor(theme.text))
            painter.drawText(QPointF(_MARGIN, _MARGIN + 14.0), self._title)
        painter.setFont(_axis_font())
        painter.setPen(QColor(theme.text))
        painter.drawText(self._up, Qt.TextFlag.TextWordWrap, self._curves.up)
        below = QRectF(frame.left(), frame.bottom() + 26.0, frame.width(), 18.0)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, self._curves.across)
        painter.setFont(font(11))
        painter.setPen(QColor(theme.muted))
        flags = Qt.AlignmentFlag.AlignRight | Qt.TextFlag.TextWordWrap
        painter.drawText(self._caption, flags, self._curves.caption)

    def _draw_across(self, painter: QPainter, x: _Scale) -> None:
        frame, theme = self._frame, self._theme
        painter.setFont(font(11))
        painter.setPen(QPen(QColor(theme.muted), 1.0))
        painter.drawLine(QLineF(frame.left(), frame.bottom(), frame.right(), frame.bottom()))
        room = frame.width() / max(1, len(self._curves.categories)) - 6.0
        for place, text in self._places(x):
            at = float(x(place))
            painter.drawLine(QLineF(at, frame.bottom(), at, frame.bottom() + 4.0))
            wide = room if self._curves.categories else 80.0
            text = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideMiddle, wide)
            below = QRectF(at - 0.5 * wide, frame.bottom() + 7.0, wide, 16.0)
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, text)

    def _places(self, x: _Scale) -> list[tuple[float, str]]:
        """Numbers on the horizontal axis: those that occur, or where they are too many, round ones."""
        if self._curves.categories:
            return [(float(k), text) for k, text in enumerate(self._curves.categories)]
        places = np.unique(np.concatenate([curve.x for curve in self._curves.curves]))
        if len(places) < 2 or np.diff(x(places)).min() >= _APART:
            return [(place, _number(place)) for place in places.tolist()]
        return _ticks(float(places[0]), float(places[-1]), x, self._frame.width())

    def _draw_up(self, painter: QPainter, y: _Scale) -> None:
        frame, theme = self._frame, self._theme
        values = np.concatenate([each for curve in self._curves.curves for each in curve.values])
        low, high = float(values.min()), float(values.max())
        if not y.is_log:
            low, high = _padded(low, high)
        for value, text in _ticks(low, high, y, frame.height()):
            at = float(y(value))
            painter.setPen(QPen(QColor(theme.line), 1.0))
            if at < frame.bottom() - 1.0:
                painter.drawLine(QLineF(frame.left(), at, frame.right(), at))
            painter.setPen(QColor(theme.muted))
            beside = QRectF(0.0, at - 8.0, frame.left() - 8.0, 16.0)
            painter.drawText(beside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_curve(self, painter: QPainter, number: int, colour: QColor, x: _Scale, y: _Scale) -> None:
        curve, many = self._curves.curves[number], len(self._curves.curves)
        aside = _DODGE * ((number + 0.5) / many - 0.5) if self._curves.categories else 0.0
        at, mean, (low, high) = x(curve.x + aside), y(curve.mean), map(y, curve.spread)
        single = QColor(colour)
        single.setAlphaF(0.55)
        if not self._curves.categories and len(at) > 1:
            band = QColor(colour)
            band.setAlphaF(0.16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(band)
            edge = [*zip(at, low, strict=True), *zip(at[::-1], high[::-1], strict=True)]
            painter.drawPolygon(QPolygonF([QPointF(*each) for each in edge]))
            painter.setPen(QPen(colour, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF([QPointF(*each) for each in zip(at, mean, strict=True)]))
        else:
            painter.setPen(QPen(single, 2.0))
            for place, bottom, top in zip(at, low, high, strict=True):
                painter.drawLine(QLineF(place, bottom, place, top))
        runs = [(place, y(value)) for place, each in zip(at, curve.values, strict=True) for value in each]
        fill_circles(painter, np.array(runs, dtype=float), 2.0, single)
        means = np.stack((at, mean), axis=1)
        fill_circles(painter, means, 5.0, QColor(self._theme.figure))
        fill_circles(painter, means, 3.6, colour)


def chart_of(curves: Curves, theme: Theme, size: QSizeF, title: str = "", legend: bool = True) -> Chart:
    """Make a chart that no window shows.

    Raises
    ------
    SettingError
        Where there is no room for it.
    """
    chart = Chart(curves, theme, title, legend)
    scene = QGraphicsScene(chart)
    scene.addItem(chart)
    chart.lay_out(size)
    if not chart.fits:
        raise SettingError("the chart has no room: take a larger --size, or a smaller --font-size")
    return chart


def _colours(curves: Curves, theme: Theme) -> list[str]:
    many, is_light = len(curves.curves), QColor(theme.figure).lightnessF() > 0.5
    fixed = _LIGHT if is_light else _DARK
    if many <= len(fixed) and not (curves.in_order and many > 2):
        return list(fixed[:many])
    # As dark, or as bright, as a line must be to be seen on its ground.
    places = np.linspace(0.0, 0.72, many) if is_light else np.linspace(0.3, 0.95, many)
    table = lookup_table("viridis")
    return [f"#{int(table[round(255 * place)]) & 0xFFFFFF:06x}" for place in places]


def _axis_font() -> QFont:
    return font(13, weight=QFont.Weight.DemiBold)


def _wrapped(room: QRectF, text: str, of: QFont) -> QRectF:
    """What of the room a text takes from above, in as many lines as it needs."""
    needed = QFontMetricsF(of).boundingRect(room, Qt.TextFlag.TextWordWrap, text)
    return QRectF(room.left(), room.top(), room.width(), needed.height())


def _padded(low: float, high: float) -> tuple[float, float]:
    """A little more than all values; from 0 where that is not far."""
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    bottom = low - room
    return (0.0 if 0.0 <= low <= 0.5 * high else bottom), high + room


def _ticks(low: float, high: float, scale: _Scale, pixels: float) -> list[tuple[float, str]]:
    if scale.is_log:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        steps = (1.0, 2.0, 5.0) if len(decades) <= 5 else (1.0,)
        found = [step * 10.0**power for power in decades for step in steps]
        return [(value, _number(value)) for value in found if low <= value <= high]
    closer = (_CLOSE, 2.0 * _CLOSE)  # on a low chart: one number alone tells no scale
    tried = [tick_values(low, high, each * pixels)[0] for each in closer]
    values = next((each for each in tried if len(each) > 1), tried[-1])
    texts, note = tick_texts(values)
    return [(value, f"{text} {note}".strip()) for value, text in zip(values, texts, strict=True)]


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
