"""Named settings that teach one thing each, with words, read from ``resources/presets``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from aeviz.core.marks import Point
from aeviz.core.resources import RESOURCES
from aeviz.core.setting import SettingError, nearest
from aeviz.core.settings import DEFAULTS, SPECS, Settings

FOLDER = RESOURCES / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset: settings and words, no code.

    Attributes
    ----------
    name, title, lesson : str
        As an option's value, over its text, and what it teaches in one line.
    text : str
        A paragraph to read.
    look_at, look : (x, y) and str, or None and ""
        The place of the field to look at, in data units, and what is to be seen there.
    try_next : str
        Name of the setting to try next, or nothing.
    settings : Settings
    """

    name: str
    title: str
    lesson: str
    text: str
    look_at: Point | None
    look: str
    try_next: str
    settings: Settings

    def settings_in(self, theme: str) -> Settings:
        """The settings, in this theme unless the preset brings one of its own."""
        usual = self.settings.theme == DEFAULTS.theme
        return self.settings.replace(theme=theme) if usual else self.settings


@cache
def preset_names() -> tuple[str, ...]:
    """Names of all presets, in the order in which they tell the story."""
    tables = {path.stem: _table(path.stem) for path in FOLDER.glob("*.toml")}
    return tuple(sorted(tables, key=lambda name: (tables[name]["order"], name)))


@cache
def load_preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises
    ------
    SettingError
        Where there is none; the text names the nearest.
    """
    names = preset_names()
    if name not in names:
        raise SettingError(
            f"there is no preset {name!r}{nearest(name, names)}; the presets are {', '.join(names)}"
        )
    table = _table(name)
    look, try_next = table.get("look", {}), table.get("try", "")
    if try_next and try_next not in SPECS:
        raise SettingError(f"there is no setting {try_next!r}{nearest(try_next, tuple(SPECS))}")
    return Preset(
        name, table["title"], table["lesson"], table["text"].strip(),
        tuple(look["at"]) if look else None, look.get("text", ""), try_next,
        DEFAULTS.replace(**table["settings"]),
    )  # fmt: skip


def preset(name: str) -> Settings:
    """Return the settings of the preset of this name.

    Raises
    ------
    SettingError
        Where there is none; the text names the nearest.
    """
    return load_preset(name).settings


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
