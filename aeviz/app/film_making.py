"""A film in the making, while the window goes on; that of the run's training."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from aeviz.app.live_run import LiveRun
from aeviz.core.field import Grid
from aeviz.core.files import FileError
from aeviz.core.film import epoch_caption, film_epochs, film_settings, samples, shots
from aeviz.core.numbers import grouped
from aeviz.core.recipe import Recipe
from aeviz.core.setting import SettingError
from aeviz.figure.film import Film, Picture
from aeviz.run import TrainingError
from aeviz.work.messages import Frame

_AHEAD = 2  # pictures that are asked for at a time: who makes them works while one is painted
_SOON = 2  # ms between two looks whether there is something to paint
_TELL_EVERY = 1.0  # seconds: the time that is left is told so often at least
CANCELLED = "the film was cancelled, and nothing is left of it"

_Shown = TypeVar("_Shown", bound=float)


class FilmMaking(QObject, Generic[_Shown]):
    """Paints the pictures of a film, one after the other between the window's own work, and ends.

    Subclasses say where the pictures come from.

    Parameters
    ----------
    path : Path
        Ends in .mp4 or .gif.
    looked : sequence
        What is to be seen first, for the film's colours are made for it.
    shown : sequence of (what, frames)
        What the film shows, and for how many frames.
    """

    look_every = _SOON
    """ms between two looks, while nothing has come."""
    progressed = pyqtSignal()
    """More of it is done, or a second has gone."""
    ended = pyqtSignal(str)
    """What became of it, in one line; all of it is there, or nothing."""

    def __init__(
        self, parent: QObject, path: Path, looked: Sequence[_Shown], shown: Sequence[tuple[_Shown, int]]
    ) -> None:
        super().__init__(parent)
        self._path, self._looked, self.pictures = path, len(looked), len(shown)
        self._wanted: deque[tuple[_Shown, int]] = deque([*((each, 1) for each in looked), *shown])
        self._come: deque[Picture] = deque()
        self._film: Film | None = None
        self.painted = 0
        self._over = False
        self._timer = QTimer(self)
        self._timer.setInterval(_SOON)
        self._timer.timeout.connect(self._go_on)
        self._began = self._told_at = time.monotonic()
        self._told = (0, (0, 0))

    def start(self) -> None:
        """Begin with it."""
        self._timer.start()

    @property
    def progress(self) -> tuple[int, int]:
        """How much is done, and of how much."""
        return self.painted, self.pictures

    @property
    def stage(self) -> str:
        """What is being done."""
        if not self.painted:
            return "Working out the first pictures …"
        return f"Picture {grouped(self.painted)} of {grouped(self.pictures)}"

    @property
    def seconds_left(self) -> float | None:
        """About how long it will take, after what it took so far; None where nobody knows."""
        done, of = self.progress
        if not done:
            return None
        taken = time.monotonic() - self._began
        return max(0.0, taken * of / done - taken)

    def cancel(self, why: str = CANCELLED) -> None:
        """Leave nothing of it behind."""
        if self._over:
            return
        if self._film is not None:
            self._film.cancel()
        self._end(why)

    def _fetch(self) -> None:
        """Let pictures come that are wanted, as far as there is `_room`."""
        raise NotImplementedError

    def _begin(self, looked: Sequence[Picture]) -> Film:
        """The film, with colours for these pictures."""
        raise NotImplementedError

    def _end(self, text: str) -> None:
        self._over = True
        self._timer.stop()
        self.ended.emit(text)

    def _fail(self, cause: object) -> None:
        self.cancel(f"cannot write {self._path}: {cause}")

    @property
    def _room(self) -> int:
        """How many pictures may come."""
        return _AHEAD + (self._looked if self._film is None else 0) - len(self._come)

    def _go_on(self) -> None:
        try:
            self._fetch()
            if self._over:
                return
            if self._film is None and len(self._come) >= self._looked:
                self._film = self._begin([self._come.popleft() for _ in range(self._looked)])
            elif self._film is not None and self.painted == self.pictures:
                self._finish(self._film)
            elif self._film is not None and self._come and not self._film.busy:
                self._film.add(self._come.popleft())
                self.painted += 1
        except FileError as error:
            self.cancel(str(error))
        except (SettingError, TrainingError) as error:
            self._fail(error)
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
            raise
        if not self._over:
            self._tell()
            self._timer.setInterval(_SOON if self._come else self.look_every)

    def _tell(self) -> None:
        told, now = (self.painted, self.progress), time.monotonic()
        if told != self._told or now - self._told_at > _TELL_EVERY:
            self._told, self._told_at = told, now
            self.progressed.emit()

    def _finish(self, film: Film) -> None:
        if not film.busy:
            film.close()
        if film.over:
            film.finish()
            self._end(f"Wrote {self._path}")


class TrainingFilm(FilmMaking[int]):
    """The epochs of a run, from 0 to the one of a recipe; its settings say how to draw."""

    def __init__(self, parent: QObject, run: LiveRun, path: Path, recipe: Recipe) -> None:
        self._run, self._recipe, self._data = run, recipe, run.data
        self._settings = film_settings(recipe.settings, path.suffix.lower())
        self._grid = Grid.home(self._settings, run.data)
        self._open = 0
        epochs = film_epochs(recipe.epoch, self._settings)
        super().__init__(parent, path, samples(epochs), shots(epochs, self._settings))
        run.rebuilt.connect(self._lose_run)

    def _lose_run(self) -> None:
        self._fail("its run is over")

    def _fetch(self) -> None:
        while self._wanted and self._room > self._open and not self._over:
            epoch, frames = self._wanted.popleft()
            self._open += 1
            self._run.export(self._grid, partial(self._take, frames), epoch, self._settings)

    def _take(self, frames: int, frame: Frame | str) -> None:
        self._open -= 1
        if isinstance(frame, str):
            self._fail(frame)
        elif not self._over:
            assert frame.field is not None
            field = dataclasses.replace(frame.field, data=self._data.points)
            self._come.append(Picture(field, epoch_caption(frame.epoch, self._recipe.epoch), frames))

    def _begin(self, looked: Sequence[Picture]) -> Film:
        return Film(self._path, self._settings, self._data, looked, self._recipe, self._run.lines)
