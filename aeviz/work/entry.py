"""Where the worker processes begin; light to import, because the window's process imports it too."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Literal

from aeviz.work import messages as m
from aeviz.work.cores import keep_to
from aeviz.work.malloc import give_back

HEARTBEAT = 1.0  # seconds between two signs of life
_TIDY_EVERY = 5  # of them


def main(
    name: Literal["trainer", "observer"], window: Connection, other: Connection, cores: frozenset[int]
) -> None:
    """Serve the window as trainer or observer, on these cores, until it says `Stop` or is gone."""
    keep_to(cores)
    # Ctrl-C in a terminal reaches every process of its group; only the window decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    lock = threading.Lock()

    def send(message: m.FromWorker) -> None:
        with lock:
            window.send(message)

    threading.Thread(target=_keep_alive, args=(send,), daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the window is gone
        try:
            module = importlib.import_module(f"aeviz.work.{name}")
            torch = importlib.import_module("torch")
            torch.set_num_threads(1)  # at these sizes a second thread costs more than it brings
            torch.set_grad_enabled(False)
        except Exception:
            send(m.Failed(traceback.format_exc()))
        else:
            getattr(module, name.capitalize())(window, other, send).serve()
    os._exit(0)  # to take torch apart takes as long as painting the figure that the window waits to write


def _keep_alive(send: Callable[[m.FromWorker], None]) -> None:
    """Say that the process lives; end it as soon as the window's is gone, even in the middle of a step.

    What is free of its memory goes back now and then as well.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    with contextlib.suppress(OSError):
        for beat in itertools.count(1):
            if wait([parent.sentinel], timeout=HEARTBEAT):
                break
            send(m.Alive())
            if beat % _TIDY_EVERY == 0:
                give_back()
    os._exit(0)
