"""CSV files: their numbers to the last bit, what they tell, and that no text in them can do harm."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from fields import drawn, exact_of, field_of
from hypothesis import example, given
from hypothesis import strategies as st

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Field
from aeviz.core.settings import SPECS, Settings
from aeviz.core.tables import field_csv, losses_csv, points_csv

SMALL = Settings(points=23, grid=(7, 5))
ODD = [-0.5, -0.0, 0.1 + 0.2, 5e-324, -1.7976931348623157e308, np.nan, np.inf, 1 / 3, 1e22, 123456789.0]


def notes_of(content: bytes) -> dict[str, str]:
    """What the comments say, by name, after the first of them."""
    lines = [line for line in content.decode("ascii").split("\n") if line.startswith("#")]
    return dict(line.removeprefix("# ").split(": ", 1) for line in lines[1:])


def columns_of(content: bytes) -> dict[str, np.ndarray]:
    """The columns by name, as the csv module and Python's float read them."""
    lines = content.decode("ascii").split("\n")
    assert lines.pop() == ""  # the last line is ended too
    names, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    return {name: np.array([float(row[k]) for row in rows]) for k, name in enumerate(names)}


def assert_same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(np.signbit(found), np.signbit(expected))


def noticeable(settings: Settings, **parts: object) -> Field:
    """A field whose every number is another one."""
    rng, field = np.random.default_rng(0), field_of(settings, epoch=17)
    return dataclasses.replace(
        field,
        displacement=rng.normal(size=field.displacement.shape),
        ambiguity=rng.normal(size=field.ambiguity.shape),
        reconstruction=rng.normal(size=field.noisy.shape),
        **parts,
    )


def test_a_row_of_the_field_is_a_cell() -> None:
    exact = exact_of(SMALL)
    field = noticeable(SMALL, exact=exact)
    found = columns_of(field_csv(field, SMALL, clean_data(SMALL), "1"))
    assert exact.ambiguity is not None
    by_hand = {
        "x": np.tile(field.grid.x, 5), "y": np.repeat(field.grid.y, 7),
        "dx": field.displacement[..., 0], "dy": field.displacement[..., 1],
        "magnitude": np.hypot(field.displacement[..., 0], field.displacement[..., 1]),
        "ambiguity": field.ambiguity,
        "exact_dx": exact.displacement[..., 0], "exact_dy": exact.displacement[..., 1],
        "exact_ambiguity": exact.ambiguity,
    }  # fmt: skip
    assert [*found] == [*by_hand]
    for name, column in by_hand.items():
        assert_same_bits(found[name], column.reshape(-1))


def test_what_is_not_known_has_no_column() -> None:
    cliffs = SMALL.replace(noise_kind="uniform")
    with_cliffs = noticeable(cliffs, exact=exact_of(cliffs))
    plain = ["x", "y", "dx", "dy", "magnitude", "ambiguity"]
    found = columns_of(field_csv(with_cliffs, cliffs, clean_data(cliffs), "1"))
    assert [*found] == [*plain, "exact_dx", "exact_dy"]
    assert [*columns_of(field_csv(noticeable(SMALL), SMALL, clean_data(SMALL), "1"))] == plain


def test_every_number_is_read_back_to_the_last_bit_by_every_reader() -> None:
    settings = Settings(grid=(5, 2))
    rows = np.array(ODD).reshape(2, 5)
    field = field_of(settings, ambiguity=rows, displacement=np.stack((-rows[::-1], rows), axis=-1))
    with np.errstate(over="ignore"):
        content = field_csv(field, settings, clean_data(settings), "1")
    ours = columns_of(content)
    assert_same_bits(ours["ambiguity"], np.array(ODD))
    lines = [line for line in content.decode("ascii").split("\n") if not line.startswith("#")]
    assert lines[1].endswith(",nan,-0.5,nan,-0.5")  # dx, dy, magnitude, ambiguity of the first cell
    numpys = np.genfromtxt(lines, delimiter=",", names=True)
    assert numpys.dtype.names == tuple(ours)
    for name, column in ours.items():
        assert_same_bits(numpys[name], column)


def test_pandas_reads_it_past_the_comments() -> None:
    pandas = pytest.importorskip("pandas")
    settings = drawn(3.0, 100.0, 5.0, 250.0, standardise=True)
    field = noticeable(settings, exact=exact_of(settings))
    content = field_csv(field, settings, clean_data(settings), "1")
    found = pandas.read_csv(io.BytesIO(content), comment="#")
    ours = columns_of(content)
    assert [*found.columns] == [*ours]
    for name, column in ours.items():
        assert_same_bits(found[name].to_numpy(), column)


# What the comments tell


def test_the_comments_tell_version_epoch_units_and_all_settings_that_are_not_the_default() -> None:
    settings = SMALL.replace(
        noise=0.3, extent=(-2.0, 2.5, -1.0, 1.0), hidden=(7, 5), tied=True, activation="silu", midline=False
    )
    content = field_csv(noticeable(settings), settings, clean_data(settings), "1.2.3")
    assert content.startswith(b"# aeviz 1.2.3: field\n# ")
    notes = notes_of(content)
    assert (notes.pop("epoch"), notes.pop("units")) == ("17", "data units")
    assert Settings().replace(**{name: SPECS[name].parsed(text) for name, text in notes.items()}) == settings


def test_a_file_of_points_is_told_by_its_name_alone(tmp_path: Path) -> None:
    path = tmp_path / "the, points=ü.csv"
    path.write_text("3,100\n5,250\n4,400\n")
    settings = Settings(data=str(path), grid=(3, 2))
    told = notes_of(field_csv(field_of(settings), settings, clean_data(settings), "1"))["data"]
    assert json.loads(told) == path.name
    assert told.isascii()


@pytest.mark.parametrize("change", [{"standardise": True}, {"cost": "bce"}], ids=str)
def test_the_comments_tell_the_users_own_units(change: dict[str, object]) -> None:
    settings = drawn(3.0, 100.0, 5.0, 250.0, 4.0, 400.0, grid=(3, 2), **change)
    data = clean_data(settings)
    content = points_csv(noticeable(settings), settings, data, "1")
    notes, found = notes_of(content), columns_of(content)
    assert notes["units"].startswith("data units: your own units are offset + scale * value")
    offset, scale = (np.array(notes[name].split(","), float) for name in ("offset", "scale"))
    own = offset + scale * np.stack((found["x"], found["y"]), axis=1)
    assert np.abs(own - np.reshape(settings.drawn, (3, 2))).max() < 1e-12  # some eps of 400


def test_the_comments_of_a_loss_curve_tell_its_unit() -> None:
    losses = np.array([[2.0, 0.5], [0.1 + 0.2, -0.0], [np.inf, 5e-324]])
    content = losses_csv(losses, SMALL, "1")
    assert notes_of(content)["units"] == "data units squared"
    assert notes_of(losses_csv(losses, Settings(cost="bce"), "1"))["units"] == "nats"
    found = columns_of(content)
    assert [*found] == ["epoch", "loss", "regulariser"]
    assert found["epoch"].tolist() == [1.0, 2.0, 3.0]
    assert b"\n2,0.30000000000000004,-0.0\n" in content
    assert_same_bits(found["loss"], losses[:, 0])
    assert_same_bits(found["regulariser"], losses[:, 1])
    assert columns_of(losses_csv(np.empty((0, 2)), SMALL, "1"))["loss"].shape == (0,)


# Points


def test_a_row_of_the_points_is_a_clean_one_with_what_became_of_it() -> None:
    field, data = noticeable(SMALL), clean_data(SMALL)
    exact = np.random.default_rng(1).normal(size=(23, 2))
    by_hand = {
        "x": field.data[:, 0], "y": field.data[:, 1],
        "noisy_x": field.noisy[:, 0], "noisy_y": field.noisy[:, 1],
        "reconstruction_x": field.reconstruction[:, 0], "reconstruction_y": field.reconstruction[:, 1],
    }  # fmt: skip
    assert [*columns_of(points_csv(field, SMALL, data, "1"))] == [*by_hand]
    found = columns_of(points_csv(field, SMALL, data, "1", exact))
    by_hand |= {"exact_x": exact[:, 0], "exact_y": exact[:, 1]}
    assert [*found] == [*by_hand]
    for name, column in by_hand.items():
        assert_same_bits(found[name], column)


def test_noisy_points_of_some_clean_ones_only_are_no_rows() -> None:
    field = noticeable(SMALL)
    few = dataclasses.replace(field, noisy=field.noisy[::2], reconstruction=field.reconstruction[::2])
    with pytest.raises(ValueError, match="one noisy point for each clean one"):
        points_csv(few, SMALL, clean_data(SMALL), "1")


# Text that a spreadsheet could take for a formula


def cells_of(content: bytes) -> list[str]:
    """All that a spreadsheet could take for a cell, whatever parts cells for it, quoted or not."""
    text = content.decode("ascii")
    found = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    return found + re.split(r"[\n\r,;|\t ]", text)


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@given(st.text(st.characters(exclude_characters="/") | st.sampled_from("=+-@,;|\t\r\n\"'# "), max_size=20))
@example("=cmd")
@example("a,=1+1")
@example('a",=1+1,"')
@example("a;@SUM(1)")
@example("a\n=1\n-2")
@example("a\t+1")
@example("a |-1")
@example("a =1")
@example("a\\,=1")
@example("ü\udce4\U0001f600")
def test_no_text_begins_a_cell_as_a_formula_does(name: str) -> None:
    settings = Settings(data=name + ".csv", noise=0.3)
    content = losses_csv(np.array([[-0.5, 2.0]]), settings, "1")
    for cell in cells_of(content):
        assert not cell.lstrip(" \"'").startswith(("=", "+", "-", "@", "\t", "\r")) or is_number(cell)
    assert json.loads(notes_of(content)["data"]) == name + ".csv"
    assert columns_of(content)["loss"].tolist() == [-0.5]
    assert "\n1,-0.5,2.0\n" in content.decode()
