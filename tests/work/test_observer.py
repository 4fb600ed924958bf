"""The observer's loop, between pipes that the test holds: what it does unasked, and in which order."""

from __future__ import annotations

import math
from typing import Any

import pytest
from served import VIEW, Serve, Trainer, driver_of, kinds
from talk import GRID, SMALL

from aeviz.core.truth import Denoiser
from aeviz.work import exact as exact_module
from aeviz.work import messages as m
from aeviz.work import observer as observer_module
from aeviz.work.exact import RESTS

ASK = m.Ask(1, VIEW, grid=GRID)
CELLS = GRID.shape[0] * GRID.shape[1]


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every field is a long one; how many places each step of the exact denoiser took, so far."""
    monkeypatch.setattr(exact_module, "SHORT", 20)
    taken: list[int] = []
    block = Denoiser._block

    def counted(denoiser: Denoiser, x: Any) -> Any:
        if len(denoiser.data) == VIEW.points:  # a sketch knows fewer
            taken.append(len(x))
        return block(denoiser, x)

    monkeypatch.setattr(Denoiser, "_block", counted)
    return taken


def test_work_is_begun_once_nothing_new_was_wanted_for_a_while(serve: Serve, blocks: list[int]) -> None:
    said, window = serve(ASK)
    assert kinds(said) == ["Geometry", "Exact", "Frame"]
    assert (window.waits, blocks) == ([], [])  # what is asked already is answered first
    said, window = serve(ASK, 1)
    assert window.waits == [pytest.approx(RESTS, abs=1e-9)]  # of a clock that stands at 50
    assert blocks == []


@pytest.mark.parametrize("looks", [3, 7, CELLS])
def test_between_any_two_steps_the_window_is_looked_at_and_answered(
    looks: int, serve: Serve, blocks: list[int]
) -> None:
    # One look to see that nothing is there, one that rests, then one after each step.
    said, _ = serve(ASK, 2 + looks, ASK, ASK)
    assert kinds(said) == ["Geometry", "Exact", "Frame", "Frame", "Frame"]
    assert blocks == [1] * looks


def test_the_whole_is_told_unasked_and_then_it_rests_for_ever(serve: Serve, blocks: list[int]) -> None:
    said, window = serve(ASK, 1_000, ASK)
    assert kinds(said) == ["Geometry", "Exact", "Frame", "Exact", "Frame"]
    assert [message.field.sketch for message in said if isinstance(message, m.Exact)] == [True, False]
    assert len(blocks) == CELLS
    assert window.waits == [pytest.approx(RESTS, abs=1e-9), None]


def test_the_field_is_worked_out_before_the_reference(serve: Serve, blocks: list[int]) -> None:
    said, _ = serve(m.Ask(1, VIEW, grid=GRID, measure=True), 100_000)
    assert kinds(said) == ["Geometry", "Exact", "Frame", "Judged", "Exact", "Judged"]
    assert [message.quality.sketch for message in said if isinstance(message, m.Judged)] == [True, False]


def test_where_there_is_no_run_nothing_is_answered(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "recv", lambda _: None)
    said, window = serve(ASK, m.AskMetrics(), 1, ASK)
    assert (said, window.waits) == ([], [None])


def test_the_data_of_each_run_are_sent_once(serve: Serve) -> None:
    one, other, again = (driver_of(run, SMALL) for run in (1, 2, 3))
    trainer = Trainer(*[one] * 4, *[other] * 3, again)
    (kept,) = one.record
    assert isinstance(kept, m.Kept)
    past = m.Ask(2, SMALL, m.Past((0, 1), 0, kept.keyframe, ()), grid=GRID)
    ask, metrics = m.Ask(1, SMALL, grid=GRID, measure=True), m.AskMetrics()
    said, _ = serve(ask, past, metrics, ask, metrics, ask, past, ask, ask, by=trainer)
    assert "Failed" not in kinds(said)
    assert [state.run for state in trainer.told] == [1, 1, 1, 1, 2, 2, 2, 3, 3]
    assert [ask.run for ask in trainer.asked] == [0, 1, 1, 1, 1, 2, 2, 2, 3]
    sent = [state.run for state in trainer.told if state.data is not None]
    assert sent == [1, 2, 3]
    assert trainer.told[0].data is one.data and trainer.told[4].data is other.data


def test_data_that_came_to_nothing_are_sent_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, sight = Trainer(driver_of(1, SMALL)), observer_module.Sight
    tries = []

    def fails_once(run: int, origin: m.Origin) -> Any:
        tries.append(run)
        if len(tries) == 1:
            raise MemoryError("no memory")
        return sight(run, origin)

    monkeypatch.setattr(observer_module, "Sight", fails_once)
    said, _ = serve(*[m.Ask(1, SMALL, grid=GRID)] * 3, by=trainer)
    assert kinds(said) == ["Failed", "Geometry", "Frame", "Frame"]
    assert [state.data is not None for state in trainer.told] == [True, True, False]


def test_a_question_waits_until_it_is_due_and_work_goes_on_meanwhile(serve: Serve, blocks: list[int]) -> None:
    later = m.Ask(2, VIEW, grid=GRID, due=50.0 + 4.0 * RESTS)
    said, window = serve(ASK, later, 100_000)
    assert kinds(said) == ["Geometry", "Exact", "Frame", "Exact", "Frame"]
    assert len(blocks) == CELLS
    # It rests, works, and then there is nothing to do but to wait for the rest of the time.
    assert window.waits[:2] == [pytest.approx(RESTS, abs=1e-9), pytest.approx(3.0 * RESTS, abs=1e-9)]


def test_a_question_that_is_not_due_is_answered_at_once_when_more_is_asked(
    serve: Serve, blocks: list[int]
) -> None:
    never = m.Ask(2, VIEW, grid=GRID, due=math.inf)
    said, window = serve(never, m.Ask(3, VIEW, grid=GRID))
    assert [message.number for message in said if isinstance(message, m.Frame)] == [2, 3]
    assert (window.waits, blocks) == ([], [])


def test_a_file_of_many_points_holds_up_no_frame_that_is_asked_for_meanwhile(
    serve: Serve, blocks: list[int]
) -> None:
    file, later, last = (m.Ask(number, SMALL, grid=GRID, whole=number == 1) for number in (1, 2, 3))
    said, _ = serve(file, 3, later, 4, last, 1_000)
    assert kinds(said) == ["Geometry", "Frame", "Frame", "Frame"]
    frames = [message for message in said if isinstance(message, m.Frame)]
    assert [frame.number for frame in frames] == [2, 3, 1]
    exact = [frame.field.exact for frame in frames if frame.field is not None]
    assert exact[:2] == [None, None]
    assert exact[2] is not None and not exact[2].sketch
    assert len(blocks) == CELLS  # no step is done twice
    said, _ = serve(file, later)  # both there from the first look on
    assert [message.number for message in said if isinstance(message, m.Frame)] == [2]


def test_files_come_in_the_order_in_which_they_are_asked_for(serve: Serve, blocks: list[int]) -> None:
    said, _ = serve(*(m.Ask(number, SMALL, grid=GRID, whole=True) for number in (1, 2)), 1_000)
    assert [message.number for message in said if isinstance(message, m.Frame)] == [1, 2]


def test_an_error_in_the_work_for_a_file_is_told_and_the_next_file_comes(
    serve: Serve, blocks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = Denoiser._block

    def fails_once(denoiser: Denoiser, x: Any) -> Any:
        if len(blocks) == 5:
            blocks.append(0)
            raise MemoryError("no memory")
        return block(denoiser, x)

    monkeypatch.setattr(Denoiser, "_block", fails_once)
    said, _ = serve(*(m.Ask(number, SMALL, grid=GRID, whole=True) for number in (1, 2)), 1_000)
    assert kinds(said) == ["Geometry", "Failed", "Frame"]
    assert isinstance(said[-1], m.Frame) and said[-1].number == 2


def test_an_error_in_a_short_field_is_told_once_and_frames_go_on_without_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    monkeypatch.setattr(Denoiser, "_block", lambda *_: tried.append(1) or 1 / 0)
    said, _ = serve(ASK, ASK, 10, ASK)
    assert kinds(said) == ["Geometry", "Failed", "Frame", "Frame"]
    assert len(tried) == 1


def test_an_error_in_the_work_is_told_once_and_what_was_asked_is_still_answered(
    serve: Serve, blocks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = Denoiser._block

    def fails(denoiser: Denoiser, x: Any) -> Any:
        if len(denoiser.data) == VIEW.points and len(blocks) == 5:
            raise MemoryError("no memory")
        return block(denoiser, x)

    monkeypatch.setattr(Denoiser, "_block", fails)
    said, _ = serve(ASK, 1_000, m.Ask(2, SMALL, grid=GRID), 1_000)
    assert kinds(said) == ["Geometry", "Exact", "Frame", "Failed", "Frame"]
    (failed,) = (message for message in said if isinstance(message, m.Failed))
    assert "MemoryError: no memory" in failed.report
    assert (failed.over, failed.run) == (False, 1)
