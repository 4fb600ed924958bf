"""Drawing by hand: points along strokes, and an eraser."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeviz.core.marks import Point
from aeviz.core.settings import MOST_DRAWN, Settings
from aeviz.core.strokes import Strokes

coordinates = st.floats(-100.0, 100.0)
places = st.tuples(coordinates, coordinates)
spacings = st.floats(0.05, 20.0)
NOTHING = np.empty((0, 2))


def drawn(moves: list[Point], spacing: float, before: np.ndarray = NOTHING) -> np.ndarray:
    """The points after one stroke through these places."""
    strokes = Strokes(before)
    for place in moves:
        strokes.draw_to(place, spacing)
    return strokes.points


def test_a_click_leaves_one_point() -> None:
    assert drawn([(0.3, -2.0)], 0.1).tolist() == [[0.3, -2.0]]


def test_without_a_stroke_there_is_what_there_was() -> None:
    before = np.array([[1.0, 2.0], [3.0, 4.0]])
    strokes = Strokes(before)
    assert strokes.points.tolist() == before.tolist()
    assert Strokes(NOTHING).points.shape == (0, 2)


@given(st.lists(places, min_size=2, max_size=12), spacings)
def test_neighbours_in_a_stroke_are_the_spacing_apart_and_it_follows_the_mouse(
    moves: list[Point], spacing: float
) -> None:
    points = drawn(moves, spacing)
    assert tuple(points[0]) == moves[0]
    apart = np.hypot(*np.diff(points, axis=0).T)
    if len(points) < MOST_DRAWN:  # 1e-9: some hundred eps of coordinates up to 100
        np.testing.assert_allclose(apart, spacing, rtol=0, atol=1e-9)
        assert math.dist(points[-1], moves[-1]) < spacing + 1e-9


@given(places, places, st.lists(st.floats(0.0, 1.0), max_size=8), spacings)
def test_a_straight_stroke_is_the_same_however_often_the_mouse_is_heard_of(
    start: Point, end: Point, stops: list[float], spacing: float
) -> None:
    start_, end_ = np.array(start), np.array(end)
    path = [tuple(start_ + part * (end_ - start_)) for part in (0.0, *sorted(stops), 1.0)]
    once, often = drawn([start, end], spacing), drawn(path, spacing)
    length = math.dist(start, end)
    count = min(MOST_DRAWN, 1 + int(length / spacing))
    assert len(once) in (count, count - 1, count + 1)  # where the end is a multiple, rounding decides
    both = min(len(once), len(often))
    assert max(len(once), len(often)) <= both + 1
    np.testing.assert_allclose(once[:both], often[:both], rtol=0, atol=1e-9)
    if length > 0.0:
        along = (once - start_) @ (end_ - start_) / length
        np.testing.assert_allclose(along, spacing * np.arange(len(once)), rtol=0, atol=1e-6)


@given(places, places, spacings)
def test_another_stroke_begins_where_the_mouse_is_pressed(one: Point, other: Point, spacing: float) -> None:
    points = drawn([other], spacing, before=np.array([one]))
    assert points.tolist() == [[*one], [*other]]


def test_what_was_there_stays_first() -> None:
    before = np.array([[5.0, 5.0], [6.0, 5.0]])
    points = drawn([(0.0, 0.0), (1.0, 0.0)], 0.25, before)
    assert points.tolist() == [[5, 5], [6, 5], [0, 0], [0.25, 0], [0.5, 0], [0.75, 0], [1, 0]]


# Not too many


def test_no_more_points_are_left_than_settings_hold() -> None:
    before = np.random.default_rng(0).uniform(-1.0, 1.0, (MOST_DRAWN - 3, 2))
    strokes = Strokes(before)
    assert not strokes.is_full
    strokes.draw_to((5.0, 5.0), 0.1)
    strokes.draw_to((9.0, 5.0), 0.1)
    assert strokes.is_full
    assert len(strokes.points) == MOST_DRAWN
    np.testing.assert_allclose(strokes.points[-3:], [[5.0, 5.0], [5.1, 5.0], [5.2, 5.0]], rtol=0, atol=1e-12)
    Settings(data="drawn", drawn=tuple(strokes.points.ravel().tolist()))  # is no error
    strokes = Strokes(strokes.points)
    strokes.draw_to((0.0, 0.0), 0.1)
    assert len(strokes.points) == MOST_DRAWN
    strokes.erase((5.0, 5.0), 0.15)
    assert len(strokes.points) == MOST_DRAWN - 2
    strokes.draw_to((0.0, 1.0), 0.1)
    assert strokes.is_full, "what was erased leaves no room"


@pytest.mark.parametrize("spacing", [1e-9, 1e-300])
def test_a_view_far_away_does_not_hang_the_window(spacing: float) -> None:
    began = time.perf_counter()
    assert len(drawn([(0.0, 0.0), (1e6, -1e6), (0.0, 0.0)], spacing)) == MOST_DRAWN
    assert time.perf_counter() - began < 1.0


# The eraser


@given(st.lists(places, max_size=30), places, st.floats(0.0, 50.0))
def test_the_eraser_takes_what_lies_within_its_radius_and_nothing_else(
    points: list[Point], place: Point, radius: float
) -> None:
    strokes = Strokes(np.array(points).reshape(-1, 2))
    strokes.erase(place, radius)
    assert strokes.points.tolist() == [[*point] for point in points if math.dist(point, place) > radius]
    assert strokes.points.shape[1] == 2


def test_after_erasing_a_stroke_goes_on_where_it_was() -> None:
    strokes = Strokes(NOTHING)
    strokes.draw_to((0.0, 0.0), 1.0)
    strokes.draw_to((3.0, 0.0), 1.0)
    strokes.erase((3.0, 0.0), 0.5)
    strokes.draw_to((5.0, 0.0), 1.0)
    assert strokes.points.tolist() == [[0, 0], [1, 0], [2, 0], [4, 0], [5, 0]]
