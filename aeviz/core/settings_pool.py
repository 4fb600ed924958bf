"""Thousands of settings that differ little, as a short text: each as what it changes of the one before."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from aeviz.core.packing import PackError, parsed, settings_of
from aeviz.core.settings import DEFAULTS, TABLE, Settings

MOST = 15_000  # different settings: to read so many takes almost a second
_MOST_BYTES = 6_000_000  # of text: as numbers, drawn points take up to sixteen times as much
_MOST_LINE = 200_000  # bytes of one: of 2,000 drawn points it is half as much
_REBUILD = frozenset(spec.name for spec in TABLE if spec.applies == "rebuild")


class SettingsPool:
    """Different settings, by number in the order in which they were added."""

    def __init__(self) -> None:
        self._numbers: dict[Settings, int] = {}
        self._text = bytearray()  # one in a line
        self._last: Settings | None = None

    def add(self, settings: Settings) -> int:
        """Return the number of these settings.

        Raises
        ------
        PackError
            Where there is no room for more.
        """
        if settings in self._numbers:
            return self._numbers[settings]
        line = json.dumps(settings.to_json() if self._last is None else self._last.changed(settings))
        is_full = len(self._text) + len(line) >= _MOST_BYTES or len(self._numbers) == MOST
        if is_full or len(line) > _MOST_LINE:
            raise PackError("it has too many changes of settings to be written")
        self._text += (b"\n" if self._numbers else b"") + line.encode("ascii")
        self._last = settings
        return self._numbers.setdefault(settings, len(self._numbers))

    def packed(self) -> NDArray[np.uint8]:
        """Return all of them as text, one in a line, (bytes,)."""
        return np.frombuffer(bytes(self._text), np.uint8)


def pool_of(array: NDArray[np.generic]) -> tuple[list[Settings], NDArray[np.int64]]:
    """Return the settings of what `SettingsPool.packed` gave, and which of them are of one course.

    Those with the same number are: they begin with the same data, network and seed.

    Raises
    ------
    PackError
        Where these are none.
    """
    text = array.tobytes() if array.dtype == np.uint8 and array.size <= _MOST_BYTES else b"\n" * MOST
    if text.count(b"\n") >= MOST:
        raise PackError("its settings are no settings")
    pool: list[Settings] = []
    courses: list[int] = []
    known: dict[object, int] = {}
    course = dict.fromkeys(_REBUILD, -1)  # each setting's value by number: to hash drawn points takes long
    for line in text.split(b"\n"):
        if len(line) > _MOST_LINE:
            raise PackError("its settings are impossible (one takes a line of more than 200,000 bytes)")
        changes = parsed(line)
        settings = settings_of(changes, pool[-1] if pool else DEFAULTS)
        for name in _REBUILD & (changes.keys() if pool else _REBUILD):
            course[name] = known.setdefault((name, getattr(settings, name)), len(known))
        courses.append(known.setdefault(tuple(course.values()), len(known)))
        pool.append(settings)
    return pool, np.array(courses, np.int64)
