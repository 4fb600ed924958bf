"""What trainer and observer say of the exact denoiser: before the frame, sketched, or after it, unasked."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.spatial import KDTree
from talk import GRID, SMALL, Talk, bits

from aeviz.core.clean_data import clean_data
from aeviz.core.field import ExactField, Grid
from aeviz.core.metrics import Quality, Reference
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish
from aeviz.learn.measure import measure
from aeviz.learn.training import Training
from aeviz.work import messages as m
from aeviz.work.exact import SHORT

EXACT = SMALL.replace(layer="exact")
LONG = SMALL.replace(points=200_000, batch=65_536, layer="exact")  # a long work on the small grid
assert GRID.shape[0] * GRID.shape[1] * LONG.points > SHORT


def denoiser_of(settings: Settings) -> Denoiser:
    denoiser = Denoiser.of(settings, clean_data(settings))
    assert denoiser is not None
    return denoiser


def assert_whole(found: ExactField | None, settings: Settings) -> None:
    """The numbers of the exact denoiser, which is tested elsewhere."""
    best = finish(ExactField.solving(denoiser_of(settings), GRID))
    assert found is not None
    assert (found.grid, found.sketch) == (GRID, False)
    # Sums over up to 200,000 weights, in another order where a process has more threads.
    for name in ("displacement", "log_density", "ambiguity"):
        one, other = getattr(found, name), getattr(best, name)
        assert (one is None) == (other is None)
        assert one is None or np.abs(one - other).max() < 1e-9, name


def quality_of(settings: Settings, epochs: int, view: Settings) -> Quality:
    """How good a training of these settings is, without any process."""
    training = Training(settings, clean_data(settings))
    for _ in itertools.islice(training.epochs(), epochs):
        pass
    seen, data = settings.replace(grid=view.grid, extent=view.extent), clean_data(settings)
    midline, tree = Midline.of(data.curve, data.closed), KDTree(data.points)
    reference = finish(Reference.solving(seen, data, Denoiser.of(seen, data), midline, tree))
    return measure(training.network, training.average, reference, view.threshold)


def assert_close(found: Quality, best: Quality) -> None:
    assert (found.sketch, best.sketch) == (False, False)
    for name in (each.name for each in dataclasses.fields(Quality)):
        one, other = getattr(found, name), getattr(best, name)
        # NumPy may sum over other blocks in a process with more threads; float32 of what was trained.
        assert one == other or abs(one - other) < 1e-5, name


def new_run(talk: Talk, settings: Settings) -> int:
    """Begin a run, and ask once so that its geometry is told; how much was said until then."""
    talk.build(settings)
    talk.ask(grid=GRID)
    return len(talk.said)


# The exact field


def test_the_exact_field_comes_before_its_frame_and_once(talk: Talk) -> None:
    place = new_run(talk, SMALL)
    talk.ask(EXACT, grid=GRID)
    assert talk.kinds_since(place) == ["Exact", "Frame"]
    (exact,) = talk.heard(m.Exact)
    assert (exact.run, exact.optimum) == (talk.said[-1].run, SMALL.optimum)  # type: ignore[union-attr]
    assert_whole(exact.field, SMALL)
    for view in (EXACT, EXACT.replace(threshold=4.0), SMALL.replace(exact_midline=True)):
        place = len(talk.said)
        _, field = talk.seen(view)
        assert talk.kinds_since(place) == ["Frame"]
        assert field.exact is None
    place = len(talk.said)
    talk.train_to_end()
    talk.ask(EXACT, grid=GRID)
    assert "Exact" not in talk.kinds_since(place)  # the network has changed, and the optimum has not


@pytest.mark.parametrize(
    "view",
    [
        SMALL.replace(layer="exact-ambiguity"),
        SMALL.replace(layer="excess"),
        SMALL.replace(compare="wipe", beside="difference"),
        SMALL.replace(exact_midline=True),
    ],
    ids=["a layer", "what it is compared with", "the second layer", "the midline"],
)
def test_whatever_shows_something_exact_brings_it(view: Settings, talk: Talk) -> None:
    place = new_run(talk, SMALL)
    talk.ask(view.replace(layer="magnitude", exact_midline=False, compare="off"), grid=GRID)
    talk.ask(view)  # no grid to see it on
    assert talk.kinds_since(place) == ["Frame", "Frame"]
    talk.ask(view, grid=GRID)
    assert talk.kinds_since(place) == ["Frame", "Frame", "Exact", "Frame"]


@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_of_masked_and_flipped_points_nothing_exact_is_told_but_how_good_the_network_is(
    kind: str, talk: Talk
) -> None:
    view = EXACT.replace(noise_kind=kind, exact_midline=True)
    place = new_run(talk, view)
    talk.train_to_end()
    frame, field = talk.seen(cursor=(0.3, -0.4), whole=True)
    assert field.exact is None
    assert frame.marks.cursor is not None and frame.marks.cursor.exact is None
    assert talk.kinds_since(place) == ["Frame"] * len(talk.kinds_since(place))
    talk.ask(measure=True)
    assert talk.wait_for(m.Judged).quality == Quality()
    assert_close(talk.wait_for(m.Judged).quality, quality_of(view, view.epochs, view))
    assert talk.heard(m.Exact) == []


@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_of_bits_the_floor_is_known_and_no_field(kind: str, talk: Talk) -> None:
    view = EXACT.replace(data="corners", noise_kind=kind, noise=0.3)
    talk.build(view)
    _, field = talk.seen(cursor=(0.0, 0.0), whole=True)
    assert field.exact is None and talk.heard(m.Exact) == []
    cursor = talk.ask(cursor=(0.0, 0.0)).marks.cursor
    assert cursor is not None and cursor.exact is not None
    # A 0 is a 0 that stayed or was never touched, or a 1 that was corrupted: 0.3 / 1.3, or with a flip 0.3.
    share = 0.3 / 1.3 if kind == "masking" else 0.3
    assert np.abs(np.subtract(cursor.exact.reconstruction, share)).max() < 1e-12
    between = talk.ask(cursor=(0.5, 0.5)).marks.cursor
    assert between is not None and between.exact is None  # where no point can have been moved
    talk.send(m.AskMetrics())
    metrics = talk.wait_for(m.Measured).metrics
    assert metrics.bayes_floor is not None
    assert_close(metrics, quality_of(view, 0, view))


@pytest.mark.parametrize(
    "change",
    [{"noise": 0.5}, {"noise_kind": "rare"}, {"target": "nearest"}],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_what_is_best_brings_the_exact_field_again(change: dict[str, object], talk: Talk) -> None:
    new_run(talk, EXACT)
    changed = EXACT.replace(**change)
    place = len(talk.said)
    talk.send(m.Change(changed))
    frame = talk.ask(grid=GRID)
    assert frame.settings == changed
    assert talk.kinds_since(place) == ["Exact", "Frame"]
    exact = talk.heard(m.Exact)[-1]
    assert exact.optimum == changed.optimum
    assert_whole(exact.field, changed)
    place = len(talk.said)
    talk.send(m.Change(changed.replace(learning_rate=0.001, batch=7)))
    talk.ask(grid=GRID)
    assert talk.kinds_since(place) == ["Frame"]


def test_of_a_past_epoch_the_exact_field_is_that_of_its_noise(talk: Talk) -> None:
    talk.build(EXACT.replace(epochs=20))
    talk.train_to_end()
    talk.send(m.Change(EXACT.replace(epochs=40, noise=0.6)))
    talk.train_to_end()
    for epoch, noise in ((None, 0.6), (7, 0.25), (30, 0.6)):
        place = len(talk.said)
        assert talk.ask(epoch=epoch, grid=GRID).settings.noise == noise
        assert talk.kinds_since(place)[-2:] == ["Exact", "Frame"]
        assert_whole(talk.heard(m.Exact)[-1].field, EXACT.replace(noise=noise))


def test_a_long_exact_field_is_sketched_and_follows_unasked_while_frames_go_on(talk: Talk) -> None:
    talk.build(LONG)
    talk.ask(grid=GRID)
    (sketch,) = talk.heard(m.Exact)
    assert sketch.field.sketch
    assert isinstance(talk.said[-1], m.Frame)
    while len(talk.heard(m.Exact)) == 1:
        talk.ask(grid=GRID)
    whole = talk.heard(m.Exact)[-1]
    assert (whole.run, whole.optimum) == (sketch.run, sketch.optimum)
    assert_whole(whole.field, LONG)
    # 75,000 clean points lie as densely on the curve as 200,000: 1e-4 apart.
    assert np.abs(sketch.field.displacement - whole.field.displacement).max() < 1e-3
    place = len(talk.said)
    talk.ask(grid=GRID)
    assert talk.kinds_since(place) == ["Frame"]


def test_a_long_exact_field_follows_when_nothing_is_asked_at_all(talk: Talk) -> None:
    talk.build(LONG)
    talk.ask(grid=GRID)
    place = len(talk.said)
    assert not talk.wait_for(m.Exact).field.sketch
    assert talk.kinds_since(place) == ["Exact"]


def test_another_noise_drops_the_exact_field_that_was_under_way(talk: Talk) -> None:
    talk.build(LONG)
    talk.ask(grid=GRID)
    changed = LONG.replace(noise=0.4)
    talk.send(m.Change(changed))
    talk.ask(grid=GRID)
    told = [(each.optimum[0], each.field.sketch) for each in talk.heard(m.Exact)]
    assert [noise for noise, is_sketch in told if is_sketch] == [0.25, 0.4]
    assert told[-1] == (0.4, True)  # the whole of the first may have come before
    whole = talk.wait_for(m.Exact)
    assert whole.optimum == changed.optimum
    assert_whole(whole.field, changed)


@pytest.mark.parametrize("settings", [SMALL, LONG.replace(layer="magnitude")], ids=["short", "long"])
def test_for_a_file_the_exact_field_is_in_the_frame_and_whole(settings: Settings, talk: Talk) -> None:
    place = new_run(talk, settings)
    _, field = talk.seen(whole=True)
    assert talk.kinds_since(place) == ["Frame"]
    assert_whole(field.exact, settings)


@pytest.mark.parametrize("grid", [GRID, Grid((-1.0, 1.0, -1.0, 1.0), (5, 4))], ids=["same", "other"])
def test_a_file_does_not_swallow_the_whole_that_follows_a_sketch(grid: Grid, talk: Talk) -> None:
    talk.build(LONG)
    talk.send(m.Ask(1_000, LONG, grid=GRID), m.Ask(1_001, LONG, grid=grid, whole=True))
    while len(talk.heard(m.Exact)) < 2 or len(talk.heard(m.Frame)) < 3:  # building asks for one
        talk.wait_for(m.Exact | m.Frame)
    assert [(each.field.sketch, each.field.grid) for each in talk.heard(m.Exact)] == [
        (True, GRID),
        (False, GRID),
    ]


def test_what_a_file_is_told_of_the_progress_is_told_again(talk: Talk) -> None:
    talk.build(SMALL)
    talk.send(m.Step())
    while (for_a_file := talk.ask(grid=GRID, whole=True)).progress.epoch == 0:
        pass  # the question came before the step
    on_the_screen = [talk.ask(grid=GRID), talk.ask(grid=GRID)]
    assert [len(each.progress.losses) for each in (for_a_file, *on_the_screen)] == [1, 1, 0]


def test_without_noise_nothing_exact_is_told_and_nothing_is_wrong(talk: Talk) -> None:
    view = EXACT.replace(noise=0.0)
    place = new_run(talk, view)
    frame, field = talk.seen(cursor=(0.3, -0.4), whole=True)
    assert field.exact is None
    assert frame.marks.cursor is not None
    assert frame.marks.cursor.exact is None
    assert np.isfinite(frame.marks.cursor.ambiguity)
    talk.ask(grid=GRID, measure=True)
    assert talk.wait_for(m.Judged).quality == Quality()
    assert_close(talk.wait_for(m.Judged).quality, quality_of(view, 0, view))
    assert talk.kinds_since(place) == ["Frame", "Frame", "Judged", "Judged"]
    talk.send(m.AskMetrics())
    metrics = talk.wait_for(m.Measured).metrics
    assert metrics.identityness is not None and 0.0 < metrics.identityness < 1.0
    assert (metrics.bayes_floor, metrics.excess_risk) == (None, None)
    assert (metrics.midline_iou, metrics.ridge_distance, metrics.exact_ridge_distance) == (None,) * 3
    assert talk.heard(m.Exact) == []


# The geometric midline


def test_the_geometry_of_a_run_is_told_once_and_first(talk: Talk) -> None:
    changes = (
        {"turns": 2.5},
        {"cost": "bce"},
        {"data": "moons"},
        {"data": "two-spirals"},
        {"data": "corners"},
    )
    for settings in (SMALL, *(SMALL.replace(**change) for change in changes)):
        run = talk.build(settings)
        talk.ask()  # nothing to draw it in
        assert talk.heard(m.Geometry) == []
        place = len(talk.said)
        talk.ask(grid=GRID), talk.ask(grid=GRID)
        assert talk.kinds_since(place) == ["Geometry", "Frame", "Frame"]
        (geometry,) = talk.heard(m.Geometry)
        assert geometry.run == run
        data = clean_data(settings)
        assert bits(geometry.midline) == bits(Midline.of(data.curve, data.closed))
        assert (len(geometry.midline.places) > 10) == (settings.data != "corners")


# How good it is


def test_a_network_is_judged_after_its_frame_first_by_a_sketch_and_unasked_once_more(talk: Talk) -> None:
    view = SMALL.replace(grid=(20, 17), threshold=1.5)
    talk.build(SMALL)
    talk.train_to_end()
    talk.ask()
    place = len(talk.said)
    talk.ask(view, measure=True)
    sketch = talk.wait_for(m.Judged)
    whole = talk.wait_for(m.Judged)
    assert talk.kinds_since(place) == ["Frame", "Judged", "Judged"]
    best = quality_of(SMALL, SMALL.epochs, view)
    assert sketch.quality.sketch
    assert (sketch.quality.excess_risk, sketch.quality.midline_iou) == (None, None)
    assert sketch.quality.bayes_floor is not None and best.bayes_floor is not None
    assert abs(sketch.quality.bayes_floor - best.bayes_floor) < 0.2 * best.bayes_floor  # of 512 probes
    assert best.midline_iou is not None and best.midline_iou > 0.0
    assert_close(whole.quality, best)
    place = len(talk.said)
    talk.ask(view, measure=True)
    assert talk.wait_for(m.Judged).quality == whole.quality  # by now it is known
    assert talk.kinds_since(place) == ["Frame", "Judged"]
    other = view.replace(threshold=3.0)
    talk.ask(other, measure=True)
    assert_close(talk.wait_for(m.Judged).quality, quality_of(SMALL, SMALL.epochs, other))


def test_only_who_asks_for_it_is_told_how_good_the_network_is(talk: Talk) -> None:
    place = new_run(talk, SMALL)
    talk.look()
    talk.ask(EXACT, grid=GRID, whole=True)
    talk.send(m.AskMetrics())
    talk.wait_for(m.Measured)
    assert talk.kinds_since(place) == ["Frame", "Frame", "Measured"]


def test_of_a_past_epoch_its_own_network_is_judged(talk: Talk) -> None:
    talk.build(SMALL)
    talk.train_to_end()
    for epoch in (SMALL.epochs, 9):
        talk.ask(epoch=epoch, measure=True)
        while (found := talk.wait_for(m.Judged).quality).sketch:
            pass
        assert_close(found, quality_of(SMALL, epoch, SMALL))


def test_the_metrics_are_whole_without_waiting(talk: Talk) -> None:
    settings = SMALL.replace(noise_kind="rare", grid=(20, 17), threshold=1.5)
    talk.build(settings)
    talk.train_to_end()
    talk.send(m.AskMetrics())
    metrics = talk.wait_for(m.Measured).metrics
    best = quality_of(settings, settings.epochs, settings)
    assert best.ridge_distance is not None and best.exact_ridge_distance is not None
    assert_close(metrics, best)
