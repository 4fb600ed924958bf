"""The field under the mouse."""

from __future__ import annotations

import pyqtgraph as pg
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from aeviz.core.field import Grid
from aeviz.core.settings import Settings
from aeviz.figure.view import FieldView

SETTINGS = Settings(grid=(10, 8), extent=(-1.9, 1.7, -1.3, 1.5))


@pytest.fixture
def view(qtbot):
    view = FieldView(SETTINGS)
    qtbot.addWidget(view)
    view.resize(700, 600)
    with qtbot.waitExposed(view):
        view.show()
    return view


def at(view: FieldView, x: float, y: float) -> QPoint:
    """Where a place of the plane is in the widget."""
    box = view.figure.box
    return view.mapFromScene(box.mapToScene(box.mapFromView(QPointF(x, y))))


def turn(view: FieldView, place: QPoint, notches: int) -> None:
    event = QWheelEvent(
        QPointF(place), view.mapToGlobal(QPointF(place)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)


def test_it_says_where_in_the_plane_the_cursor_is(view, qtbot):
    pixel = 4.0 / view.figure.box.geometry().width()
    with qtbot.waitSignal(view.hovered) as hovered:
        QTest.mouseMove(view.viewport(), at(view, 0.7, -0.4))
    assert hovered.args[0] == pytest.approx((0.7, -0.4), abs=pixel)
    with qtbot.waitSignal(view.hovered) as hovered:
        QTest.mouseMove(view.viewport(), QPoint(2, 2))  # beside the field
    assert hovered.args == [None]
    QTest.mouseMove(view.viewport(), at(view, 0.7, -0.4))
    with qtbot.waitSignal(view.hovered) as hovered:
        QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert hovered.args == [None]


def test_the_wheel_zooms_about_the_cursor_and_a_double_click_goes_home(view, qtbot):
    place = at(view, 1.2, 0.9)
    with qtbot.waitSignal(view.view_changed):
        turn(view, place, 5)
    (x0, x1), _ = view.figure.box.viewRange()
    assert x1 - x0 < 3.0
    assert (at(view, 1.2, 0.9) - place).manhattanLength() <= 2
    assert view.figure.grid_in_view() != Grid.home(SETTINGS)
    QTest.mouseDClick(view.windowHandle(), Qt.MouseButton.LeftButton, pos=place)
    assert view.figure.grid_in_view() == Grid.home(SETTINGS)


def test_the_wheel_beside_the_field_does_nothing(view):
    before = view.figure.box.viewRange()
    turn(view, QPoint(2, 2), 5)
    assert view.figure.box.viewRange() == before


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_a_left_drag_pans_and_a_right_drag_distorts_nothing(button, view, monkeypatch):
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)  # this mouse is faster than a hand
    (x0, x1), (y0, y1) = view.figure.box.viewRange()
    start, end = at(view, 0.0, 0.0), at(view, 0.6, 0.3)
    window = view.windowHandle()  # the window system's side: to ignore a button is no error there
    QTest.mousePress(window, button, pos=start)
    for step in range(1, 11):
        QTest.mouseMove(window, start + (end - start) * (step / 10.0))
    QTest.mouseRelease(window, button, pos=end)
    (a0, a1), (b0, b1) = view.figure.box.viewRange()
    moved = (0.6, 0.3) if button == Qt.MouseButton.LeftButton else (0.0, 0.0)
    assert (x0 - a0, y0 - b0) == pytest.approx(moved, abs=0.03)
    assert (a1 - a0, b1 - b0) == pytest.approx((x1 - x0, y1 - y0), rel=1e-6)
