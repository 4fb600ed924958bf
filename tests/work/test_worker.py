"""The worker process as the window meets it: what it answers, that it repeats, how it ends."""

from __future__ import annotations

import importlib.metadata
import math
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from aeviz.core.corruption import shown_noisy
from aeviz.core.manifolds import clean_data
from aeviz.core.settings import Settings
from aeviz.work import cores, entry
from aeviz.work import messages as m

SMALL = Settings(points=30, hidden=(8,), code=8, batch=30, epochs=60)
ENDLESS = SMALL.replace(epochs=1_000_000)
PLAIN = SMALL.replace(optimiser="sgd")  # diverges at a learning rate of 1, as nothing scales its steps
NEVER_STOPS = m.Drive(playing=True, speed=math.inf)
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def same(one: m.Frame, other: m.Frame) -> bool:
    """Whether two frames show the same, bit for bit."""
    arrays = ("displacement", "ambiguity", "noisy", "reconstruction")
    return (one.epoch, one.settings, one.cursor) == (other.epoch, other.settings, other.cursor) and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in arrays
    )


def ended(pid: int, within: float) -> bool:
    """Wait until a process, of whatever parent, has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within)[0])
    finally:
        os.close(handle)


# What it answers


def test_it_is_ready_first_whatever_came_before(new_worker):
    worker = new_worker()
    for pid in worker.client.pids.values():
        os.kill(pid, signal.SIGINT)  # before it can have said that it ignores them
    worker.send(m.Ask(999))
    worker.wait_for(m.Ready)
    assert worker.said == [m.Ready(importlib.metadata.version("torch"))]
    worker.build(SMALL)
    frames = worker.train_to_end()
    assert frames[-1].epoch == SMALL.epochs
    assert 999 not in [said.number for said in worker.said if isinstance(said, m.Frame)]


def test_an_error_in_an_answer_is_told_and_the_run_goes_on(worker):
    worker.build(SMALL)
    worker.send(m.Ask(0, grid="no grid"))
    with pytest.raises(AssertionError, match=r"Failed\(.*AttributeError"):
        worker.wait_for(m.Frame)
    assert worker.train_to_end()[-1].epoch == SMALL.epochs


def test_no_loss_is_lost_to_other_questions_or_to_an_answer_that_fails(worker):
    worker.build(SMALL.replace(epochs=400))
    worker.send(NEVER_STOPS, m.AskMetrics())
    worker.wait_for(m.Measured)
    worker.send(m.Ask(0, grid="no grid"))
    with pytest.raises(AssertionError, match="Failed"):
        worker.wait_for(m.Frame)
    worker.train_to_end()
    assert len(worker.losses()) == 400


def test_build_and_drive_train_to_the_last_epoch_and_rest(worker):
    run = worker.build(SMALL)
    resting = worker.look()
    assert (resting.run, resting.epoch, resting.progress.phase) == (run, 0, "paused")
    last = worker.train_to_end()[-1]
    assert (last.run, last.epoch, last.progress.epoch) == (run, SMALL.epochs, SMALL.epochs)
    trained = worker.look()
    assert trained.displacement.shape == (4, 5, 2)
    assert trained.ambiguity.shape == (4, 5)
    assert not np.array_equal(trained.displacement, resting.displacement)
    data = clean_data(SMALL)
    np.testing.assert_array_equal(trained.noisy, shown_noisy(SMALL, data))
    assert trained.field(data).reconstruction.shape == (30, 2)


def test_a_frame_comes_only_when_asked_for(worker):
    worker.build(SMALL)
    worker.send(NEVER_STOPS, m.AskMetrics())
    worker.wait_for(m.Measured)
    worker.train_to_end()
    asked = len(worker.heard(m.Frame))
    worker.send(m.Ask(1_000), m.Ask(1_001), m.AskMetrics())
    worker.wait_for(m.Measured)  # all answers before it are in by now
    assert [frame.number for frame in worker.heard(m.Frame)[asked:]] == [1_000, 1_001]


def test_a_frame_holds_what_was_asked_for_and_no_more(worker):
    worker.build(SMALL)
    bare = worker.ask()
    assert (bare.grid, bare.displacement, bare.noisy, bare.cursor) == (None, None, None, None)
    assert worker.ask(samples=7).noisy.shape == (5, 2)  # points 0, 7, 14, 21, 28
    place = worker.ask(cursor=(0.3, -0.4))
    at = worker.look()
    assert place.place == (0.3, -0.4)
    assert place.cursor == at.cursor
    nearest = np.hypot(*(at.grid.points - [0.0, -0.5]).T).argmin()
    exact = worker.ask(cursor=tuple(at.grid.points[nearest]))
    np.testing.assert_allclose(exact.cursor[:2], at.displacement.reshape(-1, 2)[nearest], atol=1e-5)


def test_losses_come_once_and_in_order(worker):
    worker.build(SMALL.replace(epochs=500))
    frames = worker.train_to_end()
    assert len(frames) > 3, "too fast to ask in between"
    losses = worker.losses()  # checks each message
    assert len(losses) == 500
    assert np.isfinite(losses).all()
    assert losses[-50:].mean() < 0.5 * losses[:5].mean()
    assert len(worker.ask().progress.losses) == 0


def test_the_numbers_are_counted_in_the_worker(worker):
    worker.build(SMALL)
    worker.train_to_end()
    worker.send(m.AskMetrics())
    metrics = worker.wait_for(m.Measured).metrics
    assert metrics.epoch == SMALL.epochs
    assert metrics.loss == pytest.approx(worker.losses()[-1], rel=1e-6)
    assert metrics.train_seconds * metrics.steps_per_second == pytest.approx(SMALL.epochs)


# What it can be told while it trains


@pytest.mark.parametrize(
    "change", [{"noise": 0.6}, {"learning_rate": 0.0003}, {"batch": 7}], ids=lambda change: next(iter(change))
)
def test_a_live_change_acts_in_the_same_run_as_training_itself_says(change, worker):
    from aeviz.learn.training import Training  # the oracle: the same training without any process

    run = worker.build(SMALL)
    worker.train_to_end()
    changed = SMALL.replace(epochs=90, **change)
    worker.send(m.Change(changed))
    assert worker.ask().settings == changed
    worker.train_to_end()
    shown = worker.look()
    assert (shown.run, shown.epoch) == (run, 90)
    assert worker.heard(m.Noted)[-1] == m.Noted(run, 60, changed)

    oracle = Training(SMALL, clean_data(SMALL))
    losses = []
    for loss in oracle.epochs():
        losses += [] if loss is None else [loss]
        if oracle.epoch == 60:
            oracle.change(changed)
        if oracle.epoch == 90:
            break
    np.testing.assert_array_equal(worker.losses(), np.array(losses, dtype=np.float32))
    field, ambiguity = oracle.network.field(oracle.average, shown.grid.points)
    # NumPy may sum over other blocks in a process with more threads; a wrong change is off by 1e-3.
    np.testing.assert_allclose(shown.displacement.reshape(-1, 2), field, rtol=0, atol=1e-6)
    np.testing.assert_allclose(shown.ambiguity.ravel(), ambiguity, rtol=0, atol=1e-5)


def test_a_change_in_full_flight_begins_nothing_anew(worker):
    run = worker.build(ENDLESS)
    worker.send(NEVER_STOPS)
    before = worker.ask()
    worker.send(m.Change(ENDLESS.replace(noise=0.4)))
    after = worker.ask()
    assert after.settings.noise == 0.4
    assert after.run == run
    assert after.epoch >= before.epoch
    while worker.ask().epoch <= after.epoch:
        pass
    worker.losses()


def test_step_trains_one_epoch_and_rests(worker):
    worker.build(SMALL)
    for epoch in (1, 2, 3):
        worker.send(m.Step())
        while worker.ask().epoch < epoch:
            pass
        # Once more: what is wrongly under way would come after the answer.
        assert [worker.look().epoch, worker.look().epoch] == [epoch, epoch]
        assert worker.ask().progress.phase == "paused"
    worker.send(NEVER_STOPS, m.Step())  # and from full flight
    while (rest := worker.ask()).progress.phase != "paused":
        pass
    assert worker.look().epoch == rest.epoch


def test_nothing_trains_at_rest_whatever_is_said(worker):
    worker.build(ENDLESS)
    worker.send(NEVER_STOPS)
    while worker.ask().epoch < 10:
        pass
    worker.send(m.Drive(playing=False, speed=math.inf))
    resting = worker.look()
    for noise in (0.1, 0.2, ENDLESS.noise):
        worker.send(m.Change(ENDLESS.replace(noise=noise)), m.AskMetrics(), m.Drive(False, 5.0))
        worker.look(epoch=5)
    assert same(worker.look(), resting)


# That it repeats


def test_two_workers_agree_bit_for_bit(worker, other):
    for talk in (worker, other):
        talk.build(SMALL.replace(batch=7))
        talk.train_to_end()
    assert worker.losses().tobytes() == other.losses().tobytes()
    assert same(worker.look(), other.look())
    worker.build(SMALL.replace(batch=7, seed=1))
    worker.train_to_end()
    assert not same(worker.look(), other.look())


def test_a_past_epoch_looks_as_it_looked_then(worker):
    worker.build(SMALL.replace(batch=7, epochs=1))
    seen = [worker.look()]  # at each of some epochs, before anything is changed there
    for last, change in (
        (1, {}),
        (13, {"noise": 0.5}),
        (14, {"learning_rate": 0.1, "batch": 30}),
        (14, {"batch": 5}),  # twice at rest in one place: the later one counts
        (40, {"noise": 0.0}),
        (97, {"noise": 0.2, "batch": 11}),
        (200, {}),
    ):
        worker.send(m.Change(SMALL.replace(epochs=last, **change)))
        worker.train_to_end()
        seen.append(worker.look())
    for then in [seen[3], *reversed(seen), *seen[::3]]:
        now = worker.look(epoch=then.epoch)
        if then.epoch != 14:  # at rest there, the noise was changed
            assert same(now, then)
        np.testing.assert_array_equal(now.displacement, then.displacement)
        assert now.progress.epoch == 200
    with_a_keyframe = {kept.keyframe.epoch for kept in worker.heard(m.Kept)}
    assert {frame.epoch for frame in seen} - with_a_keyframe, "nothing was replayed"


def test_a_run_goes_on_in_another_worker_from_what_was_kept(worker, other):
    worker.build(SMALL)
    worker.train_to_end()
    later = SMALL.replace(epochs=150, noise=0.4)
    worker.send(m.Change(later))
    worker.train_to_end()
    keyframes = tuple(kept.keyframe for kept in worker.heard(m.Kept))
    changes = tuple((noted.epoch, noted.settings) for noted in worker.heard(m.Noted))
    other.build(later, keyframes[:-3], changes)
    assert other.ask().epoch == keyframes[-4].epoch < 150
    other.train_to_end()
    assert same(other.look(), worker.look())
    assert same(other.look(epoch=33), worker.look(epoch=33))


# How it ends


def test_divergence_stops_at_a_good_epoch_and_can_be_mended(worker):
    run = worker.build(PLAIN.replace(epochs=20))
    worker.train_to_end()
    worker.send(m.Change(PLAIN.replace(learning_rate=1.0)))
    with pytest.raises(AssertionError, match="Diverged"):
        worker.train_to_end()
    while worker.wait_for(m.Frame).number != worker.asked:
        pass
    (told,) = worker.heard(m.Diverged)
    assert told.run == run
    assert told.epoch <= 22  # soon after the change
    assert "lower the learning rate (it is 1)" in told.reason
    stands = worker.look()
    assert stands.epoch == stands.progress.epoch == told.epoch
    assert stands.progress.phase == "paused"
    assert np.abs(stands.displacement).max() < 10.0  # weights that are worth going on with
    assert same(worker.look(), stands)
    assert same(worker.look(epoch=told.epoch), stands)
    worker.send(m.Change(PLAIN.replace(learning_rate=0.01)))
    assert worker.train_to_end()[-1].epoch == PLAIN.epochs
    assert worker.losses()[-1] < worker.losses()[told.epoch]


def test_stop_ends_it_with_exit_code_0(new_worker):
    worker = new_worker()
    worker.build(ENDLESS)
    worker.send(NEVER_STOPS, m.Stop())
    with pytest.raises(AssertionError, match="Died"):
        worker.wait_for(m.Measured)
    assert worker.said[-1] == m.Died(0)


@on_linux
@pytest.mark.parametrize("which", ["trainer", "observer"])
def test_sigkill_is_told_at_once(new_worker, which):
    worker = new_worker()
    worker.build(ENDLESS)
    worker.send(NEVER_STOPS)
    os.kill(worker.client.pids[which], signal.SIGKILL)
    with pytest.raises(AssertionError, match="Died"):
        worker.wait_for(m.Measured)
    assert worker.said[-1] == m.Died(-signal.SIGKILL, which)
    worker.send(m.Ask(1), m.Step())  # to no one, and no error
    worker.client.stop()
    assert all(ended(pid, within=0.0) for pid in worker.client.pids.values())


@on_linux
@pytest.mark.parametrize("which", ["trainer", "observer"])
def test_a_stopped_process_is_ended_within_two_seconds(new_worker, which):
    worker = new_worker()
    worker.build(ENDLESS)
    os.kill(worker.client.pids[which], signal.SIGSTOP)
    for number in range(2_000):  # a slider is dragged meanwhile; no send may wait for the worker
        worker.send(m.Change(ENDLESS.replace(noise=number / 2_000)), m.Ask(number))
    began = time.monotonic()
    worker.client.stop()
    assert time.monotonic() - began < 2.0
    assert all(ended(pid, within=0.0) for pid in worker.client.pids.values())


def test_interrupts_are_for_the_window_alone(worker):
    worker.build(SMALL)
    for pid in worker.client.pids.values():
        os.kill(pid, signal.SIGINT)
    assert worker.train_to_end()[-1].epoch == SMALL.epochs


@on_linux
def test_it_ends_when_its_pipe_closes():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    observer, observers = context.Pipe()
    process = context.Process(target=entry.main, args=("trainer", theirs, observers, cores.ALL))
    process.start()
    theirs.close(), observers.close()
    for message in (m.Build(1, ENDLESS), NEVER_STOPS):
        ours.send(message)
    observer.send(m.AskState(None))
    assert observer.recv().run == 1
    ours.close()
    assert ended(process.pid, within=2.0)
    process.join()
    assert process.exitcode == 0


@on_linux
def test_the_window_keeps_off_a_core_that_the_trainer_may_use(worker):
    worker.build(SMALL)
    given = {name: os.sched_getaffinity(pid) for name, pid in worker.client.pids.items()}
    assert given["trainer"] == cores.ALL
    assert given["observer"] == cores.ALL_BUT_ONE
    assert len(cores.ALL - cores.ALL_BUT_ONE) == (len(cores.ALL) > 1)


# What it is made of


def test_the_worker_loads_no_qt():
    program = (
        "import sys, aeviz.work.trainer, aeviz.work.observer; "
        "print({name.split('.')[0] for name in sys.modules} "
        "& {'PyQt6', 'pyqtgraph', 'superqt', 'aeviz', 'torch'})"
    )
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert eval(out) == {"aeviz", "torch"}  # noqa: S307


@on_linux
def test_the_running_processes_have_torch_and_no_qt_mapped(worker):
    worker.build(SMALL)
    worker.train_to_end()
    worker.look()
    mapped = {name: Path(f"/proc/{pid}/maps").read_text() for name, pid in worker.client.pids.items()}
    assert mapped.keys() == {"trainer", "observer"}
    assert all("libtorch" in each for each in mapped.values())
    assert not any("Qt6" in each for each in mapped.values())
