"""A window's run, written down while it happens: what a crash or a power cut ends comes back."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from aeviz.core.events import Begun, Cut, Event, GoneTo, Told
from aeviz.core.files import FileError, write_whole
from aeviz.core.history import MEGABYTE
from aeviz.core.left_runs import (
    JOURNAL,
    PICTURE,
    Left,
    left_behind,
    new_folder,
    remove,
    sync_folder,
    users_runs,
)
from aeviz.core.records import CLOSED, SNAPSHOT, weight, write_events, write_record
from aeviz.core.run_file import run_of

__all__ = ["Journal", "Left", "left_behind"]

INTERVAL = 1.0  # seconds between two writings: so much of a run may be lost
_PATIENCE = 2.0  # seconds that closing waits for a disk
_MOST_WAITING = 256 * MEGABYTE  # of events that the disk does not take


class Journal:
    """Writes down all that happens to a history, in a thread of its own.

    All methods return at once and raise nothing. Arrays of events must not change afterwards. On disk there
    is never more than the larger of `limit` and twice the snapshot it began with, what came until the owner
    saw that it `is_long`, and the next snapshot while that is written.

    Parameters
    ----------
    folder : Path, optional
        Of all runs; else the user's.
    tell : callable
        Given one line, once, by the writing thread, when the journal cannot be written. It then rests until
        `restart`; what was written before can be read.
    """

    def __init__(self, folder: Path | None = None, tell: Callable[[str], object] = lambda line: None) -> None:
        self.limit = 256 * MEGABYTE
        """Bytes of the file beyond which it is long."""
        self._runs, self._tell = folder or users_runs(), tell
        self._folder: Path | None = None
        self._lock: FileLock | None = None
        self._file = -1  # none: nothing can be written
        self._size = self._least = 0
        self._current, self._epochs = 0, dict[int, int]()
        self._has_told = self._is_over = self._is_closed = self._is_late = False
        self._restarts = 0  # that are still to come
        self._waiting: list[Event | Callable[[], object]] = []
        self._weight = 0
        self._guard, self._wake = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="aeviz-journal", daemon=True)
        self.restart(None)
        self._thread.start()

    @property
    def is_long(self) -> bool:
        """Whether it is time for `restart` with a snapshot."""
        is_open = self._file >= 0 and not self._restarts
        return is_open and self._size > max(self.limit, 2 * self._least)

    @property
    def rests(self) -> bool:
        """Whether nothing can be written until `restart`."""
        return self._file < 0 and not self._restarts

    def write(self, event: Event) -> None:
        """Write an event down, within a second."""
        if self._is_closed or self._is_late:
            return
        with self._guard:
            self._waiting.append(event)
            self._weight += weight(event)
            self._is_late = self._weight > _MOST_WAITING
        if self._is_late:  # what comes next would have a gap before it
            self._put(partial(self._fail, TimeoutError("the disk is too slow")))

    def restart(
        self, snapshot: Callable[[], bytes] | bytes | None, then: Callable[[], object] | None = None
    ) -> None:
        """Begin a new file, with all that has happened till now; until that is on disk, the old one stays.

        Parameters
        ----------
        snapshot : bytes of a run file, or callable that returns them
            Called by the writing thread: what it reads must not change any more. None is an empty history.
        then : callable, optional
            Called by the writing thread when the new file is on disk: what it replaces may then go.
        """
        with self._guard:
            self._restarts += 1
        self._is_late = False
        self._put(partial(self._begin, snapshot, then))

    def put_picture(self, png: bytes) -> None:
        """Put a picture of the run beside its journal, in the place of an older one."""
        self._put(partial(self._draw, png))

    def flush(self, within: float = 10.0) -> bool:
        """Wait until all that came is on disk; False where it is not."""
        done = threading.Event()
        self._put(done.set)
        return not self._is_closed and done.wait(within) and self._file >= 0

    def leave(self) -> None:
        """The run that is written down ends here, as one that was closed; another begins with `restart`."""
        self._put(self._leave)

    def close(self, *, forget: bool) -> None:
        """End: within two seconds, even where a disk hangs.

        Parameters
        ----------
        forget : bool
            Whether the run is removed. Else it is one that was closed, of which the last few are kept.
        """
        if not self._is_closed:
            self._put(partial(self._end, forget))
            self._is_closed = True
        self._thread.join(_PATIENCE)

    def _put(self, task: Callable[[], object]) -> None:
        with self._guard:
            if not self._is_closed:
                self._waiting.append(task)
        self._wake.set()

    # In the writing thread

    def _work(self) -> None:
        while not self._is_over:
            with self._guard:
                came, self._waiting, self._weight = self._waiting, [], 0
            for are_tasks, group in itertools.groupby(came, callable):
                some: list[Any] = list(group)
                for task in some if are_tasks else [partial(self._append, some)]:
                    try:
                        task()
                    except Exception as error:  # whatever it is, training goes on
                        self._fail(error)
            if not self._is_over:
                self._wake.wait(INTERVAL)
                self._wake.clear()

    def _fail(self, error: Exception) -> None:
        self._shut()
        if not self._has_told:
            self._has_told = True
            cause = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
            where = self._folder or self._runs
            with contextlib.suppress(Exception):  # the window may be gone
                self._tell(f"What is trained from now on is lost in a crash: cannot write {where}: {cause}.")

    def _shut(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)

    def _append(self, events: list[Event]) -> None:
        if self._file < 0:
            return
        for event in events:
            self._follow(event)
        self._size += write_events(self._file, events, self._epoch)
        os.fsync(self._file)

    @property
    def _epoch(self) -> int:
        return self._epochs.get(self._current, 0)

    def _follow(self, event: Event) -> None:
        match event:
            case Begun():
                self._current, self._epochs[event.branch] = event.branch, event.since
            case GoneTo():
                self._current = event.branch
            case Told():
                self._epochs[event.branch] = event.start + len(event.losses)
            case Cut():
                self._epochs[event.branch] = min(event.epoch, self._epochs.get(event.branch, event.epoch))

    def _begin(self, snapshot: Callable[[], bytes] | bytes | None, then: Callable[[], object] | None) -> None:
        try:
            if self._folder is None:
                self._folder, self._lock = new_folder(self._runs)
            content = snapshot() if callable(snapshot) else snapshot
            self._current, self._epochs = 0, {}
            if content is not None:  # what cannot be read must not replace what can
                history = run_of(content).history
                self._current = history.current.number
                self._epochs = {branch.number: branch.epoch for branch in history}
            self._replace(self._folder, content)
            self._has_told = False
        finally:
            with self._guard:
                self._restarts -= 1
        if then is not None:
            then()

    def _replace(self, folder: Path, snapshot: bytes | None) -> None:
        path, new = folder / JOURNAL, folder / f"{JOURNAL}.new"
        flags = os.O_WRONLY | getattr(os, "O_BINARY", 0)
        try:
            file = os.open(new, flags | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                if snapshot is not None:
                    write_record(file, SNAPSHOT, self._epoch, snapshot)
                os.fsync(file)
                size = os.fstat(file).st_size
            finally:
                os.close(file)
            self._shut()  # an open file is not replaced by Windows
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)  # the disk may be full
            raise
        sync_folder(folder)
        self._file, self._size, self._least = os.open(path, flags | os.O_APPEND), size, size

    def _draw(self, png: bytes) -> None:
        if self._folder is not None:
            with contextlib.suppress(FileError):  # it is an ornament
                write_whole(self._folder / PICTURE, png)

    def _leave(self) -> None:
        """End the file; where nothing is in it, it is used again."""
        if self._folder is None or self._lock is None or not self._size:
            return
        try:
            if self._file >= 0:
                write_record(self._file, CLOSED, self._epoch, b"")
                os.fsync(self._file)
        finally:
            self._shut()
            self._lock.release()
            self._folder, self._lock, self._size = None, None, 0

    def _end(self, forget: bool) -> None:
        try:
            if forget or not self._size:
                self._shut()
                if self._folder is not None and self._lock is not None:
                    remove(self._folder, self._lock)
            else:
                self._leave()
                left_behind(self._runs)  # older ones go
        finally:
            self._is_over = True
            self._shut()
            if self._lock is not None:
                self._lock.release()
