"""Named settings with a text, read from ``resources/presets``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from aeviz.core.resources import RESOURCES
from aeviz.core.setting import SettingError, nearest
from aeviz.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset: settings and words, no code."""

    name: str
    title: str
    text: str
    settings: Settings


def preset_names() -> tuple[str, ...]:
    """Names of all presets."""
    return tuple(sorted(path.stem for path in (RESOURCES / "presets").glob("*.toml")))


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
    table = tomllib.loads((RESOURCES / "presets" / f"{name}.toml").read_text(encoding="utf-8"))
    return Preset(name, table["title"], table["text"], Settings().replace(**table["settings"]))


def preset(name: str) -> Settings:
    """Return the settings of the preset of this name.

    Raises
    ------
    SettingError
        Where there is none; the text names the nearest.
    """
    return load_preset(name).settings
