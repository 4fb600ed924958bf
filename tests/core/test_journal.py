"""A run is written down as it happens, and comes back from its journal."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from journals import (
    START,
    Disk,
    Facts,
    as_file,
    course,
    data,
    events_of,
    facts,
    folder_of,
    frame,
    killed,
    losses,
    prefixes,
    read,
    snapshot,
    trimmed,
    write,
)

from aeviz.core import journal as journal_module
from aeviz.core import records
from aeviz.core.changes import Change
from aeviz.core.events import Begun, GoneTo, Kept, Told
from aeviz.core.history import History
from aeviz.core.journal import Journal, left_behind

# What is written comes back


@pytest.mark.parametrize("one_by_one", [False, True], ids=["at once", "one by one"])
def test_all_that_can_happen_comes_back(begin: Callable[..., Journal], one_by_one: bool) -> None:
    journal = begin()
    events = events_of()
    write(journal, events, one_by_one=one_by_one)
    left = killed(journal)
    assert {type(event) for event in events} == set(records._EVENTS.values())
    assert facts(left.read()) == prefixes(events)[-1]
    assert not left.closed and left.picture is None
    assert abs(left.time - time.time()) < 60.0


def test_the_epoch_of_what_is_left_is_the_current_one(begin: Callable[..., Journal], tmp_path: Path) -> None:
    journal, history = begin(), History()
    for index, event in enumerate(events_of()):
        history.apply(event)
        write(journal, [event])
        assert killed(journal, f"killed{index}").epoch == history.current.epoch
    journal.restart(snapshot(history))
    for number in (3, 1):
        history.go_to(number)
        write(journal, [GoneTo(number)])
        assert killed(journal, f"after{number}").epoch == history.current.epoch


OPS = st.sampled_from(["begin", "fork", "go", "rename", "remove", "keep", "note", "tell", "cut", "change"])


@given(ops=st.lists(st.tuples(OPS, st.integers(0, 9), st.booleans()), max_size=30))
@effort(max_examples=60)
def test_any_course_comes_back(ops: list[tuple[str, int, bool]], tmp_path_factory: Any) -> None:
    runs = tmp_path_factory.mktemp("any") / "runs"
    journal = Journal(runs)
    history = History(journal.write)
    history.begin(START, data())
    for op, number, is_flushed in ops:
        happen(history, op, number)
        if is_flushed:
            journal.flush()
    journal.close(forget=False)
    (left,) = left_behind(runs)
    assert left.closed and left.epoch == history.current.epoch
    assert facts(left.read()) == facts(trimmed(history))


def happen(history: History, op: str, number: int) -> None:
    some = [branch.number for branch in history][number % len(history)]
    current = history.current
    settings = START.replace(noise=number / 10.0)
    match op:
        case "begin":
            history.begin(settings, data(number))
        case "fork":
            history.fork(min(number, current.epoch), settings)
        case "go":
            history.go_to(some)
        case "rename":
            history.rename(some, f"{number} “∞”")
        case "remove":
            history.remove(some)
        case "keep":
            history.keep(frame(number, settings))
        case "note":
            history.note(number, settings)
        case "tell":
            start = max(0, current.epoch - number % 3)
            history.tell(start, losses(start, number))
        case "cut":
            history.cut(number)
        case "change":
            history.change(Change(current.settings, settings, some, current.epoch, 5.0 * number))


def test_losses_that_continue_one_another_are_one_record(begin: Callable[..., Journal]) -> None:
    journal = begin()
    history = History(journal.write)
    history.begin(START, data())
    for epoch in range(100):
        history.tell(epoch, losses(epoch, 1))
    history.tell(90, losses(7, 1))  # and this one does not
    left = killed(journal)
    with (left.folder / "journal").open("rb") as file:
        assert len(list(records.heads(file))) == 3
    assert facts(left.read()) == facts(history)


def test_a_branch_that_came_and_went_is_not_written(begin: Callable[..., Journal]) -> None:
    journal = begin()
    assert journal.flush()  # what comes now is written at once
    history = History(journal.write)
    for seed in range(20):  # each replaces the one before: a slider of the data is dragged
        history.begin(START.replace(seed=seed), data(seed, points=10_000))
        history.tell(0, losses(seed, 1))
    left = killed(journal)
    assert (left.folder / "journal").stat().st_size < 2.5 * 16 * 10_000
    assert facts(left.read()) == facts(history)


def test_a_branch_that_went_stays_where_another_one_came_of_it(begin: Callable[..., Journal]) -> None:
    journal = begin()
    history = History(journal.write)
    for _ in range(3):
        history.begin(START, data())
        history.tell(0, losses(0, 4))
        history.fork(2, START)
        history.remove(history.current.parent or 0)
    assert facts(killed(journal).read()) == facts(history)


def test_a_keyframe_whose_loss_did_not_arrive_is_none(begin: Callable[..., Journal]) -> None:
    journal = begin()
    write(journal, [Begun(1, START, data(), None, 0, 5.0), Kept(1, frame(4)), Told(1, 0, losses(0, 3))])
    history = killed(journal).read()
    assert history.current.epoch == 3
    assert not len(history.current.timeline)


def test_what_is_written_together_counts_together(begin: Callable[..., Journal], tmp_path: Path) -> None:
    journal = begin()
    history = History(journal.write)
    history.begin(START, data())
    journal.flush()
    before = facts(history)
    path = folder_of(journal) / "journal"
    size = path.stat().st_size
    history.tell(0, losses(0, 5))
    history.keep(frame(1))
    history.rename(1, "all of it")
    journal.flush()
    content = path.read_bytes()
    torn = killed(journal).folder
    os.truncate(torn / "journal", len(content) - 1)
    assert left_behind(torn.parent)[0].epoch == 0, "as much as can be read"
    for length in [*range(size, len(content), 13), len(content) - 1]:
        assert facts(read(as_file(tmp_path, content[:length]))) == before
    assert facts(read(as_file(tmp_path, content))) == facts(history)


def test_it_is_written_without_being_asked(
    begin: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "INTERVAL", 0.001)
    journal = begin()
    journal.flush()
    synced, fsync = threading.Event(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (fsync(file), synced.set()))
    journal.write(Begun(1, START, data(), None, 0, 5.0))
    assert synced.wait(10.0)
    assert len(killed(journal).read()) == 1


def test_drawn_points_before_and_after_are_not_too_long_to_be_read(begin: Callable[..., Journal]) -> None:
    drawn = tuple(np.random.default_rng(0).uniform(-1e9, 1e9, 4_000).tolist())
    old, new = (START.replace(data="drawn", drawn=points) for points in (drawn, drawn[::-1]))
    journal = begin()
    write(journal, [Begun(1, old, data(), None, 0, 5.0)])
    journal.write(records._EVENTS["Changed"](Change(old, new, 1, 0, 5.0)))
    assert next(iter(killed(journal).read().changes)).new == new


# Beginning a new file


def test_a_new_file_begins_with_all_that_was(begin: Callable[..., Journal]) -> None:
    journal = begin()
    history = course(journal.write)
    journal.restart(partial(snapshot, history.copy()))
    history.tell(6, losses(6, 3))
    history.rename(3, "after it")
    journal.flush()
    left = killed(journal)
    assert facts(left.read()) == facts(history)
    assert left.epoch == 9
    assert sorted(path.name for path in left.folder.iterdir()) == ["journal", "lock"]


def test_what_another_window_left_goes_when_it_is_written_here(begin: Callable[..., Journal]) -> None:
    first, second = begin(), begin()
    history = course(first.write)
    left, here = killed(first), folder_of(second) / "journal"
    seen: list[Facts] = []

    def forget() -> None:
        seen.append(facts(read(here)))
        left.forget()

    second.restart(snapshot(left.read()), forget)
    second.flush()
    assert seen == [facts(trimmed(history))]
    assert not left.folder.exists()


@pytest.mark.parametrize("at", range(6))
def test_a_new_file_that_cannot_be_written_leaves_the_old_one_whole(
    begin: Callable[..., Journal], disk: Disk, at: int
) -> None:
    told: list[str] = []
    journal = begin(tell=told.append)
    history = course(journal.write)
    journal.flush()
    disk.left = at
    gone: list[int] = []
    journal.restart(snapshot(history), lambda: gone.append(1))
    journal.flush()
    disk.left = float("inf")
    history.rename(1, "not any more")
    left = killed(journal)
    assert len(told) == 1 and not gone
    assert facts(left.read())[0] == 1 and left.read()[1].name == "the first – ŷ"
    assert sorted(path.name for path in left.folder.iterdir()) == ["journal", "lock"], (
        "room on the disk is free again"
    )
    journal.restart(snapshot(history))
    history.rename(1, "now again")
    assert journal.flush()
    assert killed(journal, "again").read()[1].name == "now again"


def test_a_snapshot_that_cannot_be_read_replaces_nothing(begin: Callable[..., Journal]) -> None:
    told: list[str] = []
    journal = begin(tell=told.append)
    history = course(journal.write)

    def fail() -> bytes:
        raise MemoryError

    for broken in (snapshot(history)[:-1], fail):
        journal.restart(broken)
        assert not journal.flush()
    assert len(told) == 1 and "MemoryError" not in told[0]
    assert facts(killed(journal).read()) == facts(trimmed(history))


def test_it_is_long_beyond_its_limit_and_not_again_at_once(begin: Callable[..., Journal]) -> None:
    journal = begin()
    journal.limit = 50_000
    history = History(journal.write)
    history.begin(START, data())

    def more() -> None:
        history.tell(history.current.epoch, losses(0, 500))  # 4 kB
        journal.flush()

    for _ in range(10):
        assert not journal.is_long
        more()
    for _ in range(10):
        more()
    assert journal.is_long
    journal.restart(snapshot(history))
    assert not journal.is_long, "it was seen"
    journal.flush()
    assert not journal.is_long
    size = (folder_of(journal) / "journal").stat().st_size
    assert size > journal.limit
    while not journal.is_long:
        more()
    assert 2 * size < (folder_of(journal) / "journal").stat().st_size < 2 * size + 5_000
