"""That nothing is lost: run files, and the journal from which a run that was cut off comes back."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, QSize, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QWidget

from aeviz.app.exports import with_suffix
from aeviz.app.live_run import LiveRun
from aeviz.app.memory import Memory
from aeviz.app.notice import Notice
from aeviz.app.store import Aim, Store
from aeviz.core.events import Begun, Changed, Event, Told
from aeviz.core.files import RUN, FileError, write_whole
from aeviz.core.history import MEGABYTE, History
from aeviz.core.journal import Journal, Left, left_behind
from aeviz.core.packing import PackError
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import opened
from aeviz.core.run_file import SavedRun, run_bytes
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings, applies
from aeviz.figure.export import png_bytes, thumbnail
from aeviz.figure.figure import FieldFigure
from aeviz.version import __version__

LOOK_EVERY = 1_000  # ms: whether the journal has grown too long, or rests
TRY_EVERY = 30  # looks: whether a disk that took nothing has room again
FIRST_PICTURE, PICTURE_EVERY = 3, 15  # looks until the journal gets its picture, and a newer one
PICTURE = 200, 170  # px
_AGAIN = "What is trained can be brought back after a crash again."
A_WHILE = 60.0  # seconds of training after which a run that makes room for another one is kept


class Keeper(QObject):
    """Saves and opens run files, and keeps the journal of this window.

    Files are read and written in threads of their own; the history that is written is a copy.
    """

    opened = pyqtSignal()
    """Another run is there."""
    named = pyqtSignal(str)
    """The run has another name, that of its file; "" where it has none."""
    _read = pyqtSignal(int, object, object)
    _written = pyqtSignal(int, object, str)
    _told = pyqtSignal(str)
    _looked = pyqtSignal(object)

    def __init__(self, parent: QWidget, memory: Memory, notice: Notice, say: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._window, self._memory, self._notice, self._say = parent, memory, notice, say
        self._told.connect(lambda text: notice.say(text))
        self._looked.connect(self._note_left)
        self._journal = Journal(tell=self._told.emit)
        self._ticket = self._naming = self._looks = 0
        self._reading = ""  # what is being read
        self.path: Path | None = None
        self.closed: list[Left] = []
        """The last runs that were closed, newest first, as far as they are known here."""
        self._news, self._writing = math.inf, 0  # since when it has what is in no file; where it is written
        self._read.connect(self._take)
        self._written.connect(self._note_written)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def listen(self, event: Event) -> None:
        """Write an event of the history down."""
        self._journal.write(event)
        match event:
            case Told():
                self._news = min(self._news, time.monotonic())
            case Changed() if applies(event.change.old.changed(event.change.new)) - {"view"}:
                self._news = -math.inf  # what somebody has done is worth more than what came by itself
            case Begun() if event.parent is not None:
                self._news = -math.inf

    def follow(self, store: Store, run: LiveRun, figure: FieldFigure) -> None:
        """Keep this run."""
        self._store, self._run, self._figure = store, run, figure
        store.changed.connect(self._give_way)
        self._timer.start(LOOK_EVERY)

    def close(self) -> None:
        """The window closes, and the journal with it; what is in no file stays for a while."""
        self._timer.stop()
        forget = self._news == math.inf and not self._writing
        if not forget:
            self._write_again()
        self._journal.close(forget=forget)

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
        self._naming += 1
        naming, news, self._news = self._naming, self._news, math.inf
        self._writing = naming

        def work() -> None:
            try:
                write_whole(path, make)
            except FileError as error:
                self._written.emit(naming, news, str(error))
            else:
                self._written.emit(naming, path, f"Saved {path}")

        self._say(f"Saving {path.name} …")
        threading.Thread(target=work, name="aeviz-save").start()

    def _note_written(self, naming: int, found: Path | float, text: str) -> None:
        """Take up what became of a file: its path, or since when the run has what is in none."""
        is_newest = naming == self._naming  # no other run is there since, and no other name was chosen
        if naming == self._writing:
            self._writing = 0
        self._say(text)
        if isinstance(found, Path):
            self._memory.add_recent(found)
            if is_newest:
                self._name(found, found.name)
        else:
            self._notice.say(f"{text}.")
            self._news = min(self._news, found) if is_newest else self._news

    def open(self, path: str | Path) -> None:
        """Read a run file, or the recipe in a figure's, and show its run in place of the present one."""
        path = Path(path)
        self._fetch(
            path.name, lambda: opened(path), lambda found: self.show(found, path), f"cannot open {path}"
        )

    def _fetch(
        self, name: str, read: Callable[[], object], show: Callable[[Any], object], failed: str
    ) -> None:
        """Read something in a thread of its own and show it; what is chosen later wins over it."""
        self._ticket += 1
        ticket, self._reading = self._ticket, name
        self._say(f"Reading {name} …")

        def work() -> None:
            try:
                found = read()
            except FileError as error:
                found = error
            except MemoryError:
                found = FileError(f"{failed}: there is not enough memory")
            except (OSError, PackError) as error:
                found = FileError(f"{failed}: {error}")
            self._read.emit(ticket, found, show)

        threading.Thread(target=work, name="aeviz-open", daemon=True).start()

    def _take(self, ticket: int, found: object, show: Callable[[object], object]) -> None:
        if ticket != self._ticket:
            return
        self._reading = ""
        self._say("")
        if isinstance(found, FileError):
            self._notice.say(f"{found}.")
        else:
            show(found)

    def _give_way(self, old: Settings, new: Settings) -> None:
        """What is chosen while a run is read wins over it."""
        if self._reading and not self._store.aim.opens and "rebuild" in applies(old.changed(new)):
            self._ticket += 1
            self._say(f"{self._reading} was not opened: something else was chosen meanwhile")
            self._reading = ""

    def show(self, found: SavedRun | Recipe, path: Path) -> None:
        """Show the run of a file, at rest; that of a figure once it is trained again."""
        if isinstance(found, Recipe):
            try:
                history = found.history()
            except SettingError as error:
                self._notice.say(f"cannot take a run out of {path}: {error}.")
                return
            # The figure is not to be written over with a run.
            self._take_up(history, found.settings.on_screen(), None, None, path.name)
        else:
            settings = found.history.current.settings.drawn_as(found.view.on_screen())
            self._take_up(found.history, settings, found.epoch, path, path.name)
            self._memory.add_recent(path)
        self._journal.restart(self._snapshot(), self._look_what_is_left)

    def _take_up(
        self, history: History, settings: Settings, epoch: int | None, path: Path | None, name: str
    ) -> None:
        run, store = self._run, self._store
        if self._is_worth_keeping:
            self._write_again()
            self._journal.leave()
        run.take_up(history)
        number = history.current.number
        if settings == store.settings:
            run.go_to(number)
        else:
            store.put(settings, Aim(branch=number, opens=True))
        run.look_at(epoch)
        self._naming += 1  # a file that is still being written is that of the run before
        self._news, self._writing = math.inf, 0
        self._name(path, name)
        self.opened.emit()

    @property
    def _is_worth_keeping(self) -> bool:
        """Whether the run that makes room has what is in no file: work of the user, or a while of training.

        A run that has only just begun by itself is not worth the place of an older one.
        """
        return self._writing > 0 or time.monotonic() - self._news > A_WHILE

    def _name(self, path: Path | None, name: str) -> None:
        self.path = path
        self.named.emit(name)

    def _snapshot(self) -> Callable[[], bytes]:
        run = self._run
        metrics = {name: value for name, value in asdict(run.quality).items() if name != "sketch"}
        saved = SavedRun(run.history.copy(), self._store.settings, run.looking_at, metrics, __version__)
        return lambda: run_bytes(saved)

    # The journal

    def left(self) -> list[Left]:
        """Runs that were cut off, newest first; those that were closed are noted."""
        left = left_behind()
        self._note_left(left)
        return [each for each in left if not each.closed]

    def _look_what_is_left(self) -> None:
        """In the journal's thread: it reads through all of their journals."""
        with suppress(RuntimeError):  # the window is gone
            self._looked.emit(left_behind())

    def _note_left(self, left: list[Left]) -> None:
        self.closed = [each for each in left if each.closed]

    def recover(self, left: Left) -> None:
        """Show a run that was left behind; what was written of it is kept until then."""
        self._fetch("the run", left.read, partial(self._bring_back, left), "That run cannot be brought back")

    def _bring_back(self, left: Left, history: History) -> None:
        changes, settings = [*history.changes], history.current.settings
        self._take_up(history, settings.drawn_as(changes[-1].new) if changes else settings, None, None, "")
        self._news = -math.inf  # it is in no file

        def then() -> None:
            left.forget()  # once it is in this window's journal
            self._look_what_is_left()

        self._journal.restart(self._snapshot(), then)

    def _write_again(self, then: Callable[[], object] | None = None) -> None:
        """Where the disk took nothing, try whether it has room by now."""
        if self._journal.rests:
            self._journal.restart(self._snapshot(), then)

    def _look(self) -> None:
        self._journal.limit = self._store.settings.history * MEGABYTE
        self._looks += 1
        if self._journal.is_long:
            self._journal.restart(self._snapshot())
        elif self._looks % TRY_EVERY == 0:
            self._write_again(partial(self._told.emit, _AGAIN))
        due = self._looks == FIRST_PICTURE or self._looks % PICTURE_EVERY == 0
        if due and self._run.epoch:
            self._journal.put_picture(png_bytes(thumbnail(self._figure, QSize(*PICTURE))))
