"""Each shape of the built-in data against its formula, its symmetries and its neighbours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fields import spiral
from hypothesis import given
from hypothesis import strategies as st

from aeviz.core.manifolds import BITS, CLOSED, CURVES, FloatArray

ROUNDING = 1e-14  # some eps of radii up to 4.5
every_curve = pytest.mark.parametrize("name", CURVES)


def piece_of(name: str, points: int, turns: float = 1.5) -> FloatArray:
    """The points of a shape that is a single piece."""
    (piece,) = CURVES[name](points, turns)
    return piece


def radius_and_angle(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Polar coordinates, the angle without jumps."""
    return np.hypot(*points.T), np.unwrap(np.arctan2(points[:, 1], points[:, 0]))


# All of them


@every_curve
@given(st.integers(1, 300), st.floats(0.25, 4.0))
def test_a_shape_has_as_many_points_as_are_asked_for(name: str, points: int, turns: float) -> None:
    pieces = CURVES[name](points, turns)
    assert all(piece.shape[1:] == (2,) and np.isfinite(piece).all() for piece in pieces)
    counts = [len(piece) for piece in pieces]
    assert sum(counts) == points
    assert len(counts) == (2 if name in ("two-spirals", "moons") else 1)
    assert counts == sorted(counts, reverse=True)  # an odd one goes to the first piece
    assert counts[0] - counts[-1] <= 1


@every_curve
def test_points_are_in_order_and_lie_on_the_dense_curve(name: str) -> None:
    for few, dense in zip(CURVES[name](75, 1.5), CURVES[name](20_000, 1.5), strict=True):
        away = np.hypot(*(few[:, None] - dense).transpose(2, 0, 1))  # (N, K)
        spacing = np.hypot(*np.diff(dense, axis=0).T).max()
        assert away.min(axis=1).max() <= 0.5 * spacing * 1.001  # on it, between two of its samples
        assert (np.diff(away.argmin(axis=1)) > 100).all()  # one after the other, and none twice
        assert away.argmin(axis=1)[0] == 0


@every_curve
def test_curves_are_closed_or_not_as_they_say(name: str) -> None:
    for piece in CURVES[name](1_000, 1.5):
        steps = np.hypot(*np.diff(piece, axis=0).T)
        gap = np.hypot(*(piece[0] - piece[-1]))
        assert (gap < 1.001 * steps.max()) == (name in CLOSED)
        assert name in CLOSED or gap > 0.25 * np.ptp(piece, axis=0).max()
        # No point comes twice, but for the one at which the eight crosses itself.
        assert len(np.unique(piece.round(9), axis=0)) == len(piece) - (name == "eight")
    assert set(CLOSED) == {"circle", "eight"}


@pytest.mark.parametrize("name", CURVES | BITS)
def test_turns_wind_spirals_alone(name: str) -> None:
    one, other = ((CURVES | BITS)[name](50, turns) for turns in (0.5, 3.0))
    same = all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert same == (name not in ("spiral", "two-spirals"))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("spiral", (0.5, 0.0)), ("two-spirals", (0.5, 0.0)), ("circle", (1.5, 0.0)),
        ("moons", (0.75, -0.375)), ("s-curve", (1.0, 1.0)), ("line", (-1.6, -0.8)), ("eight", (1.8, 0.0)),
        ("alain-bengio", (0.12 * math.sin(3.0), 0.12 * math.cos(3.0))),
    ],
)  # fmt: skip
def test_a_single_point_is_the_beginning(name: str, first: tuple[float, float]) -> None:
    points = np.concatenate(CURVES[name](1, 1.5))
    assert points.shape == (1, 2)
    assert np.abs(points[0] - first).max() < ROUNDING
    assert np.array_equal(points[0], CURVES[name](20, 1.5)[0][0])


# The lecture's spiral


def test_the_lectures_spiral_runs_from_a_half_to_minus_two() -> None:
    curve = spiral(151)
    assert curve.shape == (151, 2)
    assert np.abs(curve[0] - (0.5, 0.0)).max() < ROUNDING
    assert np.abs(curve[-1] - (-2.0, 0.0)).max() < ROUNDING


def test_the_spiral_runs_counter_clockwise_in_equal_angles() -> None:
    _, angle = radius_and_angle(spiral(151))
    assert np.abs(np.diff(angle) - 3.0 * np.pi / 150).max() < ROUNDING


@given(st.integers(2, 400), st.floats(0.25, 4.0))
def test_the_radius_grows_evenly_with_the_angle(points: int, turns: float) -> None:
    curve = spiral(points, turns)
    theta = np.arange(points) / (points - 1) * 2.0 * np.pi * turns
    assert np.abs(np.hypot(*curve.T) - (0.5 + theta / (2.0 * np.pi))).max() < ROUNDING
    assert (
        np.abs(curve - np.hypot(*curve.T)[:, None] * np.stack((np.cos(theta), np.sin(theta)), 1)).max()
        < 1e-13
    )


def test_neighbouring_arms_are_one_apart() -> None:
    curve = spiral(201, 2.0)  # 100 points a turn
    radius, angle = radius_and_angle(curve)
    assert np.abs(angle[100:] - angle[:-100] - 2.0 * np.pi).max() < 1e-13
    assert np.abs(radius[100:] - radius[:-100] - 1.0).max() < ROUNDING


# Two spirals


def test_two_spirals_are_mirror_images_whose_arms_are_one_apart() -> None:
    first, second = CURVES["two-spirals"](802, 2.0)  # 100 points half a turn
    assert np.array_equal(second, -first)
    radius, angle = radius_and_angle(first)
    assert np.abs(radius - 0.5 - np.arange(401) / 100).max() < ROUNDING
    assert np.abs(angle - np.pi * np.arange(401) / 100).max() < 1e-13
    # Half a turn on, where the other one is: it began half a turn later, and is 1 farther in.
    inner, outer = second[:-100], first[100:]
    assert np.abs(np.hypot(*outer.T) - np.hypot(*inner.T) - 1.0).max() < ROUNDING
    assert np.abs(outer / np.hypot(*outer.T)[:, None] - inner / np.hypot(*inner.T)[:, None]).max() < 1e-13


def test_of_an_odd_number_the_first_spiral_has_one_more() -> None:
    first, second = CURVES["two-spirals"](5, 0.5)
    assert np.abs(first - [[0.5, 0.0], [0.0, 1.0], [-1.5, 0.0]]).max() < ROUNDING
    assert np.abs(second - [[-0.5, 0.0], [1.5, 0.0]]).max() < ROUNDING


# Closed ones


@given(st.integers(1, 300))
def test_the_circle_is_round_and_even(points: int) -> None:
    found = piece_of("circle", points)
    assert np.abs(np.hypot(*found.T) - 1.5).max() < ROUNDING
    k = np.arange(points)
    assert np.abs(found[:, 0] - 1.5 * np.cos(2.0 * np.pi * k / points)).max() < ROUNDING
    assert np.abs(found[:, 1] - 1.5 * np.sin(2.0 * np.pi * k / points)).max() < ROUNDING
    # Neighbours are equally far apart, the last and the first too.
    steps = np.hypot(*(np.roll(found, -1, axis=0) - found).T)
    assert np.abs(steps - 3.0 * np.sin(np.pi / points)).max() < 1e-14


def test_four_points_of_the_circle_are_on_its_axes() -> None:
    assert np.abs(piece_of("circle", 4) - [[1.5, 0.0], [0.0, 1.5], [-1.5, 0.0], [0.0, -1.5]]).max() < 1e-15


@given(st.integers(1, 300))
def test_the_eight_is_geronos_lemniscate(points: int) -> None:
    """x⁴ = a²(x² − y²), and no other curve."""
    x, y = piece_of("eight", points).T
    assert np.abs(x**4 - 1.8**2 * (x**2 - y**2)).max() < 1e-14  # some eps of 1.8⁴, 10
    assert np.abs(x).max() == x[0] == 1.8
    assert np.abs(y).max() < 0.9 + 1e-15


def test_the_eight_crosses_itself_at_the_origin_and_goes_once_round_each_half() -> None:
    found = piece_of("eight", 8)
    r, h = 1.8 * np.sqrt(0.5), 0.9
    corners = [[1.8, 0.0], [r, h], [0.0, 0.0], [-r, -h], [-1.8, 0.0], [-r, h], [0.0, 0.0], [r, -h]]
    assert np.abs(found - corners).max() < 1e-15


# Open ones


@pytest.mark.parametrize("points", [2, 3, 10, 101])
def test_the_moons_are_those_of_scikit_learn(points: int) -> None:
    """Its make_moons, written out; then moved to the middle and 1.5 times as large."""
    upper, lower = CURVES["moons"](points, 1.5)
    outer, inner = points - points // 2, points // 2
    expected = []
    for k in range(outer):
        angle = math.pi * k / (outer - 1) if outer > 1 else 0.0
        expected.append((math.cos(angle), math.sin(angle)))
    for k in range(inner):
        angle = math.pi * k / (inner - 1) if inner > 1 else 0.0
        expected.append((1.0 - math.cos(angle), 1.0 - math.sin(angle) - 0.5))
    expected = 1.5 * (np.array(expected) - (0.5, 0.25))
    assert np.abs(np.concatenate((upper, lower)) - expected).max() < 1e-15
    for moon, centre in ((upper, (-0.75, -0.375)), (lower, (0.75, 0.375))):
        assert np.abs(np.hypot(*(moon - centre).T) - 1.5).max() < 1e-15


def test_the_moons_lie_about_the_middle() -> None:
    upper, lower = CURVES["moons"](2_002, 1.5)
    assert np.abs(upper + lower).max() < 1e-15  # one is the other, turned by half a turn
    assert upper[:, 1].min() >= -0.375
    assert abs(upper[500, 1] - 1.125) < 1e-15


@pytest.mark.parametrize("points", [1, 2, 3, 10, 101])
def test_the_s_curve_is_that_of_scikit_learn(points: int) -> None:
    """Its make_s_curve from the side, at even steps and not by chance: t from −1.5π to 1.5π."""
    found = piece_of("s-curve", points)
    for k, (x, y) in enumerate(found):
        t = 3.0 * math.pi * ((k / (points - 1) if points > 1 else 0.0) - 0.5)
        sign = (t > 0.0) - (t < 0.0)
        assert abs(x - math.sin(t)) < 1e-14
        assert abs(y - sign * (math.cos(t) - 1.0)) < 1e-14
        assert abs(math.hypot(x, y + sign) - (1.0 if sign else 0.0)) < 1e-14  # two circles, one on the other
    assert np.abs(found + found[::-1]).max() < 1e-14 or points == 1


def test_the_line_is_straight_and_even() -> None:
    found = piece_of("line", 33)
    assert np.abs(found[:, 1] - 0.5 * found[:, 0]).max() == 0.0
    assert np.abs(np.diff(found[:, 0]) - 0.1).max() < ROUNDING
    assert found[[0, -1]].tolist() == [[-1.6, -0.8], [1.6, 0.8]]


def test_the_spiral_of_alain_and_bengio() -> None:
    """0.04·t·(sin t, cos t), t from 3 to 15: clockwise, its arms a quarter apart."""
    found = piece_of("alain-bengio", 1_201)
    t = 3.0 + 0.01 * np.arange(1_201)
    radius, angle = radius_and_angle(found)
    assert np.abs(radius - 0.04 * t).max() < ROUNDING
    assert np.abs(np.diff(angle) + 0.01).max() < 1e-13
    for k in (0, 600, 1_200):
        assert np.abs(found[k] - 0.04 * t[k] * np.array([math.sin(t[k]), math.cos(t[k])])).max() < ROUNDING
    assert abs(0.04 * 2.0 * math.pi - 0.25) < 0.002


# Bits


@pytest.mark.parametrize("points", [1, 4, 151])
def test_bits_are_all_there_however_many_points_are_asked_for(points: int) -> None:
    (corners,), (xor,) = BITS["corners"](points, 1.5), BITS["xor"](points, 1.5)
    assert corners.tolist() == [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    assert xor.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert set(BITS) == {"corners", "xor"}
    assert not set(BITS) & set(CURVES)
