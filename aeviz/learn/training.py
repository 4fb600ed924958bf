"""The training loop: a plain generator of epochs, deterministic given settings and seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aeviz.core.clean_data import CleanData
from aeviz.core.settings import SPECS, Settings
from aeviz.core.timeline import Changes, Keyframe
from aeviz.learn.corruption import DRAWS, Nearest, corruption_of, frozen_eps
from aeviz.learn.gradient import gradient_of
from aeviz.learn.loss import Loss
from aeviz.learn.network import Network
from aeviz.learn.optimisers import OPTIMISERS, Optimiser

AVERAGING = 4.0  # the displayed average reaches back over this fraction, 1/4, of the steps so far
LEAST = 1e-4  # weight of the newest step in the average: in float32 a smaller one would be lost
FALL = 1_000.0  # steps after which a falling rate is half of what it was at first
LOWEST = 1.0 / 30.0  # of the first rate: a run can always follow when the noise is changed
BREATH = 16  # steps after which a long epoch lets its caller answer messages; large steps, fewer
_BREATH_WORK = 20_000_000  # products of parameters and points between two such moments: about 2 ms
EXPLODED = 1e6  # times the data's mean square, that of the noise, or 1: about what an untrained one's cost is
_LARGE = 1e3  # times the same: from such a loss one step may break the weights


class DivergedError(ArithmeticError):
    """The loss is not finite or has exploded; the text says what to lower."""


class DeviceError(RuntimeError):
    """The settings ask for a device that torch does not see; the text says what to do."""


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
        The weights that are trained, and their running average, which is what is shown: it has about a
        tenth of their excess risk (Polyak and Juditsky 1992).
    """

    def __init__(self, settings: Settings, clean: CleanData) -> None:
        device = _device(settings.device)
        self.settings, self._data, data = settings, clean, clean.points
        self.network = Network.of(settings, data)
        own = ((data - self.network.centre) / self.network.unit).astype(np.float32)
        self.data = np.ascontiguousarray(own.T)  # (2, N), in the network's coordinates
        self._spread = float(np.square(data - data.mean(axis=0)).sum(axis=1).mean())
        self._noise = settings.noise
        self.epoch = self.steps = 0
        self.loss = math.nan
        """Mean loss per point over the last epoch, in data units squared or nats; NaN before the first."""
        self.regulariser = 0.0
        """What λ R(h) has of it."""
        self.random = torch.Generator()
        self._seed = _scrambled(settings.seed)
        self.random.manual_seed(self._seed ^ 0xFFFFFFFF)
        self.parameters = self.network.initial(data, self.random).to(device)
        self.average = self.parameters.clone()
        self._before, self._steps_before = self.average.clone(), 0  # the epoch in progress
        self.within = False
        """Whether it rests in the middle of a long epoch."""
        self.optimiser: Optimiser = OPTIMISERS[settings.optimiser](self.parameters)
        self._taken = 0  # steps since the beginning, from which the rate falls
        self._target = _target(settings)
        self._since = 0  # steps since the optimum last moved, which are averaged
        self._make_batch(settings)
        self._begun: Settings | None = None  # with which the last epoch began

    def change(self, settings: Settings) -> None:
        """Let live settings take effect from the next epoch on."""
        self.settings = settings

    def epochs(self) -> Iterator[float | None]:
        """Train for ever; yield the loss after each epoch, and None now and then within a long one.

        Yields
        ------
        float or None
            Mean loss per point over the epoch.

        Raises
        ------
        DivergedError
            When the loss is not finite or has exploded; the weights may be so too.
        """
        while True:
            if self.settings is not self._begun:  # a change within an epoch waits for the next one
                self._begin(self.settings)
            self.random.manual_seed((self._seed + self.epoch) & 0xFFFFFFFF)
            total = penalty = 0.0
            if self._steps > self._breath:
                self._before.copy_(self.average)
                self._steps_before, self.within = self.steps, True
            for step, chosen in enumerate(self._order()):
                if step and step % self._breath == 0:
                    if not math.isfinite(total):
                        self._check(total, penalty)
                    yield None
                total += self._step(chosen)
                penalty += self._gradient.penalty
            loss, regulariser = total * self._per_slot, penalty * self._per_slot
            self._check(loss, regulariser)
            self.loss, self.regulariser = loss, regulariser
            self.epoch += 1
            self.within = False
            yield loss

    def _begin(self, settings: Settings) -> None:
        self._begun = settings
        if (settings.batch, settings.target) != self._batch_is:
            self._make_batch(settings)
        self._draw, self._frozen = DRAWS[settings.noise_kind], None
        if settings.noise_draw == "frozen":
            self._frozen = frozen_eps(settings, self.data.shape[1])
        self._corrupt = corruption_of(settings, self.network, self._data)
        self._gradient.strength = Loss.of(settings, self.network).strength
        self._rate, self._falls = settings.learning_rate, settings.schedule == "falling"
        self._noise = settings.noise
        if self._target != _target(settings):
            self._target = _target(settings)
            self._since = 0  # what is averaged now would only hold the new field back

    def _make_batch(self, settings: Settings) -> None:
        self._batch, self._batch_is = settings.batch, (settings.batch, settings.target)
        loss = Loss.of(settings, self.network)
        self._gradient = gradient_of(self.network, loss, self.parameters, self._batch)
        points = self.data.shape[1]
        self._steps = max(1, -(-points // self._batch))
        self._per_slot = self.network.unit**2 / (self._steps * self._batch)
        self._breath = max(1, min(BREATH, _BREATH_WORK // (self._batch * self.network.size)))
        # (2, B) or (2, K, b); ε itself is drawn as (2, B), however the batch is divided.
        self._clean, self._noisy = (
            np.moveaxis(points, -2, 0) for points in (self._gradient.clean, self._gradient.noisy)
        )
        self._eps_drawn = torch.empty(2, self._batch)
        self._eps = self._eps_drawn.numpy().reshape(self._clean.shape)
        self._code_eps = torch.from_numpy(self._gradient.code_eps)  # (d, B) where the code is sampled
        # The point in each slot, step by step.
        slots = np.arange(self._steps * self._batch) % points
        self._slots: NDArray[np.int64] = slots.reshape(self._steps, *self._clean.shape[1:])
        self._nearest = Nearest(self.data) if settings.target == "nearest" else None
        # The points that are corrupted; where they are the targets too, in the same memory.
        self._origin = self._clean if self._nearest is None else np.empty_like(self._clean)
        if self._batch == points:
            self._origin[...] = self.data.reshape(self._origin.shape)  # once: every batch is all of the data

    def _order(self) -> Iterable[NDArray[np.int64] | None]:
        """Which point goes into which slot, step by step: each once, then again until all slots are full."""
        points, slots = self.data.shape[1], self._steps * self._batch
        if self._batch == points:
            return (None,)  # one full batch: the mean over it has no order
        whole, order = slots - slots % points, self._slots.reshape(-1)
        if self._steps > 1:  # else all of it is one batch, which has no order
            order[:whole] = torch.randperm(points, generator=self.random).numpy()
        if whole < slots:
            order[whole:] = torch.randperm(points, generator=self.random).numpy()[: slots - whole]
        return self._slots

    def _step(self, chosen: NDArray[np.int64] | None) -> float:
        gradient, eps = self._gradient, self._eps
        if chosen is not None:
            np.take(self.data, chosen, axis=1, out=self._origin, mode="clip")
        if self._frozen is None:
            self._draw(self._eps_drawn, self.random)
        elif chosen is None:
            eps[...] = self._frozen.reshape(eps.shape)
        else:
            np.take(self._frozen, chosen, axis=1, out=eps, mode="clip")
        self._corrupt(self._origin, eps, self._noisy)  # ŷ, of additive noise y + σε
        if self.network.sampled:
            self._code_eps.normal_(generator=self.random)
        if self._nearest is not None:
            self._nearest(self._noisy, self._clean)
        total = gradient()
        rate = self._rate * max(LOWEST, FALL / (FALL + self._taken)) if self._falls else self._rate
        self.optimiser.step(gradient.gradient, rate)
        self._taken += 1
        self._since += 1
        self.average.lerp_(self.parameters, min(1.0, max(LEAST, AVERAGING / self._since)))
        self.steps += 1
        return total

    def _check(self, loss: float, regulariser: float) -> None:
        """Raise DivergedError where the cost C has exploded; of λ R nobody knows how large it is at first."""
        cost, scale = loss - regulariser, self.scale
        if cost <= _LARGE * scale and regulariser <= _LARGE * scale:
            return
        # What the last step did to the weights is not in the loss yet. Written so that NaN fails it.
        if not (cost <= EXPLODED * scale and self.parameters.isfinite().all()):
            raise DivergedError(
                f"the loss {'exploded' if loss > 0 else 'is not a number'} in epoch {self.epoch + 1}: "
                f"lower the learning rate (it is {self._rate:g}) and go on"
            )

    @property
    def scale(self) -> float:
        """About what the cost C of an untrained network is at most, in the cost's units."""
        return max(self.network.unit**2, self._spread, self._noise**2)

    @property
    def finished(self) -> tuple[Tensor, int]:
        """The average, and the number of steps, when the last epoch was finished."""
        return (self._before, self._steps_before) if self.within else (self.average, self.steps)

    def keyframe(self) -> Keyframe:
        """Copy the whole state out."""
        state = {name: tensor.cpu().numpy().copy() for name, tensor in self._tensors().items()}
        numbers = {"taken": self._taken, "since": self._since, "target": self._target, "loss": self.loss}
        numbers["regulariser"] = self.regulariser
        return Keyframe(self.epoch, self.settings, state | {n: np.array(v) for n, v in numbers.items()})

    def restore(self, frame: Keyframe) -> None:
        """Go back to a keyframe of this training."""
        self.change(frame.settings)
        self.epoch, self._begun, self.within = frame.epoch, None, False
        for name, tensor in self._tensors().items():
            tensor.copy_(torch.tensor(frame.state[name]))
        self._taken, self._since = int(frame.state["taken"]), int(frame.state["since"])
        self.loss, self.regulariser = float(frame.state["loss"]), float(frame.state["regulariser"])
        self._target = tuple(map(float, frame.state["target"]))

    def _tensors(self) -> dict[str, Tensor]:
        return {"parameters": self.parameters, "average": self.average, **self.optimiser.state}

    def replay(self, changes: Changes, epoch: int) -> Iterator[None]:
        """Go on to an epoch as the training did that made these live changes; rest now and then.

        Raises
        ------
        DivergedError
            As `epochs` does.
        """
        due, epochs = dict(changes), self.epochs()
        while self.epoch < epoch:
            if self.epoch in due:
                self.change(due[self.epoch])
            while next(epochs) is None:
                yield
            yield


def _target(settings: Settings) -> tuple[float, ...]:
    """What can be changed live and moves the optimum, as numbers for a keyframe."""
    names = ("noise_kind", "target", "noise_draw")
    chosen = (float(SPECS[name].choices.index(getattr(settings, name))) for name in names)
    return settings.noise, settings.strength if settings.regulariser != "none" else 0.0, *chosen


def _device(name: str) -> torch.device:
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts that it has it
        why = str(error).splitlines()[0].rstrip(".")
        raise DeviceError(f"--device cannot be {name!r}: {why}; use --device cpu") from error
    return torch.device(name)


def _scrambled(seed: int) -> int:
    """Spread neighbouring seeds over 32 bits (the finaliser of MurmurHash3), so that runs share no epoch."""
    h = (seed + 0x9E3779B9) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ (h >> shift)) * factor) & 0xFFFFFFFF
    return h ^ (h >> 16)
