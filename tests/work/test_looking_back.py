"""The past, and another course, as the observer shows them: the nearest first, and then exactly."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from driven import SMALL, Clock, Course
from served import Serve, Trainer, driver_of, frames, kinds
from talk import GRID, bits

from aeviz.core.field import Field
from aeviz.core.settings import Settings
from aeviz.learn.training import Training
from aeviz.work import exact as exact_module
from aeviz.work import messages as m
from aeviz.work import sight as sight_module
from aeviz.work.driver import Driver
from aeviz.work.past import AT_ONCE
from aeviz.work.pasts import Pasts
from aeviz.work.sight import Sight

SHORT = SMALL.replace(epochs=40, batch=7, code_plot=False)
SLOW = 1.1 * AT_ONCE  # seconds for which each epoch is replayed


class Recorded:
    """A course that is recorded with few keyframes, how it is asked for, and what is to be seen of it."""

    def __init__(
        self, settings: Settings, *keyframes: int, changes: dict[int, Settings] | None = None
    ) -> None:
        self.course = Course(settings, changes)
        self.branch = self.course.branch(*keyframes, number=settings.seed + 1)
        self.pasts = Pasts()

    def past(self, epoch: int, beside: bool = False) -> m.Past:
        past = self.pasts.of(self.branch, epoch, beside=beside)
        assert past is not None
        return past

    def trainer(self, *first: Driver) -> Trainer:
        """Whose run stands at the end of this course."""
        driver = Driver(m.Build.of(1, self.branch.settings, self.branch), m.Drive(False, math.inf))
        while driver.phase() == "returning":
            driver.train()
        return Trainer(*first, driver)

    def field(self, epoch: int, view: Settings, **what: Any) -> Field:
        """Of a run of its own, that was trained to this epoch and no further."""
        origin, state = m.Origin(self.course.settings, self.course.data), self.course.states[epoch]
        driver = driver_of(1, self.course.settings)
        driver.training.restore(state)
        ask = m.Ask(1, view, grid=GRID, **what)
        sight = Sight(1, origin)
        frame = next(
            each for each in sight.answers(ask, driver.state(m.AskState())) if isinstance(each, m.Frame)
        )
        exact = sight._exact.field_task.result if view.shows_exact else None
        assert frame.field is not None
        return dataclasses.replace(frame.field, data=self.course.data.points, exact=exact)


@pytest.fixture(scope="module")
def run() -> Recorded:
    return Recorded(SHORT, 16, changes={6: SHORT.replace(noise=0.6), 18: SHORT.replace(batch=20)})


@pytest.fixture(autouse=True)
def afresh(run: Recorded) -> None:
    run.pasts.forget()


def test_a_past_epoch_is_brought_back_while_nothing_is_asked_and_then_told(
    serve: Serve, run: Recorded, clock: Clock
) -> None:
    clock.tick = SLOW
    asks = [m.Ask(number, SHORT, run.past(20), grid=GRID) for number in (1, 2)]
    assert asks[1].past is not None and asks[1].past.keyframe is None  # which it has got
    said, window = serve(asks[0], 1_000, asks[1], 1, by=run.trainer())
    assert kinds(said) == ["Geometry", "Frame", "Brought", "Frame"]
    nearest, exact = frames(said)
    assert (nearest.epoch, exact.epoch) == (16, 20)
    assert exact.field is not None
    assert bits(exact.field.displacement) == bits(run.field(20, SHORT).displacement)
    assert exact.settings == run.course.states[20].settings
    assert window.waits == [None, None]  # nothing is left to do


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_between_two_epochs_of_a_replay_the_window_is_answered(
    looks: int, serve: Serve, run: Recorded, clock: Clock
) -> None:
    clock.tick = SLOW
    past = m.Ask(1, SHORT, run.past(20), grid=GRID)
    said, window = serve(past, looks, m.Ask(2, SHORT, grid=GRID), by=run.trainer())
    assert kinds(said) == ["Geometry", "Frame", "Frame"]
    assert window.waits == []


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.13, 0.2, 0.3, 1.1])
@pytest.mark.parametrize("measure", [False, True])
def test_however_long_it_takes_the_window_learns_when_it_can_be_seen(
    measure: bool, share: float, serve: Serve, run: Recorded, clock: Clock
) -> None:
    clock.tick = share * AT_ONCE
    first = m.Ask(1, SHORT, run.past(20), grid=GRID, measure=measure)
    said, _ = serve(first, 1_000, m.Ask(2, SHORT, run.past(20), grid=GRID), by=run.trainer())
    nearest, exact = frames(said)
    assert exact.epoch == 20
    assert kinds(said).count("Brought") == (nearest.epoch < 20)
    if measure:  # what is measured is what was shown
        (judged, *_) = (message for message in said if isinstance(message, m.Judged))
        assert kinds(said)[:3] == ["Geometry", "Frame", "Judged"]
        sight = Sight(1, m.Origin(SHORT, run.course.data))
        run.pasts.forget()
        at_rest = m.Ask(1, SHORT, run.past(nearest.epoch), grid=GRID, whole=True)
        state = run.trainer()._drivers[0].state(m.AskState())
        [*sight.answers(at_rest, state)]
        assert bits(judged) == bits(sight.judged(at_rest, state))


@pytest.mark.parametrize("file", [20, 23, 3])
def test_what_the_screen_waits_for_is_told_also_where_a_file_comes_between(
    file: int, serve: Serve, run: Recorded, clock: Clock
) -> None:
    clock.tick = SLOW
    screen, whole, again = (
        m.Ask(1, SHORT, run.past(20), grid=GRID),
        m.Ask(2, SHORT, run.past(file), grid=GRID, whole=True),
        m.Ask(3, SHORT, run.past(20), grid=GRID),
    )
    said, _ = serve(screen, 1, whole, 1_000, again, 1_000, again, by=run.trainer())
    assert kinds(said)[:4] == ["Geometry", "Frame", "Brought", "Frame"]
    assert [(each.number, each.epoch) for each in frames(said)[:2]] == [(1, 16), (2, file)]
    # Where the file gave it up, it is begun again, and told again.
    assert kinds(said)[4:] == (["Frame", "Frame"] if file == 20 else ["Frame", "Brought", "Frame"])
    assert frames(said)[-1].epoch == 20


def test_what_is_not_looked_at_any_more_is_not_gone_on_with(
    serve: Serve, run: Recorded, clock: Clock
) -> None:
    clock.tick = SLOW
    past, newest = (m.Ask(1, SHORT, run.past(20), grid=GRID), m.Ask(2, SHORT, grid=GRID))
    said, window = serve(past, 2, newest, 1_000, past, 1_000, past, by=run.trainer())
    assert kinds(said) == ["Geometry", "Frame", "Frame", "Frame", "Brought", "Frame"]
    assert [frame.epoch for frame in frames(said)] == [16, 40, 16, 20]
    assert window.waits == [None, None]


def test_an_error_in_a_replay_is_told_once_and_frames_go_on(
    serve: Serve, run: Recorded, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.tick = SLOW
    trainer = run.trainer()
    monkeypatch.setattr(Training, "_step", lambda *_: 1 / 0)
    past = m.Ask(1, SHORT, run.past(20), grid=GRID)
    said, _ = serve(past, 1_000, past, 1_000, m.Ask(2, SHORT, grid=GRID), by=trainer)
    assert kinds(said) == ["Geometry", "Frame", "Failed", "Frame", "Frame"]
    assert [frame.epoch for frame in frames(said)] == [16, 16, 40]


# Beside it

OTHER = SHORT.replace(hidden=(9, 5), seed=7, data="moons", points=33, noise=0.4, epochs=30)


@pytest.fixture(scope="module")
def other() -> Recorded:
    return Recorded(OTHER, 16, changes={3: OTHER.replace(noise=0.2)})


@pytest.mark.parametrize(
    "view",
    [
        SHORT,
        SHORT.replace(layer="exact"),
        SHORT.replace(exact_midline=True),
        SHORT.replace(layer="basins"),
        SHORT.replace(decoder=True),
        SHORT.replace(flow="drift", particles=20),
        SHORT.replace(flow="walk-back", particles=20),
    ],
    ids=["field", "exact layer", "exact midline", "basins", "decoder", "drift", "walk-back"],
)  # fmt: skip
def test_the_field_beside_is_that_of_a_run_of_its_own(
    view: Settings, serve: Serve, run: Recorded, clock: Clock
) -> None:
    other, probe = Recorded(OTHER, 16, changes={3: OTHER.replace(noise=0.2)}), (0.5, 0.5)
    for epoch in (30, 20, 16, 1, 0):
        ask = m.Ask(1, view, beside=other.past(epoch, beside=True), grid=GRID, samples=1, probe=probe)
        other.pasts.forget()
        said, _ = serve(ask, by=run.trainer())
        (frame,) = frames(said)
        assert (frame.epoch, frame.settings) == (40, run.branch.settings)
        assert frame.field is not None and len(frame.field.noisy) == len(run.course.data.points)
        best = other.field(epoch, view, probe=probe)
        assert bits(frame.beside) == bits(best)
        assert (best.exact is not None) == view.shows_exact


def test_beside_as_well_the_nearest_comes_first(
    serve: Serve, run: Recorded, other: Recorded, clock: Clock
) -> None:
    clock.tick = SLOW
    other.pasts.forget()
    asks = [m.Ask(n, SHORT, run.past(20), beside=other.past(20, beside=True), grid=GRID) for n in range(1, 4)]
    said, window = serve(asks[0], 5, asks[1], 1_000, asks[2], 1, by=run.trainer())
    # Five pieces of the run's own replay of four epochs, and then the one beside it.
    assert kinds(said) == ["Geometry", "Frame", "Brought", "Frame", "Brought", "Frame"]
    found = [(frame.epoch, frame.beside.epoch) for frame in frames(said) if frame.beside is not None]
    assert found == [(16, 16), (20, 16), (20, 20)]
    assert bits(frames(said)[-1].beside) == bits(other.field(20, SHORT))
    assert window.waits[-1] is None


def test_what_is_beside_may_be_hidden_and_shown_again(
    serve: Serve, run: Recorded, other: Recorded, clock: Clock
) -> None:
    """Without being sent again, as who asks for it knows what has been sent."""
    other.pasts.forget()
    shown = [m.Ask(1, SHORT, beside=other.past(epoch, beside=True), grid=GRID) for epoch in (20, 20, 22)]
    assert [ask.beside and ask.beside.origin is None for ask in shown] == [False, True, True]
    said, _ = serve(shown[0], m.Ask(2, SHORT, grid=GRID), shown[1], shown[2], by=run.trainer())
    fields = [frame.beside for frame in frames(said)]
    assert [field and field.epoch for field in fields] == [20, None, 20, 22]
    assert bits(fields[2]) == bits(other.field(20, SHORT)) and bits(fields[3]) == bits(other.field(22, SHORT))


def test_hidden_it_is_not_gone_on_with(serve: Serve, run: Recorded, other: Recorded, clock: Clock) -> None:
    clock.tick = SLOW
    other.pasts.forget()
    shown = m.Ask(1, SHORT, beside=other.past(20, beside=True), grid=GRID)
    said, window = serve(shown, 1, m.Ask(2, SHORT, grid=GRID), 1_000, by=run.trainer())
    assert kinds(said) == ["Geometry", "Frame", "Frame"]
    assert window.waits == [None]


def test_another_course_takes_its_place(serve: Serve, run: Recorded, other: Recorded, clock: Clock) -> None:
    third = Recorded(SHORT.replace(seed=3, hidden=(4,)), 5)
    pasts = Pasts()
    asks = []
    for shown, epoch in ((other, 20), (third, 20), (third, 9), (other, 9)):
        shown.pasts = pasts
        asks.append(m.Ask(1, SHORT, beside=shown.past(epoch, beside=True), grid=GRID))
    assert [ask.beside is not None and ask.beside.origin is not None for ask in asks] == [
        True, True, False, True,
    ]  # fmt: skip
    said, _ = serve(*asks, by=run.trainer())
    best = [other.field(20, SHORT), third.field(20, SHORT), third.field(9, SHORT), other.field(9, SHORT)]
    assert [bits(frame.beside) for frame in frames(said)] == [bits(field) for field in best]


@pytest.mark.parametrize("whole", [False, True], ids=["on the screen", "for a file"])
def test_a_long_exact_field_beside_is_sketched_and_for_a_file_whole(
    whole: bool, serve: Serve, run: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_module, "SHORT", 20)
    view, other = SHORT.replace(layer="exact"), Recorded(OTHER, 16)

    def asks() -> Iterator[m.Ask]:
        for number in (1, 2):
            yield m.Ask(number, view, beside=other.past(20, beside=True), grid=GRID, whole=whole)

    said, _ = serve(*itertools.chain.from_iterable((ask, 1_000) for ask in asks()), by=run.trainer())
    found = [frame.beside.exact for frame in frames(said) if frame.beside is not None]
    assert [exact is not None and exact.sketch for exact in found] == [not whole, False]
    assert kinds(said).count("Brought") == (not whole)
    monkeypatch.setattr(exact_module, "SHORT", 1_500_000)
    assert bits(found[-1]) == bits(other.field(20, view).exact)


def test_the_time_for_what_is_beside_counts(
    serve: Serve, run: Recorded, other: Recorded, clock: Clock
) -> None:
    """By it the window paces its questions."""
    clock.tick = SLOW
    other.pasts.forget()
    ask = m.Ask(1, SHORT, beside=other.past(20, beside=True), grid=GRID)
    now = [0.0]
    beside = Sight.beside

    def slow(sight: Sight, ask: m.Ask) -> Field | None:
        now[0] += 0.5
        return beside(sight, ask)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sight_module, "time", SimpleNamespace(perf_counter=lambda: now[0]))
        patch.setattr(Sight, "beside", slow)
        said, _ = serve(ask, by=run.trainer())
    assert frames(said)[0].seconds == pytest.approx(0.5)


# Of another run


def test_a_question_about_a_run_that_is_over_gets_an_empty_answer(
    serve: Serve, run: Recorded, clock: Clock
) -> None:
    one, two = driver_of(1, SHORT), driver_of(2, SHORT)
    trainer = Trainer(one, two, two, two, two)
    asks = [m.Ask(number, SHORT, grid=GRID, measure=True, run=of) for number, of in ((1, 1), (2, 1), (3, 2))]
    over = m.Ask(4, SHORT, run.past(20), beside=run.past(3, beside=True), grid=GRID, whole=True, run=1)
    said, _ = serve(*asks, over, m.Ask(5, SHORT, grid=GRID), by=trainer)
    told = [(each.number, each.run, each.field is None, each.beside is None) for each in frames(said)]
    assert told == [
        (1, 1, False, True), (2, 1, True, True), (3, 2, False, True), (4, 1, True, True), (5, 2, False, True),
    ]  # fmt: skip
    judged = [message.run for message in said if isinstance(message, m.Judged)]
    assert judged == [1, 2]
    # What an empty answer says of the losses counts for nothing.
    assert [ask.losses for ask in trainer.asked] == [
        (0, 0, 0), (1, 0, 0), (1, 0, 0), (2, 0, 0), (2, 0, 0),
    ]  # fmt: skip
