"""The geometric midline against curves whose midline is known, and against brute force on the spiral."""

from __future__ import annotations

import numpy as np
import pytest
from fields import spiral
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from scipy.spatial import KDTree

from aeviz.core.manifolds import FloatArray
from aeviz.core.midline import SPACING, Midline

TAU = 2.0
SAMPLES = 2_000


def polyline(corners: FloatArray, samples: int = SAMPLES) -> FloatArray:
    """Samples of a path of straight pieces, as far apart along it as from one another."""
    along = np.concatenate(([0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()))
    s = np.linspace(0.0, along[-1], samples)
    return np.stack([np.interp(s, along, corners[:, k]) for k in (0, 1)], axis=1)


def hairpin(half: float = 0.5, legs: float = 4.0) -> FloatArray:
    """Down at x = half, round the origin in half a circle, and up again at x = −half."""
    angle = np.linspace(0.0, -np.pi, 400)
    turn = half * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return polyline(np.concatenate(([[half, legs]], turn, [[-half, legs]])))


def arc(share: float) -> FloatArray:
    """A part of the unit circle, from its right counter-clockwise; 1 closes it."""
    angle = np.linspace(0.0, 2.0 * np.pi * share, SAMPLES)
    return np.stack((np.cos(angle), np.sin(angle)), axis=1)


@pytest.fixture(scope="module")
def of_spiral() -> tuple[FloatArray, Midline]:
    curve = spiral(SAMPLES)
    return curve, Midline.of((curve,))


# Known midlines


@effort(max_examples=15)
@given(st.floats(0.05, 5.0), st.floats(0.0, 6.3), st.floats(-10.0, 10.0))
def test_the_midline_of_a_hairpin_runs_between_its_legs(scale: float, angle: float, shift: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    midline = Midline.of((scale * hairpin() @ turn + shift,))
    (line,) = ((each - shift) @ turn.T / scale for each in midline.lines)
    spacing = (8.0 + 0.5 * np.pi) / SAMPLES  # of the samples, 0.005
    # On the axis, from the middle of the half circle to the legs' ends. Samples of the two legs do not
    # face each other exactly; a corner's distance from the axis is of the order of spacing².
    assert np.abs(line[:, 0]).max() < spacing**2
    ends = sorted(line[[0, -1], 1])
    assert abs(ends[0]) < 2.0 * spacing
    assert abs(ends[1] - 4.0) < spacing
    assert np.abs(midline.half_gap / scale - 0.5).max() < spacing**2
    places, across = (midline.places - shift) @ turn.T / scale, midline.across @ turn.T
    assert np.abs(places[:, 0]).max() < spacing**2
    assert np.abs(np.abs(across) - (1.0, 0.0)).max() < 2.0 * spacing


def test_the_midline_of_a_triangle_has_three_branches_to_its_middle() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)], [0.0, 0.0]])
    midline = Midline.of((polyline(corners),))
    middle = corners[:3].mean(axis=0)
    spacing = 3.0 / SAMPLES
    assert len(midline.lines) == 3
    reached = set()
    for line in midline.lines:
        inner, outer = line[[0, -1]] if np.hypot(*(line[0] - middle)) < 0.1 else line[[-1, 0]]
        corner = np.hypot(*(corners[:3] - outer).T).argmin()
        reached.add(int(corner))
        assert np.hypot(*(inner - middle)) < spacing
        assert np.hypot(*(outer - corners[corner])) < 2.0 * spacing
        # On the bisector, that is as near to one side as to the other.
        along = (corners[corner] - middle) / np.hypot(*(corners[corner] - middle))
        assert np.abs((line - middle) @ (-along[1], along[0])).max() < spacing
    assert reached == {0, 1, 2}
    # Sides are 60° apart: a place on the bisector is half as far from them as from their corner.
    from_corner, _ = KDTree(corners).query(midline.places)
    assert np.abs(midline.half_gap - 0.5 * from_corner).max() < spacing


@pytest.mark.parametrize(
    "curve",
    [
        arc(1.0), arc(1.0)[:-1], arc(0.75), arc(0.5), spiral(SAMPLES, 0.25),
        polyline(np.array([[0.0, 0.0], [1.0, 2.0]])),
        np.zeros((SAMPLES, 2)), np.array([[0.3, -0.7]]), np.eye(2),
    ],
    ids=[
        "circle", "circle but for one sample", "three quarters", "half circle", "quarter turn", "line",
        "point", "one sample", "two samples",
    ],
)  # fmt: skip
def test_a_curve_that_does_not_come_back_to_itself_has_no_midline(curve: FloatArray) -> None:
    midline = Midline.of((curve,))
    assert midline.lines == ()
    assert midline.places.shape == midline.across.shape == (0, 2)
    assert midline.half_gap.shape == (0,)
    assert midline.searched.shape == (0, 2)
    assert midline.ridge_distance(np.empty(0), TAU) is None


# The spiral, by brute force


def test_the_spirals_midline_is_equally_far_from_two_far_apart_parts(
    of_spiral: tuple[FloatArray, Midline],
) -> None:
    curve, midline = of_spiral
    along = np.concatenate(([0.0], np.hypot(*np.diff(curve, axis=0).T).cumsum()))
    spacing = np.diff(along).max()
    assert len(midline.places) > 80
    for place, across, half_gap in zip(midline.places, midline.across, midline.half_gap, strict=True):
        distance = np.hypot(*(curve - place).T)
        nearest = distance.argmin()
        assert abs(distance[nearest] - half_gap) < 1e-12
        chord = np.hypot(*(curve - curve[nearest]).T)
        apart = np.abs(along - along[nearest]) > 1.5 * chord
        assert apart.any()
        other = np.flatnonzero(apart)[distance[apart].argmin()]
        assert abs(distance[other] - half_gap) < 1e-9  # Qhull's corners, of coordinates up to 80
        line = (curve[other] - curve[nearest]) / chord[other]
        assert min(np.abs(across - line).max(), np.abs(across + line).max()) < 2.0 * spacing / half_gap
    assert np.abs(np.hypot(*midline.across.T) - 1.0).max() < 1e-12


def test_the_spirals_midline_is_where_the_nearest_part_of_it_jumps(
    of_spiral: tuple[FloatArray, Midline],
) -> None:
    """From one cell of a grid to the next, the nearest sample jumps along the curve, or it does not."""
    curve, midline = of_spiral
    along = np.concatenate(([0.0], np.hypot(*np.diff(curve, axis=0).T).cumsum()))
    (line,) = midline.lines
    drawn = KDTree(polyline(line, 20_000))
    h = 0.02
    axis = np.arange(-2.5, 2.5, h)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    _, nearest = KDTree(curve).query(grid)
    jumps = []
    for one, other, here, there in (
        (nearest[:, :-1], nearest[:, 1:], grid[:, :-1], grid[:, 1:]),
        (nearest[:-1], nearest[1:], grid[:-1], grid[1:]),
    ):
        chord = np.hypot(*(curve[one] - curve[other]).transpose(2, 0, 1))
        jump = np.abs(along[one] - along[other]) > 1.5 * chord
        jumps.append(0.5 * (here[jump] + there[jump]))
    places = np.concatenate(jumps)
    assert len(places) > 500
    # It runs within half a cell of each jump, but for how much a chord of 0.08 cuts off a bend of radius
    # 0.5 (0.08²/8/0.5 = 0.0016); and each of its places has a jump within a cell's diagonal.
    assert drawn.query(places)[0].max() < 0.5 * h + 0.002
    inside = np.abs(drawn.data).max(axis=1) < 2.4
    assert KDTree(places).query(drawn.data[inside])[0].max() < np.sqrt(2.0) * h


def test_the_midlines_corners_are_equally_far_from_three_samples(
    of_spiral: tuple[FloatArray, Midline],
) -> None:
    curve, midline = of_spiral
    (line,) = midline.lines
    distance, _ = KDTree(curve).query(line, k=3)
    # Corners of Voronoi cells: thinning leaves corners out but moves none.
    assert np.ptp(distance, axis=1).max() < 1e-9
    size = np.ptp(curve, axis=0).max()
    steps = np.hypot(*np.diff(line, axis=0).T)
    among = np.abs(line[:-1]).max(axis=1) < 1.5  # outside the spiral, cells have longer edges
    assert among.sum() > 50
    assert steps[among].max() < SPACING * size
    assert np.median(steps) > 0.3 * SPACING * size  # 20 times fewer than there were


def test_places_lie_about_equally_dense_on_the_midline(of_spiral: tuple[FloatArray, Midline]) -> None:
    curve, midline = of_spiral
    spacing = SPACING * np.ptp(curve, axis=0).max()
    (line,) = midline.lines
    from_place, _ = KDTree(midline.places).query(polyline(line, 5_000))
    # A place in each square of this side that the midline has an edge in, but the last edge is long.
    assert np.quantile(from_place, 0.98) < np.sqrt(2.0) * spacing
    length = np.hypot(*np.diff(line, axis=0).T).sum()
    assert length / spacing / 2 < len(midline.places) < 2 * length / spacing


def test_where_keeps_places_and_branches_apart(of_spiral: tuple[FloatArray, Midline]) -> None:
    _, midline = of_spiral
    kept = midline.half_gap < 0.5
    assert 0 < kept.sum() < len(kept)
    some = midline.where(kept)
    assert some.lines is midline.lines
    for name in ("places", "across", "half_gap"):
        assert np.array_equal(getattr(some, name), getattr(midline, name)[kept])


# The distance of a ridge


def peaked(midline: Midline, shift: FloatArray | float, height: float = 5.0) -> FloatArray:
    """An ambiguity that is a parabola across each place, whose vertex lies `shift` along `across`."""
    parabola = height - 3.0 * np.square(midline.offsets - np.reshape(shift, (-1, 1)))
    return parabola.ravel()


@pytest.fixture(scope="module")
def between_legs() -> Midline:
    return Midline.of((hairpin(),))


def test_places_are_searched_across_the_midline(between_legs: Midline) -> None:
    searched = between_legs.searched.reshape(*between_legs.offsets.shape, 2)
    assert np.abs(searched[..., 0] - between_legs.offsets * between_legs.across[:, :1]).max() < 0.01
    assert np.abs(searched[..., 1] - between_legs.places[:, 1:]).max() < 0.01  # straight across
    reach = np.abs(between_legs.offsets).max(axis=1) / between_legs.half_gap
    assert 0.5 < reach.min() <= reach.max() < 1.0  # not as far as the curve, where a is about 1
    assert np.abs(between_legs.offsets.mean(axis=1)).max() < 1e-15


@pytest.mark.parametrize("shift", [0.0, 0.01, -0.02, 0.1, -0.3])
def test_a_ridge_beside_the_midline_is_as_far_away_as_it_is(between_legs: Midline, shift: float) -> None:
    found = between_legs.ridge_distance(peaked(between_legs, shift), TAU)
    assert found is not None
    assert abs(found - abs(shift)) < 1e-12  # the vertex through three points of a parabola is exact


def test_the_ridges_distance_is_the_mean_of_the_places_that_see_one(between_legs: Midline) -> None:
    count = len(between_legs.places)
    shift = np.linspace(-0.1, 0.2, count)
    ambiguity = peaked(between_legs, shift).reshape(count, -1)
    found = between_legs.ridge_distance(ambiguity.ravel(), TAU)
    assert found is not None
    assert abs(found - np.abs(shift).mean()) < 1e-12
    ambiguity[::2] -= 4.0  # below the threshold
    found = between_legs.ridge_distance(ambiguity.ravel(), TAU)
    assert found is not None
    assert abs(found - np.abs(shift[1::2]).mean()) < 1e-12


def test_where_nothing_rises_above_the_threshold_there_is_no_ridge(between_legs: Midline) -> None:
    assert between_legs.ridge_distance(peaked(between_legs, 0.0, height=TAU - 1e-9), TAU) is None
    assert between_legs.ridge_distance(peaked(between_legs, 0.0, height=TAU + 1e-9), TAU) is not None
    # What still rises at the end of the search is the curve's own, or another place's.
    assert between_legs.ridge_distance(peaked(between_legs, 0.7), TAU) is None
    assert between_legs.ridge_distance(np.full(between_legs.offsets.size, 9.0), TAU) is None
    assert between_legs.ridge_distance(np.full(between_legs.offsets.size, np.nan), TAU) is None
