"""Files of points: opened by menu or dropped on the window, read while the window goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QFileDialog, QWidget

from aeviz.app.memory import Memory
from aeviz.app.notice import Notice
from aeviz.app.store import Store
from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.data_file import SUFFIXES, BadRowsError, DataFile, read_points
from aeviz.core.files import RUN
from aeviz.core.numbers import grouped
from aeviz.core.recipe_files import SUFFIXES as RECIPES
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings

LEAST_SPREAD, MOST_SPREAD = 0.2, 50.0  # of data that noise between 0 and 1 and the usual steps suit


class DataFiles(QObject):
    """Asks for a file, reads it in a thread of its own, and makes its points the data."""

    run_wanted = pyqtSignal(str)
    """A run file, or a figure with its recipe, was chosen or dropped."""
    reopened = pyqtSignal()
    """The file that is shown was read again."""
    _read = pyqtSignal(int, str, object)

    def __init__(
        self, parent: QWidget, store: Store, memory: Memory, notice: Notice, say: Callable[[str], None]
    ) -> None:
        super().__init__(parent)
        self._window, self._store, self._memory, self._notice, self._say = parent, store, memory, notice, say
        self._ticket = 0  # of the last file that was asked for
        self._read.connect(self._take)
        store.changed.connect(self._follow)
        parent.setAcceptDrops(True)
        parent.installEventFilter(self)

    def choose(self) -> None:
        """Let the user choose a file."""
        points = " ".join("*" + suffix for suffix in SUFFIXES)
        figures = " ".join("*" + suffix for suffix in RECIPES)
        kinds = (
            f"Runs, figures and points (*{RUN} {figures} {points});;Runs (*{RUN});;Figures ({figures});;"
            f"Points ({points});;All files (*)"
        )
        name, _ = QFileDialog.getOpenFileName(self._window, "Open", str(self._memory.folder), kinds)
        if name:
            self._memory.folder = Path(name).parent
            self.open(name)

    def open(self, name: str, *, skip_bad: bool | None = None) -> None:
        """Read a file and make its points the data, or its run; what is chosen later wins over it."""
        if name.lower().endswith((RUN, *RECIPES)):
            self._ticket += 1
            self.run_wanted.emit(name)
            return
        skip = self._store.settings.bad_rows == "skip" if skip_bad is None else skip_bad
        self._ticket += 1
        ticket = self._ticket
        self._say(f"Reading {Path(name).name} …")

        def work() -> None:
            try:
                found: DataFile | SettingError = read_points(name, skip_bad=skip)
            except SettingError as error:
                found = error
            self._read.emit(ticket, name, found)

        threading.Thread(target=work, name="aeviz-data", daemon=True).start()

    def _follow(self, old: Settings, new: Settings) -> None:
        if old.data != new.data:
            self._ticket += 1  # a file that is still being read was chosen before

    def _take(self, ticket: int, name: str, found: DataFile | SettingError) -> None:
        if ticket != self._ticket:
            return
        self._say("")
        if isinstance(found, BadRowsError):
            self._notice.say(f"{found}.", "Leave them out", partial(self.open, name, skip_bad=True))
            return
        if isinstance(found, SettingError):
            self._notice.say(f"{found}.")
            return
        skips = {"bad_rows": "skip"} if found.skipped else {}
        before = self._store.settings
        new = {} if name == before.data else {"data": name, "extent": (), "standardise": False}
        if self._store.set(**new, **skips):
            if self._store.settings == before:
                self.reopened.emit()
            self._say(f"{Path(name).name}: {grouped(len(found.points))} points")
            self.remark(clean_data(self._store.settings))

    def remark(self, data: CleanData) -> None:
        """Say what the user should know of these data, if anything."""
        spread, is_own = data.spread, self._store.settings.is_from_file
        if is_own and len(data.points) > 1 and not LEAST_SPREAD <= spread <= MOST_SPREAD:
            self._notice.say(
                f"These points spread over {spread:.3g}, and noise goes from 0 to 1: standardised, each "
                "coordinate has standard deviation 1, and the axes keep your units.",
                "Standardise", lambda: self._store.set(standardise=True),
            )  # fmt: skip
        elif data.note:
            self._notice.say(f"{data.note}.")

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """Take files that are dropped."""
        if isinstance(event, QDragEnterEvent | QDropEvent):
            mime = event.mimeData()
            urls = mime.urls() if mime is not None else []
            paths = [url.toLocalFile() for url in urls if url.isLocalFile()]
            if not paths:
                return False
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self.open(paths[0])
            return True
        return False
