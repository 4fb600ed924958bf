"""The clean points of each kind of data, and all that belongs to them."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fields import drawings, drawn, flat, own_units, spiral, written
from hypothesis import example, given
from hypothesis import strategies as st

from aeviz.core.clean_data import DENSE, CleanData, clean_data
from aeviz.core.data_file import BadRowsError, read_points
from aeviz.core.manifolds import BITS, CLOSED, CURVES
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings

ROUNDING = 1e-14  # some eps of radii up to 4.5
EPS = np.finfo(float).eps
SHAPES = CURVES | BITS
CLOUD = (3.0, 100.0, 5.0, 250.0, 4.0, 400.0, 7.0, 310.0)  # drawn, in units of their own


def same(one: CleanData, other: CleanData) -> bool:
    """Whether all their numbers are the same."""
    for field in dataclasses.fields(CleanData):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, tuple):
            if len(a) != len(b) or not all(map(np.array_equal, a, b)):
                return False
        elif not np.array_equal(a, b):
            return False
    return True


# Shapes


def test_the_default_is_the_lectures_spiral() -> None:
    assert np.array_equal(clean_data(Settings()).points, spiral(151))
    assert np.array_equal(clean_data(Settings(points=20, turns=0.75)).points, spiral(20, 0.75))


@pytest.mark.parametrize("name", SHAPES)
def test_a_shapes_points_are_its_pieces_in_order(name: str) -> None:
    data = clean_data(Settings(data=name, points=23, turns=2.0))
    assert np.array_equal(data.points, np.concatenate(SHAPES[name](23, 2.0)))
    assert data.closed == (name in CLOSED)
    assert np.array_equal(own_units(data), data.points)  # its own units are the data's
    assert data.note == ""
    assert data.is_binary == (name in BITS)
    dense = CURVES[name](DENSE, 2.0) if name in CURVES else []
    assert len(data.curve) == len(dense)
    assert all(map(np.array_equal, data.curve, dense))
    assert sum(map(len, data.curve)) in (0, 2_000)


@pytest.mark.parametrize("points", [3, 4, 6, 20])
@pytest.mark.parametrize("change", [{"cost": "bce"}, {"standardise": True}], ids=str)
@pytest.mark.parametrize("name", CURVES)
def test_the_curve_goes_where_its_points_go(name: str, change: dict[str, Any], points: int) -> None:
    """However few points decide the map, the curve runs through all of them."""
    settings = Settings(data=name, points=points)
    plain, mapped = clean_data(settings), clean_data(settings.replace(**change))
    assert len(mapped.curve) == len(plain.curve)
    low, high = (of(plain.points, axis=0) for of in (np.min, np.max))
    if "cost" in change:  # one scale for both axes
        scale, offset = np.full(2, (high - low).max()), 0.5 * (low + high) - 0.5 * (high - low).max()
    else:
        scale, offset = plain.points.std(axis=0), plain.points.mean(axis=0)
    size = 4.0 / scale.min()  # of the mapped curve
    for whole, piece in zip(plain.curve, mapped.curve, strict=True):
        assert np.abs(scale * piece + offset - whole).max() < 4 * EPS * size * scale.max() + 1e-14
    assert np.abs(scale * mapped.points + offset - plain.points).max() < 1e-14


# Jitter


@pytest.mark.parametrize("jitter", [0.01, 0.1, 0.5])
def test_jitter_is_gaussian_of_this_standard_deviation(jitter: float) -> None:
    settings = Settings(points=20_000, jitter=jitter)
    moved = (clean_data(settings).points - spiral(20_000)) / jitter
    # Standard errors over 20,000: mean 1/√n, deviation 1/√2n, correlation 1/√n; five of them.
    n = 20_000
    assert np.abs(moved.mean(axis=0)).max() < 5 / np.sqrt(n)
    assert np.abs(moved.std(axis=0) - 1.0).max() < 5 / np.sqrt(2 * n)
    assert abs((moved[:, 0] * moved[:, 1]).mean()) < 5 / np.sqrt(n)
    assert abs((np.abs(moved) < 1.0).mean() - 0.6827) < 5 * np.sqrt(0.22 / (2 * n))


def test_data_depend_on_the_seed_only_with_jitter_and_never_on_training() -> None:
    other: dict[str, Any] = {"noise": 0.7, "batch": 7, "epochs": 3, "hidden": (5,), "threshold": 3.0}
    for jitter in (0.0, 0.1):
        made = clean_data(Settings(jitter=jitter)).points
        assert np.array_equal(made, clean_data(Settings(jitter=jitter, **other)).points)
        assert np.array_equal(made, clean_data(Settings(jitter=jitter, seed=1)).points) == (jitter == 0.0)


@pytest.mark.parametrize(
    "settings", [Settings(), Settings(data="moons"), drawn(*CLOUD)], ids=lambda s: s.data
)
def test_jitter_moves_each_point_along_a_ray_and_leaves_the_curve(settings: Settings) -> None:
    plain = clean_data(settings)
    small, large = (clean_data(settings.replace(jitter=jitter)) for jitter in (0.1, 0.3))
    away = small.points - plain.points
    assert np.abs(3.0 * away - (large.points - plain.points)).max() < 4 * EPS * np.abs(plain.points).max()
    assert np.abs(away).min() > 0.0
    assert all(map(np.array_equal, large.curve, plain.curve))
    assert large.spacing == plain.spacing


# What is drawn, and files


@given(drawings)
def test_drawn_points_are_taken_as_they_are(points: list[tuple[float, float]]) -> None:
    data = clean_data(drawn(*flat(points)))
    assert data.points.tolist() == [list(point) for point in points]
    assert np.array_equal(own_units(data), data.points)
    assert data.curve == ()
    assert not data.closed
    # Other settings of shapes have no say.
    assert same(data, clean_data(drawn(*flat(points), points=7, turns=3.0)))


def test_before_something_is_drawn_there_are_no_points() -> None:
    for data in (Settings(data="drawn"), Settings(data="drawn", jitter=0.1, cost="bce")):
        with pytest.raises(SettingError, match=r"^--data drawn has no points yet: .*--drawn x,y,x,y…$"):
            clean_data(data)
    assert len(clean_data(Settings(drawn=CLOUD)).points) == 151  # drawn, but not chosen


def test_a_file_is_read(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(37, 2))
    for name in ("a.csv", "b.NPY"):
        path = tmp_path / name
        if name == "a.csv":
            path.write_text("x,y\n" + "".join(f"{x!r},{y!r}\n" for x, y in points.tolist()), encoding="utf-8")
        else:
            with path.open("wb") as file:
                np.save(file, points)
        data = clean_data(Settings(data=str(path), points=7, turns=3.0))
        assert np.array_equal(data.points, points)
        assert np.array_equal(own_units(data), points)
        assert (data.curve, data.closed, data.note) == ((), False, "")


def test_bad_rows_are_refused_or_skipped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,2\n3,nan\n5,6\nseven,8\n", encoding="utf-8")
    settings = Settings(data=str(path))
    with pytest.raises(BadRowsError, match=r"--bad-rows skip"):
        clean_data(settings)
    data = clean_data(settings.replace(bad_rows="skip"))
    assert data.points.tolist() == [[1.0, 2.0], [5.0, 6.0]]
    assert data.note == read_points(path, skip_bad=True).note
    assert "2 rows" in data.note


def test_a_file_that_is_not_there_is_told_every_time(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "none.csv"))
    for _ in range(2):
        with pytest.raises(SettingError, match=r"none\.csv: "):
            clean_data(settings)
    (tmp_path / "none.csv").write_text("1,2\n", encoding="utf-8")
    assert clean_data(settings).points.tolist() == [[1.0, 2.0]]


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    settings = Settings(data=written(tmp_path, np.eye(2)))
    assert len(clean_data(settings).points) == 2
    written(tmp_path, np.ones((5, 2)))
    assert len(clean_data(settings).points) == 5


# In the unit square


@pytest.mark.parametrize(
    "change", [{}, {"jitter": 0.3}, {"turns": 0.25}, {"points": 1}, {"turns": 4.0}], ids=str
)
@pytest.mark.parametrize("settings", [Settings(), Settings(data="line"), drawn(*CLOUD)], ids=lambda s: s.data)
def test_a_cross_entropy_gets_its_data_in_the_unit_square(settings: Settings, change: dict[str, Any]) -> None:
    settings = settings.replace(**change)
    plain, mapped = clean_data(settings).points, clean_data(settings.replace(cost="bce")).points
    assert mapped.min() >= 0.0
    assert mapped.max() <= 1.0
    size = np.ptp(plain, axis=0).max() or 1.0
    one_scale = size * (mapped - mapped[0]) - (plain - plain[0])  # for both axes
    assert np.abs(one_scale).max() < 4 * EPS * np.abs(plain).max() + 1e-14
    if len(plain) > 1:
        assert np.ptp(mapped, axis=0).max() == pytest.approx(1.0, abs=1e-12)
    middle = 0.5 * (mapped.min(axis=0) + mapped.max(axis=0))
    assert np.abs(middle - 0.5).max() < 1e-12


def test_no_rounding_leads_out_of_the_unit_square() -> None:
    """Where a logarithm has no value."""
    rng = np.random.default_rng(2)
    for _ in range(200):
        points = rng.normal(size=(3, 2)) + 10.0 * rng.normal(size=2)
        mapped = clean_data(drawn(*points.ravel(), cost="bce")).points
        assert mapped.min() >= 0.0
        assert mapped.max() <= 1.0


@pytest.mark.parametrize("name", BITS)
def test_bits_stay_bits_in_the_unit_square(name: str) -> None:
    plain, mapped = clean_data(Settings(data=name)), clean_data(Settings(data=name, cost="bce"))
    assert np.array_equal(plain.points, mapped.points)
    assert mapped.is_binary


@pytest.mark.parametrize("change", [{}, {"cost": "bce"}, {"standardise": True}], ids=str)
@pytest.mark.parametrize("jitter", [0.0, 0.3])
def test_the_users_units_come_back(tmp_path: Path, change: dict[str, Any], jitter: float) -> None:
    points = np.random.default_rng(1).normal(size=(50, 2)) * (3.0, 4e3) + (1e6, -20.0)
    plain = clean_data(drawn(*points.ravel(), jitter=jitter)).points
    for settings in (drawn(*points.ravel()), Settings(data=written(tmp_path, points))):
        data = clean_data(settings.replace(jitter=jitter, **change))
        # One rounding of what is as large as the offset, and the jitter's own.
        assert (np.abs(own_units(data) - plain) <= 4 * EPS * (np.abs(points).max(axis=0) + 1.0)).all()
        assert (np.abs(data.points).max() < 10.0) == bool(change)


# Standardised


@given(drawings)
@example([(0.0, 0.0), (0.0, 1.4076175127176625e-158)])
def test_standardised_data_have_mean_0_and_deviation_1(points: list[tuple[float, float]]) -> None:
    plain, data = np.array(points), clean_data(drawn(*flat(points), standardise=True))
    size = np.abs(plain).max(axis=0)
    for k in (0, 1):
        spread = plain[:, k].std()
        if spread > 1e-6 * size[k]:  # else all of it is rounding, or there is none
            slip = 100 * EPS * size[k] / spread
            assert abs(data.points[:, k].mean()) < slip
            assert abs(data.points[:, k].std() - 1.0) < slip
    assert (np.abs(own_units(data) - plain) <= 8 * EPS * size).all()


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0.0, 7), (0.5, 151), (1e9, 151), (0.1, 1), (-7.3, 2),
        *((value, count) for value in (0.1, -7.3) for count in (7, 151)),
    ],
)  # fmt: skip
def test_a_coordinate_that_is_everywhere_the_same_is_0_when_standardised(value: float, count: int) -> None:
    points = np.column_stack((np.arange(float(count)), np.full(count, value)))
    data = clean_data(drawn(*points.ravel(), standardise=True))
    assert np.abs(data.points[:, 1]).max() <= 1e-6  # a mean's rounding is some eps of up to 1e9
    assert data.scale[1] == 1.0
    assert abs(data.offset[1] - value) <= count * EPS * abs(value)  # that of a sum of so many
    if count > 1:
        assert abs(data.points[:, 0].std() - 1.0) < 1e-12


def test_a_shape_is_standardised_and_keeps_no_units() -> None:
    data = clean_data(Settings(data="moons", standardise=True))
    assert np.abs(data.points.mean(axis=0)).max() < 1e-14
    assert np.abs(data.points.std(axis=0) - 1.0).max() < 1e-14
    assert np.array_equal(data.scale, np.ones(2))
    assert np.array_equal(data.offset, np.zeros(2))


# What is known of them


@given(st.integers(1, 300))
def test_positions_run_from_0_to_1(points: int) -> None:
    found = CleanData(np.zeros((points, 2))).positions
    assert np.abs(found - np.arange(points) / max(1, points - 1)).max() < 1e-15


def test_the_spacing_is_the_usual_distance_of_neighbours() -> None:
    assert clean_data(Settings(points=1)).spacing == math.inf
    # The middle of the spiral, r = 1.25, is as long as all of it: ds = √(r² + 1/4π²) dθ.
    spacing = clean_data(Settings()).spacing
    assert abs(spacing - np.hypot(1.25, 0.5 / np.pi) * 3.0 * np.pi / 150) < 1e-3
    assert abs(clean_data(Settings(data="circle", points=60)).spacing - 3.0 * math.sin(np.pi / 60)) < 1e-14
    # The way from one moon to the other is one step among many.
    moons = clean_data(Settings(data="moons", points=100))
    assert abs(moons.spacing - 3.0 * math.sin(0.5 * np.pi / 49)) < 1e-14
    assert clean_data(drawn(0.0, 0.0, 3.0, 4.0, 3.0, 3.0, 4.0, 3.0)).spacing == 1.0


@pytest.mark.parametrize("jitter", [0.0, 0.2])
@pytest.mark.parametrize("change", [{"cost": "bce"}, {"standardise": True}], ids=str)
def test_the_spacing_is_in_the_units_of_the_points(change: dict[str, Any], jitter: float) -> None:
    smooth = clean_data(drawn(*CLOUD)).points
    data = clean_data(drawn(*CLOUD, jitter=jitter, **change))
    steps = np.hypot(*(np.diff(smooth, axis=0) / data.scale).T)
    assert abs(data.spacing - np.median(steps)) < 1e-12


def test_the_box_holds_all_points() -> None:
    data = CleanData(np.array([[3.0, 1.0], [-1.0, 5.0], [0.0, 0.5]]))
    low, high = data.box
    assert (low.tolist(), high.tolist()) == ([-1.0, 0.5], [3.0, 5.0])
    assert data.spread == 4.5
    assert CleanData(np.ones((4, 2))).spread == 0.0


@pytest.mark.parametrize(
    ("points", "binary"),
    [
        (((0, 1), (1, 0)), True), (((0, 0),), True), (((1, 1), (1, 1)), True), (((0, 0.5),), False),
        (((0, -1),), False), (((0, 1), (1, 2)), False), (((-0.0, 1),), True),
    ],
)  # fmt: skip
def test_bits_are_0_or_1(points: tuple[tuple[float, ...], ...], binary: bool) -> None:
    assert CleanData(np.array(points, dtype=float)).is_binary == binary


@pytest.mark.parametrize("settings", [Settings(), Settings(data="moons", jitter=0.1), drawn(*CLOUD)], ids=str)
def test_clean_data_survive_the_way_to_another_process(settings: Settings) -> None:
    data = clean_data(settings.replace(standardise=True))
    for there in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data)):  # noqa: S301
        assert there is not data
        assert same(there, data)
        assert there.extent(settings) == data.extent(settings)
    assert not same(data, dataclasses.replace(data, points=data.points + 1.0))  # the check sees
