"""The table of a sweep: one row for each run, with its settings, its numbers, or why it has none."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aeviz.core.files import FileError, check_place
from aeviz.core.setting import nearest
from aeviz.core.settings import SPECS
from aeviz.sweep.grid import DEFAULTS, DIGEST, Cell
from aeviz.sweep.task import Outcome

SUFFIXES = (".csv", ".parquet")
METRICS: Mapping[str, str] = {
    "epoch": "Epochs done",
    "loss": "Loss C + λR",
    "regulariser_loss": "Regulariser’s part λR of the loss",
    "bayes_floor": "Bayes floor",
    "excess_risk": "Excess risk",
    "midline_iou": "Midline agreement (IoU)",
    "ridge_distance": "Distance of the learned ridge from the midline (data units)",
    "exact_ridge_distance": "Distance of the exact ridge from the midline (data units)",
    "identityness": "Identityness",
    "train_seconds": "Training time (seconds)",
    "steps_per_second": "Steps per second",
}
"""Columns of numbers, with their names on an axis."""
ERROR, VERSION, FIGURE = "error", "aeviz_version", "figure"
_SAME_NAME = {"regulariser": "regulariser_loss"}  # of a metric and of a setting
_FORMULA = re.compile(r"'*[=+\-@\t\r]")  # what a spreadsheet takes for one, and what was kept from it before
_KEPT = re.compile(r"'+[=+\-@\t\r]")

Row = dict[str, Cell]


def row_of(cells: Row, outcome: Outcome, figure: str = "") -> Row:
    """A run's row: its settings, what became of it, and the name of its figure's file."""
    metrics = {_SAME_NAME.get(name, name): value for name, value in outcome.metrics.items()}
    row = cells | dict.fromkeys(METRICS) | metrics | {ERROR: outcome.error or None, VERSION: outcome.version}
    return row | ({FIGURE: figure} if figure else {})


def identity(row: Row) -> frozenset[tuple[str, Cell]]:
    """What tells a row from all others of any sweep: its settings."""
    return frozenset(
        (name, value) for name, value in row.items() if name in SPECS and value != DEFAULTS[name]
    ) | {(DIGEST, row.get(DIGEST))}


def columns_of(rows: Iterable[Row], first: Sequence[str]) -> list[str]:
    """All columns: `first` those that vary, then the numbers, then what else was set."""
    found = dict.fromkeys(name for row in rows for name in row)
    order = (*first, *METRICS, ERROR, VERSION, FIGURE, *SPECS, DIGEST)
    return [*(name for name in dict.fromkeys(order) if name in found), *found.keys() - {*order}]


def table_bytes(rows: Sequence[Row], columns: Sequence[str], suffix: str) -> bytes:
    """The content of a table's file; in CSV, text cells are safe for spreadsheets.

    Settings that a row lacks, as those of another sweep may, have their defaults.
    """
    rows = [{name: row.get(name, DEFAULTS.get(name)) for name in columns} for row in rows]
    if suffix == ".parquet":
        return _parquet_bytes(rows, columns)
    lines: list[str] = []
    # Lines end with \n, but a cell that has a \r is quoted as well, which only this terminator brings about.
    writer = csv.writer(SimpleNamespace(write=lines.append), lineterminator="\r\n")
    writer.writerow(map(safe, columns))
    writer.writerows(map(safe, row.values()) for row in rows)
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines).encode("utf-8")


def safe(value: Cell) -> Cell:
    """A CSV cell that no spreadsheet takes for a formula: such a text gets an apostrophe before it."""
    return "'" + value if isinstance(value, str) and _FORMULA.match(value) else value


def read_table(path: Path) -> list[Row]:
    """Return the rows of a table; none where there is no such file.

    Raises
    ------
    FileError
        Where it cannot be read or is not a table of a sweep.
    """
    if not path.exists():
        return []
    try:
        content = path.read_bytes()
        rows = _parquet_rows(content) if path.suffix.lower() == ".parquet" else _csv_rows(content)
    except (OSError, ValueError, csv.Error) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise FileError(f"cannot go on with {path}: {why}; choose another name for the new table") from error
    return rows


def _csv_rows(content: bytes) -> list[Row]:
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    columns = [_unsafe(name) for name in next(reader, [])]
    _check(columns)
    rows = []
    for cells in reader:
        if len(cells) != len(columns):
            raise ValueError(f"line {reader.line_num} has {len(cells)} cells, not {len(columns)}")
        try:
            rows.append({name: _read(name, text) for name, text in zip(columns, cells, strict=True)})
        except ValueError:
            raise ValueError(f"line {reader.line_num} has a number that is none") from None
    return rows


def _unsafe(text: str) -> str:
    return text[1:] if _KEPT.match(text) else text


def _read(name: str, text: str) -> Cell:
    kind = _type_of(name)
    if kind is str:
        return _unsafe(text) or (None if name not in SPECS else "")
    return kind(text) if text else None


def _type_of(name: str) -> type[int] | type[float] | type[str]:
    if name in METRICS:
        return int if name == "epoch" else float
    kind = type(SPECS[name].default) if name in SPECS else str
    return kind if kind in (int, float) else str


def _check(columns: Sequence[str]) -> None:
    lacks = next((name for name in (*METRICS, ERROR, VERSION, "seed") if name not in columns), None)
    if lacks is not None:
        raise ValueError(f"it is not a table of aeviz sweep, which has a column {lacks!r}")
    if len({*columns}) < len(columns):
        raise ValueError("it has two columns of the same name")


def _parquet_bytes(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    types = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    schema = pyarrow.schema([(name, types[_type_of(name)]) for name in columns])
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema), buffer)
    return buffer.getvalue()


def _parquet_rows(content: bytes) -> list[Row]:
    from pyarrow import parquet

    table: Any = parquet.read_table(io.BytesIO(content))
    _check(table.column_names)
    rows: list[Row] = table.to_pylist()
    return rows


def check_table(path: Path) -> str:
    """Return the extension of a table that is to be written, in lower case.

    Raises
    ------
    FileError
        Where it could not be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        guess = nearest(suffix, SUFFIXES)
        raise FileError(f"cannot write {path}: a table's name must end in {' or '.join(SUFFIXES)}{guess}")
    check_place(path)
    if suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise FileError(
                f"cannot write {path}: install pyarrow with pip install 'aeviz[parquet]', or write .csv"
            ) from error
    return suffix
