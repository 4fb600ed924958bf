"""The run that the window shows: what trainer and observer say as Qt signals, one question at a time.

What they say of the training goes into its `History`, from which they are told what they need to bring
the past back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.code import CodeView
from aeviz.core.events import Event, Losses
from aeviz.core.field import Grid
from aeviz.core.history import MEGABYTE, Branch, History
from aeviz.core.marks import Point
from aeviz.core.metrics import NoiseCurve, Quality
from aeviz.core.midline import Midline
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings, applies
from aeviz.core.timeline import NO_PLAN
from aeviz.figure.overlays import Lines
from aeviz.figure.panel import stride
from aeviz.work import messages as m
from aeviz.work.client import Client
from aeviz.work.pasts import Pasts
from aeviz.work.record import record

FRAME = 16  # ms between two frames
MEASURE_EVERY = 0.2  # seconds between two measurements while training: each takes the observer 2 ms
PATIENCE = 4.0  # seconds without a sign of life until a process counts as stuck
LOADING = 60.0  # the same while it loads torch, which may hold all its threads
SHARE = 2.0  # times the last answer's time to the next one: the observer shares a core with the window


class LiveRun(QObject):
    """Trains in processes of its own and answers what the window wants to see.

    A frame is asked for, never pushed, and the next question waits for the answer to the last, so a
    slow screen never slows training and a slow network never freezes the window.
    """

    ready = pyqtSignal(str)
    """Trainer and observer have loaded torch, of this version."""
    rebuilt = pyqtSignal()
    """Another branch is trained now, of other data perhaps: all that was shown is of the one before."""
    looked = pyqtSignal()
    """`looking_at` is another epoch, or the newest again."""
    framed = pyqtSignal(object, object)
    """(Frame, Field): the newest answer."""
    judged = pyqtSignal()
    """`quality`, `code` and `over_noise` are those of the newest frame that was measured."""
    diverged = pyqtSignal(str)
    refused = pyqtSignal(str)
    """The run cannot be built here: why, in one line."""
    failed = pyqtSignal(str)
    """A traceback from one of the processes, which goes on."""
    died = pyqtSignal(str)
    """A process is gone or stuck; the text says which."""
    _received = pyqtSignal(object, object)

    def __init__(self, settings: Settings, listen: Callable[[Event], object] | None = None) -> None:
        super().__init__()
        self.settings = settings
        self._listen = listen
        self.history = History(listen)
        self.history.memory = settings.history * MEGABYTE
        self.history.begin(settings, clean_data(settings))
        self._pasts = Pasts()
        self.beside: int | None = None  # the branch that is shown beside the current one
        self._rested = False  # because the past is looked at
        self.playing = True
        self.speed = self._paced = 120.0  # and the one to return to from "unlimited"
        self.looking_at: int | None = None  # a past epoch, or None for the newest
        self.phase: m.Phase = "paused"
        self.steps_per_second = 0.0
        self.quality = Quality()  # of the shown epoch, as last measured
        self.code: CodeView | None = None
        self.over_noise: NoiseCurve | None = None
        self.midline: Midline | None = None  # the geometric one
        self.cursor: Point | None = None
        self.probe: Point | None = None
        self.cloud: Point | None = None
        self._exact: m.Exact | None = None
        self._measured = 0.0  # when, and what
        self._measured_is: object = None
        self._ticked = 0.0  # when it was last looked whether the processes live
        self._run = 0
        self._client: Client | None = None
        self._ready = self._lost = self._built = False
        self._asked: int | None = None  # the open question
        self._due = self._pause = 0.0  # when the last question was to be answered; seconds to the next
        self._number = 0
        self._grid: Callable[[], Grid] = lambda: Grid.home(self.settings, self.data)
        self._stale = True  # what is on the screen is not what should be
        self._exports: dict[int, Callable[[m.Frame | str], None]] = {}
        # Queued, because the messages come in the reading thread.
        self._received.connect(self._handle, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    # What the window may ask

    @property
    def branch(self) -> Branch:
        """What is trained."""
        return self.history.current

    @property
    def branch_beside(self) -> Branch | None:
        """What is shown beside it; the history may have forgotten it for want of memory."""
        return self.history[self.beside] if self.beside is not None and self.beside in self.history else None

    @property
    def data(self) -> CleanData:
        """Its clean points."""
        return self.branch.data

    @property
    def epoch(self) -> int:
        """Its newest epoch."""
        return self.branch.epoch

    @property
    def lines(self) -> Lines:
        """The geometric midline's lines, (K, 2) each, in data units; none while they are not known."""
        return self.midline.lines if self.midline else ()

    @property
    def losses(self) -> Losses:
        """Loss C + λ R of every epoch so far, and what λ R has of it, (E, 2)."""
        return self.branch.losses

    @property
    def lost(self) -> bool:
        """Whether the processes are gone and wait to be started again."""
        return self._lost

    @property
    def ready_to_train(self) -> bool:
        """Whether trainer and observer have loaded torch."""
        return self._ready

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of "trainer" and "observer"; none where they do not run."""
        return self._client.pids if self._client else {}

    def start(self) -> None:
        """Start the processes, if there are none; the run, or what is kept of it, goes on in them."""
        if self._client is not None:
            return
        self._ready = self._lost = False
        client = Client(lambda message: self._received.emit(client, message))
        self._client = client
        self._build()
        self._ticked = time.monotonic()
        self._timer.start()

    def stop(self) -> None:
        """End the processes."""
        self._timer.stop()
        client, self._client = self._client, None
        if client is not None:
            client.stop()

    def use_grid(self, grid: Callable[[], Grid]) -> None:
        """Ask for fields on what `grid` returns."""
        self._grid = grid

    def refresh(self) -> None:
        """What should be seen has changed."""
        self._stale = True

    def point_at(self, place: Point | None) -> None:
        """Ask for what is known of a place as well."""
        self.cursor = place
        self._stale = True

    def set_probe(self, place: Point | None) -> None:
        """Follow x, r(x), r(r(x)) … from a place on, or from none."""
        self.probe = place
        self._stale = True

    def set_cloud(self, place: Point | None) -> None:
        """Show where noisy points round a place go, or round none."""
        self.cloud = place
        self._stale = True

    def change(self, old: Settings, new: Settings, back_to: int | None = None) -> None:
        """Follow a change of settings; with `back_to`, take them up in that branch."""
        kinds = applies(old.changed(new))
        self.settings = new
        self.history.memory = new.history * MEGABYTE
        if back_to is not None:
            self.go_to(back_to)
        elif "rebuild" in kinds:
            self.reset()
        elif "live" in kinds:
            self._measured = 0.0  # the Bayes floor moves with σ
            self._send(m.Change(new))
        self._stale = True

    def reset(self) -> None:
        """Begin again with the same seed, and a file's points as they are now."""
        data = self.data
        if not self.settings.is_from_file or Path(self.settings.data).is_absolute():  # else a recipe's name
            with contextlib.suppress(SettingError):  # the file is gone: its points are here
                data = clean_data(self.settings)
        self.history.begin(self.settings, data)
        self._begin_anew()

    def fork(self) -> None:
        """Go on from the past epoch that is looked at, with the present settings; what came after stays."""
        if self.looking_at is not None:
            self.history.fork(self.looking_at, self.settings)
            self._begin_anew()

    def go_to(self, number: int) -> None:
        """Go back to another branch, to its newest epoch."""
        self.history.go_to(number)
        self._begin_anew()

    def show_beside(self, number: int | None) -> None:
        """Show the same epoch of another branch as well, or of none."""
        self.beside = number
        self._stale = True

    def take_up(self, history: History) -> None:
        """Put another history in the place of this one, at rest; `go_to` a branch of it next."""
        self.history.listen = None
        history.listen, history.memory = self._listen, self.history.memory
        self.history, self.beside = history, None
        self.drive(playing=False)  # told first: it is built at rest
        self._pasts.serial += 1

    def _begin_anew(self) -> None:
        self.phase = "paused"  # until the trainer says more
        self.looking_at, self.quality = None, Quality()
        follows = self.branch.plan.until > self.epoch  # a figure's recipe; at its end it rests
        self.playing, self._rested = self.playing or self._rested or follows, False
        self.code = self.over_noise = None
        self.midline = self._exact = None
        if self.beside is not None and (self.beside not in self.history or self.beside == self.branch.number):
            self.beside = None
        self._build()
        self.rebuilt.emit()

    def drive(self, *, playing: bool | None = None, speed: float | None = None) -> None:
        """Train or rest, and how fast."""
        self._rested &= playing is None
        self.playing = (self.playing if playing is None else playing) and not self._lost
        self.speed = self.speed if speed is None else speed
        if playing:
            self._build_again()
        self._send(m.Drive(self.playing, self.speed))
        self._stale = True

    def toggle_speed(self) -> None:
        """Train as fast as the machine can, or at the speed before."""
        if math.isfinite(self.speed):
            self._paced = self.speed
        self.drive(speed=math.inf if math.isfinite(self.speed) else self._paced)

    def step(self) -> None:
        """Train one epoch and rest."""
        self.playing = False
        self._build_again()
        self._send(m.Step())
        self._stale = True

    def look_at(self, epoch: int | None) -> None:
        """Show a past epoch, or with None the newest again."""
        self.looking_at = None if epoch is None or epoch >= self.epoch else max(0, epoch)
        back = self.looking_at is not None
        if back and self.playing and self.settings.pause_past:
            self.drive(playing=False)
            self._rested = True
        elif not back and self._rested:
            self.drive(playing=True)
        self._stale = True
        self.looked.emit()

    def export(
        self, grid: Grid, receive: Callable[[m.Frame | str], None], epoch: int | None = None,
        view: Settings | None = None,
    ) -> None:  # fmt: skip
        """Ask for the shown epoch's field with all its points, for a file; a text says why none will come.

        With an `epoch`, ask for that one's, and for no other run's beside it; with a `view`, for what is
        drawn by that one.
        """
        if self._client is None or not (self._ready and self._built):
            receive("no training process is there to ask for the field")
            return
        self._number += 1
        self._exports[self._number] = receive
        past = self._past() if epoch is None else self._pasts.of(self.branch, epoch)
        beside = self._beside() if epoch is None else None
        self._send(
            m.Ask(
                self._number, view or self.settings, past, beside, grid, samples=1, whole=True, run=self._run
            )
        )  # fmt: skip

    def _past(self) -> m.Past | None:
        return None if self.looking_at is None else self._pasts.of(self.branch, self.looking_at)

    def _beside(self) -> m.Past | None:
        branch, epoch = self.branch_beside, self.looking_at
        if branch is None:
            return None
        return self._pasts.of(branch, min(branch.epoch, self.epoch if epoch is None else epoch), beside=True)

    # What trainer and observer say

    def _handle(self, client: Client, message: m.FromWorker) -> None:
        if client is not self._client:
            return  # from processes that were given up
        match message:
            case m.Ready():
                self._ready = True
                self.ready.emit(message.torch_version)
            case m.Frame():
                self._take(message)
            case m.Judged() if message.run == self._run:
                self.quality, self.code = message.quality, message.code
                self.over_noise = message.over_noise
                self.judged.emit()
            case m.Geometry() if message.run == self._run:
                self.midline = message.midline
            case m.Exact() if message.run == self._run:
                self._exact, self._stale = message, True
            case m.Brought() if message.run == self._run:
                self._stale, self._measured_is = True, None
            case m.Kept() | m.Noted() if message.run == self._run:
                record(self.history, message)
            case m.Diverged() if message.run == self._run:
                self.playing = False
                self._pasts.serial += 1
                record(self.history, message)
                self.look_at(self.looking_at)  # the newest, where the one that was looked at is gone
                self._stale = True
                self.diverged.emit(message.reason)
            case m.Refused() if message.run == self._run:
                self._built = False
                self._drop_exports("its run cannot be built")
                self.refused.emit(message.reason)
            case m.Failed() if message.run in (0, self._run):
                self._asked = None
                self._pasts.forget()
                self._built = self._built and not message.over
                self.drive(playing=False)
                self.phase = "paused" if self.phase == "training" else self.phase
                self._stale = False  # asked again at once, the same might fail again and again
                self._drop_exports("an error came between")
                self.failed.emit(message.report)
            case m.Died():
                self._lose(f"The {message.process} process {_how_it_ended(message.exit_code)}")

    def _take(self, frame: m.Frame) -> None:
        export, asked = self._exports.pop(frame.number, None), frame.number == self._asked
        if asked:
            self._asked = None
        if frame.run != self._run:
            self._stale = True
            return
        if export is not None:
            export(frame)
            return
        self._record(frame)  # asked or given up meanwhile: it will not be told again
        if not asked:
            return
        self._pause = max(FRAME / 1000.0, SHARE * frame.seconds)
        self._stale |= self.settings.flow != "off"
        self._ask_if_stale()  # before this frame is painted, however long that takes
        assert frame.field is not None
        exact = self._exact
        known = exact and exact.optimum == frame.settings.optimum and exact.field.grid == frame.field.grid
        self.framed.emit(
            frame,
            dataclasses.replace(
                frame.field, data=self.data.points, exact=exact.field if exact and known else None
            ),
        )

    def _record(self, frame: m.Frame) -> None:
        epoch, progress = self.epoch, frame.progress
        record(self.history, frame)
        self._stale |= progress.phase in ("returning", "training") or self.epoch != epoch
        self.phase = progress.phase
        self.steps_per_second = progress.steps_per_second
        if 0 < self.branch.plan.until <= self.epoch:
            self.branch.plan = NO_PLAN
            self.drive(playing=False)

    def _lose(self, how: str) -> None:
        self.playing = False
        self.phase = "paused"
        client, self._client = self._client, None
        self._lost = True
        self._timer.stop()
        self._drop_exports("the training process is gone")
        if client is not None:
            client.stop()
        self.died.emit(how)

    def _tick(self) -> None:
        patience, now = PATIENCE if self._ready else LOADING, time.monotonic()
        late, self._ticked = now - self._ticked, now
        if self._client is not None and late > PATIENCE / 2.0:
            self._client.listen_anew()  # this process was stopped itself, or the machine slept
        if self._client is not None and self._client.silence > patience:
            self._lose(f"A process has given no sign of life for {patience:g} seconds and was ended")
        else:
            self._ask_if_stale()

    def _ask_if_stale(self) -> None:
        if not (self._ready and self._built) or self._asked is not None or not self._stale:
            return
        self._stale = False
        self._number += 1
        self._asked, self._due = self._number, max(time.monotonic(), self._due + self._pause)
        samples = stride(len(self.data.points)) if self.settings.shows_samples else 0
        state = self._run, self.looking_at, self.epoch, self.settings
        every = MEASURE_EVERY if self.phase == "training" else math.inf if state == self._measured_is else 0.0
        measure = self._due > self._measured + every
        if measure:
            self._measured, self._measured_is = self._due, state
        self._send(
            m.Ask(
                self._number, self.settings, self._past(), self._beside(), self._grid(), samples,
                self.cursor, self.probe, self.cloud, measure=measure, due=self._due, run=self._run,
            )
        )  # fmt: skip

    def _drop_exports(self, why: str) -> None:
        exports, self._exports = self._exports, {}
        for receive in exports.values():
            receive(why)

    def _build(self) -> None:
        self._run += 1
        self._asked = None
        self._drop_exports("its run is over")
        self._stale = True
        self._built = True
        self._pasts.forget()
        if self.branch.runs_ahead:  # those losses never came: it will be trained again from here
            self.history.cut(self.epoch)
            self._pasts.serial += 1
        self._send(m.Build.of(self._run, self.settings, self.branch))
        self._send(m.Drive(self.playing, self.speed))

    def _build_again(self) -> None:
        """Where an error has ended the run, build it once more, from the newest keyframe."""
        if not self._built and self._client is not None:
            self._build()

    def _send(self, message: m.ToTrainer | m.ToObserver) -> None:
        if self._client is not None:
            self._client.send(message)


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"ended unexpectedly (exit code {exit_code})"
