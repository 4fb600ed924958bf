"""The training loop: a plain generator of epochs, deterministic given settings and seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe, Timeline
from aeviz.learn.network import Network
from aeviz.learn.optimisers import OPTIMISERS, Optimiser
from aeviz.learn.step import BatchGradient

AVERAGING = 8.0  # the displayed average reaches back over this fraction, 1/8, of the steps so far
LEAST = 1e-4  # weight of the newest step in the average: in float32 a smaller one would be lost
BREATH = 16  # steps after which a long epoch lets its caller answer messages; large steps, fewer
_BREATH_WORK = 20_000_000  # products of parameters and points between two such moments: about 2 ms
EXPLODED = 1e6  # times the data's mean square, or 1: about what an untrained network's loss is
_LARGE = 1e3  # times the same: from such a loss one step may break the weights


class DivergedError(ArithmeticError):
    """The loss is not finite or has exploded; the text says what to lower."""


class Training:
    """A network in training on given clean points.

    The state after epoch n depends on the settings, the data and the live changes alone: all
    randomness of an epoch comes from (seed, epoch).

    Attributes
    ----------
    epoch : int
        Epochs done.
    steps : int
        Steps done by this object.
    parameters, average : (size,) tensors
        The weights that are trained, and their running average, which is what is shown: at constant
        learning rate it has about a tenth of their excess risk (Polyak and Juditsky 1992).
    """

    def __init__(self, settings: Settings, data: FloatArray) -> None:
        self.settings = settings
        self.network = Network.of(settings)
        self.data = data.T.astype(np.float32)  # (2, N)
        self.epoch = self.steps = 0
        self._loss = np.array(math.nan)
        self.random = torch.Generator()
        self._scale = max(1.0, float(np.square(data).sum(axis=1).mean()))
        self.random.manual_seed(_scrambled(settings.seed) ^ 0xFFFFFFFF)
        self.parameters = self.network.initial(data, self.random)
        self.average = self.parameters.clone()
        self._averaged = np.zeros(())  # steps in the average
        self._noise = np.array(settings.noise)  # σ of those steps
        self.optimiser: Optimiser = OPTIMISERS[settings.optimiser](self.network.size)
        self._make_batch(settings.batch)
        self._begun: Settings | None = None  # with which the last epoch began

    @property
    def loss(self) -> float:
        """Mean cost per point over the last epoch; NaN before the first."""
        return float(self._loss)

    def change(self, settings: Settings) -> None:
        """Let live settings take effect from the next epoch on."""
        self.settings = settings

    def epochs(self) -> Iterator[float | None]:
        """Train for ever; yield the loss after each epoch, and None now and then within a long one.

        Yields
        ------
        float or None
            Mean cost per point over the epoch, in data units squared.

        Raises
        ------
        DivergedError
            When the loss is not finite or has exploded; `replay` brings the last good state back.
        """
        while True:
            settings = self.settings  # a change within the epoch waits for the next one
            if settings is not self._begun:
                self._begin(settings)
            batch, points = settings.batch, self.data.shape[1]
            steps = max(1, -(-points // batch))
            self.random.manual_seed((_scrambled(settings.seed) + self.epoch) & 0xFFFFFFFF)
            order = self._order(steps, batch)
            breath = max(1, min(BREATH, _BREATH_WORK // (batch * self.network.size)))
            total = 0.0
            for step in range(steps):
                if step and step % breath == 0:
                    yield None
                chosen = None if order is None else order[step * batch : (step + 1) * batch]
                total += self._step(settings, chosen)
            loss = total / (steps * batch)
            self._check(loss, settings)
            self._loss.fill(loss)
            self.epoch += 1
            yield self.loss

    def _begin(self, settings: Settings) -> None:
        self._begun = settings
        if settings.batch != self._gradient.clean.shape[1]:
            self._make_batch(settings.batch)
        if float(self._noise) != settings.noise:
            self._averaged.fill(0.0)  # what is averaged now would only hold the new field back
            self._noise.fill(settings.noise)

    def _make_batch(self, batch: int) -> None:
        self._gradient = BatchGradient(self.network, self.parameters, batch)
        self._eps = torch.empty(2, batch)
        self._sigma_eps = self._eps.numpy()
        if batch == self.data.shape[1]:
            self._gradient.clean[...] = self.data  # once, as every batch is all of the data

    def _order(self, steps: int, batch: int) -> Tensor | None:
        """Which point goes into which slot of the epoch: each once, then again until all are full."""
        points, slots = self.data.shape[1], steps * batch
        if batch == points:
            return None  # one full batch: the mean over it has no order
        repeats = -(-slots // points)
        return torch.cat([torch.randperm(points, generator=self.random) for _ in range(repeats)])[:slots]

    def _step(self, settings: Settings, chosen: Tensor | None) -> float:
        gradient = self._gradient
        if chosen is not None:
            np.take(self.data, chosen.numpy(), axis=1, out=gradient.clean)
        self._eps.normal_(generator=self.random)
        np.multiply(self._sigma_eps, settings.noise, out=self._sigma_eps)  # in the memory of ε
        np.add(gradient.clean, self._sigma_eps, out=gradient.noisy)  # ŷ = y + σε
        cost = gradient()
        self.optimiser.step(self.parameters, gradient.gradient, settings.learning_rate)
        self._averaged += 1.0
        self.average.lerp_(self.parameters, min(1.0, max(LEAST, AVERAGING / float(self._averaged))))
        self.steps += 1
        return cost

    def _check(self, loss: float, settings: Settings) -> None:
        if loss <= _LARGE * self._scale:
            return
        # What the last step did to the weights is not in the loss yet. Written so that NaN fails it.
        if not (loss <= EXPLODED * self._scale and self.parameters.isfinite().all()):
            raise DivergedError(
                f"the loss {'exploded' if loss > 0 else 'is not a number'} in epoch {self.epoch + 1}: "
                f"lower the learning rate (it is {settings.learning_rate:g}) and go on"
            )

    def keyframe(self) -> Keyframe:
        """Copy the whole state out."""
        return Keyframe(
            self.epoch, self.settings, {name: array.copy() for name, array in self._state().items()}
        )

    def restore(self, frame: Keyframe) -> None:
        """Go back to a keyframe of this training."""
        self.change(frame.settings)
        self.epoch, self._begun = frame.epoch, None
        for name, array in self._state().items():
            array[...] = frame.state[name]

    def replay(self, timeline: Timeline, epoch: int) -> None:
        """Bring back the exact state after `epoch`: the keyframe before it, then the epochs between.

        Stops at the last good epoch where the training diverges before `epoch`.
        """
        self.restore(timeline.before(epoch))
        epochs = self.epochs()
        try:
            while self.epoch < epoch:
                changed = timeline.change_after(self.epoch)
                if changed is not None:
                    self.change(changed)
                while next(epochs) is None:
                    pass
        except DivergedError:
            self.replay(timeline, self.epoch)

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            "parameters": self.parameters.numpy(),
            "average": self.average.numpy(),
            "averaged": self._averaged,
            "noise": self._noise,
            "loss": self._loss,
            **{name: tensor.numpy() for name, tensor in self.optimiser.state.items()},
        }


def _scrambled(seed: int) -> int:
    """Spread neighbouring seeds over 32 bits (the finaliser of MurmurHash3), so that runs share no epoch."""
    h = (seed + 0x9E3779B9) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ (h >> shift)) * factor) & 0xFFFFFFFF
    return h ^ (h >> 16)
