"""The code h of the data: along the data where d is 1, else in the two directions in which it varies most."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QLinearGradient, QMouseEvent, QPainter, QPen, QPolygonF

from aeviz.app.plot import LEFT, RIGHT, Plot, ink, is_light, short
from aeviz.core.code import CodeView
from aeviz.core.manifolds import FloatArray
from aeviz.figure.theme import Theme, lookup_table

_SIDE, _NUMBERS, _TOP, _BOTTOM = 9.0, 44.0, 24.0, 26.0  # px beside, left of, above and below the marks
_MARK, _END, _SHADES = 5.2, 9.0, 24  # px across a mark, and across the first and last; colours of them all
_REACH = 12.0  # px within which a mark is pointed at
_MOST = 1e100  # of a code that has exploded, so much is shown


def to_pixels(places: FloatArray, low: FloatArray, high: FloatArray, rect: QRectF, equal: bool) -> FloatArray:
    """Where places (…, 2) lie in a rectangle that holds what is between `low` and `high`, (2,) each.

    With `equal`, a unit is as long up as across. Where `low` and `high` are one, they lie in the middle.
    """
    size, span = np.array([rect.width(), rect.height()]), high - low
    wide = span > 1e-9 * np.maximum(1e-3, np.abs(low))
    factor = np.divide(size, span, out=np.full(2, np.inf), where=wide)
    if equal:
        factor[:] = factor.min()
    factor = np.where(np.isinf(factor), size, factor) * (1.0, -1.0)
    pixels: FloatArray = (rect.center().x(), rect.center().y()) + factor * (places - 0.5 * (low + high))
    return pixels


def along(theme: Theme) -> list[QColor]:
    """Colours from the data's first point to its last: what of plasma is seen on a panel."""
    shades = np.linspace(0, 165, _SHADES) if is_light(theme) else np.linspace(95, 255, _SHADES)
    return [QColor.fromRgb(colour) for colour in lookup_table("plasma")[shades.astype(int)].tolist()]


class CodePlot(Plot):
    """The clean points' codes; a mark under the mouse is told, one that is pointed at elsewhere is ringed."""

    hovered = pyqtSignal(object)
    """Index of the clean point whose mark is under the mouse, or None."""

    def __init__(self) -> None:
        super().__init__(
            140, "Code h of the data",
            "The code h of each clean point, coloured from the data’s first point to its last.",
        )  # fmt: skip
        self._view: CodeView | None = None
        self._plane = np.empty((0, 2))  # the codes, or along the data and the code
        self._cursor: FloatArray | None = None
        self._hovered: int | None = None
        self._pointed: int | None = None
        self.setMouseTracking(True)

    def show_code(self, view: CodeView | None) -> None:
        """Show the codes of some clean points, or that nothing is known."""
        self._view, self._plane = view, np.empty((0, 2))
        if view is not None:
            self._plane = np.column_stack((view.positions, view.places.clip(-_MOST, _MOST)))[:, -2:]
        if view is None or self._hovered not in view.points:
            self._point_at(None)
        self.redraw("" if view is None else _described(view))

    def show_cursor(self, code: FloatArray | None) -> None:
        """Show the code (k,) of the place under the field's cursor, or none."""
        self._cursor = code if code is not None and np.isfinite(code).all() else None
        self.update()

    def show_point(self, index: int | None) -> None:
        """Ring the mark of a clean point, or the nearest mark along the data."""
        self._pointed = index
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell which mark is under the mouse."""
        self._point_at(event.position())

    def leaveEvent(self, _event: QEvent) -> None:
        """Tell that none is."""
        self._point_at(None)

    def _point_at(self, mouse: QPointF | None) -> None:
        found = None
        if mouse is not None and self._view is not None:
            distance = np.hypot(*(self._pixels(self._plane) - (mouse.x(), mouse.y())).T)
            if distance.min() <= _REACH:
                found = int(self._view.points[distance.argmin()])
        if found != self._hovered:
            self._hovered = found
            self.hovered.emit(found)
            self.update()

    @property
    def _is_line(self) -> bool:
        return self._view is not None and self._view.places.shape[1] == 1

    @property
    def frame(self) -> QRectF:
        """Where the marks lie."""
        left = _NUMBERS if self._is_line else _SIDE
        return QRectF(self.rect()).adjusted(left, _TOP, -_SIDE, -_BOTTOM)

    def _pixels(self, places: FloatArray) -> FloatArray:
        low, high = self._plane.min(axis=0), self._plane.max(axis=0)
        if self._is_line:
            low[0], high[0] = 0.0, 1.0
        return to_pixels(places, low, high, self.frame, equal=not self._is_line)

    def draw(self, painter: QPainter) -> None:
        """Draw the axes, and the marks in the colours along the data."""
        view = self._view
        if view is None:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "The data’s codes appear here.")
            return
        colours = along(self.theme)
        shades = QLinearGradient(self.frame.topLeft(), self.frame.topRight())
        shades.setStops(list(zip(np.linspace(0.0, 1.0, _SHADES).tolist(), colours, strict=True)))
        self._draw_axes(painter, view, shades)
        marks, shade = self._pixels(self._plane), (view.positions * (_SHADES - 1)).round()
        sets = [(_END, marks[:1], colours[0]), (_END, marks[-1:], colours[-1])]
        if self._is_line:
            painter.setPen(QPen(QBrush(shades), 2.0))
            painter.drawPolyline(QPolygonF(map(QPointF, *marks.T)))
        else:
            sets += [(_MARK, marks[shade == k], colour) for k, colour in enumerate(colours)]
        for size, some, colour in sets:
            painter.setPen(QPen(colour, size, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(QPolygonF(map(QPointF, *some.T)))

    def _draw_axes(self, painter: QPainter, view: CodeView, shades: QLinearGradient) -> None:
        frame, zero = self.frame, np.floor(self._pixels(np.zeros(2))) + 0.5
        ends = QRectF(frame.left(), self.height() - 15.0, frame.width(), 15.0)
        painter.fillRect(QRectF(frame.left(), ends.top() - 5.0, frame.width(), 3.0), shades)
        painter.drawText(ends, LEFT, "first point")
        painter.drawText(ends, RIGHT, "last")
        above = QRectF(_SIDE, 0.0, self.width() - 2.0 * _SIDE, _TOP)
        across, up = _captions(view)
        painter.drawText(above, LEFT, up)
        painter.drawText(above, RIGHT, across)
        if self._is_line:
            beside = QRectF(0.0, frame.top() - 7.0, _NUMBERS - 8.0, frame.height() + 14.0)
            low, high = _ends(view.places[:, 0])
            painter.drawText(beside, RIGHT | Qt.AlignmentFlag.AlignBottom, low)
            painter.drawText(beside, RIGHT, high)
        painter.setPen(QPen(QColor(self.theme.line), 1.0))
        if frame.top() <= zero[1] <= frame.bottom():
            painter.drawLine(QLineF(frame.left(), zero[1], frame.right(), zero[1]))
        if frame.left() <= zero[0] <= frame.right() and not self._is_line:
            painter.drawLine(QLineF(zero[0], frame.top(), zero[0], frame.bottom()))

    def draw_over(self, painter: QPainter) -> None:
        """Draw where the cursor's code is, and a ring round what is pointed at."""
        view, frame, cursor = self._view, self.frame, self._cursor
        if view is not None and cursor is not None and len(cursor) == view.places.shape[1]:
            x, y = self._pixels(np.array([0.5, *cursor])[-2:])
            inside = frame.contains(QPointF(x, y))
            x, y = np.clip((x, y), (frame.left(), frame.top()), (frame.right(), frame.bottom()))
            style = Qt.PenStyle.SolidLine if inside else Qt.PenStyle.DotLine
            painter.setPen(QPen(ink(self.theme.noisy, self.theme), 1.6, style))
            if self._is_line:
                painter.drawLine(QLineF(frame.left(), y, frame.right(), y))
            else:
                painter.drawEllipse(QPointF(x, y), 6.0, 6.0)
        pointed = self._hovered if self._pointed is None else self._pointed
        if view is not None and pointed is not None:
            x, y = self._pixels(self._plane[np.abs(view.points - pointed).argmin()])
            painter.setPen(QPen(QColor(self.theme.text), 1.6))
            painter.drawEllipse(QPointF(x, y), 6.0, 6.0)


def _captions(view: CodeView) -> tuple[str, str]:
    if view.shares is not None:
        first, second = 100.0 * view.shares
        return f"1st direction {first:.0f} % →", f"↑ 2nd {second:.0f} %"
    return ("", "↑ h") if view.width == 1 else ("h₁ →", "↑ h₂")


def _ends(codes: FloatArray) -> tuple[str, str]:
    """The least and the greatest, with digits enough to tell them apart."""
    low, high = float(codes.min()), float(codes.max())
    texts = [(short(low, digits), short(high, digits)) for digits in (2, 3, 4, 5)]
    return next((pair for pair in texts if pair[0] != pair[1]), texts[0])


def _described(view: CodeView) -> str:
    if view.shares is not None:
        first, second = 100.0 * view.shares
        return f"d = {view.width}, 1st direction {first:.0f} % of the variance, 2nd {second:.0f} %"
    names = ("h",) if view.width == 1 else ("h₁", "h₂")
    ends = (_ends(codes) for codes in view.places.T)
    told = ", ".join(f"{name} from {low} to {high}" for name, (low, high) in zip(names, ends, strict=True))
    return f"d = {view.width}, {told} along the data"
