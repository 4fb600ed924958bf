"""The run that the window shows: what trainer and observer say as Qt signals, one question at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from aeviz.core.clean_data import clean_data
from aeviz.core.code import CodeView
from aeviz.core.field import Grid
from aeviz.core.marks import Point
from aeviz.core.metrics import NoiseCurve, Quality
from aeviz.core.midline import Midline
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings, applies
from aeviz.core.timeline import Timeline
from aeviz.figure.panel import stride
from aeviz.work import messages as m
from aeviz.work.client import Client

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
    """There is a new run with new data: `data` and `losses` start anew."""
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

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.data = clean_data(settings)
        self.playing = True
        self.speed = self._paced = 120.0  # and the one to return to from "unlimited"
        self.looking_at: int | None = None  # a past epoch, or None for the newest
        self.phase: m.Phase = "paused"
        self.epoch = 0
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
        self._losses = np.empty((4_096, 2), dtype=np.float32)
        self._run = 0
        self._timeline = Timeline()  # the trainer's keyframes, kept here should it die
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
    def losses(self) -> NDArray[np.float32]:
        """Loss C + λ R of every epoch of this run so far, (E,)."""
        return self._losses[: self.epoch, 0]

    @property
    def regularisers(self) -> NDArray[np.float32]:
        """What λ R has of it, (E,)."""
        return self._losses[: self.epoch, 1]

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

    def change(self, old: Settings, new: Settings) -> None:
        """Follow a change of settings."""
        kinds = applies(old.changed(new))
        self.settings = new
        if "rebuild" in kinds:
            self.reset()
        elif "live" in kinds:
            self._measured = 0.0  # the Bayes floor moves with σ
            self._send(m.Change(new))
        self._stale = True

    def reset(self) -> None:
        """Begin again with the same seed, and a file's points as they are now."""
        self._timeline = Timeline()
        with contextlib.suppress(SettingError):  # the file is gone: its points are here
            self.data = clean_data(self.settings)
        self.epoch, self.phase = 0, "paused"  # until the trainer says more
        self.looking_at, self.quality = None, Quality()
        self.code = self.over_noise = None
        self.midline = self._exact = None
        self._build()
        self.rebuilt.emit()

    def drive(self, *, playing: bool | None = None, speed: float | None = None) -> None:
        """Train or rest, and how fast."""
        self.playing = (self.playing if playing is None else playing) and not self._lost
        self.speed = self.speed if speed is None else speed
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
        self._send(m.Step())
        self._stale = True

    def look_at(self, epoch: int | None) -> None:
        """Show a past epoch, or with None the newest again."""
        self.looking_at = None if epoch is None or epoch >= self.epoch else epoch
        self._stale = True

    def export(self, grid: Grid, receive: Callable[[m.Frame | str], None]) -> None:
        """Ask for the shown epoch's field with all its points, for a file; a text says why none will come."""
        if self._client is None or not (self._ready and self._built):
            receive("no training process is there to ask for the field")
            return
        self._number += 1
        self._exports[self._number] = receive
        self._send(m.Ask(self._number, self.settings, self.looking_at, grid, samples=1, whole=True))

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
            case m.Kept() if message.run == self._run:
                self._timeline.add(message.keyframe)
            case m.Noted() if message.run == self._run:
                self._timeline.note(message.epoch, message.settings)
            case m.Diverged() if message.run == self._run:
                self.playing = False
                self.epoch = message.epoch
                self._timeline.cut(message.epoch)
                self._stale = True
                self.diverged.emit(message.reason)
            case m.Refused() if message.run == self._run:
                self._built = False
                self._drop_exports("its run cannot be built")
                self.refused.emit(message.reason)
            case m.Failed() if message.run in (0, self._run):
                self._asked = None
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
        self._record(frame.progress)  # asked or given up meanwhile: it will not be told again
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

    def _record(self, progress: m.Progress) -> None:
        end = progress.losses_from + len(progress.losses)
        if end > len(self._losses):
            self._losses = np.concatenate((self._losses, np.empty((end, 2), dtype=np.float32)))
        self._losses[progress.losses_from : end] = progress.losses
        self._stale |= progress.phase == "training" or progress.epoch != self.epoch
        self.epoch = progress.epoch
        self.phase = progress.phase
        self.steps_per_second = progress.steps_per_second

    def _lose(self, how: str) -> None:
        self.playing = False
        self.phase = "paused"
        client, self._client = self._client, None
        self._lost = True
        self._timer.stop()
        self._drop_exports("the training process is gone")
        if client is not None:
            client.stop()
        last = self._timeline.last
        self.epoch = last.epoch if last else 0
        self._timeline.cut(self.epoch)
        self.look_at(self.looking_at)
        self.died.emit(how)

    def _tick(self) -> None:
        patience = PATIENCE if self._ready else LOADING
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
                self._number, self.settings, self.looking_at, self._grid(), samples,
                self.cursor, self.probe, self.cloud, measure=measure, due=self._due,
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
        self._send(
            m.Build(self._run, self.settings, self.data, tuple(self._timeline), self._timeline.changes)
        )
        self._send(m.Drive(self.playing, self.speed))

    def _send(self, message: m.ToTrainer | m.ToObserver) -> None:
        if self._client is not None:
            self._client.send(message)


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was ended by signal {-exit_code}"
    return f"ended unexpectedly (exit code {exit_code})"
