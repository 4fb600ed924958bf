"""The one place where the window's settings change."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from aeviz.core.clean_data import DECIDES, clean_data
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings


class Store(QObject):
    """Holds the frozen settings; views ask for changes here and are told the difference."""

    changed = pyqtSignal(object, object)
    """(old, new) Settings."""
    refused = pyqtSignal(str)
    """One line that says why a change is impossible."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @property
    def settings(self) -> Settings:
        """The present settings."""
        return self._settings

    def set(self, **changes: Any) -> bool:
        """Change some settings; False where that is impossible, and nothing changes then."""
        try:
            new = self._settings.replace(**changes)
        except SettingError as error:
            self.refused.emit(str(error))
            return False
        return self.put(new)

    def cycle(self, name: str, by: int = 1) -> None:
        """Take the next one of a setting's choices, or of on and off."""
        choices = SPECS[name].choices or (False, True)
        now = choices.index(getattr(self._settings, name))
        self.set(**{name: choices[(now + by) % len(choices)]})

    def put(self, new: Settings) -> bool:
        """Change all settings at once; False where there are no such data, and nothing changes then."""
        old = self._settings
        if new == old:
            return True
        if old.changed(new).keys() & DECIDES:
            try:
                clean_data(new)  # kept for who needs them next
            except SettingError as error:
                self.refused.emit(str(error))
                return False
        self._settings = new
        self.changed.emit(old, new)
        return True
