"""Trainer and observer as the window meets them: what they answer, and that they repeat."""

from __future__ import annotations

import importlib.metadata
import os
import signal

import numpy as np
import pytest
from talk import AT_REST, ENDLESS, GRID, NEVER_STOPS, SMALL, bits, same

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import shown_noisy
from aeviz.core.marks import NO_MARKS
from aeviz.core.timeline import Timeline
from aeviz.work import messages as m

# What they answer


def test_both_are_ready_first_whatever_came_before(new_talk):
    talk = new_talk()
    for pid in talk.client.pids.values():
        os.kill(pid, signal.SIGINT)  # before it can have said that it ignores them
    talk.send(m.Ask(999, SMALL))
    talk.wait_for(m.Ready)
    assert talk.said == [m.Ready(importlib.metadata.version("torch"))]
    talk.build(SMALL)
    frames = talk.train_to_end()
    assert frames[-1].epoch == SMALL.epochs


def test_an_error_in_an_answer_is_told_and_the_run_goes_on(talk):
    talk.build(SMALL)
    talk.send(m.Ask(0, SMALL, grid="no grid"))
    with pytest.raises(AssertionError, match=r"Failed\(.*AttributeError"):
        talk.wait_for(m.Frame)
    assert talk.train_to_end()[-1].epoch == SMALL.epochs


def test_no_loss_is_lost_to_other_questions_or_to_an_answer_that_fails(talk):
    talk.build(SMALL.replace(epochs=400))
    talk.send(NEVER_STOPS, m.AskMetrics())
    talk.wait_for(m.Measured)
    talk.send(m.Ask(0, SMALL, grid="no grid"))
    with pytest.raises(AssertionError, match="Failed"):
        talk.wait_for(m.Frame)
    talk.train_to_end()
    assert len(talk.losses()) == 400


def test_build_and_drive_train_to_the_last_epoch_and_rest(talk):
    run = talk.build(SMALL)
    resting = talk.look()
    assert (resting.run, resting.epoch, resting.progress.phase) == (run, 0, "paused")
    last = talk.train_to_end()[-1]
    assert (last.run, last.epoch, last.progress.epoch) == (run, SMALL.epochs, SMALL.epochs)
    trained = talk.look().field
    assert trained.displacement.shape == (4, 5, 2)
    assert trained.ambiguity.shape == trained.curl.shape == (4, 5)
    assert not np.array_equal(trained.displacement, resting.field.displacement)
    np.testing.assert_array_equal(trained.noisy, shown_noisy(SMALL, clean_data(SMALL)))
    assert trained.reconstruction.shape == (30, 2)


def test_a_frame_comes_only_when_asked_for(talk):
    talk.build(SMALL)
    talk.send(NEVER_STOPS, m.AskMetrics())
    talk.wait_for(m.Measured)
    talk.train_to_end()
    asked = len(talk.heard(m.Frame))
    talk.send(m.Ask(1_000, SMALL), m.Ask(1_001, SMALL), m.AskMetrics())
    talk.wait_for(m.Measured)  # all answers before it are in by now
    assert [frame.number for frame in talk.heard(m.Frame)[asked:]] == [1_000, 1_001]


def test_a_frame_holds_what_was_asked_for_and_no_more(talk):
    talk.build(SMALL)
    bare = talk.ask()
    assert (bare.field, bare.marks) == (None, NO_MARKS)
    field = talk.ask(grid=GRID).field
    assert field.grid == GRID
    assert [len(points) for points in (field.data, field.noisy, field.reconstruction)] == [0, 0, 0]
    assert (field.basins, field.exact, field.streaks) == (None, None, None)
    assert talk.ask(grid=GRID, samples=7).field.noisy.shape == (5, 2)  # points 0, 7, 14, 21, 28
    place = talk.ask(cursor=(0.3, -0.4))
    at = talk.look()
    assert place.field is None
    assert place.marks.cursor.place == (0.3, -0.4)
    assert bits(place.marks.cursor) == bits(at.marks.cursor)
    nearest = np.hypot(*(at.field.grid.points - [0.0, -0.5]).T).argmin()
    there = talk.ask(cursor=tuple(at.field.grid.points[nearest])).marks.cursor
    arrow = np.subtract(there.reconstruction, there.place)
    np.testing.assert_allclose(arrow, at.field.displacement.reshape(-1, 2)[nearest], rtol=0, atol=1e-5)


def test_losses_come_once_and_in_order(talk):
    talk.build(SMALL.replace(epochs=1_000_000))
    talk.send(NEVER_STOPS)
    for epoch in (1, 50, 200, 500):
        while talk.ask().epoch < epoch:
            pass
    talk.send(AT_REST)
    last = talk.ask().epoch
    losses = talk.losses()  # checks each message
    assert len(losses) == last >= 500
    assert np.isfinite(losses).all()
    assert losses[-50:, 0].mean() < 0.5 * losses[:5, 0].mean()
    assert len(talk.ask().progress.losses) == 0


def test_the_numbers_are_counted_where_the_training_is(talk):
    talk.build(SMALL.replace(regulariser="l2", strength=0.1))
    talk.train_to_end()
    talk.send(m.AskMetrics())
    metrics = talk.wait_for(m.Measured).metrics
    assert metrics.epoch == SMALL.epochs
    assert (np.float32(metrics.loss), np.float32(metrics.regulariser)) == tuple(talk.losses()[-1])
    assert 0.0 < metrics.regulariser < metrics.loss
    assert metrics.train_seconds * metrics.steps_per_second == pytest.approx(SMALL.epochs)


# What they can be told while one trains


@pytest.mark.parametrize(
    ("change", "built"),
    [
        ({"noise": 0.6}, {}),
        ({"learning_rate": 0.0003}, {}),
        ({"batch": 7}, {}),
        ({"noise_kind": "rare"}, {}),
        ({"target": "nearest"}, {}),
        ({"noise_kind": "masking"}, {"data": "moons"}),
        ({"noise_kind": "flip", "noise": 0.4}, {"data": "corners", "points": 4, "cost": "bce"}),
        ({"noise_draw": "frozen"}, {"batch": 7}),
        ({"strength": 0.5}, {"regulariser": "l2"}),
        ({"strength": 0.5}, {"regulariser": "variational", "tied": True}),
    ],
    ids=str,
)
def test_a_live_change_acts_in_the_same_run_as_training_itself_says(change, built, talk):
    from aeviz.learn.training import Training  # the oracle: the same training without any process

    first = SMALL.replace(**built)
    run = talk.build(first)
    talk.train_to_end()
    changed = first.replace(epochs=90, **change)
    talk.send(m.Change(changed))
    assert talk.ask().settings == changed
    talk.train_to_end()
    shown = talk.look()
    assert (shown.run, shown.epoch) == (run, 90)
    assert talk.heard(m.Noted)[-1] == m.Noted(run, 60, changed)

    oracle = Training(first, clean_data(first))
    losses = []
    for loss in oracle.epochs():
        losses += [] if loss is None else [(loss, oracle.regulariser)]
        if oracle.epoch == 60:
            oracle.change(changed)
        if oracle.epoch == 90:
            break
    np.testing.assert_array_equal(talk.losses(), np.array(losses, dtype=np.float32))
    best = oracle.network.field(oracle.average, GRID.points)
    # NumPy may sum over other blocks in a process with more threads; a wrong change is off by 1e-3.
    np.testing.assert_allclose(shown.field.displacement.reshape(-1, 2), best.displacement, rtol=0, atol=1e-6)
    np.testing.assert_allclose(shown.field.ambiguity.ravel(), best.ambiguity, rtol=0, atol=1e-5)
    np.testing.assert_allclose(shown.field.curl.ravel(), best.curl, rtol=0, atol=1e-5)


def test_a_change_in_full_flight_begins_nothing_anew(talk):
    run = talk.build(ENDLESS)
    talk.send(NEVER_STOPS)
    before = talk.ask()
    talk.send(m.Change(ENDLESS.replace(noise=0.4)))
    after = talk.ask()
    assert after.settings.noise == 0.4
    assert after.run == run
    assert after.epoch >= before.epoch
    while talk.ask().epoch <= after.epoch:
        pass
    talk.losses()


def test_step_trains_one_epoch_and_rests(talk):
    talk.build(SMALL)
    for epoch in (1, 2, 3):
        talk.send(m.Step())
        while talk.ask().epoch < epoch:
            pass
        # Once more: what is wrongly under way would come after the answer.
        assert [talk.look().epoch, talk.look().epoch] == [epoch, epoch]
        assert talk.ask().progress.phase == "paused"
    talk.send(NEVER_STOPS, m.Step())  # and from full flight
    while (rest := talk.ask()).progress.phase != "paused":
        pass
    assert talk.look().epoch == rest.epoch


def test_nothing_trains_at_rest_whatever_is_said(talk):
    talk.build(ENDLESS)
    talk.send(NEVER_STOPS)
    while talk.ask().epoch < 10:
        pass
    talk.send(AT_REST)
    resting = talk.look()
    for noise in (0.1, 0.2, ENDLESS.noise):
        talk.send(m.Change(ENDLESS.replace(noise=noise)), m.AskMetrics(), m.Drive(False, 5.0))
        talk.look(epoch=5)
    assert same(talk.look(), resting)


# That they repeat


def test_other_processes_agree_bit_for_bit(talk, other):
    for each in (talk, other):
        each.build(SMALL.replace(batch=7))
        each.train_to_end()
    assert talk.losses().tobytes() == other.losses().tobytes()
    assert same(talk.look(), other.look())
    talk.build(SMALL.replace(batch=7, seed=1))
    talk.train_to_end()
    assert not same(talk.look(), other.look())


@pytest.mark.parametrize(
    "built",
    [
        {},
        # Of few points, as autograd's steps are slow and no epoch may take too long to be brought back.
        {"regulariser": "variational", "strength": 0.1, "data": "moons", "points": 5},
        {"tied": True, "noise_draw": "frozen", "points": 5},
    ],
    ids=str,
)
def test_a_past_epoch_looks_as_it_looked_then(built, talk):
    first = SMALL.replace(**built)
    talk.build(first.replace(batch=7, epochs=1))
    seen = [talk.look()]  # at each of some epochs, before anything is changed there
    for last, change in (
        (1, {}),
        (13, {"noise": 0.5}),
        (14, {"learning_rate": 0.1, "batch": 30}),
        (14, {"batch": 5}),  # twice at rest in one place: the later one counts
        (40, {"noise": 0.0}),
        (62, {"noise": 0.5, "noise_kind": "uniform", "target": "nearest"}),
        (70, {"noise": 0.5, "noise_kind": "masking", "noise_draw": "frozen", "strength": 0.7}),
        (97, {"noise": 0.2, "batch": 11}),
        (200, {}),
    ):
        talk.send(m.Change(first.replace(epochs=last, **change)))
        talk.train_to_end()
        seen.append(talk.look())
    for then in [seen[3], *reversed(seen), *seen[::3]]:
        now = talk.look(epoch=then.epoch)
        if then.epoch != 14:  # at rest there, the noise was changed
            assert same(now, then)
        np.testing.assert_array_equal(now.field.displacement, then.field.displacement)
        assert now.progress.epoch == 200
    with_a_keyframe = {kept.keyframe.epoch for kept in talk.heard(m.Kept)}
    assert {frame.epoch for frame in seen} - with_a_keyframe, "nothing was replayed"


@pytest.mark.parametrize("lost", [0, 3, 17])
def test_a_run_goes_on_in_other_processes_from_what_was_kept(lost, talk, other):
    talk.build(SMALL)
    talk.train_to_end()
    later = SMALL.replace(epochs=150, noise=0.4)
    talk.send(m.Change(later))
    talk.train_to_end()
    kept = talk.branch
    kept.timeline = Timeline([*kept.timeline][: -lost or None], kept.timeline.changes)
    for epoch in (149, 150, 61, 60):
        other.build(later, since=kept, epoch=epoch)
        other.train_to_end()
        assert other.losses().tobytes() == talk.losses().tobytes()
        noted = [each.epoch for each in other.heard(m.Noted)]
        assert noted == ([60] if epoch == 60 else [])  # there, another noise had been in force
        assert same(other.look(), talk.look())
        assert same(other.look(epoch=33), talk.look(epoch=33))
