"""One training under way: paced, recorded, and looked at."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np

from aeviz.core.corruption import shown_noisy
from aeviz.core.manifolds import clean_data
from aeviz.core.metrics import Metrics
from aeviz.core.rate import Rate
from aeviz.core.settings import Settings
from aeviz.core.timeline import Timeline
from aeviz.learn.measure import measure
from aeviz.learn.training import Training
from aeviz.work import messages as m

SOUND = 10.0  # times the data's mean square, or 1: a run can go on from such a loss
REPLAY_BUDGET = 0.03  # seconds that bringing a past epoch back exactly may take while training waits


class Driver:
    """Paces one training, records its timeline, and looks at any of its epochs."""

    def __init__(self, build: m.Build) -> None:
        self._run = build.run
        self.data = clean_data(build.settings)
        self.training = Training(build.settings, self.data)
        self.timeline = Timeline()
        self.single = False
        self._past: Training | None = None
        self._waiting_change: Settings | None = None  # until the epoch in progress is done
        self._in_epoch = False
        self.record: list[m.Kept | m.Noted] = []  # for the window to keep, not yet sent
        for keyframe in build.keyframes:
            self.timeline.add(keyframe)
        for epoch, settings in build.changes:
            self.timeline.note(epoch, settings)
        if self.timeline.last is not None:
            self.training.restore(self.timeline.last)
            self.timeline.cut(self.training.epoch)
            self.change(build.settings)
        else:
            self._keep()
        self._epochs: Iterator[float | None] = self.training.epochs()
        self._losses: list[float] = []  # not yet sent
        self._losses_from = self.training.epoch
        self._due = time.perf_counter()
        self._busy = 0.0  # seconds spent in training
        self._past_epoch: int | None = None  # where `_past` stands
        self._rate = Rate()

    def phase(self, drive: m.Drive) -> m.Phase:
        """Whether the run rests, trains, or has reached its last epoch."""
        if self.single:
            return "training"
        if self.training.epoch >= self.training.settings.epochs and not self._in_epoch:
            return "finished"
        return "training" if drive.playing else "paused"

    def wait(self, drive: m.Drive) -> float | None:
        """Seconds until the next epoch is due; None while there is nothing to train."""
        if self.phase(drive) != "training":
            return None
        if self._in_epoch or self.single:
            return 0.0
        now = time.perf_counter()
        if not math.isfinite(drive.speed) or now - self._due > 0.25:
            self._due = now  # what was missed while resting is not made up for
        return max(0.0, self._due - now)

    def change(self, settings: Settings) -> None:
        """Take up live settings now, or as soon as the epoch in progress is done."""
        if self._in_epoch:
            self._waiting_change = settings
            return
        self.training.change(settings)
        self.timeline.note(self.training.epoch, settings)
        self.record.append(m.Noted(self._run, self.training.epoch, settings))

    def train(self, drive: m.Drive) -> None:
        """Train for one slice of time: the step that was asked for, or as many epochs as are due.

        Raises
        ------
        DivergedError
            When the loss is not finite or has exploded.
        """
        began = time.perf_counter()
        now = began
        while now - began < m.SLICE and self._is_due(drive, now):
            before = self.training.steps
            loss = next(self._epochs)
            self._rate.count(self.training.steps - before)
            self._in_epoch = loss is None
            if loss is not None:
                self._finish_epoch(loss, drive.speed)
            now = time.perf_counter()
        self._busy += now - began

    def _is_due(self, drive: m.Drive, now: float) -> bool:
        if self.phase(drive) != "training":
            return False
        return self._in_epoch or self.single or self._due <= now

    def _finish_epoch(self, loss: float, speed: float) -> None:
        self.single = False
        self._due += 1.0 / speed
        self._losses.append(loss)
        if self.timeline.due(self.training.epoch):
            self._keep()
        if self._waiting_change is not None:
            settings, self._waiting_change = self._waiting_change, None
            self.change(settings)

    def go_back(self) -> None:
        """After divergence: stand at a sound keyframe again, with the present settings.

        Not at the epoch before, whose weights are out of bounds: no learning rate would save them. Not at
        the last keyframe with a sound loss either, because that loss is older than its last step.
        """
        settings = self._waiting_change or self.training.settings
        most = SOUND * max(1.0, float(np.square(self.data).sum(axis=1).mean()))
        sound = [each.epoch for each in self.timeline if not each.state["loss"] > most]  # NaN of epoch 0
        self.training.replay(self.timeline, max(sound[:-1], default=0))
        self.timeline.cut(self.training.epoch)
        self._in_epoch = self.single = False
        self._waiting_change = None
        self._past = self._past_epoch = None
        self.change(settings)
        self._epochs = self.training.epochs()
        del self._losses[max(0, self.training.epoch - self._losses_from) :]
        self._losses_from = min(self._losses_from, self.training.epoch)

    def frame(self, ask: m.Ask, drive: m.Drive) -> m.Frame:
        """Look at an epoch as `ask` wants it."""
        began = time.perf_counter()
        training = self.training if ask.epoch is None else self._at(ask.epoch)
        network, average = training.network, training.average
        displacement = ambiguity = noisy = reconstruction = cursor = None
        if ask.grid is not None:
            moved, spread = network.field(average, ask.grid.points)
            displacement, ambiguity = moved.reshape(*ask.grid.shape, 2), spread.reshape(ask.grid.shape)
        if ask.samples:
            noisy = shown_noisy(training.settings, self.data)[:: ask.samples]
            reconstruction = network.reconstruct(average, noisy)
        if ask.cursor is not None:
            (move,), (spread,) = network.field(average, np.array([ask.cursor]))
            cursor = (float(move[0]), float(move[1]), float(spread))
        progress = m.Progress(
            self.training.epoch, self.phase(drive), self._losses_from,
            np.array(self._losses, dtype=np.float32), self._rate.per_second,
        )  # fmt: skip
        self._losses_from += len(self._losses)
        self._losses.clear()
        return m.Frame(
            ask.number, self._run, progress, training.epoch, training.settings, ask.grid,
            displacement, ambiguity, noisy, reconstruction, ask.cursor, cursor,
            time.perf_counter() - began,
        )  # fmt: skip

    def metrics(self) -> Metrics:
        """The run's numbers at the newest epoch."""
        return measure(self.training, self.data, self._busy)

    def _keep(self) -> None:
        keyframe = self.training.keyframe()
        self.timeline.add(keyframe)
        self.record.append(m.Kept(self._run, keyframe))

    def _at(self, epoch: int) -> Training:
        """A second training at a past epoch, or at the keyframe before it where that takes too long."""
        epoch = min(epoch, self.training.epoch)
        if self._past is None:
            self._past = Training(self.training.settings, self.data)
        keyframe = self.timeline.before(epoch)
        if self._past_epoch != epoch:
            steps = -(-len(self.data) // keyframe.settings.batch) * (epoch - keyframe.epoch)
            pace = self._busy / self.training.steps if self.training.steps else REPLAY_BUDGET
            self._past.replay(self.timeline, epoch if steps * pace <= REPLAY_BUDGET else keyframe.epoch)
            self._past_epoch = epoch
        return self._past
