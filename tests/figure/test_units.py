"""Axes in the user's units: numbers that are true, that can be read whole, and that are in files too."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PyQt6.QtGui import QFontMetricsF, QImage

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.field import Grid
from aeviz.core.settings import SIZE, Settings
from aeviz.figure.axes import AxesLayer, number_text, tick_values
from aeviz.figure.export import picture_bytes
from aeviz.figure.figure import MOST_ZOOM, FieldFigure
from aeviz.figure.theme import font

BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", layer="none", midline=False, show_data=False,
)  # fmt: skip


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def of_units(scale: tuple[float, float], offset: tuple[float, float], settings: Settings = BARE) -> CleanData:
    """The clean points of some settings, in other units."""
    return dataclasses.replace(clean_data(settings), scale=np.array(scale), offset=np.array(offset))


@pytest.fixture
def figure(qapp: object) -> FieldFigure:
    figure = FieldFigure(BARE, clean_data(BARE))
    figure.resize(900, 760)
    return figure


def ticks(figure: FieldFigure, k: int) -> list[tuple[float, str]]:
    """Pixels and numbers of one axis."""
    return figure.panels[0].axes.ticks(k)[0]


def meant(text: str, note: str) -> float:
    """The number that a text on an axis stands for where a note beside says what is left out."""
    lowered = note.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-"))
    power, base = re.search(r"×10(-?\d+)", lowered), re.search(r"([+-]) ([\d.e+-]+)$", lowered)
    value = number(text) * (10.0 ** int(power[1]) if power else 1.0)
    return value + (float(base[1] + base[2]) if base else 0.0)


# Numbers as text


@given(st.floats(-1e9, 1e9), st.integers(0, 9))
def test_a_number_has_the_decimals_that_were_asked_for_and_no_hyphen(value, decimals):
    text = number_text(value, decimals)
    assert "-" not in text
    half = 0.5 * 10.0**-decimals
    assert abs(number(text) - value) <= half * (1.0 + 1e-6) + 1e-12 * abs(value)
    assert not text.startswith("−0") or number(text) != 0.0 or value < 0.0


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.0, 0, "0"), (-0.0, 1, "0.0"), (1.5, 1, "1.5"), (-1.5, 1, "−1.5"), (99_999.0, 0, "99999"),
        (-2.0, 2, "−2.00"), (3e5, 0, "3.00000e5"), (-1.25e6, 0, "−1.250000e6"), (2.5e-7, 8, "2.5e−7"),
        (-4e-6, 6, "−4e−6"),
    ],
)  # fmt: skip
def test_large_and_small_numbers_have_an_exponent(value, decimals, text):
    assert number_text(value, decimals) == text


@given(st.floats(-1e6, 1e6), st.floats(-3.0, 3.0), st.floats(200.0, 1_500.0))
def test_neighbouring_ticks_have_other_texts(low, power, pixels):
    high = low + 10.0**power
    assume(high > low)
    values, decimals = tick_values(low, high, pixels)
    texts = [number_text(value, decimals) for value in values]
    assert len({*texts}) == len(texts)


# On the axes


USUAL = {
    "plain": ((1.0, 1.0), (0.0, 0.0)), "years": ((6.0, 20.0), (2_004.0, -150.0)),
    "metres": ((300.0, 0.1), (-700.0, 3.0)), "unlike": ((40.0, 2.0), (0.0, 80.0)),
}  # fmt: skip
HARD = {
    "milli": ((1e-3, 1e-3), (0.0, 0.0)), "micro": ((1e-6, 2e-6), (0.0, -3e-6)),
    "mega": ((1e6, 3e5), (0.0, 0.0)), "seconds since 1970": ((4e4, 4e4), (1.7e9, -1.7e9)),
    "fine": ((1e-2, 1e-2), (-1_234.5, 1_234.5)), "galaxies": ((1e30, 1e21), (0.0, 4e22)),
}  # fmt: skip
UNITS = USUAL | HARD


@pytest.mark.parametrize("unit", UNITS)
def test_a_number_on_an_axis_is_true(unit, figure):
    scale, offset = UNITS[unit]
    figure.set_data(of_units(scale, offset))
    for k, (low, high) in enumerate(figure.box.viewRange()):
        found, note = figure.panels[0].axes.ticks(k)
        assert len(found) >= 3
        for pixel, text in found:
            part = pixel / figure.box.rect().width() if k == 0 else 1.0 - pixel / figure.box.rect().height()
            place = offset[k] + scale[k] * (low + part * (high - low))
            view = scale[k] * (high - low)
            assert abs(meant(text, note) - place) < 0.003 * view, (unit, text)  # a pixel and some rounding
        assert len({text for _, text in found}) == len(found)


@pytest.mark.parametrize("unit", UNITS)
def test_the_numbers_on_the_axes_can_be_read_whole(unit, figure):
    figure.set_data(of_units(*UNITS[unit]))
    metrics = QFontMetricsF(font(11))
    up = [metrics.horizontalAdvance(text) for _, text in ticks(figure, 1)]
    assert max(up) <= AxesLayer.LEFT - 8.0, "the left ends of numbers are cut off"
    across = [(x, metrics.horizontalAdvance(text)) for x, text in ticks(figure, 0)]
    assert max(width for _, width in across) <= 80.0
    for (x0, one), (x1, other) in itertools.pairwise(across):
        assert x0 + 0.5 * one + 3.0 < x1 - 0.5 * other, "numbers run into each other"


@pytest.mark.parametrize("size", [(640.0, 560.0), (420.0, 360.0), (300.0, 240.0), (220.0, 180.0)])
def test_a_small_field_has_numbers_enough_and_room_between_them(size, figure):
    figure.resize(*size)
    assert figure.fits
    metrics = QFontMetricsF(font(11))
    up, across = (ticks(figure, k) for k in (1, 0))
    assert len(up) >= 3 and len(across) >= 2
    assert -np.diff([y for y, _ in up]).max() >= 22.0
    for (x0, one), (x1, other) in itertools.pairwise(across):
        between = x1 - x0 - 0.5 * (metrics.horizontalAdvance(one) + metrics.horizontalAdvance(other))
        assert between >= 12.0


@pytest.mark.parametrize(
    ("scale", "offset"),
    [((1e-12, 1.0), (1.0, 0.0)), ((1.0, 1.0), (1e12, -1e12)), ((1e-300, 1e290), (0.0, 0.0))],
    ids=["all but equal", "far away", "at the ends of all numbers"],
)  # fmt: skip
@pytest.mark.parametrize("zoom", [1.0, 1.0 / MOST_ZOOM, MOST_ZOOM])
def test_units_that_floats_hardly_hold_are_no_error(zoom, scale, offset, figure):
    """No more than that is left by data that hardly vary."""
    figure.set_data(of_units(scale, offset))
    figure.box.scaleBy((zoom, zoom))
    for k in (0, 1):
        assert ticks(figure, k)
        for _, text in ticks(figure, k):
            number(text)


def test_numbers_follow_the_view_and_the_units(figure):
    figure.set_data(of_units((100.0, 100.0), (5_000.0, 0.0)))
    first = [text for _, text in ticks(figure, 0)]
    assert first[0].startswith("4")
    figure.box.translateBy((10.0, 0.0))
    moved = [text for _, text in ticks(figure, 0)]
    assert moved[0].startswith("5")
    figure.set_data(clean_data(BARE))
    assert number(ticks(figure, 0)[0][1]) < 20.0


@pytest.mark.parametrize("compare", ["off", "split"])
@pytest.mark.parametrize("unit", ["years", "metres"])
def test_numbers_in_the_users_units_are_written_in_the_picture(unit, compare, field, paint):
    settings = BARE.replace(compare=compare, beside="none")
    scale, offset = UNITS[unit]
    texts = paint(settings, field(settings), data=of_units(scale, offset, settings)).texts()
    pixels = 600.0 if compare == "off" else 300.0  # about
    for k, (low, high) in enumerate(((-3.5, 3.5), (-2.5, 2.5))):
        ends = (offset[k] + scale[k] * end for end in (low, high))
        values, decimals = tick_values(*ends, pixels, 50.0)
        wanted = {number_text(value, decimals) for value in values}
        assert len(wanted & {*texts}) >= 2, (wanted, texts)


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="needs librsvg's rsvg-convert")
@pytest.mark.parametrize("unit", UNITS)
def test_an_svg_is_whole_whatever_the_numbers(unit, field, paint):
    """What Qt's SVG engine cuts off once, it goes on cutting off: nothing is drawn after it."""
    settings = BARE.replace(layer="magnitude", show_data=True)
    picture = paint(settings, field(settings, data=np.array([[0.4, 0.6]])), data=of_units(*UNITS[unit]))
    convert = ["rsvg-convert", "--width", str(SIZE[0]), "--height", str(SIZE[1])]
    done = subprocess.run(
        convert, input=picture_bytes(picture.figure, ".svg"), capture_output=True, check=True
    )
    other = QImage.fromData(done.stdout, "PNG")
    bar, legend = picture.figure.panels[0].bar, picture.figure._legend
    for item in (bar, legend):
        rect = item.mapRectToParent(item.boundingRect()).toRect()
        inked = {
            other.pixelColor(x, y).name() for x in range(rect.left(), rect.right(), 2)
            for y in range(rect.top(), rect.bottom(), 2) if other.rect().contains(x, y)
        }  # fmt: skip
        assert len(inked) > 5, f"{item} is missing"


# Other data in the same figure


def test_other_data_are_seen_from_their_own_first_view(qapp):
    one = Settings(data="alain-bengio", grid=(20, 17))
    figure = FieldFigure(one, clean_data(one))
    figure.resize(700, 600)
    assert figure.grid_in_view() == Grid.home(one, clean_data(one))
    other = one.replace(data="circle")
    figure.set_settings(other)
    figure.set_data(clean_data(other))
    assert figure.grid_in_view() == Grid.home(other, clean_data(other))
    points = clean_data(other).points
    (x0, x1), (y0, y1) = figure.box.viewRange()
    assert ((points > (x0, y0)) & (points < (x1, y1))).all()
    figure.box.scaleBy((0.3, 0.3))
    figure.home()
    assert figure.grid_in_view() == Grid.home(other, clean_data(other))


def test_other_data_with_the_same_first_view_leave_the_view_where_it_is(figure):
    figure.box.scaleBy((0.4, 0.4))
    before = figure.box.viewRange()
    figure.set_data(of_units((2.0, 2.0), (1.0, 1.0)))
    assert figure.box.viewRange() == before


def test_from_other_data_to_the_lectures_spiral(qapp):
    one = Settings(data="circle")
    figure = FieldFigure(one, clean_data(one))
    figure.resize(700, 600)
    other = one.replace(data="spiral")
    figure.set_settings(other)
    figure.set_data(clean_data(other))
    assert figure.grid_in_view() == Grid.home(other, clean_data(other))


@pytest.mark.parametrize(
    ("layer", "scale", "told"),
    [
        ("magnitude", (250.0, 250.0), ["colours: 1 is 250 of your units"]),
        ("energy", (250.0, 250.0), ["colours: 1 is 6.25e+04 of your units, squared"]),
        ("ambiguity", (250.0, 250.0), []),
        ("magnitude", (1.0, 1.0), []),
        ("ambiguity", (3.0, 5.0), ["colours and lengths in standardised units"]),
    ],
)
def test_the_legend_says_what_a_colour_means_in_the_users_units(layer, scale, told, field, paint):
    settings = BARE.replace(layer=layer)
    texts = paint(settings, field(settings), data=of_units(scale, (0.0, 0.0), settings)).texts()
    assert [text for text in texts if text.startswith("colours")] == told
