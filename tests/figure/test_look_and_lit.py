"""What a lesson points to: a ring with a label that stays within the field; and a clean point that is lit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage
from PyQt6.QtWidgets import QGraphicsScene

from aeviz.core.clean_data import clean_data
from aeviz.core.marks import Marks
from aeviz.core.presets import load_preset, preset_names
from aeviz.core.settings import Settings
from aeviz.figure.export import image_of
from aeviz.figure.figure import FieldFigure
from aeviz.figure.theme import DARK, LIGHT, font

BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", layer="none", midline=False, show_data=False,
)  # fmt: skip
CORNERS = [*itertools.product((-3.9, -0.4, 3.9), (-2.9, 0.3, 2.9))]  # and edges, and the middle
LABEL = "where both arms claim a place"
INK = "#1b1400"  # of the label's text
LOOK, LIT = 24.0, 8.0  # px, radii


@pytest.fixture
def shown(field, paint):
    """Paint a figure of nothing but what is pointed out."""

    def shown(place, text=LABEL, size=(900, 760), settings=BARE):
        figure = paint(settings, field(settings)).figure
        figure.resize(*size)
        figure.show_look(place, text)
        return figure

    return shown


def where(image: QImage, colour: str) -> np.ndarray:
    """Pixels of this colour, (K, 2)."""
    wanted = QColor(colour).rgb()
    return np.array([
        (x, y) for y in range(image.height()) for x in range(image.width()) if image.pixel(x, y) == wanted
    ]).reshape(-1, 2)  # fmt: skip


def label_of(figure: FieldFigure, place) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the label's ground, in the image."""
    image = image_of(figure)
    found = where(image, DARK.look)
    box = figure.box
    centre = box.mapToScene(box.mapFromView(QPointF(*place)))
    away = np.hypot(found[:, 0] + 0.5 - centre.x(), found[:, 1] + 0.5 - centre.y())
    outside = found[away > LOOK + 3.0]
    assert len(outside) > 200, "there is no label"
    (left, top), (right, bottom) = outside.min(axis=0), outside.max(axis=0)
    return left, top, right, bottom


@pytest.mark.parametrize("place", CORNERS)
def test_the_label_stays_within_the_field_beside_the_ring(place, shown):
    figure = shown(place)
    left, top, right, bottom = label_of(figure, place)
    rect = figure.box.geometry()
    assert rect.left() <= left < right <= rect.right()
    assert rect.top() <= top < bottom <= rect.bottom()
    centre = figure.box.mapToScene(figure.box.mapFromView(QPointF(*place)))
    assert top > centre.y() + LOOK or bottom < centre.y() - LOOK, "the label lies over what it points to"
    inked = where(image_of(figure).copy(left, top, right - left, bottom - top), INK)
    assert len(inked) > 50
    assert inked[:, 0].min() > 3, "the text is cut off"
    assert inked[:, 0].max() < right - left - 3


def test_where_the_label_has_no_room_there_is_the_ring_alone(shown):
    place = (0.0, 0.0)
    figure = shown(place, size=(240, 260))
    found = where(image_of(figure), DARK.look)
    centre = figure.box.mapToScene(figure.box.mapFromView(QPointF(*place)))
    away = np.hypot(found[:, 0] + 0.5 - centre.x(), found[:, 1] + 0.5 - centre.y())
    assert len(away) > 50 and away.max() < LOOK + 3.0


def assert_whole(figure: FieldFigure, place, text: str) -> None:
    """Whether all of the label is in the field."""
    left, top, right, bottom = label_of(figure, place)
    rect = figure.box.geometry()
    assert rect.top() < top < bottom < rect.bottom()
    wide = QFontMetricsF(font(12, weight=QFont.Weight.DemiBold)).horizontalAdvance(text) + 16.0
    assert right - left == pytest.approx(wide - 2.0, abs=2.0), "it is cut off"  # its ends are antialiased


@pytest.mark.parametrize("size", [(900, 760), (420, 500), (301, 299)])
@pytest.mark.parametrize("place", [(-3.9, 2.9), (3.9, -2.9)])
def test_it_does_so_in_small_windows_too(place, size, shown):
    assert_whole(shown(place, size=size), place, LABEL)


LESSONS = [name for name in preset_names() if load_preset(name).look_at is not None]
LEAST = (490, 330)  # px: about what the smallest window leaves for the figure


@pytest.mark.parametrize("name", LESSONS)
def test_what_a_lesson_points_to_is_named_whole_in_the_smallest_window(name, qapp):
    lesson = load_preset(name)
    settings = lesson.settings.replace(
        layer="none", compare="off", arrows="none", midline=False, theme="dark", show_noisy=False,
        show_reconstruction=False, decoder=False, flow="off",
    )  # fmt: skip
    figure = FieldFigure(settings, clean_data(settings))
    scene = QGraphicsScene(figure)
    scene.addItem(figure)
    figure.resize(*LEAST)
    figure.show_look(lesson.look_at, lesson.look)
    assert_whole(figure, lesson.look_at, lesson.look)


def test_the_ring_is_round_the_place_in_every_theme(shown):
    for name, theme in (("dark", DARK), ("light", LIGHT)):
        figure = shown((1.5, -1.5), settings=BARE.replace(theme=name))
        found = where(image_of(figure), theme.look)
        centre = figure.box.mapToScene(figure.box.mapFromView(QPointF(1.5, -1.5)))
        away = np.hypot(found[:, 0] + 0.5 - centre.x(), found[:, 1] + 0.5 - centre.y())
        on_ring = found[np.abs(away - LOOK) < 1.5]
        angles = np.arctan2(on_ring[:, 1] - centre.y(), on_ring[:, 0] - centre.x())
        assert {*np.floor((angles + np.pi) / 0.6).astype(int)} >= {*range(10)}, "the ring is open"


def test_out_of_view_nothing_is_pointed_out(shown):
    figure = shown((1.5, -1.5))
    clean = image_of(shown(None))
    assert image_of(figure) != clean
    figure.show_look((9.0, 0.0), LABEL)
    assert image_of(figure) == clean
    figure.show_look((1.5, -1.5), LABEL)
    figure.box.translateBy((20.0, 0.0))
    assert DARK.look not in {QColor(image_of(figure).pixel(x, 300)).name() for x in range(0, 900, 2)}
    figure.home()
    assert len(where(image_of(figure), DARK.look))


@pytest.mark.parametrize("again", ["frame", "settings", "resize"])
def test_it_stays_while_frames_come_and_goes_when_it_is_taken_away(again, shown, field):
    figure = shown((1.5, -1.5))
    clean = image_of(shown(None))
    before = image_of(figure)
    match again:
        case "frame":
            figure.set_field(field(BARE), Marks())
        case "settings":
            figure.set_settings(BARE.replace(noise=0.4))
        case "resize":
            figure.resize(880, 700)
            figure.resize(900, 760)
    assert image_of(figure) == before
    figure.show_look(None)
    assert image_of(figure) == clean


def test_of_two_layers_the_first_alone_points(field, paint):
    settings = BARE.replace(compare="split", beside="none")
    figure = paint(settings, field(settings)).figure
    figure.show_look((0.5, 0.5), LABEL)
    found = where(image_of(figure), DARK.look)
    left, right = (box.geometry() for box in figure.boxes)
    assert len(found)
    assert (found[:, 0] < left.right()).all()
    assert left.right() < right.left()


# A clean point that is pointed at elsewhere


def test_a_lit_point_is_ringed_in_every_panel_until_it_is_not(field, paint):
    for compare in ("off", "split"):
        settings = BARE.replace(compare=compare, beside="none")
        figure = paint(settings, field(settings)).figure
        clean = image_of(figure)
        figure.show_lit((0.7, -0.6))
        image = image_of(figure)
        found = where(image, DARK.vote)
        for panel in figure.panels[: len(figure.boxes)]:
            box = panel.box
            centre = box.mapToScene(box.mapFromView(QPointF(0.7, -0.6)))
            away = np.hypot(found[:, 0] + 0.5 - centre.x(), found[:, 1] + 0.5 - centre.y())
            assert np.count_nonzero(np.abs(away - LIT) < 1.5) > 15
        figure.show_lit(None)
        assert image_of(figure) == clean


def test_other_data_light_no_point(field, paint):
    figure = paint(BARE, field(BARE)).figure
    clean = image_of(figure)
    figure.show_lit((0.7, -0.6))
    figure.set_data(clean_data(BARE.replace(data="circle")))
    assert image_of(figure) == clean
