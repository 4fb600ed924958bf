"""File > Export and Edit > Copy: from the shown figure to files and the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtWidgets import QApplication, QFileDialog, QWidget

from aeviz.app.live_run import LiveRun
from aeviz.app.memory import Memory
from aeviz.core.field import Field
from aeviz.core.files import FileError, npz_bytes, write_whole
from aeviz.figure.export import image_of, picture_bytes
from aeviz.figure.figure import FieldFigure
from aeviz.version import __version__

FORMATS = {
    "PNG, as on the screen (*.png)": (".png", 1.0),
    "PNG, 2× (*.png)": (".png", 2.0),
    "PNG, 4× (*.png)": (".png", 4.0),
    "SVG (*.svg)": (".svg", 1.0),
    "PDF (*.pdf)": (".pdf", 1.0),
}


class Exports:
    """Asks for a name, writes the file whole, and says what became of it."""

    def __init__(
        self, parent: QWidget, figure: FieldFigure, run: LiveRun, memory: Memory, say: Callable[[str], None]
    ) -> None:
        self._parent, self._figure, self._run, self._memory, self._say = parent, figure, run, memory, say

    def figure(self) -> None:
        """Let the user choose a name and a format, and write the figure."""
        name, chosen = self._ask("Export figure", "field.png", ";;".join(FORMATS), list(FORMATS)[1])
        if name is None:
            return
        suffix, scale = FORMATS.get(chosen, (".png", 2.0))
        if name.suffix.lower() in (".png", ".svg", ".pdf"):  # the name that was typed wins over the filter
            suffix = name.suffix.lower()
        else:
            name = name.with_name(name.name + suffix)
        self.write(name, picture_bytes(self._figure, suffix, scale))

    def data(self) -> None:
        """Let the user choose a name, and write the field as NPZ."""
        name, _ = self._ask("Export data", "field.npz", "NumPy archive (*.npz)", "")
        if name is not None:
            self.write_data(name if name.suffix.lower() == ".npz" else name.with_name(name.name + ".npz"))

    def write_data(self, path: Path) -> None:
        """Write the shown epoch's field on the cells in view, once the worker has answered."""
        settings = self._run.settings

        def write(field: Field) -> None:
            self.write(
                path, npz_bytes(field, self._run.losses[: field.epoch].astype(float), settings, __version__)
            )

        self._run.export(self._figure.grid_in_view(), write)

    def copy(self) -> None:
        """Put the figure into the clipboard, at twice its size."""
        QApplication.clipboard().setImage(image_of(self._figure, 2.0))
        self._say("The figure is in the clipboard")

    def write(self, path: Path, content: bytes) -> None:
        """Write a file whole, or say why not."""
        try:
            write_whole(path, content)
        except FileError as error:
            self._say(str(error))
        else:
            self._say(f"Wrote {path}")

    def _ask(self, title: str, name: str, filters: str, chosen: str) -> tuple[Path | None, str]:
        start = str(self._memory.folder / name)
        path, chosen = QFileDialog.getSaveFileName(self._parent, title, start, filters, chosen)
        if not path:
            return None, ""
        self._memory.folder = Path(path).parent
        return Path(path), chosen
