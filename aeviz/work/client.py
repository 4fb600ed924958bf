"""The worker process as the window sees it: started, spoken to, stopped; no Qt and no torch."""

from __future__ import annotations

import multiprocessing
import multiprocessing.resource_tracker
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait

from aeviz.work import entry
from aeviz.work import messages as m

_PATIENCE = 0.5  # seconds that the worker gets to end by itself before it is ended


class Client:
    """One worker process, a thread that reads what it says, and one that writes to it.

    Parameters
    ----------
    receive : callable
        Called with every message, in the reading thread. `Died` is always the last one.
    """

    def __init__(self, receive: Callable[[m.FromWorker], None]) -> None:
        self._receive = receive
        self._heard = time.monotonic()
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=entry.main, args=(theirs,), name="aeviz-worker", daemon=True)
        with _interrupts_held(), _main_module_hidden(), _one_thread_asked_for():
            self._process.start()
        theirs.close()  # so that the worker's end closes with the worker
        self._outbox: queue.SimpleQueue[m.ToWorker | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=target, name=f"aeviz-{target.__name__.strip('_')}", daemon=True)
            for target in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid

    @property
    def silence(self) -> float:
        """Seconds since the worker's last word."""
        return time.monotonic() - self._heard

    def send(self, message: m.ToWorker) -> None:
        """Send a message without waiting; one to a dead worker is dropped, as `Died` tells of that.

        A worker that is busy, stopped or still loading does not read, and then the pipe is soon full.
        """
        self._outbox.put(message)

    def stop(self) -> None:
        """End the worker, by force where it does not end by itself; returns within two seconds."""
        self._outbox.put(m.Stop())
        self._outbox.put(None)
        self._process.join(_PATIENCE)
        for end in (self._process.terminate, self._process.kill):
            if self._process.is_alive():
                end()
                self._process.join(_PATIENCE)
        for thread in self._threads:
            thread.join(_PATIENCE)
        self._connection.close()

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            with suppress(OSError):  # it is dead
                self._connection.send(message)

    def _read(self) -> None:
        while True:
            try:
                wait([self._connection, self._process.sentinel])
                if not self._connection.poll():  # nothing left to read, so it was the sentinel
                    break
                message = self._connection.recv()
            except (EOFError, OSError):
                break
            self._heard = time.monotonic()
            if not isinstance(message, m.Alive):
                self._receive(message)
        self._process.join(_PATIENCE)
        self._receive(m.Died(self._process.exitcode))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start the child with SIGINT blocked: Ctrl-C before it can ignore it would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    multiprocessing.resource_tracker.ensure_running()  # starting it would unblock SIGINT again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread_asked_for() -> Iterator[None]:
    """Let the child's matrix products run in one thread, as the window needs the other core.

    The libraries read this when they are loaded, which in the child is before any of its own code.
    At 64 × 65 × 4,096 one thread takes 4.0 ms an epoch and two take 6.8.
    """
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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
