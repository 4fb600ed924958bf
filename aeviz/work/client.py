"""The worker processes as the window sees them: started, spoken to, stopped; no Qt and no torch."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from aeviz.work import entry
from aeviz.work import messages as m
from aeviz.work.cores import ALL, ALL_BUT_ONE
from aeviz.work.forked import Watched, can_fork, fork_failed
from aeviz.work.starting import fit_to_start

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
        (trainer, trainers), (observer, observers) = context.Pipe(), context.Pipe()
        to_observer, to_trainer = context.Pipe()
        self._peers = [_Peer("trainer", trainer), _Peer("observer", observer)]
        posts = (
            entry.Post("trainer", trainers, to_observer, ALL),
            entry.Post("observer", observers, to_trainer, ALL_BUT_ONE),
        )
        together = [posts] if can_fork() else [(post,) for post in posts]
        self._processes: dict[str, SpawnProcess | Watched] = {
            each[0].name: _started(*each) for each in together
        }
        for post in posts:
            post.close()  # so that each process's end closes with it
        self._outbox: queue.SimpleQueue[m.ToTrainer | m.ToObserver | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=target, name=f"aeviz-{target.__name__.strip('_')}", daemon=True)
            for target in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of "trainer" and, once there is one, "observer"."""
        return {name: process.pid or 0 for name, process in self._processes.copy().items()}

    @property
    def silence(self) -> float:
        """Seconds since the last word of the one that has been silent for longer."""
        return time.monotonic() - min(peer.heard for peer in self._peers)

    def listen_anew(self) -> None:
        """Count the silence from now on."""
        for peer in self._peers:
            peer.heard = time.monotonic()

    def send(self, message: m.ToTrainer | m.ToObserver) -> None:
        """Send a message without waiting; one to a dead process is dropped, as `Died` tells of that.

        A process that is busy, stopped or still loading does not read, and then its pipe is soon full.
        """
        self._outbox.put(message)

    def stop(self) -> None:
        """End both processes, by force where they do not end by themselves; returns within two seconds.

        An observer that was forked only now, and is not known yet, ends as its pipes close.
        """
        self._outbox.put(m.Stop())
        self._outbox.put(None)
        self._join()
        for end in ("terminate", "kill"):
            alive = [process for process in [*self._processes.values()] if process.is_alive()]
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
        for process in [*self._processes.values()]:
            process.join(max(0.0, deadline - time.monotonic()))

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
        connections = [peer.connection for peer in self._peers]
        alive = True
        while alive:
            try:
                wait([*connections, *(process.sentinel for process in self._processes.values())])
            except OSError:  # closed meanwhile
                break
            # All that the trainer has said comes before what the observer says, which may follow from it.
            alive = self._hear(trainer) and self._hear(observer, first=lambda: self._hear(trainer))
        self._join()
        self._hear(trainer)  # how the observer has ended
        self._receive(self._death())

    def _death(self) -> m.Died:
        """Which process has ended, and how; where both have, one that has not ended well."""
        codes = {name: each.exitcode for name, each in self._processes.items() if not each.is_alive()}
        blamed = next((name for name, code in codes.items() if code != 0), "trainer")
        return m.Died(codes.get(blamed), blamed)

    def _hear(self, peer: _Peer, first: Callable[[], object] = lambda: None) -> bool:
        """Pass on all that a process has said so far; False where there will be no more."""
        process = self._processes.get(peer.name)
        alive = process is None or process.is_alive()  # asked before the last word is read
        try:
            while peer.connection.poll():
                message = peer.connection.recv()
                first()
                peer.heard = time.monotonic()
                match message:
                    case m.Ready():
                        peer.ready = True
                        if all(each.ready for each in self._peers):
                            self._receive(message)
                    case m.ObserverForked(None):
                        fork_failed()
                    case m.ObserverForked(int(pid)):
                        with suppress(OSError):  # gone already; or it ends with its pipe
                            self._processes["observer"] = Watched(pid)
                    case m.ObserverEnded():
                        if isinstance(observer := self._processes.get("observer"), Watched):
                            observer.told = message.exit_code
                    case m.Alive():
                        pass
                    case _:
                        self._receive(message)
        except (EOFError, OSError):
            return False
        return alive


class _Peer:
    """Who is at the other end of a pipe."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name, self.connection = name, connection
        self.heard, self.ready = time.monotonic(), False


def _started(*posts: entry.Post) -> SpawnProcess | Watched:
    """Start a process that serves at the first of these posts, and forks another one for the second."""
    context, name = multiprocessing.get_context("spawn"), f"aeviz-{posts[0].name}"
    process = context.Process(target=entry.main, args=posts, name=name, daemon=True)
    with fit_to_start():
        process.start()
    return Watched(process.pid, process) if len(posts) > 1 and process.pid else process
