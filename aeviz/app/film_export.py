"""File > Export film: how it is to run and to look, then how far it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QFileDialog, QProgressDialog, QWidget

from aeviz.app.exports import chosen_suffix, with_suffix
from aeviz.app.film_making import CANCELLED, FilmMaking, TrainingFilm
from aeviz.app.live_run import LiveRun
from aeviz.app.memory import Memory
from aeviz.app.notice import Notice
from aeviz.app.settings_dialog import EXPORT, Pages, SettingsDialog
from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field, Grid
from aeviz.core.files import FileError, check_place
from aeviz.core.film import RESOLUTION, SIZE, epoch_caption, film_noises, film_settings, noise_caption
from aeviz.core.numbers import grouped
from aeviz.core.recipe import Recipe
from aeviz.figure.export import Page
from aeviz.figure.figure import FieldFigure
from aeviz.figure.film import FilmFigure, Picture
from aeviz.figure.overlays import Lines
from aeviz.work.messages import Frame

FORMATS = {"MP4 video (*.mp4)": ".mp4", "GIF animation (*.gif)": ".gif"}
SHOWN = {
    "Film": ("film", "film_noise", "film_steps", "duration", "easing", "hold", "frame_rate"),
    "Size": ("size", "size_unit", "resolution", "font_size"),
    "Look": ("theme", "title", "legend", "axes", "colour_bar", "arrows"),
}
"""Which settings stand under which heading."""
SIZES = {
    "720p": {"size": SIZE, "size_unit": "px", "resolution": RESOLUTION},
    "1080p": {"size": (1920, 1080), "size_unit": "px", "resolution": 1.5 * RESOLUTION},
    "Square": {"size": (1080, 1080), "size_unit": "px", "resolution": 1.25 * RESOLUTION},
}
"""Usual sizes, with resolutions at which the legend is legible."""


class FilmExport(QObject):
    """Asks how and where a film of the run is wanted, has it made, and says what became of it."""

    def __init__(
        self, parent: QWidget, run: LiveRun, grid: Callable[[], Grid], memory: Memory, notice: Notice,
        say: Callable[[str], object],
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._window, self._run, self._grid, self._memory, self._say = parent, run, grid, memory, say
        self._notice = notice
        self.making: FilmMaking[Any] | None = None
        self._progress: QProgressDialog | None = None

    def open(self) -> None:
        """Let the user choose how the film is to run and to look."""
        if self.making is not None:
            self._say("A film is being made: wait for it, or cancel it")
            return
        run, branch, epoch = self._run, self._run.branch, self._run.epoch
        recipe = Recipe.of(branch, epoch, run.settings, self._grid())

        def take(frame: Frame | str) -> None:
            if isinstance(frame, str):
                self._say(f"cannot make a film: {frame}")
                return
            if run.branch is not branch:
                self._say("cannot make a film: its run is over")
                return
            assert frame.field is not None
            self._say("")
            field = dataclasses.replace(frame.field, data=run.data.points)
            dialog = FilmDialog(self._window, field, run.data, run.lines, recipe, self.save)
            run.rebuilt.connect(dialog.close)  # it is of another run
            dialog.show()

        self._say("Working out the last picture of the film …")
        run.export(Grid.home(recipe.settings, run.data), take, epoch)

    def save(self, recipe: Recipe) -> bool:
        """Let the user choose a name and a format, and begin with the film; whether it has begun."""
        start = str(self._memory.folder / f"{recipe.settings.film}.mp4")
        name, chosen = QFileDialog.getSaveFileName(self._window, "Export film", start, ";;".join(FORMATS))
        if not name or self.making is not None:
            return False
        self._memory.folder = Path(name).parent
        path = with_suffix(Path(name), chosen_suffix(Path(name), chosen, FORMATS), self._say)
        if path is not None:
            self.make(path, recipe)
        return path is not None

    def make(self, path: Path, recipe: Recipe) -> None:
        """Make the film of a run up to a recipe's epoch, or over the noise, as the recipe's settings say."""
        try:
            check_place(path)
        except FileError as error:
            self._say(str(error))
            return
        making = self.making = self._made(path, recipe)
        progress = self._progress = QProgressDialog(making.stage, "Cancel", 0, 0, self._window)
        progress.setWindowTitle(f"Export film – {path.name}")
        progress.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        progress.setAutoClose(False)
        progress.setAutoReset(False)
        progress.setMinimumDuration(0)
        progress.resize(360, progress.sizeHint().height())
        progress.canceled.connect(lambda: making.cancel())
        making.progressed.connect(self._show_progress)
        making.ended.connect(self._end)
        progress.show()
        making.start()

    def _made(self, path: Path, recipe: Recipe) -> FilmMaking[Any]:
        if recipe.settings.film == "training":
            return TrainingFilm(self, self._run, path, recipe)
        from aeviz.app.noise_film import NoiseFilm  # loads what a sweep needs

        return NoiseFilm(self, self._run.data, path, recipe)

    def cancel(self) -> None:
        """Leave nothing behind of a film that is being made."""
        if self.making is not None:
            self.making.cancel()

    def _show_progress(self) -> None:
        making, progress = self.making, self._progress
        if making is None or progress is None:
            return
        done, of = making.progress
        left = making.seconds_left
        if left is None:
            progress.setLabelText(making.stage)
            return
        progress.setMaximum(of)
        progress.setValue(done)
        progress.setLabelText(f"{making.stage}   ·   {_duration(left)} left")

    def _end(self, text: str) -> None:
        progress, making, self._progress, self.making = self._progress, self.making, None, None
        if progress is not None:
            progress.canceled.disconnect()
            progress.close()
        if making is not None:
            making.deleteLater()
        self._say(text)
        if text != CANCELLED:
            self._notice.mention(f"{text}.")  # which stays: whoever waited for it may be away


class FilmDialog(SettingsDialog):
    """Settings of a film; as a preview, the last picture of the training, as far as that has come.

    Parameters
    ----------
    recipe : Recipe
        Of that picture.
    save : callable
        Given the recipe, drawn as the dialog says: asks where to and begins with the film; whether it has.
    """

    def __init__(
        self, parent: QWidget, field: Field, data: CleanData, midline: Lines, recipe: Recipe,
        save: Callable[[Recipe], bool],
    ) -> None:  # fmt: skip
        self._field, self._data, self._midline, self._recipe, self._save = field, data, midline, recipe, save
        actions = {f"&{EXPORT}": self._export}
        settings = recipe.settings.replace(**SIZES["720p"])
        pages: Pages = {title: partial(dict, size) for title, size in SIZES.items()}
        super().__init__(parent, "Export film", settings, shown=SHOWN, pages=pages, actions=actions)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def figure(self) -> tuple[FieldFigure, Page]:
        """The last picture; over the noise, that of the network that there is."""
        epoch = self._recipe.epoch
        over_noise = self.settings.film == "noise"
        caption = noise_caption(self._recipe.settings.noise) if over_noise else epoch_caption(epoch, epoch)
        last = Picture(self._field, caption)
        film = FilmFigure(film_settings(self.settings, ".mp4"), self._data, [last], self._midline)
        return film.figure, film.page

    def facts(self, page: Page) -> str:
        """How large and how long it is."""
        settings = self.settings
        shown = f"epochs 0 to {grouped(self._recipe.epoch)}"
        if settings.film == "noise":
            low, high = settings.film_noise
            count = len({*film_noises(film_settings(settings, ".mp4"))})
            networks = f"{grouped(count)} network{'s' * (count != 1)}"
            shown = f"σ {low:g} to {high:g}: {networks} of {grouped(self._recipe.settings.epochs)} epochs"
        size = f"{grouped(page.pixels[0])} × {grouped(page.pixels[1])} px"
        return f"{size}   ·   {settings.duration + settings.hold:g} s   ·   {shown}"

    def _export(self) -> None:
        if self._save(self._recipe.drawn_as(self.settings)):
            self.close()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours = minutes // 60
    if hours:
        return f"{grouped(hours)}:{minutes % 60:02d} h"
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
