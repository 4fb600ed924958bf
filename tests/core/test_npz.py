"""The NPZ of a field holds what the design says."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from fields import exact_of, home_of

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import shown_noisy
from aeviz.core.field import ExactField, Field
from aeviz.core.files import npz_bytes
from aeviz.core.manifolds import FloatArray
from aeviz.core.recipe import Recipe, recipe_of
from aeviz.core.settings import Settings


def random_field(settings: Settings, exact: ExactField | None = None) -> Field:
    """A field whose every array holds other numbers."""
    grid, data = home_of(settings), clean_data(settings)
    noisy = shown_noisy(settings, data)
    rng = np.random.default_rng(0)
    displacement, ambiguity = rng.normal(size=(*grid.shape, 2)), rng.normal(size=grid.shape)
    return Field(
        grid, displacement, ambiguity, data.points, noisy, noisy + 0.1, 17, settings.noise, exact=exact
    )


def losses(epochs: int) -> FloatArray:
    """Loss and regulariser of each epoch, all different."""
    return np.stack((np.linspace(1.0, 0.1, epochs), np.linspace(0.05, 0.01, epochs)), axis=1)


def content(
    settings: Settings, loss: FloatArray, version: str = "1", exact: ExactField | None = None
) -> bytes:
    recipe = Recipe(settings, 17, settings, version=version)
    return npz_bytes(random_field(settings, exact), loss, clean_data(settings), recipe)


def loaded(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return dict(file)


def test_the_npz_holds_the_field_by_the_names_of_the_design() -> None:
    settings = Settings(points=23, grid=(7, 5))
    exact = exact_of(settings)
    field, loss = random_field(settings, exact), losses(17)
    found = loaded(content(settings, loss, "1.2.3", exact))
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
        "regulariser": (17,),
        "scale": (2,),
        "offset": (2,),
        "epoch": (),
        "settings": (),
        "version": (),
        "recipe": (),
    }
    for name in ("displacement", "magnitude", "ambiguity", "data", "noisy", "reconstruction"):
        assert np.array_equal(found[name], getattr(field, name))
    assert np.array_equal(found["x"], field.grid.x)
    assert np.array_equal(found["y"], field.grid.y)
    assert np.array_equal(found["loss"], loss[:, 0])
    assert np.array_equal(found["regulariser"], loss[:, 1])
    assert np.array_equal(found["scale"], (1.0, 1.0))  # a shape's own units
    assert np.array_equal(found["offset"], (0.0, 0.0))
    for name in ("displacement", "log_density", "ambiguity"):
        assert np.array_equal(found["exact_" + name], getattr(exact, name))
    assert found["epoch"] == 17
    assert found["version"] == "1.2.3"
    assert recipe_of(str(found["recipe"])).settings == settings
    assert Settings(**json.loads(found["settings"].item())) == settings


def test_where_the_exact_denoiser_has_cliffs_the_npz_has_no_exact_ambiguity() -> None:
    settings = Settings(noise_kind="uniform", points=5, grid=(3, 2))
    found = loaded(content(settings, losses(0), exact=exact_of(settings)))
    exact = {name for name in found if name.startswith("exact")}
    assert exact == {"exact_displacement", "exact_log_density"}


def test_without_an_exact_reference_the_npz_has_no_exact_field() -> None:
    settings = Settings(noise=0.0, points=5, grid=(3, 2))
    found = loaded(content(settings, losses(0)))
    assert not [name for name in found if name.startswith("exact")]
    assert found["loss"].shape == found["regulariser"].shape == (0,)


@pytest.mark.parametrize("change", [{}, {"standardise": True}, {"cost": "bce"}], ids=str)
def test_the_npz_tells_the_users_own_units(change: dict[str, object]) -> None:
    drawn = (3.0, 100.0, 5.0, 250.0, 4.0, 400.0)
    settings = Settings(data="drawn", drawn=drawn, grid=(3, 2)).replace(**change)
    found = loaded(content(settings, losses(2)))
    own = found["offset"] + found["scale"] * found["data"]
    assert np.abs(own - np.reshape(drawn, (3, 2))).max() < 1e-12  # some eps of 400
    assert (np.abs(found["data"]).max() < 10.0) == bool(change)
    assert json.loads(found["settings"].item())["drawn"] == list(drawn)


def test_the_same_field_gives_the_same_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(points=23, grid=(7, 5))
    one = content(settings, losses(3))
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert content(settings, losses(3)) == one
    with zipfile.ZipFile(io.BytesIO(one)) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert content(settings, losses(3), "2") != one
