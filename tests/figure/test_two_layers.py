"""Two layers at once: side by side, and one on top of the other with a line between them."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pyqtgraph as pg
import pytest
from panels import BARE, CENTRES, assert_colours, views
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtTest import QTest

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.layers import LAYERS
from aeviz.core.settings import SIZE, SPLIT_SIZE, Settings
from aeviz.figure.export import picture_bytes
from aeviz.figure.figure import FieldFigure
from aeviz.figure.heatmap import colours
from aeviz.figure.theme import DARK
from aeviz.figure.view import FieldView

SIZES = [(900, 760), (1_600, 700), (333, 777), (640, 360), (2_500, 1_999)]
SPLIT, WIPE = BARE.replace(compare="split"), BARE.replace(compare="wipe")
RNG = np.random.default_rng(3)
MAGNITUDE, AMBIGUITY = RNG.uniform(0.0, 0.4, (6, 8)), RNG.uniform(2.0, 4.0, (6, 8))  # of other colours
FIRST, SECOND = colours(MAGNITUDE, 0.0, 1.0, "viridis"), colours(AMBIGUITY, 0.0, 4.0, "viridis")


@pytest.fixture
def shown(field):
    """A field that has other colours in either layer."""
    moved = np.stack((MAGNITUDE, np.zeros_like(MAGNITUDE)), axis=-1)
    return field(BARE, displacement=moved, ambiguity=AMBIGUITY, data=np.array([[0.5, 0.5]]))


@pytest.fixture
def figure(qapp, shown) -> FieldFigure:
    figure = FieldFigure(SPLIT, clean_data(SPLIT))
    figure.resize(900, 760)
    figure.set_field(shown)
    return figure


# Side by side


def test_each_half_has_its_own_layer_title_and_scale(shown, paint, name_of):
    picture = paint(SPLIT, shown)
    for panel, packed in enumerate((FIRST, SECOND)):
        assert_colours(picture, panel, packed, name_of)
    texts = picture.texts()
    for name in SPLIT.layers:
        assert texts.count(LAYERS[name].title) == texts.count(LAYERS[name].symbol) == 1
    assert {"1", "4"} <= {*texts}, "one of the scales is missing"


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_beside_itself_is_the_same_picture_twice(name, best, paint):
    settings = Settings(points=40, layer=name, beside=name, compare="split", grid=(20, 17))
    picture = paint(settings, best(settings))
    # At the usual size arrows begin halfway between two pixels, where Qt rounds one way here and one there.
    picture.figure.resize(*SIZE)
    picture = type(picture)(picture.figure)
    left, right = (panel.box.geometry().toRect() for panel in picture.figure.panels)
    below_titles = 40
    for rect in (left, right):
        rect.adjust(0, below_titles, 0, 0)
    assert picture.image.copy(left) == picture.image.copy(right)


@pytest.mark.parametrize("size", SIZES)
def test_the_halves_are_equally_large_and_apart(size, figure):
    figure.resize(*size)
    left, right = (panel.box.geometry() for panel in figure.panels)
    assert (left.width(), left.height()) == (right.width(), right.height())
    assert left.top() == right.top()
    assert left.right() < right.left()
    assert left.width() > 0.15 * size[0]


@pytest.mark.parametrize("moved", [0, 1])
def test_whichever_half_is_moved_both_show_the_same_part_of_the_plane(moved, figure):
    home = views(figure)
    assert home[0] == home[1]
    box = figure.panels[moved].box
    for move in (
        lambda: box.translateBy((0.7, -0.4)),
        lambda: box.scaleBy((0.3, 0.3)),
        lambda: box.translateBy((-20.0, 3.0)),
    ):
        before = views(figure)
        move()
        one, other = views(figure)
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
        assert np.abs(np.subtract(one, before[0])).max() > 0.1, "nothing has moved"
    figure.home()
    np.testing.assert_allclose(views(figure), home, rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "settings", [Settings(), BARE, Settings(grid=(21, 41), extent=(0.0, 4.0, -3.0, 2.0))]
)
def test_home_is_the_same_in_all_three_modes(settings, size, qapp):
    figure = FieldFigure(settings, clean_data(settings))
    figure.resize(*size)
    for compare in ("off", "split", "wipe", "split", "off"):
        figure.set_settings(settings.replace(compare=compare))
        assert figure.grid_in_view() == Grid.home(settings, clean_data(settings))
        figure.box.scaleBy((0.2, 0.2))
        assert figure.grid_in_view() != Grid.home(settings, clean_data(settings))
        figure.home()
        assert figure.grid_in_view() == Grid.home(settings, clean_data(settings))


def test_what_is_in_view_stays_in_view_while_layers_are_compared(figure):
    figure.box.scaleBy((0.31, 0.31))
    figure.box.translateBy((0.9, -0.3))
    before = views(figure)[0]
    for compare in ("off", "wipe", "split", "off"):
        figure.set_settings(SPLIT.replace(compare=compare))
        for view in views(figure):
            np.testing.assert_allclose(view, before, rtol=0, atol=2e-3)  # a fifth of a pixel


def test_one_layer_alone_leaves_nothing_of_the_other(shown, paint):
    picture, alone = paint(SPLIT, shown), paint(BARE, shown)
    alone.figure.resize(*SPLIT_SIZE)
    alone = type(alone)(alone.figure)
    assert picture.image != alone.image
    for settings in (WIPE, BARE):
        picture.figure.set_settings(settings)
    again = type(picture)(picture.figure)
    assert again.image == alone.image
    assert again.texts() == alone.texts()


def test_the_titles_tell_what_the_arrows_are_and_that_the_second_layers_are_enlarged(best, paint):
    settings = Settings(points=40, compare="split", beside="difference", grid=(20, 17))
    texts = paint(settings, best(settings)).texts()
    assert {"Learned field   ŷ → ỹ", "Difference   r* → ỹ × 4"} <= {*texts}
    assert sum("unless enlarged" in text for text in texts) == 1
    equal = settings.replace(beside="exact")
    assert not any("enlarged" in text or "×" in text for text in paint(equal, best(equal)).texts())


def test_where_no_arrows_are_drawn_none_are_explained(best, paint):
    settings = Settings(points=40, compare="split", beside="difference", arrows="none", grid=(20, 17))
    picture = paint(settings, best(settings))
    assert {"Learned field", "Difference"} <= {*picture.texts()}
    assert not any(entry.sign == "arrow" for entry in picture.figure._legend._entries)


# Wiped


@pytest.mark.parametrize("at", [0.0, 0.3, 0.5, 0.77, 1.0])
def test_left_of_the_line_is_the_first_layer_right_of_it_the_second(at, shown, paint, name_of):
    picture = paint(WIPE.replace(wipe=at), shown)
    box = picture.figure.box.geometry()
    line = box.left() + at * box.width()
    known = 0
    for (y, x), first, second in zip(CENTRES, FIRST.ravel(), SECOND.ravel(), strict=True):
        for right in (-0.3 * box.width() / 8, 0.0, 0.3 * box.width() / 8):
            away = picture.pixel(x, y)[0] + right - line
            if abs(away) > 6.0:  # the line and its handle
                known += 1
                assert picture.colour(x, y, right) == name_of(first if away < 0.0 else second), (x, y)
    assert known > 130


def test_the_line_is_drawn_where_the_layers_meet_and_titles_stand_on_their_sides(shown, paint):
    for at in (0.3, 0.6):
        picture = paint(WIPE.replace(wipe=at), shown)
        box = picture.figure.box.geometry()
        x = round(box.left() + at * box.width())
        assert DARK.text in {picture.image.pixelColor(x, y).name() for y in range(int(box.top()), 300)}
        assert {LAYERS[name].title for name in WIPE.layers} <= {*picture.texts()}
    left, right = (panel.title for panel in picture.figure.panels)
    assert (left._from_right, right._from_right) == (False, True)


@pytest.mark.parametrize("at", [0.2, 0.7])
def test_points_and_outlines_are_whole_across_the_line(at, field, paint):
    settings = WIPE.replace(wipe=at, midline=True, show_data=True, layer="none", beside="none", grid=(80, 60))
    x, y = np.meshgrid(np.linspace(-3.5, 3.5, 80), np.linspace(-2.5, 2.5, 60))
    points = np.array([[-3.0, 0.0], [3.0, 1.0]])
    picture = paint(settings, field(settings, ambiguity=2.0 + 4.0 - (x - 0.5) ** 2 - y**2, data=points))
    for angle in np.arange(0.05, 6.2, 0.2):
        place = np.array([0.5, 0.0]) + 2.0 * np.array([np.cos(angle), np.sin(angle)])
        box = picture.figure.box.geometry()
        if abs(picture.pixel(*place)[0] - box.left() - at * box.width()) > 6.0:
            assert picture.colour(*place) == DARK.midline
    assert picture.colour(-3.0, 0.0) == picture.colour(3.0, 1.0) == DARK.data


@pytest.fixture
def view(qtbot, shown, monkeypatch) -> FieldView:
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)  # this mouse is faster than a hand
    view = FieldView(WIPE, clean_data(WIPE))
    qtbot.addWidget(view)
    view.resize(700, 600)
    view.figure.set_field(shown)
    with qtbot.waitExposed(view):
        view.show()
    return view


def drag(view, start, end):
    window = view.windowHandle()
    QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 11):
        QTest.mouseMove(window, start + (end - start) * (step / 10.0))
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=end)


@pytest.mark.parametrize(("to", "wiped"), [(0.2, 0.2), (0.83, 0.83), (-0.5, 0.0), (1.05, 1.0)])
def test_the_line_is_dragged_and_the_view_stays(to, wiped, view):
    said: list[float] = []
    view.figure.wiped.connect(said.append)
    view.probed.connect(lambda _: pytest.fail("the drag was taken for a click"))
    box, before = view.figure.box.geometry(), views(view.figure)
    start = QPoint(round(box.left() + 0.5 * box.width()), round(box.top() + 0.3 * box.height()))
    drag(view, start, QPoint(round(box.left() + to * box.width()), round(box.center().y())))
    assert said[-1] == pytest.approx(wiped, abs=1.0 / box.width())
    assert len(said) > 3, "it does not follow the mouse"
    assert views(view.figure) == before


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_a_click_on_the_line_drops_nothing(button, view):
    said: list[object] = []
    for signal in (view.probed, view.clouded, view.figure.wiped):
        signal.connect(said.append)
    box = view.figure.box.geometry()
    on_line = QPoint(round(box.left() + 0.5 * box.width()), round(box.top() + 0.3 * box.height()))
    QTest.mouseClick(view.windowHandle(), button, pos=on_line)
    assert said == []
    QTest.mouseClick(view.windowHandle(), button, pos=on_line + QPoint(40, 0))
    assert len(said) == 1


def test_beside_the_line_a_drag_pans_both_layers(view):
    view.figure.wiped.connect(lambda _: pytest.fail("the line was moved"))
    box = view.figure.box.geometry()
    for part in (0.2, 0.8):  # over the first, over the second layer
        before = views(view.figure)
        start = QPoint(round(box.left() + part * box.width()), round(box.center().y()))
        drag(view, start, start + QPoint(40, 25))
        one, other = views(view.figure)
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
        pixel = (before[0][0][1] - before[0][0][0]) / box.width()
        moved = np.subtract(before[0], one)[:, 0] / pixel
        assert moved == pytest.approx((40.0, -25.0), abs=1.5)


# In files


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="needs librsvg's rsvg-convert")
@pytest.mark.parametrize("settings", [SPLIT, WIPE], ids=["split", "wipe"])
def test_an_svg_holds_both_layers(settings, shown, paint, name_of):
    picture = paint(settings, shown)
    svg = picture_bytes(picture.figure, ".svg")
    width, height = SPLIT_SIZE if settings is SPLIT else SIZE
    convert = ["rsvg-convert", "--width", str(width), "--height", str(height)]
    done = subprocess.run(convert, input=svg, capture_output=True, check=True)
    picture.image = QImage.fromData(done.stdout, "PNG")
    for panel, packed in enumerate((FIRST, SECOND)):
        side = (lambda _: True, lambda _: True) if settings is SPLIT else (lambda x: x < 0, lambda x: x > 0)
        assert_colours(picture, panel, packed, name_of, side[panel])
    assert {LAYERS[name].title for name in settings.layers} <= {*picture.texts()}
