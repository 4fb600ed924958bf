"""The menu bar, made from a table of what there is to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QMainWindow

Entry = tuple[str, str, Callable[[], object]]
"""Title, key (or nothing), and what to do."""


def fill_menu_bar(window: QMainWindow, menus: Mapping[str, Sequence[Entry]]) -> dict[str, str]:
    """Make the menus; return each titled action's key, for the help."""
    keys = {}
    for name, entries in menus.items():
        menu = window.menuBar().addMenu(name)
        for title, key, do in entries:
            action = QAction(title, window)
            if key:
                action.setShortcut(QKeySequence(key))
                keys[title.replace("&", "").rstrip("…")] = key
            action.triggered.connect(lambda _checked=False, do=do: do())
            menu.addAction(action)
    window.installEventFilter(_SpaceForButtons(window))
    return keys


class _SpaceForButtons(QObject):
    """Space presses a button or opens a choice that was reached by keyboard: no shortcut takes it there."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            pressable = isinstance(QApplication.focusWidget(), QAbstractButton | QComboBox)
            if pressable and event.key() == Qt.Key.Key_Space:
                event.accept()
                return True
        return super().eventFilter(watched, event)
