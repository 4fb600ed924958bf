"""Which lesson of the gallery is open: its settings, its words, and the way from one to the next."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal

from aeviz.app.store import Aim, Store
from aeviz.core.presets import Preset, load_preset, preset_names
from aeviz.core.settings import Settings, applies


class Lessons(QObject):
    """Takes all settings from a preset and keeps its words until they are closed."""

    changed = pyqtSignal(object)
    """The `Preset` that is open now, or None."""
    moved_on = pyqtSignal()
    """The run is no longer that of the open lesson: what it marks on the field may not be there."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._opening = False
        self._theme_before: str | None = None  # where the open lesson has brought its own
        self.current: Preset | None = None
        store.changed.connect(self._follow)

    @property
    def own_theme(self) -> str:
        """The theme that the user has chosen, whatever a lesson brings."""
        return self._theme_before or self._store.settings.theme

    def open(self, name: str) -> None:
        """Take the settings of a preset and show its words; the theme stays, unless it has its own."""
        preset, own = load_preset(name), self.own_theme
        settings = preset.settings_in(own)
        self._theme_before = own if settings.theme != own else None
        self._opening = True
        settings = settings.replace(device=self._store.settings.device)
        self._store.put(settings, Aim(f"Lesson: {preset.title}"))
        self._opening = False
        self.show(name)

    def show(self, name: str) -> None:
        """Show the words of a preset whose settings are there already."""
        self.current = load_preset(name)
        self.changed.emit(self.current)

    def step(self, by: int) -> None:
        """Open the next lesson, or the one before; the first where none is open."""
        names = preset_names()
        at = names.index(self.current.name) + by if self.current else 0
        self.open(names[at % len(names)])

    def close(self) -> None:
        """Put the words away; the settings stay."""
        if self.current is not None:
            self.current = None
            self.changed.emit(None)

    def _follow(self, old: Settings, new: Settings) -> None:
        changes = old.changed(new)
        if self._opening:
            return
        if "theme" in changes:
            self._theme_before = None
        if self.current is not None and "rebuild" in applies(changes):
            self.moved_on.emit()
