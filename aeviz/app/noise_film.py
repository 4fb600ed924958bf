"""A film over the noise in the making: networks trained beside the window's run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject

from aeviz.app.film_making import FilmMaking
from aeviz.core.clean_data import CleanData
from aeviz.core.film import noise_caption
from aeviz.core.numbers import grouped
from aeviz.core.recipe import Recipe
from aeviz.figure.film import Film, Picture
from aeviz.sweep.executors import cores
from aeviz.sweep.noises import Noises

_LATER = 50  # ms between two looks: a network takes seconds


class NoiseFilm(FilmMaking[float]):
    """Networks with ever more noise, trained in processes of their own; the run is left alone.

    One fewer are trained at a time than there are cores: the window is to be smooth, and its run to go on.
    """

    look_every = _LATER

    def __init__(self, parent: QObject, data: CleanData, path: Path, recipe: Recipe) -> None:
        self._settings, self._data = recipe.settings, data
        self._noises = Noises(recipe.settings, path.suffix.lower(), data, max(1, cores() - 1))
        super().__init__(parent, path, self._noises.samples, self._noises.shown)

    @property
    def progress(self) -> tuple[int, int]:
        """How many networks are trained, and of how many: pictures are painted in no time."""
        return self._noises.done, len(self._noises)

    @property
    def stage(self) -> str:
        """What is being done."""
        done, of = self.progress
        return super().stage if done == of else f"Network {grouped(done + 1)} of {grouped(of)}"

    def _fetch(self) -> None:
        while self._wanted and self._room > 0 and self._noises.ready(self._wanted[0][0]):
            noise, frames = self._wanted.popleft()
            picture = self._noises.picture(noise) if self._film is None else self._noises.take(noise)
            self._come.append(Picture(picture.field, noise_caption(noise), frames))

    def _begin(self, looked: Sequence[Picture]) -> Film:
        last = self._noises.last
        return Film(self._path, self._settings, self._data, looked, last.recipe, last.midline)

    def _end(self, text: str) -> None:
        self._noises.close()
        super()._end(text)
