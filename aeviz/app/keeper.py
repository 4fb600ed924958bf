"""That nothing is lost: run files, and the journal from which a run that was cut off comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from PyQt6.QtCore import QObject, QSize, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QWidget

from aeviz.app.exports import with_suffix
from aeviz.app.live_run import LiveRun
from aeviz.app.memory import Memory
from aeviz.app.notice import Notice
from aeviz.app.store import Aim, Store
from aeviz.core.events import Event
from aeviz.core.files import RUN, FileError, write_whole
from aeviz.core.history import MEGABYTE, History
from aeviz.core.journal import Journal, Left, left_behind
from aeviz.core.packing import PackError
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import opened
from aeviz.core.run_file import SavedRun, run_bytes
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings
from aeviz.figure.export import png_bytes, thumbnail
from aeviz.figure.figure import FieldFigure
from aeviz.version import __version__

LOOK_EVERY = 1_000  # ms: whether the journal has grown too long
FIRST_PICTURE, PICTURE_EVERY = 3, 15  # looks until the journal gets its picture, and a newer one
PICTURE = 200, 170  # px


class Keeper(QObject):
    """Saves and opens run files, and keeps the journal of this window.

    Files are read and written in threads of their own; the history that is written is a copy.
    """

    opened = pyqtSignal(str)
    """Another run is there: its title."""
    _read = pyqtSignal(int, str, object)
    _written = pyqtSignal(object, str)
    _told = pyqtSignal(str)

    def __init__(self, parent: QWidget, memory: Memory, notice: Notice, say: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._window, self._memory, self._notice, self._say = parent, memory, notice, say
        self._told.connect(lambda text: notice.say(text))
        self._journal = Journal(tell=self._told.emit)
        self._ticket = self._looks = 0
        self.path: Path | None = None
        self._read.connect(self._take)
        self._written.connect(self._note_written)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def listen(self, event: Event) -> None:
        """Write an event of the history down."""
        self._journal.write(event)

    def follow(self, store: Store, run: LiveRun, figure: FieldFigure) -> None:
        """Keep this run."""
        self._store, self._run, self._figure = store, run, figure
        self._timer.start(LOOK_EVERY)

    def close(self) -> None:
        """The window closes, and the journal with it; its run stays until another window was closed."""
        self._timer.stop()
        self._journal.close(forget=False)

    # Run files

    def save(self) -> None:
        """Write the run into its file, or into one that is to be chosen."""
        if self.path is None:
            self.save_as()
        else:
            self.write(self.path)

    def save_as(self) -> None:
        """Let the user choose a file for the run, and write it."""
        start = str(self.path or self._memory.folder / f"run{RUN}")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save run", start, f"Runs (*{RUN})")
        if not name:
            return
        path = with_suffix(Path(name), RUN, self._say)
        if path is not None:
            self._memory.folder = path.parent
            self.write(path)

    def write(self, path: Path) -> None:
        """Write the run as it is now."""
        make = self._snapshot()

        def work() -> None:
            try:
                write_whole(path, make)
            except FileError as error:
                self._written.emit(None, str(error))
            else:
                self._written.emit(path, f"Saved {path}")

        self._say(f"Saving {path.name} …")
        threading.Thread(target=work, name="aeviz-save").start()

    def _note_written(self, path: Path | None, text: str) -> None:
        if path is not None:
            self._name(path)
        self._say(text)
        if path is None:
            self._notice.say(f"{text}.")

    def open(self, path: str | Path) -> None:
        """Read a run file, or the recipe in a figure's, and show its run in place of the present one."""
        self._ticket += 1
        ticket = self._ticket
        self._say(f"Reading {Path(path).name} …")

        def work() -> None:
            try:
                found: SavedRun | Recipe | FileError = opened(Path(path))
            except FileError as error:
                found = error
            except MemoryError:
                found = FileError(f"cannot open {path}: there is not enough memory")
            self._read.emit(ticket, str(path), found)

        threading.Thread(target=work, name="aeviz-open", daemon=True).start()

    def _take(self, ticket: int, name: str, found: SavedRun | Recipe | FileError) -> None:
        if ticket != self._ticket:
            return
        self._say("")
        if isinstance(found, FileError):
            self._notice.say(f"{found}.")
        else:
            self.show(found, Path(name))

    def show(self, found: SavedRun | Recipe, path: Path) -> None:
        """Show the run of a file, at rest; that of a figure once it is trained again."""
        if isinstance(found, Recipe):
            try:
                history = found.history()
            except SettingError as error:
                self._notice.say(f"cannot take a run out of {path}: {error}.")
                return
            self._take_up(history, found.settings.on_screen(), None)
            self.path = None  # the figure is not to be written over with a run
            self.opened.emit(path.name)
        else:
            view = found.view.on_screen()
            self._take_up(found.history, found.history.current.settings.drawn_as(view), found.epoch)
            self._name(path)
        self._journal.restart(self._snapshot())

    def _take_up(self, history: History, settings: Settings, epoch: int | None) -> None:
        run, store = self._run, self._store
        run.take_up(history)
        number = history.current.number
        if settings == store.settings:
            run.go_to(number)
        else:
            store.put(settings, Aim(branch=number, opens=True))
        run.look_at(epoch)

    def _name(self, path: Path) -> None:
        self.path = path
        self._memory.add_recent(path)
        self.opened.emit(path.name)

    def _snapshot(self) -> Callable[[], bytes]:
        run = self._run
        metrics = {name: value for name, value in asdict(run.quality).items() if name != "sketch"}
        saved = SavedRun(run.history.copy(), self._store.settings, run.looking_at, metrics, __version__)
        return lambda: run_bytes(saved)

    # The journal

    def left(self) -> list[Left]:
        """Runs whose window did not close them, newest first, and the last one that was closed."""
        return left_behind()

    def recover(self, left: Left) -> None:
        """Show a run that was left behind; what was written of it is kept until then."""
        try:
            history = left.read()
        except (OSError, PackError) as error:
            self._notice.say(f"That run cannot be brought back: {error}.")
            return
        changes, settings = [*history.changes], history.current.settings
        self._take_up(history, settings.drawn_as(changes[-1].new) if changes else settings, None)
        self.path = None
        self.opened.emit("")
        self._journal.restart(self._snapshot(), left.forget)  # once it is in this window's journal

    def _look(self) -> None:
        self._journal.limit = self._store.settings.history * MEGABYTE
        if self._journal.is_long:
            self._journal.restart(self._snapshot())
        self._looks += 1
        due = self._looks == FIRST_PICTURE or self._looks % PICTURE_EVERY == 0
        if due and self._run.epoch:
            self._journal.put_picture(png_bytes(thumbnail(self._figure, QSize(*PICTURE))))
