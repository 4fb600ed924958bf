"""The menu bar, made from a table of what there is to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMainWindow

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
    return keys
