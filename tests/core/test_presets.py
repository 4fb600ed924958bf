"""Presets: every one loads and keeps to its card; the lecture's numbers; names that are not there."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fields import exact_of, midline_of
from scipy.spatial import KDTree

from aeviz.core import presets
from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.presets import load_preset, preset, preset_names
from aeviz.core.resources import RESOURCES
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings

FILES = sorted((RESOURCES / "presets").glob("*.toml"))
LECTURE = ("lecture-2021", "lecture-2020")
# Characters that a card, and a label in the field, have room for.
TITLE, LESSON, LOOK = 28, 60, 40
every_preset = pytest.mark.parametrize("name", [path.stem for path in FILES])


def written(name: str) -> dict[str, Any]:
    """What the file says, before anything is made of it."""
    return tomllib.loads((RESOURCES / "presets" / f"{name}.toml").read_text(encoding="utf-8"))


def test_there_are_presets_in_the_order_of_their_story() -> None:
    names = preset_names()
    assert sorted(names) == [path.stem for path in FILES]
    assert [written(name)["order"] for name in names] == [*range(1, len(names) + 1)]
    assert names[0] == "what-it-learns"
    assert names[-2:] == LECTURE


@every_preset
def test_every_preset_loads(name: str) -> None:
    loaded = load_preset(name)
    assert loaded.name == name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert preset(name) == loaded.settings
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.title = "other"  # type: ignore[misc]


@every_preset
def test_the_words_fit_where_they_are_shown(name: str) -> None:
    loaded = load_preset(name)
    for words, most in ((loaded.title, TITLE), (loaded.lesson, LESSON), (loaded.look, LOOK)):
        assert words == words.strip()
        assert 0 < len(words) <= most
        assert words.isprintable()  # one line
    assert loaded.lesson.endswith(".")
    assert loaded.text == " ".join(loaded.text.split())
    assert loaded.text.endswith(".")
    assert 2 <= len(re.findall(r"[.?](?= |$)", loaded.text)) <= 5  # sentences


def test_no_two_presets_say_the_same() -> None:
    all_of_them = [load_preset(name) for name in preset_names()]
    for part in ("title", "lesson", "text", "settings"):
        assert len({str(getattr(each, part)) for each in all_of_them}) == len(all_of_them)


@every_preset
def test_what_there_is_to_look_at_is_in_the_first_view(name: str) -> None:
    loaded = load_preset(name)
    assert loaded.look_at is not None
    (x, y), (x0, x1, y0, y1) = loaded.look_at, Grid.home(loaded.settings, clean_data(loaded.settings)).edges
    assert x0 < x < x1
    assert y0 < y < y1


@every_preset
def test_what_to_try_next_is_a_setting_that_does_something_there(name: str) -> None:
    loaded = load_preset(name)
    settings, spec = loaded.settings, SPECS[loaded.try_next]
    needs = {
        "strength": settings.regulariser != "none",
        "threshold": settings.midline or "ambiguity" in settings.layers,
        "test_noise": settings.shows_samples or settings.error_curve,
        "target": settings.noise > 0.0,
        "noise_draw": settings.noise > 0.0,
        "turns": settings.data in ("spiral", "two-spirals"),
        "points": settings.data != "drawn",
    }
    assert needs.get(spec.name, True)


@every_preset
def test_a_preset_differs_from_the_defaults_by_what_it_says_and_says_no_more(name: str) -> None:
    said = {
        each: tuple(value) if isinstance(value, list) else value
        for each, value in written(name)["settings"].items()
    }
    differs = Settings().changed(preset(name))
    if name in LECTURE:  # which says what it is, whatever the defaults come to be
        assert differs.items() <= said.items()
        assert said == {each: getattr(preset(name), each) for each in said}
    else:
        assert differs == said
        assert "theme" not in said  # it is the reader's


@every_preset
def test_a_preset_has_data_of_its_own(name: str) -> None:
    data = clean_data(preset(name))  # of a file there would be none on another machine
    assert np.isfinite(data.points).all()
    assert 2 <= len(data.points) <= 2_000  # it is shown at once


def test_lecture_2021_is_figure_5() -> None:
    """The numbers measured from the lecture's picture (section 3 of the design)."""
    settings = preset("lecture-2021")
    assert (settings.points, settings.turns, settings.jitter) == (151, 1.5, 0.0)
    assert settings.noise == 0.25
    grid = Grid.home(settings, clean_data(settings))
    assert grid.shape == (34, 40)
    assert grid.extent == (-2.2, 1.7, -1.4, 1.9)
    assert max(abs(size - 0.1) for size in grid.cell) < 1e-15
    assert (settings.layer, settings.colour_map) == ("magnitude", "viridis")
    assert (settings.colour_range, settings.colour_max) == ("fixed", 1.0)
    assert (settings.arrows, settings.arrow_length, settings.theme) == ("grid", "true", "lecture")
    assert settings.show_data
    assert not settings.show_noisy
    assert not settings.show_reconstruction
    assert not settings.midline


def test_lecture_2020_asks_for_the_nearest_point_and_is_the_same_else() -> None:
    assert preset("lecture-2021").changed(preset("lecture-2020")) == {
        "target": "nearest", "hidden": (64, 64), "epochs": 5_000,  # more, to come near the cliff
    }  # fmt: skip


def test_the_middle_is_dark_in_lecture_2021_and_a_bright_cliff_in_2020() -> None:
    """Of what the networks are trying to be."""
    dark, bright = (exact_of(preset(f"lecture-{year}")) for year in (2021, 2020))
    line = midline_of(preset("lecture-2021"))
    distance, nearest = KDTree(line.places).query(dark.grid.points)
    middle = (distance < 0.1) & (line.half_gap[nearest] < 0.55)  # a cell; and between arms, not beyond
    assert middle.sum() > 30
    mean_of_both, one_arm = (
        np.hypot(*field.displacement.reshape(-1, 2)[middle].T) for field in (dark, bright)
    )
    # One of two arms 0.49 away, from at most a cell beside the middle; and of their mean, half that
    # at most: the outer arm, with fewer points, has less of a say.
    assert one_arm.min() > 0.38
    assert np.median(mean_of_both) < 0.5 * np.median(one_arm)


@pytest.mark.parametrize(
    ("slip", "right"),
    [("lecture-2012", "lecture-2021"), ("Lecture-2021", "lecture-2021"), ("lecture", "lecture-20")],
)
def test_an_unknown_preset_is_told_the_nearest(slip: str, right: str) -> None:
    with pytest.raises(SettingError) as caught:
        preset(slip)
    text = str(caught.value)
    assert f"(did you mean {right}" in text
    assert repr(slip) in text
    assert all(name in text for name in preset_names())
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("name", ["../presets/lecture-2021", "", "lecture-2021.toml", "/etc/passwd"])
def test_a_preset_is_a_name_and_not_a_path(name: str) -> None:
    with pytest.raises(SettingError, match=r"^there is no preset"):
        load_preset(name)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of presets that is read instead of the program's."""
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    caches = preset_names, load_preset
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    for cache in caches:
        cache.cache_clear()


def write(folder: Path, name: str, order: int, settings: str, more: str = "") -> None:
    words = f'title = "A"\norder = {order}\nlesson = "C."\ntext = """\nB\\\n  b.\n"""\n{more}\n'
    (folder / f"{name}.toml").write_text(f"{words}[settings]\n{settings}\n", encoding="utf-8")


def test_a_preset_leaves_the_rest_at_its_defaults_and_may_not_misspell(own_folder: Path) -> None:
    write(own_folder, "wild", 1, "noise = 5.0")
    write(own_folder, "good", 2, "noise = 0.5\nhidden = [8]")
    write(own_folder, "typo", 4, "nois = 0.5")
    write(own_folder, "lost", 3, "", more='try = "nois"')
    (own_folder / "good.png").write_bytes(b"a picture beside it")
    assert preset_names() == ("wild", "good", "lost", "typo")  # as they are numbered
    assert preset("good") == Settings(noise=0.5, hidden=(8,))
    for name in ("typo", "lost"):
        with pytest.raises(SettingError, match=r"did you mean noise\?"):
            preset(name)
    with pytest.raises(SettingError, match="--noise cannot be '5'"):
        preset("wild")


def test_what_to_look_at_and_to_try_may_be_left_out(own_folder: Path) -> None:
    write(own_folder, "bare", 1, "")
    write(own_folder, "full", 2, "", more='try = "noise"\nlook = { at = [0.5, -1.0], text = "D" }')
    bare, full = load_preset("bare"), load_preset("full")
    assert (bare.look_at, bare.look, bare.try_next) == (None, "", "")
    assert (full.look_at, full.look, full.try_next) == ((0.5, -1.0), "D", "noise")
    assert (bare.title, bare.lesson, bare.text, bare.settings) == ("A", "C.", "Bb.", Settings())
