"""Arrow shapes, ticks and the numbers of a colour bar, as pure functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aeviz.figure.arrows import HEAD_LENGTH, HEAD_WIDTH, arrow_shapes
from aeviz.figure.axes import tick_values
from aeviz.figure.colour_bar import value_text

ROUNDING = 1e-9  # px; places are at most some thousand pixels
pairs = arrays.arrays(
    np.float64, st.tuples(st.integers(0, 20), st.just(2)), elements=st.floats(-3_000, 3_000)
)
vectors = arrays.arrays(np.float64, (20, 2), elements=st.floats(-500, 500) | st.floats(-0.5, 0.5))
sizes = st.floats(0.3, 2.0)


@given(pairs, vectors, sizes)
def test_an_arrow_goes_from_its_place_to_its_reconstruction(start, vector, size):
    vector = vector[: len(start)]
    shafts, heads = arrow_shapes(start, vector, size)
    seen = np.hypot(*vector.T) > 0.35
    tip = (start + vector)[seen]
    np.testing.assert_array_equal(shafts[:, 0], start[seen])
    np.testing.assert_array_equal(heads[:, 1], tip)
    along, across = tip - start[seen], heads[:, 0] - heads[:, 2]
    assert np.abs((across * along).sum(axis=1)).max(initial=0.0) < 1e-6 * 500  # the back is at a right angle
    np.testing.assert_allclose(0.5 * (heads[:, 0] + heads[:, 2]), shafts[:, 1], rtol=0, atol=ROUNDING)


@given(pairs, vectors, sizes)
def test_a_head_is_never_longer_than_its_arrow_nor_out_of_shape(start, vector, size):
    vector = vector[: len(start)]
    shafts, heads = arrow_shapes(start, vector, size)
    length = np.hypot(*vector[np.hypot(*vector.T) > 0.35].T)
    head = np.hypot(*(heads[:, 1] - shafts[:, 1]).T)
    shaft = np.hypot(*(shafts[:, 1] - shafts[:, 0]).T)
    np.testing.assert_allclose(shaft + head, length, rtol=0, atol=ROUNDING)
    assert (shaft >= 0.39 * length).all()
    long = length > HEAD_LENGTH * size / 0.6
    np.testing.assert_allclose(head[long], HEAD_LENGTH * size, rtol=0, atol=ROUNDING)
    width = np.hypot(*(heads[:, 0] - heads[:, 2]).T)
    np.testing.assert_allclose(width / head, HEAD_WIDTH / HEAD_LENGTH, rtol=1e-6)


def test_what_is_shorter_than_a_third_of_a_pixel_is_left_out():
    lengths = np.array([0.0, 1e-300, 0.3, 0.34, 0.36, math.nan, 5.0])
    shafts, heads = arrow_shapes(np.zeros((7, 2)), lengths[:, None] * [0.6, 0.8])
    assert shafts.shape == (2, 2, 2)
    assert heads.shape == (2, 3, 2)
    np.testing.assert_allclose(np.hypot(*heads[:, 1].T), [0.36, 5.0])


views = st.tuples(st.floats(-1_000, 1_000), st.floats(-6, 3)).map(
    lambda pair: (pair[0], pair[0] + 10.0 ** pair[1])
)


@given(views, st.floats(100, 4_000))
def test_ticks_are_round_apart_and_in_view(view, pixels):
    low, high = view
    values, decimals = tick_values(low, high, pixels)
    step = (high - low) / pixels * 64.0  # the least
    slack = 1e-6 * (high - low)
    assert all(low - slack <= value <= high + slack for value in values)
    assert len(values) >= math.floor((high - low) / (2.5 * step * 1.001)), "more would fit"
    labels = [f"{value:.{decimals}f}" for value in values]
    assert len({*labels}) == len(labels)
    for value, label in zip(values, labels, strict=True):
        assert float(label) == pytest.approx(value, abs=slack), "the label says another value"
    gaps = np.diff(values)
    if len(gaps):
        assert np.ptp(gaps) <= slack
        assert gaps.min() >= step * (1.0 - 1e-6)
        mantissa = gaps[0] / 10.0 ** math.floor(math.log10(gaps[0]) + 1e-6)
        assert min(abs(mantissa - round_one) for round_one in (1.0, 2.0, 5.0)) < 1e-3


@pytest.mark.parametrize(
    ("view", "pixels", "labels"),
    [
        ((-2.25, 1.75), 640.0, ["-2.0", "-1.5", "-1.0", "-0.5", "0.0", "0.5", "1.0", "1.5"]),
        ((-2.25, 1.75), 300.0, ["-2", "-1", "0", "1"]),
        ((0.0, 10.0), 640.0, [str(n) for n in range(11)]),
        ((0.1, 0.3), 128.0, ["0.1", "0.2", "0.3"]),
    ],
)
def test_ticks_that_a_person_would_choose(view, pixels, labels):
    values, decimals = tick_values(*view, pixels)
    assert [f"{value + 0.0:.{decimals}f}" for value in values] == labels


@example(5e-324, 1.0)
@given(st.floats(-1e4, 1e4), st.floats(-6, 4))
def test_the_numbers_of_a_colour_bar_tell_its_ends_and_middle_apart(low, power):
    span = 10.0**power
    values = [low, low + 0.5 * span, low + span]
    texts = [value_text(value, span) for value in values]
    read = [float(text.replace("−", "-")) for text in texts]
    np.testing.assert_allclose(read, values, rtol=0, atol=0.06 * span)  # a twentieth of the bar, and rounding
    assert len({*texts}) == 3


@pytest.mark.parametrize(
    ("value", "span", "text"),
    [
        (0.0, 5.0, "0"), (1.0, 1.0, "1"), (-0.25, 1.0, "−0.25"), (0.123456, 1.0, "0.123"),
        (12.3456, 0.01, "12.3456"), (12.3456, 10.0, "12.3"), (0.05, 0.05, "0.05"),
    ],
)  # fmt: skip
def test_a_colour_bar_has_no_more_digits_than_its_range_asks_for(value, span, text):
    assert value_text(value, span) == text
