"""Small pictures of the field alone, as on the cards of the gallery."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, QSize
from PyQt6.QtGui import QColor, QImage

from aeviz.core.clean_data import clean_data
from aeviz.core.settings import Settings
from aeviz.figure.export import THUMBNAIL, figure_of, image_of, thumbnail
from aeviz.figure.figure import FieldFigure
from aeviz.figure.theme import DARK

BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", layer="none", midline=False,
)  # fmt: skip
CARDS = [(226, 186), (452, 372)]
SIZES = [*CARDS, (100, 100), (300, 90), (90, 300)]


@pytest.fixture
def figure(qapp, field) -> FieldFigure:
    data = np.array([[0.0, 0.4], [-1.2, -0.9], [1.1, 1.0]])
    shown = field(BARE, data=data)
    figure = figure_of(shown, BARE, dataclasses.replace(clean_data(BARE), points=data))
    figure.resize(*THUMBNAIL)
    return figure


def place_in(figure: FieldFigure, image: QImage, x: float, y: float) -> tuple[float, float]:
    """Where a place of the plane is in a thumbnail: the field's middle is its middle."""
    rect = figure.box.sceneBoundingRect()
    point = figure.box.mapToScene(figure.box.mapFromView(QPointF(x, y)))
    scale = max(image.width() / rect.width(), image.height() / rect.height())
    middle = rect.center()
    return (
        0.5 * image.width() + scale * (point.x() - middle.x()),
        0.5 * image.height() + scale * (point.y() - middle.y()),
    )


@pytest.mark.parametrize("size", SIZES)
def test_it_has_the_size_that_was_asked_for(size, figure):
    image = thumbnail(figure, QSize(*size))
    assert (image.width(), image.height()) == size


@pytest.mark.parametrize("size", CARDS)
def test_its_middle_is_the_fields(size, figure):
    image = thumbnail(figure, QSize(*size))
    for point in ((0.0, 0.4), (-1.2, -0.9), (1.1, 1.0)):
        x, y = place_in(figure, image, *point)
        around = {
            image.pixelColor(int(x) + i, int(y) + j).name() for i in (-1, 0, 1) for j in (-1, 0, 1)
        }  # fmt: skip
        off = min(
            max(abs(a - b) for a, b in zip(QColor(each).getRgb(), QColor(DARK.data).getRgb(), strict=True))
            for each in around
        )
        assert off < 60, "the point is not there"


@pytest.mark.parametrize("size", SIZES)
def test_there_are_no_axes_no_legend_and_no_bar_in_it(size, qapp, field):
    settings = BARE.replace(layer="magnitude", show_data=False, theme="light")
    figure = figure_of(field(settings), settings, clean_data(settings))
    figure.resize(*THUMBNAIL)
    image = thumbnail(figure, QSize(*size))
    edge = [image.pixelColor(x, y) for x in range(size[0]) for y in (0, size[1] - 1)]
    edge += [image.pixelColor(x, y) for x in (0, size[0] - 1) for y in range(size[1])]
    # The heat map of zeros, and the lines through the origin: nothing of the white surroundings.
    assert all(colour.lightness() < 128 for colour in edge)


@pytest.mark.parametrize("size", CARDS)
def test_it_is_not_distorted(size, figure):
    """A unit is as long across as up: a point is a circle."""
    image = thumbnail(figure, QSize(*size))
    x, y = place_in(figure, image, 0.0, 0.4)
    shown = [
        (i, j) for i in range(int(x) - 8, int(x) + 9) for j in range(int(y) - 8, int(y) + 9)
        if image.pixelColor(i, j).blue() > 120
    ]  # fmt: skip
    wide, high = np.ptp(shown, axis=0) + 1
    assert abs(int(wide) - int(high)) <= 1


def test_the_figure_is_the_same_afterwards(figure):
    before = image_of(figure)
    for size in SIZES:
        thumbnail(figure, QSize(*size))
    assert image_of(figure) == before


def test_it_follows_the_field(figure, field):
    first = thumbnail(figure, QSize(226, 186))
    figure.set_field(field(BARE, data=np.array([[1.0, -1.0]])))
    assert thumbnail(figure, QSize(226, 186)) != first
