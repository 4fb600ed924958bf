"""The menu of run files that were saved or opened lately, and of the last run that was closed unsaved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtWidgets import QMenu, QWidget

from aeviz.app.keeper import Keeper
from aeviz.app.memory import Memory
from aeviz.core.journal import Left


class RecentMenu(QMenu):
    """Filled when it is opened."""

    def __init__(
        self, parent: QWidget, keeper: Keeper, memory: Memory, closed: Callable[[], Left | None]
    ) -> None:
        super().__init__("Open &recent", parent)
        self._keeper, self._memory, self._closed = keeper, memory, closed
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        closed = self._closed()
        if closed is not None:
            action = self.addAction(f"The &last window’s run, epoch {closed.epoch:,}")
            action.triggered.connect(partial(self._keeper.recover, closed))
            self.addSeparator()
        for name in self._memory.recent:
            action = self.addAction(Path(name).name)
            action.setToolTip(name)
            action.setEnabled(Path(name).is_file())
            action.triggered.connect(partial(self._keeper.open, name))
        if self.isEmpty():
            self.addAction("Nothing yet").setEnabled(False)
