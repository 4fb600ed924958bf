"""The public face: train, look, measure, save."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import numpy as np
import pytest

import aeviz
from aeviz.core.files import FileError
from aeviz.core.setting import SettingError
from aeviz.run import Run, TrainingError

EPOCHS = 120


@pytest.fixture(scope="module")
def run() -> Run:
    with aeviz.train(aeviz.preset("lecture-2021"), epochs=EPOCHS) as run:
        yield run


def test_the_loss_has_one_value_for_each_epoch_and_falls(run: Run) -> None:
    assert run.loss.shape == (EPOCHS,)
    assert run.loss[-20:].mean() < 0.5 * run.loss[:5].mean()


def test_the_field_is_on_the_settings_grid_or_on_the_one_asked_for(run: Run) -> None:
    assert run.field().displacement.shape == (34, 40, 2)
    field = run.field(extent=(-1.0, 1.0, 0.0, 0.5), shape=(3, 5))
    assert field.ambiguity.shape == (3, 5)
    np.testing.assert_allclose(field.grid.x, [-1.0, -0.5, 0.0, 0.5, 1.0], rtol=0, atol=1e-12)
    assert (field.epoch, field.noise) == (EPOCHS, 0.25)


def test_the_metrics_are_of_the_last_epoch(run: Run) -> None:
    metrics = run.metrics()
    assert metrics.epoch == EPOCHS
    assert metrics.loss == pytest.approx(run.loss[-1], rel=1e-6)
    assert metrics.bayes_floor is not None and metrics.bayes_floor < metrics.loss
    assert metrics.excess_risk is not None and 0.0 < metrics.excess_risk < 1.0
    assert metrics.midline_iou is not None and 0.0 <= metrics.midline_iou <= 1.0
    assert metrics.train_seconds > 0.0 and metrics.steps_per_second > 0.0


def test_every_kind_of_file_is_written(run: Run, tmp_path: Path) -> None:
    run.save(*(tmp_path / f"field{suffix}" for suffix in (".png", ".svg", ".pdf", ".npz")))
    heads = {path.suffix: path.read_bytes()[:5] for path in tmp_path.iterdir()}
    assert heads[".png"] == b"\x89PNG\r"
    assert heads[".svg"] == b"<?xml"
    assert heads[".pdf"] == b"%PDF-"
    with np.load(tmp_path / "field.npz") as saved:
        field = run.field()
        for name in ("displacement", "magnitude", "ambiguity", "noisy", "reconstruction"):
            assert np.array_equal(saved[name], getattr(field, name))
        assert aeviz.Settings(**json.loads(str(saved["settings"]))) == run.settings
        assert np.array_equal(saved["loss"], run.loss)


def test_a_file_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"field\.jpg.*must end in \.png"):
        run.save(tmp_path / "field.jpg")


def test_two_runs_of_the_same_settings_are_equal_bit_for_bit(run: Run) -> None:
    with aeviz.train(run.settings) as again:
        assert again.field().displacement.tobytes() == run.field().displacement.tobytes()


def test_a_diverging_run_raises_with_advice_and_leaves_no_process() -> None:
    wild = aeviz.Settings(activation="identity", optimiser="sgd", learning_rate=1.0)
    with pytest.raises(TrainingError, match="lower the learning rate"):
        aeviz.train(wild)


def test_the_module_s_example_holds() -> None:
    assert doctest.testmod(aeviz) == doctest.TestResults(failed=0, attempted=4)


def test_a_plain_script_may_train_at_its_top_level(tmp_path: Path, start) -> None:
    script = tmp_path / "script.py"
    script.write_text("import aeviz\nrun = aeviz.train(epochs=20)\nprint(len(run.loss))\nrun.close()\n")
    assert start(str(script)).end() == (0, "20\n", "")


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SettingError, match=r"^--device cannot be 'cuda': .*; use --device cpu$"):
        aeviz.train(aeviz.Settings(device="cuda"), epochs=1)


@pytest.mark.parametrize(
    "change",
    [
        {"tied": True},
        {"regulariser": "contractive", "strength": 0.01},
        {"cost": "bce", "noise": 0.07},
        {"output": "tanh"},
        {"points": 1, "noise": 0.0, "batch": 65_536, "hidden": (1,), "code": 1},
    ],
    ids=str,
)
def test_every_kind_of_network_and_loss_can_be_run(change: dict[str, object]) -> None:
    with aeviz.train(aeviz.Settings(**change), epochs=30) as run:
        assert np.isfinite(run.loss).all()
        assert len(run.loss) == 30
        assert np.isfinite(run.field().ambiguity).all()
        assert run.metrics().epoch == 30


def test_after_its_end_a_run_says_so_again_and_again() -> None:
    run = aeviz.train(aeviz.Settings(hidden=(4,), code=4), epochs=2)
    run.close()
    for _ in range(2):
        with pytest.raises(TrainingError, match="process ended"):
            run.field()
