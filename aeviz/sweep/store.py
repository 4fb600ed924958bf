"""Where a sweep's rows are kept: in its table, and until that is written anew, in a journal beside it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self, TextIO

from filelock import FileLock, Timeout

from aeviz.core.files import FileError, write_whole
from aeviz.sweep.grid import Cell, Sweep
from aeviz.sweep.table import Row, check_table, columns_of, identity, read_table, table_bytes

_EVERY, _SHARE = 10.0, 20.0  # seconds between two writings of the table, and times what one takes


class Store:
    """The table of a sweep while it runs; a context manager, at whose end the table is whole.

    Rows of other settings than the sweep's, which the file may hold, stay in it as they are.

    Parameters
    ----------
    path : Path
        Of the table, ``.csv`` or ``.parquet``.
    sweep : Sweep

    Raises
    ------
    FileError
        Where the table cannot be read or written, or where another sweep is writing it.
    """

    def __init__(self, path: Path, sweep: Sweep) -> None:
        self.path, self._sweep, self._suffix = path, sweep, check_table(path)
        hidden = path.resolve()
        self._journal_path = hidden.with_name(f".{hidden.name}.journal")
        self._lock = FileLock(hidden.with_name(f".{hidden.name}.lock"), timeout=0.0)
        self._cells = [sweep.cells(run) for run in sweep.runs]
        self._places = {sweep.key(cells): place for place, cells in enumerate(self._cells)}
        self._rows: list[Row | None] = [None] * len(self._cells)
        self.others: list[Row] = []
        """Rows of other settings."""
        self._is_changed, self._due = False, 0.0
        self._journal: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            self._lock.acquire()
        except Timeout:
            raise FileError(f"cannot write {self.path}: another aeviz sweep is writing it") from None
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {error.strerror or error}") from error
        try:
            left = self._left()
            self._sort_in((*read_table(self.path), *left))
            if left:
                self._is_changed = True
                self.write()
                self._journal_path.unlink()
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.write()
        finally:
            if self._journal is not None:
                self._journal.close()
            if not self._is_changed:  # else it holds what the table does not
                self._journal_path.unlink(missing_ok=True)
            self._unlock()

    def _unlock(self) -> None:
        with contextlib.suppress(OSError):  # where an open file cannot be removed
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def __getitem__(self, place: int) -> Row | None:
        """The row of one of the sweep's runs, if there is one."""
        return self._rows[place]

    @property
    def rows(self) -> list[Row]:
        """The sweep's own rows, in its order."""
        return [row for row in self._rows if row is not None]

    def cells(self, place: int) -> dict[str, Cell]:
        """The settings of one of the sweep's runs."""
        return self._cells[place]

    def put(self, place: int, row: Row) -> None:
        """Keep the row of a run: at once in the journal, now and then in the table."""
        if self._journal is None:
            self._journal = self._journal_path.open("a", encoding="utf-8")
        self._journal.write(json.dumps(row) + "\n")
        self._journal.flush()
        self._rows[place], self._is_changed = row, True
        if time.monotonic() > self._due:
            self.write()

    def write(self) -> None:
        """Write the table whole, if anything has changed."""
        if not self._is_changed:
            return
        began = time.monotonic()
        rows = [*self.others, *self.rows]
        first = (*(name for name in self._sweep.varied if name != "seed"), "seed")
        write_whole(self.path, table_bytes(rows, columns_of(rows, first), self._suffix))
        self._is_changed = False
        if self._journal is not None:
            self._journal.truncate(0)
        now = time.monotonic()
        self._due = now + max(_EVERY, _SHARE * (now - began))

    def _sort_in(self, rows: Iterable[Row]) -> None:
        for row in {identity(row): row for row in rows}.values():
            place = self._places.get(self._sweep.key(row))
            if place is None or self._rows[place] is not None:
                self.others.append(row)
            else:
                self._rows[place] = row

    def _left(self) -> Sequence[Row]:
        """What a sweep that was killed had not put into the table yet."""
        rows = []
        with contextlib.suppress(FileNotFoundError), self._journal_path.open(encoding="utf-8") as file:
            for line in file:
                with contextlib.suppress(ValueError):  # the last line of who was killed while writing it
                    rows.append(json.loads(line))
        return rows
