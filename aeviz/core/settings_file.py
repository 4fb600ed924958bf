"""Settings from a file, TOML or JSON, as people write it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from aeviz.core.setting import SettingError, nearest
from aeviz.core.settings import SPECS

SUFFIXES = (".toml", ".json")
_MOST_BYTES = 10_000_000


def read_settings(path: Path) -> dict[str, Any]:
    """Read values by name: at the top of the file, or in a table "settings" as presets have it.

    Names may be written with dashes; a text such as "64,64" or "on" is read as on the command line.

    Raises
    ------
    SettingError
        Where the file cannot be read, or has an unknown name or an impossible value.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SettingError(f"cannot read {path}: settings are in a file that ends in {' or '.join(SUFFIXES)}")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SettingError(f"cannot read {path}: it is far too large for settings")
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise SettingError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"cannot read {path}: {' '.join(str(error).split())[:200]}") from error
    if isinstance(table, dict) and isinstance(table.get("settings"), dict):
        table = table["settings"]
    if not isinstance(table, dict):
        raise SettingError(f"cannot read {path}: there is no table of settings in it")
    try:
        return dict(_read(name, value) for name, value in table.items())
    except SettingError as error:
        raise SettingError(f"{path}: {error}") from error


def named_value(text: str) -> tuple[str, Any]:
    """Read "name=value"; the name may be written with dashes.

    Raises
    ------
    SettingError
        Where there is no such setting, or it has no such value.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingError(f"{text!r} is no setting with its value: write name=value")
    return _read(name.strip(), value)


def _read(name: str, value: Any) -> tuple[str, Any]:
    name = name.replace("-", "_")
    if name not in SPECS:
        raise SettingError(f"there is no setting {name!r}{nearest(name, tuple(SPECS))}")
    return name, SPECS[name].parsed(value) if isinstance(value, str) else SPECS[name].checked(value)
