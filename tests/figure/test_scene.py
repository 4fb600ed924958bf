"""The figure as a whole: what is in view, what the legend says, that nothing leaves its place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Field, Grid
from aeviz.core.layers import DIFFERENCE
from aeviz.core.settings import SPECS, Settings
from aeviz.figure.figure import FieldFigure
from aeviz.figure.panel import MOST_POINTS
from aeviz.figure.scale import MOST_ARROWS
from aeviz.figure.theme import DARK, LECTURE, LIGHT, theme_of

SIZES = [(900, 760), (1_600, 700), (333, 777), (301, 299), (2_500, 1_999)]
SMALL = Settings(grid=(10, 8), extent=(-1.9, 1.7, -1.3, 1.5))


def zoom(figure: FieldFigure, factor: float) -> None:
    figure.box.scaleBy((factor, factor))


@pytest.fixture
def figure(qapp: object) -> FieldFigure:
    figure = FieldFigure(SMALL, clean_data(SMALL))
    figure.resize(900, 760)
    return figure


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "settings", [Settings(), SMALL, Settings(grid=(21, 41), extent=(0.0, 4.0, -3.0, 2.0))]
)
def test_the_first_view_is_the_grid_of_the_settings(settings, size, qapp):
    figure = FieldFigure(settings, clean_data(settings))
    figure.resize(*size)
    assert figure.grid_in_view() == Grid.home(settings, clean_data(settings))
    zoom(figure, 0.2)
    figure.home()
    assert figure.grid_in_view() == Grid.home(settings, clean_data(settings))


@pytest.mark.parametrize(
    ("factor", "cells"), [(0.5, 0.5), (0.25, 0.25), (2.0, 2.0), (4.0, 4.0), (0.6, 0.5), (1.3, 1)]
)
def test_cells_halve_and_double_as_the_view_zooms(factor, cells, figure):
    home = Grid.home(SMALL, clean_data(SMALL))
    zoom(figure, factor)
    grid = figure.grid_in_view()
    np.testing.assert_allclose(grid.cell, np.multiply(home.cell, cells), rtol=1e-9)
    (x0, x1), (y0, y1) = figure.box.viewRange()
    half = 0.5 * np.array(grid.cell)
    # Covered but for 2 hundredths of a cell, which no one sees, and by less than one cell too many.
    slack = 0.05 * half
    assert (np.array([grid.extent[0], grid.extent[2]]) - half <= np.array([x0, y0]) + slack).all()
    assert (np.array([grid.extent[1], grid.extent[3]]) + half >= np.array([x1, y1]) - slack).all()
    assert (np.array([grid.extent[0], grid.extent[2]]) + half > np.array([x0, y0]) - slack).all()


@pytest.mark.parametrize("way", [(0.13, 0.0), (-7.77, 3.21), (500.0, -1e3)])
@pytest.mark.parametrize("factor", [1.0, 0.5, 2.0])
def test_cells_keep_their_places_while_the_view_moves(way, factor, figure):
    zoom(figure, factor)
    before = figure.grid_in_view()
    figure.box.translateBy(way)
    after = figure.grid_in_view()
    for one, other, cell in ((before.x, after.x, before.cell[0]), (before.y, after.y, before.cell[1])):
        steps = (other[0] - one[0]) / cell
        assert steps == pytest.approx(round(steps), abs=1e-6)
    np.testing.assert_allclose(after.cell, before.cell, rtol=1e-9)


def test_scales_stay_equal_however_the_view_is_moved(figure):
    figure.box.translateBy((3.0, 1.0))
    zoom(figure, 0.37)
    (x0, x1), (y0, y1) = figure.box.viewRange()
    rect = figure.box.rect()
    assert rect.width() / (x1 - x0) == pytest.approx(rect.height() / (y1 - y0), rel=1e-3)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("compare", SPECS["compare"].choices)
@pytest.mark.parametrize("layer", ["magnitude", "none"])
def test_everything_is_inside_the_figure(size, layer, compare, qapp, best):
    settings = Settings(
        points=30, layer=layer, beside=layer, compare=compare, show_noisy=True, show_reconstruction=True
    )
    figure = FieldFigure(settings, clean_data(settings))
    figure.resize(*size)
    figure.set_field(best(settings))
    figure.resize(size[0] + 1, size[1])  # as the window does after the first field
    rect, inside = figure.box.geometry(), figure.rect().adjusted(-1.0, -1.0, 1.0, 1.0)
    for box in figure.boxes:
        assert inside.contains(box.geometry())
    assert rect.width() > (0.3 if compare != "split" else 0.2) * min(size)
    legend = figure._legend.mapRectToParent(figure._legend.boundingRect())
    assert legend.bottom() <= rect.top(), "the legend lies over the field"
    for item in figure.childItems():
        if item.isVisible() and item not in figure.boxes:
            bounds = item.mapRectToParent(item.boundingRect())
            assert bounds.top() >= -10.0, item
            assert bounds.bottom() <= size[1] + 25.0, item
    if layer == "magnitude" and size[0] >= 900 and rect.width() > 400.0:
        cell = rect.width() / settings.grid[0]
        assert cell == pytest.approx(round(cell), abs=0.03), "cells are not whole pixels"


@pytest.mark.parametrize("name", ["dark", "light", "lecture"])
def test_a_theme_paints_the_surroundings(name, field, paint):
    settings = SMALL.replace(theme=name)
    picture = paint(settings, field(settings))
    assert picture.image.pixelColor(2, 2).name() == theme_of(name).figure
    picture.figure.set_settings(settings.replace(theme="light"))
    assert type(picture)(picture.figure).image.pixelColor(2, 2).name() == LIGHT.figure


def test_themes_differ(qapp):
    assert [theme_of(name) for name in ("dark", "light", "lecture")] == [DARK, LIGHT, LECTURE]
    assert theme_of("system") in (DARK, LIGHT)


def test_the_legend_names_what_is_drawn_and_nothing_else(paint, best):
    every = Settings(points=20, show_noisy=True, show_reconstruction=True)
    none = every.replace(
        show_data=False, show_noisy=False, show_reconstruction=False, arrows="none", midline=False
    )
    texts = paint(every, best(every)).texts()
    assert {"data y", "noisy ŷ", "reconstruction ỹ", "learned midline: a > 2", "‖ỹ − ŷ‖"} <= {*texts}
    assert any(text.endswith("from a place to its reconstruction") for text in texts)
    left = {*paint(none, best(none)).texts()}
    assert left & {*texts} <= {
        text for text in left if text.replace("−", "-").replace(".", "").lstrip("-").isdigit()
    } | {"‖ỹ − ŷ‖"}


@pytest.mark.parametrize(
    ("layer", "enlarged"), [("magnitude", 1), ("exact", 1), ("difference", DIFFERENCE.enlarged)]
)
def test_the_arrow_in_the_legend_is_as_long_as_it_says(layer, enlarged, paint, best):
    settings = Settings(points=20, layer=layer)
    figure = paint(settings, best(settings)).figure
    for factor in (1.0, 0.31, 7.0):
        zoom(figure, factor)
        figure.set_field(best(settings))
        (key,) = [entry for entry in figure._legend._entries if entry.sign == "arrow"]
        (x0, x1), _ = figure.box.viewRange()
        length = enlarged * float(key.text.split(",")[0]) * figure.box.rect().width() / (x1 - x0)
        assert key.length == pytest.approx(length, rel=1e-6)
        assert 20.0 < key.length <= 60.0


@pytest.mark.parametrize("on", [True, False])
def test_the_legend_tells_the_decoders_reach(on, paint, field):
    settings = SMALL.replace(decoder=on)
    lines = (np.array([[-1.0, -1.0], [1.0, 1.2]]), np.array([[-1.0, 1.0], [1.0, -0.8]]))
    picture = paint(settings, field(settings, decoded=lines))
    assert ("decoder: Dec(h) over the codes of the data" in picture.texts()) == on
    for line in lines:
        for part in (0.15, 0.35, 0.8):
            place = line[0] + part * (line[1] - line[0])
            assert picture.shows(DARK.decoder, *place, within=40) == on


@pytest.mark.parametrize(("data", "known"), [("spiral", True), ("corners", False), ("drawn", False)])
def test_the_legend_says_where_there_is_no_geometric_midline(data, known, paint, field):
    settings = SMALL.replace(geometric_midline=True, data=data, drawn=(0.0, 0.0, 1.0, 1.0))
    texts = paint(settings, field(settings)).texts()
    assert ("geometric midline" in texts) == known
    assert ("geometric midline: none, these points lie on no curve" in texts) != known


@pytest.mark.parametrize("kind", ["masking", "flip"])
@pytest.mark.parametrize("layer", ["exact", "difference", "exact-ambiguity", "exact-energy"])
def test_the_legend_says_why_masks_and_flips_have_no_exact_field(layer, kind, paint, field):
    settings = SMALL.replace(noise_kind=kind, layer=layer, exact_midline=True)
    shown = dataclasses.replace(field(settings), noise=0.25, noise_kind=kind)
    texts = paint(settings, shown).texts()
    assert f"no exact field: {kind} sends points to a few places alone" in texts
    assert f"exact midline: none with {kind}" in texts
    assert "working it out …" not in " ".join(texts)
    usual = settings.replace(noise_kind="gaussian")
    assert "exact midline: working it out …" in paint(usual, field(usual)).texts()


def test_the_first_view_fits_the_data(qapp):
    for name in SPECS["data"].choices:
        settings = Settings(data=name, drawn=(40.0, 30.0, 90.0, 70.0, 20.0, 55.0))
        data = clean_data(settings)
        figure = FieldFigure(settings, data)
        figure.resize(900, 760)
        assert figure.grid_in_view() == Grid.home(settings, data)
        (x0, x1), (y0, y1) = figure.box.viewRange()
        low, high = data.box
        assert (low > (x0, y0)).all(), name
        assert (high < (x1, y1)).all(), name
        assert (high - low).max() > 0.3 * min(x1 - x0, y1 - y0), f"{name} is tiny in its view"
        asked = settings.replace(extent=(0.0, 4.0, 0.0, 3.0))
        figure.set_settings(asked)
        assert figure.grid_in_view().extent == (0.0, 4.0, 0.0, 3.0)


def test_in_the_lectures_look_the_legend_has_the_lectures_words(paint, best):
    settings = Settings(points=20, theme="lecture", midline=False)
    texts = {*paint(settings, best(settings)).texts()}
    assert {"y", "ỹ − y_grid", "‖ỹ − ŷ‖"} <= texts
    other = {*paint(settings.replace(layer="exact"), best(settings)).texts()}  # which the lecture has not
    assert "data y" in other
    assert not {"y", "ỹ − y_grid"} & other


def test_too_many_arrows_are_thinned_and_the_legend_says_so(paint, best):
    settings = Settings(points=20, grid=(200, 150))
    few = paint(settings, best(settings))
    assert MOST_ARROWS < 200 * 150
    assert any("(1 in 9 arrows shown)" in text for text in few.texts())
    assert len(few.figure.panels[0]._grid_arrows._start) == 67 * 50 <= MOST_ARROWS


def test_too_many_points_are_thinned_and_the_legend_says_so(paint, field):
    data = np.random.default_rng(0).uniform(-1.0, 1.0, (2 * MOST_POINTS + 1, 2))
    settings = SMALL.replace(show_noisy=True)
    texts = paint(settings, field(settings, data=data)).texts()
    assert {"data y (1 in 3 shown)", "noisy ŷ (1 in 3 shown)"} <= {*texts}


def test_a_frame_that_holds_fewer_points_counts_them_against_the_data(paint, field):
    data = np.zeros((5, 2))
    texts = paint(SMALL, field(SMALL, data=data)).texts()
    assert "data y" in texts


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("look", [{}, {"colour_range": "automatic", "arrow_length": "scaled"}])
@pytest.mark.filterwarnings("ignore:.*(overflow|invalid value).*:RuntimeWarning")
def test_a_field_that_is_no_number_still_gives_a_picture(broken, look, field, paint):
    settings = SMALL.replace(arrows="both", show_noisy=True, show_reconstruction=True, **look)
    points = np.full((3, 2), broken)
    shown: Field = field(
        settings, displacement=np.full((8, 10, 2), broken), ambiguity=np.full((8, 10), broken),
        noisy=np.zeros((3, 2)), data=np.ones((3, 2)), reconstruction=points,
    )  # fmt: skip
    assert "data y" in paint(settings, shown).texts()
