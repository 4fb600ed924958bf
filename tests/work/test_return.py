"""A run that returns to one of its epochs goes on from there as if it had never left."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from driven import LONG, REST, RUN, SMALL, Clock, Course, at, drive, finish, keyframes_of
from talk import bits

from aeviz.core.recipe import Recipe
from aeviz.core.settings import Settings
from aeviz.core.timeline import is_due
from aeviz.work import messages as m
from aeviz.work.driver import SLICE, Driver
from aeviz.work.record import record
from aeviz.work.trainer import Trainer

NewTrainer = Callable[[], tuple[Trainer, list[m.FromWorker]]]
SHORT = SMALL.replace(epochs=40, batch=7)
NOISY, STEADY, COARSE = ({"noise": 0.6}, {"learning_rate": 0.001, "schedule": "constant"}, {"batch": 20})
CHANGES = {6: SHORT.replace(**NOISY), 12: SHORT.replace(**NOISY, **STEADY), 25: SHORT.replace(**COARSE)}
COURSES = {
    "plain": (SHORT, {}),
    "changed": (SHORT, CHANGES),
    "breathing": (LONG.replace(epochs=12), {5: LONG.replace(epochs=12, noise=0.6)}),
    "sampled": (SHORT.replace(regulariser="variational", strength=0.1), {}),
    "momentum": (SHORT.replace(optimiser="momentum", target="nearest"), {}),
}


@pytest.fixture(scope="module")
def courses() -> dict[str, Course]:
    return {name: Course(settings, changes) for name, (settings, changes) in COURSES.items()}


def returning(
    course: Course, epoch: int, keyframes: tuple[int, ...] = (), settings: Settings | None = None
) -> Driver:
    """A driver that is to go on after this epoch, by default with what was in force there."""
    build = m.Build.of(1, settings or course.after(epoch), course.branch(*keyframes), epoch)
    return Driver(build, REST)


def arrive(driver: Driver) -> None:
    """Let it return, at rest."""
    while at(driver, REST).wait() is not None:
        driver.train()


def go_on(driver: Driver, course: Course) -> None:
    """Train to the course's end, with the changes that it had."""
    arrive(driver)
    while driver.training.epoch < course.settings.epochs:
        then = course.after(driver.training.epoch)
        if then != driver.training.settings:
            driver.change(then)
        driver.single = True
        arrive(driver)


def losses_of(driver: Driver) -> np.ndarray:
    return driver.state(m.AskState()).progress.losses


def assert_at(driver: Driver, course: Course, epoch: int) -> None:
    """It stands there, and all of its state is the same, bit for bit."""
    assert (driver.training.epoch, driver.phase()) == (epoch, "paused")
    assert bits(driver.training.keyframe().state) == bits(course.states[epoch].state)


# To go on


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize("place", [0.0, 0.15, 0.3, 0.5, 0.97, 1.0], ids="after {:.0%}".format)
def test_after_its_return_it_trains_bit_for_bit_as_if_it_had_never_left(
    name: str, place: float, courses: dict[str, Course], clock: Clock
) -> None:
    course = courses[name]
    clock.tick = 0.4 * SLICE
    last = course.settings.epochs
    epoch = round(place * last)
    for keyframes in ((), (last // 3,), (epoch,), (last // 4, 6, last)):
        driver = returning(course, epoch, keyframes)
        assert len(losses_of(driver)) == 0
        go_on(driver, course)
        assert bits(driver.training.keyframe().state) == bits(course.states[last].state)
        progress = driver.state(m.AskState()).progress
        assert (progress.epoch, progress.losses_from) == (last, epoch)
        np.testing.assert_array_equal(progress.losses, course.losses[epoch:])


def test_it_tells_of_what_comes_after_alone(courses: dict[str, Course]) -> None:
    """Neither of keyframes nor of changes that the window has."""
    course = courses["changed"]
    driver = returning(course, 10, (3,))
    go_on(driver, course)
    assert [frame.epoch for frame in keyframes_of(driver)] == [n for n in range(11, 41) if is_due(n, 0.25)]
    noted = [(each.epoch, each.settings) for each in driver.record if isinstance(each, m.Noted)]
    assert noted == [(n, settings) for n, settings in CHANGES.items() if n > 10]


@pytest.mark.parametrize("epoch", [0, 5, 6, 12, 40])
def test_settings_that_were_not_in_force_are_noted_once_it_has_returned(
    epoch: int, courses: dict[str, Course], clock: Clock
) -> None:
    course, wanted = courses["changed"], SHORT.replace(noise=0.1, epochs=44)
    driver = returning(course, epoch, settings=wanted)
    clock.tick = 2.0 * SLICE  # one epoch a slice
    while driver.phase() == "returning":
        assert driver.record == []
        driver.train()
    assert driver.record == [m.Noted(1, epoch, wanted)]
    finish(driver)
    best = Course(wanted, {0: SHORT, **{n: each for n, each in CHANGES.items() if n < epoch}, epoch: wanted})
    assert bits(driver.training.keyframe().state) == bits(best.states[44].state)
    np.testing.assert_array_equal(losses_of(driver), best.losses[epoch:])


@pytest.mark.parametrize(
    ("view", "live"),
    [
        ({}, False),
        ({"layer": "exact", "history": 512}, False),
        ({"noise": 0.3}, True),
        ({"epochs": 50}, True),
    ],
    ids=str,
)
def test_it_notes_a_change_only_where_one_acts_on_the_training(
    view: dict[str, Any], live: bool, courses: dict[str, Course]
) -> None:
    wanted = SHORT.replace(**view)
    driver = returning(courses["plain"], 11, (4,), wanted)
    arrive(driver)
    assert driver.record == ([m.Noted(1, 11, wanted)] if live else [])
    assert driver.state(m.AskState()).settings == wanted  # of which frames are told


# Meanwhile


def test_a_change_meanwhile_waits_and_the_last_one_counts(courses: dict[str, Course], clock: Clock) -> None:
    course = courses["changed"]
    driver = returning(course, 20)
    clock.tick = 2.0 * SLICE
    dragged = [SHORT.replace(noise=0.01 * n) for n in range(1, 16)]
    for settings in dragged:
        driver.change(settings)
        driver.train()
        assert driver.phase() == "returning"
    arrive(driver)
    assert driver.record == [m.Noted(1, 20, dragged[-1])]
    assert_at(driver, course, 20)
    finish(driver)
    best = Course(SHORT, {n: each for n, each in CHANGES.items() if n < 20} | {20: dragged[-1]})
    assert bits(driver.training.keyframe().state) == bits(best.states[40].state)


def test_a_change_meanwhile_and_back_is_none(courses: dict[str, Course], clock: Clock) -> None:
    course = courses["changed"]
    driver = returning(course, 20)
    clock.tick = 2.0 * SLICE
    for settings in (SHORT, course.after(20)):
        driver.train()
        driver.change(settings)
    go_on(driver, course)
    assert [each.epoch for each in driver.record if isinstance(each, m.Noted)] == [25]
    assert bits(driver.training.keyframe().state) == bits(course.states[40].state)


@pytest.mark.parametrize("name", ["changed", "breathing"])
def test_neither_rest_nor_speed_has_an_effect_on_the_return(
    name: str, courses: dict[str, Course], clock: Clock
) -> None:
    course, epoch = courses[name], 11
    driver, slices = returning(course, epoch), 0
    clock.tick = 2.0 * SLICE  # one epoch or breath a slice
    drives = [REST, RUN, m.Drive(True, 3.0), m.Drive(False, 0.1)]
    while driver.phase() == "returning":
        assert at(driver, drives[slices % 4]).wait() == 0.0
        driver.train()
        slices += 1
    assert slices == epoch * (3 if name == "breathing" else 1) + 1
    assert_at(at(driver, REST), course, epoch)
    assert driver.wait() is None


@pytest.mark.parametrize("name", ["changed", "breathing"])
def test_a_step_meanwhile_is_one_epoch_after_it(
    name: str, courses: dict[str, Course], clock: Clock, new_trainer: NewTrainer
) -> None:
    course, (trainer, said) = courses[name], new_trainer()
    clock.tick = 2.0 * SLICE
    trainer._handle(m.Build.of(1, course.after(9), course.branch(4), 9))
    driver = trainer._driver
    assert driver is not None
    trainer._handle(RUN)
    trainer._train(driver)
    for _ in range(3):  # pressed again and again
        trainer._handle(m.Step())
        assert driver.phase() == "returning"
    while driver.wait() is not None:
        trainer._train(driver)
    assert_at(driver, course, 10)
    np.testing.assert_array_equal(losses_of(driver), course.losses[9:10])
    assert not any(isinstance(message, m.Noted | m.Diverged | m.Failed) for message in said)


def test_told_to_train_meanwhile_it_goes_on_without_a_rest(courses: dict[str, Course]) -> None:
    course = courses["plain"]
    driver = returning(course, 30)
    finish(driver)
    assert bits(driver.training.keyframe().state) == bits(course.states[40].state)


def test_on_the_way_it_is_seen_and_tells_no_losses(courses: dict[str, Course], clock: Clock) -> None:
    course = courses["changed"]
    driver = returning(course, 20)
    clock.tick = 2.0 * SLICE
    for epoch in range(21):
        state = driver.state(m.AskState(losses=(1, 0, 20)))
        assert (state.progress.epoch, state.progress.phase) == (epoch, "returning")
        assert (state.progress.losses_from, len(state.progress.losses)) == (20, 0)
        assert bits(state.average) == bits(course.states[epoch].state["average"])
        driver.train()
    assert driver.phase() == "paused"


def test_what_could_have_been_trained_meanwhile_is_not_made_up_for(
    courses: dict[str, Course], clock: Clock
) -> None:
    driver = at(returning(courses["plain"], 20), m.Drive(playing=True, speed=10.0))
    clock.tick = SLICE / 1_000.0  # all of it in one slice, after a long time
    clock.now += 3_600.0
    driver.train()
    assert driver.training.epoch == 21
    wait = driver.wait()
    assert wait is not None and 0.09 < wait <= 0.1


@pytest.mark.parametrize("epoch", [5, 40])
def test_at_its_last_epoch_it_is_finished(epoch: int, courses: dict[str, Course]) -> None:
    driver = at(returning(courses["plain"], epoch, settings=SHORT.replace(epochs=epoch)), RUN)
    assert driver.phase() == "returning"
    driver.train()
    while driver.phase() == "returning":
        driver.train()
    assert (driver.phase(), driver.training.epoch, driver.wait()) == ("finished", epoch, None)


# Where it diverges


def test_what_diverges_on_its_return_stands_at_the_keyframe_that_it_began_with(
    new_trainer: NewTrainer,
) -> None:
    """As a run that was recorded on another machine may."""
    course, (trainer, said) = Course(SHORT), new_trainer()
    branch = course.branch(4)
    branch.timeline.before(30).state["parameters"][-1] = 1e9  # such weights explode at once
    trainer._handle(m.Build.of(1, SHORT, branch, 30))
    driver = trainer._driver
    assert driver is not None
    while driver.phase() == "returning":
        trainer._train(driver)
    assert isinstance(said[0], m.Diverged) and said[0].epoch == 4
    assert said[1:] == [m.Noted(1, 4, SHORT)]
    progress = driver.state(m.AskState(losses=(1, 0, 30))).progress
    assert (progress.epoch, progress.phase) == (4, "paused")
    assert (progress.losses_from, len(progress.losses)) == (4, 0)


@pytest.mark.parametrize(("further", "stands"), [(0, 16), (1, 16), (10, 21), (20, 31)])
def test_what_diverges_after_its_return_goes_back_as_any_run(
    further: int, stands: int, courses: dict[str, Course]
) -> None:
    course = courses["plain"]
    driver = returning(course, 20, (16,), SHORT.replace(epochs=20 + further))
    finish(driver)
    assert {16, *(frame.epoch for frame in keyframes_of(driver))} >= {stands}
    driver.go_back()
    assert_at(at(driver, REST), course, stands)
    progress = driver.state(m.AskState()).progress
    assert progress.losses_from == min(20, stands)
    np.testing.assert_array_equal(progress.losses, course.losses[20:stands])


def test_a_build_without_a_keyframe_begins(clock: Clock) -> None:
    driver = drive(SHORT)
    assert (driver.phase(), driver.training.epoch) == ("paused", 0)
    assert [frame.epoch for frame in keyframes_of(driver)] == [0]
    assert math.isnan(driver.state(m.AskState()).loss)


def test_a_plan_that_led_to_divergence_is_not_followed_again():
    history = Recipe(SMALL, 10, SMALL, ((3, SMALL),)).history()
    record(history, m.Diverged(1, 0, "it exploded"))
    build = m.Build.of(2, SMALL, history.current)
    assert (build.plan.until, build.begins) == (0, None)
