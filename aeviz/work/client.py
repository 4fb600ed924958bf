"""The worker processes as the window sees them: started, spoken to, stopped; no Qt and no torch."""

from __future__ import annotations

import multiprocessing
import multiprocessing.resource_tracker
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext

from aeviz.work import entry
from aeviz.work import messages as m
from aeviz.work.cores import ALL, ALL_BUT_ONE

_PATIENCE = 0.4  # seconds that a process gets to end by itself before it is ended


class Client:
    """A trainer and an observer, a thread that reads what they say, and one that writes to them.

    Parameters
    ----------
    receive : callable
        Called with every message, in the reading thread. `Ready` comes once both are, and `Died` is
        always the last message: where one process ends, the other is of no use.
    """

    def __init__(self, receive: Callable[[m.FromWorker], None]) -> None:
        self._receive = receive
        context = multiprocessing.get_context("spawn")
        trainers_end, observers_end = context.Pipe()
        self._peers = [
            _Peer(context, "trainer", trainers_end, ALL),
            _Peer(context, "observer", observers_end, ALL_BUT_ONE),
        ]
        for end in (trainers_end, observers_end):
            end.close()  # so that each process's end closes with it
        self._outbox: queue.SimpleQueue[m.ToTrainer | m.ToObserver | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=target, name=f"aeviz-{target.__name__.strip('_')}", daemon=True)
            for target in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of "trainer" and "observer"."""
        return {peer.name: peer.process.pid or 0 for peer in self._peers}

    @property
    def silence(self) -> float:
        """Seconds since the last word of the one that has been silent for longer."""
        return time.monotonic() - min(peer.heard for peer in self._peers)

    def send(self, message: m.ToTrainer | m.ToObserver) -> None:
        """Send a message without waiting; one to a dead process is dropped, as `Died` tells of that.

        A process that is busy, stopped or still loading does not read, and then its pipe is soon full.
        """
        self._outbox.put(message)

    def stop(self) -> None:
        """End both processes, by force where they do not end by themselves; returns within two seconds."""
        self._outbox.put(m.Stop())
        self._outbox.put(None)
        self._join()
        for end in ("terminate", "kill"):
            alive = [peer.process for peer in self._peers if peer.process.is_alive()]
            for process in alive:
                getattr(process, end)()
            if alive:
                self._join()
        for thread in self._threads:
            thread.join(_PATIENCE)
        for peer in self._peers:
            peer.connection.close()

    def _join(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        for peer in self._peers:
            peer.process.join(max(0.0, deadline - time.monotonic()))

    def _write(self) -> None:
        trainer, observer = self._peers
        while (message := self._outbox.get()) is not None:
            meant = self._peers if isinstance(message, m.Stop) else [trainer]
            if isinstance(message, m.Ask | m.AskMetrics):
                meant = [observer]
            for peer in meant:
                try:
                    with suppress(OSError):  # it is dead
                        peer.connection.send(message)
                except Exception:  # too large for the memory, say: the others are still to be sent
                    self._receive(m.Failed(traceback.format_exc()))

    def _read(self) -> None:
        trainer, observer = self._peers
        waited_for = [thing for peer in self._peers for thing in (peer.connection, peer.process.sentinel)]
        alive = True
        while alive:
            try:
                wait(waited_for)
            except OSError:  # closed meanwhile
                break
            # All that the trainer has said comes before what the observer says, which may follow from it.
            alive = self._hear(trainer) and self._hear(observer, first=lambda: self._hear(trainer))
        self._join()
        dead = [peer for peer in self._peers if not peer.process.is_alive()]
        blamed = next((peer for peer in dead if peer.process.exitcode), (dead or self._peers)[0])
        self._receive(m.Died(blamed.process.exitcode, blamed.name))

    def _hear(self, peer: _Peer, first: Callable[[], object] = lambda: None) -> bool:
        """Pass on all that a process has said so far; False where there will be no more."""
        alive = peer.process.is_alive()  # asked before the last word is read
        try:
            while peer.connection.poll():
                message = peer.connection.recv()
                first()
                peer.heard = time.monotonic()
                if isinstance(message, m.Ready):
                    peer.ready = True
                    if all(each.ready for each in self._peers):
                        self._receive(message)
                elif not isinstance(message, m.Alive):
                    self._receive(message)
        except (EOFError, OSError):
            return False
        return alive


class _Peer:
    """One process at the other end of a pipe."""

    def __init__(self, context: SpawnContext, name: str, other: Connection, cores: frozenset[int]) -> None:
        self.name, self.heard, self.ready = name, time.monotonic(), False
        self.connection, theirs = context.Pipe()
        arguments = (name, theirs, other, cores)
        self.process = context.Process(target=entry.main, args=arguments, name=f"aeviz-{name}", daemon=True)
        with fit_to_start():
            self.process.start()
        theirs.close()


_starting = threading.Lock()


@contextmanager
def fit_to_start() -> Iterator[None]:
    """Let this process be as a child is to find it; in one thread at a time, for all see it so."""
    with _starting, interrupts_held(), main_module_hidden(), one_thread_asked_for():
        yield


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Start the child with SIGINT blocked: Ctrl-C before it can ignore it would print a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    multiprocessing.resource_tracker.ensure_running()  # starting it would unblock SIGINT again
    # Another thread, of a library, may still take the signal for the process: then it waits here.
    waiting: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: waiting.append(number)) if in_main else None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if in_main:
            signal.signal(signal.SIGINT, handler)
        if waiting:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def one_thread_asked_for() -> Iterator[None]:
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
def main_module_hidden() -> Iterator[None]:
    """Keep "spawn" from running the caller's script again in the child.

    The child needs nothing of it, and a plain script that calls `aeviz.train` at its top level would
    start itself again and again.
    """
    main = sys.modules["__main__"]
    names: dict[str, object] = {n: vars(main).pop(n) for n in ("__file__", "__spec__") if n in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(names)
