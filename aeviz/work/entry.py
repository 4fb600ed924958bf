"""Where the worker process begins; light to import, because the window's process imports it too."""

from __future__ import annotations

import contextlib
import signal
from multiprocessing.connection import Connection


def main(connection: Connection) -> None:
    """Serve the window until it says `Stop` or its end of the pipe closes."""
    # Ctrl-C in a terminal reaches every process of its group; only the window decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    from aeviz.work.worker import Worker

    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the window is gone
        Worker(connection).serve()
