"""Keyframes and replay: any epoch is brought back bit for bit, whatever was changed on the way."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from trainings import SMALL, Recorded, assert_same, bring_back, new, train

from aeviz.core.settings import SPECS
from aeviz.core.timeline import Timeline, is_due, most_within, spread_at
from aeviz.learn.training import BREATH

EPOCHS = 24
live_changes = st.fixed_dictionaries(
    {},
    optional={
        "noise": st.sampled_from([0.0, 0.1, 0.25, 0.7]),
        "learning_rate": st.sampled_from([1e-4, 1e-3, 3e-3]),
        "batch": st.sampled_from([1, 3, 7, 20, 33]),
        "noise_kind": st.sampled_from(SPECS["noise_kind"].choices),
        "noise_draw": st.sampled_from(SPECS["noise_draw"].choices),
        "target": st.sampled_from(SPECS["target"].choices),
        "strength": st.sampled_from([0.0, 0.001, 0.5]),
        "epochs": st.integers(1, 99),
    },
)


@effort(max_examples=40)
@given(
    st.sets(st.integers(1, EPOCHS), max_size=6),
    st.dictionaries(st.integers(0, EPOCHS), st.lists(live_changes, min_size=1, max_size=3), max_size=5),
    st.sampled_from(["adam", "momentum", "sgd"]),
    st.sampled_from(["none", "l2", "variational"]),
    st.booleans(),
    st.lists(st.integers(0, EPOCHS), min_size=1, max_size=3),
)
def test_any_epoch_is_brought_back_bit_for_bit(
    keyframes: set[int],
    changes: dict[int, list[dict[str, Any]]],
    optimiser: str,
    regulariser: str,
    keyframe_first: bool,
    places: list[int],
) -> None:
    # So slowly that nothing diverges on the way.
    settings = SMALL.replace(optimiser=optimiser, regulariser=regulariser, learning_rate=3e-3)
    run = Recorded(settings, EPOCHS, keyframes, changes, keyframe_first)
    again = new(settings)
    for epoch in places:
        bring_back(again, run.timeline, epoch)
        assert_same(again.keyframe(), run.states[epoch])


@pytest.mark.parametrize("keyframe_first", [True, False], ids=["keyframe, change", "change, keyframe"])
@pytest.mark.parametrize(
    "change",
    [
        {"noise": 0.5},
        {"learning_rate": 0.1},
        {"batch": 20},
        {"target": "nearest"},
        {"noise_kind": "rare"},
        {"noise_kind": "masking"},
        {"noise_kind": "flip", "noise": 0.6},
        {"noise_draw": "frozen"},
        {"noise_draw": "frozen", "noise_kind": "uniform", "batch": 33},
        {"target": "nearest", "noise_kind": "uniform", "batch": 20},
    ],
    ids=str,
)
def test_a_change_at_the_epoch_of_a_keyframe_is_replayed(
    change: dict[str, Any], keyframe_first: bool
) -> None:
    for epoch in (0, 5):
        run = Recorded(SMALL, 9, {0, epoch}, {epoch: [change]}, keyframe_first)
        unchanged = Recorded(SMALL, 9, {0}, {})
        assert (
            run.states[9].state["parameters"].tobytes() != unchanged.states[9].state["parameters"].tobytes()
        )
        again = new(SMALL)
        for place in range(10):  # one after another: a past training is used again and again
            bring_back(again, run.timeline, place)
            assert_same(again.keyframe(), run.states[place])


def test_a_slider_dragged_to_and_fro_is_as_if_it_had_not_moved() -> None:
    there = {"noise": 0.9, "target": "nearest", "noise_kind": "flip", "noise_draw": "frozen"}
    back = {"noise": 0.25, "target": "original", "noise_kind": "gaussian", "noise_draw": "fresh", "batch": 7}
    dragged = Recorded(SMALL, 20, {10}, {10: [there, {"batch": 2}, back]})
    assert_same(dragged.states[20], Recorded(SMALL, 20, (), {}).states[20])
    again = new(SMALL)
    bring_back(again, dragged.timeline, 20)
    assert_same(again.keyframe(), dragged.states[20])


def test_after_replay_the_run_goes_on_as_it_did() -> None:
    run = Recorded(SMALL, 30, {8, 16}, {5: [{"noise": 0.4}], 16: [{"learning_rate": 0.02}]})
    again = new(SMALL)
    bring_back(again, run.timeline, 20)
    train(again, 10)
    assert_same(again.keyframe(), run.states[30])
    assert torch.equal(again.parameters, run.training.parameters)
    assert torch.equal(again.average, run.training.average)
    assert again.loss == run.training.loss


def test_a_replay_is_of_the_settings_in_force_in_that_epoch() -> None:
    run = Recorded(SMALL, 10, {0, 4}, {6: [{"noise": 0.5}]})
    again = new(SMALL)
    for epoch, noise in ((7, 0.5), (5, 0.25), (10, 0.5), (2, 0.25)):
        bring_back(again, run.timeline, epoch)
        assert again.settings.noise == noise


def test_the_timelines_own_keyframes_bring_every_epoch_back() -> None:
    training, timeline, states = new(SMALL), Timeline(), []
    epochs, nbytes = training.epochs(), training.keyframe().nbytes
    most = most_within(12 * nbytes, nbytes)
    for epoch in range(121):
        if epoch:
            while next(epochs) is None:
                pass
        if is_due(epoch, spread_at(epoch, most)):  # as the driver tells of them
            timeline.add(training.keyframe())
        while sum(frame.nbytes for frame in timeline) > 12 * nbytes:  # as the history bounds itself
            timeline.thin()
        states.append(training.keyframe())
    assert 6 <= len(timeline) <= 12
    again = new(SMALL)
    for epoch in (120, 119, 60, 7, 1, 0):
        bring_back(again, timeline, epoch)
        assert_same(again.keyframe(), states[epoch])


@pytest.mark.parametrize("batch", [20, 7, 1])
def test_a_replay_rests_after_every_epoch_and_every_breath_and_may_be_left_at_any_of_them(batch: int) -> None:
    settings = SMALL.replace(points=3 * BREATH, batch=batch)
    changes: dict[int, list[dict[str, Any]]] = {2: [{"noise": 0.6}], 4: [{"batch": 5}], 5: [{"batch": batch}]}
    run, again, other = Recorded(settings, 6, {1}, changes), new(settings), new(settings)
    again.restore(run.timeline.before(6))
    rests = 0
    for _ in again.replay(run.timeline.changes_between(1, 6), 6):
        rests += 1
        # Another one, left here, is brought back as if it had never gone on.
        other.restore(run.timeline.before(0))
        for left, _ in enumerate(other.replay(run.timeline.changes_between(0, 6), 6), 1):
            if left == rests:
                break
        bring_back(other, run.timeline, 5)
        assert_same(other.keyframe(), run.states[5])
    assert rests == 5 + 4 * (2 if batch == 1 else 0)  # of epochs 2 to 6, of which one is of large batches
    assert_same(again.keyframe(), run.states[6])


def test_a_replay_to_where_it_stands_does_nothing_and_takes_up_no_change() -> None:
    run = Recorded(SMALL, 5, {5}, {5: [{"noise": 0.5}]})
    again = new(SMALL)
    for place in (5, 3):
        again.restore(run.states[5])
        assert [*again.replay(run.timeline.changes_between(0, 9), place)] == []
        assert_same(again.keyframe(), run.states[5])
        assert again.settings.noise == SMALL.noise


def test_a_keyframe_is_a_copy_and_may_be_read_only() -> None:
    training = new(SMALL)
    train(training, 3)
    frame = training.keyframe()
    before = {name: array.copy() for name, array in frame.state.items()}
    for array in frame.state.values():
        array.flags.writeable = False  # as those that are read from a file
    train(training, 3)
    training.restore(frame)
    first = train(training, 2)
    assert all(frame.state[name].tobytes() == array.tobytes() for name, array in before.items())
    training.restore(frame)
    assert train(training, 2) == first


def test_the_loss_belongs_to_the_state() -> None:
    training = new(SMALL)
    assert math.isnan(training.loss)
    losses = train(training, 5)
    assert training.loss == losses[-1]
    frame = training.keyframe()
    train(training, 1)
    training.restore(frame)
    assert training.loss == losses[-1]


def test_what_the_regulariser_has_of_the_loss_belongs_to_the_state() -> None:
    training = new(SMALL.replace(regulariser="l2", strength=0.1))
    train(training, 5)
    frame, then = training.keyframe(), training.regulariser
    train(training, 5)
    assert training.regulariser != then
    for each in (training, new(training.settings)):
        each.restore(frame)
        assert each.regulariser == then
