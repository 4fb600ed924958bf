"""What goes over the pipe between the window's process and the worker: frozen data, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Metrics
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe

SLICE = 0.003  # seconds of training between two looks into the pipe: short beside a frame of 16 ms
Phase = Literal["paused", "training", "finished"]


# To the worker


@dataclass(frozen=True, slots=True)
class Build:
    """Make data and network anew and forget the run before; `run` numbers it.

    With keyframes and changes of an earlier run, go on from its last keyframe.
    """

    run: int
    settings: Settings
    keyframes: tuple[Keyframe, ...] = ()
    changes: tuple[tuple[int, Settings], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Live settings, from the next epoch on."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class Drive:
    """Train or rest; `speed` is in epochs per second and may be infinite."""

    playing: bool
    speed: float


@dataclass(frozen=True, slots=True)
class Step:
    """Train one epoch and rest."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for a frame; the answer carries the same `number`.

    Attributes
    ----------
    epoch : int or None
        A past epoch, or None for the newest.
    grid : Grid or None
        Where the field is wanted; None for progress alone.
    samples : int
        Every how many-th noisy point is wanted with its reconstruction; 0 for none.
    cursor : (x, y) or None
        One more place, answered exactly.
    """

    number: int
    epoch: int | None = None
    grid: Grid | None = None
    samples: int = 0
    cursor: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class AskMetrics:
    """Ask for the run's numbers, measured on the grid of the first view."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the process."""


ToWorker = Build | Change | Drive | Step | Ask | AskMetrics | Stop


# From the worker


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded torch, of this version, and can build."""

    torch_version: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is.

    Attributes
    ----------
    losses : (E,) array
        Losses of the epochs after `losses_from`, which have not been sent before.
    """

    epoch: int
    phase: Phase
    losses_from: int
    losses: NDArray[np.float32]
    steps_per_second: float


@dataclass(frozen=True, slots=True)
class Frame:
    """The answer to an `Ask`.

    Attributes
    ----------
    epoch : int
        The epoch that is shown; the nearest one recorded where the exact one would take too long.
    settings : Settings
        In force in that epoch.
    displacement, ambiguity : (H, W, 2) and (H, W) arrays or None
    noisy, reconstruction : (M, 2) arrays or None
    place : (x, y) or None
        The cursor that was asked about.
    seconds : float
        Time that the answer took the worker.
    cursor : (dx, dy, ambiguity) or None
    """

    number: int
    run: int
    progress: Progress
    epoch: int
    settings: Settings
    grid: Grid | None = None
    displacement: FloatArray | None = None
    ambiguity: FloatArray | None = None
    noisy: FloatArray | None = None
    reconstruction: FloatArray | None = None
    place: tuple[float, float] | None = None
    cursor: tuple[float, float, float] | None = None
    seconds: float = 0.0

    @property
    def noise(self) -> float:
        """σ in that epoch."""
        return self.settings.noise

    def field(self, data: FloatArray) -> Field:
        """Put the frame and the clean points together.

        Raises
        ------
        ValueError
            Where it was not asked for with a grid and samples.
        """
        if self.grid is None or self.displacement is None or self.ambiguity is None:
            raise ValueError("the frame was asked for without a grid")
        if self.noisy is None or self.reconstruction is None:
            raise ValueError("the frame was asked for without samples")
        return Field(
            self.grid, self.displacement, self.ambiguity, data, self.noisy, self.reconstruction,
            self.epoch, self.noise,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A keyframe of the run, for the window to keep should the worker die."""

    run: int
    keyframe: Keyframe


@dataclass(frozen=True, slots=True)
class Noted:
    """A live change took effect after `epoch`; kept beside the keyframes."""

    run: int
    epoch: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class Measured:
    """The answer to `AskMetrics`."""

    run: int
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Diverged:
    """Training stopped; the run stands at its last good epoch."""

    run: int
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something raised in the worker, which goes on; `report` is the traceback, `over` says the run ended."""

    report: str
    over: bool = True


@dataclass(frozen=True, slots=True)
class Alive:
    """Said every second, however long a step takes: a worker that does not say it hangs."""


@dataclass(frozen=True, slots=True)
class Died:
    """The process is gone (said by the client, not by the worker)."""

    exit_code: int | None


FromWorker = Ready | Alive | Frame | Kept | Noted | Measured | Diverged | Failed | Died
