"""Runs without a window: the same processes, the same field, the same figure."""

from __future__ import annotations

import dataclasses
import math
import queue
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TypeVar

from aeviz.core.clean_data import clean_data
from aeviz.core.exported import DATA_FILES, Exported, data_ending
from aeviz.core.field import Field, Grid
from aeviz.core.files import PICTURES, RUN, FileError, check_suffix, write_whole
from aeviz.core.history import MEGABYTE, History
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Metrics
from aeviz.core.midline import Midline
from aeviz.core.recipe import Recipe
from aeviz.core.run_file import SavedRun, run_bytes
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings
from aeviz.version import __version__
from aeviz.work import messages as m
from aeviz.work.client import Client
from aeviz.work.pasts import Pasts
from aeviz.work.record import record

FLOWED = 60  # steps that particles have gone when a picture is taken
_LOOK = 0.05  # seconds between two looks at the progress
_Answer = TypeVar("_Answer", bound=m.FromWorker)


class TrainingError(RuntimeError):
    """The training failed; the text says why."""


class Run:
    """A run in processes of its own.

    Use it as a context manager, or close it; let go, it closes itself.

    Attributes
    ----------
    history : History
        All that was trained: keyframes, live changes, losses, branches.
    """

    def __init__(self, settings: Settings, history: History | None = None) -> None:
        self.settings = settings
        if history is None:
            history = History()
            history.begin(settings, clean_data(settings))
        history.memory = settings.history * MEGABYTE
        self.history, self.data = history, history.current.data
        self._midline, self._pasts = Midline(), Pasts()
        self._over: Exception | None = None  # after it, no answer comes
        self._numbers = 0
        self._inbox: queue.SimpleQueue[m.FromWorker] = queue.SimpleQueue()
        self._client = Client(self._inbox.put)
        weakref.finalize(self, self._client.stop)
        self._wait_for(m.Ready)
        self._client.send(m.Build.of(1, settings, history.current))

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End its processes."""
        self._client.stop()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of its "trainer" and its "observer"."""
        return self._client.pids

    @property
    def loss(self) -> FloatArray:
        """Loss C + λ R of every epoch, (E,), in data units squared, or nats for a cross-entropy."""
        return self.history.current.losses[:, 0].astype(float)

    @property
    def regulariser(self) -> FloatArray:
        """What λ R has of it, (E,)."""
        return self.history.current.losses[:, 1].astype(float)

    @property
    def midline(self) -> Midline:
        """The geometric midline, in data units; known with the first field."""
        return self._midline

    def train(self, progress: Callable[[int], object] | None = None) -> None:
        """Train to the last epoch; `progress` is told the epochs done.

        Raises
        ------
        TrainingError
            Where the loss diverges or a process dies.
        """
        self._client.send(m.Drive(playing=True, speed=math.inf))
        while True:
            frame = self._look()
            if progress is not None:
                progress(frame.progress.epoch)
            if frame.progress.phase == "finished":
                return
            time.sleep(_LOOK)

    def arrive(self, progress: Callable[[int], object] | None = None) -> None:
        """Wait until a run from a file stands where it stood; `progress` is told the epochs done.

        Raises
        ------
        TrainingError
            Where the loss diverges or a process dies.
        """
        until = self.history.current.plan.until
        if until > self.history.current.epoch:
            self._client.send(m.Drive(playing=True, speed=math.inf))
        while True:
            told = self._look().progress
            if progress is not None:
                progress(told.epoch)
            if told.phase != "returning" and told.epoch >= until:
                return
            time.sleep(_LOOK)

    def recipe(self, epoch: int | None = None) -> Recipe:
        """What the run's present field, or that of a past epoch, is made again from."""
        branch = self.history.current
        return Recipe.of(branch, branch.epoch if epoch is None else epoch, self.settings)

    def field(
        self, extent: tuple[float, float, float, float] | None = None, shape: tuple[int, int] | None = None,
        epoch: int | None = None,
    ) -> Field:  # fmt: skip
        """The field as plain arrays.

        Parameters
        ----------
        extent : (x0, x1, y0, y1), optional
            First and last cell centres; that of the settings by default.
        shape : (H, W), optional
            Rows and columns; those of the settings by default.
        epoch : int, optional
            A past epoch, exactly as it was; the newest by default.

        Raises
        ------
        SettingError
            Where there is no such epoch.
        """
        home = Grid.home(self.settings, self.data)
        grid = Grid(extent or home.extent, shape or home.shape)
        return next(self.fields([self.history.current.epoch if epoch is None else epoch], grid))

    def fields(self, epochs: Iterable[int], grid: Grid | None = None) -> Iterator[Field]:
        """The fields of some epochs, on the settings' own grid by default.

        The next one is worked out while the last is looked at. Rising epochs are fast.

        Raises
        ------
        SettingError
            Where there is no such epoch.
        """
        grid = grid or Grid.home(self.settings, self.data)
        asked: list[int] = []
        for epoch in epochs:
            asked.append(self._ask(grid, samples=1, whole=True, past=self._past(epoch)))
            if len(asked) > 1:
                yield self._answered(asked.pop(0))
        yield from map(self._answered, asked)

    def _past(self, epoch: int) -> m.Past | None:
        branch = self.history.current
        if not 0 <= epoch <= branch.epoch:
            raise SettingError(f"there is no epoch {epoch}: the run has the epochs 0 to {branch.epoch:,}")
        return None if epoch == branch.epoch else self._pasts.of(branch, epoch)

    def _answered(self, number: int) -> Field:
        field = self._frame(number).field
        assert field is not None
        return dataclasses.replace(field, data=self.data.points)

    def metrics(self) -> Metrics:
        """The run's numbers; see `Metrics`."""
        self._client.send(m.AskMetrics())
        return self._wait_for(m.Measured).metrics

    def exported(self, epoch: int | None = None) -> Exported:
        """The present epoch, or a past one, with all that goes into files of data.

        Raises
        ------
        SettingError
            Where there is no such epoch.
        """
        if epoch is None:
            for _ in range(FLOWED if self.settings.flow != "off" else 0):
                self._look(Grid.home(self.settings, self.data))  # lets the particles move
        branch = self.history.current
        epoch = branch.epoch if epoch is None else epoch
        grid = Grid.home(self.settings, self.data)
        frame = self._frame(self._ask(grid, samples=1, whole=True, past=self._past(epoch)))
        assert frame.field is not None and frame.average is not None
        field = dataclasses.replace(frame.field, data=self.data.points)
        return Exported(field, self.data, branch.losses[:epoch], self.recipe(epoch), frame.average)

    def save(self, *paths: str | PathLike[str], epoch: int | None = None) -> None:
        """Write the present field, or that of a past epoch, each file by the end of its name.

        Pictures are png, svg and pdf; data are npz, csv (the field), losses.csv, points.csv, safetensors and
        onnx (the network); aeviz is the whole run.

        Raises
        ------
        FileError
            Where a file cannot be written.
        SettingError
            Where there is no such epoch, or no room for the field in the figure.
        QtUnavailable
            Where a picture is wanted and Qt's system libraries are missing.
        """
        wanted = [(path, check_suffix(path)) for path in map(Path, paths)]
        exported = self.exported(epoch) if any(suffix != RUN for _, suffix in wanted) else None
        for path, suffix in wanted:
            write_whole(path, partial(self._content, path, suffix, exported))

    def _content(self, path: Path, suffix: str, exported: Exported | None) -> bytes:
        if suffix == RUN or exported is None:
            return run_bytes(self.saved())
        if (ending := data_ending(path)) is not None:
            return DATA_FILES[ending][1](exported)
        if suffix in PICTURES:
            return self._picture(exported, suffix)
        raise FileError(f"cannot write {path}: a film is made by aeviz.film")

    def saved(self) -> SavedRun:
        """The run as it is written into a run file."""
        return SavedRun(self.history, self.settings, None, self.metrics().to_json(), __version__)

    def _picture(self, exported: Exported, suffix: str) -> bytes:
        from aeviz.figure.qt import offscreen_application  # Qt is loaded only where a picture is wanted

        offscreen_application()
        from aeviz.figure.export import Page, figure_of, picture_bytes

        figure = figure_of(exported.field, self.settings, self.data, self._midline.lines)
        return picture_bytes(figure, suffix, Page.of(self.settings), exported.recipe)

    def _repr_png_(self) -> bytes:
        """The present figure, which a notebook shows of the run."""
        return self._picture(self.exported(), ".png")

    def _look(self, grid: Grid | None = None) -> m.Frame:
        return self._frame(self._ask(grid))

    def _ask(
        self, grid: Grid | None = None, samples: int = 0, whole: bool = False, past: m.Past | None = None
    ) -> int:
        self._numbers += 1
        self._client.send(m.Ask(self._numbers, self.settings, past, None, grid, samples, whole=whole))
        return self._numbers

    def _frame(self, number: int) -> m.Frame:
        """The answer to a question; those to questions that were given up are passed over."""
        while (frame := self._wait_for(m.Frame)).number != number:
            pass
        return frame

    def _wait_for(self, kind: type[_Answer]) -> _Answer:
        while self._over is None:
            message = self._inbox.get()
            record(self.history, message)
            match message:
                case m.Diverged():
                    raise TrainingError(message.reason)
                case m.Refused():
                    self._over = SettingError(message.reason)
                case m.Failed():
                    failed = TrainingError(f"the training failed:\n{message.report}")
                    if not message.over:
                        raise failed
                    self._over = failed
                case m.Died():
                    self._over = TrainingError(
                        f"the {message.process} process ended (exit code {message.exit_code})"
                    )
                case m.Geometry():
                    self._midline = message.midline
                case _ if isinstance(message, kind):
                    return message
        raise self._over
