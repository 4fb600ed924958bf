"""Moves what is looked at through the epochs that were trained: step by step, or played back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import perf_counter

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from aeviz.app.live_run import FRAME, LiveRun

WHOLE = 8.0  # seconds that the whole run takes where the speed is unlimited


class Playback(QObject):
    """Plays the past back by the clock, however many frames the screen shows; the training is not touched.

    Parameters
    ----------
    marks : callable
        The epochs between which `to_mark` goes.
    """

    changed = pyqtSignal(bool)
    """Whether it plays now."""

    def __init__(self, run: LiveRun, marks: Callable[[], Sequence[int]]) -> None:
        super().__init__()
        self._run, self._marks = run, marks
        self._position = 0.0
        self._then = 0.0  # when it was there
        self._held = self._moving = False
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._advance)
        run.looked.connect(self._follow)
        run.rebuilt.connect(self.pause)

    @property
    def playing(self) -> bool:
        """Whether the past is being played back."""
        return self._timer.isActive()

    def toggle(self) -> None:
        """Play back from the past epoch that is looked at, or from the beginning; or pause."""
        if self.playing:
            self.pause()
        elif self._run.epoch:
            self._look(self._run.looking_at or 0)
            self._position, self._then = float(self._run.looking_at or 0), perf_counter()
            self._timer.start()
            self.changed.emit(True)

    def pause(self) -> None:
        """Stay at the epoch that is looked at."""
        if self.playing:
            self._timer.stop()
            self.changed.emit(False)

    def hold(self, held: bool) -> None:
        """Stand still as long as the slider is in the hand."""
        self._held = held

    def step(self, by: int) -> None:
        """Look so many epochs further on, or back; after the newest it is live again."""
        self.pause()
        self._run.look_at(self._here + by)

    def to_mark(self, way: int) -> None:
        """Look at the next mark, with way -1 at the one before; beyond the last one it is live again."""
        self.pause()
        here = self._here
        if way > 0:
            self._run.look_at(min((epoch for epoch in self._marks() if epoch > here), default=None))
        else:
            self._run.look_at(max((epoch for epoch in self._marks() if epoch < here), default=0))

    @property
    def _here(self) -> int:
        run = self._run
        return run.epoch if run.looking_at is None else run.looking_at

    def _advance(self) -> None:
        now, run = perf_counter(), self._run
        passed, self._then = now - self._then, now
        if self._held:
            return
        speed = run.speed if math.isfinite(run.speed) else run.epoch / WHOLE
        self._position += speed * passed
        if self._position < run.epoch:
            self._look(int(self._position))
        elif run.settings.loop and run.epoch:
            self._position = 0.0
            self._look(0)
        else:
            self.pause()
            run.look_at(None)

    def _look(self, epoch: int) -> None:
        if epoch != self._run.looking_at:
            self._moving = True
            self._run.look_at(epoch)
            self._moving = False

    def _follow(self) -> None:
        """Go on from where something else has led; live again, there is nothing to play."""
        if self._moving or not self.playing:
            return
        if self._run.looking_at is None:
            self.pause()
        else:
            self._position = float(self._run.looking_at)
