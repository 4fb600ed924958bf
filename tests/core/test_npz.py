"""The NPZ of a field holds what the design says."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from fields import exact_of

from aeviz.core.corruption import shown_noisy
from aeviz.core.field import ExactField, Field, Grid
from aeviz.core.files import npz_bytes
from aeviz.core.manifolds import clean_data
from aeviz.core.settings import Settings


def random_field(settings: Settings, exact: ExactField | None = None) -> Field:
    """A field whose every array holds other numbers."""
    grid, data = Grid.home(settings), clean_data(settings)
    noisy = shown_noisy(settings, data)
    rng = np.random.default_rng(0)
    displacement, ambiguity = rng.normal(size=(*grid.shape, 2)), rng.normal(size=grid.shape)
    return Field(grid, displacement, ambiguity, data, noisy, noisy + 0.1, 17, settings.noise, exact=exact)


def loaded(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return dict(file)


def test_the_npz_holds_the_field_by_the_names_of_the_design() -> None:
    settings = Settings(points=23, grid=(7, 5))
    exact = exact_of(settings)
    field, loss = random_field(settings, exact), np.linspace(1.0, 0.1, 17)
    found = loaded(npz_bytes(field, loss, settings, "1.2.3"))
    assert {name: array.shape for name, array in found.items()} == {
        "x": (7,),
        "y": (5,),
        "displacement": (5, 7, 2),
        "magnitude": (5, 7),
        "ambiguity": (5, 7),
        "exact_displacement": (5, 7, 2),
        "exact_log_density": (5, 7),
        "exact_ambiguity": (5, 7),
        "data": (23, 2),
        "noisy": (23, 2),
        "reconstruction": (23, 2),
        "loss": (17,),
        "epoch": (),
        "settings": (),
        "version": (),
    }
    for name in ("displacement", "magnitude", "ambiguity", "data", "noisy", "reconstruction"):
        assert np.array_equal(found[name], getattr(field, name))
    assert np.array_equal(found["x"], field.grid.x)
    assert np.array_equal(found["y"], field.grid.y)
    assert np.array_equal(found["loss"], loss)
    for name in ("displacement", "log_density", "ambiguity"):
        assert np.array_equal(found["exact_" + name], getattr(exact, name))
    assert found["epoch"] == 17
    assert found["version"] == "1.2.3"
    assert Settings(**json.loads(found["settings"].item())) == settings


def test_where_the_exact_denoiser_has_cliffs_the_npz_has_no_exact_ambiguity() -> None:
    settings = Settings(noise_kind="uniform", points=5, grid=(3, 2))
    found = loaded(npz_bytes(random_field(settings, exact_of(settings)), np.empty(0), settings, "1"))
    exact = {name for name in found if name.startswith("exact")}
    assert exact == {"exact_displacement", "exact_log_density"}


def test_without_an_exact_reference_the_npz_has_no_exact_field() -> None:
    settings = Settings(noise=0.0, points=5, grid=(3, 2))
    found = loaded(npz_bytes(random_field(settings), np.empty(0), settings, "1"))
    assert not [name for name in found if name.startswith("exact")]
    assert found["loss"].shape == (0,)


def test_the_same_field_gives_the_same_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(points=23, grid=(7, 5))
    one = npz_bytes(random_field(settings), np.ones(3), settings, "1")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert npz_bytes(random_field(settings), np.ones(3), settings, "1") == one
    with zipfile.ZipFile(io.BytesIO(one)) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert npz_bytes(random_field(settings), np.ones(3), settings, "2") != one
