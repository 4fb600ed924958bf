"""Every change of settings is recorded, by name; undone and redone; and a past epoch can be chosen by it."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QWidget

from aeviz.app.live_run import LiveRun
from aeviz.app.store import Aim, Store
from aeviz.core.changes import Change, Kind
from aeviz.core.history import is_same_course
from aeviz.core.settings import Settings, applies


class Undo(QObject):
    """Keeps the history's list of changes; the menu's two entries say what they would undo and redo."""

    changed = pyqtSignal()
    """The list of changes is another."""

    def __init__(self, parent: QWidget, store: Store, run: LiveRun) -> None:
        super().__init__(parent)
        self._store, self._run = store, run
        self._kind: Kind = "do"
        self.undo_action = _action(parent, QKeySequence.StandardKey.Undo, self.undo)
        self.redo_action = _action(parent, QKeySequence.StandardKey.Redo, self.redo)
        store.changed.connect(self._record)
        run.rebuilt.connect(self._show)
        self._show()

    def undo(self) -> None:
        """Take the last change back."""
        change = self._run.history.changes.to_undo
        if change is not None:
            self._turn(change, change.new, change.old, "undo", f"Undo: {change.title}")

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        change = self._run.history.changes.to_redo
        if change is not None:
            self._turn(change, change.old, change.new, "redo", f"Redo: {change.title}")

    def _turn(self, change: Change, start: Settings, end: Settings, kind: Kind, name: str) -> None:
        """Bring back those settings alone that were changed; a course that was left, as it was left."""
        changed, now = start.changed(end), self._store.settings
        wanted = now.replace(**changed)
        branch = self._course(wanted, change.branch) if "rebuild" in applies(changed) else None
        self._kind = kind
        if wanted == now:  # changed back by hand meanwhile
            self._note(now, now, name)
        else:
            self._store.put(wanted, Aim(name, branch))
        self._kind = "do"

    def _course(self, settings: Settings, first: int) -> int | None:
        """The branch, other than the current one, that began with these settings: `first`, or the newest."""
        history = self._run.history
        fit = [
            branch.number for branch in history
            if branch is not history.current and is_same_course(branch.origin, settings)
        ]  # fmt: skip
        return first if first in fit else max(fit, default=None)

    def _record(self, old: Settings, new: Settings) -> None:
        if not self._store.aim.opens:
            self._note(old, new, self._store.aim.name)

    def _note(self, old: Settings, new: Settings, name: str) -> None:
        branch = self._run.branch
        self._run.history.change(Change(old, new, branch.number, branch.epoch, time.time(), self._kind, name))
        self._show()

    def _show(self) -> None:
        changes = self._run.history.changes
        for action, word, change in (
            (self.undo_action, "Undo", changes.to_undo),
            (self.redo_action, "Redo", changes.to_redo),
        ):
            action.setEnabled(change is not None)
            action.setText(f"&{word}: {change.title}" if change else f"&{word}")
        self.changed.emit()


def _action(parent: QWidget, key: QKeySequence.StandardKey, do: Callable[[], object]) -> QAction:
    action = QAction(parent)
    action.setShortcuts(key)
    action.triggered.connect(lambda: do())
    parent.addAction(action)
    return action
