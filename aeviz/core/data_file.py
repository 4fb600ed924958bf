"""Points from a user's file: CSV, TSV, TXT or NPY with two columns."""

from __future__ import annotations

import math
import re
import warnings
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aeviz.core.setting import SettingError, nearest

MOST_POINTS = 1_000_000
SUFFIXES = (".csv", ".tsv", ".txt", ".npy")

_MOST_BYTES = 2 * 1024**3
_MOST_HELD = 12_000_000  # rows, 192 MB: of a longer file only some are kept while it is read
_MOST_AFTER = 1_300_000  # rows after a bad one: to count the bad ones of a huge file would take minutes
_MOST_NAMED = 5  # bad rows in a message
_BLOCK = 1 << 19  # characters or NPY rows that are parsed at once, and the longest line
_SAMPLE = 1000  # lines that tell separator, header and columns
_LARGEST = 1e100  # sums of many squares are still finite
_SEPARATORS = ("\t", ";", ",", None)  # None: blanks
_COMMENT = re.compile(r"[#%].*")
_LETTERS = re.compile(r"[^\W\d_eE]")  # which no number has
_QUOTED = re.compile(r'(?<![^\s;,])"([^"\n]*)"(?![^\s;,])')
_TEXT, _HUGE = "text where a number should be", "a number that is infinite or beyond 1e100"

_Block = tuple[NDArray[np.float64], list[int], str]  # usable rows, places of the bad ones, the first's fault


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
    rows, skipped, every : int
        Usable rows in the file, bad ones left out, and that each every-th usable one was taken.
    note : str
        What was left out, in one sentence; "" where nothing was.
    """

    points: NDArray[np.float64]
    rows: int
    skipped: int
    every: int
    note: str = ""


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
        looked_at = _looked_at(Path(path))
        found = _outcome(*looked_at, False)
        if skip_bad and isinstance(found, BadRowsError):
            found = _outcome(*looked_at, True)
    except DataFileError as error:
        raise DataFileError(f"{name}: {error}") from None
    except (OSError, ValueError, MemoryError) as error:  # ValueError: NUL in a name
        cause = getattr(error, "strerror", None) or str(error) or "there is not enough memory"
        raise DataFileError(f"{name}: cannot be read ({' '.join(cause.split())})") from error
    if isinstance(found, BadRowsError):
        raise BadRowsError(f"{name}: {found}", found.count)
    if isinstance(found, DataFileError):
        raise DataFileError(f"{name}: {found}")
    return replace(found, note=f"{name}: {found.note}") if found.note else found


def _looked_at(path: Path) -> tuple[Path, str, int, int]:
    if path.exists() and not path.is_file():  # to open a pipe may take for ever
        raise DataFileError(f"is {'a folder' if path.is_dir() else 'no regular file'}: name a file")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataFileError(f"its name must end in {', '.join(SUFFIXES)}{nearest(suffix, SUFFIXES)}")
    facts = path.stat()
    if facts.st_size > _MOST_BYTES:
        raise DataFileError("is larger than 2 GiB: leave out some of its rows")
    return path.resolve(), suffix, facts.st_size, facts.st_mtime_ns


@lru_cache(maxsize=4)
def _outcome(place: Path, suffix: str, size: int, modified: int, skip_bad: bool) -> DataFile | DataFileError:
    """The points, or why there are none: a file that was refused is not read again either."""
    try:
        return _read(place, suffix, skip_bad)
    except DataFileError as error:
        return error


def _read(place: Path, suffix: str, skip_bad: bool) -> DataFile:
    blocks, unit = (_npy_blocks(place), "row") if suffix == ".npy" else (_text_blocks(place), "line")
    kept: list[NDArray[np.float64]] = []
    first: list[int] = []
    rows, bad, after, stride, fault = 0, 0, 0, 1, ""
    for points, places, its_fault in blocks:
        kept.append(points[-rows % stride :: stride].copy())
        if sum(map(len, kept)) > _MOST_HELD:
            kept, stride = [np.concatenate(kept)[::2].copy()], 2 * stride
        rows, bad, fault = rows + len(points), bad + len(places), fault or its_fault
        first += places[: _MOST_NAMED - len(first)]
        after += max(len(points) + len(places), _MOST_AFTER // 100) if bad else 0  # long rows take longer
        if after > _MOST_AFTER and not (skip_bad and rows):
            break
    where = _listed(unit, first, bad)
    if bad and not (skip_bad and rows):
        raise _refusal(where, bad, fault, rows, after > _MOST_AFTER)
    if not rows:
        raise DataFileError("is empty or has only comments or a header: two numbers a line are needed")
    chosen = np.concatenate(kept)
    every = math.ceil(len(chosen) / MOST_POINTS)
    chosen, every = chosen[::every].copy(), every * stride
    chosen.flags.writeable = False
    note = [f"{_count(bad, 'row')} {'was' if bad == 1 else 'were'} skipped ({where})"] if bad else []
    note += [f"{_count(rows, 'row')}, every {_ordinal(every)} is used"] if every > 1 else []
    return DataFile(chosen, rows, bad, every, "; ".join(note))


def _refusal(where: str, bad: int, fault: str, rows: int, cut: bool) -> BadRowsError:
    why, them = (fault, "it") if bad == 1 else (f"{where}; {fault}", "them")
    if not rows:
        return BadRowsError(f"no row{' so far' if cut else ''} can be used ({why}): mend {them}", bad)
    what = f"{'at least ' if cut else ''}{_count(bad, 'row')} cannot be used ({why})"
    return BadRowsError(f"{what}: mend {them}, or leave {them} out with --bad-rows skip", bad)


def _listed(unit: str, first: list[int], count: int) -> str:
    more = count - len(first)
    *named, last = [*map(str, first), *([f"{more:,} more"] if more else [])] or [""]
    return f"{unit}s {', '.join(named)} and {last}" if named else f"{unit} {last}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{'th' if number // 10 % 10 == 1 else ending}"


def _text_blocks(place: Path) -> Iterator[_Block]:
    separator: str | None = ""  # not yet known
    first = 1
    with place.open(encoding="utf-8-sig", errors="replace") as file:
        while text := file.read(_BLOCK) + file.readline(_BLOCK):
            if "\0" in text or len(text) == 2 * _BLOCK:
                raise DataFileError("is no text in UTF-8 with two numbers a line: save it so, or as NPY")
            text = _COMMENT.sub("", text) if "#" in text or "%" in text else text
            if text.strip():
                if separator == "":
                    separator, header = _layout([line for line in text.split("\n") if line.strip()])
                    text = text.replace(header, "", 1)
                yield _parsed(_plain(text, separator).split("\n"), first, separator)
            first += text.count("\n")


def _layout(filled: list[str]) -> tuple[str | None, str]:
    """Return separator and header, which may be "", of the lines that are not empty."""
    tables = {each: [_plain(line, each).split(each) for line in filled[:_SAMPLE]] for each in _SEPARATORS}
    fits = {each: [(not _fault(row), len(row) == 2, len(row) > 1) for row in tables[each]] for each in tables}
    separator = max(fits, key=lambda each: np.sum(fits[each], axis=0).tolist())
    rows = tables[separator]
    faults = set(map(_cell_fault, rows[0]))
    header = _TEXT in faults and not faults & {"", _HUGE} and bool(_LETTERS.search(filled[0]))
    lengths = [len(row) for row in rows[header:] or rows]
    columns = max(lengths, key=lengths.count)
    if columns != 2 and lengths.count(columns) >= 0.9 * len(lengths):
        raise DataFileError(f"has {_count(columns, 'column')}, two are needed")
    return separator, filled[0] if header else ""


def _plain(text: str, separator: str | None) -> str:
    """Take quotes away, and write numbers as Python does."""
    if '"' in text:
        text = _QUOTED.sub(lambda cell: cell[1].replace(separator or " ", " "), text)
    text = text if separator == "," else text.replace(",", ".")
    return text.replace("−", "-").replace("_", "?")  # 1_000 would be a number to Python alone


def _parsed(lines: list[str], first: int, separator: str | None) -> _Block:
    """Parse line by line: a quarter slower than numpy.loadtxt, but no bad line has to be looked for."""
    numbers, bad, fault = array("d"), [], ""
    for place, line in enumerate(lines, first):
        try:
            one, two = line.split(separator, 2)  # no more, though a hostile line has thousands
            x, y = float(one), float(two)
        except ValueError:
            x = y = math.nan
        if -_LARGEST <= x <= _LARGEST and -_LARGEST <= y <= _LARGEST:
            numbers.extend((x, y))
        elif line.strip():
            bad.append(place)
            fault = fault or f"line {place} has {_fault(line.split(separator))}"
    return np.array(numbers).reshape(-1, 2), bad, fault


def _fault(cells: list[str]) -> str:
    if len(cells) != 2:
        return f"{_count(len(cells), 'cell')} where two are needed"
    return _cell_fault(cells[0]) or _cell_fault(cells[1])


def _cell_fault(cell: str) -> str:
    try:
        number = float(cell)
    except ValueError:
        return _TEXT if cell.strip() else "an empty cell"
    return "no number (NaN)" if math.isnan(number) else _HUGE if abs(number) > _LARGEST else ""


def _npy_blocks(place: Path) -> Iterator[_Block]:
    try:
        with place.open("rb") as file, warnings.catch_warnings(action="ignore"):
            if (head := file.read(12))[6:7] > b"\1" and head[10:] != b"\0\0":
                raise ValueError("a header of gigabytes, of which numpy complains only after reading it")
            rows = np.lib.format.open_memmap(place, mode="r")  # which never unpickles
    except OSError:
        raise
    except Exception as error:  # a header is Python's text, and may break its parser in many ways
        raise DataFileError("is no whole NPY file of plain numbers: write it with numpy.save") from error
    if rows.ndim != 2 or rows.shape[1] != 2 or rows.dtype.kind not in "biuf":
        turn = ": transpose it" if rows.ndim == 2 == len(rows) != rows.shape[1] else ""
        raise DataFileError(f"has {rows.dtype.name} of shape {rows.shape}, not real numbers of (N, 2){turn}")
    for start in range(0, len(rows), _BLOCK):
        with np.errstate(all="ignore"):  # long doubles, signalling NaN
            points = np.array(rows[start : start + _BLOCK], np.float64)
            usable = (np.abs(points) <= _LARGEST).all(axis=1)
        bad = np.flatnonzero(~usable)
        fault = f"row {start + bad[0] + 1} has {_fault(list(map(str, points[bad[0]])))}" if len(bad) else ""
        yield points[usable], (start + bad + 1).tolist(), fault
