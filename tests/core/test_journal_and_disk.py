"""Whatever the disk does, training goes on, and what was written stays."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journals import (
    ENVIRONMENT,
    START,
    WIDE,
    Disk,
    course,
    data,
    events_of,
    facts,
    folder_of,
    frame,
    killed,
    losses,
    prefixes,
    snapshot,
    trimmed,
    write,
)

from aeviz.core import journal as journal_module
from aeviz.core.events import Begun, GoneTo
from aeviz.core.history import History
from aeviz.core.journal import Journal, left_behind

CAUSES = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS]


@pytest.mark.parametrize("at", range(0, 40, 3))
@pytest.mark.parametrize("cause", CAUSES, ids=errno.errorcode.get)
def test_a_disk_that_fails_is_told_once_and_what_was_written_stays(
    begin: Callable[..., Journal], disk: Disk, at: int, cause: int
) -> None:
    told: list[str] = []
    journal = begin(tell=told.append)
    events = events_of()
    write(journal, events[:2], one_by_one=True)
    before, disk.left, disk.cause = len(disk.done), at, cause
    for event in events[2:] * 2:  # a disk of that size does not take so many
        journal.write(event)
        journal.flush()
    assert len(told) == 1
    assert os.strerror(cause) in told[0] and str(folder_of(journal)) in told[0]
    assert len(told[0].splitlines()) == 1 and told[0].endswith(".")
    assert not journal.flush() and not journal.is_long
    disk.left = float("inf")
    journal.write(events[-1])  # not again on its own: there would be a gap
    synced = 2 + disk.done[before:].count("fsync")
    assert facts(killed(journal).read()) in prefixes(events)[synced : synced + 2]
    assert len(told) == 1
    journal.restart(snapshot(course()))
    assert journal.flush()
    disk.left = 0
    write_some(journal)
    assert len(told) == 2, "it had been mended meanwhile"


def test_what_is_flushed_is_synced_and_what_is_renamed_is_too(
    begin: Callable[..., Journal], disk: Disk
) -> None:
    journal = begin()
    write(journal, events_of()[:1])
    assert disk.done[-3:] == ["write", "write", "fsync"]
    journal.restart(snapshot(course()))
    journal.flush()
    renaming = [
        "open",
        "write",
        "write",
        "fsync",
        "replace",
        "open",
        "fsync",
        "open",
    ]  # the folder's names too
    assert disk.done[-8:] == renaming
    journal.close(forget=False)
    assert disk.done[-2:] == ["write", "fsync"]


@pytest.mark.parametrize("at", range(4))
def test_a_disk_that_fails_from_the_start_is_told_once(
    begin: Callable[..., Journal], disk: Disk, at: int
) -> None:
    told: list[str] = []
    disk.left = at
    journal = begin(tell=told.append)
    write_some(journal)
    assert len(told) == 1 and os.strerror(errno.ENOSPC) in told[0]


def write_some(journal: Journal) -> None:
    for event in events_of():
        journal.write(event)
    journal.flush()


@pytest.mark.parametrize("what", ["runs", "state"])
def test_a_folder_that_is_a_file_is_told_once(begin: Callable[..., Journal], runs: Path, what: str) -> None:
    file = runs if what == "runs" else runs.parent
    file.parent.mkdir(exist_ok=True)
    file.write_text("no folder")
    told: list[str] = []
    journal = begin(tell=told.append)
    write_some(journal)
    journal.put_picture(b"png")
    assert not journal.flush()
    assert len(told) == 1 and str(runs) in told[0]
    assert file.read_text() == "no folder"
    assert left_behind(runs) == []
    file.unlink()
    journal.restart(snapshot(course()))
    assert journal.flush()
    assert len(killed(journal).read()) == 2


def test_no_window_to_tell_is_no_harm(begin: Callable[..., Journal], disk: Disk) -> None:
    def tell(_line: str) -> None:
        raise RuntimeError("wrapped C/C++ object has been deleted")

    journal = begin(tell=tell)
    disk.left = 0
    write_some(journal)
    disk.left = float("inf")
    journal.restart(snapshot(course()))
    assert journal.flush()


def test_an_event_that_cannot_be_written_is_told_too(begin: Callable[..., Journal]) -> None:
    told: list[str] = []
    journal = begin(tell=told.append)
    write(journal, [Begun(1, START, data(), None, 0, 5.0)])
    journal.write(Begun(2, START, data(), None, 0, float("nan")))
    assert not journal.flush()
    assert len(told) == 1
    assert len(killed(journal).read()) == 1


def test_a_disk_that_takes_little_at_once_takes_it_all(
    begin: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    os_write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: os_write(file, content[:7]))
    journal = begin()
    write(journal, events_of())
    journal.restart(snapshot(history := course()))
    write(journal, [GoneTo(1)])
    assert facts(killed(journal).read()) == facts(trimmed(history))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the size of files")
def test_a_real_limit_in_mid_record(start: Callable[..., Any], runs: Path) -> None:
    code, told, err = start("-c", LIMITED, str(runs), env=ENVIRONMENT).end()
    assert (code, err) == (0, "")
    assert "File too large" in told and len(told.splitlines()) == 1
    (left,) = left_behind(runs)
    assert left.folder.joinpath("journal").stat().st_size == 1_000_000, "it is full to the last byte"
    assert left.read().current.epoch == left.epoch > 10


LIMITED = """
import resource, sys
from pathlib import Path
from journals import WIDE, data, frame, losses
from aeviz.core.history import History
from aeviz.core.journal import Journal

resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
told = []
journal = Journal(Path(sys.argv[1]), tell=told.append)
history = History(journal.write)
history.begin(WIDE, data())
for epoch in range(200):
    history.keep(frame(epoch, WIDE))
    history.tell(epoch, losses(epoch, 1))
    journal.flush()
journal.close(forget=False)
print(*told, sep="\\n")
"""


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that hangs until this is set."""
    goes_on, fsync = threading.Event(), os.fsync

    def hang(file: int) -> None:
        goes_on.wait()
        fsync(file)

    monkeypatch.setattr(os, "fsync", hang)
    monkeypatch.setattr(journal_module, "_PATIENCE", 0.01)
    yield goes_on
    goes_on.set()


def test_a_disk_that_hangs_holds_nobody_up(begin: Callable[..., Journal], hanging: threading.Event) -> None:
    journal = begin()
    began = time.perf_counter()
    for event in events_of():
        journal.write(event)
    journal.put_picture(b"png")
    journal.restart(None)
    assert not journal.flush(0.01)
    journal.close(forget=False)
    assert time.perf_counter() - began < 2.0
    hanging.set()


def test_a_disk_that_is_too_slow_ends_the_journal_before_the_memory_does(
    begin: Callable[..., Journal], hanging: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_MOST_WAITING", 500_000)
    told: list[str] = []
    journal = begin(tell=told.append)
    history = History(journal.write)
    history.begin(WIDE, data())
    for epoch in range(100):
        history.keep(frame(epoch, WIDE))
        history.tell(epoch, losses(epoch, 1))
    assert journal._weight < 600_000
    hanging.set()
    assert not journal.flush()
    assert len(told) == 1 and "too slow" in told[0]
    assert 0 < killed(journal).read().current.epoch < 100
    journal.restart(snapshot(history))
    history.tell(100, losses(100, 1))
    assert journal.flush()
    assert killed(journal, "again").read().current.epoch == 101
