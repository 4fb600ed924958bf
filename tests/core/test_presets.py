"""Presets: every one loads; the lecture's numbers; names that are not there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from fields import exact_of
from scipy.spatial import KDTree

from aeviz.core import presets
from aeviz.core.field import Grid
from aeviz.core.manifolds import curve
from aeviz.core.midline import Midline
from aeviz.core.presets import load_preset, preset, preset_names
from aeviz.core.resources import RESOURCES
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings


def test_there_are_presets() -> None:
    assert "lecture-2021" in preset_names()
    assert list(preset_names()) == sorted(path.stem for path in (RESOURCES / "presets").iterdir())


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads(name: str) -> None:
    loaded = load_preset(name)
    assert loaded.name == name
    for words in (loaded.title, loaded.text):
        assert words.strip()
    assert len(loaded.title.splitlines()) == 1
    assert loaded.text.strip().endswith(".")
    assert preset(name) == loaded.settings
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.title = "other"  # type: ignore[misc]


def test_lecture_2021_is_figure_5() -> None:
    """The numbers measured from the lecture's picture (section 3 of the design)."""
    settings = preset("lecture-2021")
    assert (settings.points, settings.turns, settings.jitter) == (151, 1.5, 0.0)
    assert settings.noise == 0.25
    grid = Grid.home(settings)
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
    line = Midline.of(curve(preset("lecture-2021")))
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


def test_a_preset_leaves_the_rest_at_its_defaults_and_may_not_misspell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    words = 'title = "A"\ntext = "B."\n[settings]\n'
    (folder / "good.toml").write_text(words + "noise = 0.5\nhidden = [8]\n", encoding="utf-8")
    (folder / "typo.toml").write_text(words + "nois = 0.5\n", encoding="utf-8")
    (folder / "wild.toml").write_text(words + "noise = 5.0\n", encoding="utf-8")
    monkeypatch.setattr(presets, "RESOURCES", tmp_path)
    assert preset_names() == ("good", "typo", "wild")
    assert preset("good") == Settings(noise=0.5, hidden=(8,))
    with pytest.raises(SettingError, match=r"did you mean noise\?"):
        preset("typo")
    with pytest.raises(SettingError, match="--noise cannot be '5'"):
        preset("wild")
