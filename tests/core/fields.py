"""Clean points, and fields without a network, to be looked at and measured."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.spatial import KDTree

from aeviz.core import manifolds
from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import shown_noisy
from aeviz.core.field import ExactField, Field, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Probe, Reference
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish

ADDED = ("gaussian", "uniform", "rare")
"""Kinds of noise that are added to a point; the others corrupt its coordinates."""


def spiral(points: int, turns: float = 1.5) -> FloatArray:
    """The lecture's spiral, (points, 2)."""
    (piece,) = manifolds.spiral(points, turns)
    return piece


coordinates = st.floats(-1e9, 1e9)
drawings = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=12)


def flat(points: list[tuple[float, float]]) -> tuple[float, ...]:
    return tuple(x for point in points for x in point)


def drawn(*numbers: float, **changes: Any) -> Settings:
    """With points x, y, x, y… that were drawn."""
    return Settings(data="drawn", drawn=numbers).replace(**changes)


def written(folder: Path, points: FloatArray) -> str:
    """The name of a file with these points."""
    path = folder / "points.npy"
    np.save(path, points)
    return str(path)


def own_units(data: CleanData) -> FloatArray:
    """The points in the user's units."""
    return data.offset + data.scale * data.points


def home_of(settings: Settings) -> Grid:
    """The grid of the first view."""
    return Grid.home(settings, clean_data(settings))


def midline_of(settings: Settings) -> Midline:
    """The geometric midline of these data's curve."""
    data = clean_data(settings)
    return Midline.of(data.curve, data.closed)


def denoiser_of(settings: Settings) -> Denoiser:
    denoiser = Denoiser.of(settings, clean_data(settings))
    assert denoiser is not None
    return denoiser


def exact_of(settings: Settings, grid: Grid | None = None) -> ExactField:
    return finish(ExactField.solving(denoiser_of(settings), grid or home_of(settings)))


def probe_of(settings: Settings) -> Probe:
    return finish(Probe.solving(settings, clean_data(settings), denoiser_of(settings)))


def reference_of(settings: Settings) -> Reference:
    data = clean_data(settings)
    denoiser, tree = Denoiser.of(settings, data), KDTree(data.points)
    return finish(Reference.solving(settings, data, denoiser, midline_of(settings), tree))


def field_of(settings: Settings, grid: Grid | None = None, **parts: Any) -> Field:
    """A field that is zero everywhere and knows nothing exact, but for the given parts."""
    grid = grid or home_of(settings)
    data = clean_data(settings)
    noisy = shown_noisy(settings, data)
    zero = Field(
        grid, np.zeros((*grid.shape, 2)), np.zeros(grid.shape), data.points, noisy, noisy, 0, settings.noise
    )  # fmt: skip
    return dataclasses.replace(zero, **parts)


def perfect_field(settings: Settings) -> Field:
    """The field that a perfect network would have, beside the exact one."""
    exact = exact_of(settings)
    assert exact.ambiguity is not None
    return field_of(settings, displacement=exact.displacement, ambiguity=exact.ambiguity, exact=exact)
