"""What a file of data tells about where it comes from: nothing of the folders of who wrote it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from aeviz.core.clean_data import CleanData
from aeviz.core.settings import Settings


def shareable(settings: Settings) -> Settings:
    """The settings as others may read them: of a file of points they tell the name alone, not the folder."""
    return settings.replace(data=PurePath(settings.data).name) if settings.is_from_file else settings


def is_own_unit(data: CleanData) -> bool:
    """Whether data units are the user's own units."""
    return bool((data.scale == 1.0).all() and (data.offset == 0.0).all())


def provenance(settings: Settings, data: CleanData, epoch: int, version: str) -> dict[str, Any]:
    """Return as plain JSON values which aeviz, epoch and settings a network is of, and its units.

    The user's own units are offset + scale * value, each of (x, y).
    """
    return {
        "aeviz": version,
        "epoch": epoch,
        "offset": data.offset.tolist(),
        "scale": data.scale.tolist(),
        "settings": shareable(settings).to_json(),
    }
