"""The command line, as typed."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kept_processes import kept_processes

import aeviz.run as run_module
from aeviz.cli import main
from aeviz.core.layers import LAYERS
from aeviz.core.manifolds import BITS, CURVES
from aeviz.core.settings import TABLE, Settings

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--niose 0.3", "did you mean --noise?"),
        ("--noise 3", "--noise cannot be '3': it must be 0 to 1"),
        ("--noise abc", "--noise cannot be 'abc'"),
        ("--noise nan", "--noise cannot be"),
        ("--theme drak", "did you mean dark?"),
        ("--layer exakt", "did you mean exact?"),
        ("--noise-kind unifrom", "did you mean uniform?"),
        ("--target neerest", "did you mean nearest?"),
        ("--compare spilt", "did you mean split?"),
        ("--grid 40", "--grid cannot be '40'"),
        ("--extent 3,1,0,1", "--extent must have x0 below x1"),
        ("--extent 1,2", "--extent needs four numbers x0,x1,y0,y1, or none to fit the data"),
        ("--preset lecture-2012", "did you mean lecture-2021?"),
        ("--data spirl", "--data cannot be 'spirl' (did you mean spiral?)"),
        ("--data two-moons", "did you mean moons?"),
        ("--data points.xls", "or a file: .csv, .tsv, .txt, .npy"),
        ("--data none.csv", "none.csv: "),
        ("none.csv", "none.csv: "),
        ("none.xls", "there is no command 'none.xls'"),
        ("render a.npz --data none.npy", "none.npy: "),
        ("--data drawn", "--data drawn has no points yet"),
        ("render a.npz --data drawn", "--data drawn has no points yet"),
        ("--data drawn --drawn 1,2,3", "--drawn needs two numbers for each point"),
        ("--drawn 1,b", "--drawn cannot be 'b'"),
        ("--drawn 1,2e9", "--drawn cannot be"),
        ("--bad-rows skp", "did you mean skip?"),
        ("--standardise=yes", "--standardise"),
        ("--noise-kind maskin", "did you mean masking?"),
        ("--noise-draw frosen", "did you mean frozen?"),
        ("--test-noise 11", "--test-noise cannot be '11': it must be 0 to 10"),
        ("--regulariser variatonal", "did you mean variational?"),
        ("--decodr", "did you mean --decoder?"),
        ("--error-curv", "did you mean --error-curve?"),
        ("rendr a.png", "did you mean render?"),
        ("render a.pgn", "did you mean .png?"),
        ("render no/such/folder/a.png", "there is no folder"),
        ("render a.png b.png --epoch", "there is no option --epoch (did you mean --epochs?)"),
        ("render", "the following arguments are required: OUT"),
        ("presets all", "'all' is not expected here"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_2(typed: str, said: str, capsys: pytest.CaptureFixture) -> None:
    assert main(typed.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("aeviz: ") and err.count("\n") == 1
    assert said in err


def test_a_folder_is_refused_as_a_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "field.png").mkdir()
    assert main(["render", str(tmp_path / "field.png")]) == 2
    assert "it is a folder" in capsys.readouterr().err


def test_help_names_every_setting(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for spec in TABLE:
        assert f"{spec.option} " in text
        assert spec.help.split(".")[0].replace(" ", "") in text.replace("- ", "-").replace(" ", "")


def test_version(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("aeviz ")


def test_presets_are_listed(capsys: pytest.CaptureFixture) -> None:
    assert main(["presets"]) == 0
    assert "lecture-2021" in capsys.readouterr().out


def test_render_writes_data_and_prints_numbers(tmp_path: Path, start) -> None:
    target = tmp_path / "field.npz"
    words = ("--epochs", "60", "--extent", "-1,1,-0.5,0.5", "--grid", "5x3", "--json")
    code, out, err = start("-m", "aeviz", "render", str(target), *words).end()
    assert (code, err) == (0, "")
    numbers = json.loads(out)
    assert numbers["epoch"] == 60
    figures = {"loss", "bayes_floor", "excess_risk", "midline_iou", "ridge_distance", "exact_ridge_distance"}
    figures |= {"regulariser", "identityness"}
    assert {"epoch", "train_seconds", "steps_per_second"} | figures == set(numbers)
    assert all(numbers[name] is not None and math.isfinite(numbers[name]) for name in numbers)
    with np.load(target) as saved:
        assert saved["displacement"].shape == (3, 5, 2)
        assert saved["exact_displacement"].shape == (3, 5, 2)
        assert saved["exact_log_density"].shape == saved["exact_ambiguity"].shape == (3, 5)
        places = np.stack(np.meshgrid(saved["x"], saved["y"]), axis=-1)
        exponents = -np.square(places[..., None, :] - saved["data"]).sum(axis=-1) / (2.0 * 0.25**2)
        density = np.exp(exponents).mean(axis=-1) / (2.0 * np.pi * 0.25**2)
        # Float64, of densities down to 1e-4.
        assert np.abs(saved["exact_log_density"] - np.log(density)).max() < 1e-9
        assert (saved["x"][0], saved["y"][0]) == (-1.0, -0.5)
        assert saved["loss"].shape == saved["regulariser"].shape == (60,)


def test_render_draws_the_layers_and_the_kind_of_noise_that_are_asked_for(tmp_path: Path, start) -> None:
    target = tmp_path / "field.svg"
    words = "--epochs 20 --layer difference --compare split --beside basins --flow drift --particles 100"
    noise = "--noise-kind rare --target nearest --json"
    code, out, err = start("-m", "aeviz", "render", str(target), *words.split(), *noise.split()).end()
    assert (code, err) == (0, "")
    numbers = json.loads(out)
    assert (numbers["bayes_floor"], numbers["excess_risk"], numbers["midline_iou"]) == (0.0, None, None)
    text = target.read_text(encoding="utf-8")
    assert all(f">{LAYERS[name].symbol}</text>" in text for name in ("difference", "basins"))


# Data of one's own, in processes that are kept for all of these tests


@pytest.fixture(scope="module")
def kept() -> Iterator[Callable[..., Any]]:
    with kept_processes() as client:
        yield client


@pytest.fixture
def render(
    kept: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
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

    monkeypatch.setattr(run_module, "Client", kept)
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
    assert settings_of(saved).data == str(file)
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


def test_a_diverging_run_is_exit_1_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    wild = ["--activation", "identity", "--optimiser", "sgd", "--learning-rate", "1"]
    assert main(["render", str(tmp_path / "field.png"), *wild]) == 1
    assert "lower the learning rate" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert main(["render", str(tmp_path / "a.npz"), "--device", "cuda"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("aeviz: --device cannot be 'cuda': ")
    assert not list(tmp_path.iterdir())


def test_without_a_display_the_window_is_one_line(start) -> None:
    screenless = {name: value for name, value in os.environ.items() if not name.endswith("DISPLAY")}
    screenless |= {"QT_QPA_PLATFORM": "xcb"}
    code, out, err = start("-m", "aeviz", env=screenless).end()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and "aeviz render" in err


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals to a terminal's process group are POSIX's")
def test_ctrl_c_while_rendering_leaves_no_file(tmp_path: Path, start) -> None:
    program = start("-m", "aeviz", "render", str(tmp_path / "field.png"), "--epochs", "1000000")
    while not _children(program.process.pid):  # the worker is there, so the training is under way
        assert program.process.poll() is None
    os.killpg(program.process.pid, signal.SIGINT)
    code, _, err = program.end()
    assert (code, err) == (1, "aeviz: interrupted before all files were written\n")
    assert list(tmp_path.iterdir()) == []


def test_the_readme_installs_what_qt_needs() -> None:
    from aeviz.figure.qt import debian_packages

    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = [line.split() for line in text.splitlines() if "apt-get install" in line]
    assert len(commands) == 2
    for command in commands:
        assert set(debian_packages(screen=True)) <= set(command)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.glob("*/children") for child in task.read_text().split()]
