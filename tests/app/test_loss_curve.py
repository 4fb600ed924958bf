"""The loss curve by itself: where it draws what, how seldom, and that nothing is left behind."""

from __future__ import annotations

import gc
import itertools
import math
import sys

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QColor

from aeviz.app.loss_curve import AXIS, HANDLE, LossCurve, OtherCurve
from aeviz.app.plot import decade_values
from aeviz.figure.theme import DARK, LECTURE, LIGHT

WIDE, LOW = 1_000, 90  # px
LAST, PAINTS = 20_000, 300
EPOCHS = np.arange(LAST)
FALLING = (0.1 * np.exp(-EPOCHS / 4_000) + 0.02 + 0.005 * (EPOCHS % 7) / 7.0).astype(np.float32)
LOSSES = np.stack((FALLING, np.zeros_like(FALLING)), axis=1)
PARTED = np.stack((FALLING, np.full_like(FALLING, 0.01)), axis=1)


class CountedCurve(LossCurve):
    """Tells how often what stands still is drawn."""

    drawn = 0

    def draw(self, painter) -> None:
        """Count."""
        self.drawn += 1
        super().draw(painter)


@pytest.fixture
def curve(qtbot):
    curve = CountedCurve()
    qtbot.addWidget(curve)
    curve.paint_with(DARK)
    curve.resize(WIDE, LOW)
    with qtbot.waitExposed(curve):
        curve.show()
    return curve


def others(count: int, beside: int | None = None) -> list[OtherCurve]:
    return [
        OtherCurve(f"Run {k}", 100 * k, FALLING * np.float32(1.0 + k / 30), k == beside) for k in range(count)
    ]


def colours(curve: LossCurve, place: QPointF, around: int = 2) -> set[str]:
    """Those of the pixels at a place."""
    image, x, y = curve.grab().toImage(), round(place.x()), round(place.y())
    steps = range(-around, around + 1)
    return {
        QColor(image.pixel(x + i, y + j)).name()
        for i in steps for j in steps if image.valid(x + i, y + j)
    }  # fmt: skip


def test_painting_growing_losses_again_and_again_keeps_no_memory(curve):
    """PyQt6's arrays of points and lines lose 72 bytes whenever one is made or sliced."""
    curve.show_others(others(23, 3))
    curve.show_floor(0.015)
    ends = iter(range(LAST // 2, LAST))

    def paint() -> None:
        for end in itertools.islice(ends, PAINTS):
            curve.show_losses(PARTED[:end], LAST, end - 50)
            curve.grab()

    paint()  # numpy keeps some small pieces for later, up to a number
    gc.collect()
    before = sys.getallocatedblocks()
    paint()
    gc.collect()
    assert sys.getallocatedblocks() - before < PAINTS / 10


def test_what_stands_still_is_drawn_once_while_the_own_loss_grows(curve):
    curve.show_others(others(23, 3))
    curve.show_losses(LOSSES[:10_000], LAST, 10_000)
    before, curve.drawn = curve.grab().toImage(), 0
    for end in range(10_001, 10_101):
        curve.show_losses(LOSSES[:end], LAST, end - 1_000)
        curve.grab()
    assert curve.drawn == 0
    assert curve.grab().toImage() != before


def test_what_stands_still_is_drawn_anew_when_it_is_another(curve):
    def drawn_by(act) -> int:
        curve.grab()
        curve.drawn = 0
        act()
        curve.grab(), curve.grab()
        return curve.drawn

    curve.show_losses(LOSSES, LAST, 1)
    assert drawn_by(lambda: curve.show_losses(LOSSES, LAST, 2)) == 0
    assert drawn_by(lambda: curve.show_losses(LOSSES, LAST + 1, 2)) == 1
    assert drawn_by(lambda: curve.show_losses(0.5 * LOSSES, LAST, 2)) == 1
    assert drawn_by(lambda: curve.show_others(others(2))) == 1
    assert drawn_by(lambda: curve.paint_with(LIGHT)) == 1
    assert drawn_by(lambda: curve.resize(WIDE - 1, LOW)) == 1
    assert drawn_by(lambda: curve.show_floor(1e-3)) == 1  # it is far below


def test_the_range_is_rounded_outwards_and_holds_all_that_is_shown(curve):
    curve.show_others(
        [OtherCurve("A", 0, np.float32([0.3]), True), OtherCurve("B", 0, np.float32([9]), False)]
    )
    curve.show_losses(PARTED, 2 * LAST, 1)
    (first, last), (low, high) = curve.shown_range
    assert (first, last) == (0, 2 * LAST)
    cost = math.log10(float((PARTED[:, 0] - PARTED[:, 1]).min()))
    assert cost - 0.08 - 0.05 < low <= cost - 0.08
    assert math.log10(0.3) + 0.05 <= high < math.log10(0.3) + 0.1 + 1e-6
    assert [20.0 * end for end in (low, high)] == pytest.approx([round(20.0 * low), round(20.0 * high)])
    curve.show_floor(1e-3)
    assert -3.13 - 1e-6 < curve.shown_range[1][0] <= -3.08
    curve.show_floor(0.0)
    assert curve.floor is None
    assert curve.shown_range == ((first, last), (low, high))


def test_epochs_stand_over_the_sliders_handle(curve):
    curve.show_losses(LOSSES, LAST, 1)
    low, high = (10.0**end for end in curve.shown_range[1])
    assert curve.position_of(0, high) == curve.frame.topLeft()
    assert curve.position_of(LAST, low).x() == pytest.approx(WIDE - HANDLE)
    assert curve.position_of(LAST, low).y() == pytest.approx(curve.frame.bottom())
    assert curve.frame.left() == AXIS


def test_curves_mark_and_floor_are_drawn_in_their_colours_where_they_are(curve):
    still = np.tile(np.float32([0.1, 0.04]), (1_000, 1))
    curve.show_others([OtherCurve("A", 500, np.full(2_000, 0.2, dtype=np.float32), True)])
    curve.show_floor(0.03)
    bare = {loss: colours(curve, curve.position_of(500, loss)) for loss in (0.03, 0.06, 0.1, 0.2)}
    curve.show_losses(still, 2_000, 750)
    seen = {loss: colours(curve, curve.position_of(500, loss)) for loss in (0.03, 0.06, 0.1, 0.2)}
    assert DARK.noisy not in bare[0.1]
    assert DARK.noisy in seen[0.1]
    assert DARK.reconstruction in seen[0.06]
    assert DARK.muted in colours(curve, curve.position_of(1_500, 0.2))
    assert DARK.muted not in colours(curve, curve.position_of(400, 0.2)), "the same as the own one up to 500"
    along = [colours(curve, curve.position_of(epoch, 0.03)) for epoch in range(500, 520, 4)]
    assert any(DARK.live in each for each in along)  # a line of dashes
    above = QPointF(0.0, -3.0)  # outside of the line, inside the mark
    assert DARK.noisy in colours(curve, curve.position_of(750, 0.1) + above, 0)
    assert DARK.noisy not in colours(curve, curve.position_of(700, 0.1) + above, 0)
    curve.show_losses(still, 2_000, 0)
    curve.show_floor(None)
    assert DARK.noisy not in colours(curve, curve.position_of(750, 0.1) + above, 0)
    assert not any(
        DARK.live in colours(curve, curve.position_of(epoch, 0.03)) for epoch in range(500, 520, 4)
    )


def test_nothing_is_drawn_outside_of_the_plot_but_numbers_and_the_mark(curve):
    curve.show_losses(LOSSES, LAST, 1)
    numbers = curve.grab().toImage()
    crossing = np.concatenate((np.geomspace(1e-6, 1e6, LAST), np.full(LAST, 0.05))).astype(np.float32)
    curve.show_others([OtherCurve("A", 0, crossing, False)])
    curve.show_losses(LOSSES, LAST, 1)
    image = curve.grab().toImage()
    assert image != numbers
    for x, y in itertools.product(range(WIDE), range(LOW)):
        if not curve.frame.adjusted(-1, -1, 1, 1).contains(QPointF(x, y)):
            assert image.pixel(x, y) == numbers.pixel(x, y)


@pytest.mark.parametrize("height", [70, 90, 200])
@pytest.mark.parametrize("floor", [1e-9, 0.019, 0.03, 0.2])
@pytest.mark.parametrize("end", [1e-3, 0.05, 0.4])
def test_what_is_written_stays_within_the_plot(height, floor, end, curve):
    curve.resize(400, height)
    for length in (1, 100, LAST):
        name = "A run with a name of some length"
        curve.show_others([OtherCurve(name, 0, np.full(length, end, dtype=np.float32), True)])
        curve.show_floor(floor)
        curve.show_losses(LOSSES, LAST, 1)
        found = curve.labels()
        assert {key: text for key, (text, _) in found.items()} == {
            "floor": f"Bayes floor {floor:.3g}", "beside": name
        }  # fmt: skip
        assert all(curve.frame.contains(place) for _, place in found.values())
        for (_, place), loss in zip(found.values(), (floor, end), strict=True):
            line = curve.position_of(0, loss).y()
            assert not place.top() < line < place.bottom(), "struck through"


@pytest.mark.parametrize("pixels", [20.0, 64.0, 84.0, 300.0])
@pytest.mark.parametrize("low", [-12.05, -3.7, -1.3, 0.0])
@pytest.mark.parametrize("decades", [0.45, 0.9, 1.45, 1.55, 3.0, 8.0, 17.0])
def test_numbers_of_the_axis_stand_apart(pixels, low, decades):
    values = decade_values(low, low + decades, pixels, 12.0)
    places = [pixels * (math.log10(value) - low) / decades for value in values]
    assert all(b - a >= 12.0 for a, b in itertools.pairwise(places))
    assert all(0.0 <= place <= pixels for place in places)
    if pixels >= 64.0:
        assert values


def test_numbers_of_the_axis_are_round():
    assert decade_values(-1.5, -0.1, 84.0, 12.0) == [0.05, 0.1, 0.2, 0.5]
    assert decade_values(-3.5, 0.1, 84.0, 12.0) == [0.001, 0.01, 0.1, 1.0]
    assert decade_values(-9.0, 1.0, 64.0, 12.0) == [1e-8, 1e-6, 1e-4, 1e-2, 1.0]


@pytest.mark.parametrize("theme", [DARK, LIGHT, LECTURE], ids=["dark", "light", "lecture"])
@pytest.mark.parametrize("width", [30, AXIS + HANDLE, 400])
def test_it_is_painted_without_a_warning_from_qt(theme, width, curve):
    curve.paint_with(theme)
    curve.resize(width, LOW)
    nothing = np.empty((0, 2), dtype=np.float32)
    for losses in (nothing, PARTED[:1], PARTED[:2], LOSSES, np.zeros_like(LOSSES)):
        for branches in ([], others(3, 0), [OtherCurve("Empty", 0, nothing[:, 0], True)]):
            for floor in (None, 0.02):
                curve.show_floor(floor)
                curve.show_others(branches)
                curve.show_losses(losses, 0 if losses is nothing else LAST, len(losses))
                assert QRectF(curve.rect()).isValid()
                curve.grab()
