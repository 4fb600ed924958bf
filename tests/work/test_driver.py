"""What one training under way does at which moment, by a clock that the test turns."""

from __future__ import annotations

import numpy as np
import pytest
from driven import LONG, REST, RUN, SMALL, Course, at, drive, finish
from talk import bits

from aeviz.core.clean_data import clean_data
from aeviz.core.settings import Settings
from aeviz.core.timeline import Plan, Timeline, is_due, spread_at
from aeviz.learn.training import DivergedError
from aeviz.work import driver as driver_module
from aeviz.work import messages as m
from aeviz.work.driver import SLICE, Driver


def losses_of(settings: Settings, epochs: int) -> np.ndarray:
    """The oracle, (E, 2): training itself, which knows no pace."""
    return Course(settings.replace(epochs=epochs)).losses


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
    np.testing.assert_array_equal(driver.state(m.AskState()).progress.losses, losses_of(LONG, 1))


def test_a_step_in_a_long_epoch_is_under_way_until_the_epoch_is_done(clock):
    driver = drive(LONG)
    clock.tick = 2.0 * SLICE
    driver.single = True
    at(driver, REST).train()
    assert (driver.training.epoch, at(driver, REST).phase(), at(driver, REST).wait()) == (0, "training", 0.0)
    while at(driver, REST).phase() == "training":
        at(driver, REST).train()
    assert driver.training.epoch == 1


PLAN = Plan(((3, SMALL.replace(noise=0.4)),), 7)


def planned() -> Driver:
    wanted = SMALL.replace(noise=0.4, epochs=20)
    return Driver(m.Build(1, wanted, clean_data(SMALL), plan=PLAN, begins=SMALL), REST)


def test_a_plan_is_followed_to_its_end_where_the_run_rests_with_the_settings_that_are_wanted():
    driver = planned()
    at(driver, RUN)
    while driver.phase() == "training":
        driver.train()
    assert (driver.training.epoch, driver.phase(), driver.training.settings.epochs) == (7, "paused", 20)
    finish(driver)
    course = Course(SMALL.replace(epochs=20), {3: SMALL.replace(noise=0.4, epochs=20)})
    np.testing.assert_array_equal(driver.state(m.AskState()).progress.losses, course.losses)


def test_a_plan_rests_and_goes_step_by_step_where_it_is_told_to():
    driver = planned()
    assert (driver.phase(), driver.wait()) == ("paused", None)
    for epoch in (1, 2, 3, 4):
        driver.single = True
        while driver.wait() is not None:
            driver.train()
        assert (driver.training.epoch, driver.training.settings.noise) == (epoch, 0.4 if epoch > 2 else 0.25)
    assert [message.epoch for message in driver.record if isinstance(message, m.Noted)] == [3]


def test_what_is_wanted_while_a_plan_is_followed_waits_for_its_end():
    driver = planned()
    driver.change(SMALL.replace(noise=0.7))
    at(driver, RUN)
    while driver.phase() == "training":
        assert driver.training.settings.noise != 0.7
        driver.train()
    assert (driver.training.epoch, driver.training.settings.noise) == (7, 0.7)


# What is told


def test_for_a_file_the_weights_are_those_of_the_last_finished_epoch(clock):
    driver, course = drive(LONG), Course(LONG.replace(epochs=2))
    clock.tick = 2.0 * SLICE  # one breath a slice
    at(driver, RUN)
    for epoch in (0, 1):
        while driver.training.epoch == epoch:
            driver.train()
            kept = driver.state(m.AskState(finished=True))
            expected = course.states[kept.progress.epoch]
            assert bits(kept.average) == bits(expected.state["average"])
            assert kept.steps == kept.progress.epoch * LONG.points
            if driver.training.epoch == epoch:
                assert bits(driver.state(m.AskState()).average) != bits(kept.average)


@pytest.mark.parametrize("settings", [SMALL, LONG.replace(epochs=9)], ids=["one breath", "three breaths"])
def test_frames_tell_every_loss_once(settings, clock):
    clock.tick = 0.4 * SLICE
    driver, told = drive(settings), []
    while at(driver, RUN).phase() != "finished":
        at(driver, RUN).train()
        ask = m.AskState(losses=(1, 0, len(told)))
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
    assert driver.state(m.AskState()).regulariser == 0.0
    finish(driver)
    state = driver.state(m.AskState())
    np.testing.assert_array_equal(state.progress.losses, losses_of(settings, 30))
    assert (np.float32(state.loss), np.float32(state.regulariser)) == tuple(state.progress.losses[-1])
    assert (state.progress.losses[:, 1] > 0.0).all()
    assert (state.progress.losses[:, 1] < state.progress.losses[:, 0]).all()


def test_the_data_are_told_to_who_has_not_got_them():
    driver = drive(SMALL)
    for run, told in ((0, driver.data), (1, None), (2, driver.data)):
        assert driver.state(m.AskState(run=run)).data is told


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
    np.testing.assert_array_equal(driver.state(m.AskState()).progress.losses, losses_of(LONG, 1))


@pytest.mark.parametrize("most", [1_024, 20, 7, 2])
def test_keyframes_are_told_at_the_epochs_that_are_due_within_the_memory_of_the_history(most, monkeypatch):
    driver = drive(SMALL.replace(epochs=300))
    (first,) = driver.record
    if most < 1_024:  # as if each keyframe were so large
        monkeypatch.setattr(driver_module, "MEGABYTE", (most + 0.5) * first.keyframe.nbytes / SMALL.history)
        driver = drive(SMALL.replace(epochs=300))
    finish(driver)
    told = [kept.keyframe.epoch for kept in driver.record]
    assert told == [epoch for epoch in range(301) if is_due(epoch, spread_at(epoch, most))]
    timeline = Timeline()
    for kept in driver.record:
        timeline.add(kept.keyframe)
        while len(timeline) > most:  # as the history bounds itself
            timeline.thin()
    # None is missing in the end of what a history of this size keeps.
    assert [frame.epoch for frame in timeline] == [n for n in range(301) if is_due(n, spread_at(300, most))]


def test_a_large_network_tells_of_few_keyframes():
    large = Settings(points=1, batch=1, hidden=(512, 512), code=2, mirror=True, history=16, epochs=20)
    driver = drive(large)
    finish(driver)
    assert driver.record[0].keyframe.nbytes > 8 * 2**20  # no two are within the memory, but two are kept
    assert [kept.keyframe.epoch for kept in driver.record] == [0, 1, 4, 16]


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
    stands = trainer._driver.training
    frames = [*kept]
    assert [frame.epoch for frame in frames] == [n for n in range(stands.epoch + 1) if is_due(n, 0.25)]
    assert bits(frames[-1].state) == bits(stands.keyframe().state)
    assert isinstance(said[-1], m.Noted) and said[-1].epoch == stands.epoch  # nothing to be taken back


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
    progress = driver.state(m.AskState()).progress
    assert progress.epoch == stood <= began + 1
    assert progress.losses_from + len(progress.losses) == stood
    driver.change(calm.replace(epochs=stood + 40))
    finish(driver)
    assert np.isfinite(driver.state(m.AskState()).progress.losses).all()


@pytest.mark.parametrize("kept", [8, 3, 2])
def test_each_time_that_it_diverges_it_goes_further_back_as_far_as_it_remembers(kept, monkeypatch):
    driver = drive(SMALL)
    if kept < 8:  # as if each keyframe were so large
        nbytes = driver.record[0].keyframe.nbytes
        monkeypatch.setattr(driver_module, "_SOUND_BYTES", kept * nbytes + 1)
        driver = drive(SMALL)
    finish(driver)
    frames = [message.keyframe for message in driver.record]
    changed = SMALL.replace(noise=0.6)
    driver.change(changed)
    for back in [*range(2, kept + 1), kept, kept]:
        driver.record.clear()
        driver.go_back()
        stands = driver.training
        assert bits(stands.keyframe().state) == bits(frames[-back].state)
        # With the settings that were in force when it diverged.
        assert driver.record == [m.Noted(1, stands.epoch, changed)]
        assert at(driver, REST).phase() == "paused" and stands.settings == changed
    # What it does from there on is as if it had never been further.
    oracle = Course(SMALL, {stands.epoch: changed})
    finish(driver)
    assert bits(driver.training.keyframe().state) == bits(oracle.states[-1].state)
    np.testing.assert_array_equal(driver.state(m.AskState()).progress.losses, oracle.losses)


def test_it_never_goes_back_to_an_unsound_keyframe(monkeypatch):
    monkeypatch.setattr(driver_module, "SOUND", 1e-9)  # as if every loss were a large one
    driver = drive(SMALL)
    finish(driver)
    assert len(driver.record) == 20  # they are told all the same
    driver.go_back()
    assert driver.training.epoch == 0


def test_losses_that_the_window_has_of_before_it_went_back_are_told_again(clock):
    driver = drive(SMALL)
    finish(driver)
    assert driver.state(m.AskState(losses=(1, 0, 90))).progress.losses_from == 90
    stood = []
    for times in (1, 2):
        driver.go_back()
        stood.append(driver.training.epoch)
        progress = driver.state(m.AskState(losses=(1, times - 1, 100))).progress
        assert (progress.losses_from, len(progress.losses)) == (stood[-1], 0)
    assert stood[1] < stood[0] < 100
    driver.change(SMALL.replace(noise=0.6))
    finish(driver)
    # Whoever knows of none of it, of the first time, or of some of the second course.
    best = Course(SMALL, {stood[1]: SMALL.replace(noise=0.6)}).losses
    for known, start in (((1, 0, 100), stood[1]), ((1, 1, 100), stood[1]), ((1, 2, 95), 95)):
        progress = driver.state(m.AskState(losses=known)).progress
        assert progress.losses_from == start
        np.testing.assert_array_equal(progress.losses, best[start:])
