"""What the command line renders, in processes that are kept for all of these tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aeviz.cli import main
from aeviz.core.layers import LAYERS
from aeviz.core.manifolds import BITS, CURVES
from aeviz.core.settings import Settings

pytestmark = pytest.mark.usefixtures("in_kept_processes")


@pytest.fixture
def render(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """Render these words, fast; the arrays that are written and the numbers that are printed.

    What is said beside is one line, or nothing.
    """

    def render(*words: str, said: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
        fast = "--hidden", "4", "--code", "3", "--epochs", "10", "--grid", "5x4"
        assert main(["render", str(tmp_path / "a.npz"), *fast, *words, "--json"]) == 0
        out, err = capsys.readouterr()
        assert said in err and err.count("\n") == (said != "")
        with np.load(tmp_path / "a.npz") as saved:
            return dict(saved), json.loads(out)

    return render


def settings_of(saved: dict[str, Any]) -> Settings:
    return Settings().replace(**json.loads(str(saved["settings"])))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".npy", ".CSV"])
def test_a_file_of_points_is_the_data(suffix: str, tmp_path: Path, render: Callable[..., Any]) -> None:
    points = np.random.default_rng(0).normal((3.0, -70.0), (2.0, 9.0), (25, 2))
    file = tmp_path / f"ours{suffix}"
    if suffix == ".npy":
        np.save(file, points)
    else:
        between = {".tsv": "\t", ".txt": " "}.get(suffix, ",")
        np.savetxt(file, points, delimiter=between, fmt="%.17g")
    saved, numbers = render("--data", str(file))
    np.testing.assert_array_equal(saved["data"], points)
    assert settings_of(saved).data == file.name  # who is given the file need not know the folder
    assert saved["x"][0] <= points[:, 0].min() and saved["x"][-1] >= points[:, 0].max()  # it fits the data
    assert saved["y"][0] <= points[:, 1].min() and saved["y"][-1] >= points[:, 1].max()
    assert numbers["bayes_floor"] is not None


@pytest.mark.parametrize("words", [("--data", "FILE"), ("FILE",)], ids=["--data FILE", "FILE"])
def test_a_row_that_cannot_be_used_is_told_in_one_line(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "ours.csv"
    file.write_text("1,2\n3,four\n5,6\n")
    command = ["render", str(tmp_path / "a.npz")] if len(words) == 2 else []
    assert main([*command, *(str(file) if word == "FILE" else word for word in words)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"aeviz: {file}: ")
    assert "line 2" in err and "--bad-rows skip" in err
    assert [*tmp_path.iterdir()] == [file]


def test_rows_that_cannot_be_used_are_skipped_where_this_is_asked_for(
    tmp_path: Path, render: Callable[..., Any]
) -> None:
    file = tmp_path / "ours.csv"
    file.write_text("1,2\n3,four\n5,6\nnan,7\n")
    note = f"aeviz: {file}: 2 rows were skipped (lines 2 and 4)"
    saved, _ = render("--data", str(file), "--bad-rows", "skip", said=note)
    np.testing.assert_array_equal(saved["data"], [[1.0, 2.0], [5.0, 6.0]])


@pytest.mark.parametrize(
    "content", [b"", b"1,2,3\n4,5,6\n", b"words\n", b"\x00\x01\x02", b"1,2\n3,nan\n"], ids=str
)
def test_a_file_that_is_no_data_is_one_line_and_exit_2(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for suffix in (".csv", ".npy"):
        file = tmp_path / f"ours{suffix}"
        file.write_bytes(content)
        assert main(["render", str(tmp_path / "a.npz"), "--data", str(file)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and err.startswith(f"aeviz: {file}: ")
    assert not (tmp_path / "a.npz").exists()


def test_drawn_points_are_the_data_and_every_option_is_taken(render: Callable[..., Any]) -> None:
    words = (
        "--data drawn --drawn -1,0.5,0,1,0.7,-0.2,2,2 --standardise --bad-rows skip --noise-kind masking "
        "--noise-draw frozen --noise 0.5 --test-noise 2 --regulariser variational --strength 0.1 --decoder "
        "--no-code-plot --code-histogram --error-curve --extent=-3,3,-2,2"
    )
    saved, numbers = render(*words.split())
    assert settings_of(saved) == Settings(
        hidden=(4,), code=3, epochs=10, grid=(5, 4), data="drawn", standardise=True, bad_rows="skip",
        drawn=(-1.0, 0.5, 0.0, 1.0, 0.7, -0.2, 2.0, 2.0), noise_kind="masking", noise_draw="frozen",
        noise=0.5, test_noise=2.0, regulariser="variational", strength=0.1, decoder=True, code_plot=False,
        code_histogram=True, error_curve=True, extent=(-3.0, 3.0, -2.0, 2.0),
    )  # fmt: skip
    drawn = np.array([[-1.0, 0.5], [0.0, 1.0], [0.7, -0.2], [2.0, 2.0]])
    assert np.abs(saved["data"] - (drawn - drawn.mean(axis=0)) / drawn.std(axis=0)).max() < 1e-12
    assert np.abs(saved["offset"] + saved["scale"] * saved["data"] - drawn).max() < 1e-12
    assert not saved["noisy"].any()  # with twice the probability of a half, every coordinate is masked
    assert saved["x"].tolist() == [-3.0, -1.5, 0.0, 1.5, 3.0]
    assert 0.0 < numbers["regulariser"] < numbers["loss"]
    assert numbers["regulariser"] == pytest.approx(saved["regulariser"][-1], rel=1e-6)
    assert (numbers["bayes_floor"], numbers["excess_risk"]) == (None, None)
    assert 0.0 <= numbers["identityness"] <= 1.0


@pytest.mark.parametrize("name", [*CURVES, *BITS])
def test_every_shape_can_be_asked_for_by_name(name: str, render: Callable[..., Any]) -> None:
    saved, _ = render("--data", name, "--points", "20", "--extent", "")
    assert settings_of(saved).data == name
    assert saved["data"].shape == ({"corners": 4, "xor": 2}.get(name, 20), 2)
    low, high = saved["data"].min(axis=0), saved["data"].max(axis=0)
    assert saved["x"][0] <= low[0] and saved["x"][-1] >= high[0]
    assert saved["y"][0] <= low[1] and saved["y"][-1] >= high[1]


# Layers, and an end before the end


def test_render_draws_the_layers_and_the_kind_of_noise_that_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    target = tmp_path / "field.svg"
    words = "--epochs 20 --layer difference --compare split --beside basins --flow drift --particles 100"
    noise = "--noise-kind rare --target nearest --json"
    assert main(["render", str(target), *words.split(), *noise.split()]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    numbers = json.loads(out)
    assert (numbers["bayes_floor"], numbers["excess_risk"], numbers["midline_iou"]) == (0.0, None, None)
    text = target.read_text(encoding="utf-8")
    assert all(f">{LAYERS[name].symbol}</text>" in text for name in ("difference", "basins"))


def test_a_diverging_run_is_exit_1_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    wild = ["--activation", "identity", "--optimiser", "sgd", "--learning-rate", "1"]
    assert main(["render", str(tmp_path / "field.png"), *wild]) == 1
    assert "lower the learning rate" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
