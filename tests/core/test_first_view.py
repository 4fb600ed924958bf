"""The first view: as set, the lecture's, or round the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fields import drawings, drawn, flat, home_of, own_units, written
from hypothesis import assume, given
from hypothesis import strategies as st

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.field import Grid
from aeviz.core.settings import LECTURE_EXTENT, SPECS, Settings

EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("change", "lectures"),
    [
        ({}, True), ({"noise": 0.7, "seed": 3, "points": 9, "theme": "light", "target": "nearest"}, True),
        ({"turns": 1.25}, False), ({"jitter": 0.01}, False), ({"standardise": True}, False),
        ({"cost": "bce"}, False), ({"data": "two-spirals"}, False),
        # What is drawn stays where it was drawn, unless it goes beyond, or is mapped.
        ({"data": "drawn", "drawn": (0.5, 0.0, -2.2, 1.9)}, True),
        ({"data": "drawn", "drawn": (0.5, 0.0, -2.3, 1.9)}, False),
        ({"data": "drawn", "drawn": (0.5, 0.0, -2.0, 2.0)}, False),
        ({"data": "drawn", "drawn": (0.5, 0.0, -2.0, 0.0), "cost": "bce"}, False),
    ],
    ids=str,
)  # fmt: skip
def test_the_lectures_spiral_has_the_lectures_view(change: dict[str, Any], lectures: bool) -> None:
    settings = Settings().replace(**change)
    assert (clean_data(settings).extent(settings) == LECTURE_EXTENT) == lectures


@given(drawings)
def test_a_view_that_somebody_chose_is_the_first(points: list[tuple[float, float]]) -> None:
    chosen = (-1.0, 2.0, 5.0, 6.0)
    settings = drawn(*flat(points), extent=chosen)
    assert clean_data(settings).extent(settings) == chosen
    assert clean_data(Settings()).extent(Settings(extent=chosen)) == chosen


def fits(grid: Grid, data: CleanData) -> None:
    """Assert that a first view shows all data, with a margin, in the middle, in square cells."""
    low, high = data.box
    first, last = np.array(grid.extent[::2]), np.array(grid.extent[1::2])
    size, rounding = high - low, 16 * EPS * max(np.abs(grid.extent).max(), np.abs(data.points).max())
    assert (first < last).all()
    width, height = grid.cell
    assert abs(width - height) <= 1e-12 * width + rounding
    assert np.abs(0.5 * (first + last) - 0.5 * (low + high)).max() <= rounding
    spare = (last - first) - 1.14 * size
    assert spare.min() >= -rounding
    if size.max() > 0.0:  # no larger than it need be
        assert spare.min() <= rounding
    else:
        assert abs((last - first).max() - 2.0) <= rounding


@given(drawings, st.tuples(st.integers(2, 400), st.integers(2, 400)))
def test_the_first_view_fits_the_data(points: list[tuple[float, float]], cells: tuple[int, int]) -> None:
    settings = drawn(*flat(points), grid=cells)
    data = clean_data(settings)
    assume(not 0.0 < data.spread < 1e-12 * np.abs(data.points).max())  # numbers are too coarse for cells
    if ((data.points >= LECTURE_EXTENT[::2]) & (data.points <= LECTURE_EXTENT[1::2])).all():
        assert home_of(settings) == Grid(LECTURE_EXTENT, cells[::-1])
    else:
        fits(home_of(settings), data)


@pytest.mark.parametrize("change", [{}, {"jitter": 0.2}, {"standardise": True}, {"cost": "bce"}], ids=str)
@pytest.mark.parametrize("name", [name for name in SPECS["data"].choices if name != "drawn"])
def test_the_first_view_fits_every_shape(name: str, change: dict[str, Any]) -> None:
    for points in (1, 2, 151):
        settings = Settings(data=name, points=points, turns=2.0).replace(**change)
        fits(home_of(settings), clean_data(settings))


@pytest.mark.parametrize("change", [{}, {"standardise": True}, {"cost": "bce"}], ids=str)
@pytest.mark.parametrize("unit", [1e-100, 1e-12, 1.0, 1e12, 1e100])
def test_the_first_view_fits_data_of_any_size(tmp_path: Path, unit: float, change: dict[str, Any]) -> None:
    points = unit * np.array([[-0.3, 0.5], [0.7, 1.0], [0.2, -0.6]])
    settings = Settings(data=written(tmp_path, points)).replace(**change)
    data = clean_data(settings)
    fits(home_of(settings), data)
    assert home_of(settings).covering(home_of(settings).edges) == home_of(settings)
    assert np.abs(own_units(data) - points).max() <= 8 * EPS * unit
    steps = np.hypot(*np.diff(points / data.scale, axis=0).T)
    assert abs(data.spacing - np.median(steps)) <= 1e-12 * data.spacing


@pytest.mark.parametrize("x", [0.0, 1.0, -1e6, 1e17, 1e100])
@pytest.mark.parametrize("count", [1, 3])
def test_the_first_view_of_equal_points_has_a_size(tmp_path: Path, count: int, x: float) -> None:
    settings = Settings(data=written(tmp_path, np.full((count, 2), x)))
    grid = home_of(settings)
    assert grid.extent[0] < x < grid.extent[1] or x == 0.5 * (grid.extent[0] + grid.extent[1])
    assert min(grid.cell) > 0.0
    assert grid.covering(grid.edges) == grid
    if abs(x) < 1e9:
        fits(grid, clean_data(settings))
