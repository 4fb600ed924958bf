"""What each layer paints: its quantity's colours, and the arrows that belong to it."""

from __future__ import annotations

import itertools

import numpy as np
import pyqtgraph as pg
import pytest

from aeviz.core.layers import DIFFERENCE, LAYERS
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser
from aeviz.figure.heatmap import colours
from aeviz.figure.scale import DIVERGING
from aeviz.figure.theme import DARK, theme_of

# The origin lies between cells, so that its lines cross no cell's middle.
BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", midline=False, show_data=False, noise=0.3,
    colour_max=1.6, threshold=3.0, turns=2.0,
)  # fmt: skip
CENTRES = [*itertools.product(np.linspace(-2.5, 2.5, 6), np.linspace(-3.5, 3.5, 8))]  # (y, x), row by row
RNG = np.random.default_rng(7)
MOVED, BEST = RNG.normal(0.0, 0.7, (2, 6, 8, 2))
LEARNED_A, BEST_A = RNG.uniform(-1.0, 7.0, (2, 6, 8))
LOG_DENSITY = RNG.uniform(-12.0, -0.5, (6, 8))  # over more than the 8 that its colours span
CURL, ALONG = RNG.uniform(-0.7, 0.6, (6, 8)), RNG.uniform(0.05, 0.95, (6, 8))
APART = np.square(MOVED - BEST).sum(axis=-1)

# Value, lowest and highest of the fixed scale, then of the automatic one; None follows the values.
ORACLE = {
    "magnitude": (np.hypot(*MOVED.T).T, (0.0, 1.6), (0.0, None)),
    "exact": (np.hypot(*BEST.T).T, (0.0, 1.6), (0.0, None)),
    "difference": (np.sqrt(APART), (0.0, 0.4), (0.0, None)),
    "ambiguity": (LEARNED_A, (0.0, 6.0), (None, None)),  # some are below 0
    "exact-ambiguity": (BEST_A, (0.0, 6.0), (None, None)),
    "energy": (np.square(MOVED).sum(axis=-1), (0.0, 0.64), (0.0, None)),
    "exact-energy": (-LOG_DENSITY, (None, -LOG_DENSITY.max() + 8.0), (None, -LOG_DENSITY.max() + 8.0)),
    "curl": (CURL, (-1.0, 1.0), (-np.abs(CURL).max(), np.abs(CURL).max())),
    "excess": (np.exp(LOG_DENSITY) * APART, (0.0, None), (0.0, None)),
    "basins": (ALONG, (0.0, 1.0), (0.0, None)),  # from the data's first point to its last
}
SIGNED = {"curl"}


@pytest.fixture
def known(field, exact):
    """A field in which everything is known, every value drawn at random."""
    best = exact(BARE, displacement=BEST, ambiguity=BEST_A, log_density=LOG_DENSITY)
    return field(BARE, displacement=MOVED, ambiguity=LEARNED_A, curl=CURL, basins=ALONG, exact=best)


def number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def test_every_layer_is_asked_for_here():
    assert {*ORACLE, "none"} == {*LAYERS}


@pytest.mark.parametrize("colour_range", ["fixed", "automatic"])
@pytest.mark.parametrize("name", ORACLE)
def test_cells_have_the_colours_of_the_layers_values(name, colour_range, known, paint, name_of):
    values, *scales = ORACLE[name]
    low, high = scales[colour_range == "automatic"]
    low, high = values.min() if low is None else low, values.max() if high is None else high
    picture = paint(BARE.replace(layer=name, colour_range=colour_range), known)
    colour_map = DIVERGING if name in SIGNED else "viridis"
    for (y, x), colour in zip(CENTRES, colours(values, low, high, colour_map).ravel(), strict=True):
        assert picture.colour(x, y) == name_of(colour), (x, y)
    assert {number(low), number(0.5 * (low + high)), number(high), LAYERS[name].symbol} <= {*picture.texts()}


@pytest.mark.parametrize("colour_range", ["fixed", "automatic"])
@pytest.mark.parametrize("other", [-0.9, 0.2])
def test_zero_is_the_middle_of_the_colours_of_a_signed_layer(other, colour_range, field, paint):
    curl = np.zeros((6, 8))
    curl[3, 4] = other
    settings = BARE.replace(layer="curl", colour_range=colour_range, colour_map="magma")
    picture = paint(settings, field(settings, curl=curl))
    red, green, blue = (int(picture.colour(-2.5, 1.5)[k : k + 2], 16) for k in (1, 3, 5))
    middle = pg.colormap.get(DIVERGING).map(0.5)[:3].astype(int)
    assert np.abs(middle - [red, green, blue]).max() <= 4  # half a step of 256
    assert min(red, green, blue) > 225, "the middle is not white"
    red, _, blue = (int(picture.colour(0.5, 0.5)[k : k + 2], 16) for k in (1, 3, 5))
    assert (red > blue + 20) == (other > 0.0)
    assert (blue > red + 20) == (other < 0.0)


# Uniform noise reaches so far and no farther; beyond, no clean point can have come from.
UNIFORM = BARE.replace(noise_kind="uniform", colour_range="automatic")
PLACES, CLEAN = np.array([(x, y) for y, x in CENTRES]), np.array([[-1.0, 0.0], [1.5, 1.0]])
REACHED = np.array([np.abs(CLEAN - place).max(axis=1).min() < 1.2 * np.sqrt(3.0) for place in PLACES])
FOUND = Denoiser(CLEAN, 1.2, "uniform").at(PLACES)
AS_FAR_AS_NOISE = {
    "displacement": (FOUND.mean - PLACES).reshape(6, 8, 2), "ambiguity": None,
    "log_density": FOUND.log_density.reshape(6, 8),
}  # fmt: skip


@pytest.mark.parametrize("theme", ["dark", "light", "lecture"])
@pytest.mark.parametrize("name", ["exact", "difference"])
def test_where_a_value_is_unknown_the_surroundings_show_through(name, theme, field, exact, paint):
    assert 10 < REACHED.sum() < 40
    settings = UNIFORM.replace(layer=name, theme=theme)
    picture = paint(settings, field(settings, displacement=MOVED, exact=exact(settings, **AS_FAR_AS_NOISE)))
    for (x, y), known in zip(PLACES, REACHED, strict=True):
        assert (picture.colour(x, y) == theme_of(theme).figure) != known


def test_where_no_noisy_point_falls_nothing_is_added_to_the_loss(field, exact, paint, name_of):
    settings = UNIFORM.replace(layer="excess")
    picture = paint(settings, field(settings, displacement=MOVED, exact=exact(settings, **AS_FAR_AS_NOISE)))
    apart = np.nan_to_num(np.square(MOVED - AS_FAR_AS_NOISE["displacement"]).sum(axis=-1).ravel())
    added = np.exp(FOUND.log_density) * apart
    assert ((added > 0.0) == REACHED).all()
    for (x, y), colour in zip(PLACES, colours(added, 0.0, added.max(), "viridis"), strict=True):
        assert picture.colour(x, y) == name_of(colour)


# Arrows


ARROWS = {
    "magnitude": "learned", "ambiguity": "learned", "energy": "learned", "curl": "learned",
    "basins": "learned", "none": "learned", "exact": "exact", "exact-ambiguity": "exact",
    "exact-energy": "exact", "difference": "difference", "excess": "difference",
}  # fmt: skip
HERE, LEARNED, EXACT = np.array([-2.5, 1.5]), np.array([0.3, -0.1]), np.array([-0.15, -0.3])
TIPS = {"learned": LEARNED, "exact": EXACT, "difference": DIFFERENCE.enlarged * (LEARNED - EXACT)}
LEGEND = {
    "learned": "from a place to its reconstruction",
    "exact": "from a place to its exact reconstruction",
    "difference": "from the exact reconstruction to the learned, × 4",
}


def one_arrow(field, exact, name):
    """A field that differs from 0 in one place alone, and its settings."""
    settings = BARE.replace(layer=name, arrows="grid", colour_max=0.01, theme="light")
    moved, best = np.zeros((2, 6, 8, 2))
    moved[4, 1], best[4, 1] = LEARNED, EXACT
    return settings, field(
        settings, displacement=moved, curl=np.ones((6, 8)), basins=np.ones((6, 8)),
        exact=exact(settings, displacement=best),
    )  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_the_arrows_are_those_of_the_layer(name, field, exact, paint):
    settings, shown = one_arrow(field, exact, name)
    picture = paint(settings, shown)
    without = paint(settings.replace(arrows="samples"), shown)  # there are no samples
    assert picture.pixel(0.0, 0.0) == without.pixel(0.0, 0.0)

    def inked(place) -> bool:
        return any(
            picture.colour(*place, *each) != without.colour(*place, *each)
            for each in itertools.product((-1, 0, 1), repeat=2)
        )

    for kind, tip in TIPS.items():
        for part in (0.3, 0.6, 0.9):
            assert inked(HERE + part * tip) == (kind == ARROWS[name]), (kind, part)
    assert not inked(HERE + 1.1 * TIPS[ARROWS[name]]), "it goes on behind its tip"


@pytest.mark.parametrize("name", LAYERS)
def test_the_legend_says_what_the_arrows_are(name, field, exact, paint):
    texts = paint(*one_arrow(field, exact, name)).texts()
    (said,) = [text for text in texts if "reconstruction" in text]
    length, what = said.split(", ", 1)
    assert what == LEGEND[ARROWS[name]]
    assert float(length) > 0.0


# Without an exact reference


WORKING = "working it out …"
NO_NOISE = "no exact reference without noise"
CLIFFS = "no exact ambiguity: here the exact denoiser has cliffs"


@pytest.mark.parametrize("noise", [0.3, 0.0])
@pytest.mark.parametrize("name", [name for name, kind in ARROWS.items() if kind != "learned"])
def test_a_missing_exact_field_is_told_and_nothing_drawn_in_its_place(name, noise, field, paint):
    settings = BARE.replace(layer=name, arrows="grid", noise=noise)
    picture = paint(settings, field(settings, displacement=MOVED, ambiguity=LEARNED_A))
    assert (NO_NOISE if noise == 0.0 else WORKING) in picture.texts()
    (x0, y0), (x1, y1) = (map(int, picture.pixel(*corner)) for corner in ((-3.9, 2.9), (3.9, -2.9)))
    seen = {picture.image.pixelColor(x, y).name() for x in range(x0, x1) for y in range(y0, y1)}
    lines = {picture.colour(0.0, 2.0), picture.colour(0.0, 0.0)}  # through the origin, and where they cross
    assert seen == {DARK.figure, *lines}, "something is drawn"
    assert not picture.figure.panels[0].bar.isVisible()
    assert LAYERS[name].symbol not in picture.texts()


def test_the_learned_field_needs_no_exact_one(field, paint):
    for name in (name for name, kind in ARROWS.items() if kind == "learned"):
        settings = BARE.replace(layer=name, arrows="grid", noise=0.0)
        shown = field(settings, displacement=MOVED, curl=CURL, basins=ALONG)
        assert not {NO_NOISE, WORKING, CLIFFS} & {*paint(settings, shown).texts()}, name


@pytest.mark.parametrize(("known", "noise"), [(False, 0.3), (True, 0.3), (False, 0.0)])
def test_basins_that_are_on_their_way_are_not_put_down_to_the_exact_denoiser(
    known, noise, field, exact, paint
):
    settings = BARE.replace(layer="basins", noise=noise)
    texts = {*paint(settings, field(settings, exact=exact(settings) if known else None)).texts()}
    assert {NO_NOISE, WORKING, CLIFFS} & texts == {WORKING}
    assert not any("exact" in text for text in texts)


def test_where_the_exact_denoiser_has_cliffs_its_ambiguity_is_told_missing(field, exact, paint):
    settings = BARE.replace(layer="exact-ambiguity", exact_midline=True)
    picture = paint(settings, field(settings, exact=exact(settings, displacement=BEST, ambiguity=None)))
    assert {CLIFFS, "exact midline: none, the exact denoiser has cliffs"} <= {*picture.texts()}
    assert not any(picture.shows(DARK.exact, x, y) for y, x in CENTRES)
    settings = settings.replace(layer="exact")
    texts = paint(settings, field(settings, exact=exact(settings, displacement=BEST, ambiguity=None))).texts()
    assert CLIFFS not in texts
    assert "‖r* − ŷ‖" in texts


@pytest.mark.parametrize(("noise", "why"), [(0.3, "working it out …"), (0.0, "none without noise")])
def test_the_legend_says_why_there_is_no_exact_midline(noise, why, field, paint):
    settings = BARE.replace(exact_midline=True, noise=noise)
    assert f"exact midline: {why}" in paint(settings, field(settings)).texts()


@pytest.mark.parametrize("sketch", [False, True])
def test_a_sketch_is_called_one(sketch, field, exact, paint):
    settings = BARE.replace(layer="exact")
    picture = paint(settings, field(settings, exact=exact(settings, displacement=BEST, sketch=sketch)))
    assert ("exact field: a sketch, working it out …" in picture.texts()) == sketch
    assert picture.figure.is_sketch == sketch
