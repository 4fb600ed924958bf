"""Two runs at once: the same layer of either, on one scale, side by side or with a line between them."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from panels import BARE, CENTRES, assert_colours, views
from PyQt6.QtGui import QImage

from aeviz.core.clean_data import clean_data
from aeviz.core.layers import LAYERS
from aeviz.core.settings import SIZE, SPECS, SPLIT_SIZE
from aeviz.figure.composition import Beside
from aeviz.figure.export import image_of, picture_bytes
from aeviz.figure.figure import FieldFigure
from aeviz.figure.heatmap import colours
from aeviz.figure.scale import DIVERGING

SIZES = [(900, 600), (1_440, 800), (333, 777), (640, 360), (2_500, 1_999)]
MODES = SPECS["compare"].choices
WIPE = BARE.replace(compare="wipe")
RNG = np.random.default_rng(5)
MAGNITUDES = RNG.uniform(0.0, 0.3, (6, 8)), RNG.uniform(0.5, 0.7, (6, 8))  # of other colours
FIRST, SECOND = (colours(each, 0.0, 1.0, "viridis") for each in MAGNITUDES)
NAMES = "Run 1 · epoch 400", "Run 2 · epoch 137"


def moved(magnitude: np.ndarray) -> np.ndarray:
    """Displacements of these lengths, all to the right."""
    return np.stack((magnitude, np.zeros_like(magnitude)), axis=-1)


@pytest.fixture
def first(field):
    return field(BARE, displacement=moved(MAGNITUDES[0]), data=np.array([[0.5, 0.5]]))


@pytest.fixture
def second(field):
    return field(BARE, displacement=moved(MAGNITUDES[1]), data=np.array([[-1.5, -0.5]]))


@pytest.fixture
def figure(qapp, first, second, other_run) -> FieldFigure:
    figure = FieldFigure(BARE, clean_data(BARE))
    figure.resize(900, 760)
    figure.set_field(first, beside=other_run(second))
    return figure


# Side by side


@pytest.mark.parametrize("compare", ["off", "split"])
def test_each_half_shows_the_first_layer_of_its_own_run_under_its_name(
    compare, first, second, paint, name_of, other_run
):
    picture = paint(BARE.replace(compare=compare), first, beside=other_run(second))
    assert len(picture.figure.boxes) == 2
    assert_colours(picture, 0, FIRST, name_of)
    assert_colours(picture, 1, SECOND, name_of)
    texts = picture.texts()
    assert [text for text in texts if text in NAMES] == [*NAMES]
    assert not {LAYERS[name].title for name in LAYERS} & {*texts}
    assert LAYERS["ambiguity"].symbol not in texts


@pytest.mark.parametrize("size", SIZES)
def test_the_halves_are_equally_large_apart_and_inside(size, figure):
    figure.resize(*size)
    left, right = (panel.box.geometry() for panel in figure.panels)
    assert (left.width(), left.height(), left.top()) == (right.width(), right.height(), right.top())
    assert left.right() < right.left()
    assert left.width() > 0.15 * size[0]
    assert figure.rect().contains(left.united(right))
    bar = figure.panels[0].bar
    assert bar.pos().y() > left.bottom()
    assert figure.rect().right() > bar.pos().x() + bar._length > right.left(), "it is not below both"


@pytest.mark.parametrize("moved", [0, 1])
def test_whichever_half_is_moved_both_show_the_same_part_of_the_plane(moved, figure):
    home, box = views(figure), figure.panels[moved].box
    for move in (lambda: box.translateBy((0.7, -0.4)), lambda: box.scaleBy((0.3, 0.3))):
        before = views(figure)
        move()
        one, other = views(figure)
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
        assert np.abs(np.subtract(one, before[0])).max() > 0.1, "nothing has moved"
    figure.home()
    np.testing.assert_allclose(views(figure), home, rtol=0, atol=1e-9)


@pytest.mark.parametrize("compare", MODES)
def test_what_is_in_view_stays_in_view_while_runs_come_and_go(compare, figure, first, second, other_run):
    figure.set_settings(BARE.replace(compare=compare))
    figure.box.scaleBy((0.31, 0.31))
    figure.box.translateBy((0.9, -0.3))
    before, grid = views(figure)[0], figure.grid_in_view()
    for beside in (None, other_run(second), None):
        figure.set_field(first, beside=beside)
        for view in views(figure):
            np.testing.assert_allclose(view, before, rtol=0, atol=2e-3)  # a fifth of a pixel
        assert figure.grid_in_view() == grid


@pytest.mark.parametrize("compare", MODES)
def test_one_run_alone_leaves_nothing_of_the_other(compare, first, second, paint, other_run):
    settings = BARE.replace(compare=compare, arrows="grid", midline=True, show_data=True)
    alone = paint(settings, first)
    picture = paint(settings, first, beside=other_run(second))
    picture.figure.resize(alone.figure.size())
    picture.figure.show_cross((0.3, 0.4))
    assert image_of(picture.figure) != alone.image
    picture.figure.set_field(first)
    picture.figure.show_cross(None)
    again = type(picture)(picture.figure)
    assert again.image == alone.image
    assert again.texts() == alone.texts()


def test_a_name_that_is_too_long_keeps_its_end_and_stays_in_its_half(first, second, paint):
    names = (
        "The first attempt, with little noise, a wide network and a very long name · epoch 12,345",
        "The second attempt, of which there is as much to say as of the first · epoch 1,234",
    )
    for settings in (BARE, WIPE):
        picture = paint(settings, first, beside=Beside(second, (), names[1], names[0]))
        picture.figure.resize(640, 500)
        told = [text for text in picture.texts() if "epoch" in text]
        for text, name in zip(told, names, strict=True):
            start, end = text.split("…")
            assert name.startswith(start)
            assert name.endswith(end)
            assert "epoch" in end
            share = 1.0 if settings is BARE else 0.5
            assert len(text) * 5.0 < share * picture.figure.box.rect().width()  # px of a letter, at least


# One scale for both


# For each layer what is coloured in either run, and what the field then has.
COLOURED = {
    "magnitude": (MAGNITUDES, lambda values, _: {"displacement": moved(values)}),
    "ambiguity": ([4.0 * each for each in MAGNITUDES], lambda values, _: {"ambiguity": values}),
    "curl": ((MAGNITUDES[0] - 0.2, MAGNITUDES[1] - 0.9), lambda values, _: {"curl": values}),
    "exact-energy": (
        [3.0 * each for each in MAGNITUDES], lambda values, exact: {"exact": exact(BARE, log_density=-values)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("name", COLOURED)
def test_the_automatic_colour_range_is_over_both_runs(name, swapped, field, exact, paint, name_of, other_run):
    values, parts = COLOURED[name]
    values = values[::-1] if swapped else values
    settings = BARE.replace(layer=name, colour_range="automatic")
    one, other = (field(settings, **parts(each, exact)) for each in values)
    picture = paint(settings, one, beside=other_run(other))
    low, high, colour_map = np.min(values), np.max(values), "viridis"
    if name in ("magnitude", "ambiguity"):
        low = 0.0
    if name == "curl":
        low, high, colour_map = -np.abs(values).max(), np.abs(values).max(), DIVERGING
    for panel, each in enumerate(values):
        assert_colours(picture, panel, colours(each, low, high, colour_map), name_of)
    texts = picture.texts()
    assert {f"{value:.3g}".replace("-", "−") for value in (low, high)} <= {*texts}
    assert texts.count(LAYERS[name].symbol) == 1, "there is more than one colour bar"


@pytest.mark.parametrize("compare", MODES)
def test_one_colour_bar_is_for_both(compare, first, second, paint, other_run):
    settings = BARE.replace(compare=compare, colour_max=0.8)
    picture = paint(settings, first, beside=other_run(second))
    assert [panel.bar.isVisible() for panel in picture.figure.panels] == [True, False]
    texts = picture.texts()
    assert texts.count("‖ỹ − ŷ‖") == texts.count("0.8") == texts.count("0.4") == 1
    plain = paint(settings.replace(layer="none"), first, beside=other_run(second))
    assert not any(panel.bar.isVisible() for panel in plain.figure.panels)
    same = paint(settings.replace(layer="none", beside="none"), first, beside=other_run(second))
    assert plain.image == same.image, "room is kept for the second layer’s bar"


def test_scaled_arrows_are_as_long_in_one_half_as_in_the_other(first, second, paint, other_run):
    settings = BARE.replace(arrows="grid", arrow_length="scaled")
    picture = paint(settings, first, beside=other_run(second))
    drawn = [panel._grid_arrows._vector for panel in picture.figure.panels]
    factor = 1.0 / MAGNITUDES[1].max()  # the longest of all is as long as a cell
    for vectors, magnitude in zip(drawn, MAGNITUDES, strict=True):
        np.testing.assert_allclose(vectors[:, 0], factor * magnitude.ravel(), rtol=1e-12)
    (key,) = [entry for entry in picture.figure._legend._entries if entry.sign == "arrow"]
    assert key.text.endswith(f"from a place to its reconstruction, × {factor:.2g}")


# Wiped


@pytest.mark.parametrize("at", [0.0, 0.3, 0.5, 0.77, 1.0])
def test_left_of_the_line_is_the_first_run_right_of_it_the_second(
    at, first, second, paint, name_of, other_run
):
    picture = paint(WIPE.replace(wipe=at), first, beside=other_run(second))
    box = picture.figure.box.geometry()
    known = 0
    for (y, x), one, other in zip(CENTRES, FIRST.ravel(), SECOND.ravel(), strict=True):
        away = picture.pixel(x, y)[0] - box.left() - at * box.width()
        if abs(away) > 6.0:  # the line and its handle
            known += 1
            down = 0.3 * box.height() / 6
            assert picture.colour(x, y, 0.0, down) == name_of(one if away < 0.0 else other), (x, y)
    assert known >= 40
    assert {*NAMES} <= {*picture.texts()}
    assert [panel.title._from_right for panel in picture.figure.panels] == [False, True]


def test_over_the_other_run_no_cross_is_drawn_beside_the_cursor(first, second, paint, other_run):
    picture = paint(WIPE, first, beside=other_run(second))
    picture.figure.show_cross((-1.4, 1.2))
    assert image_of(picture.figure) == picture.image


# In files


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="needs librsvg's rsvg-convert")
@pytest.mark.parametrize("compare", MODES)
def test_an_svg_holds_both_runs(compare, first, second, paint, name_of, other_run):
    picture = paint(BARE.replace(compare=compare), first, beside=other_run(second))
    width, height = SIZE if compare == "wipe" else SPLIT_SIZE
    assert (picture.image.width(), picture.image.height()) == (width, height)
    convert = ["rsvg-convert", "--width", str(width), "--height", str(height)]
    svg = picture_bytes(picture.figure, ".svg")
    done = subprocess.run(convert, input=svg, capture_output=True, check=True)
    picture.image = QImage.fromData(done.stdout, "PNG")
    for panel, packed in enumerate((FIRST, SECOND)):
        side = (lambda x: x < 0, lambda x: x > 0) if compare == "wipe" else (lambda _: True,) * 2
        assert_colours(picture, panel, packed, name_of, side[panel])
