"""The observer: looks at the run for the window, in a process of its own that training does not wait for."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np
import torch

from aeviz.core.corruption import shown_noisy
from aeviz.core.manifolds import FloatArray, clean_data
from aeviz.core.metrics import Metrics, Quality, Reference
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe, Timeline
from aeviz.learn.measure import measure
from aeviz.learn.network import Network
from aeviz.learn.training import Training
from aeviz.work import messages as m

REPLAY_BUDGET = 0.03  # seconds that bringing a past epoch back exactly may take: two frames


class Observer:
    """Works out what the window asks to see from the states that the trainer gives."""

    def __init__(self, window: Connection, trainer: Connection, send: Callable[[m.FromWorker], None]) -> None:
        self._window, self._trainer, self._send = window, trainer, send
        self._run = 0
        self._data: FloatArray = np.empty((0, 2))
        self._network: Network | None = None
        self._past: Training | None = None
        self._past_is: tuple[int, int, int, int] | None = None  # what `_shown_past` is: see `Past.key`
        self._shown_past: tuple[int, Settings, torch.Tensor] | None = None
        self._losses = (0, 0, 0)  # of which run and branch the window has how many
        self._reference: Reference | None = None
        self._reference_is: object = None  # what `_reference` belongs to

    def serve(self) -> None:
        """Answer until told to stop.

        Raises
        ------
        EOFError, BrokenPipeError, ConnectionResetError
            When the other end of a pipe is gone.
        """
        self._send(m.Ready(str(torch.__version__)))
        while True:
            message: m.ToObserver = self._window.recv()
            if isinstance(message, m.Stop):
                return
            if isinstance(message, m.Ask) and (wait := message.due - time.monotonic()) > 0.0:
                self._window.poll(wait)
            epoch = message.epoch if isinstance(message, m.Ask) else None
            self._trainer.send(m.AskState(epoch, self._losses, self._past_is))
            state: m.State | None = self._trainer.recv()
            if state is not None:  # else there is no run; what ended it has been told
                self._guarded(message, state)

    def _guarded(self, message: m.Ask | m.AskMetrics, state: m.State) -> None:
        try:
            answer = self.answer(message, state)
            self._send(answer)
            if isinstance(answer, m.Frame):
                told = state.progress
                self._losses = (state.run, state.branch, told.losses_from + len(told.losses))
            if isinstance(message, m.Ask) and message.measure is not None:
                self._send(m.Judged(state.run, self._judged(state, message.measure)))
        except (EOFError, OSError):
            raise
        except Exception:
            self._send(m.Failed(traceback.format_exc(), over=False, run=state.run))

    def answer(self, message: m.Ask | m.AskMetrics, state: m.State) -> m.Frame | m.Measured:
        """What was asked for, seen in this state."""
        if self._network is None or state.run != self._run:
            self._data = clean_data(state.settings)
            self._network = Network.of(state.settings, self._data)
            self._run, self._past, self._past_is, self._shown_past = state.run, None, None, None
        if isinstance(message, m.Ask):
            return self._frame(message, state, self._network)
        return self._metrics(state)

    def _frame(self, ask: m.Ask, state: m.State, network: Network) -> m.Frame:
        began = time.perf_counter()
        epoch, settings, average = self._shown(state)
        displacement = ambiguity = noisy = reconstruction = cursor = None
        if ask.grid is not None:
            moved, spread = network.field(average, ask.grid.points)
            displacement, ambiguity = moved.reshape(*ask.grid.shape, 2), spread.reshape(ask.grid.shape)
        if ask.samples:
            noisy = shown_noisy(settings, self._data)[:: ask.samples]
            reconstruction = network.reconstruct(average, noisy)
        if ask.cursor is not None:
            (move,), (spread,) = network.field(average, np.array([ask.cursor]))
            cursor = (float(move[0]), float(move[1]), float(spread))
        return m.Frame(
            ask.number, state.run, state.progress, epoch, settings, ask.grid,
            displacement, ambiguity, noisy, reconstruction, ask.cursor, cursor,
            time.perf_counter() - began,
        )  # fmt: skip

    def _metrics(self, state: m.State) -> m.Measured:
        quality = self._judged(state, state.settings)
        metrics = Metrics(
            state.progress.epoch, state.loss, quality.bayes_floor, quality.excess_risk, quality.midline_iou,
            state.seconds, state.steps / state.seconds if state.seconds else 0.0,
        )  # fmt: skip
        return m.Measured(state.run, metrics)

    def _judged(self, state: m.State, view: Settings) -> Quality:
        """Measure what is shown, on the grid and with the threshold of `view`."""
        _, shown, average = self._shown(state)
        settings = view.replace(noise=shown.noise)
        assert self._network is not None
        wanted = (self._run, settings.noise, settings.grid, settings.extent)
        if self._reference_is != wanted:
            self._reference, self._reference_is = Reference.of(settings, self._data), wanted
        return measure(self._network, average, self._reference, settings.threshold)

    def _shown(self, state: m.State) -> tuple[int, Settings, torch.Tensor]:
        """Epoch, settings and averaged weights of the epoch that was asked for."""
        if state.past is None:
            assert state.average is not None
            return state.progress.epoch, state.settings, torch.from_numpy(state.average)
        if state.past.keyframe is not None and self._past_is != state.past.key:
            self._past_is = None  # until the replay has succeeded
            self._shown_past = self._brought_back(state, state.past, state.past.keyframe)
            self._past_is = state.past.key
        assert self._shown_past is not None
        return self._shown_past

    def _brought_back(
        self, state: m.State, past: m.Past, keyframe: Keyframe
    ) -> tuple[int, Settings, torch.Tensor]:
        """A past epoch, replayed from the keyframe before it, or that keyframe where this takes too long."""
        _, _, epoch, _ = past.key
        batches = [keyframe.settings.batch, *(settings.batch for _, settings in past.changes)]
        steps = -(-len(self._data) // min(batches)) * (epoch - keyframe.epoch)
        if steps * state.pace * max(1.0, max(batches) / state.settings.batch) > REPLAY_BUDGET:
            return keyframe.epoch, keyframe.settings, torch.tensor(keyframe.state["average"])
        timeline = Timeline()
        timeline.add(keyframe)
        for change in past.changes:
            timeline.note(*change)
        if self._past is None:
            self._past = Training(state.settings, self._data)
        self._past.replay(timeline, epoch)
        return self._past.epoch, self._past.settings, self._past.average.clone()
