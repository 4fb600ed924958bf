"""The observer: looks at the run for the window, in a process of its own that training does not wait for."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection

import torch

from aeviz.work import messages as m
from aeviz.work.sight import Sight


class Observer:
    """Works out what the window asks to see from the states that the trainer gives."""

    def __init__(self, window: Connection, trainer: Connection, send: Callable[[m.FromWorker], None]) -> None:
        self._window, self._trainer, self._send = window, trainer, send
        self._sight: Sight | None = None  # the run that is looked at
        self._losses = (0, 0, 0)  # of which run and branch the window has how many

    def serve(self) -> None:
        """Answer until told to stop.

        Raises
        ------
        EOFError, BrokenPipeError, ConnectionResetError
            When the other end of a pipe is gone.
        """
        self._send(m.Ready(str(torch.__version__)))
        while True:
            self._work_until_asked()
            message: m.ToObserver = self._window.recv()
            if isinstance(message, m.Stop):
                return
            if isinstance(message, m.Ask):
                self._work_until_asked(message.due)
            epoch = message.epoch if isinstance(message, m.Ask) else None
            past_is, run = (self._sight.past_is, self._sight.run) if self._sight else (None, 0)
            self._trainer.send(m.AskState(epoch, self._losses, past_is, run))
            state: m.State | None = self._trainer.recv()
            if state is not None:  # else there is no run; what ended it has been told
                self._guarded(partial(self._answer, message, state), state.run)

    def _work_until_asked(self, until: float = math.inf) -> None:
        """Do what is left of the exact answers until the window asks, or until a time by `time.monotonic`."""
        while (left := until - time.monotonic()) > 0.0 and not self._window.poll():
            sight = self._sight
            wait = sight.wait if sight else math.inf
            if wait > 0.0:
                rest = min(left, wait)
                self._window.poll(rest if math.isfinite(rest) else None)
            elif sight is not None:
                self._guarded(partial(self._advance, sight), sight.run)

    def _advance(self, sight: Sight) -> None:
        for finished in sight.advance():
            self._send(finished)

    def _guarded(self, do: Callable[[], None], run: int) -> None:
        try:
            do()
        except (EOFError, OSError):
            raise
        except Exception:
            self._send(m.Failed(traceback.format_exc(), over=False, run=run))

    def _answer(self, message: m.Ask | m.AskMetrics, state: m.State) -> None:
        if self._sight is None or state.run != self._sight.run:
            self._sight = Sight(state)
        if isinstance(message, m.AskMetrics):
            self._send(self._sight.metrics(state))
            return
        for answer in self._sight.answers(message, state):
            self._send(answer)
        if message.whole:
            return  # it may come late, and tells the window of no progress
        told = state.progress
        self._losses = (state.run, state.branch, told.losses_from + len(told.losses))
        if message.measure:
            self._send(self._sight.judged(state, message.view))
