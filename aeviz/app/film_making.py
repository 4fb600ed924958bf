"""A film in the making, while the window goes on."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from aeviz.app.live_run import LiveRun
from aeviz.core.field import Grid
from aeviz.core.files import FileError
from aeviz.core.film import epoch_caption, film_epochs, film_settings, samples, shots
from aeviz.core.recipe import Recipe
from aeviz.core.setting import SettingError
from aeviz.figure.film import Film, Picture
from aeviz.work.messages import Frame

_ASKED = 2  # fields that are asked for at a time: the observer works while one is painted
_EVERY = 2  # ms between two looks whether there is something to paint


class FilmMaking(QObject):
    """Asks for the fields of a film, paints one after the other between the window's own work, and ends.

    Parameters
    ----------
    path : Path
        Ends in .mp4 or .gif.
    recipe : Recipe
        That of its last picture; its settings say how to draw.
    """

    progressed = pyqtSignal(int, int)
    """So many pictures are painted, of so many."""
    ended = pyqtSignal(str)
    """What became of it, in one line; all of it is there, or nothing."""

    def __init__(self, parent: QObject, run: LiveRun, path: Path, recipe: Recipe) -> None:
        super().__init__(parent)
        self._run, self._path, self._recipe, self._data = run, path, recipe, run.data
        self._settings = film_settings(recipe.settings, path.suffix.lower())
        self._grid = Grid.home(self._settings, run.data)
        epochs = film_epochs(recipe.epoch, self._settings)
        self._shown = [*shots(epochs, self._settings)]
        self._looked = len(samples(epochs))  # fields that come before those of the pictures
        self._wanted: Iterator[int] = itertools.chain(samples(epochs), (epoch for epoch, _ in self._shown))
        self._pictures: deque[Picture] = deque()
        self._frames = deque([1] * self._looked + [frames for _, frames in self._shown])
        self._film: Film | None = None
        self._painted = self._open = 0
        self._over = False
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY)
        self._timer.timeout.connect(self._go_on)
        run.rebuilt.connect(self._lose_run)
        self._began = time.monotonic()

    def start(self) -> None:
        """Begin with it."""
        self._timer.start()

    @property
    def seconds_left(self) -> float:
        """About how long it will take, after what it took so far."""
        taken = time.monotonic() - self._began
        return taken * (len(self._shown) - self._painted) / max(1, self._painted)

    def cancel(self, why: str = "the film was cancelled, and nothing is left of it") -> None:
        """Leave nothing of it behind."""
        if self._over:
            return
        self._over = True
        self._timer.stop()
        if self._film is not None:
            self._film.cancel()
        self.ended.emit(why)

    def _lose_run(self) -> None:
        self.cancel(f"cannot write {self._path}: its run is over")

    def _go_on(self) -> None:
        try:
            self._ask()
            if self._over:
                return
            if self._film is None and len(self._pictures) >= self._looked:
                self._begin()
            elif self._film is not None and self._painted == len(self._shown):
                self._finish(self._film)
            elif self._film is not None and self._pictures and not self._film.busy:
                self._film.add(self._pictures.popleft())
                self._painted += 1
                self.progressed.emit(self._painted, len(self._shown))
        except FileError as error:
            self.cancel(str(error))
        except SettingError as error:
            self.cancel(f"cannot write {self._path}: {error}")

    def _ask(self) -> None:
        while self._open + len(self._pictures) < _ASKED + (self._looked if self._film is None else 0):
            epoch = next(self._wanted, None)
            if epoch is None or self._over:
                return
            self._open += 1
            self._run.export(self._grid, self._take, epoch, self._settings)

    def _take(self, frame: Frame | str) -> None:
        self._open -= 1
        if isinstance(frame, str):
            self.cancel(f"cannot write {self._path}: {frame}")
        elif not self._over:
            assert frame.field is not None
            field = dataclasses.replace(frame.field, data=self._data.points)
            caption = epoch_caption(frame.epoch, self._recipe.epoch)
            self._pictures.append(Picture(field, caption, self._frames.popleft()))

    def _begin(self) -> None:
        looked = [self._pictures.popleft() for _ in range(self._looked)]
        self._film = Film(self._path, self._settings, self._data, looked, self._recipe, self._run.lines)

    def _finish(self, film: Film) -> None:
        if not film.busy:
            film.close()
        if film.over:
            film.finish()
            self._over = True
            self._timer.stop()
            self.ended.emit(f"Wrote {self._path}")
