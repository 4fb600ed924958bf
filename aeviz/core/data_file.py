"""Points from a user's file: CSV, TSV, TXT or NPY with two columns."""

from __future__ import annotations

import math
import re
import stat
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from aeviz.core.setting import SettingError, nearest

MOST_POINTS = 1_000_000
SUFFIXES = (".csv", ".tsv", ".txt", ".npy")

_MOST_BYTES = 2 * 1024**3
_MOST_HELD = 16_000_000  # rows, 256 MB: of a longer file only some are kept while it is read
_LARGEST = 1e100  # sums of many squares are still finite
_BLOCK = 1 << 20  # characters that are parsed at once, and the longest line
_NPY_BLOCK = 1 << 18  # rows
_FEW = 64  # lines that are looked at one by one where one of them is bad
_SAMPLE = 1000  # lines that tell separator, header and columns
_MOST_NAMED = 5  # bad rows in a message
_MOST_COUNTED, _MOST_AFTER = 5_000, 40  # bad rows, and blocks from the first on: to count all may take minutes
_MOST_HEADER = 10_000  # bytes: numpy's own limit, which it asks only after reading them all
_SEPARATORS = ("\t", ";", ",", None)  # None: blanks
_QUOTED = {  # no blanks round those between blanks: a megabyte of blanks would be searched again for each
    each: re.compile(rf'(^|{each}) *"([^"\n]*)" *(?={each}|$)' if each else r'(^|\s)"([^"\n]*)"(?=\s|$)', re.M)
    for each in _SEPARATORS
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_COMMENT = re.compile(r"[#%].*")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_TEXT, _MISSING, _INFINITE = "text where a number should be", "no number (NaN)", "an infinite number"
_WORDS = {"": "an empty cell", "inf": _INFINITE, "infinity": _INFINITE}
_WORDS |= dict.fromkeys(("nan", "na", "n/a", "null", "none"), _MISSING)

FloatArray = NDArray[np.float64]
_Block = tuple[FloatArray, list[int], str]  # usable rows, places of the bad ones, what the first of those has


class DataFileError(SettingError):
    """A file has no usable points; the text is one line that names it, the fault and how to mend it."""


class BadRowsError(DataFileError):
    """`count` rows, or at least so many, have NaN, infinities, text, missing or surplus cells."""

    def __init__(self, text: str, count: int = 0) -> None:
        super().__init__(text)
        self.count = count


@dataclass(frozen=True, slots=True, eq=False)
class DataFile:
    """The points of one file.

    Attributes
    ----------
    points : ndarray, shape (N, 2)
        Finite, in the file's own units and order, read-only; 1 <= N <= `MOST_POINTS`.
    rows, skipped : int
        Usable rows in the file, and bad ones that were left out.
    every : int
        Only each every-th usable row was taken, from the first one on; 1: all of them.
    name, places : str
        The path as it was given; the bad rows in words, as in "lines 5, 17 and 20".
    """

    points: FloatArray
    rows: int
    skipped: int
    every: int
    name: str = ""
    places: str = ""

    @property
    def note(self) -> str:
        """What was left out, in one sentence; "" where nothing was."""
        said = []
        if self.skipped:
            said.append(f"{_rows(self.skipped)} {'was' if self.skipped == 1 else 'were'} skipped ({self.places})")
        if self.every > 1:
            said.append(f"{_rows(self.rows)}, every {_ordinal(self.every)} is used")
        return f"{self.name}: {'; '.join(said)}" if said else ""


def read_points(path: str | Path, *, skip_bad: bool = False) -> DataFile:
    """Read the points of a file, at once where it was read just before and is unchanged.

    A line of text has two numbers, parted by tabs, semicolons, commas or blanks, whichever it is in this
    file; where it is not commas, numbers may have a decimal comma. A header, comments after ``#`` or ``%``,
    quotes and empty lines are understood. An NPY file has real numbers in the shape (N, 2).

    Raises
    ------
    BadRowsError
        Where any row cannot be used, or with `skip_bad` none at all. Lines and rows are counted from 1.
    DataFileError
        Where the file cannot be read, is of another kind, or has another number of columns.
    """
    name = "".join(each if each.isprintable() else "?" for each in str(path)) or "."
    try:
        return replace(_read(*_looked_at(Path(path)), skip_bad), name=name)
    except DataFileError as error:
        error.args = (f"{name}: {error}",)
        raise
    except (OSError, ValueError, RuntimeError, MemoryError) as error:  # RuntimeError: links in a circle
        cause = getattr(error, "strerror", None) or str(error) or "not enough memory"
        raise DataFileError(f"{name}: cannot be read ({' '.join(cause.split())})") from error


def _looked_at(path: Path) -> tuple[Path, str, int, int]:
    if path.is_dir():
        raise DataFileError("is a folder: name a file in it")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataFileError(f"its name must end in {', '.join(SUFFIXES)}{nearest(suffix, SUFFIXES)}")
    try:
        facts = path.stat()
    except FileNotFoundError:
        raise DataFileError("there is no such file: look at the name and the folder") from None
    if not stat.S_ISREG(facts.st_mode):  # to open a pipe may take for ever
        raise DataFileError("is no regular file: save its content in one")
    if not facts.st_size:
        raise DataFileError("is empty: two numbers a line are needed")
    if facts.st_size > _MOST_BYTES:
        raise DataFileError("is larger than 2 GiB: leave out some of its rows")
    return path.resolve(), suffix, facts.st_size, facts.st_mtime_ns


@lru_cache(maxsize=2)
def _read(place: Path, suffix: str, size: int, modified: int, skip_bad: bool) -> DataFile:
    if suffix == ".npy":
        return _gathered(_npy_blocks(place), _Bad("row"), skip_bad)
    return _gathered(_text_blocks(place), _Bad("line"), skip_bad)


def _gathered(blocks: Iterator[_Block], bad: _Bad, skip_bad: bool) -> DataFile:
    kept: list[FloatArray] = []
    rows, stride, after = 0, 1, 0
    for points, places, fault in blocks:
        kept.append(points[-rows % stride :: stride].copy())
        rows += len(points)
        while sum(map(len, kept)) > _MOST_HELD:
            kept, stride = _each(kept, 2), 2 * stride
        bad.add(places, fault)
        refused = bad.count > 0 and not (skip_bad and rows)
        after += refused
        if refused and (bad.count > _MOST_COUNTED or after > _MOST_AFTER):
            raise bad.error(rows, "at least ")
    if bad.count and not (skip_bad and rows):
        raise bad.error(rows)
    if not rows:
        raise DataFileError("has no points, at most comments or a header: two numbers a line are needed")
    step = math.ceil(sum(map(len, kept)) / MOST_POINTS)
    chosen = np.concatenate(_each(kept, step))
    chosen.flags.writeable = False
    return DataFile(chosen, rows, bad.count, step * stride, places=bad.places)


def _each(parts: list[FloatArray], step: int) -> list[FloatArray]:
    """Each step-th row of the parts as if they were one array, which would need as much memory again."""
    chosen, start = [], 0
    for part in parts:
        chosen.append(part[-start % step :: step].copy())
        start += len(part)
    return chosen


@dataclass(slots=True)
class _Bad:
    unit: str
    count: int = 0
    first: list[int] = field(default_factory=list)
    fault: str = ""

    def add(self, places: list[int], fault: str) -> None:
        self.count += len(places)
        self.first += places[: _MOST_NAMED - len(self.first)]
        self.fault = self.fault or fault

    @property
    def places(self) -> str:
        more = self.count - len(self.first)
        *named, last = ["", *map(str, self.first)] if not more else [*map(str, self.first), f"{more:,} more"]
        return f"{self.unit}{'s' if self.count > 1 else ''} {', '.join(named)} and {last}"

    def error(self, rows: int, least: str = "") -> BadRowsError:
        why = f"{self.unit} {self.first[0]} has {self.fault}"
        why, them = (why, "it") if self.count == 1 else (f"{self.places}; {why}", "them")
        if not rows:
            return BadRowsError(f"no row can be used ({why}): mend {them}", self.count)
        mend = f"mend {them}, or leave {them} out with --bad-rows skip"
        return BadRowsError(f"{least}{_rows(self.count)} cannot be used ({why}): {mend}", self.count)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _ordinal(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _text_blocks(place: Path) -> Iterator[_Block]:
    separator: str | None = ""  # not yet known
    with place.open(encoding="utf-8-sig", errors="replace") as file:
        for first, text in _pieces(file):
            text = _COMMENT.sub("", text) if "#" in text or "%" in text else text
            if separator == "" and text and not text.isspace():
                separator, header = _layout([line for line in text.split("\n") if line.strip()])
                text = text.replace(header, "", 1)
            if separator != "":
                yield _parsed(_plain(text, separator).split("\n"), first, separator)


def _pieces(file: TextIO) -> Iterator[tuple[int, str]]:
    """Whole lines, about `_BLOCK` characters at a time, with the number of the first."""
    first, rest = 1, ""
    while chunk := file.read(_BLOCK):
        if "\0" in chunk or (first == 1 and not rest and _BINARY.search(chunk)):
            raise DataFileError("is no text in UTF-8: save it as such, or as NPY")
        lines, end, rest = (rest + chunk).rpartition("\n")
        if len(rest) > _BLOCK:
            raise DataFileError("has a line of more than a million characters: two numbers a line are needed")
        if end:
            yield first, lines
            first += lines.count("\n") + 1
    if rest:
        yield first, rest


def _layout(filled: list[str]) -> tuple[str | None, str]:
    """Find the separator, and the header, which may be "", from the lines that are not empty."""

    def split(separator: str | None) -> list[list[str]]:
        return [_cells(_plain(line, separator), separator) for line in filled[:_SAMPLE]]

    def fit(separator: str | None) -> tuple[int, int, int]:
        pairs = [row for row in split(separator) if len(row) == 2]
        numbers = [row for row in pairs if not any(map(_fault, row))]
        return len(numbers), len(pairs), sum(len(row) > 1 for row in split(separator))

    separator = max(_SEPARATORS, key=fit)
    rows = split(separator)
    header = _TEXT in map(_fault, rows[0]) and not any(map(_NUMBER.fullmatch, rows[0]))
    lengths = [len(row) for row in rows[header:] or rows]
    columns, often = Counter(lengths).most_common(1)[0]
    if columns != 2 and often >= 0.9 * len(lengths):
        raise DataFileError(f"has {columns} column{'' if columns == 1 else 's'}, two are needed")
    return separator, filled[0] if header else ""


def _plain(text: str, separator: str | None) -> str:
    """Take quotes away, and write numbers as Python does."""
    if '"' in text:
        text = _QUOTED[separator].sub(lambda cell: cell[1] + cell[2].replace(separator or " ", " "), text)
    return (text if separator == "," else text.replace(",", ".")).replace("−", "-")


def _cells(line: str, separator: str | None) -> list[str]:
    return [cell.strip() for cell in line.split(separator)]


def _parsed(lines: list[str], first: int, separator: str | None) -> _Block:
    points = _quickly_parsed(lines, separator)
    if points is not None:
        return points, [], ""
    if len(lines) <= _FEW:
        return _carefully_parsed(lines, first, separator)
    starts = range(0, len(lines), _FEW)
    parts, places, faults = zip(
        *(_parsed(lines[i : i + _FEW], first + i, separator) for i in starts), strict=True
    )
    return np.concatenate(parts), [place for each in places for place in each], next(filter(None, faults), "")


def _quickly_parsed(lines: list[str], separator: str | None) -> FloatArray | None:
    if not any(map(str.strip, lines)):
        return np.empty((0, 2))  # of which loadtxt would warn
    try:
        points = np.loadtxt(lines, delimiter=separator, comments=None, ndmin=2)
    except ValueError:
        return None
    return points if points.shape[1] == 2 and _usable(points).all() else None


def _carefully_parsed(lines: list[str], first: int, separator: str | None) -> _Block:
    points, places, fault = [], [], ""
    for place, line in enumerate(lines, first):
        cells = _cells(line, separator)
        found = next(filter(None, map(_fault, cells)), "")
        if len(cells) != 2:
            found = f"{len(cells)} cell{'' if len(cells) == 1 else 's'} where two are needed"
        if not found:
            points.append((float(cells[0]), float(cells[1])))
        elif line.strip():
            places.append(place)
            fault = fault or found
    return np.array(points, np.float64).reshape(-1, 2), places, fault


def _fault(cell: str) -> str:
    if _NUMBER.fullmatch(cell):
        return "" if abs(float(cell)) <= _LARGEST else "a number beyond 1e100"
    return _WORDS.get(cell.lstrip("+-").lower(), _TEXT)


def _usable(points: FloatArray) -> NDArray[np.bool_]:
    return np.asarray((np.abs(points) <= _LARGEST).all(axis=1))


def _npy_blocks(place: Path) -> Iterator[_Block]:
    array = _mapped(place)
    for first in range(0, len(array), _NPY_BLOCK):
        with np.errstate(over="ignore"):  # long doubles
            points = np.array(array[first : first + _NPY_BLOCK], np.float64)
        usable = _usable(points)
        bad = np.flatnonzero(~usable)
        fault = ""
        if len(bad):
            of = points[bad[0]]
            fault = _MISSING if np.isnan(of).any() else _INFINITE if np.isinf(of).any() else "a number beyond 1e100"
        yield points[usable], (bad + first + 1).tolist(), fault


def _mapped(place: Path) -> NDArray[Any]:
    with place.open("rb") as file:
        start = file.read(12)
    try:
        if start[6:7] > b"\1" and int.from_bytes(start[8:], "little") > _MOST_HEADER:
            raise ValueError("no header is so long")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array: NDArray[Any] = np.lib.format.open_memmap(place, mode="r")  # which never unpickles
    except Exception as error:  # a header is Python's text, and may break its parser in many ways
        raise DataFileError("is no whole NPY file of plain numbers: write it with numpy.save") from error
    if array.dtype.kind not in "biuf":
        raise DataFileError(f"holds {array.dtype.name}: real numbers are needed")
    if array.ndim == 2 and array.shape[0] == 2 != array.shape[1]:
        raise DataFileError(f"has the shape {array.shape}: transpose it, (N, 2) is needed")
    if array.ndim != 2 or array.shape[1] != 2:
        raise DataFileError(f"has the shape {array.shape}: (N, 2) is needed")
    return array
