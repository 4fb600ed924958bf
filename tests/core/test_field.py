"""Grids, the field on them, and the exact field beside it, whole or as a sketch."""

from __future__ import annotations

import numpy as np
import pytest
from fields import ADDED, denoiser_of, exact_of, field_of, home_of, spiral
from hypothesis import assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from aeviz.core.clean_data import CleanData
from aeviz.core.field import ExactField, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import SPECS, Settings
from aeviz.core.truth import Denoiser, Posterior

coordinates = st.floats(-50.0, 50.0)
lengths = st.floats(0.1, 100.0)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    x0, y0 = draw(coordinates), draw(coordinates)
    extent = (x0, x0 + draw(lengths), y0, y0 + draw(lengths))
    return Grid(extent, (draw(st.integers(2, 30)), draw(st.integers(2, 30))))


# Grids


@given(grids())
def test_a_grid_is_even_and_includes_both_ends(grid: Grid) -> None:
    (x0, x1, y0, y1), (rows, columns), (width, height) = grid.extent, grid.shape, grid.cell
    assert grid.x.shape == (columns,)
    assert grid.y.shape == (rows,)
    # 1e-12: some eps of coordinates up to 150.
    assert np.abs(grid.x - (x0 + width * np.arange(columns))).max() < 1e-12
    assert np.abs(grid.y - (y0 + height * np.arange(rows))).max() < 1e-12
    assert (grid.x[-1], grid.y[-1]) == (x1, y1)


@given(grids())
def test_points_run_along_rows_from_below(grid: Grid) -> None:
    places = grid.points.reshape(*grid.shape, 2)
    assert places.shape == (len(grid.y), len(grid.x), 2)
    for row, y in enumerate(grid.y):
        for column, x in enumerate(grid.x):
            assert tuple(places[row, column]) == (x, y)


def test_the_first_grid_is_the_lectures() -> None:
    grid = home_of(Settings())
    assert grid.shape == (34, 40)
    assert np.abs(np.array(grid.cell) - 0.1).max() < 1e-15
    assert (grid.x[0], grid.x[-1], grid.y[0], grid.y[-1]) == (-2.2, 1.7, -1.4, 1.9)


def test_a_single_cell_has_a_size() -> None:
    assert Grid((0.0, 1.0, 0.0, 2.0), (1, 1)).cell == (1.0, 2.0)


def edges(grid: Grid) -> tuple[float, float, float, float]:
    """What the cells, not their centres, cover."""
    (x0, x1, y0, y1), (width, height) = grid.extent, grid.cell
    return x0 - width / 2, x1 + width / 2, y0 - height / 2, y1 + height / 2


def test_the_grid_that_covers_the_first_view_is_the_first_grid() -> None:
    home = home_of(Settings())
    left, right, bottom, top = edges(home)
    assert home.covering((left, right, bottom, top)) is home
    assert home.covering((left - 0.05, right, bottom, top)).shape == (34, 41)


@given(grids())
def test_edges_are_half_a_cell_beyond_the_centres(grid: Grid) -> None:
    assert np.abs(np.subtract(grid.edges, edges(grid))).max() < 1e-12  # some eps of coordinates up to 200


@given(grids(), st.sampled_from([1e-9, 1.0, 1e9]))
def test_any_grid_covers_its_own_view_and_half_of_it_in_cells_half_as_large(grid: Grid, unit: float) -> None:
    x0, x1, y0, y1 = (unit * end for end in grid.extent)
    home = Grid((x0, x1, y0, y1), grid.shape)
    assert home.covering(home.edges) is home
    left, right, bottom, top = home.edges
    view = (left, 0.5 * (left + right), bottom, 0.5 * (bottom + top))
    fine = home.covering(view)
    assert fine is not home
    # Some eps of coordinates up to 150, over a cell of at least 0.1/29.
    assert np.abs(np.divide(fine.cell, home.cell) - 0.5).max() < 1e-10
    assert np.abs(np.subtract(fine.shape, grid.shape)).max() <= 1  # an odd number of halves, or a rounding


@given(st.floats(-20.0, 20.0), st.floats(-20.0, 20.0), st.floats(-4.0, 4.0), st.floats(0.3, 3.0))
def test_a_covering_grid_covers_the_view_with_no_cell_to_spare(
    x: float, y: float, zoom: float, aspect: float
) -> None:
    width = 4.0 * 2.0**-zoom
    view = (x, x + width, y, y + width * aspect)
    grid = home_of(Settings()).covering(view)
    size = grid.cell
    left, right, bottom, top = edges(grid)
    slack = 0.021 * max(size)  # a sliver of a cell, a fiftieth, is left out
    assert left <= view[0] + slack
    assert right >= view[1] - slack
    assert bottom <= view[2] + slack
    assert top >= view[3] - slack
    # At most one cell beyond the view on each side.
    assert view[0] - left < size[0] + slack
    assert right - view[1] < size[0] + slack
    assert view[2] - bottom < size[1] + slack
    assert top - view[3] < size[1] + slack
    # About as many columns as at home: a cell is the home cell times a power of 2.
    halvings = np.log2(0.1 / size[0])
    assert abs(halvings - round(halvings)) < 1e-6
    assert 40 / np.sqrt(2) - 1 <= grid.shape[1] <= 40 * np.sqrt(2) + 2


@given(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0), st.floats(-2.0, 2.0))
def test_cells_keep_their_places_while_the_view_moves(x: float, y: float, zoom: float) -> None:
    assume(abs(zoom % 1.0 - 0.5) > 1e-6)  # there the size of a cell is about to double
    width = 4.0 * 2.0**-zoom
    home = home_of(Settings())
    here = home.covering((0.0, width, 0.0, width))
    there = home.covering((x, x + width, y, y + width))
    offset = (np.array([there.x[0], there.y[0]]) - (here.x[0], here.y[0])) / here.cell
    assert np.abs(offset - np.rint(offset)).max() < 1e-6
    assert np.abs(np.array(there.cell) - here.cell).max() < 1e-9


# Fields


def test_magnitude_is_the_length_of_the_displacement() -> None:
    grid = Grid((0.0, 1.0, 0.0, 1.0), (2, 2))
    arrows = np.array([[[3.0, 4.0], [0.0, 0.0]], [[-1.0, 0.0], [5.0, -12.0]]])
    assert field_of(Settings(), grid, displacement=arrows).magnitude.tolist() == [[5.0, 0.0], [1.0, 13.0]]


def test_the_difference_is_from_the_exact_reconstruction_to_the_learned() -> None:
    grid = Grid((0.0, 1.0, 0.0, 1.0), (2, 2))
    exact = exact_of(Settings(), grid)
    field = field_of(Settings(), grid, displacement=np.ones((2, 2, 2)), exact=exact)
    assert field.exact_displacement is exact.displacement
    assert field.difference is not None
    assert np.abs(field.difference + exact.displacement - 1.0).max() < 1e-15
    blind = field_of(Settings(), grid)
    assert blind.exact_displacement is None
    assert blind.difference is None


# The exact field


@pytest.mark.parametrize("kind", ADDED)
@pytest.mark.parametrize("target", SPECS["target"].choices)
def test_the_exact_field_is_the_posterior_at_each_cell(kind: str, target: str) -> None:
    settings = Settings(grid=(7, 5), noise_kind=kind, target=target)
    exact, denoiser = exact_of(settings), denoiser_of(settings)
    assert not exact.sketch
    assert exact.grid == home_of(settings)
    assert exact.displacement.shape == (5, 7, 2)
    assert (exact.ambiguity is None) == (kind == "uniform" or target == "nearest")
    for row, y in enumerate(exact.grid.y):
        for column, x in enumerate(exact.grid.x):
            here = denoiser.at(np.array([[x, y]]))
            # 1e-13: the same sums, perhaps in another order.
            assert _same(here.mean[0] - (x, y), exact.displacement[row, column], 1e-13)
            assert _same(here.log_density[0], exact.log_density[row, column], 1e-13)
            if exact.ambiguity is not None and here.ambiguity is not None:
                assert abs(here.ambiguity[0] - exact.ambiguity[row, column]) < 1e-12


def _same(one: FloatArray, other: FloatArray, tolerance: float) -> bool:
    """NaN and infinities in the same places, and the numbers beside them close."""
    known = np.isfinite(one)
    if not np.array_equal(np.where(known, 0.0, one), np.where(known, 0.0, other), equal_nan=True):
        return False
    return bool((np.abs(one[known] - other[known]) <= tolerance).all())


def test_one_single_point_pulls_every_cell() -> None:
    grid = home_of(Settings())
    steps = ExactField.solving(Denoiser(np.zeros((1, 2)), 0.25), grid)
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert np.array_equal(end.value.value.displacement, -grid.points.reshape(34, 40, 2))


@pytest.mark.parametrize("name", SPECS)
def test_the_optimum_is_what_decides_the_exact_denoiser_of_given_data(name: str) -> None:
    """Walks the whole table: a setting changes `optimum` where it changes the exact denoiser, else not."""
    data = CleanData(spiral(9))
    before = Settings()
    after = before.replace(**{name: _another(before, name)})
    one, other = Denoiser.of(before, data), Denoiser.of(after, data)
    assert one is not None
    assert other is not None
    places = np.array([[0.1, 0.2], [0.8, -0.3]])
    answers = not _alike(one.at(places), other.at(places))
    assert answers == (before.optimum != after.optimum) == (name in ("noise", "noise_kind", "target"))


def _another(settings: Settings, name: str) -> object:
    """Another value of this setting than its own."""
    value, spec = getattr(settings, name), SPECS[name]
    if isinstance(value, tuple):
        if not value:
            return (0.0, 1.0, 0.0, 1.0) if name == "extent" else (1.0, 1.0)
        return tuple(0.5 * x if isinstance(x, float) else x + 1 for x in value)
    if spec.choices:
        return next(choice for choice in spec.choices if choice != value)
    if isinstance(value, bool):
        return not value
    if spec.is_text:
        return value + "a"
    return spec.high if value != spec.high else spec.low


def _alike(one: Posterior, other: Posterior) -> bool:
    return np.array_equal(one.mean, other.mean) and np.array_equal(one.log_density, other.log_density)


# Sketches


def test_a_sketch_with_enough_weights_is_the_exact_field() -> None:
    for settings in (Settings(), Settings(points=400), Settings(noise_kind="rare", noise=0.1)):
        grid, denoiser = home_of(settings), denoiser_of(settings)
        exact = exact_of(settings)
        sketch = ExactField.sketched(denoiser, grid, 34 * 40 * settings.points)
        assert sketch.sketch
        assert not exact.sketch
        assert np.array_equal(sketch.displacement, exact.displacement)
        assert np.array_equal(sketch.log_density, exact.log_density)
        assert sketch.ambiguity is not None
        assert exact.ambiguity is not None
        assert np.array_equal(sketch.ambiguity, exact.ambiguity)


@effort(max_examples=50)
@given(
    st.integers(2, 60), st.integers(2, 60), st.integers(1, 3_000), st.integers(1, 300_000),
    st.sampled_from(ADDED),
)  # fmt: skip
def test_a_sketch_has_the_grids_shape_and_keeps_its_budget(
    rows: int, columns: int, points: int, weights: int, kind: str
) -> None:
    grid, denoiser = Grid((-2.0, 2.0, -2.0, 2.0), (rows, columns)), Denoiser(spiral(points), 0.3, kind)
    taken = []

    def counted(self: Denoiser, x: FloatArray) -> Posterior:
        taken.append(len(self.data) * len(x))
        return at(self, x)

    at = Denoiser.at
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Denoiser, "at", counted)
        sketch = ExactField.sketched(denoiser, grid, weights)
    assert sketch.sketch
    assert sketch.grid == grid
    assert sketch.displacement.shape == (rows, columns, 2)
    assert sketch.log_density.shape == (rows, columns)
    assert (sketch.ambiguity is None) == (kind == "uniform")
    assert sketch.ambiguity is None or sketch.ambiguity.shape == (rows, columns)
    assert sum(taken) <= weights


def test_a_sketch_is_near_the_exact_field() -> None:
    settings = Settings(points=20_000)
    grid, denoiser = home_of(settings), denoiser_of(settings)
    exact = exact_of(settings)

    def error(sketch: ExactField, every: int = 1) -> float:
        """Root mean square distance of the reconstructions, where noisy points fall."""
        p = np.exp(exact.log_density)[::every, ::every]
        off = np.square(sketch.displacement - exact.displacement).sum(axis=-1)[::every, ::every]
        return float(np.sqrt((p * off).sum() / p.sum()))

    # Every cell, but with 220 or 150 of the clean points: these are at most 0.09 or 0.13 apart, far less
    # than σ, and so the sums are nearly the same; but the end of the spiral is cut by up to that much.
    assert error(ExactField.sketched(denoiser, grid, 300_000)) < 0.01
    # Blocks of three by three cells with one reconstruction, that of a cell up to two across and two up:
    # 0.2·√2 times the slope of r*, which is 1 along the arms, where most noisy points fall, 0 across.
    coarse = ExactField.sketched(denoiser, grid, 30_000)
    blocks = coarse.displacement + grid.points.reshape(34, 40, 2)
    assert np.ptp(blocks[3:6, 6:9], axis=(0, 1)).max() < 1e-12
    assert error(coarse, every=3) < 0.01
    assert error(coarse) < 0.2 * np.sqrt(2.0)
