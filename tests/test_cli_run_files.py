"""`aeviz render run.aeviz`, and `--from run.aeviz --epoch N`: the bytes that training so far alone gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aeviz
from aeviz.cli import main
from aeviz.core.clean_data import clean_data
from aeviz.core.run_file import read_run

pytestmark = pytest.mark.usefixtures("in_kept_processes")
SMALL = ["--points", "40", "--hidden", "8", "--code", "8", "--grid", "12x10"]
FIELD = (
    "x", "y", "displacement", "magnitude", "ambiguity", "exact_displacement", "exact_ambiguity",
    "exact_log_density", "data", "noisy", "reconstruction", "loss", "regulariser", "epoch",
)  # fmt: skip


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run.aeviz"
    assert main(["render", str(path), *SMALL, "--epochs", "200"]) == 0
    return path


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def assert_same_field(one: Path, other: Path) -> None:
    first, second = arrays(one), arrays(other)
    for name in FIELD:
        assert first[name].tobytes() == second[name].tobytes(), name


@pytest.mark.parametrize("epoch", [137, 1, 199, 200])
def test_an_epoch_of_a_run_is_what_training_so_far_gives(epoch: int, run_file: Path, tmp_path: Path) -> None:
    out, alone = tmp_path / "out.npz", tmp_path / "alone.npz"
    assert main(["render", str(out), "--from", str(run_file), "--epoch", str(epoch)]) == 0
    assert main(["render", str(alone), *SMALL, "--epochs", str(epoch)]) == 0
    assert_same_field(out, alone)


def test_without_an_epoch_it_is_the_newest(run_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    assert main(["render", str(out), "--from", str(run_file)]) == 0
    assert arrays(out)["epoch"] == 200


def test_a_run_goes_on_from_its_file(run_file: Path, tmp_path: Path) -> None:
    out, alone = tmp_path / "out.npz", tmp_path / "alone.npz"
    assert main(["render", str(out), "--from", str(run_file), "--epochs", "300"]) == 0
    assert main(["render", str(alone), *SMALL, "--epochs", "300"]) == 0
    assert_same_field(out, alone)


def test_how_it_is_drawn_may_be_given(run_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    assert main(["render", str(out), "--from", str(run_file), "--grid", "6x5"]) == 0
    assert arrays(out)["displacement"].shape == (5, 6, 2)


def test_a_run_that_was_cut_short_is_saved_whole(run_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "again.aeviz"
    assert main(["render", str(out), "--from", str(run_file), "--epoch", "50"]) == 0
    history = read_run(out).history
    assert [branch.epoch for branch in history] == [200, 50]
    assert history.current.epoch == 50


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--noise", "0.3"], "--noise belongs to the run"),
        (["--epoch", "201"], "--epoch cannot be 201"),
        (["--epoch", "-1"], "--epoch cannot be -1"),
        (["--preset", "lecture-2020"], "--preset and --from"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    more: list[str], says: str, run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", str(tmp_path / "out.npz"), "--from", str(run_file), *more]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("words", [["render", "out.npz", "--from"], []], ids=["render", "window"])
def test_a_file_that_is_no_run_is_refused_in_one_line(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("none.aeviz").write_bytes(b"nothing of the kind")
    for name in ("none.aeviz", "missing.aeviz"):
        assert main([*words, name]) == 2
        error = capsys.readouterr().err
        assert name in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("before", [0, 1, 3])
def test_in_a_window_it_may_be_said_how_a_run_is_drawn(
    before: int, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setattr("aeviz.cli.window.require_qt", lambda **_: None)
    monkeypatch.setattr("aeviz.app.main.open_window", lambda settings, **more: given.append(more) or 0)
    words = ["--no-midline", "--theme", "light"]
    assert main([*words[:before], str(run_file), *words[before:]]) == 0
    assert given[0]["changes"] == {"midline": False, "theme": "light"}
    assert given[0]["opened"][0] == run_file


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--noise", "0.3"], "--noise belongs to the run"),
        (["--preset", "lecture-2020"], "--preset and "),
        (["other.aeviz"], "'other.aeviz' is not expected here"),
        (["--theme", "drak"], "did you mean dark?"),
    ],
)
def test_what_does_not_fit_a_run_opens_no_window(
    more: list[str], says: str, run_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(run_file), *more]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def test_a_run_whose_file_of_points_is_gone_opens_with_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, path = tmp_path / "points.csv", tmp_path / "run.aeviz"
    points.write_text("0,0\n1,0\n1,1\n")
    with aeviz.train(aeviz.Settings(data=str(points), hidden=(8,), code=8), epochs=5) as run:
        run.save(path)
    points.unlink()
    opened: list[Any] = []
    monkeypatch.setattr("aeviz.cli.window.require_qt", lambda **_: None)
    monkeypatch.setattr(
        "aeviz.app.main.open_window", lambda settings, **more: opened.append((settings, more["opened"])) or 0
    )
    assert main([str(path)]) == 0
    ((settings, (_, found)),) = opened
    assert len(clean_data(settings).points) > 3  # what is there until the run is shown
    assert found.history.current.data.points.tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]


def test_in_python_a_run_is_loaded_at_any_epoch(run_file: Path) -> None:
    with aeviz.load(run_file, epoch=137) as run:
        field = run.field()
        assert field.epoch == 137
        assert len(run.loss) == 137
        assert run.metrics().epoch == 137
