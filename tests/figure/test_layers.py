"""What is painted, and where: asked of the pixels."""

from __future__ import annotations

import itertools

import numpy as np
import pyqtgraph as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QPointF, QRectF

from aeviz.core.settings import SPECS, Settings
from aeviz.figure.heatmap import HeatMapLayer, colours
from aeviz.figure.layer import Layer
from aeviz.figure.panel import Box
from aeviz.figure.scale import DIVERGING
from aeviz.figure.theme import DARK, LIGHT, theme_of

# The origin lies between cells, so that its lines cross no cell's middle.
BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", midline=False, show_data=False, noise=0.3
)
CENTRES = [*itertools.product(np.linspace(-2.5, 2.5, 6), np.linspace(-3.5, 3.5, 8))]  # (y, x), row by row


@pytest.mark.parametrize("name", [*SPECS["colour_map"].choices, DIVERGING])
def test_colours_are_those_of_the_colour_map(name):
    values = np.linspace(-1.0, 3.0, 1_001)
    packed = colours(values, -1.0, 3.0, name)
    ours = np.stack([packed >> shift & 0xFF for shift in (16, 8, 0)], axis=1).astype(int)
    theirs = pg.colormap.get(name).map((values + 1.0) / 4.0)[:, :3].astype(int)
    assert np.abs(ours - theirs).max() <= 7  # two neighbours of the 256 colours differ by up to 7
    assert (packed >> 24 == 0xFF).all()


@given(st.floats(-50.0, 50.0), st.floats(0.01, 100.0), st.sampled_from(SPECS["colour_map"].choices))
def test_what_is_off_the_scale_takes_its_ends_and_what_is_no_number_the_unknown_colour(low, span, name):
    high = low + span
    bottom, top = colours(np.array([low, high + 1e-9 * span]), low, high, name)
    below = colours(np.array([low - 0.01 * span, -1e300, -np.inf]), low, high, name)
    above = colours(np.array([high + 0.01 * span, 1e300, np.inf]), low, high, name)
    assert {*below} == {bottom}
    assert {*above} == {top}
    assert bottom != top
    unknown = colours(np.array([[np.nan, low], [high, np.nan]]), low, high, name, "#123456")
    assert (unknown == [[0xFF123456, bottom], [colours(np.array(high), low, high, name), 0xFF123456]]).all()


@given(
    st.floats(-900, 900), st.floats(-900, 900), st.floats(-3, 2), st.floats(50, 2_000), st.floats(50, 2_000)
)
def test_a_layer_maps_the_plane_as_its_view_box_does(qapp, x, y, power, width, height):
    box = Box(enableMenu=False)
    box.setGeometry(QRectF(0, 0, width, height))
    span = 10.0**power
    box.setRange(xRange=(x, x + span), yRange=(y, y + 0.7 * span), padding=0.0)
    layer = HeatMapLayer(box, 0)
    assert isinstance(layer, Layer)
    places = np.array([[x, y], [x + span, y + 0.7 * span], [x + 0.3 * span, y - span]])
    theirs = [box.mapFromView(QPointF(*place)) for place in places]
    rounding = 1e-6 * max(width, height) * max(1.0, max(abs(x), abs(y)) / span)
    np.testing.assert_allclose(
        layer.to_pixels(places), [(point.x(), point.y()) for point in theirs], rtol=0, atol=rounding
    )


def test_every_cell_has_the_colour_of_its_magnitude(field, paint, name_of):
    magnitude = np.linspace(0.02, 1.1, 48).reshape(6, 8)  # grows to the right and upwards
    angle = np.linspace(0.0, 40.0, 48).reshape(6, 8)
    moved = magnitude[..., None] * np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    picture = paint(BARE, field(BARE, displacement=moved))
    half = (picture.pixel(1.0, 0.0)[0] - picture.pixel(0.0, 0.0)[0]) / 2.0
    assert half > 20.0
    for (y, x), colour in zip(CENTRES, colours(magnitude, 0.0, 1.0, "viridis").ravel(), strict=True):
        for right, down in itertools.product((-0.9 * half, 0.0, 0.9 * half), repeat=2):
            assert picture.colour(x, y, right, down) == name_of(colour), (x, y, right, down)


def test_the_ambiguity_layer_runs_to_twice_the_threshold(field, paint, name_of):
    ambiguity = np.linspace(-1.0, 7.0, 48).reshape(6, 8)
    settings = BARE.replace(layer="ambiguity", threshold=3.0, colour_map="magma")
    picture = paint(settings, field(settings, ambiguity=ambiguity))
    for (y, x), colour in zip(CENTRES, colours(ambiguity, 0.0, 6.0, "magma").ravel(), strict=True):
        assert picture.colour(x, y) == name_of(colour)
    assert {"0", "3", "6", "a"} <= {*picture.texts()}


def test_an_automatic_range_ends_at_the_largest_value(field, paint, name_of):
    moved = np.zeros((6, 8, 2))
    moved[2, 3] = 0.03, 0.04
    settings = BARE.replace(colour_range="automatic")
    picture = paint(settings, field(settings, displacement=moved))
    bottom, top = colours(np.array([0.0, 1.0]), 0.0, 1.0, "viridis")
    assert picture.colour(-0.5, -0.5) == name_of(top)
    assert picture.colour(0.5, -0.5) == name_of(bottom)
    assert "0.05" in picture.texts()
    still = paint(settings, field(settings))  # nothing moves: no division by zero
    assert still.colour(-0.5, -0.5) == name_of(bottom)


@pytest.mark.parametrize("theme", ["dark", "light", "lecture"])
def test_points_are_where_they_belong(theme, field, paint):
    settings = BARE.replace(
        theme=theme, layer="none", show_data=True, show_noisy=True, show_reconstruction=True
    )
    data = np.array([[-3.2, 2.3], [0.4, 0.6], [3.7, -2.7]])
    noisy, reconstruction = data + np.array([0.25, 0.0]), data - np.array([0.0, 0.3])
    reconstruction[2] = 1.5, -2.0
    far = np.array([[400.0, 0.0], [4.07, 1.0], [0.0, -9.0]])
    picture = paint(
        settings,
        field(
            settings, data=np.concatenate((data, far)), noisy=np.concatenate((noisy, far)),
            reconstruction=np.concatenate((reconstruction, far)),
        ),
    )  # fmt: skip
    colours = theme_of(theme)
    for points, colour in ((data, colours.data), (noisy[:2], colours.noisy),
                           (reconstruction, colours.reconstruction)):  # fmt: skip
        for point in points:
            assert picture.colour(*point) == colour
            for right, down in itertools.product((-7, 7), repeat=2):
                assert picture.colour(*point, right, down) == colours.figure
    assert picture.colour(4.07, 1.0) == colours.figure, "a point out of view is painted"


def test_nothing_is_painted_that_is_switched_off(field, paint):
    data = np.array([[0.4, 0.6], [-1.4, -1.6]])
    settings = BARE.replace(layer="none")
    still = field(settings, data=data, noisy=data + 0.2, reconstruction=data - 0.2)
    picture, empty = paint(settings, still), paint(settings, field(settings))
    assert picture.image == empty.image


def test_the_outline_is_where_the_ambiguity_crosses_the_threshold(field, paint):
    settings = BARE.replace(layer="none", midline=True, threshold=2.5, grid=(80, 60))
    x, y = np.meshgrid(np.linspace(-3.5, 3.5, 80), np.linspace(-2.5, 2.5, 60))
    picture = paint(settings, field(settings, ambiguity=2.5 + 4.0 - (x - 0.5) ** 2 - y**2))  # a circle, r = 2
    for angle in np.arange(0.05, 6.2, 0.2):
        direction = np.array([np.cos(angle), np.sin(angle)])
        assert picture.colour(*([0.5, 0.0] + 2.0 * direction)) == DARK.midline
        for radius in (1.85, 2.15):
            assert picture.colour(*([0.5, 0.0] + radius * direction)) in (DARK.figure, picture.colour(0, 2.6))
    assert "learned midline: a > 2.5" in picture.texts()


@pytest.mark.parametrize("ambiguity", [np.nan, np.inf, 0.0])
def test_an_outline_of_nothing_is_nothing(ambiguity, field, paint):
    settings = BARE.replace(layer="none", midline=True)
    picture = paint(settings, field(settings, ambiguity=np.full((6, 8), ambiguity)))
    assert DARK.midline not in {picture.colour(x, y) for y, x in CENTRES}


def test_an_arrow_ends_at_the_reconstruction(field, paint):
    settings = BARE.replace(theme="light", layer="none", arrows="grid")
    moved = np.zeros((6, 8, 2))
    moved[4, 1] = 3.3, -1.7  # from (−2.5, 1.5)
    picture = paint(settings, field(settings, displacement=moved))
    start, vector = np.array([-2.5, 1.5]), moved[4, 1]
    for part in (0.05, 0.3, 0.5, 0.7, 0.9, 0.98):
        if abs(start + part * vector).min() > 0.1:  # the lines through the origin lie below it
            assert picture.colour(*(start + part * vector)) != LIGHT.figure
    for part in (-0.02, 1.02):
        assert picture.colour(*(start + part * vector)) == LIGHT.figure


def test_sample_arrows_lead_from_noisy_to_reconstructed_points(field, paint):
    settings = BARE.replace(layer="none", arrows="samples")
    noisy, reconstruction = np.array([[-3.0, -2.0]]), np.array([[-1.0, 2.0]])
    picture = paint(settings, field(settings, noisy=noisy, reconstruction=reconstruction, data=noisy))
    middle = picture.image.pixelColor(*(int(each) for each in picture.pixel(-2.0, 0.02)))
    assert middle.name() != DARK.figure
    assert picture.colour(-2.5, -1.0) != DARK.figure
    assert picture.colour(-1.5, 1.0) != DARK.figure
    assert picture.colour(-1.5, 0.8) == DARK.figure
    assert picture.colour(-3.05, -2.1) == DARK.figure


def test_scaled_arrows_fit_their_cells_and_keep_their_proportions(field, paint):
    settings = BARE.replace(theme="light", layer="none", arrows="grid", arrow_length="scaled")
    moved = np.zeros((6, 8, 2))
    moved[4, 1], moved[1, 1] = (4.0, 0.0), (2.0, 0.0)  # one cell is 1 wide
    picture = paint(settings, field(settings, displacement=moved))
    for y, length in ((1.5, 1.0), (-1.5, 0.5)):
        assert picture.colour(-2.5 + 0.9 * length, y) != LIGHT.figure
        assert picture.colour(-2.5 + 1.1 * length, y) == LIGHT.figure
    assert any(text.endswith("from a place to its reconstruction, × 0.25") for text in picture.texts())


@pytest.mark.parametrize("layer", ["none", "magnitude", "exact", "difference"])
def test_sample_arrows_are_the_networks_whatever_the_layer(layer, field, paint):
    settings = BARE.replace(theme="light", layer=layer, arrows="samples", arrow_length="scaled")
    noisy, reconstruction = np.array([[-2.5, 1.5], [-2.5, -1.5]]), np.array([[1.5, 1.5], [-0.5, -1.5]])
    picture = paint(settings, field(settings, noisy=noisy, reconstruction=reconstruction, data=noisy))
    (text,) = [text for text in picture.texts() if "reconstruction" in text]
    assert text.endswith("from a noisy point to its reconstruction, × 0.25")
    if layer == "none":  # one cell is 1 wide, the longest arrow 4
        for y, length in ((1.5, 1.0), (-1.5, 0.5)):
            assert picture.colour(-2.5 + 0.9 * length, y) != LIGHT.figure
            assert picture.colour(-2.5 + 1.1 * length, y) == LIGHT.figure


def test_sample_arrows_beside_others_keep_their_length_and_have_their_own_entry(field, paint):
    settings = BARE.replace(theme="light", layer="difference", arrows="both", arrow_length="true")
    noisy, reconstruction = np.array([[-2.5, 0.5]]), np.array([[-0.5, 0.5]])
    shown = field(settings, noisy=noisy, reconstruction=reconstruction, data=noisy)
    texts = paint(settings, shown).texts()
    assert "from a noisy point to its reconstruction" in texts
    assert any("from the exact reconstruction to the learned" in text for text in texts)
    alone = paint(settings.replace(layer="none"), shown)
    assert "from a noisy point to its reconstruction" not in alone.texts(), "it is the grid's own"
