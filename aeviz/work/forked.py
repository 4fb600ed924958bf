"""Processes that are watched and ended by who is not their parent: one of ours forks another one."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

_forks: bool | None = None  # not known yet


def can_fork() -> bool:
    """Whether a process can be forked here, and then be watched from another one than its parent.

    That is so on Linux from 5.3 on. On macOS, a library may have begun what a fork does not survive.
    """
    global _forks
    if _forks is None:
        try:
            Watched(os.getpid()).send_signal(0)
            _forks = True
        except (AttributeError, OSError):  # another system, an older kernel, or one that refuses it
            _forks = False
    return _forks


def fork_failed() -> None:
    """Note that it cannot be done here after all, as where memory must not be promised twice."""
    global _forks
    _forks = False


class Watched:
    """What of `multiprocessing.Process` can be said of a process with this id.

    Parameters
    ----------
    pid : int
        Which it is.
    child : SpawnProcess, optional
        The same where it is this process's own child, whose end `multiprocessing` sees only once those
        have ended, too, that were forked from it.

    Raises
    ------
    OSError
        Where there is none, or no more can be watched.
    """

    def __init__(self, pid: int, child: SpawnProcess | None = None) -> None:
        self.pid, self._child = pid, child
        self.sentinel = Connection(os.pidfd_open(pid), writable=False)  # which closes it when it goes
        self.told: int | None = None
        """The exit code as its parent told it."""

    @property
    def exitcode(self) -> int | None:
        """None as long as it is not known."""
        return self.told if self._child is None else self._child.exitcode

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return not wait([self.sentinel], timeout=0.0)

    def join(self, timeout: float) -> None:
        """Wait for its end, so many seconds at most."""
        wait([self.sentinel], timeout)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended meanwhile."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.sentinel.fileno(), number)
