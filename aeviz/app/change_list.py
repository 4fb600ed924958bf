"""The list of all changes of settings, from which a past epoch can be chosen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PyQt6.QtCore import QSignalBlocker, Qt, QTimer
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from aeviz.app.lineage import lineage
from aeviz.app.live_run import LiveRun
from aeviz.app.undo import Undo
from aeviz.core.numbers import grouped

FILL_AFTER = 100  # ms
_EPOCH, _RIGHT = 2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter  # a column of numbers


class ChangeList(QDialog):
    """When, in which branch and after which epoch what was changed; a click shows that epoch."""

    def __init__(self, parent: QWidget, undo: Undo, run: LiveRun, say: Callable[[str], object]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Changes")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(640, 460)
        self._undo, self._run, self._say = undo, run, say
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Change", "Branch", "After epoch", "Time"])
        self.list.headerItem().setTextAlignment(_EPOCH, _RIGHT)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.setRootIsDecorated(False)
        self.list.setAccessibleName("Changes of settings")
        self.list.setToolTip("A click shows the epoch after which it was changed")
        self.list.itemActivated.connect(self._look)
        self.list.itemClicked.connect(self._look)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        for action, text in ((undo.undo_action, "Undo"), (undo.redo_action, "Redo")):
            button = buttons.addButton(text, QDialogButtonBox.ButtonRole.ActionRole)
            button.clicked.connect(action.trigger)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.addWidget(self.list)
        column.addWidget(buttons)
        self._later = QTimer(self)  # a slider that is dragged changes sixty times a second
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._fill)
        undo.changed.connect(self._fill_soon)  # a method, which goes with this dialog
        self._fill()

    def _fill_soon(self) -> None:
        self._later.start(FILL_AFTER)

    def _fill(self) -> None:
        history = self._run.history
        with QSignalBlocker(self.list):
            self.list.clear()
            for change in reversed([*history.changes]):
                branch = history[change.branch].name if change.branch in history else "forgotten"
                then = datetime.fromtimestamp(change.time)
                is_today = then.date() == datetime.now().date()
                time = f"{then:%H:%M:%S}" if is_today else f"{then:%Y-%m-%d %H:%M}"
                item = QTreeWidgetItem([change.title, branch, grouped(change.epoch), time])
                item.setTextAlignment(_EPOCH, _RIGHT)
                item.setToolTip(0, change.title)
                item.setData(0, Qt.ItemDataRole.UserRole, (change.branch, change.epoch))
                self.list.addTopLevelItem(item)

    def _look(self, item: QTreeWidgetItem) -> None:
        number, epoch = item.data(0, Qt.ItemDataRole.UserRole)
        history, current = self._run.history, self._run.branch
        until = dict(lineage(history, current)).get(number)
        if until is not None and epoch <= until:
            self._run.look_at(epoch)
        else:
            is_there = number in history
            self._say(
                f"That was in {history[number].name}: go to that run first" if is_there
                else "The run of that change is forgotten"
            )  # fmt: skip
