"""The command line, as typed."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import children, working

from aeviz.cli import COMMANDS, main
from aeviz.core.settings import FILE_GROUPS, TABLE

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
        ("--noise 0.3 none.csv", "none.csv: "),
        ("--noise 0.3 none.xls", "there is no command 'none.xls'"),
        ("--data spiral none.csv", "none.csv and --data name two kinds of data"),
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
        ("sweep a.csv noise=0.1,0.2", "'noise=0.1,0.2' is not expected here: write --vary noise=0.1,0.2"),
        ("presets noise=0.1", "'noise=0.1' is not expected here; see aeviz presets --help"),
        ("render a.pgn", "did you mean .png?"),
        ("render no/such/folder/a.png", "there is no folder"),
        ("render a.png b.png --epoc", "there is no option --epoc (did you mean --epoch?)"),
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


@pytest.mark.parametrize("command", [[], ["render"], ["sweep"]], ids=str)
def test_help_names_every_setting(command: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "exit codes:" in text
    # No window is drawn by the settings of exported figures and films.
    for spec in (spec for spec in TABLE if command or spec.group not in FILE_GROUPS):
        assert re.search(rf"{spec.option}[ ,]", text)
        assert spec.help.split(".")[0].replace(" ", "") in text.replace("- ", "-").replace(" ", "")


def test_version(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("aeviz ")


def test_presets_are_listed(capsys: pytest.CaptureFixture) -> None:
    assert main(["presets"]) == 0
    assert "lecture-2021" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's device that is always full")
@pytest.mark.parametrize("words", ["presets", "--version", "completion bash"])
def test_output_that_nobody_takes_is_no_traceback(words: str, start) -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)  # as `head` does when it has seen enough
    said = []
    for target in (writing, os.open("/dev/full", os.O_WRONLY)):
        code, _, err = start("-m", "aeviz", *words.split(), stdout=target, env=buffered).end()
        os.close(target)
        said.append((code, err))
    full = f"aeviz: cannot write what it says: {os.strerror(errno.ENOSPC)}\n"
    assert said == [(1, ""), (1, full)]
    shut = 'exec "$0" -m aeviz "$@" >&-'
    closed = subprocess.run(["sh", "-c", shut, sys.executable, *words.split()], stderr=subprocess.PIPE)
    assert closed.returncode == 0 and b"Traceback" not in closed.stderr


def test_an_error_of_the_program_is_not_told_as_one_of_its_output(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(COMMANDS, "presets", lambda words: (tmp_path / "none").read_bytes())
    with pytest.raises(FileNotFoundError):
        main(["presets"])


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
    while not working(children(program.process.pid)):  # the worker is there, and loads
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
