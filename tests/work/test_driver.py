"""What one training under way does at which moment, by a clock that the test turns."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.settings import Settings
from aeviz.core.timeline import Timeline
from aeviz.learn.training import BREATH, DivergedError, Training
from aeviz.work import driver as driver_module
from aeviz.work import messages as m
from aeviz.work.driver import SLICE, Driver
from aeviz.work.sight import REPLAY_BUDGET, Sight
from aeviz.work.trainer import Trainer

SMALL = Settings(points=20, hidden=(6,), code=4, batch=20, epochs=100)
LONG = SMALL.replace(batch=1, points=3 * BREATH)  # an epoch that breathes twice on its way
GRID = Grid((-2.0, 2.0, -1.5, 1.5), (4, 5))
REST, RUN = m.Drive(playing=False, speed=math.inf), m.Drive(playing=True, speed=math.inf)


pytestmark = pytest.mark.usefixtures("one_thread")


class Clock:
    """Stands still, but for `tick` at every look."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tick = 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def new_trainer():
    """A trainer in this process, and the list of what it says."""

    def new_trainer() -> tuple[Trainer, list[m.FromWorker]]:
        said: list[m.FromWorker] = []
        no_pipe: Any = None
        return Trainer(no_pipe, no_pipe, said.append), said

    return new_trainer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(driver_module, "time", SimpleNamespace(perf_counter=clock))
    return clock


def drive(settings: Settings, **rest) -> Driver:
    return Driver(m.Build(1, settings, clean_data(settings), **rest), REST)


def at(driver: Driver, drive: m.Drive) -> Driver:
    """The same, told to train or to rest."""
    driver.drive = drive
    return driver


def finish(driver: Driver) -> None:
    driver.drive = RUN
    while driver.phase() != "finished":
        driver.train()


def look(driver: Driver, epoch: int | None = None, sight: Sight | None = None) -> m.Frame:
    """What an observer in the same process shows."""
    state = driver.state(m.AskState(epoch))
    *_, frame = (sight or Sight(state)).answers(m.Ask(1, SMALL, epoch, GRID, samples=1), state)
    assert isinstance(frame, m.Frame)
    return frame


def arrows(frame: m.Frame) -> bytes:
    assert frame.field is not None
    return frame.field.displacement.tobytes()


def losses_of(settings: Settings, epochs: int) -> np.ndarray:
    """The oracle, (E, 2): training itself, which knows no pace."""
    training, losses = Training(settings, clean_data(settings)), []
    for loss in training.epochs():
        losses += [] if loss is None else [(loss, training.regulariser)]
        if len(losses) == epochs:
            return np.array(losses, dtype=np.float32)
    raise AssertionError


# Pace


@pytest.mark.parametrize("speed", [1.0, 7.0, 120.0])
def test_paced_training_does_the_epochs_that_are_due(speed, clock):
    driver = drive(SMALL)
    driver.drive = m.Drive(playing=True, speed=speed)
    for n in range(1, 31):
        wait = driver.wait()
        assert wait == pytest.approx(0.0 if n == 1 else 1.0 / speed, abs=1e-6)
        clock.now += 0.9 * wait
        driver.train()
        assert driver.training.epoch == n - 1 + (n == 1), "too early"
        clock.now += 0.1 * wait + 1e-9  # beyond the rounding of the clock
        driver.train()
        assert driver.training.epoch == n


def test_a_late_look_makes_up_for_little_and_a_rest_for_nothing(clock):
    driver = drive(SMALL)
    driver.drive = m.Drive(playing=True, speed=100.0)
    driver.train()
    clock.now += 0.2
    assert driver.wait() == 0.0
    driver.train()
    assert driver.training.epoch in (20, 21)  # due at 0, 0.01 … 0.2 s, the last of them by rounding
    clock.now += 3_600.0
    assert driver.wait() == 0.0
    driver.train()
    assert driver.training.epoch <= 23


def test_unlimited_speed_trains_for_one_slice_at_a_time(clock):
    driver = drive(SMALL)
    clock.tick = SLICE / 9.5
    assert at(driver, RUN).wait() == 0.0
    at(driver, RUN).train()
    assert driver.training.epoch == 10


def test_rest_waits_for_messages_alone(clock):
    driver = drive(SMALL)
    assert at(driver, REST).wait() is None
    at(driver, REST).train()
    assert driver.training.epoch == 0
    finish(driver)
    assert at(driver, RUN).wait() is None
    at(driver, RUN).train()
    assert driver.training.epoch == SMALL.epochs


@pytest.mark.parametrize("settings", [SMALL, LONG], ids=["one breath", "three breaths"])
def test_a_step_is_one_epoch_however_fast_it_is(settings, clock):
    driver = drive(settings)
    for epoch in (1, 2, 3):
        driver.single = True
        while at(driver, REST).wait() is not None:
            at(driver, REST).train()
        assert driver.training.epoch == epoch


def test_an_epoch_in_progress_rests_too_and_goes_on_where_it_was(clock):
    driver = drive(LONG)
    clock.tick = 2.0 * SLICE  # one breath a slice
    at(driver, RUN).train()
    steps = driver.training.steps
    assert (driver.training.epoch, at(driver, REST).phase(), at(driver, REST).wait()) == (0, "paused", None)
    at(driver, REST).train()
    assert driver.training.steps == steps > 0
    while driver.training.epoch == 0:
        at(driver, RUN).train()
    np.testing.assert_array_equal(driver.state(m.AskState(None)).progress.losses, losses_of(LONG, 1))


def test_a_step_in_a_long_epoch_is_under_way_until_the_epoch_is_done(clock):
    driver = drive(LONG)
    clock.tick = 2.0 * SLICE
    driver.single = True
    at(driver, REST).train()
    assert (driver.training.epoch, at(driver, REST).phase(), at(driver, REST).wait()) == (0, "training", 0.0)
    while at(driver, REST).phase() == "training":
        at(driver, REST).train()
    assert driver.training.epoch == 1


# What is told


@pytest.mark.parametrize("settings", [SMALL, LONG.replace(epochs=9)], ids=["one breath", "three breaths"])
def test_frames_tell_every_loss_once(settings, clock):
    clock.tick = 0.4 * SLICE
    driver, told = drive(settings), []
    while at(driver, RUN).phase() != "finished":
        at(driver, RUN).train()
        ask = m.AskState(None, losses=(1, 0, len(told)))
        progress = driver.state(ask).progress
        again = driver.state(ask).progress  # until the window says that it has them, they come again
        np.testing.assert_array_equal(progress.losses, again.losses)
        assert progress.losses_from == again.losses_from == len(told)
        told.extend(progress.losses)
        assert progress.epoch == len(told)
    np.testing.assert_array_equal(told, losses_of(settings, settings.epochs))


@pytest.mark.parametrize("regulariser", ["l1", "l2", "contractive", "variational"])
def test_what_the_regulariser_has_of_each_loss_is_told_beside_it(regulariser):
    settings = SMALL.replace(regulariser=regulariser, strength=0.1, epochs=30)
    driver = drive(settings)
    assert driver.state(m.AskState(None)).regulariser == 0.0
    finish(driver)
    state = driver.state(m.AskState(None))
    np.testing.assert_array_equal(state.progress.losses, losses_of(settings, 30))
    assert (np.float32(state.loss), np.float32(state.regulariser)) == tuple(state.progress.losses[-1])
    assert (state.progress.losses[:, 1] > 0.0).all()
    assert (state.progress.losses[:, 1] < state.progress.losses[:, 0]).all()


def test_the_data_are_told_to_who_has_not_got_them():
    driver = drive(SMALL)
    for run, told in ((0, driver.data), (1, None), (2, driver.data)):
        assert driver.state(m.AskState(None, run=run)).data is told
        assert driver.state(m.AskState(0, run=run)).data is told


def test_a_change_waits_for_the_end_of_the_epoch(clock):
    driver = drive(LONG)
    clock.tick = 2.0 * SLICE
    at(driver, RUN).train()
    driver.record.clear()
    driver.change(LONG.replace(noise=0.7))
    assert driver.record == []
    assert driver.training.settings.noise == LONG.noise
    while driver.training.epoch == 0:
        at(driver, RUN).train()
    assert driver.record[-1] == m.Noted(1, 1, LONG.replace(noise=0.7))
    assert driver.timeline.change_after(1).noise == 0.7
    np.testing.assert_array_equal(driver.state(m.AskState(None)).progress.losses, losses_of(LONG, 1))


def test_the_record_is_enough_to_go_on_elsewhere():
    driver = drive(SMALL)
    finish(driver)
    driver.change(SMALL.replace(epochs=160, noise=0.6))
    finish(driver)
    frames = tuple(kept.keyframe for kept in driver.record if isinstance(kept, m.Kept))
    changes = tuple((noted.epoch, noted.settings) for noted in driver.record if isinstance(noted, m.Noted))
    assert frames[0].epoch == 0
    after_the_change = sum(frame.epoch >= SMALL.epochs for frame in frames)
    for lost in range(1, after_the_change):
        heir = drive(SMALL.replace(epochs=160, noise=0.6), keyframes=frames[:-lost], changes=changes)
        assert heir.training.epoch == frames[-lost - 1].epoch
        assert heir.state(m.AskState(None)).progress.losses_from == heir.training.epoch
        finish(heir)
        assert arrows(look(heir)) == arrows(look(driver))


# Looking back


def test_a_past_epoch_that_takes_too_long_is_the_keyframe_before(clock):
    driver = drive(SMALL)
    finish(driver)
    gap = next(
        epoch for epoch in range(SMALL.epochs, 0, -1) if driver.timeline.before(epoch).epoch == epoch - 2
    )
    driver._pace = 0.4 * REPLAY_BUDGET  # two such epochs are within the budget
    assert look(driver, gap).epoch == gap
    driver._pace = 0.6 * REPLAY_BUDGET
    assert look(driver, gap - 1).epoch == gap - 1
    assert look(driver, gap).epoch == gap - 2


def test_an_epoch_that_is_yet_to_come_is_the_newest():
    driver = drive(SMALL)
    for _ in range(3):
        driver.single = True
        at(driver, REST).train()
    assert look(driver, 50).epoch == 3
    assert arrows(look(driver, 50)) == arrows(look(driver))


def test_looking_back_leaves_the_training_alone(clock):
    driver = drive(SMALL)
    sight = Sight(driver.state(m.AskState(None)))
    while at(driver, RUN).phase() != "finished":
        driver.single = True
        at(driver, REST).train()
        assert look(driver, driver.training.epoch // 2, sight).epoch == driver.training.epoch // 2
    assert np.float32(driver.training.loss) == losses_of(SMALL, SMALL.epochs)[-1, 0]


def test_a_past_epoch_is_sent_once_and_looked_at_again_and_again():
    driver = drive(SMALL)
    finish(driver)
    sight = Sight(driver.state(m.AskState(None)))
    first = look(driver, 50, sight)
    state = driver.state(m.AskState(50, past=sight.past_is))
    assert (state.average, state.past.keyframe) == (None, None)
    *_, again = sight.answers(m.Ask(2, SMALL, 50, GRID, samples=1), state)
    assert (again.epoch, arrows(again)) == (50, arrows(first))
    other = driver.state(m.AskState(60, past=sight.past_is))
    assert other.past.keyframe is not None
    *_, there = sight.answers(m.Ask(3, SMALL, 60, GRID), other)
    assert there.epoch == 60
    another = Driver(
        m.Build(2, SMALL, clean_data(SMALL)), REST
    )  # another run, in which the same epoch is not the same
    finish(another)
    assert another.state(m.AskState(60, past=sight.past_is)).past.keyframe is not None


# Divergence


def test_what_an_exploded_run_had_recorded_is_told_before_it_is_taken_back(new_trainer):
    trainer, said = new_trainer()
    settings = SMALL.replace(optimiser="momentum", learning_rate=1.0, epochs=500)
    trainer._handle(m.Build(1, settings, clean_data(settings)))
    trainer._handle(RUN)
    while not any(isinstance(message, m.Diverged) for message in said):
        trainer._train(trainer._driver)
    kept = Timeline()  # as the window keeps it
    for message in said:
        match message:
            case m.Kept():
                kept.add(message.keyframe)
            case m.Diverged():
                kept.cut(message.epoch)
    assert [frame.epoch for frame in kept] == [frame.epoch for frame in trainer._driver.timeline]


@pytest.mark.parametrize("began", [0, 1, 7, 60], ids=lambda began: f"from epoch {began}")
@pytest.mark.parametrize("activation", ["tanh", "identity", "silu"])
@pytest.mark.parametrize("batch", [20, 7])
def test_after_divergence_a_lower_rate_saves_the_run(began, activation, batch):
    calm = SMALL.replace(activation=activation, optimiser="momentum", learning_rate=0.003, batch=batch)
    driver = drive(calm.replace(epochs=max(1, began), learning_rate=0.003 if began else 1.0))
    if began:
        finish(driver)
    driver.change(calm.replace(epochs=500, learning_rate=1.0))
    with pytest.raises(DivergedError, match="lower the learning rate"):
        finish(driver)
    driver.go_back()
    stood = driver.training.epoch
    progress = driver.state(m.AskState(None)).progress
    assert progress.epoch == stood <= began + 1
    assert progress.losses_from + len(progress.losses) == stood
    driver.change(calm.replace(epochs=stood + 40))
    finish(driver)
    assert np.isfinite(driver.state(m.AskState(None)).progress.losses).all()
    assert look(driver, stood).epoch == stood
