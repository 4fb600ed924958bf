"""The code as it is looked at: directions against singular vectors, lattices, counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aeviz.core.code import BINS, MOST_CODES, QUIET, CodeView, Directions, some_points
from aeviz.core.manifolds import FloatArray

EPS = np.finfo(float).eps


def codes_of(count: int, width: int, seed: int = 0) -> FloatArray:
    """Codes whose variance differs clearly from direction to direction, away from the origin."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(width, width)))
    return rng.normal(size=(count, width)) * 0.6 ** np.arange(width) @ turn + rng.normal(size=width)


def main_directions(codes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The two first right singular vectors of the centred codes, (2, d), and their shares of the variance."""
    _, values, rows = np.linalg.svd(codes - codes.mean(axis=0), full_matrices=False)
    return rows[:2], values[:2] ** 2 / np.square(values).sum()


def turned_alike(basis: FloatArray, other: FloatArray) -> FloatArray:
    """A basis, each direction turned so that it does not point away from the other's."""
    return basis * np.where((basis * other).sum(axis=1, keepdims=True) < 0.0, -1.0, 1.0)


def steady(directions: Directions) -> bool:
    """Whether its rows are orthonormal."""
    return bool(np.abs(directions.basis @ directions.basis.T - np.eye(len(directions.basis))).max() < 1e-12)


# Directions


@pytest.mark.parametrize("width", [1, 2])
@given(st.data())
def test_one_or_two_units_are_their_own_directions(width: int, data: st.DataObject) -> None:
    shape = st.tuples(st.integers(1, 20), st.just(width))
    codes = data.draw(hnp.arrays(float, shape, elements=st.floats(-1e6, 1e6)))
    found = Directions.of(codes)
    assert np.array_equal(found(codes), codes)
    assert np.array_equal(found.low, codes.min(axis=0))
    assert np.array_equal(found.high, codes.max(axis=0))
    assert np.array_equal(found.basis, np.eye(width))
    assert np.array_equal(found.origin, np.zeros(width))
    assert found.shares is None  # that is all there is
    before = Directions.of(-codes)
    assert np.array_equal(Directions.of(codes, before)(codes), codes)  # axes are not turned


@pytest.mark.parametrize(
    ("count", "width"), [(300, 3), (300, 64), (40, 40), (41, 40), (39, 40), (7, 64), (3, 128)], ids=str
)
def test_of_more_units_the_two_main_directions_are_seen(count: int, width: int) -> None:
    codes = codes_of(count, width)
    found = Directions.of(codes)
    basis, shares = main_directions(codes)
    assert steady(found)
    # Sums of squares have the error of their rounding, some eps of the largest, over the gaps between
    # them, which are at least a tenth of it.
    assert np.abs(turned_alike(found.basis, basis) - basis).max() < 1e-12
    assert found.shares is not None
    assert np.abs(found.shares - shares).max() < 1e-12
    assert found.shares[0] >= found.shares[1] > 0.0
    assert shares.sum() <= 1.0
    assert np.abs(found.origin - codes.mean(axis=0)).max() < 1e-13
    along = (codes - codes.mean(axis=0)) @ found.basis.T
    assert np.abs(found(codes) - along).max() < 1e-12
    assert np.abs(found.low - along.min(axis=0)).max() < 1e-12
    assert np.abs(found.high - along.max(axis=0)).max() < 1e-12
    # Another place of the same space lies along them, too.
    other = codes_of(5, width, seed=1)
    assert np.abs(found(other) - (other - found.origin) @ found.basis.T).max() < 1e-12


@pytest.mark.parametrize("width", [3, 20])
def test_shares_are_those_of_the_variance_along_the_directions(width: int) -> None:
    codes = codes_of(1_000, width)
    found = Directions.of(codes)
    assert found.shares is not None
    variance = found(codes).var(axis=0) / codes.var(axis=0).sum()
    assert np.abs(found.shares - variance).max() < 1e-12


@pytest.mark.parametrize(("count", "width"), [(1, 3), (2, 3), (2, 64), (50, 3), (50, 64), (5, 64)], ids=str)
def test_codes_along_one_line_have_one_direction(count: int, width: int) -> None:
    rng = np.random.default_rng(3)
    line = rng.normal(size=width)
    codes = np.linspace(-1.0, 2.0, count)[:, None] * line + rng.normal(size=width)
    found = Directions.of(codes)
    assert found.basis.shape == (2, width)
    assert np.isfinite(found.basis).all()
    assert found.shares is not None
    if count == 1:
        assert found.shares.tolist() == [0.0, 0.0]
        return
    unit = line / np.linalg.norm(line)
    assert np.abs(np.abs(found.basis[0] @ unit) - 1.0) < 1e-12
    assert np.abs(found.shares - (1.0, 0.0)).max() < 1e-12
    assert np.abs(found(codes)[:, 1]).max() < 1e-7  # what is left of rounding, squared in the sums of squares
    assert abs((found.high - found.low)[0] - 3.0 * np.linalg.norm(line)) < 1e-12


@pytest.mark.parametrize(
    ("count", "width"), [(1, 1), (1, 2), (1, 3), (1, 64), (9, 3), (9, 64), (100, 64)], ids=str
)
def test_codes_that_are_all_the_same_are_one_place(count: int, width: int) -> None:
    codes = np.full((count, width), 0.1)
    found = Directions.of(codes)
    places = found(codes)
    assert np.abs(places - places[0]).max() < 1e-12
    assert (width < 3) or np.abs(places).max() < 1e-12
    for name in ("origin", "basis", "low", "high"):
        assert np.isfinite(getattr(found, name)).all()
    if width > 2:
        assert found.shares is not None
        assert np.isfinite(found.shares).all()
        assert 0.0 <= found.shares.sum() <= 1.0 + 1e-12
    for line in found.lattice:
        assert np.abs(line - codes[0]).max() < 1e-12


@pytest.mark.parametrize("count", [100, 5])
@pytest.mark.parametrize("unit", [1e-100, 1e-6, 1e6, 1e100])
def test_directions_do_not_depend_on_the_unit(count: int, unit: float) -> None:
    codes = codes_of(count, 8)
    one, other = Directions.of(codes), Directions.of(unit * codes)
    assert np.abs(turned_alike(other.basis, one.basis) - one.basis).max() < 1e-12
    assert one.shares is not None
    assert other.shares is not None
    assert np.abs(other.shares - one.shares).max() < 1e-12


# From one look to the next


@pytest.mark.parametrize(("count", "width"), [(200, 3), (200, 16), (10, 64)], ids=str)
def test_nothing_flips_from_one_look_to_the_next(count: int, width: int) -> None:
    """The codes turn slowly, by one degree a look, all the way round: so do the places, without a jump."""
    codes = codes_of(count, width)
    codes -= codes.mean(axis=0)
    step = np.eye(width)
    angle = np.pi / 180.0
    step[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    before, places = None, None
    size = np.hypot.reduce(codes, axis=1).max()
    flipped = 0
    for _ in range(360):
        now = Directions.of(codes, before)
        alone = Directions.of(codes)
        flipped += bool((alone.basis * now.basis).sum(axis=1).min() < 0.0)
        if before is not None and places is not None:
            assert ((now.basis * before.basis).sum(axis=1) > 0.99).all()
            assert np.abs(now(codes) - places).max() < 2.0 * angle * size
        before, places = now, now(codes)
        codes = codes @ step.T
    # Each by itself they would have; those of few points come from their products, which do not turn.
    assert (flipped > 0) == (count > width)


def test_directions_of_another_width_are_no_guide() -> None:
    codes = codes_of(50, 5)
    alone = Directions.of(codes)
    for other in (codes_of(50, 4), codes_of(50, 2), codes_of(50, 1)):
        assert np.array_equal(Directions.of(codes, Directions.of(other)).basis, alone.basis)
    assert np.array_equal(Directions.of(codes, Directions.of(codes)).basis, alone.basis)


# Lattices


@pytest.mark.parametrize("low", [-2.0, 3.0])
def test_the_lattice_of_one_unit_is_a_line_through_all_codes(low: float) -> None:
    codes = np.array([[low + 0.5], [low], [low + 2.0]])
    (line,) = Directions.of(codes).lattice
    assert line.shape[1] == 1
    assert len(line) > 200
    assert np.abs(line[:, 0] - np.linspace(low, low + 2.0, len(line))).max() < 1e-14


@pytest.mark.parametrize(("count", "width"), [(30, 2), (30, 3), (300, 64), (5, 64)], ids=str)
def test_the_lattice_is_a_grid_over_what_the_codes_reach(count: int, width: int) -> None:
    codes = codes_of(count, width)
    found = Directions.of(codes)
    lines = found.lattice
    along = [found(line) for line in lines]
    # In the plane of the two directions, and not beside it.
    assert all(np.abs(found.origin + each @ found.basis - line).max() < 1e-12
               for line, each in zip(lines, along, strict=True))  # fmt: skip
    across, up = along[: len(along) // 2], along[len(along) // 2 :]
    assert len(across) == len(up) > 4
    for k, some in ((0, across), (1, up)):
        for place, line in zip(np.linspace(0.0, 1.0, len(some)), some, strict=True):
            fine = found.low[k] + np.linspace(0.0, 1.0, len(line)) * (found.high - found.low)[k]
            assert np.abs(line[:, k] - fine).max() < 1e-12
            still = found.low[1 - k] + place * (found.high - found.low)[1 - k]
            assert np.abs(line[:, 1 - k] - still).max() < 1e-12
            assert len(line) > 3 * len(some)  # so that a bent line looks bent


# What is shown


def view_of(codes: FloatArray) -> CodeView:
    points = np.arange(len(codes))
    return CodeView.of(points, np.linspace(0.0, 1.0, len(codes)), codes, Directions.of(codes))


some_codes = st.tuples(st.integers(1, 30), st.integers(1, 6))


@given(
    hnp.arrays(float, some_codes, elements=st.floats(-1e6, 1e6))
    | hnp.arrays(float, some_codes, elements=st.sampled_from([0.0, 1.0]))
)
def test_every_value_of_the_code_is_counted_once(codes: FloatArray) -> None:
    view = view_of(codes)
    assert view.counts.shape == (BINS,)
    assert view.edges.shape == (BINS + 1,)
    assert view.counts.sum() == codes.size
    assert view.width == codes.shape[1]
    assert (np.diff(view.edges) > 0.0).all()
    inner = [np.count_nonzero((codes >= low) & (codes < high)) for low, high in zip(
        view.edges[:-2], view.edges[1:-1], strict=True)]  # fmt: skip
    last = np.count_nonzero((codes >= view.edges[-2]) & (codes <= view.edges[-1]))
    assert view.counts.tolist() == [*inner, last]
    most = np.abs(codes).max()
    quiet = sum(abs(x) <= QUIET * most for x in codes.flat) / codes.size
    assert abs(view.quiet - quiet) < 1e-15
    assert 0.0 <= view.quiet <= 1.0


def test_counts_and_quiet_units_by_hand() -> None:
    codes = np.array([[0.0, 3.9], [0.2, -4.0], [0.21, 1.0], [0.1, 0.05]])
    view = view_of(codes)
    assert view.edges[[0, -1]].tolist() == [-4.0, 3.9]
    assert np.abs(np.diff(view.edges) - 7.9 / 40).max() < 1e-14
    assert view.counts[[0, 20, 21, 25, 39]].tolist() == [1, 3, 2, 1, 1]
    assert view.quiet == 4 / 8  # 0, 0.2, 0.1 and 0.05: 0.05 of the largest at most
    assert view.shares is None
    assert np.array_equal(view.places, codes)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e6])
def test_values_that_are_all_the_same_have_a_histogram(value: float) -> None:
    view = view_of(np.full((7, 3), value))
    assert view.counts.sum() == view.counts.max() == 21
    assert view.edges[0] < value < view.edges[-1]
    assert view.quiet == (1.0 if value == 0.0 else 0.0)


@pytest.mark.parametrize("value", [1.0, -3.5, 1e6])
def test_values_that_differ_by_rounding_alone_are_in_the_middle(value: float) -> None:
    codes = value * (1.0 + EPS * np.arange(6.0).reshape(3, 2))
    view = view_of(codes)
    assert view.counts[BINS // 2 - 1 : BINS // 2 + 1].sum() == 6
    assert view.edges[-1] - view.edges[0] > 0.5


def test_a_view_holds_the_places_along_its_directions() -> None:
    codes = codes_of(20, 6)
    directions = Directions.of(codes_of(300, 6, seed=5))
    points, positions = np.arange(20) * 3, np.linspace(0.0, 1.0, 20) ** 2
    view = CodeView.of(points, positions, codes, directions)
    assert view.points is points
    assert view.positions is positions
    assert np.array_equal(view.places, directions(codes))
    assert view.shares is directions.shares
    assert view.width == 6


@given(st.integers(1, 5_000))
def test_some_points_are_about_equally_far_apart(count: int) -> None:
    found = some_points(count)
    assert len(found) == min(count, MOST_CODES)
    assert (found[0], found[-1]) == (0, count - 1)
    steps = np.diff(found)
    assert len(steps) == 0 or (steps.min() >= 1 and np.ptp(steps) <= 1)


@pytest.mark.parametrize("count", [10**6, 301, 300, 299])
def test_of_many_points_no_more_are_looked_at(count: int) -> None:
    assert len(some_points(count)) == min(300, count) == min(MOST_CODES, count)
