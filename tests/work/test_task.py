"""What is worked out beside the frames: at once, as a sketch, step by step; the test turns the clock."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial import KDTree

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import PROBES, probe_noisy
from aeviz.core.field import ExactField, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import FLOOR_PROBES, Quality, Reference
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, Steps, finish
from aeviz.work import exact as exact_module
from aeviz.work.exact import FEW_PROBES, RESTS, SHORT, Exact, Task

SETTINGS = Settings(points=60, grid=(12, 9))
GRID, FINE = Grid.home(SETTINGS, clean_data(SETTINGS)), Grid((-2.0, 2.0, -1.5, 1.5), (60, 80))


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(exact_module, "time", SimpleNamespace(monotonic=clock))
    return clock


def new(settings: Settings = SETTINGS) -> Exact:
    return Exact(clean_data(settings))


def field(exact: Exact, settings: Settings, grid: Grid) -> ExactField:
    """The exact field, which there is."""
    found = exact.field(settings, grid)
    assert found is not None
    return found


def counted(steps: int, result: str, log: list[str]) -> Steps[str]:
    """Work of so many steps, each of which is noted."""
    for step in range(steps):
        log.append(f"{result} {step}")
        yield
    return result


def advance_to_the_end(task: Task[Any]) -> int:
    """Steps that it took, the last of which must say that it was the last."""
    said = [task.advance()]
    while task.unfinished:
        said.append(task.advance())
    assert said == [False] * (len(said) - 1) + [True]
    return len(said)


# A task


def test_a_task_is_done_step_by_step_and_says_when_it_is_done(clock: Clock) -> None:
    log: list[str] = []
    task: Task[str] = Task()
    assert (task.unfinished, task.wait, task.result) == (False, math.inf, None)
    task.want("a", counted(3, "a", log))
    assert (task.unfinished, task.result, log) == (True, None, [])
    assert [task.advance(), task.advance(), task.advance()] == [False] * 3
    assert (log, task.result) == (["a 0", "a 1", "a 2"], None)
    assert task.advance()
    assert (task.unfinished, task.wait, task.result) == (False, math.inf, "a")


def test_it_says_what_it_is_for_and_another_drops_it(clock: Clock) -> None:
    log: list[str] = []
    task: Task[str] = Task()
    assert not task.is_for("a")
    task.want("a", counted(3, "a", log))
    task.advance(), task.advance()
    assert (task.is_for("a"), task.is_for("b")) == (True, False)
    task.want("b", counted(2, "b", log))
    assert (task.is_for("a"), task.is_for("b")) == (False, True)
    assert task.result is None
    assert task.finish() == "b"
    assert log == ["a 0", "a 1", "b 0", "b 1"]
    assert task.is_for("b")  # for as long as nothing else is wanted
    task.want("a", counted(1, "a", log))  # what was dropped begins anew
    assert (task.result, task.finish(), task.finish()) == (None, "a", "a")


def test_a_task_rests_until_the_same_has_been_wanted_for_a_while(clock: Clock) -> None:
    task: Task[str] = Task()
    for dragged in range(5):
        task.want(dragged, counted(1, "", []))
        assert task.wait == pytest.approx(RESTS, abs=1e-9)  # of a clock that stands at 100
        clock.now += 0.9 * RESTS
        assert task.wait == pytest.approx(0.1 * RESTS, abs=1e-9)
    clock.now += 0.2 * RESTS
    assert task.wait == 0.0
    task.advance()
    assert task.wait == 0.0  # once begun it goes on
    task.advance()
    assert task.wait == math.inf


def test_an_error_in_a_step_is_raised_once_and_another_may_be_wanted(clock: Clock) -> None:
    def fails() -> Steps[str]:
        yield
        raise MemoryError("too many")

    task: Task[str] = Task()
    for end in (task.advance, task.finish):
        task.want("a", fails())
        task.advance()
        with pytest.raises(MemoryError, match="too many"):
            end()
        assert (task.unfinished, task.wait, task.result) == (False, math.inf, None)
        assert task.is_for("a")  # which has been tried
        assert task.finish() is None
    task.want("b", counted(1, "b", []))
    assert task.finish() == "b"


# The exact field


def assert_whole(found: ExactField, settings: Settings, grid: Grid) -> None:
    """The definition, at every cell: posterior mean, log-density and ambiguity of Gaussian noise."""
    assert not found.sketch
    y, x, variance = clean_data(settings).points, grid.points, settings.noise**2
    exponent = -np.square(x[:, None] - y).sum(axis=-1) / (2.0 * variance)
    top = exponent.max(axis=1, keepdims=True)
    weights = np.exp(exponent - top)
    density = weights.sum(axis=1)
    weights /= density[:, None]
    mean = weights @ y
    off = y - mean[:, None]
    covariance = np.einsum("mn,mni,mnj->mij", weights, off, off)
    best = {
        "displacement": (mean - x).reshape(*grid.shape, 2),
        "log_density": (top[:, 0] + np.log(density / len(y) / (2.0 * np.pi * variance))).reshape(grid.shape),
        "ambiguity": np.linalg.eigvalsh(covariance)[:, -1].reshape(grid.shape) / variance,
    }
    for name, values in best.items():
        # Float64, of exponents up to some hundreds.
        assert np.abs(getattr(found, name) - values).max() < 1e-9, name


def test_a_short_field_is_whole_at_once_and_worked_out_once(clock: Clock) -> None:
    exact = new()
    found = field(exact, SETTINGS, GRID)
    assert not exact.field_task.unfinished
    assert_whole(found, SETTINGS, GRID)
    assert field(exact, SETTINGS, GRID) is found
    assert field(exact, SETTINGS.replace(learning_rate=0.01, layer="exact", epochs=7), GRID) is found
    moved = Grid((-1.0, 2.9, -1.4, 1.9), GRID.shape)
    for other, grid in ((SETTINGS.replace(noise=0.4), GRID), (SETTINGS, GRID), (SETTINGS, moved)):
        again = field(exact, other, grid)
        assert again is not found
        assert_whole(again, other, grid)


def test_a_field_is_short_up_to_its_last_weight(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = 60 * 12 * 9
    monkeypatch.setattr(exact_module, "SHORT", weights)
    assert not field(new(), SETTINGS, GRID).sketch
    monkeypatch.setattr(exact_module, "SHORT", weights - 1)
    assert field(new(), SETTINGS, GRID).sketch
    assert weights < SHORT  # else the default figure would be sketched


def test_a_long_field_is_sketched_at_once_and_whole_step_by_step(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_module, "SHORT", 100_000)
    exact = new()
    sketch = field(exact, SETTINGS, FINE)
    assert sketch.sketch
    assert sketch.ambiguity is not None
    assert sketch.displacement.shape == (60, 80, 2)
    assert sketch.log_density.shape == sketch.ambiguity.shape == (60, 80)
    assert exact.field_task.wait == pytest.approx(RESTS, abs=1e-9)
    assert field(exact, SETTINGS, FINE) is sketch  # until there is better, and no new one in every frame
    exact.field_task.advance()
    assert field(exact, SETTINGS, FINE) is sketch
    steps = 1 + advance_to_the_end(exact.field_task)
    assert steps > 10  # of 288,000 weights, 20,000 at a time
    whole = field(exact, SETTINGS, FINE)
    assert whole is not sketch
    assert_whole(whole, SETTINGS, FINE)
    assert whole.ambiguity is not None
    # Every clean point, and cells of 3 × 3: a reconstruction moves by ambiguity times as far as its place.
    moved = np.hypot(*FINE.cell) * 2.0 * whole.ambiguity.max()
    assert np.hypot(*np.moveaxis(sketch.displacement - whole.displacement, -1, 0)).max() < moved
    assert np.hypot(*np.moveaxis(whole.displacement, -1, 0)).max() > 0.5


def test_another_noise_or_grid_drops_a_field_that_was_begun(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_module, "SHORT", 100_000)
    exact = new()
    first = field(exact, SETTINGS, FINE)
    exact.field_task.advance()
    other = SETTINGS.replace(noise=0.4)
    sketch = field(exact, other, FINE)
    assert sketch is not first
    exact.field_task.finish()
    assert_whole(field(exact, other, FINE), other, FINE)
    field(exact, SETTINGS, FINE)
    assert_whole(field(exact, SETTINGS, GRID), SETTINGS, GRID)  # a short one on the way to a long one
    assert not exact.field_task.unfinished


@pytest.mark.parametrize(
    "change", [{"noise_kind": "rare"}, {"noise_kind": "uniform"}, {"target": "nearest"}], ids=str
)
def test_kind_and_target_are_part_of_the_optimum(change: dict[str, str], clock: Clock) -> None:
    exact, settings = new(), SETTINGS.replace(**change)
    before, found = field(exact, SETTINGS, GRID), field(exact, settings, GRID)
    at = Denoiser(clean_data(settings).points, 0.25, settings.noise_kind, settings.target).at(GRID.points)
    np.testing.assert_array_equal(found.displacement.reshape(-1, 2), at.mean - GRID.points)
    assert (found.ambiguity is None) == (at.ambiguity is None)
    assert not np.array_equal(found.displacement, before.displacement)


def test_an_error_in_an_exact_field_is_told_once_until_something_else_is_wanted(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, other = new(), SETTINGS.replace(noise=0.4)
    field(exact, other, GRID)
    with monkeypatch.context() as patch:
        patch.setattr(Denoiser, "_block", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            exact.field(SETTINGS, GRID)
        for _ in range(2):
            assert exact.field(SETTINGS, GRID) is None  # not that of other settings
            assert not exact.field_task.unfinished
    assert exact.field(SETTINGS.replace(batch=9), GRID) is None  # the same optimum
    assert_whole(field(exact, other, GRID), other, GRID)
    assert_whole(field(exact, SETTINGS, GRID), SETTINGS, GRID)


def test_an_error_on_the_way_to_the_whole_leaves_the_sketch(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_module, "SHORT", 100_000)
    exact = new()
    sketch = field(exact, SETTINGS, FINE)
    exact.field_task.advance()
    with monkeypatch.context() as patch:
        patch.setattr(Denoiser, "_block", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            exact.field_task.advance()
    for _ in range(2):
        assert field(exact, SETTINGS, FINE) is sketch
        assert exact.field_task.wait == math.inf


@pytest.mark.parametrize("begun", [0, 1, 1_000], ids=["at once", "while it is begun", "once it is there"])
def test_for_a_file_the_whole_is_worked_out_beside_that_of_the_window(
    begun: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_module, "SHORT", 100_000)
    exact = new()
    field(exact, SETTINGS, FINE)
    while begun and exact.field_task.unfinished:
        exact.field_task.advance()
        begun -= 1
    before = exact.field_task.result
    for settings, grid in ((SETTINGS, FINE), (SETTINGS, GRID), (SETTINGS.replace(noise=0.4), FINE)):
        found = finish(exact.whole(settings, grid))
        assert found is not None
        assert_whole(found, settings, grid)
    assert exact.field_task.result is before
    exact.field_task.finish()
    assert_whole(field(exact, SETTINGS, FINE), SETTINGS, FINE)


@pytest.mark.parametrize(
    "zero",
    [
        SETTINGS.replace(noise=0.0),
        SETTINGS.replace(noise=0.0, target="nearest"),
        SETTINGS.replace(noise_kind="masking"),
        SETTINGS.replace(noise_kind="flip", target="nearest"),
    ],
    ids=["none", "none, nearest", "masking", "flip, nearest"],
)
def test_without_noise_that_is_added_nothing_is_exact(zero: Settings, clock: Clock) -> None:
    exact = new()
    assert exact.field(zero, GRID) is None
    assert finish(exact.whole(zero, GRID)) is None
    assert exact.floor(zero) == Quality()
    assert exact.field_task.wait == math.inf
    assert exact.reference(zero) is None  # while it is worked out: how near the data each place is
    exact.reference_task.finish()
    found = exact.reference(zero)
    assert found is not None
    assert (found.probe, found.ambiguity, found.across_midline) == (None, None, None)
    distance, _ = KDTree(clean_data(zero).points).query(GRID.points)
    np.testing.assert_array_equal(found.distance.ravel(), distance)


# The reference, and the floor while it is worked out


def test_the_reference_is_worked_out_step_by_step_for_the_newest_settings(clock: Clock) -> None:
    exact = new()
    assert exact.reference(SETTINGS) is None
    assert exact.reference_task.wait == pytest.approx(RESTS, abs=1e-9)
    assert advance_to_the_end(exact.reference_task) > 10  # 4,204 places, 333 at a time
    found = exact.reference(SETTINGS)
    assert found is not None
    assert exact.reference(SETTINGS.replace(threshold=3.0, batch=9)) is found
    for change in (
        {"noise": 0.3}, {"noise_kind": "rare"}, {"target": "nearest"}, {"grid": (13, 9)},
        {"extent": (-2.2, 1.7, -1.4, 2.9)},
    ):  # fmt: skip
        exact.reference(SETTINGS)
        exact.reference_task.finish()
        assert exact.reference(SETTINGS.replace(**change)) is None
        exact.reference_task.finish()
        assert exact.reference(SETTINGS.replace(**change)) is not None


def test_the_reference_is_of_its_settings(clock: Clock) -> None:
    exact = new()
    exact.reference(SETTINGS)
    found = exact.reference_task.finish()
    assert isinstance(found, Reference)
    data = clean_data(SETTINGS)
    draws = probe_noisy(SETTINGS, data, FLOOR_PROBES)
    posterior = Denoiser(data.points, SETTINGS.noise).at(draws)
    assert found.probe is not None
    assert abs(found.probe.bayes_floor - posterior.variance.mean()) < 1e-12
    np.testing.assert_array_equal(found.probe.noisy, draws[:PROBES])
    assert found.grid == GRID
    distance, _ = KDTree(data.points).query(GRID.points)
    np.testing.assert_array_equal(found.distance.ravel(), distance)
    np.testing.assert_array_equal(found.near.ravel(), distance <= 3.0 * SETTINGS.noise)
    assert len(found.midline.places) > 10
    assert (found.midline.half_gap <= 3.0 * SETTINGS.noise).all()


def variance_of(settings: Settings) -> FloatArray:
    """tr Cov* at each point of the probe set."""
    data = clean_data(settings)
    return Denoiser(data.points, settings.noise, settings.noise_kind).at(probe_noisy(settings, data)).variance


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "rare"])
@pytest.mark.parametrize("points", [1, 60, 5_000])
def test_the_sketched_floor_is_close_to_the_whole(kind: str, points: int, clock: Clock) -> None:
    settings = SETTINGS.replace(points=points, noise_kind=kind)
    sketch = new(settings).floor(settings)
    assert sketch.sketch
    assert (sketch.excess_risk, sketch.midline_iou, sketch.ridge_distance) == (None, None, None)
    each = variance_of(settings)
    assert sketch.bayes_floor is not None
    # Five standard errors of a mean over 512; that of one point is 0, but for rounding.
    assert abs(sketch.bayes_floor - each.mean()) <= 5.0 * each.std() / math.sqrt(FEW_PROBES) + 1e-15
    assert points == 1 or sketch.bayes_floor > 0.0


@pytest.mark.parametrize("noise", [0.25, 0.001])
def test_uniform_noise_on_many_points_has_a_sketched_floor(noise: float, clock: Clock) -> None:
    settings = SETTINGS.replace(points=200_000, noise_kind="uniform", noise=noise)
    found = new(settings).floor(settings).bayes_floor
    # A sketch knows some of the points alone, and the smaller noise reaches none of those from most others.
    assert found is not None and np.isfinite(found)
    # Never more than the noise itself costs, 2σ²: five standard errors, as ‖ε‖² is 2 ± 1.3.
    assert 0.0 <= found < noise**2 * (2.0 + 5.0 * 1.3 / math.sqrt(FEW_PROBES))


def test_a_sketch_of_the_floor_disturbs_nothing(clock: Clock) -> None:
    exact = new()
    exact.reference(SETTINGS)
    exact.reference_task.advance()
    before = exact.floor(SETTINGS)
    assert exact.floor(SETTINGS) == before
    assert exact.reference_task.unfinished
    assert exact.field_task.wait == math.inf
