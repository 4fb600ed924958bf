"""Courses of training, journals of them, and a disk that fails."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aeviz.core import journal as journal_module
from aeviz.core import records
from aeviz.core.changes import Change
from aeviz.core.clean_data import CleanData
from aeviz.core.events import Event
from aeviz.core.history import History
from aeviz.core.journal import Journal, Left, left_behind
from aeviz.core.keyframe_stacks import network_size
from aeviz.core.run_file import SavedRun, run_bytes
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe

ROOT = Path(__file__).parents[2]
START = Settings(hidden=(), code=1)
WIDE = Settings()  # a keyframe takes 72 kB
NEVER = 1e6  # seconds: what is written is written because a test says so
Facts = tuple[Any, ...]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "core")))}


@contextlib.contextmanager
def begun(runs: Path) -> Iterator[Callable[..., Journal]]:
    """Gives what begins journals, which end with it; they write when they are asked to."""
    journals: list[Journal] = []

    def begin(folder: Path | None = runs, **options: Any) -> Journal:
        journals.append(Journal(folder, **options))
        return journals[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "INTERVAL", NEVER)
        yield begin
        for journal in journals:
            journal.close(forget=True)


def data(seed: int = 0, points: int = 3) -> CleanData:
    values = np.random.default_rng(seed).random((points, 2))
    return CleanData(
        values, (values[:2], values[1:]), True, 0.25, np.array([2.0, 3.0]), np.zeros(2), "a note"
    )


def frame(epoch: int, settings: Settings = START) -> Keyframe:
    each, one = np.full(network_size(settings), epoch, np.float32), np.array(epoch)
    state: dict[str, Any] = dict.fromkeys(("parameters", "average", "mean", "square"), each)
    state |= {"taken": one, "since": one, "loss": np.array(0.5), "regulariser": np.array(0.0)}
    return Keyframe(epoch, settings, state | {"count": np.float32(epoch), "target": np.array([0.25])})


def losses(start: int, count: int) -> np.ndarray:
    return np.arange(2 * start, 2 * (start + count), dtype=np.float32).reshape(-1, 2)


def facts(history: History) -> Facts:
    """All that a history is, so that two of them can be compared."""
    branches = [
        (
            *(getattr(b, name) for name in ("number", "origin", "parent", "since", "begun", "name", "named")),
            b.losses.tolist(),
            b.timeline.changes,
            [(f.epoch, f.settings, {n: a.tolist() for n, a in f.state.items()}) for f in b.timeline],
            {n: np.asarray(v).tolist() for n, v in vars(b.data).items() if n not in ("curve", "positions")},
            [piece.tolist() for piece in b.data.curve],
        )
        for b in history
    ]
    return history.current.number if branches else None, branches, list(history.changes)


def course(listen: Callable[[Event], object] | None = None) -> History:
    """A history to which everything has happened that can."""
    history = History(listen)
    history.begin(START, data())
    history.keep(frame(0))
    history.tell(0, losses(0, 6))
    history.keep(frame(4))
    noisy = START.replace(noise=0.4)
    history.note(5, noisy)
    history.change(Change(START, noisy, 1, 5, 1_000.5, "do", "More noise"))
    history.rename(1, "the first – ŷ")
    history.fork(4, noisy)
    history.tell(4, losses(40, 3))
    history.change(Change(noisy, START, 2, 7, 1_002.0, "undo"))
    history.begin(START.replace(seed=7), data(1))  # what the fork was, goes: it was begun just now
    history.tell(0, losses(70, 2))
    history.cut(1)
    history.go_to(1)
    return history


def events_of(make: Callable[[Callable[[Event], object]], object] = course) -> list[Event]:
    events: list[Event] = []
    make(events.append)
    return events


def prefixes(events: list[Event]) -> list[Facts]:
    """What history there is after so many events."""
    history, after = History(), []
    for event in [None, *events]:
        if event is not None:
            history.apply(event)
        after.append(facts(trimmed(history)))
    return after


def trimmed(history: History) -> History:
    """Without keyframes and changes of epochs whose losses were not told yet."""
    copied = history.copy()
    for branch in copied:
        branch.cut(branch.epoch)
    return copied


def write(journal: Journal, events: list[Event], *, one_by_one: bool = False) -> None:
    for event in events:
        journal.write(event)
        if one_by_one:
            assert journal.flush()
    assert journal.flush()


def folder_of(journal: Journal) -> Path:
    journal.flush()
    assert journal._folder is not None
    return journal._folder


def killed(journal: Journal, beside: str = "killed") -> Left:
    """What there would be, were its process killed now."""
    folder = folder_of(journal)
    runs = folder.parents[1] / beside
    shutil.copytree(folder, runs / folder.name, ignore=shutil.ignore_patterns("lock"))
    (left,) = left_behind(runs)
    return left


def as_file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a journal"
    path.write_bytes(content)
    return path


def read(path: Path) -> History:
    with path.open("rb") as file:
        return records.history_of(file)


def snapshot(history: History) -> bytes:
    return run_bytes(SavedRun(history, START, None, {}))


class Disk:
    """Fails, once it is told to, at one of its works and then at all of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: float = float("inf")
        self.cause = errno.ENOSPC
        self.done: list[str] = []
        for name in ("open", "write", "fsync"):
            monkeypatch.setattr(os, name, partial(self._work, name, getattr(os, name)))
        replace = Path.replace
        monkeypatch.setattr(Path, "replace", lambda *args: self._work("replace", replace, *args))

    def _work(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        if threading.current_thread().name != "aeviz-journal" or (
            name == "open" and "lock" in str(arguments[0])
        ):
            return work(*arguments)
        self.left -= 1
        if self.left < 0:
            if name == "write":  # the disk takes half of it
                work(arguments[0], arguments[1][: len(arguments[1]) // 2])
            raise OSError(self.cause, os.strerror(self.cause))
        self.done.append(name)
        return work(*arguments)


def folder_of_thread(journal: Journal) -> Path:
    assert journal._folder is not None
    return journal._folder
