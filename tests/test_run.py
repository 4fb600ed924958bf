"""The public face: train, look, measure, save."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from processes import workers

import aeviz
from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import DISCRETE
from aeviz.core.files import FileError
from aeviz.core.layers import LAYERS
from aeviz.core.setting import SettingError
from aeviz.core.truth import Denoiser
from aeviz.learn.training import Training
from aeviz.run import Run, TrainingError

pytestmark = pytest.mark.usefixtures("one_thread")

EPOCHS = 120


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with aeviz.train(aeviz.preset("lecture-2021"), epochs=EPOCHS) as run:
        yield run


def test_the_loss_has_one_value_for_each_epoch_and_falls(run: Run) -> None:
    assert run.loss.shape == (EPOCHS,)
    assert run.loss[-20:].mean() < 0.5 * run.loss[:5].mean()


def test_the_field_is_on_the_settings_grid_or_on_the_one_asked_for(run: Run) -> None:
    assert run.field().displacement.shape == (34, 40, 2)
    field = run.field(extent=(-1.0, 1.0, 0.0, 0.5), shape=(3, 5))
    assert field.ambiguity.shape == (3, 5)
    assert field.curl is not None and field.curl.shape == (3, 5)
    np.testing.assert_allclose(field.grid.x, [-1.0, -0.5, 0.0, 0.5, 1.0], rtol=0, atol=1e-12)
    assert (field.epoch, field.noise) == (EPOCHS, 0.25)


def test_the_field_knows_the_exact_denoiser_of_the_same_places(run: Run) -> None:
    for field in (run.field(), run.field(extent=(-1.0, 1.0, 0.0, 0.5), shape=(3, 5))):
        exact, places = field.exact, field.grid.points
        assert exact is not None and exact.ambiguity is not None
        assert (exact.grid, exact.sketch) == (field.grid, False)
        best = Denoiser(run.data.points, 0.25).at(places)
        assert best.ambiguity is not None
        shape = field.grid.shape
        # Float64; sums over 151 points in another order where a process has more threads.
        for name, values in (
            ("displacement", (best.mean - places).reshape(*shape, 2)),
            ("log_density", best.log_density.reshape(shape)),
            ("ambiguity", best.ambiguity.reshape(shape)),
        ):
            assert np.abs(getattr(exact, name) - values).max() < 1e-9, name
        assert field.difference is not None
        np.testing.assert_array_equal(field.difference, field.displacement - exact.displacement)


def test_the_metrics_are_of_the_last_epoch(run: Run) -> None:
    metrics = run.metrics()
    assert metrics.epoch == EPOCHS
    assert metrics.loss == pytest.approx(run.loss[-1], rel=1e-6)
    assert metrics.bayes_floor is not None and metrics.bayes_floor < metrics.loss
    assert metrics.excess_risk is not None and 0.0 < metrics.excess_risk < 1.0
    assert metrics.midline_iou is not None and 0.0 <= metrics.midline_iou <= 1.0
    assert metrics.ridge_distance is not None and 0.0 < metrics.ridge_distance < 0.5  # half the arms' gap
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
        for name in ("displacement", "ambiguity", "log_density"):
            assert np.array_equal(saved[f"exact_{name}"], getattr(field.exact, name))
        assert aeviz.Settings(**json.loads(str(saved["settings"]))) == run.settings
        assert np.array_equal(saved["loss"], run.loss)
        assert np.array_equal(saved["regulariser"], run.regulariser)
        assert np.array_equal(saved["data"], run.data.points)
        assert (saved["scale"].tolist(), saved["offset"].tolist()) == ([1.0, 1.0], [0.0, 0.0])


@pytest.mark.parametrize(
    "change",
    [
        *({"layer": name} for name in LAYERS),
        {"layer": "exact", "compare": "split", "beside": "basins"},
        {"layer": "difference", "compare": "wipe", "beside": "exact-energy", "wipe": 0.3},
        {"layer": "magnitude", "compare": "split", "beside": "curl", "geometric_midline": True},
        {"layer": "basins", "flow": "walk-back", "particles": 200},
    ],
    ids=lambda change: ", ".join(map(str, change.values())),
)
def test_every_layer_can_be_a_picture_and_says_what_it_shows(
    change: dict[str, Any], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "settings", run.settings.replace(**change))
    run.save(tmp_path / "a.png", tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes()[:5] == b"\x89PNG\r"
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "a.svg").read_text(encoding="utf-8"))
    shown = {LAYERS[name].symbol for name in run.settings.layers} - {""}
    assert {layer.symbol for layer in LAYERS.values()} & set(texts) == shown


def test_no_two_layers_are_the_same_picture(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lecture, pictures = run.settings, set()
    for change in (
        {}, {"layer": "exact"}, {"layer": "difference"}, {"layer": "basins"}, {"compare": "split"},
        {"compare": "wipe"}, {"compare": "wipe", "wipe": 0.3}, {"geometric_midline": True},
        {"exact_midline": True}, {"flow": "drift"},
    ):  # fmt: skip
        monkeypatch.setattr(run, "settings", lecture.replace(**change))
        run.save(tmp_path / "a.png")
        pictures.add((tmp_path / "a.png").read_bytes())
    assert len(pictures) == 10
    monkeypatch.setattr(run, "settings", lecture)
    run.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() in pictures  # the same settings, the same file


def test_a_file_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"field\.jpg.*must end in \.png"):
        run.save(tmp_path / "field.jpg")


def test_two_runs_of_the_same_settings_are_equal_bit_for_bit(run: Run, in_kept_processes: None) -> None:
    with aeviz.train(run.settings) as again:
        assert again.field().displacement.tobytes() == run.field().displacement.tobytes()


# On data of one's own


FILE = np.random.default_rng(0).normal((-40.0, 7e5), (2.0, 3e4), (60, 2))


@pytest.fixture(scope="module")
def on_a_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run on a file of two very different columns, three of whose rows cannot be used; and it is gone."""
    path = tmp_path_factory.mktemp("data") / "ours.tsv"
    rows = [f"{x:.17g}\t{y:.17g}" for x, y in FILE]
    path.write_text("\n".join(["a\tb", *rows[:30], "1\tnan", "2\t", "x\ty", *rows[30:], ""]))
    settings = aeviz.Settings(
        data=str(path), standardise=True, bad_rows="skip", hidden=(8,), code=8, batch=60, noise=0.3,
        regulariser="l2", strength=0.01, noise_draw="frozen",
    )  # fmt: skip
    with aeviz.train(settings, epochs=50) as run:
        path.unlink()
        yield run


def test_a_run_on_a_file_knows_its_units(on_a_file: Run, tmp_path: Path) -> None:
    data = on_a_file.data
    assert isinstance(data, CleanData)
    assert (
        np.abs(data.points.mean(axis=0)).max() < 1e-9 and np.abs(data.points.std(axis=0) - 1.0).max() < 1e-9
    )
    assert "3 rows were skipped" in data.note
    on_a_file.save(tmp_path / "a.npz", tmp_path / "a.png")
    with np.load(tmp_path / "a.npz") as saved:
        units = saved["offset"] + saved["scale"] * saved["data"]
        assert np.abs((units - FILE) / FILE.std(axis=0)).max() < 1e-9
        assert saved["noisy"].shape == (60, 2)


def test_with_and_without_processes_the_numbers_are_the_same_bit_for_bit(on_a_file: Run) -> None:
    settings, data = on_a_file.settings, on_a_file.data
    training = Training(settings, data)
    epochs = itertools.islice(training.epochs(), settings.epochs)
    losses = [(loss, training.regulariser) for loss in epochs]
    told = np.array(losses, dtype=np.float32)
    np.testing.assert_array_equal(on_a_file.loss, told[:, 0])
    np.testing.assert_array_equal(on_a_file.regulariser, told[:, 1])
    metrics = on_a_file.metrics()
    assert (metrics.loss, metrics.regulariser) == losses[-1]
    field = on_a_file.field(extent=(-2.0, 2.0, -1.0, 1.0), shape=(7, 9))
    found = training.network.field(training.average, field.grid.points)
    # So small a network's products are never divided among threads.
    np.testing.assert_array_equal(field.displacement.reshape(-1, 2), found.displacement)
    np.testing.assert_array_equal(field.ambiguity.ravel(), found.ambiguity)
    np.testing.assert_array_equal(
        field.reconstruction, training.network.reconstruct(training.average, field.noisy)
    )


def test_data_that_are_not_there_are_refused_before_anything_starts(tmp_path: Path) -> None:
    before = workers()
    for settings, said in (
        (aeviz.Settings(data="drawn"), "--data drawn has no points yet"),
        (aeviz.Settings(data=str(tmp_path / "none.csv")), "(?i)no such file"),
    ):
        with pytest.raises(SettingError, match=said):
            aeviz.train(settings)
    assert workers() <= before


def test_a_diverging_run_raises_with_advice_and_leaves_no_process() -> None:
    wild = aeviz.Settings(activation="identity", optimiser="sgd", learning_rate=1.0)
    with pytest.raises(TrainingError, match="lower the learning rate"):
        aeviz.train(wild)


def test_a_plain_script_may_train_at_its_top_level(tmp_path: Path, start: Callable[..., Any]) -> None:
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
        {"noise_kind": "uniform"},  # with no exact answer in places
        {"noise_kind": "rare", "target": "nearest"},
        {"data": "two-spirals", "noise_kind": "masking", "noise_draw": "frozen", "decoder": True, "code": 1},
        {"data": "corners", "noise_kind": "flip", "regulariser": "variational", "code": 2, "decoder": True},
    ],
    ids=str,
)
def test_every_kind_of_run_can_be_trained_measured_and_drawn(
    change: dict[str, Any], tmp_path: Path, in_kept_processes: None
) -> None:
    settings = aeviz.Settings(compare="split", beside="exact-energy", layer="exact").replace(**change)
    with aeviz.train(settings, epochs=30) as run:
        assert np.isfinite(run.loss).all()
        assert len(run.loss) == 30
        field = run.field()
        assert np.isfinite(field.ambiguity).all()
        added = settings.noise > 0.0 and settings.noise_kind not in DISCRETE
        assert (field.exact is not None) == added
        metrics = run.metrics()
        assert metrics.epoch == 30
        assert (metrics.bayes_floor is not None) == (added or (run.data.is_binary and settings.noise > 0.0))
        assert metrics.identityness is not None and 0.0 <= metrics.identityness <= 1.0
        assert (len(field.decoded) > 0) == settings.decoder
        regularised = settings.regulariser != "none"
        assert (run.regulariser > 0.0).all() == regularised and (run.regulariser <= run.loss).all()
        assert (metrics.regulariser > 0.0) == regularised
        run.save(tmp_path / "a.png", tmp_path / "a.npz")
        with np.load(tmp_path / "a.npz") as saved:
            assert ("exact_displacement" in saved) == (field.exact is not None)


def test_after_its_end_a_run_says_so_again_and_again() -> None:
    run = aeviz.train(aeviz.Settings(hidden=(4,), code=4), epochs=2)
    run.close()
    for _ in range(2):
        with pytest.raises(TrainingError, match="process ended"):
            run.field()
