"""File > Export and Edit > Copy: from the shown figure to files and the clipboard."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QApplication, QFileDialog, QWidget

from aeviz.app.live_run import LiveRun
from aeviz.app.memory import Memory
from aeviz.core.files import PICTURES, FileError, npz_bytes, write_whole
from aeviz.core.settings import Settings
from aeviz.figure.export import image_of, picture_bytes, png_bytes
from aeviz.figure.figure import FieldFigure
from aeviz.version import __version__
from aeviz.work.messages import Frame

FORMATS = {
    "PNG, as on the screen (*.png)": (".png", 1.0),
    "PNG, 2× (*.png)": (".png", 2.0),
    "PNG, 4× (*.png)": (".png", 4.0),
    "SVG (*.svg)": (".svg", 1.0),
    "PDF (*.pdf)": (".pdf", 1.0),
}


class Exports(QObject):
    """Asks for a name, writes the file whole in a thread of its own, and says what became of it."""

    _done = pyqtSignal(str)

    def __init__(
        self, parent: QWidget, figure: FieldFigure, run: LiveRun, memory: Memory, say: Callable[[str], None]
    ) -> None:
        super().__init__(parent)
        self._window, self._figure, self._run, self._memory, self._say = parent, figure, run, memory, say
        self._done.connect(say)

    def figure(self) -> None:
        """Let the user choose a name and a format, and write the figure."""
        name, chosen = self._ask("Export figure", "field.png", ";;".join(FORMATS), list(FORMATS)[1])
        if name is None:
            return
        suffix, scale = FORMATS.get(chosen, (".png", 2.0))
        if name.suffix.lower() in PICTURES:  # the name that was typed wins over the filter
            suffix = name.suffix.lower()
        path = with_suffix(name, suffix, self._say)
        if path is None:
            return
        self._when_whole(lambda: self._write_figure(path, suffix, scale))

    def _when_whole(self, do: Callable[[], None]) -> None:
        """Wait where the figure shows a sketch of the exact field."""
        if not self._figure.is_sketch:
            do()
            return
        self._say("Working out the exact field for the file …")

        def look(*_: object) -> None:
            if not self._figure.is_sketch:
                self._run.framed.disconnect(look)
                do()

        self._run.framed.connect(look)

    def _write_figure(self, path: Path, suffix: str, scale: float) -> None:
        if suffix == ".png":
            image = image_of(self._figure, scale)
            self._write(path, lambda: png_bytes(image))
        else:
            content = picture_bytes(self._figure, suffix)
            self._write(path, lambda: content)

    def data(self) -> None:
        """Let the user choose a name, and write the field as NPZ."""
        name, _ = self._ask("Export data", "field.npz", "NumPy archive (*.npz)", "")
        path = None if name is None else with_suffix(name, ".npz", self._say)
        if path is not None:
            self.write_data(path)

    def write_data(self, path: Path) -> None:
        """Write the shown epoch's field on the cells in view, once the observer has answered."""
        run = self._run

        def write(frame: Frame | str) -> None:
            if isinstance(frame, str):
                self._say(f"cannot write {path}: {frame}")
                return
            assert frame.field is not None
            data, field = run.data, dataclasses.replace(frame.field, data=run.data.points)
            known = run.losses[: frame.progress.losses_from]
            losses = np.concatenate((known, frame.progress.losses))[: frame.epoch].astype(float)
            settings = as_trained(run.settings, frame.settings)
            self._write(path, lambda: npz_bytes(field, losses, settings, data, __version__))

        self._say("Working out the field for the file …")
        run.export(self._figure.grid_in_view(), write)

    def copy(self) -> None:
        """Put the figure into the clipboard, at twice its size."""
        QApplication.clipboard().setImage(image_of(self._figure, 2.0))
        self._say("The figure is in the clipboard")

    def _write(self, path: Path, make: Callable[[], bytes]) -> None:
        """Make and write a file while the window goes on: large ones take seconds."""

        def work() -> None:
            try:
                write_whole(path, make())
            except FileError as error:
                self._done.emit(str(error))
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


def with_suffix(name: Path, suffix: str, say: Callable[[str], None]) -> Path | None:
    """The name with its ending; None where that names a file which the dialog did not ask about."""
    if name.suffix.lower() == suffix:
        return name
    path = name.with_name(name.name + suffix)
    if path.exists():
        say(f"{path} is there already: choose it by its full name to replace it")
        return None
    return path


def as_trained(present: Settings, past: Settings) -> Settings:
    """The settings of a past epoch, drawn as at present."""
    return past.drawn_as(present).replace(epochs=present.epochs)
