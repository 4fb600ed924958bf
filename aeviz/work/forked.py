"""A process that one of ours has forked, watched and ended by who did not start it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, wait


def can_fork() -> bool:
    """Whether a process can be forked here, and then be watched from another one than its parent.

    That is so on Linux from 5.3 on. On macOS, a library may have begun what a fork does not survive.
    """
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class Forked:
    """What of `multiprocessing.Process` can be said of a process with this id.

    Attributes
    ----------
    exitcode : int or None
        As its parent will tell.

    Raises
    ------
    ProcessLookupError
        Where there is none.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.sentinel = Connection(os.pidfd_open(pid), writable=False)  # which closes it when it goes
        self.exitcode: int | None = None

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return not wait([self.sentinel], timeout=0.0)

    def join(self, timeout: float) -> None:
        """Wait for its end, so many seconds at most."""
        wait([self.sentinel], timeout)

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it has ended meanwhile
            signal.pidfd_send_signal(self.sentinel.fileno(), number)
