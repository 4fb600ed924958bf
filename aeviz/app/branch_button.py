"""The button with the current branch's name, and the menu of all branches behind it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu, QToolButton

from aeviz.app.lineage import origin_text
from aeviz.app.live_run import LiveRun
from aeviz.core.history import Branch
from aeviz.core.numbers import grouped

_WIDTH = 112  # px of the text on the button
_LONGEST = 60  # characters of what is said of a branch
_NO_BRANCH = -1


class BranchButton(QToolButton):
    """Says which branch is trained; its menu goes to others, compares, renames and forgets them."""

    wanted = pyqtSignal(int)
    """The number of the branch to go to."""
    beside_wanted = pyqtSignal(object)
    """The number of the branch to show beside the current one, or None."""
    rename_wanted = pyqtSignal(int)
    forget_wanted = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "branch")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._run: LiveRun | None = None
        self._said = ""
        self.runs = QMenu("&Runs", self)
        self.runs.setToolTipsVisible(True)
        self.runs.aboutToShow.connect(self.fill)
        self.setMenu(self.runs)

    def show_run(self, run: LiveRun) -> None:
        """Show which branch is trained, and which one is beside it."""
        self._run = run
        name = run.branch.name
        beside = "" if run.branch_beside is None else run.branch_beside.name
        said = f"{name} | {beside}" if beside else name
        if said != self._said:
            self._said = said
            self.setText(self.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, _WIDTH))
            told = f"{name}, shown beside {beside}" if beside else name
            self.setAccessibleName(f"Runs: {told}")
            self.setToolTip(f"{told}: go to another run, or compare")

    def fill(self) -> None:
        """Make the menu: what is said of a branch changes with every epoch."""
        run, menu = self._run, self.runs
        if run is None:
            return
        menu.clear()
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        for inner in menu.findChildren((QMenu, QActionGroup), options=direct):
            inner.deleteLater()
        current = run.branch.number
        others = [branch for branch in run.history if branch.number != current]
        group = QActionGroup(menu)
        for branch in run.history:
            self._add(menu, _told(run, branch), branch, self.wanted.emit, group, current)
        menu.addSeparator()
        beside, renamed, forgotten = (QMenu(title, menu) for title in ("&Compare with", "Re&name", "&Forget"))
        for inner in (beside, renamed, forgotten):
            menu.addMenu(inner)
        group = QActionGroup(beside)
        choice = self._add(beside, "None", None, lambda _: self.beside_wanted.emit(None), group)
        choice.setChecked(run.beside is None)
        for branch in others:
            self._add(beside, branch.name, branch, self.beside_wanted.emit, group, run.beside)
        for branch in run.history:
            self._add(renamed, f"{branch.name}…", branch, self.rename_wanted.emit)
        for branch in others:
            self._add(forgotten, f"{branch.name}…", branch, self.forget_wanted.emit)
        for inner in (beside, forgotten):
            inner.setEnabled(bool(others))

    def _add(
        self, menu: QMenu, text: str, branch: Branch | None, do: Callable[[int], object],
        group: QActionGroup | None = None, chosen: int | None = None,
    ) -> QAction:  # fmt: skip
        number = _NO_BRANCH if branch is None else branch.number
        action = QAction(text.replace("&", "&&"), menu)
        if group is not None:
            action.setCheckable(True)
            action.setChecked(number == chosen)
            group.addAction(action)
        if branch is not None and self._run is not None:
            action.setToolTip(f"{branch.name}, {origin_text(self._run.history, branch)}")
        action.triggered.connect(lambda _: do(number))
        menu.addAction(action)
        return action


def _told(run: LiveRun, branch: Branch) -> str:
    """Name and origin at the left, epochs and loss at the right."""
    origin = origin_text(run.history, branch)
    if len(origin) > _LONGEST:
        origin = origin[: _LONGEST - 1].rstrip() + "…"
    loss = f" · loss {branch.losses[-1, 0]:.4f}" if branch.epoch else ""
    return f"{branch.name}   {origin}\t{grouped(branch.epoch)} epochs{loss}"
