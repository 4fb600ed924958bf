"""Runs whose windows are gone: each in a folder of its own, which a window that lives keeps locked."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from aeviz.core.history import MEGABYTE, History
from aeviz.core.records import CLOSED, MORE, heads, history_of

MOST_KILLED, MOST_CLOSED = 5, 3  # runs that were cut off, and that were closed, which are kept
JOURNAL, PICTURE = "journal", "picture.png"
_LOCK = "lock"  # the system drops it with the process, however that ends
_OURS = {JOURNAL, f"{JOURNAL}.new", PICTURE, _LOCK}
_FOLDER = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_MOST_PICTURE = 4 * MEGABYTE
_TRIES = 10  # to make a folder
_PATIENCE = 1.0  # seconds that is waited for another window, which looks only a moment


@dataclass(frozen=True)
class Left:
    """A run whose window is gone.

    Attributes
    ----------
    epoch : int
        The newest one of the branch that was trained.
    time : float
        When it was written last, in seconds since 1970.
    picture : bytes or None
        A PNG of it.
    closed : bool
        Whether its window was closed, or showed another run, and was not cut off.
    """

    folder: Path
    epoch: int
    time: float
    picture: bytes | None
    closed: bool

    def read(self) -> History:
        """Bring the run back.

        Raises
        ------
        PackError, OSError
            Where nothing of it can be read, it is gone, or another window has it.
        """
        lock = _locked(self.folder, _PATIENCE)
        if lock is None:
            raise OSError(f"{self.folder} is gone, or another window reads it")
        try:
            with (self.folder / JOURNAL).open("rb") as file:
                return history_of(file)
        finally:
            lock.release()

    def forget(self) -> None:
        """Remove the run, unless another window has it."""
        with contextlib.suppress(OSError):
            lock = _locked(self.folder, _PATIENCE)
            if lock is not None:
                remove(self.folder, lock)


def left_behind(folder: Path | None = None) -> list[Left]:
    """Return the runs whose windows are gone, newest first; what is too old or broken is removed.

    Of those that were closed the last `MOST_CLOSED` are kept, of those that were cut off `MOST_KILLED`.
    """
    left = _all_left(folder or users_runs())
    closed = [each for each in left if each.closed]
    killed = [each for each in left if not each.closed]
    surplus = closed[MOST_CLOSED:] + killed[MOST_KILLED:]
    for each in surplus:
        each.forget()
    return [each for each in left if each not in surplus]


def _all_left(runs: Path) -> list[Left]:
    try:
        folders = [each for each in runs.iterdir() if _FOLDER.fullmatch(each.name)]
    except OSError:
        return []
    left = (_looked_at(folder) for folder in folders)
    return sorted((each for each in left if each is not None), key=lambda each: each.time, reverse=True)


def _looked_at(folder: Path) -> Left | None:
    """What is in a folder; None where a window has it, or nothing is in it any more."""
    try:
        lock = _locked(folder)
    except OSError:
        return None
    if lock is None:
        return None
    kind, epoch, changed = b"", 0, 0.0
    try:
        with contextlib.suppress(FileNotFoundError), (folder / JOURNAL).open("rb") as file:
            changed = os.fstat(file.fileno()).st_mtime
            for is_what, _, current in heads(file):
                if is_what != MORE:
                    kind, epoch = is_what, current
        if not kind:  # it was ended within its first second
            remove(folder, lock)
            return None
        picture = None
        with contextlib.suppress(OSError), (folder / PICTURE).open("rb") as file:
            picture = file.read(_MOST_PICTURE)
        return Left(folder, epoch, changed, picture, kind == CLOSED)
    except OSError:
        return None
    finally:
        lock.release()


def users_runs() -> Path:
    """The folder of the user's runs."""
    return Path(platformdirs.user_state_dir("aeviz", appauthor=False)) / "runs"


def new_folder(runs: Path) -> tuple[Path, FileLock]:
    """A new run's folder, which is locked before anything is in it."""
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _ in range(_TRIES):
        folder = runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            lock = _locked(folder)
            if lock is not None:  # no other window took it for an empty one meanwhile
                sync_folder(runs)
                return folder, lock
    raise OSError("another program removes what is written there")


def _locked(folder: Path, within: float = 0.0) -> FileLock | None:
    """The lock of a run's folder; None where another has it, or where there is no such folder."""
    if not folder.is_dir():  # FileLock would make it
        return None
    lock = FileLock(folder / _LOCK, timeout=within, thread_local=False)
    try:
        lock.acquire(poll_interval=0.01)
    except Timeout:
        return None
    return lock


def remove(folder: Path, lock: FileLock) -> None:
    """Remove what a journal has made, the lock last: till then no other window looks into the folder."""
    if os.name == "nt":
        lock.release()  # an open file could not be removed
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir(), key=lambda path: path.name == _LOCK):
            if path.name in _OURS or path.name.startswith(f".{PICTURE}."):
                path.unlink(missing_ok=True)
        folder.rmdir()
    lock.release()


def sync_folder(folder: Path) -> None:
    """So that a power cut does not take the names of its files; not every system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
