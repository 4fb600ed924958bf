"""Points from files: what is understood, what is refused and in which words, whatever the bytes."""

from __future__ import annotations

import io
import itertools
import math
import os
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from aeviz.core import data_file
from aeviz.core.data_file import SUFFIXES, BadRowsError, DataFile, DataFileError, read_points
from aeviz.core.setting import SettingError

LINE = 300  # characters that a message may take, without the file's name
number = st.floats(-1e100, 1e100)
some_points = st.lists(st.tuples(number, number), min_size=1, max_size=30)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a file into the folder that one is in, and return its name."""
    monkeypatch.chdir(tmp_path)

    def write(content: str | bytes | np.ndarray, name: str = "points.csv") -> str:
        if isinstance(content, np.ndarray):
            np.save(name, content, allow_pickle=True)
        else:
            Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    return write


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """As `write`, but a new path for each example of a property."""
    folder, names = tmp_path_factory.mktemp("files"), itertools.count()

    def fresh(content: str | bytes, suffix: str = ".csv") -> Path:
        path = folder / f"{next(names)}{suffix}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return fresh


def refused(path: str | Path, kind: type[DataFileError] = DataFileError, skip_bad: bool = False) -> str:
    """The message of a refusal, which is one line that begins with the file's name, less that name."""
    with pytest.raises(kind) as caught:
        read_points(path, skip_bad=skip_bad)
    assert type(caught.value) is kind
    name, text = f"{path}: ", str(caught.value)
    assert text.startswith(name)
    assert text.isprintable()
    assert len(text) < len(name) + LINE
    return text.removeprefix(name)


TWO = [[1.5, -2.0], [3e-5, 0.25]]
UNDERSTOOD = {
    "commas": "1.5,-2\n3e-5,.25\n",
    "commas and blanks": "1.5, -2\n3e-5 ,  .25\n",
    "semicolons": "1.5;-2\n3e-5;.25",
    "tabs": "1.5\t-2\n3e-5\t.25\n",
    "blanks": "1.5 -2\n   3e-5    .25   \n",
    "several tabs": "1.5\t\t-2\n3e-5\t.25\n",
    "decimal commas, semicolons": "1,5;-2\n3e-5;,25\n",
    "decimal commas, tabs": "1,5\t-2\n3e-5\t0,25\n",
    "decimal commas, blanks": "1,5 -2,0\n3e-5 0,25\n",
    "some decimal commas, blanks": "1,5 -2\n3e-5 ,25\n",
    "quotes": '"1.5","-2"\n"3e-5","0.25"\n',
    "quotes and blanks": '"1.5", "-2"\n "3e-5" ,"0.25"\n',
    "quotes, decimal commas": '"1,5";"-2"\n"3e-5";"0,25"\n',
    "quotes between blanks": '"1.5" "-2"\n"3e-5"  "0.25"\n',
    "some quotes": '1.5,"-2"\n"3e-5",0.25\n',
    "header": "x,y\n1.5,-2\n3e-5,.25\n",
    "header with figures": "col 1, col 2\n1.5,-2\n3e-5,.25\n",
    "header in quotes": '"the x, in mm","the y"\n"1.5","-2"\n"3e-5","0.25"\n',
    "header of other words": "position velocity\n1.5;-2\n3e-5;.25\n",
    "header that is nearly no number": "Na,Cl\n1.5,-2\n3e-5,.25\n",
    "header with units": "x [%],y [%]\n1.5,-2\n3e-5,.25\n",
    "longer header": "x,y,z\n1.5,-2\n3e-5,.25\n",
    "comments": "# made by hand\nx,y\n% 1,2,3\n1.5,-2 # first\n3e-5,.25% second\n#\n",
    "empty lines": "\n\n  \nx,y\n\n1.5,-2\n\t\n3e-5,.25\n\n\n",
    "CRLF": "x,y\r\n1.5,-2\r\n3e-5,.25\r\n",
    "CR": "x,y\r1.5,-2\r3e-5,.25",
    "all line ends": "x,y\r\n1.5,-2\r3e-5,.25\n\r\n",
    "byte order mark": "\ufeff1.5,-2\n3e-5,.25\n",
    "byte order mark and header": "\ufeffx,y\n1.5,-2\n3e-5,.25\n",
    "Latin-1 in header and comment": "größe,länge\n1.5,-2\n3e-5,.25 # für\n".encode("latin-1"),
    "minus sign": "1.5,−2\n+3e−5,+.25\n",
    "capital exponent": "15E-1,-2.\n3.E-5,+.25\n",
}


@pytest.mark.parametrize("content", UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_is_understood(write: Callable[..., str], content: str | bytes) -> None:
    for skip_bad in (False, True):
        found = read_points(write(content), skip_bad=skip_bad)
        assert found.points.tolist() == TWO
        assert (found.rows, found.skipped, found.every, found.note) == (2, 0, 1, "")


@pytest.mark.parametrize(
    ("content", "points"),
    [
        ("0,0", [[0.0, 0.0]]),
        ("7,7\n7,7\n", [[7.0, 7.0], [7.0, 7.0]]),
        ("1e-300,1e90\n", [[1e-300, 1e90]]),
        ("1e100;-1e100", [[1e100, -1e100]]),
        ("0.1\t1e-400\n", [[0.1, 0.0]]),
        ("1" * 90 + ",0." + "3" * 900, [[(10**90 - 1) / 9, 1 / 3]]),
    ],
    ids=["zero", "constant", "tiny and huge", "the largest", "too tiny", "many figures"],
)
def test_single_rows_constants_and_extremes(write: Callable[..., str], content: str, points: Any) -> None:
    assert read_points(write(content)).points.tolist() == points


@given(
    points=some_points,
    separator=st.sampled_from(["\t", ";", ",", " ", "  ", ", ", " ; "]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    start=st.sampled_from(["", "\ufeff", "x{}y|", "# two columns|", "\ufeff|% a|x{}y|"]),
    quote=st.sampled_from(["", '"']),
    comma=st.booleans(),
)
@effort(max_examples=80, deadline=None)
def test_what_was_written_is_read(
    fresh: Callable[..., Path], points: Any, separator: str, end: str, start: str, quote: str, comma: bool
) -> None:
    cells = [[f"{quote}{each!r}{quote}" for each in row] for row in points]
    if comma and "," not in separator:
        cells = [[each.replace(".", ",") for each in row] for row in cells]
    lines = start.format(separator).replace("|", end) + "".join(separator.join(row) + end for row in cells)
    found = read_points(fresh(lines))
    np.testing.assert_array_equal(found.points, np.array(points))
    assert (found.rows, found.note) == (len(points), "")


def test_a_long_file_is_read_as_numpy_reads_it(write: Callable[..., str]) -> None:
    points = np.random.default_rng(0).normal(size=(60_000, 2)) * [1e-8, 1e8]
    text = io.StringIO()
    np.savetxt(text, points, delimiter=",")
    name = write("x,y\n" + text.getvalue())
    assert Path(name).stat().st_size > 4 * data_file._BLOCK
    expected = np.loadtxt(name, delimiter=",", skiprows=1)
    np.testing.assert_array_equal(read_points(name).points, expected)


CELLS = {
    "1.5": True, "-2": True, "3e4": True, "+.5": True, "1e100": True, " 7 ": True, "1e-320": True,
    "": False, "nan": False, "NaN": False, "-inf": False, "Infinity": False, "NA": False, "null": False,
    "abc": False, "1e101": False, "-1e400": False, "1_000": False, "0x10": False, "1e": False, "--1": False,
    "1 2": False, "1.2.3": False, '"1': False, "1;2": False, "1d3": False,
}  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_a_number(write: Callable[..., str], cell: str) -> None:
    name = write(f"1,2\n3,4\n{cell},5\n")
    assert read_points(name, skip_bad=True).skipped == (0 if CELLS[cell] else 1)
    if CELLS[cell]:
        assert read_points(name).points[2].tolist() == [float(cell), 5.0]


rows_of_cells = st.lists(
    st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=3) | st.just([]), max_size=20
)


@given(rows=rows_of_cells)
@effort(max_examples=80, deadline=None)
@example(rows=[["1.5", "-2"]] * 12 + [["1.5", "nan"], [], ["1.5"], ["1.5", "-2", "3e4"], [""]])
def test_bad_rows_are_counted_named_and_left_out(fresh: Callable[..., Path], rows: list[list[str]]) -> None:
    rows = [["1.5", "-2"]] * 30 + rows  # so that separator and columns are beyond doubt
    path = fresh("".join(",".join(row) + "\n" for row in rows))
    good = [row for row in rows if len(row) == 2 and all(map(CELLS.get, row))]
    bad = [n for n, row in enumerate(rows, 1) if row not in ([], [""]) and row not in good]
    found = read_points(path, skip_bad=True)
    assert found.points.tolist() == [[float(cell) for cell in row] for row in good]
    assert (found.rows, found.skipped) == (len(good), len(bad))
    if not bad:
        assert read_points(path).note == found.note == ""
        return
    with pytest.raises(BadRowsError) as caught:
        read_points(path)
    assert caught.value.count == len(bad)
    for text in (found.note, str(caught.value)):
        assert all(str(each) in text for each in bad[:5])
        assert ("more" in text) == (len(bad) > 5)
    assert f"line {bad[0]} has " in str(caught.value)


TEXT, HUGE = "text where a number should be", "a number that is infinite or beyond 1e100"
IT, THEM = (
    "mend it, or leave it out with --bad-rows skip",
    "mend them, or leave them out with --bad-rows skip",
)
MESSAGES = {
    "1,2\nabc,3\n": f"1 row cannot be used (line 2 has {TEXT}): {IT}",
    "1,2\n# a\n\n1,abc\n4,5\n,\n": f"2 rows cannot be used (lines 4 and 6; line 4 has {TEXT}): {THEM}",
    "x,y\n1,2\n3,nan\n4,5\n1,a\n4\n": "3 rows cannot be used (lines 3, 5 and 6; "
    f"line 3 has no number (NaN)): {THEM}",
    "1,2\n" + "3,\n" * 6: "6 rows cannot be used (lines 2, 3, 4, 5, 6 and 1 more; "
    f"line 2 has an empty cell): {THEM}",
    "1,2\n" + "3,\n" * 2005: "2,005 rows cannot be used (lines 2, 3, 4, 5, 6 and 2,000 more; "
    f"line 2 has an empty cell): {THEM}",
    "1,2\ninf,1\n": f"1 row cannot be used (line 2 has {HUGE}): {IT}",
    "1,2\n-1e200,1\n": f"1 row cannot be used (line 2 has {HUGE}): {IT}",
    "1,2\n1,1e101\n": f"1 row cannot be used (line 2 has {HUGE}): {IT}",
    "1,abc\n1,2\n": f"1 row cannot be used (line 1 has {TEXT}): {IT}",
    "1,2\n3, \n": f"1 row cannot be used (line 2 has an empty cell): {IT}",
    "1,2\n1\n": f"1 row cannot be used (line 2 has 1 cell where two are needed): {IT}",
    "1,2\n1,2,3\n": f"1 row cannot be used (line 2 has 3 cells where two are needed): {IT}",
    '1,2\n"1,234","5"\n': f"1 row cannot be used (line 2 has {TEXT}): {IT}",
    "nan,nan\n": "no row can be used (line 1 has no number (NaN)): mend it",
    "x,y\nNA,1\n1,NA\n": f"no row can be used (lines 2 and 3; line 2 has {TEXT}): mend them",
}


@pytest.mark.parametrize("content", MESSAGES, ids=lambda content: repr(content[:20]))
def test_the_words_about_bad_rows(write: Callable[..., str], content: str) -> None:
    assert refused(write(content), BadRowsError) == MESSAGES[content]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("1,2\n,\n", "1 row was skipped (line 2)"),
        ("1,2\n,\n3,4\nabc", "2 rows were skipped (lines 2 and 4)"),
        ("1,2\n" + ",\n" * 1005, "1,005 rows were skipped (lines 2, 3, 4, 5, 6 and 1,000 more)"),
    ],
)
def test_the_note_about_skipped_rows(write: Callable[..., str], content: str, note: str) -> None:
    assert read_points(write(content), skip_bad=True).note == f"points.csv: {note}"


@pytest.mark.parametrize("content", ["nan,1\n", "x,y\n1,NA\n,\n", "1,2,3\na,b\n1\n"])
def test_where_nothing_is_left_skipping_is_no_remedy(write: Callable[..., str], content: str) -> None:
    name = write(content)
    assert refused(name, BadRowsError, skip_bad=True) == refused(name, BadRowsError)
    assert "--bad-rows" not in refused(name, BadRowsError)


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("1\n2\n3\n", "1 column"),
        ("1,2,3\n", "3 columns"),
        ("x,y,z\n1,2,3\n4,5,6\n", "3 columns"),
        ("x,y\n1,2,3\n", "3 columns"),
        ("1,5;2,5;3,5\n", "3 columns"),
        ("1 2 3 4\n" * 5, "4 columns"),
        ("1,2,3\n" * 50 + "1,2\n", "3 columns"),
        ("1,2,\n3,4,\n", "3 columns"),
    ],
)
def test_another_number_of_columns(
    write: Callable[..., str], content: str, columns: str, skip_bad: bool
) -> None:
    assert refused(write(content), skip_bad=skip_bad) == f"has {columns}, two are needed"


@pytest.mark.parametrize(
    "content", ["", "\n", " \r\n\t\r\n", "# a\n", "x,y", "x,y\n", "% c\n\nx;y\n\n", "\ufeff"]
)
def test_files_without_rows(write: Callable[..., str], content: str) -> None:
    assert refused(write(content)).startswith("is empty or has only comments or a header")


@pytest.mark.parametrize(
    "content",
    ["1,2\n3,4\n".encode("utf-16"), b"PK\x03\x04" + bytes(40), b"1,2\n\x00\n", b"1," * 600_000],
    ids=["UTF-16", "zip", "NUL", "endless line"],
)
def test_no_text(write: Callable[..., str], content: bytes) -> None:
    assert "no text in UTF-8" in refused(write(content))
    assert "no text in UTF-8" in refused("points.csv", skip_bad=True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.csv", "No such file"),
        ("folder", "is a folder"),
        ("folder.csv", "is a folder"),
        ("pipe.csv", "no regular file"),
        ("circle.csv", "cannot be read"),
        ("n" * 300 + ".csv", "name too long"),
        ("points.cvs", "must end in .csv, .tsv, .txt, .npy (did you mean .csv?)"),
        ("points.tx", "(did you mean .txt?)"),
        ("points", "must end in .csv, .tsv, .txt, .npy"),
        ("huge.csv", "larger than 2 GiB"),
        ("huge.npy", "larger than 2 GiB"),
    ],
)
def test_files_that_cannot_be_read(write: Callable[..., str], name: str, words: str) -> None:
    for folder in ("folder", "folder.csv"):
        Path(folder).mkdir()
    os.mkfifo("pipe.csv")
    Path("circle.csv").symlink_to("circle.csv")
    for huge in ("huge.csv", "huge.npy"):
        with Path(huge).open("wb") as file:
            file.truncate(2 * 1024**3 + 1)
    for path in (name, Path(name)):
        assert words in refused(path)


@pytest.mark.parametrize("name", ["a\n.csv", "a\0.csv", "\udcff.csv", ""])
def test_names_that_would_break_a_line(write: Callable[..., str], name: str) -> None:
    with pytest.raises(DataFileError) as caught:
        read_points(name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("error", "suffix", "words"),
    [
        (PermissionError(13, "Permission denied"), ".csv", "cannot be read (Permission denied)"),
        (PermissionError(13, "Permission denied"), ".npy", "cannot be read (Permission denied)"),
        (OSError(5, "Input/output error"), ".txt", "cannot be read (Input/output error)"),
        (MemoryError(), ".csv", "cannot be read (there is not enough memory)"),
    ],
    ids=lambda each: "" if isinstance(each, str) else type(each).__name__,
)
def test_faults_of_the_system(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, error: Exception, suffix: str, words: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    name = write("1,2\n", f"points{suffix}")
    monkeypatch.setattr(Path, "open", fail)
    assert refused(name) == words


def test_errors_are_setting_errors_that_go_through_a_pipe(write: Callable[..., str]) -> None:
    with pytest.raises(SettingError) as caught:
        read_points(write("1,2\n1,\n3,\n"))
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - its own bytes
    assert isinstance(again, BadRowsError)
    assert (str(again), again.count) == (str(caught.value), 2)


NUMBERS = [[1, 0], [1, 1], [0, 1]]


@pytest.mark.parametrize(
    "array",
    [np.array(NUMBERS, kind) for kind in ("?", "i1", "u2", ">i4", "u8", "f2", "<f4", ">f8", "g")]
    + [np.asfortranarray(np.array(NUMBERS, float)), np.array([NUMBERS[0]], float)],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_npy(write: Callable[..., str], array: np.ndarray) -> None:
    found = read_points(write(array, "points.npy"))
    assert found.points.dtype == np.float64
    assert found.points.tolist() == NUMBERS[: len(array)]
    assert (found.rows, found.skipped, found.every, found.note) == (len(array), 0, 1, "")


def test_npy_extremes(write: Callable[..., str]) -> None:
    array = np.array([[1e-300, 1e90], [-1e100, 5e-324]])
    assert read_points(write(array, "points.npy")).points.tolist() == array.tolist()


def test_bad_rows_of_npy_are_named_by_row(write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_file, "_BLOCK", 4)
    array = np.arange(40.0).reshape(20, 2)
    array[6, 0], array[6, 1], array[12, 0], array[19, 1] = np.nan, np.inf, -np.inf, 1e101
    name = write(array, "points.npy")
    assert refused(name, BadRowsError) == (
        "3 rows cannot be used (rows 7, 13 and 20; row 7 has no number (NaN)): "
        "mend them, or leave them out with --bad-rows skip"
    )
    found = read_points(name, skip_bad=True)
    np.testing.assert_array_equal(found.points, np.delete(array, [6, 12, 19], axis=0))
    assert found.note == "points.npy: 3 rows were skipped (rows 7, 13 and 20)"
    assert (found.rows, found.skipped) == (17, 3)


def test_long_doubles_that_are_no_doubles(write: Callable[..., str]) -> None:
    array = np.array([["1", "1e4000"]]).astype(np.longdouble)
    if np.isinf(array).any():
        pytest.skip("long doubles are doubles here")
    assert "infinite or beyond 1e100" in refused(write(array, "points.npy"), BadRowsError)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 7)), "has float64 of shape (2, 7), not real numbers of (N, 2): transpose it"),
        (np.zeros((7, 3)), "has float64 of shape (7, 3), not real numbers of (N, 2)"),
        (np.zeros(2), "has float64 of shape (2,), not real numbers of (N, 2)"),
        (np.array(1.0), "has float64 of shape (), not real numbers of (N, 2)"),
        (np.zeros((3, 2, 1)), "has float64 of shape (3, 2, 1), not real numbers of (N, 2)"),
        (np.zeros((3, 2), complex), "has complex128 of shape (3, 2), not real numbers of (N, 2)"),
        (np.zeros((2, 2), complex), "has complex128 of shape (2, 2), not real numbers of (N, 2)"),
        (np.zeros((3, 2), "U5"), "has str160 of shape (3, 2), not real numbers of (N, 2)"),
        (np.zeros((3, 2), "M8[s]"), "has datetime64[s] of shape (3, 2), not real numbers of (N, 2)"),
        (np.zeros(3, "f8,f8"), "has void128 of shape (3,), not real numbers of (N, 2)"),
        (np.zeros((3, 2), object), "is no whole NPY file of plain numbers: write it with numpy.save"),
        (np.zeros((0, 2)), "is empty or has only comments or a header: two numbers a line are needed"),
    ],
    ids=lambda each: "" if isinstance(each, str) else f"{each.dtype}{each.shape}",
)
def test_other_npy(write: Callable[..., str], array: np.ndarray, words: str) -> None:
    assert refused(write(array, "points.npy")) == words


class Trap:
    """What a pickle would call when it is read."""

    sprung = False

    def __reduce__(self) -> tuple[Callable[..., None], tuple[type[Trap], str, bool]]:
        return setattr, (Trap, "sprung", True)


def header(text: str | bytes, version: bytes = b"\1\0") -> bytes:
    text = text.encode() if isinstance(text, str) else text
    return b"\x93NUMPY" + version + len(text).to_bytes(2 if version == b"\1\0" else 4, "little") + text


FULL = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n"
HOSTILE = {
    "pickle": pickle.dumps(Trap()),
    "text": b"1,2\n3,4\n",
    "nothing": b"",
    "magic alone": b"\x93NUMPY",
    "zip": b"PK\x03\x04" + bytes(60),
    "cut off": header(FULL % "(2, 2)") + bytes(31),
    "cut header": header(FULL % "(2, 2)")[:30],
    "endless": header(FULL % "(10**18, 2)"),
    "huge": header(FULL % "(1000000000000000000, 2)") + bytes(32),
    "beyond 64 bits": header(FULL % f"({2**63}, {2**63})") + bytes(32),
    "wraps to nothing": header(FULL % f"({2**62}, 2, 2)") + bytes(32),
    "negative": header(FULL % "(-1, 2)") + bytes(32),
    "no tuple": header(FULL % "'a'") + bytes(32),
    "no dictionary": header("[1, 2]\n"),
    "no Python": header("{{{{\n"),
    "nested": header("(" * 5000 + "\n"),
    "signs": header("-" * 9000 + "1\n"),
    "long": header(" " * 60_000 + "\n"),
    "bytes": header(bytes(range(256))),
    "object": header("{'descr': '|O', 'fortran_order': False, 'shape': (1, 2), }\n") + pickle.dumps(Trap()),
    "claims gigabytes": b"\x93NUMPY\2\0" + (2**32 - 1).to_bytes(4, "little") + b"{" * 1000,
    "version 9": header(FULL % "(2, 2)", b"\x09\0") + bytes(32),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_npy(write: Callable[..., str], content: bytes) -> None:
    words = refused(write(content, "points.npy"))
    assert words == "is no whole NPY file of plain numbers: write it with numpy.save"
    assert not Trap.sprung


def test_a_header_of_gigabytes_is_not_read(write: Callable[..., str]) -> None:
    name = write(b"\x93NUMPY\2\0" + (2**28).to_bytes(4, "little"), "points.npy")
    os.truncate(name, 2**28 + 100)
    tracemalloc.start()
    try:
        assert "no whole NPY file" in refused(name)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_versions(write: Callable[..., str], version: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array(TWO), version)
    assert read_points(write(buffer.getvalue(), "points.npy")).points.tolist() == TWO


def test_npy_of_python_2(write: Callable[..., str]) -> None:
    content = header(FULL % "(2L, 2L)") + np.array(TWO).tobytes()
    assert read_points(write(content, "points.npy")).points.tolist() == TWO


@pytest.mark.parametrize(
    ("rows", "every", "words"),
    [(10, 1, ""), (11, 2, "2nd"), (20, 2, "2nd"), (21, 3, "3rd"), (100, 10, "10th"), (111, 12, "12th"),
     (205, 21, "21st"), (1110, 111, "111th"), (1111, 112, "112th")],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_of_too_many_rows_each_so_many_th_is_taken(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, rows: int, every: int, words: str, suffix: str
) -> None:
    monkeypatch.setattr(data_file, "MOST_POINTS", 10)
    monkeypatch.setattr(data_file, "_BLOCK", 64)
    points = np.arange(2.0 * rows).reshape(rows, 2)
    text = "\n".join(f"{x},{y}" for x, y in points)
    found = read_points(write(text if suffix == ".csv" else points, f"points{suffix}"))
    np.testing.assert_array_equal(found.points, points[::every])
    assert (found.rows, found.every) == (rows, every)
    assert found.note == (f"points{suffix}: {rows:,} rows, every {words} is used" if words else "")


@given(rows=st.integers(1, 400), held=st.integers(20, 60), block=st.integers(16, 200))
@effort(max_examples=50, deadline=None)
def test_of_far_too_many_rows_only_some_are_held(
    fresh: Callable[..., Path], rows: int, held: int, block: int
) -> None:
    points = np.arange(2 * rows).reshape(rows, 2)
    path = fresh("\n".join(f"{x},{y}" for x, y in points))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"MOST_POINTS": 10, "_MOST_HELD": held, "_BLOCK": block}.items():
            patch.setattr(data_file, name, value)
        found = read_points(path)
    np.testing.assert_array_equal(found.points, points[:: found.every])
    assert len(found.points) <= 10
    least = math.ceil(rows / 10)
    assert least <= found.every <= 2 * least
    assert found.rows == rows


def test_both_in_one_note(write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_file, "MOST_POINTS", 10)
    found = read_points(write("1,2\n,\n" * 20), skip_bad=True)
    assert found.note == (
        "points.csv: 20 rows were skipped (lines 2, 4, 6, 8, 10 and 15 more); 20 rows, every 2nd is used"
    )
    assert (found.rows, found.skipped, found.every) == (20, 20, 2)


@given(
    rows=st.lists(st.sampled_from(["1,2", "", "# 7", "3,", '"4","5"', "6,7 # %", "  "]), max_size=40),
    block=st.integers(20, 60), end=st.sampled_from(["\n", "\r\n", "\r"]),
)  # fmt: skip
@effort(max_examples=50, deadline=None)
@example(rows=["3,"] * 40, block=20, end="\n")
def test_blocks_do_not_show(fresh: Callable[..., Path], rows: list[str], block: int, end: str) -> None:
    content = end.join(["x,y", "8,9", *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_file, "_BLOCK", block)
        parts = read_points(fresh(content), skip_bad=True)
    whole = read_points(fresh(content), skip_bad=True)
    np.testing.assert_array_equal(parts.points, whole.points)
    assert parts.note.partition(": ")[2] == whole.note.partition(": ")[2]


UNREAD = "\0"  # would be another error


@pytest.mark.parametrize(
    ("content", "skip_bad", "words"),
    [
        ("1,2\n" * 9 + ",\n" + "1,2\n" * 1999 + UNREAD, False, "at least 1 row cannot be used (line 10 "),
        (",\n" * 1999 + UNREAD, False, "no row so far can be used (lines 1, 2, "),
        (",\n" * 1999 + UNREAD, True, "no row so far can be used (lines 1, 2, "),
        ("1,2\n,\n" + "1.234567890,1.234567890\n" * 800 + UNREAD, False, "at least 1 row cannot be used"),
        ("1,2\n,\n" + "1,2\n" * 800, False, "1 row cannot be used"),
        ("1,2\n,\n" + "1,2\n" * 1999, True, ""),
    ],
    ids=["one bad row", "all bad", "all bad, skipped", "long rows", "not so huge", "one bad row, skipped"],
)
def test_a_huge_file_is_not_read_to_its_end_to_be_refused(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, content: str, skip_bad: bool, words: str
) -> None:
    monkeypatch.setattr(data_file, "_BLOCK", 40)
    monkeypatch.setattr(data_file, "_MOST_AFTER", 1000)
    name = write(content)
    if words:
        assert refused(name, BadRowsError, skip_bad).startswith(words)
    else:
        assert read_points(name, skip_bad=True).rows == content.count("2")


def test_an_unchanged_file_is_not_read_again(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    open_ = Path.open

    def watched(self: Path, *args: Any, **rest: Any) -> Any:
        opened.append(self)
        return open_(self, *args, **rest)

    name = write("1,2\n,\n")
    monkeypatch.setattr(Path, "open", watched)
    first = read_points(name, skip_bad=True)
    other_name = Path(name).resolve()
    again = read_points(other_name, skip_bad=True)
    assert len(opened) == 2  # once to find the bad row, once to leave it out
    assert again.points is first.points
    assert (first.note, again.note) == (
        "points.csv: 1 row was skipped (line 2)",
        f"{other_name}: 1 row was skipped (line 2)",
    )
    refused(name, BadRowsError)


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_changed_file_is_read_again(write: Callable[..., str], change: str) -> None:
    name = write("1,2\n")
    before = Path(name).stat()
    assert read_points(name).points.tolist() == [[1.0, 2.0]]
    write("3,4\n" if change == "time" else "3,4\n5,6\n")
    later = before.st_mtime_ns + (1 if change == "time" else 0)
    os.utime(name, ns=(before.st_atime_ns, later))
    assert read_points(name).points[0].tolist() == [3.0, 4.0]


def test_results_cannot_be_changed(write: Callable[..., str]) -> None:
    found = read_points(write("1,2\n3,4\n"))
    with pytest.raises(ValueError, match="read-only"):
        found.points[0, 0] = 5.0
    with pytest.raises(AttributeError):
        found.rows = 5  # type: ignore[misc]


def usable(found: DataFile) -> bool:
    size = np.abs(found.points)
    return found.points.shape == (len(size), 2) and len(size) > 0 and bool((size <= 1e100).all())


PIECES = [b"\xff", *(each.encode() for each in [*'12.-e,;\t \n\r"#%_x\0\x1c\x0c', "nan", "−", "\ufeff"])]
any_bytes = st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)
whole_npy = header(FULL % "(2, 2)") + bytes(32)
any_npy = st.builds(
    lambda at, junk, cut: whole_npy[:at] + junk + whole_npy[at + len(junk) :][:cut],
    st.integers(0, 90),
    st.binary(max_size=6),
    st.integers(0, 100),
)


@given(content=any_bytes | any_npy, suffix=st.sampled_from(SUFFIXES), skip_bad=st.booleans())
@effort(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_else(
    fresh: Callable[..., Path], content: bytes, suffix: str, skip_bad: bool
) -> None:
    path = fresh(content, suffix)
    try:
        found = read_points(path, skip_bad=skip_bad)
    except DataFileError as error:
        assert str(error).isprintable()
        assert str(error).startswith(f"{path}: ")
    else:
        assert usable(found)
        assert found.skipped == 0 or skip_bad
