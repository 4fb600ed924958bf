"""A bare field in two panels: its cells' colours, and what is in view."""

from __future__ import annotations

import itertools

import numpy as np

from aeviz.core.settings import Settings
from aeviz.figure.figure import FieldFigure

BARE = Settings(
    grid=(8, 6), extent=(-3.5, 3.5, -2.5, 2.5), arrows="none", midline=False, show_data=False,
    layer="magnitude", beside="ambiguity",
)  # fmt: skip
CENTRES = [*itertools.product(np.linspace(-2.5, 2.5, 6), np.linspace(-3.5, 3.5, 8))]  # (y, x), row by row


def assert_colours(picture, panel: int, packed: np.ndarray, name_of, where=lambda x: True) -> None:
    """Whether a panel's cells have these colours, asked in their lower parts, below the title."""
    down = 0.3 * picture.figure.panels[panel].box.rect().height() / 6
    for (y, x), colour in zip(CENTRES, packed.ravel(), strict=True):
        if where(x):
            assert picture.colour(x, y, 0.0, down, panel=panel) == name_of(colour), (panel, x, y)


def views(figure: FieldFigure) -> list[list[list[float]]]:
    """What each panel shows of the plane."""
    return [panel.box.viewRange() for panel in figure.panels]
