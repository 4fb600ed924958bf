"""The menu bar, made from a table of what there is to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PyQt6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMainWindow,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from aeviz.app.epoch_slider import EpochSlider
from aeviz.app.store import Store
from aeviz.core.settings import SPECS

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right)
_MOVING = (
    QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QMenuBar, QPlainTextEdit,
    QTextEdit,
)  # fmt: skip

Entry = tuple[str, str, Callable[[], object]]
"""Title, key (or nothing), and what to do."""


def fill_menu_bar(
    window: QMainWindow, menus: Mapping[str, Sequence[Entry | QAction | QMenu]]
) -> dict[str, str]:
    """Make the menus; return each titled action's key, for the help."""
    keys = {}
    for name, entries in menus.items():
        menu = window.menuBar().addMenu(name)
        for entry in entries:
            if isinstance(entry, QAction | QMenu):
                menu.addAction(entry if isinstance(entry, QAction) else entry.menuAction())
                continue
            title, key, do = entry
            action = QAction(title, window)
            if key:
                action.setShortcut(QKeySequence(key))
                keys[title.replace("&", "").rstrip("…")] = key
            action.triggered.connect(lambda _checked=False, do=do: do())
            menu.addAction(action)
    window.installEventFilter(_KeysForFocus(window))
    return keys


def switch(window: QMainWindow, store: Store, name: str) -> QAction:
    """An entry that shows a setting that is on or off, and changes it."""
    action = QAction(SPECS[name].label, window)
    action.setCheckable(True)
    action.setToolTip(SPECS[name].help)
    action.setChecked(getattr(store.settings, name))
    action.triggered.connect(lambda on: store.set(**{name: on}))
    store.changed.connect(lambda _, new: action.setChecked(getattr(new, name)))
    return action


class _KeysForFocus(QObject):
    """What was reached by keyboard keeps the keys that move or press it: no shortcut takes them there."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            widget, key = QApplication.focusWidget(), Qt.Key(event.key())
            if (key in _ARROWS and _moves(widget)) or (
                event.keyCombination() == QKeyCombination(Qt.Key.Key_Space)
                and isinstance(widget, QAbstractButton | QComboBox)
            ):
                event.accept()
                return True
        return super().eventFilter(watched, event)


def _moves(widget: QWidget | None) -> bool:
    """Whether the arrow keys do something in a widget, and nothing that they do everywhere."""
    if isinstance(widget, QAbstractButton):
        return widget.group() is not None
    return isinstance(widget, _MOVING) and not isinstance(widget, EpochSlider)
