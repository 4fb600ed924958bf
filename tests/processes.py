"""Which processes there are below another one, as the system sees it; none where it does not tell."""

from __future__ import annotations

import ctypes
import os
import select
import sys
from contextlib import suppress
from pathlib import Path

_SET_CHILD_SUBREAPER = 36  # prctl's number of it


def take_in_orphans() -> None:
    """Become the parent of all processes below this one whose own parent ends, so that they are seen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> set[int]:
    """The processes whose parent a process is."""
    found: set[int] = set()
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # that thread has ended
            found |= {int(child) for child in each.read_text().split()}
    return found


def descendants(pid: int) -> set[int]:
    """All processes below a process."""
    return {each for child in children(pid) for each in {child} | descendants(child)}


def working(pids: set[int]) -> set[int]:
    """Those that work: not the one in which Python tracks what processes share, nor one just born."""
    return {pid for pid in pids if b"spawn_main" in _command(pid)}


def workers() -> set[int]:
    """All processes below this one that live and work."""
    return working(descendants(os.getpid()))


def _command(pid: int) -> bytes:
    """The command of a process; empty where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def ended(pid: int, within: float) -> bool:
    """Wait until a process, of whatever parent, has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within)[0])
    finally:
        os.close(handle)
