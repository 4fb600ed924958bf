"""Each layer of the picture against an independent computation, and its words."""

from __future__ import annotations

import numpy as np
import pytest
from fields import exact_of, field_of, home_of, perfect_field
from scipy.special import logsumexp

from aeviz.core.field import ExactField, Field, Grid
from aeviz.core.layers import DIFFERENCE, EXACT, LAYERS, LEARNED, Arrows
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import SPECS, Settings
from aeviz.core.truth import Denoiser, finish

SETTINGS = Settings(points=30, grid=(6, 5), noise=0.3)
every_layer = pytest.mark.parametrize("name", LAYERS)


def some_field(settings: Settings = SETTINGS, with_exact: bool = True) -> Field:
    """A field whose every array holds other numbers, beside the exact one."""
    rng = np.random.default_rng(0)
    shape = home_of(settings).shape
    return field_of(
        settings,
        displacement=rng.normal(size=(*shape, 2)),
        ambiguity=rng.normal(size=shape),
        curl=rng.normal(size=shape),
        basins=rng.uniform(0.0, 1.0, shape),
        exact=exact_of(settings) if with_exact else None,
    )


def values(name: str, field: Field) -> FloatArray:
    found = LAYERS[name].values(field)
    assert found is not None
    assert found.shape == field.grid.shape
    return found


def best(field: Field, x: FloatArray) -> tuple[FloatArray, float]:
    """r*(x) and log p(x) at one place by their definitions."""
    exponents = -np.square(x - field.data).sum(axis=1) / (2.0 * field.noise**2)
    weights = np.exp(exponents - logsumexp(exponents))
    area = 2.0 * np.pi * field.noise**2
    return weights @ field.data, float(logsumexp(exponents) - np.log(area * len(field.data)))


def test_the_layers_hold_what_they_say_at_every_cell() -> None:
    field = some_field()
    exact = field.exact
    assert exact is not None
    assert exact.ambiguity is not None
    for i, j in np.ndindex(5, 6):
        x = np.array([field.grid.x[j], field.grid.y[i]])
        (dx, dy), (mean, log_density) = field.displacement[i, j], best(field, x)
        learned = x + field.displacement[i, j]
        off = float(np.square(learned - mean).sum())
        expected = {
            "magnitude": np.hypot(dx, dy),
            "exact": np.hypot(*(mean - x)),
            "difference": np.sqrt(off),
            "ambiguity": field.ambiguity[i, j],
            "exact-ambiguity": exact.ambiguity[i, j],
            "energy": dx**2 + dy**2,
            "exact-energy": -log_density,
            "excess": np.exp(log_density) * off,
        }
        for name, value in expected.items():
            assert abs(values(name, field)[i, j] - value) < 1e-12, name  # roundings of numbers up to 40
    assert values("curl", field) is field.curl
    assert values("basins", field) is field.basins
    assert LAYERS["none"].values(field) is None


def test_what_is_not_known_has_no_values() -> None:
    blind = some_field(with_exact=False)
    for name in ("exact", "difference", "exact-ambiguity", "exact-energy", "excess"):
        assert LAYERS[name].values(blind) is None
    for name in ("magnitude", "ambiguity", "energy"):
        values(name, blind)
    plain = field_of(SETTINGS)
    assert LAYERS["curl"].values(plain) is None
    assert LAYERS["basins"].values(plain) is None


@pytest.mark.parametrize("change", [{"noise_kind": "uniform"}, {"target": "nearest"}], ids=str)
def test_where_the_exact_denoiser_has_cliffs_it_has_no_ambiguity(change: dict[str, str]) -> None:
    field = some_field(SETTINGS.replace(**change))
    assert LAYERS["exact-ambiguity"].values(field) is None
    for name in ("exact", "difference", "exact-energy", "excess"):
        values(name, field)


# What the words claim


def fine(settings: Settings, reach: float, cells: int) -> ExactField:
    axis = (-reach, reach)
    return exact_of(settings, Grid((*axis, *axis), (cells, cells)))


def test_excess_adds_up_to_the_loss_above_the_floor() -> None:
    """∫ p ‖r − r*‖² = E ‖r(ŷ) − r*(ŷ)‖²: the right side by Gauss-Hermite quadrature, in closed form.

    Two points ±d on the first axis: r* = (d·tanh(d·x/σ²), 0); against r(x) = x/2.
    """
    d, sigma = 0.5, 0.4
    reach, cells = 5.0, 201
    grid = Grid((-reach, reach, -reach, reach), (cells, cells))
    denoiser = Denoiser(np.array([[-d, 0.0], [d, 0.0]]), sigma)
    field = Field(
        grid, (-0.5 * grid.points).reshape(cells, cells, 2), np.zeros((cells, cells)), denoiser.data,
        denoiser.data, denoiser.data, 0, sigma, exact=finish(ExactField.solving(denoiser, grid)),
    )  # fmt: skip
    total = values("excess", field).sum() * grid.cell[0] * grid.cell[1]
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    x = d + sigma * node  # the other point is its mirror image
    weight = weight / weight.sum()
    across = (weight * (0.5 * x - d * np.tanh(d * x / sigma**2)) ** 2).sum()
    expected = across + 0.25 * sigma**2  # and up: E (y/2)²
    # The grid's sum: smooth, 8 steps to σ, and 11σ to the edges. The quadrature: tanh has poles at
    # iπσ²/2d = 0.5i, which 80 nodes, the inner ones 0.18σ = 0.07 apart, see well: some 1e-9 is left.
    assert abs(total - expected) < 1e-8
    assert expected > 0.05


def test_exact_arrows_are_the_slope_of_the_energy_of_the_data() -> None:
    """r* − x = −σ² ∇(−log p)."""
    exact = fine(SETTINGS, 1.5, 301)
    energy = values("exact-energy", field_of(SETTINGS, exact.grid, exact=exact))
    h = exact.grid.cell[0]
    up, across = np.gradient(energy, h)
    inner = np.s_[1:-1, 1:-1]
    slope = np.stack((across, up), axis=-1)[inner]
    # σ²·h²/6 of the third derivative of log p, a third cumulant over σ⁶, of points that are up to about
    # 1 from one another where they claim the same place.
    bound = h**2 / 6.0 / SETTINGS.noise**4
    assert bound < 0.003
    assert np.abs(exact.displacement[inner] + SETTINGS.noise**2 * slope).max() < bound
    assert np.abs(exact.displacement).max() > 0.5


def test_the_energy_is_small_on_the_midline_where_the_energy_of_the_data_is_not() -> None:
    """Two points: halfway, r* is the place itself, but log p is far lower than on the points."""
    denoiser = Denoiser(np.array([[-0.5, 0.0], [0.5, 0.0]]), 0.2)
    grid = Grid((-0.5, 0.5, -0.1, 0.1), (3, 3))  # both points, and halfway
    exact = finish(ExactField.solving(denoiser, grid))
    field = field_of(SETTINGS, grid, displacement=exact.displacement, exact=exact)
    energy, height = values("energy", field)[1], values("exact-energy", field)[1]
    assert energy.max() < 1e-8  # of a point, e^(−1/2σ²) = 4e-6 of the way to the other, squared
    assert height[1] - height[0] > 2.0  # (d/σ)²/2 − log 2 = 2.4
    assert abs(height[1] - height[0] - (3.125 - np.log(2.0))) < 1e-5


def test_the_exact_field_of_gaussian_noise_has_no_curl() -> None:
    for kind, least, most in (("gaussian", 0.0, 0.03), ("rare", 0.3, 10.0)):
        exact = fine(SETTINGS.replace(noise_kind=kind), 1.5, 301)
        h = exact.grid.cell[0]
        curl = np.gradient(exact.displacement[..., 1], h, axis=1) - np.gradient(
            exact.displacement[..., 0], h, axis=0
        )
        # Differences' errors are h²/6 of fourth cumulants over σ⁶, of points up to 1 from one another:
        # 0.02. That the check would see a curl is shown by rare noise, whose r* is no slope.
        assert least <= np.abs(curl[1:-1, 1:-1]).max() < most


def test_a_perfect_network_has_no_excess_and_its_layers_are_the_exact_ones() -> None:
    field = perfect_field(Settings())
    assert values("difference", field).max() == 0.0
    assert values("excess", field).max() == 0.0
    assert np.array_equal(values("magnitude", field), values("exact", field))
    assert np.array_equal(values("ambiguity", field), values("exact-ambiguity", field))


# Words, colours and settings


@every_layer
def test_every_layer_has_words(name: str) -> None:
    layer = LAYERS[name]
    for words in (layer.title, layer.help):
        assert words == words.strip()
        assert words
        assert len(words.splitlines()) == 1
    assert layer.help.endswith(".")
    assert layer.help[0].isupper()
    assert (layer.symbol == "") == (name == "none")
    exact, difference = ("exact", "exact-ambiguity", "exact-energy"), ("difference", "excess")
    arrows: Arrows = EXACT if name in exact else DIFFERENCE if name in difference else LEARNED
    assert layer.arrows is arrows  # those of the map that the layer is about


def test_arrows_go_where_they_say() -> None:
    field, blind = some_field(), some_field(with_exact=False)
    places = field.grid.points.reshape(*field.grid.shape, 2)
    exact = np.array([[best(field, x)[0] for x in row] for row in places])
    learned = places + field.displacement
    ends = {"ŷ → ỹ": learned - places, "ŷ → r*": exact - places, "r* → ỹ": learned - exact}
    for arrows in (LEARNED, EXACT, DIFFERENCE):
        vectors = arrows.vectors(field)
        assert vectors is not None
        assert np.abs(vectors - ends[arrows.symbols]).max() < 1e-12
        assert (arrows.vectors(blind) is None) == arrows.exact
        assert ("exact" in arrows.words) == arrows.exact
    assert (LEARNED.enlarged, EXACT.enlarged) == (1.0, 1.0)  # these end at the reconstruction
    assert DIFFERENCE.enlarged > 1.0  # and these would be hard to see


def test_where_no_noisy_point_falls_nothing_is_lost() -> None:
    settings = SETTINGS.replace(noise=0.1, noise_kind="uniform")
    field = some_field(settings)
    assert field.exact is not None
    reached = np.isfinite(field.exact.log_density)
    assert 0 < reached.sum() < reached.size
    excess = values("excess", field)
    assert (excess[~reached] == 0.0).all()
    assert (excess[reached] > 0.0).all()


def test_titles_are_unique_and_the_settings_know_every_layer() -> None:
    assert len({layer.title for layer in LAYERS.values()}) == len(LAYERS)
    assert SPECS["layer"].choices == SPECS["beside"].choices == tuple(LAYERS)


@every_layer
def test_every_layer_has_a_range_of_colours(name: str) -> None:
    layer = LAYERS[name]
    low, high = layer.range(Settings(colour_max=2.0, threshold=3.0, turns=1.25))
    if low is not None and high is not None:
        assert low < high
        assert (low == -high) == layer.signed
        if not layer.signed:
            assert low == 0.0
    # The words of the settings: a quarter of the maximum for differences, 2τ for ambiguities.
    tops = {
        "magnitude": 2.0, "exact": 2.0, "difference": 0.5, "ambiguity": 6.0, "exact-ambiguity": 6.0,
        "energy": 1.0, "basins": 1.0,
    }  # fmt: skip
    assert name not in tops or high == tops[name]
    assert layer.span > 0.0


@every_layer
def test_a_layer_shows_something_exact_where_its_values_or_arrows_are(name: str) -> None:
    seen, blind = some_field(), some_field(with_exact=False)
    layer = LAYERS[name]
    needs = any(
        of(seen) is not None and of(blind) is None for of in (layer.values, layer.arrows.vectors)
    )  # fmt: skip
    assert Settings(layer=name).shows_exact == needs
    assert not Settings(layer="magnitude", beside=name).shows_exact  # not compared, the second is not seen
    for compare in ("split", "wipe"):
        assert Settings(layer="magnitude", compare=compare, beside=name).shows_exact == needs
        assert Settings(layer=name, compare=compare, beside="none").shows_exact == needs
    assert Settings(layer=name, exact_midline=True).shows_exact


def test_one_layer_is_shown_or_two() -> None:
    assert Settings(layer="curl", beside="energy").layers == ("curl",)
    assert Settings(layer="curl", beside="energy", compare="split").layers == ("curl", "energy")
    assert Settings(layer="curl", beside="energy", compare="wipe").layers == ("curl", "energy")
