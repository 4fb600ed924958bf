"""One training under way: paced and recorded."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator

import numpy as np

from aeviz.core.rate import Rate
from aeviz.core.settings import Settings
from aeviz.core.timeline import Timeline
from aeviz.learn.training import Training
from aeviz.work import messages as m

SLICE = 0.0015  # seconds of training between two looks into the pipes: a tenth of a frame
SOUND = 10.0  # times what an untrained network's loss is about: a run can go on from such a loss


class Driver:
    """Paces one training and records its timeline."""

    def __init__(self, build: m.Build, drive: m.Drive) -> None:
        self._run, self._branch = build.run, 0
        self._stood = sys.maxsize  # the earliest epoch to which the run has gone back
        self.drive = drive
        self.data = build.data
        self.training = Training(build.settings, self.data)
        self.timeline = Timeline()
        self.single = False
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
        # With the regulariser's part of each; those that the window has not said that it has.
        self._losses: list[tuple[float, float]] = []
        self._losses_from = self.training.epoch
        self._due = time.perf_counter()
        self._busy = self._pace = 0.0  # seconds spent in training, and lately a step
        self._rate = Rate()

    def phase(self) -> m.Phase:
        """Whether the run rests, trains, or has reached its last epoch."""
        if self.single:
            return "training"
        if self.training.epoch >= self.training.settings.epochs and not self._in_epoch:
            return "finished"
        return "training" if self.drive.playing else "paused"

    def wait(self) -> float | None:
        """Seconds until the next epoch is due; None while there is nothing to train."""
        if self.phase() != "training":
            return None
        if self._in_epoch or self.single:
            return 0.0
        now = time.perf_counter()
        if not math.isfinite(self.drive.speed) or now - self._due > 0.25:
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

    def train(self) -> None:
        """Train for one slice of time: the step that was asked for, or as many epochs as are due.

        Raises
        ------
        DivergedError
            When the loss is not finite or has exploded.
        """
        before = self.training.steps
        began = now = time.perf_counter()
        while now - began < SLICE and self._is_due(now):
            loss = next(self._epochs)
            self._in_epoch = loss is None
            if loss is not None:
                self._finish_epoch(loss)
            now = time.perf_counter()
        self._busy += now - began
        steps = self.training.steps - before
        self._pace = (now - began) / steps if steps else self._pace
        self._rate.count(steps)

    def _is_due(self, now: float) -> bool:
        if self.phase() != "training":
            return False
        return self._in_epoch or self.single or self._due <= now

    def _finish_epoch(self, loss: float) -> None:
        self.single = False
        self._due += 1.0 / self.drive.speed
        self._losses.append((loss, self.training.regulariser))
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
        most = SOUND * self.training.scale
        sound = [each.epoch for each in self.timeline if not each.state["loss"] > most]  # NaN of epoch 0
        self.training.replay(self.timeline, max(sound[:-1], default=0))
        self.timeline.cut(self.training.epoch)
        self._in_epoch = self.single = False
        self._waiting_change = None
        self._branch += 1
        self._stood = min(self._stood, self.training.epoch)
        self.change(settings)
        self._epochs = self.training.epochs()
        del self._losses[max(0, self.training.epoch - self._losses_from) :]
        self._losses_from = min(self._losses_from, self.training.epoch)

    def state(self, ask: m.AskState) -> m.State:
        """The newest state, or what brings back a past epoch where one is asked for."""
        training = self.training
        known = self._known(*ask.losses)
        if known > self._losses_from:
            del self._losses[: known - self._losses_from]
            self._losses_from = known
        progress = m.Progress(
            training.epoch, self.phase(), self._losses_from,
            np.array(self._losses, dtype=np.float32).reshape(-1, 2), self._rate.per_second,
        )  # fmt: skip
        past = average = None
        if ask.epoch is not None and ask.epoch < training.epoch:
            past = self._past(ask.epoch, ask.past)
        else:
            average = training.average.cpu().numpy()
        return m.State(
            self._run, self._branch, progress, training.settings, average, past,
            training.loss, training.regulariser, training.steps, self._busy, self._pace,
            None if ask.run == self._run else self.data,
        )  # fmt: skip

    def _known(self, run: int, branch: int, number: int) -> int:
        """How many of this run's losses the window has."""
        if run != self._run:
            return 0
        # Of an earlier branch, those hold that came before the run went back.
        return number if branch == self._branch else min(number, self._stood)

    def _past(self, epoch: int, known: tuple[int, int, int, int] | None) -> m.Past:
        keyframe = self.timeline.before(epoch)
        key = (self._run, self._branch, epoch, keyframe.epoch)
        changes = (each for each in self.timeline.changes if keyframe.epoch <= each[0] < epoch)
        return m.Past(key, None if key == known else keyframe, tuple(changes))

    def _keep(self) -> None:
        keyframe = self.training.keyframe()
        self.timeline.add(keyframe)
        self.record.append(m.Kept(self._run, keyframe))
