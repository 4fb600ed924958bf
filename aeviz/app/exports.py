"""File > Export and Edit > Copy: from what is shown to files and the clipboard."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QApplication, QFileDialog, QWidget

from aeviz.app.export_dialog import KEPT, ExportDialog
from aeviz.app.lineage import branch_label
from aeviz.app.live_run import LiveRun
from aeviz.app.memory import Memory
from aeviz.app.notice import Notice
from aeviz.app.shown_field import ShownField
from aeviz.core.exported import DATA_FILES, Exported, data_ending
from aeviz.core.field import Field
from aeviz.core.files import FileError, write_whole
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import png_with
from aeviz.core.recipe_words import command_of, python_of
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings
from aeviz.figure.composition import Beside
from aeviz.figure.export import as_on_screen, image_of, picture_bytes, png_bytes
from aeviz.figure.figure import FieldFigure
from aeviz.figure.overlays import Lines
from aeviz.work.messages import Frame

FORMATS = {"PNG picture (*.png)": ".png", "SVG vectors (*.svg)": ".svg", "PDF vectors (*.pdf)": ".pdf"}
_WORDS = {"command": command_of, "python": python_of}


class Exports(QObject):
    """Asks how and where, writes each file whole in a thread of its own, and says what became of it.

    `beside` makes the other run that is shown out of a frame, its field, and the geometric midline.
    """

    _done = pyqtSignal(str)
    _failed = pyqtSignal(str)

    def __init__(
        self, parent: QWidget, figure: FieldFigure, run: LiveRun, memory: Memory,
        beside: Callable[[Frame, Field, Lines], Beside | None], notice: Notice, say: Callable[[str], None],
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._window, self._figure, self._run, self._memory = parent, figure, run, memory
        self._beside, self._say = beside, say
        self._dialog: ExportDialog | None = None  # until the first figure
        self._done.connect(say)
        self._failed.connect(self._done)
        self._failed.connect(lambda text: notice.mention(f"{text}."))  # which stays

    # Figures

    def figure(self) -> None:
        """Let the user choose how the figure is to look, and where it goes."""
        self.with_shown("Working out the field for the figure …", self._open_dialog)

    def _open_dialog(self, shown: ShownField) -> None:
        self._say("")
        settings, kept = self._run.settings, self._memory.figure
        try:
            settings = settings.replace(**{name: kept[name] for name in KEPT if name in kept})
        except SettingError:  # by another version
            self._memory.figure = {}
        if self._dialog is not None:
            self._dialog.open_again(shown, settings)
            return
        self._dialog = ExportDialog(
            self._window, shown, settings, as_window=self._window_page, save=self.save, copy=self._copy,
            tell=lambda shown, chosen, kind: self._tell(shown.recipe_as(chosen), kind),
        )  # fmt: skip
        self._done.connect(self._dialog.note)
        self._dialog.show()

    def _window_page(self) -> dict[str, object]:
        """The settings of a page as large as the figure in the window, at twice its resolution."""
        size = self._figure.size() * 2.0
        return {
            "size": (round(size.width()), round(size.height())), "size_unit": "px", "resolution": 192.0,
            "font_size": 9.0,
        }  # fmt: skip

    def save(self, shown: ShownField, settings: Settings) -> None:
        """Let the user choose a name and a format, and write the figure."""
        name, chosen = self._ask("Export figure", "field.png", ";;".join(FORMATS), next(iter(FORMATS)))
        if name is None:
            return
        suffix = chosen_suffix(name, chosen, FORMATS)
        path = with_suffix(name, suffix, self._done.emit)
        if path is not None:
            self._memory.figure = {each: getattr(settings, each) for each in KEPT}
            self.write_figure(path, suffix, shown, settings)

    def write_figure(self, path: Path, suffix: str, shown: ShownField, settings: Settings) -> None:
        """Write a figure, drawn as these settings say."""
        try:
            figure, page, recipe = shown.figure(settings), shown.page(settings), shown.recipe_as(settings)
            if suffix == ".png":
                image = image_of(figure, page)
                self._write(path, lambda: png_with(png_bytes(image), recipe))
            else:
                content = picture_bytes(figure, suffix, page, recipe)
                self._write(path, lambda: content)
        except SettingError as error:
            self._failed.emit(f"cannot write {path}: {error}")

    # The clipboard

    def copy(self) -> None:
        """Put the figure into the clipboard as it is on the screen, at twice its size."""
        QApplication.clipboard().setImage(image_of(self._figure, as_on_screen(self._figure, 2.0)))
        self._say("The figure is in the clipboard")

    def _copy(self, shown: ShownField, settings: Settings) -> None:
        try:
            image = image_of(shown.figure(settings), shown.page(settings))
        except SettingError as error:
            self._done.emit(f"cannot copy the figure: {error}")
            return
        QApplication.clipboard().setImage(image)
        self._done.emit("The figure is in the clipboard")

    def copy_words(self, kind: str) -> None:
        """Put the "command" or the "python" that makes the present figure into the clipboard."""
        run = self._run
        epoch = run.epoch if run.looking_at is None else run.looking_at
        self._tell(Recipe.of(run.branch, epoch, run.settings, self._figure.grid_in_view()), kind)

    def _tell(self, recipe: Recipe, kind: str) -> None:
        QApplication.clipboard().setText(_WORDS[kind](recipe))
        named = "script" if kind == "python" else kind
        own = " The file of points has to lie beside it." if recipe.settings.is_from_file else ""
        self._done.emit(f"The {named} that makes this figure is in the clipboard.{own}")

    # Data

    def data(self) -> None:
        """Let the user choose a name and a kind of file, and write the data."""
        kinds = {f"{words} (*{ending})": ending for ending, (words, _) in DATA_FILES.items()}
        name, chosen = self._ask("Export data", "field.npz", ";;".join(kinds), next(iter(kinds)))
        if name is None:
            return
        path = with_suffix(name, data_ending(name) or kinds.get(chosen, ".npz"), self._say)
        if path is not None:
            self.write_data(path)

    def write_data(self, path: Path) -> None:
        """Write the shown epoch's field on the cells in view, its points, losses or network."""
        _, make = DATA_FILES[data_ending(path) or ".npz"]

        def write(shown: ShownField) -> None:
            self._write(path, lambda: make(shown.exported))

        self.with_shown("Working out the field for the file …", write, f"cannot write {path}")

    def with_shown(
        self, wait: str, use: Callable[[ShownField], None], failed: str = "cannot export the figure"
    ) -> None:
        """Ask for what is shown, with all its points and nothing sketched, and use it."""
        run, grid, marks = self._run, self._figure.grid_in_view(), self._figure.marks

        def take(frame: Frame | str) -> None:
            if isinstance(frame, str):
                self._failed.emit(f"{failed}: {frame}")
                return
            assert frame.field is not None and frame.average is not None
            field = dataclasses.replace(frame.field, data=run.data.points)
            lines = run.lines
            losses = np.concatenate((run.losses[: frame.progress.losses_from], frame.progress.losses))
            recipe = Recipe.of(run.branch, frame.epoch, run.settings, grid)
            exported = Exported(field, run.data, losses[: frame.epoch], recipe, frame.average)
            name = branch_label(run.branch, frame.epoch)
            use(ShownField(exported, name, lines, self._beside(frame, field, lines), marks))

        self._say(wait)
        run.export(grid, take)

    def _write(self, path: Path, make: Callable[[], bytes]) -> None:
        """Make and write a file while the window goes on: large ones take seconds."""

        def work() -> None:
            try:
                write_whole(path, make)
            except FileError as error:
                self._failed.emit(str(error))
            else:
                self._done.emit(f"Wrote {path}")

        threading.Thread(target=work, name="aeviz-export").start()

    def _ask(self, title: str, name: str, filters: str, chosen: str) -> tuple[Path | None, str]:
        start = str(self._memory.folder / name)
        path, chosen = QFileDialog.getSaveFileName(self._window, title, start, filters, chosen)
        if not path:
            return None, ""
        self._memory.folder = Path(path).parent
        return Path(path), chosen


def chosen_suffix(name: Path, chosen: str, formats: Mapping[str, str]) -> str:
    """Which of the formats, by their filters, is meant: the name that was typed wins over the filter."""
    typed = name.suffix.lower()
    return typed if typed in formats.values() else formats.get(chosen, next(iter(formats.values())))


def with_suffix(name: Path, suffix: str, say: Callable[[str], object]) -> Path | None:
    """The name with its ending; None where that names a file which the dialog did not ask about."""
    if name.name.lower().endswith(suffix):
        return name
    path = name.with_name(name.name + suffix)
    if path.exists():
        say(f"{path} is there already: choose it by its full name to replace it")
        return None
    return path
