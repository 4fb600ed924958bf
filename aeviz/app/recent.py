"""The menu of run files that were saved or opened lately, and of runs that were closed without one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtWidgets import QMenu, QWidget

from aeviz.app.keeper import Keeper
from aeviz.app.memory import Memory
from aeviz.app.recovery import told_time
from aeviz.core.numbers import grouped


class RecentMenu(QMenu):
    """Filled when it is opened."""

    def __init__(self, parent: QWidget, keeper: Keeper, memory: Memory) -> None:
        super().__init__("Open &recent", parent)
        self._keeper, self._memory = keeper, memory
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        for left in self._keeper.closed:
            action = self.addAction(f"The run of {told_time(left.time)}, epoch {grouped(left.epoch)}")
            action.setToolTip("Its window was closed, or it made room for another run")
            action.triggered.connect(partial(self._keeper.recover, left))
        if self._keeper.closed:
            self.addSeparator()
        for name in self._memory.recent:
            action = self.addAction(Path(name).name)
            action.setToolTip(name)
            action.setEnabled(Path(name).is_file())
            action.triggered.connect(partial(self._keeper.open, name))
        if self.isEmpty():
            self.addAction("Nothing yet").setEnabled(False)
