"""Data drawn on the field with the mouse: strokes, the eraser, and what ends them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from aeviz.core.settings import MOST_DRAWN, Settings
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
# Without heat map, arrows, outline and what is under the cursor, a point's pixel has the point's colour.
PLAIN = QUICK.replace(layer="none", arrows="none", midline=False, votes=False, epochs=1_000_000)
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
START, CORNER, END = (-0.8, 0.9), (0.9, 0.9), (0.9, -0.7)  # away from the lines through the origin
APART = 9.0  # px between two points
REACH = 14.0  # px of the eraser


def drawn(desk) -> np.ndarray:
    """The points that were drawn, (N, 2)."""
    return np.reshape(desk.store.settings.drawn, (-1, 2))


def down(desk) -> None:
    """Take the pencil."""
    desk.press(Qt.Key.Key_D)
    assert desk.window.pencil.is_down


def stroke(desk, *places, button: Qt.MouseButton = LEFT) -> None:
    """Draw through places of the plane, or erase."""
    desk.drag(*(desk.at(place) for place in places), button=button)


def press(desk, place, button: Qt.MouseButton = LEFT) -> None:
    QTest.mousePress(desk.window.windowHandle(), button, pos=desk._in_window(desk.at(place)))


def release(desk, place, button: Qt.MouseButton = LEFT) -> None:
    QTest.mouseRelease(desk.window.windowHandle(), button, pos=desk._in_window(desk.at(place)))


def move(desk, start, end) -> None:
    window = desk.window.windowHandle()
    first, last = (desk._in_window(desk.at(place)) for place in (start, end))
    for step in range(1, 11):
        QTest.mouseMove(window, first + (last - first) * (step / 10.0))


@pytest.fixture
def pencil(desk):
    """A window at rest, and the pencil in the hand."""
    desk.begin(PLAIN, playing=False)
    down(desk)
    return desk


# A stroke


def test_a_stroke_becomes_the_data_and_a_run_begins_with_them(pencil):
    desk, pixel = pencil, pencil.pixel
    run = desk.run._run
    stroke(desk, START, CORNER, END)
    points = drawn(desk)
    assert desk.store.settings.data == "drawn"
    assert desk.run._run == run + 1
    np.testing.assert_array_equal(desk.run.data.points, points)
    assert points[0] == pytest.approx(START, abs=pixel)
    apart = np.hypot(*np.diff(points, axis=0).T)
    assert apart == pytest.approx(APART * pixel, rel=0.01)  # the field's width is rounded to pixels
    length = math.dist(START, CORNER) + math.dist(CORNER, END)
    assert len(points) == pytest.approx(length / (APART * pixel), abs=3)
    first = points[: len(points) // 3]
    assert first[:, 1] == pytest.approx(START[1], abs=pixel)
    assert points[-1] == pytest.approx(END, abs=(APART + 1) * pixel)
    desk.frames.clear(), desk.fields.clear()
    desk.until(lambda: desk.fields)
    np.testing.assert_array_equal(desk.fields[-1].data, points)
    assert {*desk.colours(points[::5])} == {DARK.data}
    desk.run.drive(playing=True)
    desk.until(lambda: desk.run.epoch > 20)
    assert np.isfinite(desk.run.losses).all()
    assert desk.run._run == run + 1
    assert desk.window.controls.editor("data").currentText() == "drawn"
    assert f"{len(points)} · draw" == desk.window.controls.editor("drawn").text()


def test_the_first_stroke_replaces_a_shape_and_the_next_ones_are_added(pencil):
    stroke(pencil, START, CORNER)
    first = drawn(pencil)
    stroke(pencil, END, (0.2, -0.7))
    both = drawn(pencil)
    assert len(both) > len(first) + 5
    np.testing.assert_array_equal(both[: len(first)], first)
    assert both[len(first)] == pytest.approx(END, abs=pencil.pixel)
    pencil.store.set(data="circle")
    stroke(pencil, START, CORNER)
    assert len(drawn(pencil)) < len(first) + 5, "points of long ago came back with the new stroke"


def test_the_points_are_seen_while_they_are_drawn(pencil):
    desk = pencil
    press(desk, START)
    move(desk, START, CORNER)
    places = [(x, START[1]) for x in np.linspace(START[0], CORNER[0], 200)]
    seen = [colour == DARK.data for colour in desk.colours(places)]
    assert sum(seen) > 40
    assert desk.store.settings.data == "spiral", "the stroke is not done"
    release(desk, CORNER)
    assert desk.store.settings.data == "drawn"


@pytest.mark.parametrize("clicks", [1, 2])
def test_a_click_leaves_a_point_and_drops_no_probe(clicks, pencil):
    desk = pencil
    pos = desk._in_window(desk.at(START))
    (QTest.mouseClick if clicks == 1 else QTest.mouseDClick)(desk.window.windowHandle(), LEFT, pos=pos)
    assert drawn(desk)[0] == pytest.approx(START, abs=desk.pixel)
    assert len(drawn(desk)) == clicks
    assert desk.run.probe is None
    desk.frames.clear()
    desk.run.drive(playing=True)
    desk.until(lambda: desk.frames and desk.frames[-1].epoch > 5)  # of one point, too


def test_the_view_stays_where_it_is(pencil):
    before = pencil.figure.box.viewRange()
    stroke(pencil, START, CORNER)
    stroke(pencil, START, CORNER, button=RIGHT)
    assert pencil.figure.box.viewRange() == before
    pencil.figure.box.scaleBy((0.5, 0.5))
    zoomed = pencil.figure.box.viewRange()
    stroke(pencil, (-0.3, 0.4), (0.2, 0.4))
    assert pencil.figure.box.viewRange() == zoomed
    apart = np.hypot(*np.diff(drawn(pencil)[-3:], axis=0).T)
    assert apart == pytest.approx(APART * pencil.pixel, rel=0.01)


@pytest.mark.parametrize("start", ["above", "left", "below"])
def test_a_stroke_beside_the_field_draws_nothing(start, pencil):
    desk, box = pencil, pencil.figure.box.geometry()
    middle = QPoint(round(box.center().x()), round(box.center().y()))
    beside = {
        "above": QPoint(middle.x(), 4), "left": QPoint(3, middle.y()),
        "below": QPoint(middle.x(), desk.window.view.height() - 4),
    }[start]  # fmt: skip
    before, run = desk.store.settings, desk.run._run
    for button in (LEFT, RIGHT):
        desk.drag(beside, middle, button=button)
    assert (desk.store.settings, desk.run._run) == (before, run)
    view = desk.figure.box.viewRange()
    desk.settle()
    assert desk.figure.box.viewRange() == view, "it pans"
    assert desk.run.probe is None


def test_a_stroke_that_leaves_the_field_goes_on_where_it_comes_back(pencil):
    desk, box = pencil, pencil.figure.box.geometry()
    outside = QPoint(desk.at(START).x(), 4)
    desk.drag(desk.at(START), outside, desk.at(CORNER), desk.at(END))
    points = drawn(desk)
    (x0, x1), (y0, y1) = desk.figure.box.viewRange()
    assert ((points > (x0, y0)) & (points < (x1, y1))).all()
    assert points[-1] == pytest.approx(END, abs=(APART + 1) * desk.pixel)
    assert box.contains(desk.at(END).toPointF())


# The eraser


def test_the_right_button_erases_what_is_near(pencil):
    desk = pencil
    stroke(desk, START, CORNER, END)
    points, run = drawn(desk), desk.run._run
    stroke(desk, CORNER, button=RIGHT)
    left = drawn(desk)
    away = np.hypot(*(points - CORNER).T)
    reach = REACH * desk.pixel
    assert len(left) < len(points)
    kept = (points[:, None] == left).all(axis=2).any(axis=1)
    assert not kept[away < reach - 2 * desk.pixel].any()
    assert kept[away > reach + 2 * desk.pixel].all()
    assert desk.run._run == run + 1
    np.testing.assert_array_equal(desk.run.data.points, left)


def test_where_all_is_erased_the_last_points_stay_and_it_is_said(pencil):
    desk = pencil
    stroke(desk, START, CORNER)
    points, run = drawn(desk), desk.run._run
    desk.until(lambda: desk.fields and np.array_equal(desk.fields[-1].data, points))
    desk.settle()
    press(desk, START, RIGHT)
    move(desk, START, CORNER)
    assert DARK.data not in desk.colours(points), "what is being erased is still there"
    release(desk, CORNER, RIGHT)
    assert desk.message == "the last points stay: a run needs at least one"
    np.testing.assert_array_equal(drawn(desk), points)
    assert desk.run._run == run
    assert {*desk.colours(points[::3])} == {DARK.data}, "they are not shown again"


@pytest.mark.parametrize("data", ["spiral", "circle"])
def test_the_eraser_does_nothing_to_a_shape(data, desk):
    desk.begin(PLAIN.replace(data=data), playing=False)
    points, run = desk.run.data.points, desk.run._run
    down(desk)
    stroke(desk, START, CORNER, button=RIGHT)
    assert (desk.store.settings.data, desk.run._run) == (data, run)
    shown = desk.in_view(points)[::7]
    assert {*desk.colours(shown)} == {DARK.data}


# Many


def test_no_more_points_are_drawn_than_a_run_takes(pencil):
    desk = pencil
    before = np.random.default_rng(0).uniform(-1.0, 1.0, (MOST_DRAWN - 5, 2))
    desk.store.set(data="drawn", drawn=tuple(before.ravel().tolist()))
    desk.figure.home()
    stroke(desk, START, CORNER)
    points = drawn(desk)
    assert len(points) == MOST_DRAWN
    np.testing.assert_array_equal(points[:-5], before)
    assert points[-5] == pytest.approx(START, abs=desk.pixel)
    run = desk.run._run
    stroke(desk, CORNER, END)
    np.testing.assert_array_equal(drawn(desk), points)
    assert desk.run._run == run, "a run begins though nothing was drawn"
    stroke(desk, (0.0, 0.0), (0.3, 0.3), button=RIGHT)
    assert len(drawn(desk)) < MOST_DRAWN


# While the run trains


def test_a_stroke_can_be_drawn_while_the_run_trains(desk):
    desk.begin(PLAIN)
    desk.until(lambda: desk.run.epoch > 10)
    down(desk)
    press(desk, START)
    move(desk, START, CORNER)
    epoch = desk.run.epoch
    desk.until(lambda: desk.run.epoch > epoch + 5)  # it goes on
    move(desk, CORNER, END)
    release(desk, END)
    points, run = drawn(desk), desk.run._run
    assert desk.run.epoch == 0
    desk.frames.clear(), desk.fields.clear()
    desk.until(lambda: desk.frames and desk.frames[-1].epoch > 10)
    assert {frame.run for frame in desk.frames} == {run}
    np.testing.assert_array_equal(desk.fields[-1].data, points)
    assert desk.run.playing


def test_a_frame_that_comes_while_a_stroke_is_drawn_leaves_it_there(desk):
    desk.begin(PLAIN)
    down(desk)
    press(desk, START)
    move(desk, START, CORNER)
    count = len(desk.frames)
    desk.until(lambda: len(desk.frames) > count + 2)
    places = [(x, START[1]) for x in np.linspace(START[0], CORNER[0], 200)]
    seen = sum(colour == DARK.data for colour in desk.colours(places))
    release(desk, CORNER)
    assert seen > 40


# In other units


@pytest.mark.parametrize("change", [{"standardise": True}, {"cost": "bce", "output": "sigmoid"}], ids=str)
def test_what_is_drawn_is_under_the_mouse_whatever_the_data_are_mapped_to(change, desk):
    desk.begin(PLAIN.replace(**change), playing=False)
    down(desk)

    def place(across: float, up: float) -> tuple[float, float]:
        (x0, x1), (y0, y1) = desk.figure.box.viewRange()
        return x0 + across * (x1 - x0), y0 + up * (y1 - y0)

    stroke(desk, place(0.2, 0.3), place(0.7, 0.4), place(0.6, 0.8))
    first = drawn(desk)
    scale, offset = desk.run.data.scale, desk.run.data.offset
    np.testing.assert_allclose(offset + scale * desk.run.data.points, first, rtol=0, atol=1e-9)
    if "cost" in change:
        assert desk.run.data.points.min() >= 0.0
        assert desk.run.data.points.max() <= 1.0
    else:
        np.testing.assert_allclose(desk.run.data.points.std(axis=0), 1.0, rtol=0, atol=1e-9)
    shown = desk.in_view(desk.run.data.points)
    assert len(shown) == len(first), "the view does not follow"
    start, end, pixel = place(0.3, 0.7), place(0.75, 0.7), desk.pixel
    press(desk, start)
    move(desk, start, end)
    places = np.column_stack((np.linspace(start[0], end[0], 200), np.full(200, start[1])))
    assert sum(colour == DARK.data for colour in desk.colours(places)) > 25, "not where the mouse is"
    release(desk, end)
    added = drawn(desk)[len(first) :]
    np.testing.assert_array_equal(drawn(desk)[: len(first)], first)
    assert added[0] == pytest.approx(offset + scale * start, abs=float(2 * desk.pixel * scale.max()))
    assert added[:, 1] == pytest.approx(added[0, 1], abs=float(2 * desk.pixel * scale.max()))
    assert np.diff(added[:, 0]) == pytest.approx(float(APART * pixel * scale.min()), rel=0.02)
    desk.run.drive(playing=True)
    desk.until(lambda: desk.run.epoch > 10)
    assert np.isfinite(desk.run.losses).all()


# The pencil in and out of the hand


@pytest.mark.parametrize("out", ["D", "Esc", "Done"])
def test_the_pencil_is_put_away(out, desk):
    desk.begin(PLAIN, playing=False)
    before = desk.store.settings
    down(desk)
    notice = desk.window.notice
    assert notice.isVisible()
    assert notice.text.text().startswith("Drawing: the left button adds points, the right one erases them")
    assert desk.window.view.cursor().shape() == Qt.CursorShape.CrossCursor
    stroke(desk, START, CORNER)
    assert notice.isVisible(), "how to draw is no longer said after the first stroke"
    match out:
        case "D":
            desk.press(Qt.Key.Key_D)
        case "Esc":
            desk.press(Qt.Key.Key_Escape)
        case "Done":
            QTest.mouseClick(notice.button, LEFT)
    assert not desk.window.pencil.is_down
    assert not notice.isVisible()
    assert desk.window.view.cursor().shape() != Qt.CursorShape.CrossCursor
    points = drawn(desk)
    view = desk.figure.box.viewRange()
    stroke(desk, END, (0.2, -0.2))
    assert desk.figure.box.viewRange() != view, "the mouse does not move the field again"
    np.testing.assert_array_equal(drawn(desk), points)
    desk.click((0.4, 0.4))
    assert desk.run.probe is not None
    assert desk.store.settings == before.replace(data="drawn", drawn=tuple(points.ravel().tolist()))


def test_the_panels_button_takes_the_pencil_too(desk):
    desk.window.controls.draw_wanted.emit()
    assert desk.window.pencil.is_down
    stroke(desk, START, CORNER)
    button = desk.window.controls.editor("drawn")
    assert button.isVisible()
    button.click()
    assert desk.window.pencil.is_down, "it is put away where it is in the hand already"


def test_the_wheel_still_zooms_and_the_cursor_is_still_told(pencil):
    pencil.hover((0.3, 0.4))
    pencil.until(lambda: pencil.frames and pencil.frames[-1].marks.cursor is not None)
    box, at = pencil.figure.box, QPointF(pencil.at((0.3, 0.4)))
    (x0, x1), _ = box.viewRange()
    viewport, nothing = pencil.window.view.viewport(), QPoint()
    wheel = QWheelEvent(
        at, QPointF(viewport.mapToGlobal(at.toPoint())), nothing, QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, wheel)
    (low, high), _ = box.viewRange()
    assert x0 < low < high < x1, "it does not zoom"
    assert drawn(pencil).size == 0, "a stroke without a button"


@pytest.mark.parametrize("key", [Qt.Key.Key_D, Qt.Key.Key_Escape])
def test_a_key_in_the_middle_of_a_stroke_ends_it(key, pencil):
    desk = pencil
    press(desk, START)
    move(desk, START, CORNER)
    desk.press(key)
    release(desk, CORNER)
    points = drawn(desk)
    down(desk)
    move(desk, CORNER, END)  # no button is down
    np.testing.assert_array_equal(drawn(desk), points)
    places = [(CORNER[0], y) for y in np.linspace(CORNER[1], END[1], 200)]
    assert sum(colour == DARK.data for colour in desk.colours(places)) < 10


def test_both_buttons_at_once_harm_nothing(pencil):
    desk = pencil
    stroke(desk, START, CORNER)
    before = len(drawn(desk))
    press(desk, END)
    press(desk, END, RIGHT)
    move(desk, END, (0.2, -0.7))
    release(desk, (0.2, -0.7), RIGHT)
    move(desk, (0.2, -0.7), (0.1, -0.7))
    release(desk, (0.1, -0.7))
    assert len(drawn(desk)) >= before - 5
    stroke(desk, (-0.6, -0.6), (-0.2, -0.6))
    assert drawn(desk)[-1] == pytest.approx((-0.2, -0.6), abs=(APART + 1) * desk.pixel)
