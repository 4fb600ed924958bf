"""`aeviz render` makes every figure again from its file, and several panels, pages and tables at once."""

from __future__ import annotations

import json
import shlex
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtGui import QImage

import aeviz
from aeviz.cli import main
from aeviz.core.clean_data import clean_data
from aeviz.core.history import History
from aeviz.core.pages import PAGES
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import recipe_in
from aeviz.core.recipe_words import command_of, python_of
from aeviz.core.settings import Settings

pytestmark = pytest.mark.usefixtures("in_kept_processes")

SMALL = ["--points", "30", "--hidden", "6", "--code", "5", "--grid", "12x10", "--epochs", "40"]
CHANGES = ["--change", "10:noise=0.4,learning-rate=0.01", "--change", "25:noise=0.1"]


@pytest.fixture
def said(capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Run a command that is refused or fails, and return the one line that it says."""

    def said(*words: str, code: int = 2) -> str:
        assert main(list(words)) == code
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        return err

    return said


# Recipes


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".npz"])
@pytest.mark.parametrize("extra", [[], CHANGES], ids=["plain", "changed on the way"])
def test_from_a_figure_comes_the_very_same_npz(suffix: str, extra: list[str], tmp_path: Path) -> None:
    figure, first, again = tmp_path / f"a{suffix}", tmp_path / "first.npz", tmp_path / "again.npz"
    assert main(["render", str(figure), str(first), *SMALL, *extra]) == 0
    assert main(["render", str(again), "--from", str(figure)]) == 0
    assert again.read_bytes() == first.read_bytes()


def test_the_figure_of_a_figure_is_the_same_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert main(["render", str(one), *SMALL, *CHANGES, "--theme", "light", "--title", "Again & <again>"]) == 0
    assert main(["render", str(two), "--from", str(one)]) == 0
    assert two.read_bytes() == one.read_bytes()


def test_an_epoch_before_is_that_of_a_shorter_run(tmp_path: Path) -> None:
    figure, before, short = tmp_path / "a.svg", tmp_path / "before.npz", tmp_path / "short.npz"
    assert main(["render", str(figure), *SMALL, *CHANGES]) == 0
    assert main(["render", str(before), "--from", str(figure), "--epoch", "20"]) == 0
    assert main(["render", str(short), *SMALL, "--epochs", "20", *CHANGES[:2]]) == 0
    with np.load(before) as one, np.load(short) as other:
        for name in ("displacement", "ambiguity", "loss", "exact_displacement", "epoch"):
            assert np.array_equal(one[name], other[name]), name


def test_the_recipe_says_what_changed_when(tmp_path: Path) -> None:
    assert main(["render", str(tmp_path / "a.pdf"), *SMALL, *CHANGES]) == 0
    recipe = recipe_in(tmp_path / "a.pdf")
    assert [(epoch, settings.noise) for epoch, settings in recipe.changes] == [(10, 0.4), (25, 0.1)]
    assert (recipe.origin.noise, recipe.settings.noise, recipe.epoch) == (0.25, 0.1, 40)


def test_points_of_a_file_that_is_gone_are_in_the_figure(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "own.csv", np.random.default_rng(5).normal(size=(30, 2)), delimiter=",")
    own = ["--data", str(tmp_path / "own.csv"), "--hidden", "6", "--code", "5", "--epochs", "20"]
    first, again = tmp_path / "first.npz", tmp_path / "again.npz"
    assert main(["render", str(tmp_path / "a.svg"), str(first), *own]) == 0
    (tmp_path / "own.csv").unlink()
    assert main(["render", str(again), "--from", str(tmp_path / "a.svg")]) == 0
    assert again.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(
    "extra", [[], CHANGES, ["--no-midline", "--extent=-1,1,-2,2", "--data", "moons"]], ids=str
)
def test_the_command_and_the_script_make_the_same_field(extra: list[str], tmp_path: Path) -> None:
    figure, first = tmp_path / "a.png", tmp_path / "first.npz"
    assert main(["render", str(figure), str(first), *SMALL, *extra]) == 0
    recipe = recipe_in(figure)
    words = shlex.split(command_of(recipe, str(tmp_path / "command.npz")))
    assert words[0] == "aeviz"
    assert main(words[1:]) == 0
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(python_of(recipe, str(tmp_path / "python.npz")), scope)
    for name in ("command.npz", "python.npz"):
        assert (tmp_path / name).read_bytes() == first.read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".npz"])
def test_a_figures_run_goes_on_to_the_epochs_that_are_asked_for(suffix: str, tmp_path: Path) -> None:
    figure, first, again = tmp_path / f"a{suffix}", tmp_path / "first.npz", tmp_path / "again.npz"
    assert main(["render", str(figure), *SMALL, *CHANGES]) == 0
    assert main(["render", str(again), "--from", str(figure), "--epochs", "55"]) == 0
    assert main(["render", str(first), *SMALL[:-1], "55", *CHANGES]) == 0
    with np.load(again) as one, np.load(first) as other:
        for name in ("displacement", "ambiguity", "loss", "epoch"):
            assert np.array_equal(one[name], other[name]), name
    with aeviz.load(figure, epochs=50) as run:
        run.train()
        assert len(run.loss) == 50


def test_the_command_and_the_script_of_an_untrained_network(tmp_path: Path) -> None:
    figure = tmp_path / "a.png"
    assert main(["render", str(figure), *SMALL, "--title", "Before"]) == 0
    recipe = recipe_in(figure).up_to(0)
    assert main(shlex.split(command_of(recipe, str(tmp_path / "command.npz")))[1:]) == 0
    exec(python_of(recipe, str(tmp_path / "python.npz")), {"__name__": "__main__"})
    with np.load(tmp_path / "command.npz") as one, np.load(tmp_path / "python.npz") as other:
        assert (one["epoch"], other["epoch"]) == (0, 0)
        assert np.array_equal(one["displacement"], other["displacement"])


def test_the_words_of_a_file_of_points_do_not_tell_its_folder(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "own.csv", np.random.default_rng(5).normal(size=(30, 2)), delimiter=",")
    settings = Settings(data=str(tmp_path / "own.csv"))
    branch = History().begin(settings, clean_data(settings))
    recipe = Recipe.of(branch, 0, settings)
    for words in (command_of(recipe), python_of(recipe)):
        assert "own.csv" in words
        assert str(tmp_path) not in words


# Several panels


def test_epochs_and_noises_make_a_grid_with_one_scale(tmp_path: Path) -> None:
    words = ["--noise", "0.1,0.4", "--epochs", "0,5,40", "--colour-range", "automatic"]
    assert main(["render", str(tmp_path / "a.svg"), str(tmp_path / "a.png"), *SMALL[:-2], *words]) == 0
    text = "".join(ET.fromstring((tmp_path / "a.svg").read_bytes()).itertext()).replace("\u200a", "")
    text = " ".join(text.split())  # Qt writes each script's letters apart
    for caption in ("σ = 0.1 · epoch 0", "σ = 0.1 · epoch 40", "σ = 0.4 · epoch 5", "σ = 0.4 · epoch 40"):
        assert text.count(caption) == 1
    assert text.count("data y") == 1, "one legend"
    image = QImage(str(tmp_path / "a.png"))
    assert image.width() > image.height()
    panels = recipe_in(tmp_path / "a.png").panels
    assert panels == {"noise": (0.1, 0.4), "epochs": (0, 5, 40)}


def test_each_panel_is_the_field_of_its_own_run(tmp_path: Path) -> None:
    settings = Settings(points=30, hidden=(6,), code=5, grid=(12, 10))
    panels = aeviz.train_panels(settings, noise=(0.1, 0.4), epochs=(0, 5, 40))
    assert [(panel.noise, panel.epoch) for panel in panels.panels] == [
        (noise, epoch) for noise in (0.1, 0.4) for epoch in (0, 5, 40)
    ]
    with aeviz.train(settings.replace(noise=0.4), epochs=5) as run:
        assert np.array_equal(run.field().displacement, panels.panels[4].exported.field.displacement)


def test_a_grid_is_made_again_from_its_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert main(["render", str(one), *SMALL[:-2], "--epochs", "5,40", "--page", "column"]) == 0
    assert main(["render", str(two), "--from", str(one)]) == 0
    assert two.read_bytes() == one.read_bytes()


@pytest.mark.parametrize(
    "panels",
    [["--epochs", "5,40,20"], ["--noise", "0.1,0.4", "--epochs", "40,5"], ["--noise", "0.1,0.4"]],
    ids=str,
)
@pytest.mark.parametrize("own", [False, True], ids=["spiral", "points of a file"])
def test_a_grid_with_changes_is_made_again_from_its_file(
    panels: list[str], own: bool, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    small = SMALL[:-2] if "--epochs" in panels else SMALL
    if own:
        np.savetxt(tmp_path / "own.csv", np.random.default_rng(5).normal(size=(30, 2)), delimiter=",")
        small = [*small, "--data", str(tmp_path / "own.csv")]
    assert main(["render", str(one), *small, *panels, "--change", "10:learning-rate=0.01"]) == 0
    (tmp_path / "own.csv").unlink(missing_ok=True)
    assert main(["render", str(two), "--from", str(one)]) == 0
    assert two.read_bytes() == one.read_bytes()


@pytest.mark.parametrize("file", ["a.png", "a.aeviz", "panels.png"])
def test_several_epochs_of_a_run_that_is_there(file: str, tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert main(["render", str(tmp_path / "a.png"), str(tmp_path / "a.aeviz"), *SMALL]) == 0
    assert main(["render", str(tmp_path / "panels.png"), *SMALL[:-2], "--epochs", "1,2"]) == 0
    words = ["--epochs", "5,45", "--page", "column"]
    assert main(["render", str(one), *SMALL[:-2], *words]) == 0
    assert main(["render", str(two), "--from", str(tmp_path / file), *words]) == 0
    assert QImage(str(one)) == QImage(str(two))


def test_of_a_grid_of_noises_another_epoch(tmp_path: Path) -> None:
    one, two, three = (tmp_path / f"{name}.png" for name in ("one", "two", "three"))
    assert main(["render", str(one), *SMALL, "--noise", "0.1,0.4"]) == 0
    assert main(["render", str(two), *SMALL[:-1], "30", "--noise", "0.1,0.4"]) == 0
    assert main(["render", str(three), "--from", str(one), "--epochs", "30"]) == 0
    assert three.read_bytes() == two.read_bytes()


def test_many_panels_are_about_a_square(tmp_path: Path) -> None:
    panels = aeviz.train_panels(Settings(points=20, hidden=(4,), code=4), epochs=range(0, 11))
    assert panels.columns == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a.npz", "--epochs", "5,40"], "several panels go into"),
        (["a.png", "--epochs", "5,x"], "--epochs cannot be 'x'"),
        (["a.png", "--noise", "0.1,2"], "--noise cannot be '2'"),
        (["a.png", "--noise", "0.1,0.2", "--json"], "--json prints the numbers of one run"),
        (["a.png", "--epochs", ",".join(map(str, range(1, 66)))], "up to 64 panels"),
        (["a.png", "--epochs", "5,6", "--compare", "split"], "leave it out"),
        (["a.png", "--epochs", "5,6", "--size", "1x1"], "no room for 2 panels"),
        (["a.png", "--size", "1x1"], "no room for the field"),
        (["a.png", "--size", "3000x3000", "--size-unit", "in"], "take a smaller one"),
        (["a.png", "--size", "3"], "two numbers, width and height"),
        (["a.png", "--page", "slides"], "did you mean slide"),
        (["a.png", "--change", "5"], "write the epoch, a colon and settings"),
        (["a.png", "--change", "5:points=7"], "--points cannot change while a run trains"),
        (["a.png", "--change", "50:noise=0.1"], "a change after epoch 50"),
        (["a.png", "--change", "5:nois=0.1"], "did you mean noise"),
        (["a.png", "--set", "noise"], "write name=value"),
        (["a.png", "--set", "seeds=3"], "did you mean seed"),
        (["a.png", "--settings", "none.toml"], "cannot read none.toml"),
        (["a.png", "--settings", "a.yaml"], ".toml or .json"),
        (["a.png", "--from", "none.png"], "cannot take a run out of none.png"),
        (["a.png", "--from", "x.png", "--change", "5:noise=0.1"], "--change and --from"),
        (["a.png", "--from", "x.png", "--noise", "0.1,0.2"], "--noise belongs to the run in x.png"),
        (["a.png", "--change", "²:noise=0.3"], "write the epoch, a colon and settings"),
        (
            ["a.png", "--noise", "0.1,0.2", "--change", "5:noise=0.3"],
            "the noise is what the panels differ in",
        ),
        (["a.png", "--epochs", "5,6", "--resolution", "1200", "--font-size", "48"], "take a smaller one"),
        (["a.png", "--epochs", "0", "--json"], "--json prints the numbers of a run that was trained"),
    ],
    ids=lambda words: " ".join(words)[:40] if isinstance(words, list) else "",
)
def test_what_cannot_be_is_told_in_one_line(
    words: list[str], says: str, said: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, rest = words[:1], words[1:]
    small = SMALL[:-2] if "--epochs" in rest else SMALL
    assert says in said("render", *first, *([] if "--from" in rest else small), *rest)
    assert [*tmp_path.iterdir()] == []


# Settings from elsewhere


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_size(name: str, tmp_path: Path) -> None:
    assert main(["render", str(tmp_path / "a.png"), *SMALL, "--page", name, "--resolution", "96"]) == 0
    image, settings = QImage(str(tmp_path / "a.png")), Settings().replace(**PAGES[name].settings)
    width, height = settings.replace(resolution=96.0).figure_pixels
    assert (image.width(), image.height()) == (round(width), round(height))


def test_settings_come_from_files_options_and_set_in_this_order(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('noise = 0.3\nhidden = "7,5"\nlearning-rate = 0.01\n')
    (tmp_path / "b.json").write_text(json.dumps({"settings": {"noise": 0.3, "code": 4, "midline": False}}))
    for file in ("a.toml", "b.json"):
        words = ["--settings", str(tmp_path / file), "--epochs", "3", "--code", "6", "--set", "code=9"]
        assert main(["render", str(tmp_path / "a.npz"), *words]) == 0
        settings = recipe_in(tmp_path / "a.npz").settings
        assert (settings.noise, settings.code, settings.epochs) == (0.3, 9, 3)
        assert (settings.hidden, settings.midline) == (((7, 5), True) if file == "a.toml" else ((64,), False))


@pytest.mark.parametrize("content", ["noise = ", '{"noise": 1', "[1, 2]", '{"noise": "x"}', '{"noize": 1}'])
@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_broken_file_of_settings_is_told(
    content: str, suffix: str, tmp_path: Path, said: Callable[..., str]
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text(content)
    assert str(path) in said("render", str(tmp_path / "a.png"), "--settings", str(path))


# Everything that can be written


def table(path: Path) -> np.ndarray:
    """A CSV file's columns by name."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return np.genfromtxt(lines, delimiter=",", names=True)


def test_one_run_gives_all_its_files(tmp_path: Path) -> None:
    names = ["a.png", "a.svg", "a.pdf", "a.npz", "a.csv", "a.losses.csv", "a.points.csv", "a.safetensors",
             "a.onnx", "a.aeviz"]  # fmt: skip
    assert main(["render", *(str(tmp_path / name) for name in names), *SMALL]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {*names}
    field, losses = table(tmp_path / "a.csv"), table(tmp_path / "a.losses.csv")
    with np.load(tmp_path / "a.npz") as whole:
        assert np.array_equal(field["magnitude"].reshape(10, 12), whole["magnitude"])
        assert np.array_equal(field["exact_ambiguity"].reshape(10, 12), whole["exact_ambiguity"])
        assert np.array_equal(losses["loss"], whole["loss"])


def test_the_network_of_a_past_epoch_is_that_of_a_shorter_run(tmp_path: Path) -> None:
    settings = Settings(points=30, hidden=(6,), code=5, grid=(12, 10), epochs=60)
    with aeviz.train(settings) as run:
        past = run.exported(23)
    with aeviz.train(settings, epochs=23) as run:
        short = run.exported()
    assert np.array_equal(past.weights, short.weights)
    assert past.losses_csv().splitlines()[-1] == short.losses_csv().splitlines()[-1]


def test_a_run_shows_itself_in_a_notebook() -> None:
    with aeviz.train(Settings(points=30, hidden=(6,), code=5, grid=(12, 10), epochs=5)) as run:
        content = run._repr_png_()
    assert content.startswith(b"\x89PNG")
    assert QImage.fromData(content).width() == 1_800


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_shell_is_told_what_there_is(shell: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("render", "sweep", "presets", "noise-kind", "gaussian", "lecture-2021"):
        assert word in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_a_recipe_of_nothing_unusual_is_a_short_command() -> None:
    settings = Settings()
    assert command_of(Recipe(settings, 2_000, settings)) == "aeviz render field.png --epochs 2000"
    compile(python_of(Recipe(settings, 2_000, settings)), "script", "exec")
