"""Trainings to be tested: new, stood still, recorded on a timeline, and brought back from it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import DISCRETE
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import SPECS, Settings
from aeviz.core.timeline import Keyframe, Timeline
from aeviz.learn.training import Training

SMALL = Settings(points=20, hidden=(6,), code=4, batch=7, noise=0.25)
ADDED = tuple(kind for kind in SPECS["noise_kind"].choices if kind not in DISCRETE)
"""Kinds of noise that are added to a point; the others corrupt its coordinates."""


def points_of(settings: Settings) -> FloatArray:
    """The clean points of these settings, (N, 2)."""
    return clean_data(settings).points


def new(settings: Settings) -> Training:
    return Training(settings, clean_data(settings))


def train(training: Training, epochs: int) -> list[float]:
    """Losses of so many more epochs."""
    losses = (loss for loss in training.epochs() if loss is not None)
    return list(itertools.islice(losses, epochs))


def bring_back(training: Training, timeline: Timeline, epoch: int) -> None:
    """Go to a past epoch: the keyframe before it, then a replay to its end."""
    frame = timeline.before(epoch)
    training.restore(frame)
    for _ in training.replay(timeline.changes_between(frame.epoch, epoch), epoch):
        pass


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


class Batch(NamedTuple):
    """What one step had, each (2, B): the points that were corrupted, what became of them, the targets."""

    origin: NDArray[np.float32]
    noisy: NDArray[np.float32]
    clean: NDArray[np.float32]


class Watched(StillTraining):
    """A training that learns nothing and keeps its batches, as its gradient had them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, clean_data(settings))
        self.optimiser, self.seen = Still(), list[Batch]()
        self.code_eps: list[NDArray[np.float32]] = []  # of each step, (d, B), where the code is sampled

    def _step(self, chosen: NDArray[np.int64] | None) -> float:
        total = super()._step(chosen)
        noisy, clean = (np.moveaxis(each, -2, 0) for each in (self._gradient.noisy, self._gradient.clean))
        self.seen.append(Batch(*(each.reshape(2, -1).copy() for each in (self._origin, noisy, clean))))
        self.code_eps.append(self._gradient.code_eps.copy())
        return total


def watched(settings: Settings, epochs: int) -> list[Batch]:
    training = Watched(settings)
    train(training, epochs)
    return training.seen


def costs(training: Training, data: np.ndarray, noisy: np.ndarray) -> np.ndarray:
    """‖r(ŷ) − y‖² of each point with the weights as they are, (N,)."""
    return np.square(training.network.reconstruct(training.parameters.double(), noisy) - data).sum(axis=1)


class Recorded:
    """A run with a timeline of its own keyframes, sparse ones perhaps, and its state after every epoch.

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
        self.training = new(settings)
        self.states: list[Keyframe] = []
        keyframes = set(keyframes) | {0}
        frames, noted = list[Keyframe](), Timeline()
        running = self.training.epochs()
        for epoch in range(epochs + 1):
            if epoch:
                while next(running) is None:
                    pass
            self.states.append(self.training.keyframe())
            if keyframe_first and epoch in keyframes:
                frames.append(self.training.keyframe())
            for change in changes.get(epoch, []):
                self.training.change(self.training.settings.replace(**change))
                noted.note(epoch, self.training.settings)
            if not keyframe_first and epoch in keyframes:
                frames.append(self.training.keyframe())
        self.timeline = Timeline(frames, noted.changes)  # which `add` would let keep those alone that are due
