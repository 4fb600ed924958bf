"""Grids, fields and the numbers that compare them with the exact denoiser."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aeviz.core.corruption import shown_noisy
from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import clean_data, spiral
from aeviz.core.metrics import NEAR_DATA, Metrics, Probe, Quality, Reference
from aeviz.core.settings import Settings
from aeviz.core.truth import exact_ambiguity, posterior

coordinates = st.floats(-50.0, 50.0)
lengths = st.floats(0.1, 100.0)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    x0, y0 = draw(coordinates), draw(coordinates)
    extent = (x0, x0 + draw(lengths), y0, y0 + draw(lengths))
    return Grid(extent, (draw(st.integers(2, 30)), draw(st.integers(2, 30))))


def field_of(settings: Settings, grid: Grid | None = None, **parts: np.ndarray) -> Field:
    """A field without a network: zero everywhere, but for the given parts."""
    grid = grid or Grid.home(settings)
    data = clean_data(settings)
    noisy = shown_noisy(settings, data)
    zero = Field(
        grid, np.zeros((*grid.shape, 2)), np.zeros(grid.shape), data, noisy, noisy, 0, settings.noise
    )  # fmt: skip
    return dataclasses.replace(zero, **parts)


def exact_field(settings: Settings) -> Field:
    """The field that a perfect network would have."""
    blank = field_of(settings)
    displacement, ambiguity = blank.exact()
    return dataclasses.replace(blank, displacement=displacement, ambiguity=ambiguity)


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
    grid = Grid.home(Settings())
    assert grid.shape == (34, 40)
    assert np.abs(np.array(grid.cell) - 0.1).max() < 1e-15
    assert (grid.x[0], grid.x[-1], grid.y[0], grid.y[-1]) == (-2.2, 1.7, -1.4, 1.9)
    assert abs(Settings().cell[0] - grid.cell[0]) == abs(Settings().cell[1] - grid.cell[1]) == 0.0


def test_a_single_cell_has_a_size() -> None:
    assert Grid((0.0, 1.0, 0.0, 2.0), (1, 1)).cell == (1.0, 2.0)


def edges(grid: Grid) -> tuple[float, float, float, float]:
    """What the cells, not their centres, cover."""
    (x0, x1, y0, y1), (width, height) = grid.extent, grid.cell
    return x0 - width / 2, x1 + width / 2, y0 - height / 2, y1 + height / 2


def test_the_grid_that_covers_the_first_view_is_the_first_grid() -> None:
    settings = Settings()
    left, right, bottom, top = edges(Grid.home(settings))
    assert Grid.covering(settings, (left, right, bottom, top)) == Grid.home(settings)
    assert Grid.covering(settings, (left - 0.05, right, bottom, top)).shape == (34, 41)


@given(st.floats(-20.0, 20.0), st.floats(-20.0, 20.0), st.floats(-4.0, 4.0), st.floats(0.3, 3.0))
def test_a_covering_grid_covers_the_view_with_no_cell_to_spare(
    x: float, y: float, zoom: float, aspect: float
) -> None:
    width = 4.0 * 2.0**-zoom
    view = (x, x + width, y, y + width * aspect)
    grid = Grid.covering(Settings(), view)
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
    here = Grid.covering(Settings(), (0.0, width, 0.0, width))
    there = Grid.covering(Settings(), (x, x + width, y, y + width))
    offset = (np.array([there.x[0], there.y[0]]) - (here.x[0], here.y[0])) / here.cell
    assert np.abs(offset - np.rint(offset)).max() < 1e-6
    assert np.abs(np.array(there.cell) - here.cell).max() < 1e-9


# Fields


def test_magnitude_is_the_length_of_the_displacement() -> None:
    grid = Grid((0.0, 1.0, 0.0, 1.0), (2, 2))
    arrows = np.array([[[3.0, 4.0], [0.0, 0.0]], [[-1.0, 0.0], [5.0, -12.0]]])
    assert field_of(Settings(), grid, displacement=arrows).magnitude.tolist() == [[5.0, 0.0], [1.0, 13.0]]


def test_the_exact_field_is_the_posterior_at_each_cell() -> None:
    settings = Settings(grid=(7, 5))
    field = field_of(settings)
    displacement, ambiguity = field.exact()
    assert displacement.shape == (5, 7, 2)
    assert ambiguity.shape == (5, 7)
    data = clean_data(settings)
    for row, y in enumerate(field.grid.y):
        for column, x in enumerate(field.grid.x):
            here = posterior(np.array([[x, y]]), data, settings.noise)
            # 1e-13: the same sums, perhaps in another order.
            assert np.abs(here.mean[0] - (x, y) - displacement[row, column]).max() < 1e-13
            assert abs(exact_ambiguity(here, settings.noise)[0] - ambiguity[row, column]) < 1e-12


def test_the_exact_field_uses_the_noise_and_the_data_of_the_field() -> None:
    one = field_of(Settings(), data=np.zeros((1, 2)))
    assert np.array_equal(one.exact()[0], -one.grid.points.reshape(34, 40, 2))
    wide = dataclasses.replace(field_of(Settings()), noise=1.0)
    assert np.array_equal(wide.exact()[1], field_of(Settings(noise=1.0)).exact()[1])


def test_without_noise_there_is_no_exact_field() -> None:
    assert field_of(Settings(noise=0.0)).exact() is None


# Excess risk and the floor


@pytest.mark.parametrize("settings", [Settings(), Settings(noise=0.1), Settings(noise=1.0, points=10)])
def test_the_floor_is_the_error_of_the_exact_denoiser_on_fresh_noise(settings: Settings) -> None:
    """E tr Cov*(ŷ) = E ‖r*(ŷ) − y‖²: the right side by Monte Carlo, from draws of our own."""
    data = clean_data(settings)
    probe = Probe.of(settings, data)
    rng = np.random.default_rng(12345)
    clean = data[rng.integers(len(data), size=20_000)]
    noisy = clean + settings.noise * rng.standard_normal(clean.shape)
    errors = np.square(posterior(noisy, data, settings.noise).mean - clean).sum(axis=1)
    variances = posterior(probe.noisy, data, settings.noise).variance
    standard_error = np.hypot(errors.std() / np.sqrt(len(errors)), variances.std() / np.sqrt(len(variances)))
    assert standard_error < 0.04 * probe.bayes_floor  # sharp enough to mean something
    assert abs(errors.mean() - probe.bayes_floor) < 5 * standard_error


def test_no_other_denoiser_has_a_smaller_error_than_the_floor() -> None:
    settings = Settings()
    data = clean_data(settings)
    floor = Probe.of(settings, data).bayes_floor
    rng = np.random.default_rng(6)
    clean = data[rng.integers(len(data), size=20_000)]
    noisy = clean + settings.noise * rng.standard_normal(clean.shape)
    nearest = data[np.square(noisy[:, None] - data).sum(axis=-1).argmin(axis=1)]
    for rival in (noisy, nearest, 0.9 * noisy, posterior(noisy, data, 0.35).mean):
        assert np.square(rival - clean).sum(axis=1).mean() > 1.02 * floor


def test_the_excess_risk_is_zero_for_the_exact_denoiser_and_nothing_else() -> None:
    settings = Settings()
    probe = Probe.of(settings, clean_data(settings))
    assert probe.excess_risk(probe.exact) == 0.0
    off = np.array([0.03, -0.04])
    assert abs(probe.excess_risk(probe.exact + off) - 0.05**2 / probe.bayes_floor) < 1e-12
    # The noise itself, undone by nobody: E‖ŷ − r*‖² = 2σ² − floor (Pythagoras).
    undone = (2 * settings.noise**2 - probe.bayes_floor) / probe.bayes_floor
    assert abs(probe.excess_risk(probe.noisy) - undone) < 0.1 * undone  # 4,096 draws: a few percent


def test_the_probe_is_fixed_and_its_own_exact_reference() -> None:
    settings = Settings()
    data = clean_data(settings)
    one, other = Probe.of(settings, data), Probe.of(settings, data)
    assert np.array_equal(one.noisy, other.noisy)
    assert np.array_equal(one.exact, posterior(one.noisy, data, settings.noise).mean)
    assert one.bayes_floor == other.bayes_floor > 0.0


def test_without_an_exact_reference_there_are_no_figures() -> None:
    silent = Settings(noise=0.0)
    assert Probe.of(silent, clean_data(silent)) is None
    single = Settings(points=1)
    probe = Probe.of(single, clean_data(single))
    assert probe.bayes_floor == 0.0
    assert probe.excess_risk(probe.exact) is None
    assert Reference.of(silent, clean_data(silent)) is None


def test_metrics_become_json() -> None:
    numbers = Metrics(3, 0.5, None, 0.25, None, 1.5, 100.0)
    assert json.loads(json.dumps(numbers.to_json())) == {
        "epoch": 3,
        "loss": 0.5,
        "bayes_floor": None,
        "excess_risk": 0.25,
        "midline_iou": None,
        "train_seconds": 1.5,
        "steps_per_second": 100.0,
    }


# Midlines


def iou(settings: Settings, ambiguity: np.ndarray, threshold: float) -> float | None:
    return Reference.of(settings, clean_data(settings)).midline_iou(ambiguity, threshold)


@pytest.mark.parametrize("threshold", [1.5, 2.0, 4.0])
def test_the_midlines_of_a_perfect_network_agree(threshold: float) -> None:
    assert iou(Settings(), exact_field(Settings()).ambiguity, threshold) == 1.0


def test_disjoint_midlines_do_not_agree_at_all() -> None:
    exact = exact_field(Settings()).ambiguity
    assert iou(Settings(), 4.0 - exact, 2.0) == 0.0
    assert iou(Settings(), np.ones_like(exact), 2.0) == 0.0  # the network sees no midline


def test_where_neither_has_a_midline_there_is_nothing_to_compare() -> None:
    single = Settings(points=1)
    assert iou(single, exact_field(single).ambiguity, 2.0) is None


def test_the_agreement_is_intersection_over_union_near_the_data() -> None:
    settings = Settings()
    field = exact_field(settings)
    learned = field.ambiguity + np.random.default_rng(8).normal(0.0, 1.0, field.ambiguity.shape)
    both = either = 0
    for place, mine, best in zip(field.grid.points, learned.flat, field.ambiguity.flat, strict=True):
        if min(np.hypot(*(place - y)) for y in field.data) <= 3.0 * settings.noise:
            both += mine > 2.0 and best > 2.0
            either += mine > 2.0 or best > 2.0
    assert 0 < both < either
    assert iou(settings, learned, 2.0) == both / either


def test_places_far_from_the_data_do_not_count() -> None:
    settings = Settings(extent=(-6.0, 6.0, -6.0, 6.0))
    field = exact_field(settings)
    distance = np.sqrt(np.square(field.grid.points[:, None] - spiral(151, 1.5)).sum(axis=-1)).min(axis=1)
    far = (distance > NEAR_DATA * settings.noise).reshape(field.grid.shape)
    assert 0.5 < far.mean() < 1.0
    assert iou(settings, np.where(far, 99.0, field.ambiguity), 2.0) == 1.0


def test_a_reference_measures_the_exact_denoiser_as_perfect() -> None:
    settings = Settings(noise=0.3)
    reference = Reference.of(settings, clean_data(settings))
    perfect = reference.quality(reference.probe.exact, reference.ambiguity, 2.0)
    assert perfect == Quality(reference.probe.bayes_floor, 0.0, 1.0)
