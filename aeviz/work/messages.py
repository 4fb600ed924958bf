"""What goes over the pipes between the window's process, the trainer and the observer: frozen data.

The window tells the trainer what to train and asks the observer what there is to see. The observer
asks the trainer for the state of an epoch and works out the rest itself, so that training waits for no
more than a copy of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Metrics, Quality
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe

Phase = Literal["paused", "training", "finished"]


# To the trainer


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


# To the observer


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
    measure : Settings or None
        With these (their grid, extent and threshold count), a `Judged` follows the frame.
    due : float
        By `time.monotonic`: no earlier than this is it to be answered, unless more is asked meanwhile. So
        frames keep their pace while the window is busy painting.
    """

    number: int
    epoch: int | None = None
    grid: Grid | None = None
    samples: int = 0
    cursor: tuple[float, float] | None = None
    measure: Settings | None = None
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class AskMetrics:
    """Ask for the run's numbers, measured on the grid of the first view."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the process."""


ToTrainer = Build | Change | Drive | Step | Stop
ToObserver = Ask | AskMetrics | Stop


# Between the observer and the trainer


@dataclass(frozen=True, slots=True)
class AskState:
    """Ask for the state of a past epoch, or with None of the newest; the answer is a `State` or None.

    Attributes
    ----------
    losses : (run, branch, number)
        How many losses of that branch the window has by now; they are not sent again.
    past : (run, branch, epoch, keyframe's epoch) or None
        What the observer stands at, and need not be sent again.
    """

    epoch: int | None
    losses: tuple[int, int, int] = (0, 0, 0)
    past: tuple[int, int, int, int] | None = None


# From both


@dataclass(frozen=True, slots=True)
class Ready:
    """The process has loaded torch, of this version."""

    torch_version: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is.

    Attributes
    ----------
    losses : (E,) array
        Losses of the epochs after `losses_from`; those before are known.
    """

    epoch: int
    phase: Phase
    losses_from: int
    losses: NDArray[np.float32]
    steps_per_second: float


@dataclass(frozen=True, slots=True)
class Past:
    """What brings a past epoch back: the keyframe before it and the live changes from there on.

    Attributes
    ----------
    key : (run, branch, epoch, keyframe's epoch)
    keyframe : Keyframe or None
        None where the observer has said that it stands there.
    """

    key: tuple[int, int, int, int]
    keyframe: Keyframe | None
    changes: tuple[tuple[int, Settings], ...]


@dataclass(frozen=True, slots=True)
class State:
    """The trainer's answer to `AskState`.

    Attributes
    ----------
    branch : int
        How often the run has gone back: past epochs of two branches are not the same.
    average : (size,) array or None
        The weights that are shown, of the newest epoch or of a step within the next one; None where a
        past epoch was asked for.
    past : Past or None
        Where a past epoch was asked for.
    loss : float
        Of the newest epoch.
    steps, seconds : int, float
        Steps done, and the time spent in training.
    pace : float
        Seconds a step, lately.
    """

    run: int
    branch: int
    progress: Progress
    settings: Settings
    average: NDArray[np.float32] | None
    past: Past | None
    loss: float
    steps: int
    seconds: float
    pace: float


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
        Time that the answer took the observer.
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
            Where it was not asked for with a grid. Without samples, there are none in the field.
        """
        if self.grid is None or self.displacement is None or self.ambiguity is None:
            raise ValueError("the frame was asked for without a grid")
        none = np.empty((0, 2))
        noisy = none if self.noisy is None else self.noisy
        reconstruction = none if self.reconstruction is None else self.reconstruction
        return Field(
            self.grid, self.displacement, self.ambiguity, data, noisy, reconstruction, self.epoch, self.noise
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A keyframe of the run, for the window to keep should the trainer die."""

    run: int
    keyframe: Keyframe


@dataclass(frozen=True, slots=True)
class Noted:
    """A live change took effect after `epoch`; kept beside the keyframes."""

    run: int
    epoch: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class Judged:
    """How good the network of the frame before is; it comes after, so that no frame waits for it."""

    run: int
    quality: Quality


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
class Refused:
    """The run cannot be built here; the reason is one line for the user."""

    run: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something raised in a process, which goes on; `report` is the traceback, `over` says the run ended.

    `run` is 0 where it is no run's.
    """

    report: str
    over: bool = True
    run: int = 0


@dataclass(frozen=True, slots=True)
class Alive:
    """Said every second, however long a step takes: a process that does not say it hangs."""


@dataclass(frozen=True, slots=True)
class Died:
    """A process is gone (said by the client)."""

    exit_code: int | None
    process: str = "trainer"


FromWorker = Ready | Alive | Frame | Judged | Kept | Noted | Measured | Diverged | Refused | Failed | Died
