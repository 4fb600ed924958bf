"""How this process is while it starts another: as that one is to find it."""

from __future__ import annotations

import multiprocessing.resource_tracker
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
