"""One training under way: paced and reported."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections import deque
from collections.abc import Iterator

import numpy as np

from aeviz.core.history import MEGABYTE
from aeviz.core.rate import Rate
from aeviz.core.settings import Settings, applies
from aeviz.core.timeline import Keyframe, is_due, most_within, spread_at
from aeviz.learn.training import Training
from aeviz.work import messages as m

SLICE = 0.0015  # seconds of training between two looks into the pipes: a tenth of a frame
SOUND = 10.0  # times what an untrained network's loss is about: a run can go on from such a loss
_SOUND_KEPT, _SOUND_BYTES = 8, 64 * MEGABYTE  # keyframes to which a run may go back, and what they may take


class Driver:
    """Paces one training, and tells of its keyframes and losses; the window is who keeps them."""

    def __init__(self, build: m.Build, drive: m.Drive) -> None:
        self._run, self._branch = build.run, 0
        self._stood = sys.maxsize  # the earliest epoch to which the run has gone back
        self.drive = drive
        self.data = build.data
        self.training = training = Training(build.begins or build.settings, self.data)
        self.single = False
        # Until the epoch in progress, the return or the plan is done.
        self._waiting_change = build.settings if build.keyframe or build.begins else None
        self.record: list[m.Kept | m.Noted] = []  # for the window to keep, not yet sent
        first = training.keyframe()
        self._planned, self._until = deque(build.plan.changes), build.plan.until
        self._most = most_within(build.settings.history * MEGABYTE, first.nbytes)
        kept = min(_SOUND_KEPT, most_within(_SOUND_BYTES, first.nbytes))
        self._sound: deque[Keyframe] = deque(maxlen=kept)
        self._replay: Iterator[None] | None = None
        if build.keyframe is None:
            self._keep()
            self._follow_plan()
        else:
            training.restore(build.keyframe)
            self._sound.append(build.keyframe)
            self._replay = training.replay(build.changes, build.epoch)
        self._epochs: Iterator[float | None] = training.epochs()
        # With the regulariser's part of each; those that the window has not said that it has.
        self._losses: list[tuple[float, float]] = []
        self._losses_from = build.epoch
        self._due = time.perf_counter()
        self._busy = 0.0  # seconds spent in training
        self._rate = Rate()

    def phase(self) -> m.Phase:
        """Whether the run rests, returns, trains, or has reached its last epoch."""
        if self._replay is not None:
            return "returning"
        if self.single:
            return "training"
        done = self.training.epoch >= self.training.settings.epochs
        if done and not (self._follows_plan or self.training.within):
            return "finished"
        return "training" if self.drive.playing else "paused"

    @property
    def _follows_plan(self) -> bool:
        return self.training.epoch < self._until

    def _follow_plan(self) -> None:
        """Make the changes that are planned after this epoch."""
        while self._planned and self._planned[0][0] <= self.training.epoch:
            self._change(self._planned.popleft()[1])

    def wait(self) -> float | None:
        """Seconds until the next epoch is due; None while there is nothing to train."""
        phase = self.phase()
        if phase not in ("returning", "training"):
            return None
        if phase == "returning" or self.training.within or self.single or self._follows_plan:
            return 0.0
        now = time.perf_counter()
        if not math.isfinite(self.drive.speed) or now - self._due > 0.25:
            self._due = now  # what was missed while resting is not made up for
        return max(0.0, self._due - now)

    def change(self, settings: Settings) -> None:
        """Take up live settings now, or when the epoch in progress, the plan or the return is done."""
        if self.training.within or self._replay is not None or self._follows_plan:
            self._waiting_change = settings
            return
        self._change(settings)

    def _settle(self) -> None:
        """Take up the settings that waited, unless the plan is still followed."""
        settings = self._waiting_change
        if settings is None or self._follows_plan:
            return
        self._waiting_change = None
        if "live" in applies(self.training.settings.changed(settings)):
            self._change(settings)
        self.training.change(settings)  # and with it how it is drawn

    def _change(self, settings: Settings) -> None:
        self.training.change(settings)
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
            if self._replay is not None:
                self._return()
                now = time.perf_counter()
                continue
            loss = next(self._epochs)
            if loss is not None:
                self._finish_epoch(loss)
            now = time.perf_counter()
        self._busy += now - began
        self._rate.count(self.training.steps - before)

    def _return(self) -> None:
        """Go on returning; arrived, take up what is meant to be in force from here on."""
        assert self._replay is not None
        for _ in self._replay:
            return
        self._replay = None
        self._due = time.perf_counter()  # what it could have trained meanwhile is not made up for
        self._follow_plan()
        self._settle()

    def _is_due(self, now: float) -> bool:
        if self._replay is not None:
            return True
        if self.phase() != "training":
            return False
        return self.training.within or self.single or self._follows_plan or self._due <= now

    def _finish_epoch(self, loss: float) -> None:
        self.single = False
        self._due += 1.0 / self.drive.speed
        self._losses.append((loss, self.training.regulariser))
        epoch = self.training.epoch
        if is_due(epoch, spread_at(epoch, self._most)):
            self._keep()
        self._follow_plan()
        if epoch == self._until:
            self._due = time.perf_counter()  # as after a return
            self.drive = dataclasses.replace(self.drive, playing=False)
        self._settle()

    def go_back(self) -> None:
        """After divergence: stand at a sound keyframe again, with the present settings.

        Not at the epoch before, whose weights are out of bounds: no learning rate would save them. Not at
        the last keyframe with a sound loss either, because that loss is older than its last step.
        """
        settings = self._waiting_change or self.training.settings
        if len(self._sound) > 1:
            self._sound.pop()
        self.training.restore(self._sound[-1])
        self.single = False
        self._waiting_change = self._replay = None
        self._planned.clear()
        self._until = 0
        self._branch += 1
        self._stood = min(self._stood, self.training.epoch)
        self.change(settings)
        self._epochs = self.training.epochs()
        del self._losses[max(0, self.training.epoch - self._losses_from) :]
        self._losses_from = min(self._losses_from, self.training.epoch)

    def state(self, ask: m.AskState) -> m.State:
        """The newest state."""
        training = self.training
        average, steps = training.finished if ask.finished else (training.average, training.steps)
        known = self._known(*ask.losses)
        if known > self._losses_from:
            del self._losses[: known - self._losses_from]
            self._losses_from = known
        progress = m.Progress(
            training.epoch, self.phase(), self._losses_from,
            np.array(self._losses, dtype=np.float32).reshape(-1, 2), self._rate.per_second,
        )  # fmt: skip
        return m.State(
            self._run, self._branch, progress, training.settings, average.cpu().numpy(),
            training.loss, training.regulariser, steps, self._busy,
            None if ask.run == self._run else self.data,
        )  # fmt: skip

    def _known(self, run: int, branch: int, number: int) -> int:
        """How many of this run's losses the window has."""
        if run != self._run:
            return 0
        # Of an earlier branch, those hold that came before the run went back.
        return number if branch == self._branch else min(number, self._stood)

    def _keep(self) -> None:
        frame = self.training.keyframe()
        if not self.training.loss - self.training.regulariser > SOUND * self.training.scale:  # NaN of epoch 0
            self._sound.append(frame)
        self.record.append(m.Kept(self._run, frame))
