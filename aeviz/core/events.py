"""What may happen to a history of training; written down as it comes, it can be read again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aeviz.core.changes import Change
from aeviz.core.clean_data import CleanData
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe

Losses = NDArray[np.float32]
"""Loss C + λ R of each epoch, and what λ R has of it, (E, 2)."""

# `branch` is always the number of one.


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A new branch, now the current one; of another one since one of its epochs, or with data of its own."""

    branch: int
    settings: Settings
    data: CleanData | None
    parent: int | None
    since: int
    time: float


@dataclass(frozen=True, slots=True)
class GoneTo:
    """Another branch is the current one."""

    branch: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """A branch has another name."""

    branch: int
    name: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A branch is forgotten."""

    branch: int


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A keyframe was recorded."""

    branch: int
    frame: Keyframe


@dataclass(frozen=True, slots=True)
class Noted:
    """Live settings took effect after an epoch."""

    branch: int
    epoch: int
    settings: Settings


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Losses, (n, 2), of the epochs after `start`."""

    branch: int
    start: int
    losses: Losses


@dataclass(frozen=True, slots=True)
class Cut:
    """All after an epoch is forgotten, because the loss exploded there."""

    branch: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Changed:
    """Settings were changed."""

    change: Change


Event = Begun | GoneTo | Renamed | Removed | Kept | Noted | Told | Cut | Changed
