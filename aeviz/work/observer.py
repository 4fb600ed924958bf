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
from aeviz.core.timeline import Timeline
from aeviz.learn.measure import measure
from aeviz.learn.network import Network
from aeviz.learn.training import Training
from aeviz.work import messages as m

REPLAY_BUDGET = 0.03  # seconds that bringing a past epoch back exactly may take: two frames


class Observer:
    """Works out what the window asks to see from the states that the trainer gives."""

    def __init__(self, window: Connection, trainer: Connection, send: Callable[[m.FromWorker], None]) -> None:
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        self._window, self._trainer, self._send = window, trainer, send
        self._run = 0
        self._data: FloatArray = np.empty((0, 2))
        self._network: Network | None = None
        self._past: Training | None = None
        self._past_is: object = None  # what `_past` stands at
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
            self._trainer.send(m.AskState(message.epoch if isinstance(message, m.Ask) else None))
            state: m.State | None = self._trainer.recv()
            if state is not None:  # else there is no run; what ended it has been told
                self._guarded(message, state)

    def _guarded(self, message: m.Ask | m.AskMetrics, state: m.State) -> None:
        try:
            self._send(self.answer(message, state))
        except (EOFError, OSError):
            raise
        except Exception:
            self._send(m.Failed(traceback.format_exc(), over=False))

    def answer(self, message: m.Ask | m.AskMetrics, state: m.State) -> m.Frame | m.Measured:
        """What was asked for, seen in this state."""
        if self._network is None or state.run != self._run:
            self._data = clean_data(state.settings)
            self._network = Network.of(state.settings, self._data)
            self._run, self._past, self._past_is = state.run, None, None
        if isinstance(message, m.Ask):
            return self._frame(message, state, self._network)
        return self._metrics(state, self._network)

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
        quality = None
        if ask.measure is not None:
            quality = self._quality(network, average, ask.measure.replace(noise=settings.noise))
        return m.Frame(
            ask.number, state.run, state.progress, epoch, settings, ask.grid,
            displacement, ambiguity, noisy, reconstruction, ask.cursor, cursor,
            time.perf_counter() - began, quality,
        )  # fmt: skip

    def _metrics(self, state: m.State, network: Network) -> m.Measured:
        quality = self._quality(network, torch.from_numpy(state.average), state.settings)
        metrics = Metrics(
            state.progress.epoch, state.loss, quality.bayes_floor, quality.excess_risk, quality.midline_iou,
            state.seconds, state.steps / state.seconds if state.seconds else 0.0,
        )  # fmt: skip
        return m.Measured(state.run, metrics)

    def _quality(self, network: Network, average: torch.Tensor, settings: Settings) -> Quality:
        wanted = (self._run, settings.noise, settings.grid, settings.extent)
        if self._reference_is != wanted:
            self._reference, self._reference_is = Reference.of(settings, self._data), wanted
        return measure(network, average, self._reference, settings.threshold)

    def _shown(self, state: m.State) -> tuple[int, Settings, torch.Tensor]:
        """Epoch, settings and averaged weights of the epoch that was asked for.

        A past one is replayed from the keyframe before it; where that would take too long, the keyframe
        itself is shown.
        """
        past = state.past
        if past is None:
            return state.progress.epoch, state.settings, torch.from_numpy(state.average)
        wanted = (state.branch, past.epoch, past.keyframe.epoch, past.changes)
        if self._past is None:
            self._past = Training(state.settings, self._data)
        if self._past_is != wanted:
            timeline = Timeline()
            timeline.add(past.keyframe)
            for change in past.changes:
                timeline.note(*change)
            steps = -(-len(self._data) // past.keyframe.settings.batch) * (past.epoch - past.keyframe.epoch)
            pace = state.seconds / state.steps if state.steps else REPLAY_BUDGET
            exact = steps * pace <= REPLAY_BUDGET
            self._past.replay(timeline, past.epoch if exact else past.keyframe.epoch)
            self._past_is = wanted
        return self._past.epoch, self._past.settings, self._past.average
