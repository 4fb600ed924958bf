"""The field under the mouse."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.marks import Marks
from aeviz.core.settings import Settings
from aeviz.figure.figure import MOST_ZOOM
from aeviz.figure.view import FieldView

SETTINGS = Settings(grid=(10, 8), extent=(-1.9, 1.7, -1.3, 1.5))


@pytest.fixture
def view(open_view):
    return open_view(SETTINGS, 700, 600)


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
    assert view.figure.grid_in_view() != Grid.home(SETTINGS, clean_data(SETTINGS))
    QTest.mouseDClick(view.windowHandle(), Qt.MouseButton.LeftButton, pos=place)
    assert view.figure.grid_in_view() == Grid.home(SETTINGS, clean_data(SETTINGS))


@pytest.mark.parametrize("notches", [5, -5])
def test_at_the_limit_of_the_zoom_the_wheel_leaves_the_view_where_it_is(notches, view):
    (x0, x1), _ = view.figure.box.viewRange()
    place = at(view, 1.2, 0.9)
    for _ in range(300):
        turn(view, place, notches)
    limit, ((a0, a1), _) = view.figure.box.viewRange(), view.figure.box.viewRange()
    assert max((a1 - a0) / (x1 - x0), (x1 - x0) / (a1 - a0)) == pytest.approx(MOST_ZOOM, rel=0.02)
    turn(view, at(view, a0 + 0.2 * (a1 - a0), 0.9), notches)
    turn(view, place + QPoint(-150, 60), notches)
    assert view.figure.box.viewRange() == limit
    turn(view, place, -notches)
    assert view.figure.box.viewRange() != limit, "there is no way back"


def test_a_resting_mouse_is_told_anew_where_it_is_when_the_view_moves(view):
    hovered: list[tuple[float, float] | None] = []
    place = at(view, 0.7, -0.4)
    view.hovered.connect(hovered.append)
    for point in (QPoint(2, 2), place):  # where it is already it cannot be moved to
        QTest.mouseMove(view.viewport(), point)
    hovered.clear()
    near = 2 * pixel(view)
    turn(view, place, 5)
    assert hovered[-1] == pytest.approx((0.7, -0.4), abs=near)  # the wheel zooms about it
    assert (at(view, *hovered[-1]) - place).manhattanLength() <= 1
    view.figure.box.translateBy((0.3, 0.1))
    assert hovered[-1] == pytest.approx((1.0, -0.3), abs=near)
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    hovered.clear()
    turn(view, place, -2)
    assert hovered == [], "there is no mouse over the field"


def test_the_wheel_beside_the_field_does_nothing(view):
    before = view.figure.box.viewRange()
    turn(view, QPoint(2, 2), 5)
    assert view.figure.box.viewRange() == before


def drag(view, start, end, button=Qt.MouseButton.LeftButton):
    window = view.windowHandle()  # the window system's side: to ignore a button is no error there
    QTest.mousePress(window, button, pos=start)
    for step in range(1, 11):
        QTest.mouseMove(window, start + (end - start) * (step / 10.0))
    QTest.mouseRelease(window, button, pos=end)


@pytest.fixture
def quick_mouse(monkeypatch):
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)  # this mouse is faster than a hand


@pytest.mark.usefixtures("quick_mouse")
@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_a_left_drag_pans_and_a_right_drag_distorts_nothing(button, view):
    (x0, x1), (y0, y1) = view.figure.box.viewRange()
    drag(view, at(view, 0.0, 0.0), at(view, 0.6, 0.3), button)
    (a0, a1), (b0, b1) = view.figure.box.viewRange()
    moved = (0.6, 0.3) if button == Qt.MouseButton.LeftButton else (0.0, 0.0)
    assert (x0 - a0, y0 - b0) == pytest.approx(moved, abs=0.03)
    assert (a1 - a0, b1 - b0) == pytest.approx((x1 - x0, y1 - y0), rel=1e-6)


# Probe and cloud


@pytest.fixture
def said(view):
    """What the view wants, as it says it."""
    wanted: list[tuple[str, tuple[float, float] | None]] = []
    view.probed.connect(lambda place: wanted.append(("probe", place)))
    view.clouded.connect(lambda place: wanted.append(("cloud", place)))
    return wanted


def pixel(view: FieldView) -> float:
    (x0, x1), _ = view.figure.box.viewRange()
    return (x1 - x0) / view.figure.box.geometry().width()


@pytest.mark.parametrize(
    ("button", "wanted"), [(Qt.MouseButton.LeftButton, "probe"), (Qt.MouseButton.RightButton, "cloud")]
)
def test_a_left_click_drops_a_probe_a_right_click_a_cloud(button, wanted, view, said):
    before = view.figure.box.viewRange()
    QTest.mouseClick(view.windowHandle(), button, pos=at(view, 0.7, -0.4))
    assert said == [(wanted, pytest.approx((0.7, -0.4), abs=2 * pixel(view)))]
    assert view.figure.box.viewRange() == before


def test_a_click_beside_the_field_drops_nothing(view, said):
    for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
        QTest.mouseClick(view.windowHandle(), button, pos=QPoint(3, 3))
    assert said == []


def at_half(view: FieldView, panel: int, x: float, y: float) -> QPoint:
    """Where a place of the plane is in one half of the widget."""
    box = view.figure.panels[panel].box
    return view.mapFromScene(box.mapToScene(box.mapFromView(QPointF(x, y))))


@pytest.mark.parametrize("panel", [0, 1])
def test_either_half_takes_mouse_and_wheel(panel, view, said):
    view.figure.set_settings(SETTINGS.replace(compare="split"))
    hovered = []
    view.hovered.connect(hovered.append)
    place = at_half(view, panel, 0.7, -0.4)
    QTest.mouseMove(view.viewport(), place)
    QTest.mouseClick(view.windowHandle(), Qt.MouseButton.LeftButton, pos=place)
    here = pytest.approx((0.7, -0.4), abs=2 * pixel(view))
    assert said == [("probe", here)]
    assert hovered[-1] == here
    turn(view, place, 5)
    one, other = (box.viewRange() for box in view.figure.boxes)
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
    assert one[0][1] - one[0][0] < 3.0
    assert (at_half(view, panel, 0.7, -0.4) - place).manhattanLength() <= 2


def test_a_double_click_leaves_no_probe(view, said):
    QTest.mouseDClick(view.windowHandle(), Qt.MouseButton.LeftButton, pos=at(view, 0.5, 0.5))
    assert said[0][1] is not None
    assert said[-1] == ("probe", None)


def test_a_double_click_puts_back_the_probe_that_was_there(view, said, field):
    def show(place: tuple[float, float]) -> None:
        view.figure.set_field(field(SETTINGS), Marks(path=np.array([place, (0.9, 0.8)])))

    show((0.2, 0.1))
    view.probed.connect(show)  # what the first of the two clicks drops is shown before the second comes
    QTest.mouseDClick(view.windowHandle(), Qt.MouseButton.LeftButton, pos=at(view, 0.5, 0.5))
    assert [place for _, place in said] == [pytest.approx((0.5, 0.5), abs=2 * pixel(view)), (0.2, 0.1)]


@pytest.mark.usefixtures("quick_mouse")
def test_the_probe_is_dragged_and_the_view_stays(view, said, field):
    view.figure.set_field(field(SETTINGS), Marks(path=np.array([[0.2, 0.1], [0.9, 0.8]])))
    before = view.figure.box.viewRange()
    drag(view, at(view, 0.2, 0.1) + QPoint(4, -3), at(view, -1.0, 1.0))  # taken by its ring
    assert {kind for kind, _ in said} == {"probe"}
    assert said[-1][1] == pytest.approx((-1.0, 1.0), abs=2 * pixel(view))
    assert len({place for _, place in said}) > 5, "it does not follow the mouse"
    assert view.figure.box.viewRange() == before


@pytest.mark.usefixtures("quick_mouse")
@pytest.mark.parametrize(
    ("start", "button"),
    [((1.2, -0.5), Qt.MouseButton.LeftButton), ((0.9, 0.8), Qt.MouseButton.LeftButton),
     ((0.2, 0.1), Qt.MouseButton.RightButton)],
    ids=["elsewhere", "the path's end", "with the right button"],
)  # fmt: skip
def test_other_drags_leave_the_probe_where_it_is(start, button, view, said, field):
    view.figure.set_field(field(SETTINGS), Marks(path=np.array([[0.2, 0.1], [0.9, 0.8]])))
    (x0, _), (y0, _) = view.figure.box.viewRange()
    drag(view, at(view, *start), at(view, *start) + QPoint(-60, 40), button)
    assert said == []
    (x1, _), (y1, _) = view.figure.box.viewRange()
    panned = button == Qt.MouseButton.LeftButton
    assert (x1 != x0, y1 != y0) == (panned, panned)


@pytest.mark.usefixtures("quick_mouse")
def test_a_probe_that_was_taken_away_cannot_be_dragged(view, said, field):
    view.figure.set_field(field(SETTINGS), Marks(path=np.array([[0.2, 0.1], [0.9, 0.8]])))
    view.figure.set_field(field(SETTINGS))
    before = view.figure.box.viewRange()
    drag(view, at(view, 0.2, 0.1), at(view, 0.8, 0.4))
    assert said == []
    assert view.figure.box.viewRange() != before
