"""Which runs a sweep is made of: values of settings, all combined with each other and with the seeds."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from aeviz.core.clean_data import clean_data
from aeviz.core.setting import SettingError, Spec, nearest
from aeviz.core.settings import SPECS, TABLE, Settings

MOST_RUNS = 100_000
MEASURED = ("grid", "extent", "threshold")  # of the settings of the drawing: where and how is measured
DECIDING = tuple(spec.name for spec in TABLE if spec.applies != "view" or spec.name in MEASURED)
"""The settings on which a run's numbers depend."""
DIGEST = "data_digest"  # a column beside the settings: what the file of points held

Cell = int | float | str | None


@dataclass(frozen=True, slots=True)
class Axis:
    """The values that one setting takes.

    Attributes
    ----------
    name : str
        The setting's.
    values : tuple
        In the setting's own type, each once.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def spec(self) -> Spec:
        """The setting's row of the settings table."""
        return SPECS[self.name]


def axis_of(text: str) -> Axis:
    """Read values of a setting: ``noise=0.1,0.2``, ``noise=0.1:0.5:5`` or ``hidden=32/64,64``.

    Commas stand between values, but slashes where a value is itself a list of numbers. ``low:high:count``
    are so many numbers with both ends, even on the setting's own scale: of a logarithmic one, with the same
    ratio between neighbours.

    Raises
    ------
    SettingError
        Where there is no such setting, or it has no such value.
    """
    name, equals, values = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    if name not in SPECS:
        raise SettingError(f"--vary {text}: there is no setting {name!r}{nearest(name, tuple(SPECS))}")
    spec = SPECS[name]
    if not equals:
        raise SettingError(f"--vary {text}: say which values it takes: --vary {name}={_example(spec)}")
    parts = values.split("/" if isinstance(spec.default, tuple) else ",")
    found = tuple(dict.fromkeys(itertools.chain.from_iterable(_values(spec, part) for part in parts)))
    if len(parts) == 1 and spec.whole and "," in values and len(found[0]) > 1:
        raise SettingError(
            f"--vary {text}: that is one list; write {name}={'/'.join(values.split(','))} for several, or "
            f"{spec.option} {values} where it does not vary"
        )
    return Axis(name, found)


def _example(spec: Spec) -> str:
    if spec.choices:
        return ",".join(spec.choices[:2])
    if isinstance(spec.default, bool):
        return "on,off"
    if isinstance(spec.default, tuple):
        return f"{spec.text(spec.default)}/…"
    return f"{spec.text(spec.default)},…"


def _values(spec: Spec, text: str) -> Iterable[Any]:
    number = type(spec.default)
    if number not in (int, float) or ":" not in text:
        return (spec.parsed(text),)
    ends = text.split(":")
    if len(ends) != 3 or not ends[2].strip().isdigit() or not 2 <= int(ends[2]) <= MOST_RUNS:
        raise SettingError(
            f"{spec.option} cannot be {text!r}: a range is low:high:count, with a count from 2 to "
            f"{MOST_RUNS:,}, as in {spec.name}=0.1:0.5:5"
        )
    low, high = spec.parsed(ends[0]), spec.parsed(ends[1])
    spaced = np.geomspace if spec.scale == "log" else np.linspace
    # Twelve digits: 0.3, not 0.30000000000000004.
    return [
        spec.checked(round(value) if number is int else float(f"{value:.12g}"))
        for value in spaced(low, high, int(ends[2])).tolist()
    ]


@dataclass(frozen=True)
class Sweep:
    """Settings, and the values that some of them take.

    Attributes
    ----------
    base : Settings
        What all runs have in common.
    axes : tuple of Axis
        What varies; the last one varies fastest.

    Raises
    ------
    SettingError
        Where a setting varies twice, where there are too many runs, and where one of them is impossible.
    """

    base: Settings
    axes: tuple[Axis, ...]
    runs: tuple[Settings, ...] = field(init=False)
    """The settings of each run."""

    def __post_init__(self) -> None:
        names = [axis.name for axis in self.axes]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise SettingError(f"--vary {twice} is given twice: put all its values into one")
        many = math.prod(len(axis.values) for axis in self.axes)
        if many > MOST_RUNS:
            raise SettingError(f"these are {many:,} runs, and a sweep has at most {MOST_RUNS:,}: vary less")
        combined = itertools.product(*(axis.values for axis in self.axes))
        runs = tuple(self.base.replace(**dict(zip(names, values, strict=True))) for values in combined)
        for one in {(run.data, run.drawn, run.bad_rows): run for run in runs}.values():
            clean_data(one)  # whether there are any
        object.__setattr__(self, "runs", runs)

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the settings that vary."""
        return tuple(axis.name for axis in self.axes)

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that tell these runs from all others."""
        return tuple(dict.fromkeys((*DECIDING, *self.varied)))

    def cells(self, run: Settings) -> dict[str, Cell]:
        """A run's settings as they stand in the table."""
        cells: dict[str, Cell] = {name: cell(SPECS[name], getattr(run, name)) for name in self.names}
        return cells | ({DIGEST: _digest(run.data)} if run.is_from_file else {})

    def key(self, cells: dict[str, Cell]) -> tuple[Cell, ...]:
        """What tells a row of this sweep from the others; a setting that it lacks has its default."""
        return (cells.get(DIGEST), *(cells.get(name, DEFAULTS[name]) for name in self.names))


def cell(spec: Spec, value: Any) -> int | float | str:
    """A setting's value in a table: numbers as they are, all others as the text that is typed."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return spec.text(value)


DEFAULTS: dict[str, Cell] = {spec.name: cell(spec, spec.default) for spec in TABLE}
"""What a setting is in a row that does not tell."""


@cache
def _digest(path: str) -> str:
    """Changes with a file's content: what was made of another content is another run."""
    return "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
