"""Through the real processes: every past epoch is what it was, and a course beside a run is one by itself."""

from __future__ import annotations

import dataclasses
import random

import pytest
from talk import AT_REST, ENDLESS, GRID, NEVER_STOPS, SMALL, Talk, bits

from aeviz.core.history import Branch
from aeviz.core.timeline import Keyframe, Timeline
from aeviz.learn.training import Training
from aeviz.work import messages as m

VIEW = ENDLESS.replace(batch=7)
CHANGES = (
    {"noise": 0.6},
    {"learning_rate": 3e-4},
    {"batch": 30},
    {"noise": 0.1, "batch": 11},
    {"schedule": "constant"},
)


def changed_in_flight(talk: Talk, epochs: int) -> None:
    """Train, and let each change come upon the run wherever it may be then."""
    talk.build(VIEW)
    talk.send(NEVER_STOPS)
    settings, before = VIEW, 0
    for number, change in enumerate(CHANGES, 1):
        while talk.ask().epoch < max(before + 2, number * epochs // (len(CHANGES) + 1)):
            pass  # never two changes after one epoch
        settings = settings.replace(**change)
        talk.send(m.Change(settings))
        before = talk.ask().epoch
    while talk.ask().epoch < max(before + 2, epochs):
        pass


def states_of(branch: Branch, epochs: set[int]) -> dict[int, Keyframe]:
    """The oracle: an independent training, which is told the same changes after the same epochs."""
    due, states = dict(branch.timeline.changes), {}
    training = Training(branch.origin, branch.data)
    losses = training.epochs()
    for epoch in range(max(epochs) + 1):
        if epoch:
            training.change(due.get(epoch - 1, training.settings))
            while (loss := next(losses)) is None:
                pass
            assert branch.losses[epoch - 1, 0] == pytest.approx(loss, rel=0, abs=0)
        if epoch in epochs:
            states[epoch] = training.keyframe()
    return states


@pytest.mark.parametrize("playing", [False, True], ids=["at rest", "while it trains"])
@pytest.mark.parametrize("order", ["forward", "backward", "random"])
def test_past_epochs_are_what_they_were_bit_for_bit(order: str, playing: bool, talk: Talk) -> None:
    changed_in_flight(talk, 400)
    if not playing:
        talk.send(AT_REST)
        talk.ask()
    noted = [epoch for epoch, _ in talk.branch.timeline.changes]
    assert len(noted) == len(CHANGES)
    # Of what was kept, few; beside any epochs, those at which a change took effect, and their neighbours.
    frames = [*talk.branch.timeline]
    talk.branch.timeline = Timeline([frames[0], *frames[7::9]], talk.branch.timeline.changes)
    rng = random.Random(order)
    epochs = {*rng.sample(range(400), 16), *noted, *(epoch + 1 for epoch in noted), 0, 1, 399}
    asked = sorted(epochs, reverse=order == "backward")
    if order == "random":
        rng.shuffle(asked)
    found = {epoch: talk.seen(epoch=epoch) for epoch in asked}
    talk.send(AT_REST)
    states = states_of(talk.branch, epochs)
    for course, (epoch, (frame, field)) in enumerate(found.items()):
        assert (frame.epoch, frame.settings) == (epoch, states[epoch].settings)
        # The oracle's own weights, shown by the same process, as nothing is left to be replayed.
        past = m.Past((-1, course), epoch, states[epoch], ())
        _, best = talk.seen(past=past)
        assert bits(field) == bits(best)


OTHERS = {
    "width": SMALL.replace(hidden=(20, 7), code=3),
    "data": SMALL.replace(data="moons", points=41),
    "seed": SMALL.replace(seed=11),
    "all": SMALL.replace(hidden=(9,), data="moons", points=17, batch=5, seed=3, activation="relu"),
}


@pytest.mark.parametrize("layer", ["magnitude", "exact"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_course_beside_a_run_that_trains_is_a_run_of_its_own(
    name: str, layer: str, talk: Talk, other: Talk
) -> None:
    settings = OTHERS[name].replace(layer=layer, epochs=90)
    other.build(settings)
    other.train_to_end()
    kept = other.branch
    kept.timeline = Timeline([*kept.timeline][::6], ())
    talk.build(ENDLESS.replace(layer=layer))
    talk.send(NEVER_STOPS)
    before = talk.ask().epoch
    found = {}
    for epoch in (77, 3, 90, 0):
        beside = talk.pasts.of(kept, epoch, beside=True)
        while True:
            frame = talk.ask(grid=GRID, beside=beside)
            assert frame.beside is not None
            found[epoch] = frame.beside
            if frame.beside.epoch == epoch:
                break
            talk.wait_for(m.Brought)
            beside = talk.pasts.of(kept, epoch, beside=True)
    assert talk.ask().epoch > before  # it trained on meanwhile
    talk.send(AT_REST)
    for epoch, field in found.items():
        other.build(settings.replace(epochs=max(1, epoch)))
        if epoch:
            other.train_to_end()
        _, best = other.seen()
        exact = [message.field for message in other.heard(m.Exact)]
        assert len(exact) == (layer == "exact")
        assert bits(field) == bits(
            dataclasses.replace(best, data=kept.data.points, exact=exact[0] if exact else None)
        )


def test_a_question_about_a_run_that_is_over_is_answered_with_nothing(talk: Talk) -> None:
    over = talk.build(SMALL)
    talk.train_to_end()
    past = talk.pasts.of(talk.branch, 33)
    assert past is not None
    run = talk.build(SMALL.replace(noise=0.4))
    for number, of in enumerate((over, run, 0), 1_000):
        talk.send(m.Ask(number, SMALL, past if of == over else None, grid=GRID, run=of))
        frame = talk.wait_for(m.Frame)
        assert (frame.number, frame.run) == (number, of or run)
        assert (frame.field is None) == (of == over)
    talk.train_to_end()
    assert len(talk.losses()) == SMALL.epochs
    assert talk.look(epoch=33).epoch == 33


def test_a_branch_goes_on_from_a_past_epoch_as_a_training_told_so_would(talk: Talk, other: Talk) -> None:
    """Left with other settings after an epoch, told more in full flight, and looked at from end to end."""
    talk.build(SMALL.replace(batch=7))
    talk.train_to_end()
    settings = SMALL.replace(batch=7, noise=0.5, epochs=1_000_000)
    other.build(settings, since=talk.branch, epoch=41)
    other.send(m.Drive(playing=True, speed=500.0))  # the oracle has to go as far
    while other.ask().epoch < 80:
        pass
    other.send(m.Change(settings.replace(learning_rate=1e-4)))
    changed = other.ask().epoch
    while other.ask().epoch < changed + 100:
        pass
    other.send(AT_REST)
    last = other.ask().epoch
    noted = [epoch for epoch, _ in other.branch.timeline.changes]
    assert noted[0] == 41 and len(noted) == 2
    epochs = {0, 20, 41, 42, noted[1], noted[1] + 1, last}
    states = states_of(other.branch, epochs)
    found = {epoch: other.seen(epoch=epoch)[1] for epoch in epochs}
    for course, (epoch, field) in enumerate(found.items()):
        _, best = other.seen(past=m.Past((-1, course), epoch, states[epoch], ()))
        assert bits(field) == bits(best)
    assert other.losses().tobytes() == other.branch.losses.tobytes()
    assert other.losses()[:41].tobytes() == talk.losses()[:41].tobytes()
