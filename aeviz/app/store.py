"""The one place where the window's settings change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from aeviz.core.clean_data import DECIDES, clean_data
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings


@dataclass(frozen=True, slots=True)
class Aim:
    """What a change of settings is for.

    Attributes
    ----------
    name : str
        What it is called in the list of changes; "" where its settings say it.
    branch : int or None
        The branch of the history in which the settings are to be taken up, where it is another one.
    opens : bool
        Whether it belongs to a run that is opened, and so is no change of it.
    """

    name: str = ""
    branch: int | None = None
    opens: bool = False


class Store(QObject):
    """Holds the frozen settings; views ask for changes here and are told the difference."""

    changed = pyqtSignal(object, object)
    """(old, new) Settings."""
    refused = pyqtSignal(str)
    """One line that says why a change is impossible."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.aim = Aim()
        """Of the change that is being told."""

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

    def begin(self, settings: Settings) -> None:
        """Take settings whose data are there, wherever they come from."""
        if settings != self._settings:
            self._take(settings, Aim())

    def cycle(self, name: str, by: int = 1) -> None:
        """Take the next one of a setting's choices, or of on and off."""
        choices = SPECS[name].choices or (False, True)
        now = choices.index(getattr(self._settings, name))
        self.set(**{name: choices[(now + by) % len(choices)]})

    def put(self, new: Settings, aim: Aim | None = None) -> bool:
        """Change all settings at once; False where there are no such data, and nothing changes then."""
        old, aim = self._settings, aim or Aim()
        if new == old:
            return True
        if aim.branch is None and old.changed(new).keys() & DECIDES:
            try:
                clean_data(new)  # kept for who needs them next
            except SettingError as error:
                self.refused.emit(str(error))
                return False
        self._take(new, aim)
        return True

    def _take(self, new: Settings, aim: Aim) -> None:
        old, self._settings, self.aim = self._settings, new, aim
        self.changed.emit(old, new)
        self.aim = Aim()
