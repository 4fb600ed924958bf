"""Drivers in this process, by a clock that the test turns, and what training itself says of their course."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from aeviz.core.clean_data import clean_data
from aeviz.core.history import Branch
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe, Timeline
from aeviz.learn.training import BREATH, Training
from aeviz.work import messages as m
from aeviz.work.driver import Driver

SMALL = Settings(points=20, hidden=(6,), code=4, batch=20, epochs=100)
LONG = SMALL.replace(batch=1, points=3 * BREATH)  # an epoch that breathes twice on its way
REST, RUN = m.Drive(playing=False, speed=math.inf), m.Drive(playing=True, speed=math.inf)


class Clock:
    """Stands still, but for `tick` at every look."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tick = 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


class Course:
    """The oracle: training itself, which knows no pace, told other settings after some epochs.

    Attributes
    ----------
    states : list of Keyframe
        After every epoch from 0 on, before what is changed there.
    losses : (E, 2) array
    """

    def __init__(self, settings: Settings, changes: Mapping[int, Settings] | None = None) -> None:
        self.settings, self._changes = settings, dict(changes or {})
        self.data = clean_data(settings)
        training, losses = Training(settings, self.data), []
        self.states, epochs = [training.keyframe()], training.epochs()
        while training.epoch < settings.epochs:
            training.change(self._changes.get(training.epoch, training.settings))
            while (loss := next(epochs)) is None:
                pass
            losses.append((loss, training.regulariser))
            self.states.append(training.keyframe())
        self.losses = np.array(losses, dtype=np.float32).reshape(-1, 2)

    def after(self, epoch: int) -> Settings:
        """In force in the next epoch."""
        return self._changes.get(epoch, self.states[epoch].settings)

    def branch(self, *keyframes: int, number: int = 1) -> Branch:
        """All of it as the window keeps it, with keyframes of epoch 0 and of these ones alone."""
        branch = Branch(number, self.settings, self.data)
        frames = (self.states[epoch] for epoch in {0, *keyframes})
        branch.timeline = Timeline(frames, sorted(self._changes.items()))
        branch.tell(0, self.losses)
        return branch


def drive(settings: Settings, **rest: Any) -> Driver:
    return Driver(m.Build(1, settings, clean_data(settings), **rest), REST)


def at(driver: Driver, drive: m.Drive) -> Driver:
    """The same, told to train or to rest."""
    driver.drive = drive
    return driver


def finish(driver: Driver) -> None:
    driver.drive = RUN
    while driver.phase() != "finished":
        driver.train()


def keyframes_of(driver: Driver) -> list[Keyframe]:
    """All that it has told of."""
    return [message.keyframe for message in driver.record if isinstance(message, m.Kept)]
