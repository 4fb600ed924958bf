"""The worker process as the window sees it: started, spoken to, stopped; no Qt and no torch."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

from aeviz.work import entry
from aeviz.work import messages as m

_PATIENCE = 0.5  # seconds that the worker gets to end by itself before it is ended


class Client:
    """One worker process and a thread that reads what it says.

    Parameters
    ----------
    receive : callable
        Called with every message, in the reading thread. `Died` is always the last one.
    """

    def __init__(self, receive: Callable[[m.FromWorker], None]) -> None:
        self._receive = receive
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=entry.main, args=(theirs,), name="aeviz-worker", daemon=True)
        with _interrupts_held(), _main_module_hidden():
            self._process.start()
        theirs.close()  # so that the worker's end closes with the worker
        self._sending = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="aeviz-reader", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid

    def send(self, message: m.ToWorker) -> None:
        """Send a message; one to a dead worker is dropped, as `Died` tells of that."""
        try:
            with self._sending:
                self._connection.send(message)
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass

    def stop(self) -> None:
        """End the worker, by force where it does not end by itself; returns within two seconds."""
        if self._process.is_alive():
            # A stopped or busy worker may leave the pipe full: never wait for it to read.
            threading.Thread(target=self.send, args=(m.Stop(),), daemon=True).start()
            self._process.join(_PATIENCE)
        for end in (self._process.terminate, self._process.kill):
            if self._process.is_alive():
                end()
                self._process.join(_PATIENCE)
        self._reader.join(_PATIENCE)
        self._connection.close()

    def _read(self) -> None:
        while True:
            try:
                wait([self._connection, self._process.sentinel])
                if not self._connection.poll():  # nothing left to read, so it was the sentinel
                    break
                message = self._connection.recv()
            except (EOFError, OSError):
                break
            self._receive(message)
        self._process.join(_PATIENCE)
        self._receive(m.Died(self._process.exitcode))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start the child with SIGINT blocked: Ctrl-C before it can ignore it would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Keep "spawn" from running the caller's script again in the child.

    The worker needs nothing of it, and a plain script that calls `aeviz.train` at its top level would
    start itself again and again.
    """
    main = sys.modules["__main__"]
    names: dict[str, object] = {n: vars(main).pop(n) for n in ("__file__", "__spec__") if n in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(names)
