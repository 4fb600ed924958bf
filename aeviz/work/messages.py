"""What goes over the pipes between the window's process, the trainer and the observer: frozen data.

The window tells the trainer what to train and asks the observer what there is to see. The observer
asks the trainer for its newest state, brings past epochs back by itself, and works out the rest, so that
training waits for no more than a copy of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aeviz.core.clean_data import CleanData
from aeviz.core.code import CodeView
from aeviz.core.field import ExactField, Field, Grid
from aeviz.core.history import Branch
from aeviz.core.marks import NO_MARKS, Marks, Point
from aeviz.core.metrics import Metrics, NoiseCurve, Quality
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.core.timeline import NO_PLAN, Changes, Keyframe, Plan

Phase = Literal["paused", "returning", "training", "finished"]
"""Returning: replaying what was trained before, up to where the run stood."""


# To the trainer


@dataclass(frozen=True, slots=True)
class Build:
    """Begin a run on these data and forget the one before; `run` numbers it.

    With a keyframe, return first to `epoch` by way of the live changes since. With a plan, follow it then, as
    fast as can be, and rest. After both, `settings` hold; with a plan, those of `begins` do until then.
    """

    run: int
    settings: Settings
    data: CleanData
    keyframe: Keyframe | None = None
    changes: Changes = ()
    epoch: int = 0
    plan: Plan = NO_PLAN
    begins: Settings | None = None

    @classmethod
    def of(cls, run: int, settings: Settings, branch: Branch, epoch: int | None = None) -> Build:
        """Go on after an epoch of a branch, the newest one by default; begin it where it has none."""
        timeline, epoch = branch.timeline, branch.epoch if epoch is None else epoch
        plan = branch.plan.after(epoch - 1)
        begins = branch.settings.drawn_as(settings) if plan.until > epoch else None
        if not len(timeline):
            return cls(run, settings, branch.data, plan=plan, begins=begins)
        frame = timeline.before(epoch)
        changes = timeline.changes_between(frame.epoch, epoch)
        return cls(run, settings, branch.data, frame, changes, epoch, plan, begins)


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
class Origin:
    """What a course of training began with."""

    settings: Settings
    data: CleanData


@dataclass(frozen=True, slots=True)
class Past:
    """A past epoch, and what brings it back: the keyframe before it and the live changes from there on.

    Attributes
    ----------
    course : (int, int)
        Of which course of training; its past never changes.
    keyframe : Keyframe or None
        None where the last `Past` of this kind had the same one.
    origin : Origin or None
        None where the last `Past` of this kind was of the same course, or the course is the run's.
    """

    course: tuple[int, int]
    epoch: int
    keyframe: Keyframe | None
    changes: Changes
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for a frame; the answer carries the same `number`.

    Attributes
    ----------
    view : Settings
        How the answer is to be drawn: only what that takes is worked out.
    past : Past or None
        A past epoch, or None for the newest.
    beside : Past or None
        An epoch of another course whose field is wanted as well.
    grid : Grid or None
        Where the field is wanted; None for progress alone.
    samples : int
        Every how many-th noisy point is wanted with its reconstruction; 0 for none.
    cursor, probe, cloud : (x, y) or None
        Places about which more is to be told.
    whole : bool
        Whether the exact field is wanted in any case, and no sketch of it: for a file. The answer may
        take long, others may come before it, and what it says of the progress is not counted as told.
    measure : bool
        Whether a `Judged` is to follow the frame.
    due : float
        By `time.monotonic`: no earlier than this is it to be answered, unless more is asked meanwhile. So
        frames keep their pace while the window is busy painting.
    run : int
        Which run the question is about: of another one it gets an empty answer. 0 for whichever there is.
    """

    number: int
    view: Settings
    past: Past | None = None
    beside: Past | None = None
    grid: Grid | None = None
    samples: int = 0
    cursor: Point | None = None
    probe: Point | None = None
    cloud: Point | None = None
    whole: bool = False
    measure: bool = False
    due: float = 0.0
    run: int = 0


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
    """Ask for the run's newest state; the answer is a `State` or None.

    Attributes
    ----------
    losses : (run, branch, number)
        How many losses of that branch the window has by now; they are not sent again.
    run : int
        Whose data the observer has.
    finished : bool
        Whether the weights are wanted as the last finished epoch left them, for a file, not as they are in
        the middle of a long one.
    """

    losses: tuple[int, int, int] = (0, 0, 0)
    run: int = 0
    finished: bool = False


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
    losses : (E, 2) array
        Losses C + λ R of the epochs after `losses_from`, and what λ R has of them; those before are known.
    """

    epoch: int
    phase: Phase
    losses_from: int
    losses: NDArray[np.float32]
    steps_per_second: float


@dataclass(frozen=True, slots=True)
class State:
    """The trainer's answer to `AskState`.

    Attributes
    ----------
    branch : int
        How often the run has gone back: losses of two branches are not the same.
    average : (size,) array
        The weights that are shown, of the newest epoch or of a step within the next one.
    loss, regulariser : float
        Of the newest epoch; the second is a part of the first.
    steps, seconds : int, float
        Steps done, and the time spent in training.
    data : CleanData or None
        None where the observer has them.
    """

    run: int
    branch: int
    progress: Progress
    settings: Settings
    average: NDArray[np.float32]
    loss: float
    regulariser: float
    steps: int
    seconds: float
    data: CleanData | None


@dataclass(frozen=True, slots=True)
class Frame:
    """The answer to an `Ask`.

    Attributes
    ----------
    epoch : int
        The epoch that is shown; the nearest one recorded until the one that was asked for is brought back.
    settings : Settings
        In force in that epoch.
    field : Field or None
        Without the clean points, which the window has, and, unless the whole was asked for, without the
        exact field, which comes before as `Exact` where the window has not got it.
    seconds : float
        Time that the answer took the observer.
    beside : Field or None
        That of another course, where it was asked for: with its clean points and the exact field that is
        drawn, without noisy points.
    average : (P,) array or None
        The averaged weights of the shown epoch, where the whole was asked for.
    """

    number: int
    run: int
    progress: Progress
    epoch: int
    settings: Settings
    field: Field | None = None
    marks: Marks = NO_MARKS
    seconds: float = 0.0
    beside: Field | None = None
    average: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Exact:
    """The exact field, where it has changed; `optimum` are the settings' that it belongs to."""

    run: int
    optimum: tuple[object, ...]
    field: ExactField


@dataclass(frozen=True, slots=True)
class Brought:
    """A past epoch that was asked for, or what is beside it, can be shown exactly now."""

    run: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """The geometric midline of a run's curve."""

    run: int
    midline: Midline


@dataclass(frozen=True, slots=True)
class Kept:
    """A keyframe of the run, for the window to keep."""

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
    """How good the network of the frame before is, and what the panel plots of it.

    It comes after the frame, so that no frame waits for it; what was not asked for is None.
    """

    run: int
    quality: Quality
    code: CodeView | None = None
    over_noise: NoiseCurve | None = None


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
class ObserverForked:
    """The trainer's process has forked the observer's, or could not (pid is None)."""

    pid: int | None


@dataclass(frozen=True, slots=True)
class ObserverEnded:
    """The observer that the trainer's process has forked is gone (said by the trainer's)."""

    exit_code: int


@dataclass(frozen=True, slots=True)
class Died:
    """A process is gone (said by the client)."""

    exit_code: int | None
    process: str = "trainer"


FromWorker = (
    Ready
    | Alive
    | ObserverForked
    | ObserverEnded
    | Frame
    | Exact
    | Brought
    | Geometry
    | Judged
    | Kept
    | Noted
    | Measured
    | Diverged
    | Refused
    | Failed
    | Died
)
