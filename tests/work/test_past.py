"""Past epochs brought back: the nearest one known at once, the exact one a little later; by a clock."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from driven import LONG, REST, SMALL, Clock, Course, at, drive
from talk import bits

from aeviz.core.history import Branch
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe
from aeviz.learn.training import Training
from aeviz.work import messages as m
from aeviz.work import past as past_module
from aeviz.work.past import AT_ONCE, PastEpochs, Shown
from aeviz.work.pasts import Pasts

SLOW = 1.1 * AT_ONCE  # an epoch takes longer than a frame may wait
SHORT = SMALL.replace(epochs=40, batch=7)
CHANGES = {6: SHORT.replace(noise=0.6), 15: SHORT.replace(batch=20), 25: SHORT.replace(learning_rate=0.001)}
BREATHING = LONG.replace(epochs=8)  # each epoch breathes twice


class Watched(Training):
    """A training that counts what is done with it."""

    made: int
    restored: int
    epochs_done: int
    copied: int

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        Watched.made += 1

    def restore(self, frame: Keyframe) -> None:
        Watched.restored += 1
        super().restore(frame)

    def keyframe(self) -> Keyframe:
        Watched.copied += 1
        return super().keyframe()

    def epochs(self) -> Any:
        for loss in super().epochs():
            Watched.epochs_done += loss is not None
            yield loss


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> type[Watched]:
    monkeypatch.setattr(past_module, "Training", Watched)
    Watched.made = Watched.restored = Watched.epochs_done = Watched.copied = 0
    return Watched


@pytest.fixture(scope="module")
def course() -> Course:
    return Course(SHORT, CHANGES)


@pytest.fixture(scope="module")
def breathing() -> Course:
    return Course(BREATHING, {3: BREATHING.replace(noise=0.6)})


class Asker:
    """Asks for epochs as the window does, with sparse keyframes, and knows what is to be seen."""

    def __init__(self, course: Course, *keyframes: int) -> None:
        self.course = course
        self.branch = course.branch(*keyframes)
        self.past = PastEpochs(m.Origin(course.settings, course.data))
        self._pasts = Pasts()

    def message(self, epoch: int, branch: Branch | None = None) -> m.Past:
        message = self._pasts.of(branch or self.branch, epoch)
        assert message is not None
        return message

    def show(self, epoch: int, within: float = AT_ONCE) -> Shown:
        return self.past.show(self.message(epoch), within)

    def brought(self, epoch: int) -> int:
        """Wait for an epoch; how many little pieces that took."""
        self.show(epoch)
        pieces = 0
        while self.past.unfinished:
            said = self.past.advance()
            assert said != self.past.unfinished
            pieces += 1
        assert_is(self.show(epoch), self.course, epoch)
        return pieces


def assert_is(shown: Shown, course: Course, epoch: int) -> None:
    assert shown.epoch == epoch
    assert bits(shown.average.numpy()) == bits(course.states[epoch].state["average"])
    in_force = course.states[epoch].settings  # as training itself had them in that epoch
    assert shown.settings == in_force
    assert not shown.moves


# Nearest first, then exactly


def test_the_nearest_is_there_at_once_and_the_exact_one_after_its_replay(
    course: Course, clock: Clock
) -> None:
    asker = Asker(course, 16)
    clock.tick = SLOW
    nearest = asker.show(21)
    assert_is(nearest, course, 16)
    said = []
    while asker.past.unfinished:
        assert_is(asker.show(21), course, 16)  # asked again meanwhile, for the cursor has moved, say
        said.append(asker.past.advance())
    assert said == [False] * 5 + [True]  # five epochs, and then that there are no more
    exact = asker.show(21)
    assert_is(exact, course, 21)
    assert exact.key != nearest.key
    assert (Watched.made, Watched.restored, Watched.epochs_done) == (1, 1, 5)


def test_what_takes_a_moment_is_exact_at_once(course: Course, clock: Clock) -> None:
    asker = Asker(course, 16)
    clock.tick = 0.9 * AT_ONCE / (2 * 5 + 4)  # looks at the clock
    assert_is(asker.show(21), course, 21)
    assert not asker.past.unfinished


@pytest.mark.parametrize("tick", [0.0, SLOW])
def test_so_long_as_it_is_told_it_replays(tick: float, course: Course, clock: Clock) -> None:
    clock.tick = tick
    for within, shown in ((math.inf, 38), (0.0, 16)):
        asker = Asker(course, 16)
        assert_is(asker.show(38, within), course, shown)
        assert asker.past.unfinished == (shown == 16)


def test_an_epoch_with_a_keyframe_needs_no_replay(course: Course, clock: Clock) -> None:
    asker = Asker(course, 6, 16)
    clock.tick = SLOW
    for epoch in (16, 0, 6, 16):
        assert_is(asker.show(epoch, 0.0), course, epoch)
        assert asker.brought(epoch) == 1
    assert Watched.epochs_done == 0


def test_what_is_shown_stays_as_it_was_when_others_are_brought_back(course: Course, clock: Clock) -> None:
    asker = Asker(course)
    shown = [asker.show(epoch, math.inf) for epoch in (10, 11, 3)]
    for each, epoch in zip(shown, (10, 11, 3), strict=True):
        assert_is(each, course, epoch)
    assert len({each.key for each in shown}) == 3


@pytest.mark.parametrize("order", ["forward", "backward", *range(8)])
@pytest.mark.parametrize("name", ["one breath", "three breaths"])
def test_in_any_order_and_left_at_any_moment_each_is_exact(
    name: str, order: str | int, course: Course, breathing: Course, clock: Clock
) -> None:
    rng = random.Random(f"{name} {order}")
    course = course if name == "one breath" else breathing
    last = course.settings.epochs
    asker = Asker(course, *rng.sample(range(last + 1), rng.randrange(3)))
    ordered = {"forward": range(last + 1), "backward": range(last, -1, -1)}
    for epoch in ordered.get(str(order), [rng.randrange(last + 1) for _ in range(60)]):
        clock.tick = rng.choice([0.0, 0.0003, 0.001, 0.005, SLOW])
        found = asker.show(epoch, rng.choice([AT_ONCE, 0.0, AT_ONCE, math.inf]))
        assert found.epoch <= epoch
        assert_is(found, course, found.epoch)
        for _ in range(rng.randrange(9)):  # and then another is wanted
            if asker.past.unfinished:
                asker.past.advance()
        if not asker.past.unfinished:
            assert_is(asker.show(epoch), course, epoch)


# What is remembered on the way


def test_a_step_back_is_short(course: Course, clock: Clock) -> None:
    asker = Asker(course)
    clock.tick = SLOW
    assert asker.brought(40) == 41
    for epoch in range(39, 0, -1):
        Watched.epochs_done = 0
        asker.brought(epoch)
        # Two epochs take longer than what lies between two that are remembered.
        assert Watched.epochs_done <= 2


def test_of_long_replays_a_state_is_remembered_now_and_then(clock: Clock) -> None:
    course = Course(SMALL)
    asker = Asker(course)
    clock.tick = 0.0005  # so long an epoch takes
    asker.show(100, math.inf)
    assert Watched.epochs_done == 100
    assert Watched.copied == 2  # after 20 ms and after 40, which are a little more than as many epochs
    Watched.epochs_done = 0
    asker.show(99, math.inf)
    assert Watched.epochs_done <= 41


@pytest.mark.parametrize(("most", "back"), [(1, 39), (3, 2)])
def test_what_is_remembered_is_bounded_and_the_newest(
    most: int, back: int, course: Course, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_module, "_STONE_BYTES", most * course.states[0].nbytes)
    asker = Asker(course)
    clock.tick = SLOW
    asker.brought(40)
    # One alone might be that of epoch 40: it is not worth its time.
    remembered = most if most > 1 else 0
    assert len(asker.past._stones) == remembered
    assert (Watched.copied > 0) == (remembered > 0)
    Watched.epochs_done = 0
    asker.brought(39)
    assert Watched.epochs_done <= back
    assert len(asker.past._stones) == remembered


# From where it stands


def test_forward_it_goes_on_from_where_it_stands(course: Course, clock: Clock) -> None:
    asker = Asker(course)
    clock.tick = SLOW
    for epoch in (3, 7, 8, 8, 20, 21, 40):  # changes lie within the steps, and at the ends of some
        asker.brought(epoch)
    assert (Watched.restored, Watched.epochs_done) == (1, 40)


def test_what_moves_on_while_it_is_brought_back_is_followed(course: Course, clock: Clock) -> None:
    """Beside a run that trains, another epoch is wanted in every frame."""
    asker = Asker(course)
    clock.tick = SLOW
    for epoch in range(10, 41):
        assert_is(asker.show(epoch), course, epoch - 10)
        asker.past.advance()
    assert Watched.restored == 1
    asker.brought(40)
    assert (Watched.restored, Watched.epochs_done) == (1, 40)


def test_a_keyframe_that_is_nearer_is_taken(course: Course, clock: Clock) -> None:
    asker = Asker(course, 30)
    clock.tick = SLOW
    asker.brought(5)
    asker.brought(31)
    assert (Watched.restored, Watched.epochs_done) == (2, 6)
    asker.brought(33)  # and from there on as before
    assert (Watched.restored, Watched.epochs_done) == (2, 8)


# What is left half done


@pytest.mark.parametrize("then", [0, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("left", range(1, 10))
def test_left_within_an_epoch_it_leaves_no_wrong_state(
    left: int, then: int, breathing: Course, clock: Clock
) -> None:
    asker = Asker(breathing)
    clock.tick = SLOW  # one breath at a time
    asker.show(6)
    for _ in range(left):
        asker.past.advance()
    assert Watched.epochs_done == left // 3
    # Each epoch takes longer than what lies between two states that are remembered.
    assert_is(asker.show(then, 0.0), breathing, min(then, left // 3))
    asker.brought(then)
    asker.brought(6)


def test_another_course_is_another_past(course: Course, clock: Clock) -> None:
    other = Course(SHORT, {6: SHORT.replace(noise=0.1)})  # the same until then
    asker = Asker(course)
    asker.past.show(asker.message(20), math.inf)
    branch = other.branch(number=2)
    clock.tick = SLOW
    assert_is(asker.past.show(asker.message(20, branch)), other, 0)  # nothing of the first is taken for it
    assert_is(asker.past.show(asker.message(20, branch), math.inf), other, 20)
    assert_is(asker.past.show(asker.message(20, branch)), other, 20)
    # Left unfinished, the one never goes on in the other.
    asker.past.show(asker.message(40, branch))
    asker.past.advance(), asker.past.advance()
    assert_is(asker.past.show(asker.message(9)), course, 0)
    assert_is(asker.past.show(asker.message(9), math.inf), course, 9)
    assert_is(asker.past.show(asker.message(9, branch), math.inf), other, 9)


def test_what_was_cut_off_and_trained_anew_is_another_past(course: Course, clock: Clock) -> None:
    other = Course(SHORT, {5: SHORT.replace(noise=0.1)})
    asker = Asker(course, 5)
    clock.tick = SLOW
    asker.brought(20)
    asker.branch, asker.course = other.branch(5), other
    asker._pasts.serial += 1
    assert asker.brought(20) == 16
    asker.brought(19)


# What fails


def broken(course: Course, epoch: int, weight: float) -> Branch:
    """A branch whose keyframe has such a weight, as none that is recorded here."""
    branch = Course(course.settings).branch(epoch)
    branch.timeline.before(epoch).state["parameters"][-1] = weight
    return branch


@pytest.mark.parametrize("tick", [0.0, SLOW])
@pytest.mark.parametrize("settings", [SHORT, BREATHING], ids=["one breath", "three breaths"])
def test_where_it_diverges_the_nearest_is_all_that_is_shown(
    settings: Settings, tick: float, clock: Clock
) -> None:
    course = Course(settings)
    asker = Asker(course)
    clock.tick = tick
    asker.branch = broken(course, 4, 1e9)
    assert asker.show(7).epoch == 4
    said = []
    while asker.past.unfinished:
        said.append(asker.past.advance())
    assert said == [False] * (len(said) - 1) + [True] * (tick > 0.0)  # so that the window asks once more
    for _ in range(3):
        assert_is(asker.show(7), course, 4)  # whose average is sound
        assert not asker.past.unfinished
    assert Watched.epochs_done == 0
    asker.brought(3)
    asker.show(7, math.inf), asker.brought(2)


def test_an_error_is_raised_once_and_what_was_known_is_shown(
    course: Course, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = Asker(course)
    clock.tick = SLOW
    asker.show(20)
    asker.past.advance()
    step = Watched._step
    monkeypatch.setattr(Watched, "_step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asker.past.advance()
    assert not asker.past.unfinished
    for _ in range(3):  # asked for once more, it does not fail again and again
        assert_is(asker.show(20, math.inf), course, 0)
    with pytest.raises(ZeroDivisionError):
        asker.show(21, math.inf)
    assert_is(asker.show(21, math.inf), course, 0)
    monkeypatch.setattr(Watched, "_step", step)
    asker.brought(20 + 2)
    asker.brought(20)


def test_a_keyframe_that_cannot_be_taken_up_leaves_no_wrong_state(course: Course, clock: Clock) -> None:
    asker = Asker(course)
    asker.show(20, math.inf)
    state = course.states[30].state
    shapes = {**state, "mean": state["mean"][:-1]}  # fails when the parameters have been taken up
    asker.branch.timeline = type(asker.branch.timeline)(
        [course.states[0], Keyframe(30, course.settings, shapes)], asker.branch.timeline.changes
    )
    for _ in range(2):  # told each time; no other epoch is shown for it
        with pytest.raises(RuntimeError, match="size"):
            asker.show(35, math.inf)
        assert not asker.past.unfinished
    asker.branch = course.branch()
    assert_is(asker.show(22, math.inf), course, 22)
    # Neither does what another course had left unfinished go on.
    clock.tick = SLOW
    asker.show(29)
    lost = m.Past((0, 9), 20, None, ())
    with pytest.raises(AssertionError):
        asker.past.show(lost)
    assert not asker.past.unfinished


# Beside a training


def test_looking_back_leaves_the_training_alone(clock: Clock) -> None:
    course = Course(SMALL)
    driver, asker = drive(SMALL), Asker(course, 9, 36)
    while driver.phase() != "finished":
        driver.single = True
        at(driver, REST).train()
        epoch = driver.training.epoch // 2
        assert_is(asker.show(epoch, math.inf), course, epoch)
    np.testing.assert_array_equal(driver.state(m.AskState()).progress.losses, course.losses)
    assert torch.equal(driver.training.average, torch.tensor(course.states[-1].state["average"]))
