"""What a figure's recipe says, and how it is carried by files; hostile ones are refused in one line."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from setting_values import everything

from aeviz.core.clean_data import clean_data
from aeviz.core.files import FileError
from aeviz.core.history import History
from aeviz.core.packing import PackError
from aeviz.core.recipe import Recipe, recipe_of
from aeviz.core.recipe_files import SUFFIXES, marked, png_with, recipe_in, svg_with, xmp
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings

BASE = Settings(epochs=500)
LIVE = Recipe(
    BASE.replace(noise=0.1, learning_rate=0.002), 300, BASE,
    ((0, BASE.replace(noise=0.4)), (120, BASE.replace(noise=0.1, learning_rate=0.002))),
)  # fmt: skip


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


PIXEL = b"\x89PNG\r\n\x1a\n" + b"".join((
    chunk(b"IHDR", bytes((0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0))),
    chunk(b"IDAT", zlib.compress(bytes(4))), chunk(b"IEND", b""),
))  # fmt: skip


def alike(one: Recipe, other: Recipe) -> bool:
    """Whether two recipes make the same figure."""
    same_changes = [(e, s.to_json()) for e, s in one.changes] == [(e, s.to_json()) for e, s in other.changes]
    same_points = (one.data is None) == (other.data is None) and (
        one.data is None or other.data is None or np.array_equal(one.data.points, other.data.points)
    )
    return same_changes and same_points and (one.settings, one.epoch, one.origin, one.version) == (
        other.settings, other.epoch, other.origin, other.version
    )  # fmt: skip


@given(everything(), st.integers(0, 1_000_000))
def test_any_settings_come_back(values: dict[str, Any], epoch: int) -> None:
    settings = Settings(**values)
    recipe = Recipe(settings, epoch, settings)
    text = recipe.text()
    assert text.isascii()
    assert recipe_of(text).settings == recipe.told_settings
    assert recipe_of(text).text() == text


def test_live_changes_come_back_in_a_few_words() -> None:
    text = LIVE.text()
    assert alike(recipe_of(text), LIVE)
    told = json.loads(text)
    assert told["began"] == {"noise": 0.25, "learning_rate": BASE.learning_rate}
    assert told["changes"] == [[0, {"noise": 0.4}], [120, {"noise": 0.1, "learning_rate": 0.002}]]


def test_a_recipe_of_an_epoch_before_has_the_changes_before() -> None:
    before = LIVE.up_to(120)
    assert (before.epoch, [epoch for epoch, _ in before.changes]) == (120, [0])
    assert before.settings.noise == 0.4
    assert LIVE.up_to(0).changes == ()
    assert LIVE.up_to(0).settings == BASE


def test_the_history_of_a_recipe_begins_at_its_origin_and_has_a_plan() -> None:
    branch = LIVE.history().current
    assert branch.origin == BASE
    assert (branch.plan.changes, branch.plan.until) == (LIVE.changes, 300)
    assert [epoch for epoch, _ in branch.plan.after(0).changes] == [120]


def test_the_points_of_a_file_travel_but_not_its_folder(tmp_path: Path) -> None:
    points = np.random.default_rng(1).normal(size=(50, 2))
    np.save(tmp_path / "mine.npy", points)
    settings = Settings(data=str(tmp_path / "mine.npy"), standardise=True)
    history = History()
    recipe = Recipe.of(history.begin(settings, clean_data(settings)), 0, settings)
    text = recipe.text()
    assert str(tmp_path) not in text
    (tmp_path / "mine.npy").unlink()
    again = recipe_of(text)
    assert again.settings.data == "mine.npy"
    made = again.history().current.data
    for name in ("points", "scale", "offset"):
        assert np.array_equal(getattr(made, name), getattr(history.current.data, name))


def test_of_too_many_points_the_file_is_needed(tmp_path: Path) -> None:
    np.save(tmp_path / "many.npy", np.random.default_rng(1).normal(size=(20_001, 2)))
    settings = Settings(data=str(tmp_path / "many.npy"))
    history = History()
    recipe = Recipe.of(history.begin(settings, clean_data(settings)), 0, settings)
    assert recipe.data is None
    with pytest.raises(SettingError, match=r"many\.npy"):
        recipe_of(recipe.text()).history()


def test_of_too_many_points_no_other_file_of_that_name_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    points = np.random.default_rng(1).normal(size=(20_001, 2))
    np.save("many.npy", points)
    settings = Settings(data="many.npy")
    recipe = recipe_of(Recipe.of(History().begin(settings, clean_data(settings)), 0, settings).text())
    assert np.array_equal(recipe.history().current.data.points, points)
    np.save("many.npy", points + 1e-9)
    with pytest.raises(SettingError, match=r"20,001 points of many\.npy"):
        recipe.history()


def test_what_became_of_the_rows_of_a_file_does_not_tell_its_folder(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("0,0\n1,nonsense\n1,1\n2,0\n")
    settings = Settings(data=str(tmp_path / "own.csv"), bad_rows="skip")
    data = clean_data(settings)
    assert str(tmp_path) in data.note
    recipe = recipe_of(Recipe.of(History().begin(settings, data), 0, settings).text())
    assert recipe.data is not None
    assert recipe.data.note == ""
    assert len(recipe.data.points) == 3


def carried(recipe: Recipe, suffix: str) -> bytes:
    """A small file of each kind with this recipe."""
    if suffix == ".png":
        return png_with(PIXEL, recipe)
    if suffix == ".svg":
        return svg_with(b'<?xml version="1.0"?>\n<svg width="1"><g/></svg>', recipe)
    if suffix == ".npz":
        buffer = io.BytesIO()
        np.savez(buffer, x=np.zeros(3), recipe=np.array(recipe.text()))
        return buffer.getvalue()
    return (
        b"something before" + (xmp(recipe, "t") if suffix == ".pdf" else marked(recipe).encode()) + b"after"
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("title", ["", "σ < 0.3 & “quoted” </aeviz:recipe> ‹é›", "]]>"], ids=repr)
def test_a_file_carries_its_recipe(suffix: str, title: str, tmp_path: Path) -> None:
    recipe = Recipe(BASE.replace(title=title), 7, BASE.replace(title=title))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(carried(recipe, suffix))
    assert alike(recipe_in(path), recipe)


def test_the_png_stays_a_png_with_a_chunk_of_text() -> None:
    content = png_with(PIXEL, LIVE)
    names, at = [], 8
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        chunk = content[at + 4 : at + 8 + size]
        assert zlib.crc32(chunk) == int.from_bytes(content[at + 8 + size : at + 12 + size], "big")
        names.append(chunk[:4])
        at += 12 + size
    assert names == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]


# What is refused

BROKEN: dict[str, Any] = {
    "a newer format": {"recipe": 2},
    "no format": {"recipe": None},
    "no version": {"aeviz": ["0.6"]},
    "an impossible epoch": {"epoch": -1},
    "an epoch that is a text": {"epoch": "7"},
    "an epoch beyond all": {"epoch": 10**9},
    "an unknown setting": {"settings": {"nonsense": 1}},
    "an impossible setting": {"settings": {"noise": 7.0}},
    "no settings": {"settings": []},
    "changes in another order": {"changes": [[5, {"noise": 0.1}], [3, {"noise": 0.2}]], "epoch": 9},
    "changes after the epoch": {"changes": [[50, {"noise": 0.1}]], "epoch": 9},
    "changes that are none": {"changes": [5]},
    "too many changes": {"changes": [[k, {}] for k in range(100_001)], "epoch": 200_000},
    "another run in the end": {"changes": [[1, {"points": 9}]], "epoch": 9},
    "points that are no text": {"points": 7},
    "points that are nonsense": {"points": "AAAA"},
    "panels of nothing": {"panels": {"noise": []}},
    "panels that are a list": {"panels": []},
    "panels that are a text": {"panels": {"noise": "3"}},
    "a checksum that is none": {"file": [3]},
    "a checksum that is a text": {"file": [3, "x"]},
    "panels of another setting": {"panels": {"seed": [1]}},
    "impossible panels": {"panels": {"noise": [9.0]}},
}


@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_recipe_is_refused_in_one_line(values: dict[str, Any], tmp_path: Path) -> None:
    told = json.loads(LIVE.up_to(0).text()) | values
    path = tmp_path / "a.svg"
    path.write_bytes(b"<svg><aeviz:recipe>" + json.dumps(told).encode() + b"</aeviz:recipe></svg>")
    with pytest.raises(FileError) as caught:
        recipe_in(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_bomb_of_points_is_not_unpacked() -> None:
    import base64

    bomb = base64.b64encode(zlib.compress(b"\0" * 50_000_000, 9)).decode()
    with pytest.raises(PackError, match="too many"):
        recipe_of(json.dumps(json.loads(LIVE.up_to(0).text()) | {"points": bomb}))


@pytest.mark.parametrize("shape", ["(99999999999,)", "(3,)", "(10**30,)"])
@pytest.mark.parametrize("dtype", ["<U4", "<U999999999", "|O", "<f8"])
def test_an_npz_that_promises_too_much_is_refused_before_there_is_room_for_it(
    shape: str, dtype: str, tmp_path: Path
) -> None:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("recipe.npy", b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + b"{}")
    with pytest.raises(FileError, match="broken"):
        recipe_in(tmp_path / "a.npz")


def npz(path: Path, content: bytes, **options: Any) -> Path:
    """An NPZ with these bytes in the place of a recipe."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("recipe.npy", content)
    return path


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_npz_that_unpacks_to_more_than_it_promises_takes_no_memory(packed: int, tmp_path: Path) -> None:
    size = 100_000_000
    path = npz(tmp_path / "a.npz", bytes(size), compression=packed)
    promise = size.to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(promise) == 2
    path.write_bytes(content.replace(promise, (1_000).to_bytes(4, "little")))
    tracemalloc.start()
    try:
        with pytest.raises(FileError):
            recipe_in(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_an_npz_of_a_hundred_thousand_arrays_is_refused_before_they_are_listed(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", b"")
    entry = path.read_bytes()
    at = entry.index(b"PK\1\2")
    local, one, end = entry[:at], entry[at : entry.index(b"PK\5\6")], entry[entry.index(b"PK\5\6") :]
    many = one * 100_000
    for directory in (many, one):
        sizes = end[:8] + (1).to_bytes(2, "little") * 2 + len(directory).to_bytes(4, "little") + end[16:]
        path.write_bytes(local + directory + b"PK\6\7" * (directory is one) + bytes(16) + sizes)
        tracemalloc.start()
        try:
            with pytest.raises(FileError, match="broken"):
                recipe_in(path)
            assert tracemalloc.get_traced_memory()[1] < 5e6
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "header", [b"{'descr': (", b"{'descr':\n  7\n 8}", b"(" * 9_000, b"-" * 9_000, b"\0", b"{" * 60]
)
def test_a_header_that_breaks_pythons_parser_is_refused(header: bytes, tmp_path: Path) -> None:
    content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header
    with pytest.raises(FileError, match="broken"):
        recipe_in(npz(tmp_path / "a.npz", content))


def test_many_changes_share_what_they_leave_as_it_is() -> None:
    told = json.loads(LIVE.up_to(0).text()) | {"epoch": 9_000}
    told["settings"] |= {"data": "drawn", "drawn": [0] * 4_000}
    told["changes"] = [[k, {"noise": 0.1 * (k % 2)}] for k in range(2_000)] + [[2_000, {"noise": 0.25}]]
    text = json.dumps(told)
    tracemalloc.start()
    try:
        assert len(recipe_of(text).changes) == 2_001
        assert tracemalloc.get_traced_memory()[1] < 20e6  # each with its own points, they take 250 MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg/>", b"PK\3\4 nonsense", b"<aeviz:recipe>{}", b"<aeviz:recipe>[</aeviz:recipe>"],
)
def test_a_file_without_a_recipe_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"cannot take a run out of .*a\.png") as caught:
        recipe_in(path)
    assert len(str(caught.value).splitlines()) == 1


@given(st.binary(max_size=300), st.integers(0, 1_500))
def test_damage_is_refused_or_harmless(junk: bytes, at: int) -> None:
    text = LIVE.text()
    damaged = (text[:at].encode() + junk + text[at + len(junk) :].encode()).decode("utf-8", "replace")
    try:
        found = recipe_of(damaged)
    except PackError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert {name: SPECS[name].checked(value) for name, value in found.settings.to_json().items()}


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.png", "nul\0.png"):
        with pytest.raises(FileError):
            recipe_in(path)
