"""What the window remembers: its size, its panels, the last folder, the theme."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import platformdirs
from PyQt6.QtCore import QByteArray, QSettings, QStandardPaths
from PyQt6.QtWidgets import QMainWindow, QSplitter

MOST_RECENT = 8


class Memory:
    """An INI file in the user's configuration folder; a broken or unwritable one is like a new one."""

    def __init__(self, path: Path | None = None) -> None:
        path = path or Path(platformdirs.user_config_dir("aeviz", appauthor=False)) / "window.ini"
        self._store = QSettings(str(path), QSettings.Format.IniFormat)

    @property
    def folder(self) -> Path:
        """Where the last file was written."""
        home = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        folder = Path(str(self._store.value("folder", home)))
        return folder if folder.is_dir() else Path.home()

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._store.setValue("folder", str(folder))

    @property
    def recent(self) -> list[str]:
        """Run files that were saved or opened lately, the newest first."""
        value = self._store.value("recent")
        names = value if isinstance(value, list) else [value]
        return [name for name in names if isinstance(name, str) and name]

    def add_recent(self, path: Path) -> None:
        """A run file was saved or opened."""
        name = str(path.absolute())
        others = [each for each in self.recent if each != name]
        self._store.setValue("recent", [name, *others[: MOST_RECENT - 1]])

    @property
    def figure(self) -> dict[str, Any]:
        """Settings of the last figure that was exported."""
        try:
            found = json.loads(str(self._store.value("figure", "{}")))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @figure.setter
    def figure(self, settings: dict[str, Any]) -> None:
        self._store.setValue("figure", json.dumps(settings))

    @property
    def theme(self) -> str | None:
        """The theme of the last window."""
        value = self._store.value("theme")
        return value if isinstance(value, str) else None

    @theme.setter
    def theme(self, theme: str) -> None:
        self._store.setValue("theme", theme)

    def save_layout(self, window: QMainWindow, splitters: dict[str, QSplitter]) -> None:
        """Remember size and panels."""
        self._store.setValue("geometry", window.saveGeometry())
        for name, splitter in splitters.items():
            self._store.setValue(f"splitter/{name}", splitter.saveState())
        self._store.sync()

    def restore_layout(self, window: QMainWindow, splitters: dict[str, QSplitter]) -> None:
        """Bring size and panels back, where they are known."""
        geometry = self._store.value("geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        for name, splitter in splitters.items():
            state = self._store.value(f"splitter/{name}")
            if isinstance(state, QByteArray):
                splitter.restoreState(state)
