"""Which processes there are below another one, as the system sees it."""

from __future__ import annotations

from pathlib import Path


def descendants(pid: int) -> set[int]:
    """All processes below a process."""
    lists = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")]
    children = {int(child) for each in lists for child in each.split()}
    return {each for child in children for each in {child} | descendants(child)}


def workers(pid: int) -> set[int]:
    """Those that work: all but the one in which Python tracks what processes share."""
    return {each for each in descendants(pid) if b"resource_tracker" not in _command(each)}


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # it has ended
        return b""
