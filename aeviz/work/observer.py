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
        self._beside: Sight | None = None  # the course that is, or was last, looked at beside it
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
            to_keep = isinstance(message, m.AskMetrics) or message.whole
            self._trainer.send(m.AskState(self._losses, self._sight.run if self._sight else 0, to_keep))
            state: m.State | None = self._trainer.recv()
            if state is not None:  # else there is no run; what ended it has been told
                self._guarded(partial(self._answer, message, state), state.run)

    def _work_until_asked(self, until: float = math.inf) -> None:
        """Do what is left of the exact answers until the window asks, or until a time by `time.monotonic`."""
        while (left := until - time.monotonic()) > 0.0 and not self._window.poll():
            next_one = min(self._sights(), key=lambda sight: sight.wait, default=None)
            wait = next_one.wait if next_one is not None else math.inf
            if wait > 0.0:
                rest = min(left, wait)
                self._window.poll(rest if math.isfinite(rest) else None)
            elif next_one is not None:
                self._guarded(partial(self._advance, next_one), next_one.run)

    def _sights(self) -> list[Sight]:
        return [sight for sight in (self._sight, self._beside) if sight is not None]

    def _advance(self, sight: Sight) -> None:
        for finished in sight.advance():
            # Of what is beside the run, the window is only told to ask again.
            self._send(finished if sight is self._sight else m.Brought(sight.run))

    def _guarded(self, do: Callable[[], None], run: int) -> None:
        try:
            do()
        except (EOFError, OSError):
            raise
        except Exception:
            self._send(m.Failed(traceback.format_exc(), over=False, run=run))

    def _answer(self, message: m.Ask | m.AskMetrics, state: m.State) -> None:
        if self._sight is None or state.run != self._sight.run:
            assert state.data is not None
            self._sight = Sight(state.run, m.Origin(state.settings, state.data))
            self._beside = None
        if isinstance(message, m.AskMetrics):
            self._send(self._sight.metrics(state))
            return
        if message.run not in (0, state.run):
            self._send(m.Frame(message.number, message.run, state.progress, 0, state.settings))
            return
        brings = any(sight.brings for sight in self._sights())
        if message.beside is not None and message.beside.origin is not None:
            self._beside = Sight(state.run, message.beside.origin)
        for answer in self._sight.answers(message, state, self._beside):
            self._send(answer)
        if message.whole:
            if brings:  # for the screen: now it is done, or given up for the file
                self._send(m.Brought(state.run))
            return  # it may come late, and tells the window of no progress
        told = state.progress
        self._losses = (state.run, state.branch, told.losses_from + len(told.losses))
        if message.measure:
            self._send(self._sight.judged(message, state))
