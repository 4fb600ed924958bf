"""The plot of the votes, from made-up ones."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtGui import QColor

from aeviz.app.votes import VotesPlot
from aeviz.figure.theme import DARK

TWO_ARMS = np.zeros(100)
TWO_ARMS[20:23], TWO_ARMS[70] = (0.05, 0.2, 0.15), 0.6  # 0.2175: no place that rounds to either side


@pytest.fixture
def plot(qtbot):
    plot = VotesPlot()
    qtbot.addWidget(plot)
    plot.resize(300, 84)
    plot.show()
    return plot


def columns(plot: VotesPlot, colour: str, top: int, bottom: int) -> np.ndarray:
    """Where between two heights something has this colour, in fractions of the width."""
    image = plot.grab().toImage()
    seen = [
        any(QColor(image.pixel(x, y)).name() == colour for y in range(top, bottom))
        for x in range(image.width())
    ]
    return np.flatnonzero(seen) / image.width()


def test_each_lump_is_named_with_its_share_and_where_it_is(plot):
    plot.show_votes(TWO_ARMS)
    assert plot.accessibleDescription() == "60 % at 0.70, 40 % at 0.22"  # the strongest first
    named = columns(plot, DARK.text, 0, 16)
    assert len(named), "no share is written"
    left, right = named[named < 0.45], named[named > 0.45]
    assert (left.mean(), right.mean()) == pytest.approx((0.215, 0.705), abs=0.05)


def test_what_is_too_little_to_be_seen_is_not_named(plot):
    profile = np.zeros(100)
    profile[10], profile[60] = 0.996, 0.004
    plot.show_votes(profile)
    assert plot.accessibleDescription() == "100 % at 0.10"


def test_without_a_vote_nothing_is_said_or_drawn(plot):
    plot.show_votes(TWO_ARMS)
    assert len(columns(plot, DARK.text, 0, 16))
    plot.show_votes(None)
    assert plot.accessibleDescription() == ""
    assert not len(columns(plot, DARK.text, 0, 16))
