"""Run files (.aeviz): all branches of a run with their keyframes, losses, data and changes, in one file."""

from __future__ import annotations

import importlib.metadata
import math
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aeviz.core.files import RUN, FileError
from aeviz.core.history import History
from aeviz.core.history_packing import history_of, is_title, packed_history, whole
from aeviz.core.keyframe_stacks import Groups
from aeviz.core.packing import (
    MOST_HEADER,
    Arrays,
    PackError,
    UnknownSettingError,
    pack,
    unpack,
    unpack_values,
    whole_size,
)  # fmt: skip
from aeviz.core.settings import Settings
from aeviz.core.settings_pool import SettingsPool, pool_of
from aeviz.version import __version__

FORMAT = 1
"""Raised where an older aeviz would misunderstand the file; it then says so."""

_MOST_BYTES = 2 * 2**30
_MOST_METRICS = 1_000
_MOST_SHOWN = 300  # characters of a path in a message
_A_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")


class RunFileError(FileError):
    """A run file cannot be read; the text is one line that names it and the cause."""


@dataclass(frozen=True, slots=True, eq=False)
class SavedRun:
    """All that a run file holds.

    Attributes
    ----------
    view : Settings
        Those of the window when it was written.
    epoch : int or None
        The past epoch of the current branch that was looked at; None for the newest.
    metrics : dict
        Numbers by name; None where one is not known.
    version : str
        Of the aeviz that wrote it.
    """

    history: History
    view: Settings
    epoch: int | None
    metrics: dict[str, float | int | None]
    version: str = __version__


def run_bytes(saved: SavedRun) -> bytes:
    """Return the content of a run file.

    Of keyframes beyond 1.5 GiB it has every second one, from which each epoch still comes back, and of
    thousands of changes those that were made last.

    Raises
    ------
    PackError
        Where there is no branch, or still too much.
    """
    pool = SettingsPool()
    view = pool.add(saved.view)
    values, arrays = packed_history(saved.history, pool)
    values |= {
        "format": FORMAT, "versions": _versions(), "view": view,
        "epoch": None if saved.epoch is None else min(saved.epoch, saved.history.current.epoch),
        "metrics": {name: _finite(value) for name, value in saved.metrics.items()},
    }  # fmt: skip
    content = pack(values, arrays | {"settings.text": pool.packed()})
    if len(content) > _MOST_BYTES:
        raise PackError("it would be larger than 2 GiB: remove a branch")
    return content


def _finite(value: float | None) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    return float(value) if math.isfinite(value) else None


def _versions() -> dict[str, str | None]:
    try:
        torch = importlib.metadata.version("torch")  # which is not loaded here
    except importlib.metadata.PackageNotFoundError:
        torch = None
    return {"aeviz": __version__, "numpy": np.__version__, "torch": torch}


def read_run(path: str | Path) -> SavedRun:
    """Read a run file; what cannot be one is refused before it is read.

    Raises
    ------
    RunFileError
        Where it cannot be read, is none, is damaged, or is of a newer aeviz.
    """
    name = "".join(each if each.isprintable() else "?" for each in str(path)) or "."
    name = name if len(name) <= _MOST_SHOWN else "…" + name[-_MOST_SHOWN:]
    try:
        return run_of(_content(Path(path)))
    except PackError as error:
        cause = str(error)
    except MemoryError:
        cause = "there is not enough memory"
    except (OSError, ValueError) as error:  # ValueError: NUL in a name
        cause = " ".join(str(getattr(error, "strerror", None) or error).split())
    raise RunFileError(f"cannot open {name}: {cause}")


def _content(path: Path) -> bytes:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):  # to open a pipe may take for ever
        kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "no regular file"
        raise PackError(f"it is {kind}: name a file that ends in {RUN}")
    if not 0 < facts.st_size <= _MOST_BYTES:
        raise PackError("it is larger than 2 GiB, which no run is" if facts.st_size else "it is empty")
    with path.open("rb") as file:
        head = file.read(8 + MOST_HEADER)
        _version(unpack_values(head))
        if whole_size(head) != facts.st_size:
            raise PackError(f"it is cut off, or more was written to it: it has {facts.st_size:,} bytes")
        file.seek(0)
        return file.read(facts.st_size)


def run_of(content: bytes) -> SavedRun:
    """Return the run of such content, whose keyframes are views of it.

    Raises
    ------
    PackError
        Where it is not what aeviz has written, or a newer one has.
    """
    version = _version(unpack_values(content))
    try:
        return _run_of(*unpack(content), version)
    except UnknownSettingError as error:
        raise PackError(_needs(version) if version != __version__ else str(error)) from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise error if isinstance(error, PackError) else PackError("its parts do not fit together") from error


def _version(values: Mapping[str, Any]) -> str:
    """Of the aeviz that wrote it, where this one can read it."""
    try:
        number, version = values["format"], values["versions"]["aeviz"]
        if type(number) is not int or number < 1 or not _A_VERSION.fullmatch(version):
            raise ValueError("no version")
    except (KeyError, TypeError, ValueError) as error:
        raise PackError("it is not one that aeviz has written") from error
    if number > FORMAT:
        raise PackError(_needs(version))
    return str(version)


def _needs(version: str) -> str:
    return f"it was written by aeviz {version} and needs it: this is aeviz {__version__}"


def _run_of(values: Mapping[str, Any], arrays: Arrays, version: str) -> SavedRun:
    groups: Groups = {}
    for name, array in arrays.items():
        group, _, own = name.partition(".")
        groups.setdefault(group, {})[own] = array
    (text,) = groups.pop("settings").values()
    pool = pool_of(text)
    view = pool[0][whole(values["view"], 0, len(pool[0]) - 1)]
    history = history_of(values, groups, pool)
    epoch, metrics = values["epoch"], values["metrics"]
    if epoch is not None:
        whole(epoch, 0, history.current.epoch)
    if type(metrics) is not dict or len(metrics) > _MOST_METRICS or not all(map(is_title, metrics)):
        raise PackError("its metrics are broken")
    for value in metrics.values():
        if value is not None and (type(value) not in (int, float) or not math.isfinite(value)):
            raise PackError("its metrics are no numbers")
    return SavedRun(history, view, epoch, metrics, version)
