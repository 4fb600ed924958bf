"""Trainings to be tested: new, stood still, and driven with a timeline as the worker does it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from torch import Tensor

from aeviz.core.manifolds import clean_data
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe, Timeline
from aeviz.learn.training import Training

SMALL = Settings(points=20, hidden=(6,), code=4, batch=7, noise=0.25)


def new(settings: Settings) -> Training:
    return Training(settings, clean_data(settings))


def train(training: Training, epochs: int) -> list[float]:
    """Losses of so many more epochs."""
    losses = (loss for loss in training.epochs() if loss is not None)
    return list(itertools.islice(losses, epochs))


def assert_same(one: Keyframe, other: Keyframe) -> None:
    """All of the state is the same, bit for bit."""
    assert one.epoch == other.epoch
    assert one.state.keys() == other.state.keys()
    for name, array in one.state.items():
        assert array.dtype == other.state[name].dtype
        assert array.tobytes() == other.state[name].tobytes(), name


class Still:
    """An optimiser that leaves the network as it is, so that an epoch's loss says what was in it."""

    def __init__(self) -> None:
        self.state: dict[str, Tensor] = {}
        self.steps = 0

    def step(self, gradient: Tensor, learning_rate: float) -> None:
        self.steps += 1


class StillTraining(Training):
    """A training that learns nothing."""

    optimiser: Still


def still(settings: Settings) -> StillTraining:
    training = StillTraining(settings, clean_data(settings))
    training.optimiser = Still()
    return training


def costs(training: Training, data: np.ndarray, noisy: np.ndarray) -> np.ndarray:
    """‖r(ŷ) − y‖² of each point with the weights as they are, (N,)."""
    return np.square(training.network.reconstruct(training.parameters.double(), noisy) - data).sum(axis=1)


class Recorded:
    """A run with a timeline, driven as the worker does it.

    `keyframes` are the epochs after which one is taken, `changes` the settings that are changed after
    an epoch, one after another; a keyframe of the same epoch is taken before them or after them.
    """

    def __init__(
        self,
        settings: Settings,
        epochs: int,
        keyframes: Iterable[int],
        changes: dict[int, list[dict[str, Any]]],
        keyframe_first: bool = True,
    ) -> None:
        self.timeline = Timeline()
        self.training = new(settings)
        self.states: list[Keyframe] = []
        keyframes = set(keyframes) | {0}
        running = self.training.epochs()
        for epoch in range(epochs + 1):
            if epoch:
                while next(running) is None:
                    pass
            self.states.append(self.training.keyframe())
            if keyframe_first and epoch in keyframes:
                self.timeline.add(self.training.keyframe())
            for change in changes.get(epoch, []):
                self.training.change(self.training.settings.replace(**change))
                self.timeline.note(epoch, self.training.settings)
            if not keyframe_first and epoch in keyframes:
                self.timeline.add(self.training.keyframe())
