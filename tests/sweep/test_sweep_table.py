"""The table of a sweep as a file: cells, what is kept, what is refused."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeviz.core.files import FileError
from aeviz.core.metrics import Metrics
from aeviz.core.settings import Settings
from aeviz.sweep.grid import Axis, Sweep
from aeviz.sweep.store import Store
from aeviz.sweep.table import METRICS, Row, columns_of, read_table, row_of, safe, table_bytes
from aeviz.sweep.task import Outcome

FOUND = {
    "epoch": 3, "loss": -0.1, "regulariser": 1e-17, "bayes_floor": None, "excess_risk": 0.1 + 0.2,
    "midline_iou": None, "ridge_distance": 1 / 3, "exact_ridge_distance": 0.0, "identityness": 1.0,
    "train_seconds": 2.5, "steps_per_second": 7e9,
}  # fmt: skip
AXES = (Axis("noise", (0.1, 0.30000000000000004)), Axis("hidden", ((), (8, 4))), Axis("seed", (0, 1)))


def put_all(path: Path, sweep: Sweep, **changes: object) -> list[Row]:
    with Store(path, sweep) as store:
        for place in range(len(sweep.runs)):
            store.put(place, row_of(store.cells(place), Outcome(FOUND | changes)))
        return store.rows


def test_the_numbers_of_a_run_are_the_columns() -> None:
    names = {each.name for each in dataclasses.fields(Metrics)} - {"sketch", "regulariser"}
    assert names | {"regulariser_loss"} == set(METRICS)
    assert not set(METRICS) & {each.name for each in dataclasses.fields(Settings)}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_come_back_as_they_were(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{suffix}"
    sweep = Sweep(Settings(extent=(-1.0, 1.0, -2.0, 2.0), tied=True), AXES)
    rows = put_all(path, sweep)
    assert read_table(path) == rows and len(rows) == 8
    for run, row in zip(sweep.runs, rows, strict=True):  # all settings that decide are there, and exact
        again = {name: row[name] for name in ("noise", "seed", "points", "threshold")}
        assert again == {name: getattr(run, name) for name in again}
        assert (row["hidden"], row["tied"]) == ("" if run.hidden == () else "8,4", "on")
    assert [*tmp_path.iterdir()] == [path]  # no journal, no lock


def test_parquet_has_numbers_and_nulls(tmp_path: Path) -> None:
    put_all(tmp_path / "table.parquet", Sweep(Settings(), AXES))
    table = pyarrow.parquet.read_table(tmp_path / "table.parquet")
    assert table.column_names[:5] == ["noise", "hidden", "seed", "epoch", "loss"]
    kinds = {
        name: str(table.schema.field(name).type) for name in ("noise", "seed", "loss", "hidden", "error")
    }
    assert kinds == {
        "noise": "double",
        "seed": "int64",
        "loss": "double",
        "hidden": "string",
        "error": "string",
    }
    assert table.column("midline_iou").null_count == 8


@pytest.mark.parametrize("first", "=+-@\t\r")
def test_no_text_is_a_formula_and_numbers_are_untouched(first: str, tmp_path: Path) -> None:
    path, text = tmp_path / "table.csv", f"{first}1+1"
    sweep = Sweep(Settings(extent=(-1.0, 1.0, -2.0, 2.0)), ())
    with Store(path, sweep) as store:
        store.put(0, row_of(store.cells(0), Outcome(FOUND, error=text)))
    with path.open(newline="") as file:
        (cells,) = csv.DictReader(file)
    assert cells["error"] == "'" + text
    assert cells["extent"] == "'-1,1,-2,2"
    assert (cells["loss"], cells["excess_risk"]) == ("-0.1", "0.30000000000000004")
    assert read_table(path)[0]["error"] == text


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_any_text_comes_back_from_a_table(text: str) -> None:
    row = row_of(Sweep(Settings(), ()).cells(Settings()), Outcome(error=text))
    content = table_bytes([row], columns_of([row], ()), ".csv")
    (cells,) = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert not cells["error"].startswith(tuple("=+-@\t\r"))
    assert cells["error"] == safe(text)
    file = Path(__file__).with_name("never.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "exists", lambda self: True)
        patch.setattr(Path, "read_bytes", lambda self: content)
        assert read_table(file)[0]["error"] == text


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_of_other_settings_are_kept_as_they_are(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{suffix}"
    before = put_all(path, Sweep(Settings(), AXES), loss=1.0)
    put_all(path, Sweep(Settings(epochs=9), AXES), loss=2.0)
    themes = Sweep(Settings(), (Axis("theme", ("light", "dark")),))
    with Store(path, themes) as store:
        assert (len(store.rows), len(store.others)) == (0, 16)
        store.put(0, row_of(store.cells(0), Outcome(FOUND)))
        store.put(1, row_of(store.cells(1), Outcome(FOUND)))
    rows = read_table(path)
    assert [row["loss"] for row in rows] == [1.0] * 8 + [2.0] * 8 + [-0.1] * 2
    assert [{name: row[name] for name in before[0]} for row in rows[:8]] == before
    assert [row["theme"] for row in rows] == ["dark"] * 16 + [
        "light",
        "dark",
    ]  # of those that do not tell, the default
    with Store(path, Sweep(Settings(), AXES)) as store:  # all of them are found again
        assert (len(store.rows), len(store.others)) == (8, 10)
    with Store(path, Sweep(Settings(), ())) as store:  # two of them, which only look different
        assert (len(store.rows), len(store.others)) == (1, 17)


def test_a_table_that_is_none_is_refused_and_stays(tmp_path: Path) -> None:
    path, sweep = tmp_path / "mine.csv", Sweep(Settings(), AXES)
    whole = put_all(path, sweep) and path.read_bytes()
    for content in (
        b"x,y\n1,2\n", b"\xff\xfe", b"", whole + b"1,2\n", whole.replace(b"0.1,", b"often,"), b'"' + whole
    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"mine\.csv: .*; choose another name"), Store(path, sweep):
            pass
        assert path.read_bytes() == content and [*tmp_path.iterdir()] == [path]


def test_what_a_killed_sweep_has_written_down_comes_into_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aeviz.sweep.store._EVERY", 3600.0)  # however slow the machine is
    path, sweep = tmp_path / "table.csv", Sweep(Settings(), AXES)
    store = Store(path, sweep).__enter__()
    for place in range(4):
        store.put(place, row_of(store.cells(place), Outcome(FOUND)))
    (journal,) = tmp_path.glob(".*.journal")
    left = journal.read_bytes()
    assert (len(read_table(path)), len(left.splitlines())) == (1, 3)  # all that is not in the table yet
    store.__exit__()
    put_all(path, Sweep(Settings(epochs=9), AXES))
    journal.write_bytes(left + left.splitlines()[0][:100])  # killed while it wrote the next one
    with Store(path, sweep) as store:
        assert (len(store.rows), len(store.others), journal.exists()) == (4, 8, False)


def test_two_sweeps_do_not_write_one_table(tmp_path: Path) -> None:
    path, sweep = tmp_path / "table.csv", Sweep(Settings(), AXES)
    with (
        Store(path, sweep),
        pytest.raises(FileError, match="another aeviz sweep is writing it"),
        Store(path, sweep),
    ):
        pass
    with Store(path, sweep):
        pass
    assert not [*tmp_path.iterdir()]
