"""Where the worker processes begin; light to import, because the window's process imports it too."""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Literal

from aeviz.work import messages as m
from aeviz.work.cores import keep_to
from aeviz.work.malloc import give_back

HEARTBEAT = 1.0  # seconds between two signs of life
_TIDY_EVERY = 5  # of them
_LAST_WORD = 0.3  # seconds that the trainer waits to tell how the observer has ended

Send = Callable[[m.FromWorker], None]


@dataclass(frozen=True, slots=True)
class Post:
    """What a process is to be, its ends of the pipes to the window and to the other one, and its cores."""

    name: Literal["trainer", "observer"]
    window: Connection
    other: Connection
    cores: frozenset[int]

    def close(self) -> None:
        """Close these ends here: they are another process's."""
        self.window.close()
        self.other.close()


def main(post: Post, forked: Post | None = None) -> None:
    """Serve the window as trainer or observer until it says `Stop` or is gone.

    Both load the same, which takes seconds and 200 MB. So where the system has that, it is loaded once,
    for both posts, and then the process for the second one is forked.
    """
    keep_to(post.cores)
    # Ctrl-C in a terminal reaches every process of its group; only the window decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    telling: threading.Thread | None = None
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the window is gone
        if _load([post] if forked is None else [post, forked]):
            post, child = (post, None) if forked is None else _fork(post, forked)
            send = _sender(post)
            if child is not None:
                send(m.ObserverForked(child))
                telling = threading.Thread(target=_tell_its_end, args=(child, send), daemon=True)
                telling.start()
            with _alive(send):
                module = importlib.import_module(f"aeviz.work.{post.name}")
                getattr(module, post.name.capitalize())(post.window, post.other, send).serve()
    if telling is not None:
        telling.join(_LAST_WORD)
    os._exit(0)  # to take torch apart takes as long as painting the figure that the window waits to write


def _sender(post: Post) -> Send:
    lock = threading.Lock()

    def send(message: m.FromWorker) -> None:
        with lock:
            post.window.send(message)

    return send


def _load(posts: list[Post]) -> bool:
    """Load what is needed at these posts; what goes wrong is told."""
    sends = [_sender(post) for post in posts]
    with _alive(*sends):
        try:
            torch = importlib.import_module("torch")
            torch.set_num_threads(1)  # at these sizes a second thread costs more than it brings
            torch.set_grad_enabled(False)
            for post in posts:
                importlib.import_module(f"aeviz.work.{post.name}")
        except Exception:
            sends[0](m.Failed(traceback.format_exc()))
            return False
    return True


def _fork(post: Post, forked: Post) -> tuple[Post, int | None]:
    """Fork a process for the second post; in each of both, return its own, and its child if it has one."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # what is ignored, as one may inherit it, is not told
    gc.freeze()  # what was loaded stays shared where no collection touches it
    try:
        child = os.fork()
    except OSError:
        _sender(post)(m.ObserverForked(None))
        raise
    mine, others = (post, forked) if child else (forked, post)
    others.close()
    keep_to(mine.cores)
    multiprocessing.current_process().name = f"aeviz-{mine.name}"
    return mine, child or None


def _tell_its_end(pid: int, send: Send) -> None:
    """Wait for the end of a process that was forked, which stays there to be asked about."""
    with contextlib.suppress(OSError):
        end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        if end is not None:
            send(m.ObserverEnded(end.si_status if end.si_code == os.CLD_EXITED else -end.si_status))


@contextlib.contextmanager
def _alive(*sends: Send) -> Iterator[None]:
    """Say that who is served at some posts lives; end it once the window is gone, even in a step's middle.

    What is free of its memory goes back now and then as well.
    """
    enough, end = multiprocessing.Pipe(duplex=False)
    thread = threading.Thread(target=_keep_alive, args=(sends, enough), daemon=True)
    thread.start()
    yield  # what is raised here ends the process, and the thread with it
    end.close()
    thread.join()
    enough.close()


def _keep_alive(sends: tuple[Send, ...], enough: Connection) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    with contextlib.suppress(OSError):
        for beat in itertools.count(1):
            ready = wait([parent.sentinel, enough], timeout=HEARTBEAT)
            if enough in ready:
                return
            if ready:
                break
            for send in sends:
                send(m.Alive())
            if beat % _TIDY_EVERY == 0:
                give_back()
    os._exit(0)
