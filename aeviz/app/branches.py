"""Runs beside each other: from one branch of the history to another, and what may be done to them."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QInputDialog, QMessageBox, QWidget

from aeviz.app.lineage import shared
from aeviz.app.live_run import LiveRun
from aeviz.app.store import Aim, Store
from aeviz.core.history import MOST_WRITTEN
from aeviz.core.numbers import grouped

_LONGEST = 40  # characters of a name


class Branches(QObject):
    """Does to the branches what the user wants, and says what happened."""

    changed = pyqtSignal()
    """A branch has another name, is gone, or another one is shown beside the current one."""

    def __init__(self, parent: QWidget, store: Store, run: LiveRun, say: Callable[[str], object]) -> None:
        super().__init__(parent)
        self._parent, self._store, self._run, self._say = parent, store, run, say

    def _is_there(self, number: int) -> bool:
        """Whether there is such a branch; the history may have forgotten it since the menu was opened."""
        if number not in self._run.history:
            self._say("That run was forgotten: there was no room for it")
        return number in self._run.history

    def fork(self) -> None:
        """Go on from the past epoch that is looked at, with the present settings."""
        run, since = self._run, self._run.looking_at
        if since is None:
            self._say("Look at a past epoch first: drag the epoch slider back, or press ←")
            return
        left = run.branch.name
        run.fork()
        run.drive(playing=True)
        self._say(f"{run.branch.name} goes on from epoch {grouped(since)} of {left}, which stays as it was")

    def go_to(self, number: int) -> None:
        """Go back to another branch, with its settings and to its newest epoch, where it rests."""
        run = self._run
        if number == run.branch.number or not self._is_there(number):
            return
        run.look_at(None)
        run.drive(playing=False)
        branch = run.history[number]
        settings = branch.settings.drawn_as(self._store.settings)
        if settings == self._store.settings:
            run.go_to(number)
        else:
            self._store.put(settings, Aim(f"Go to {branch.name}", number))
        self._say(f"{branch.name} is back, at rest after epoch {grouped(branch.epoch)}")

    def show_beside(self, number: int | None) -> None:
        """Show the same epoch of another branch as well, or of none."""
        run = self._run
        if number is not None and not self._is_there(number):
            return
        run.show_beside(number)
        if number is not None:
            self._say(f"{run.branch.name} is shown beside {run.history[number].name}")
        self.changed.emit()

    def rename(self, number: int) -> None:
        """Ask for a name."""
        if not self._is_there(number):
            return
        branch = self._run.history[number]
        dialog = QInputDialog(self._parent)
        dialog.setWindowTitle("Rename a run")
        dialog.setLabelText(f"New name of {branch.name}:")
        dialog.setTextValue(branch.name)
        dialog.textValueSelected.connect(lambda name: self._name(number, name))
        _show(dialog)

    def _name(self, number: int, name: str) -> None:
        name, history = " ".join(name.split())[:_LONGEST], self._run.history
        if not name or number not in history:
            return
        if sum(branch.named for branch in history if branch.number != number) >= MOST_WRITTEN - 1:
            self._say(f"{MOST_WRITTEN - 1} runs have names, and more fit into no file: forget one first")
            return
        history.rename(number, name)
        self.changed.emit()

    def forget(self, number: int) -> None:
        """Ask whether a branch is to be forgotten, and say what goes with it."""
        if not self._is_there(number):
            return
        history = self._run.history
        branch = history[number]
        kept = max((shared(history, branch, other) for other in history if other is not branch), default=0)
        dialog = QMessageBox(self._parent)
        dialog.setIcon(QMessageBox.Icon.Question)
        dialog.setWindowTitle("Forget a run")
        dialog.setText(f"Forget {branch.name}?")
        epochs = f"{grouped(branch.epoch - kept)} of its {grouped(branch.epoch)} epochs are in no other run"
        dialog.setInformativeText(f"{epochs}: they cannot be shown, compared or gone back to any more.")
        button = dialog.addButton("Forget", QMessageBox.ButtonRole.DestructiveRole)
        dialog.addButton(QMessageBox.StandardButton.Cancel)
        dialog.setDefaultButton(QMessageBox.StandardButton.Cancel)
        button.clicked.connect(lambda: self._forget(number))
        _show(dialog)

    def _forget(self, number: int) -> None:
        run = self._run
        if number not in run.history or number == run.branch.number:
            return
        name = run.history[number].name
        if run.beside == number:
            run.show_beside(None)
        run.history.remove(number)
        self._say(f"{name} is forgotten")
        self.changed.emit()


def _show(dialog: QInputDialog | QMessageBox) -> None:
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
