"""The geometric midlines of closed curves and of several pieces, in closed form and by brute force."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from fields import midline_of
from scipy.spatial import KDTree

from aeviz.core.clean_data import clean_data
from aeviz.core.manifolds import CURVES, FloatArray
from aeviz.core.midline import APART, Midline
from aeviz.core.settings import Settings

SHAPES = ["two-spirals", "moons", "eight", "s-curve", "alain-bengio", "spiral"]
SAMPLES = 20_000  # of the curve, ten times as many as the midline is made of


@cache
def midline(name: str) -> Midline:
    return midline_of(Settings(data=name))


class Curve:
    """Dense samples of a shape, how far apart they lie along it, and how much it bends at most."""

    def __init__(self, name: str) -> None:
        pieces = CURVES[name](SAMPLES, 1.5)
        self.points = np.concatenate(pieces)
        self._piece = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
        lengths = [np.hypot(*np.diff(piece, axis=0).T) for piece in pieces]
        self._along = np.concatenate([np.concatenate(([0.0], each.cumsum())) for each in lengths])
        self.spacing = max(each.max() for each in lengths)
        self.bend = max(map(_bend, pieces))
        round_ = lengths[0].sum() + np.hypot(*(self.points[0] - self.points[-1]))
        self._round = round_ if clean_data(Settings(data=name)).closed else np.inf
        self.size = np.ptp(self.points, axis=0).max()
        self.tree = KDTree(self.points)

    def ratio(self, i: FloatArray, j: FloatArray) -> FloatArray:
        """The way from samples i to j along the curve, over their distance; infinite between pieces."""
        way = np.abs(self._along[i] - self._along[j])
        way = np.minimum(way, np.abs(self._round - way))
        chord = np.hypot(*(self.points[i] - self.points[j]).T)
        ratio = np.divide(way, chord, out=np.ones_like(way), where=chord > 0.0)
        return np.where(self._piece[i] != self._piece[j], np.inf, ratio)


@cache
def curve(name: str) -> Curve:
    return Curve(name)


def slip(of: Curve, distance: FloatArray) -> FloatArray:
    """How much farther the midline's own samples, ten times fewer, may be than the curve from a place.

    Half of their step u to the side, by u²/2·(1/distance + bend) where the curve bends away from the place;
    and a tenth of that for these samples here.
    """
    return 1.1 * 0.5 * (5.0 * of.spacing) ** 2 * (1.0 / distance + of.bend)


@pytest.mark.parametrize("name", SHAPES)
def test_a_place_of_the_midline_is_as_near_to_two_far_apart_parts(name: str) -> None:
    """The nearest sample, and the nearest of those that lie apart from it along the curve."""
    of, found = curve(name), midline(name)
    every = np.arange(SAMPLES)
    assert len(found.places) > 80
    corners = np.concatenate([line[1:-1] for line in found.lines])
    for place in np.concatenate((found.places, corners)):
        distance = np.hypot(*(of.points - place).T)
        nearest = int(distance.argmin())
        # A little less than what the midline's samples have to be: they are not these ones.
        apart = of.ratio(np.full(SAMPLES, nearest), every) > 0.97 * APART
        other = int(np.flatnonzero(apart)[distance[apart].argmin()])
        assert distance[other] - distance[nearest] < slip(of, distance[nearest])


@pytest.mark.parametrize("name", SHAPES)
def test_half_gaps_and_directions_are_those_of_the_curve(name: str) -> None:
    of, found = curve(name), midline(name)
    distance, nearest = of.tree.query(found.places)
    assert (np.abs(found.half_gap - distance) < slip(of, distance)).all()
    assert np.abs(np.hypot(*found.across.T) - 1.0).max() < 1e-12
    # Across: the mirror image of the nearest point is on the curve, too. The direction is that between two
    # samples, each up to half a step from where it should be, and so turned by up to half a step.
    towards = of.points[nearest] - found.places
    mirrored = found.places + towards - 2.0 * (towards * found.across).sum(axis=1)[:, None] * found.across
    assert of.tree.query(mirrored)[0].max() < 20.0 * of.spacing


@pytest.mark.parametrize("name", SHAPES)
def test_the_midline_is_wherever_the_nearest_part_of_the_curve_jumps(name: str) -> None:
    """From one cell of a grid to the next, the nearest sample jumps along the curve, or it does not."""
    of, found = curve(name), midline(name)
    reach = 0.6 * of.size
    axis = np.linspace(-reach, reach, 121)
    h = axis[1] - axis[0]
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    _, nearest = of.tree.query(grid)
    drawn = KDTree(np.concatenate([_between(line, 0.1 * h) for line in found.lines]))
    far, near = [], []
    for one, other, here, there in (
        (nearest[:, :-1], nearest[:, 1:], grid[:, :-1], grid[:, 1:]),
        (nearest[:-1], nearest[1:], grid[:-1], grid[1:]),
    ):
        ratio = of.ratio(one.ravel(), other.ravel())
        middles = 0.5 * (here + there).reshape(-1, 2)
        far.append(middles[ratio > 1.2 * APART])
        near.append(middles[ratio > 0.9 * APART])
    assert sum(map(len, far)) > 100
    # A jump is within half a cell of the midline, but for how much a chord of 2 % of the size cuts off
    # where the midline turns by up to 45° on its way: 0.02·tan(22.5°)/2.
    cut = 4e-3 * of.size
    assert drawn.query(np.concatenate(far))[0].max() < 0.5 * h + cut
    # And each place of the midline has a jump within a cell's diagonal.
    inside = np.abs(drawn.data).max(axis=1) < reach - h
    assert inside.sum() > 100
    assert KDTree(np.concatenate(near)).query(drawn.data[inside])[0].max() < np.sqrt(2.0) * h + cut


def _bend(piece: FloatArray) -> float:
    """The greatest curvature, one over a radius."""
    steps = np.diff(piece, axis=0)
    direction = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    return float((np.abs(np.diff(direction)) / np.hypot(*steps[1:].T)).max())


def _between(line: FloatArray, spacing: float) -> FloatArray:
    """Points of a line, so far apart at most."""
    return np.concatenate([
        np.linspace(a, b, 2 + int(np.hypot(*(b - a)) / spacing)) for a, b in itertools.pairwise(line)
    ])  # fmt: skip


# In closed form


def test_a_circle_has_no_midline() -> None:
    """All its points are as near to the middle, but none has another one that faces it."""
    found = midline("circle")
    assert found.lines == ()
    assert found.places.shape == (0, 2)


def ellipse(a: float, b: float, samples: int = 4_000) -> FloatArray:
    t = 2.0 * np.pi * np.arange(samples) / samples
    return np.stack((a * np.cos(t), b * np.sin(t)), axis=1)


@pytest.mark.parametrize("shift", [0, 700, 1_999])
def test_the_midline_of_an_ellipse_is_a_part_of_its_longer_axis(shift: int) -> None:
    """Its medial axis is |x| ≤ (a² − b²)/a, at x b·√(1 − x²/(a² − b²)) away from it, wherever it begins."""
    a, b = 3.0, 1.0
    found = Midline.of((np.roll(ellipse(a, b), shift, axis=0),), closed=True)
    (line,) = found.lines
    spacing = 2.0 * np.pi * a / 4_000
    for places in (line, found.places):
        assert np.abs(places[:, 1]).max() < spacing**2
        assert np.abs(places[:, 0]).max() < (a**2 - b**2) / a
    x = found.places[:, 0]
    assert np.abs(found.half_gap - b * np.sqrt(1.0 - x**2 / (a**2 - b**2))).max() < spacing**2
    assert np.abs(np.abs(found.across) - (0.0, 1.0)).max() < spacing
    # It ends where the way round the end is 1.5 times as long as the way across: that touches at
    # x·a²/(a² − b²), so its end is found by bisection.
    end = _where_the_way_round_is(APART, a, b)
    assert np.abs(np.sort(line[[0, -1], 0]) - (-end, end)).max() < 3.0 * spacing
    assert 1.0 < end < (a**2 - b**2) / a


def _where_the_way_round_is(times: float, a: float, b: float) -> float:
    """x on the axis, whose nearest points have so many times their distance as way between them."""
    dense = ellipse(a, b, 400_000)[:100_000]  # t from 0 to π/2, from the end on
    half = np.concatenate(([0.0], np.hypot(*np.diff(dense, axis=0).T).cumsum()))
    ratio = half[1:] / dense[1:, 1]  # half the way over half the distance
    touching = dense[1 + int(ratio.searchsorted(times)), 0]
    return float(touching * (a**2 - b**2) / a**2)


def test_a_curve_that_is_not_known_to_be_closed_has_a_midline_to_its_seam() -> None:
    a, b = 3.0, 1.0
    open_, closed = (Midline.of((ellipse(a, b),), closed=closed) for closed in (False, True))
    ends = [line[[0, -1], 0] for line in (*open_.lines, *closed.lines)]
    assert max(map(np.max, ends[:-1])) > 0.98 * (a**2 - b**2) / a > 1.1 * ends[-1].max()


def test_between_two_circles_one_in_the_other_the_midline_is_a_ring() -> None:
    """Pieces are apart, however short the way from one to the other is."""
    t = np.linspace(0.0, 2.0 * np.pi, 1_001)[:-1]
    unit = np.stack((np.cos(t), np.sin(t)), axis=1)
    found = Midline.of((1.0 * unit, 1.5 * unit), closed=False)
    radius = np.hypot(*found.places.T)
    ring = np.abs(radius - 1.25) < 1e-3
    assert ring.sum() > 50
    assert np.abs(found.half_gap[ring] - 0.25).max() < 1e-4
    along = found.places[ring] / radius[ring, None]
    assert np.abs(np.abs((found.across[ring] * along).sum(axis=1)) - 1.0).max() < 1e-3


@pytest.mark.parametrize("gap", [0.01, 1.0, 50.0])
def test_between_two_parallel_lines_of_any_length_the_midline_runs_in_the_middle(gap: float) -> None:
    """They are two pieces, whichever way round; drawn to and fro, they are one that bends."""
    x = np.linspace(0.0, 10.0, 2_000)
    below = np.stack((x, np.zeros_like(x)), axis=1)
    higher = below + np.array([0.0, gap])
    for above in (higher, higher[::-1]):
        found = Midline.of((below, above))
        between = (found.places[:, 0] > 0.1) & (found.places[:, 0] < 9.9)
        assert between.any()
        assert np.abs(found.places[:, 1] - 0.5 * gap)[between].max() < 0.005**2
        assert np.abs(found.half_gap[between] - 0.5 * gap).max() < 0.005


def test_two_spirals_have_a_midline_half_a_unit_from_both() -> None:
    found = midline("two-spirals")
    radius = np.hypot(*found.places.T)
    inside = (radius > 1.0) & (radius < 2.4)
    assert inside.sum() > 30
    # Arms are 1 apart along a radius; straight across, 1/√(1 + (dr/rdθ)²) of that, dr/dθ = 1/π.
    slope = 1.0 / (np.pi * radius[inside])
    assert np.abs(found.half_gap[inside] - 0.5 / np.sqrt(1.0 + slope**2)).max() < 0.02
    # One is the other, turned by half a turn, and so is the midline, but for what thinning cut off.
    turned, _ = KDTree(np.concatenate([_between(line, 0.01) for line in found.lines])).query(-found.places)
    assert turned.max() < 4e-3 * 7.0


def test_the_midline_of_the_eight_is_its_two_axes() -> None:
    found = midline("eight")
    assert np.abs(found.places).min(axis=1).max() < 1e-4
    for k in (0, 1):
        on_axis = found.places[np.abs(found.places[:, 1 - k]) < 1e-4]
        assert len(on_axis) > 8
        assert on_axis[:, k].min() < -0.9
        assert on_axis[:, k].max() > 0.9


def test_without_a_curve_there_is_no_midline() -> None:
    for closed in (False, True):
        found = Midline.of((), closed)
        assert found.lines == ()
        assert found.half_gap.shape == (0,)
    empty = np.empty((0, 2))
    assert Midline.of((np.array([[0.5, 0.0]]), empty)).lines == ()
