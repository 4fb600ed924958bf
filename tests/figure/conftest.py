"""Figures of made-up fields, painted into images whose pixels can be asked for."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QColor

from aeviz.core.corruption import shown_noisy
from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import clean_data
from aeviz.core.settings import Settings
from aeviz.core.truth import posterior
from aeviz.figure.export import figure_of, image_of, picture_bytes
from aeviz.figure.figure import FieldFigure

_TEXT = "{http://www.w3.org/2000/svg}text"


class Picture:
    """A figure, its image, and the texts in it."""

    def __init__(self, figure: FieldFigure) -> None:
        self.figure = figure
        self.image = image_of(figure, 1.0)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the plane is in the image, as the view box itself says."""
        point = self.figure.box.mapToScene(self.figure.box.mapFromView(QPointF(x, y)))
        return point.x(), point.y()

    def colour(self, x: float, y: float, right: float = 0.0, down: float = 0.0) -> str:
        """The colour at a place of the plane, or some pixels beside it."""
        left, top = self.pixel(x, y)
        return self.image.pixelColor(int(np.floor(left + right)), int(np.floor(top + down))).name()

    def texts(self) -> list[str]:
        """What is written in the figure, taken from its SVG."""
        root = ET.fromstring(picture_bytes(self.figure, ".svg"))
        # Thin spaces are typography.
        return ["".join(node.itertext()).replace("\u200a", "").strip() for node in root.iter(_TEXT)]


@pytest.fixture
def best() -> Callable[[Settings], Field]:
    """The field of the exact denoiser, which a trained one looks like."""

    def best(settings: Settings) -> Field:
        data, grid = clean_data(settings), Grid.home(settings)
        noisy = shown_noisy(settings, data)
        moved, ambiguity = Field(
            grid, np.zeros((*grid.shape, 2)), np.zeros(grid.shape), data, noisy, noisy, 1, settings.noise
        ).exact()
        return Field(
            grid,
            moved,
            ambiguity,
            data,
            noisy,
            posterior(noisy, data, settings.noise).mean,
            1,
            settings.noise,
        )

    return best


@pytest.fixture
def field() -> Callable[..., Field]:
    """A field of given arrays, zeros where nothing is given."""

    def field(settings: Settings, **arrays: NDArray[np.float64]) -> Field:
        grid = Grid.home(settings)
        points = arrays.get("data", np.empty((0, 2)))
        values: dict[str, Any] = {
            "displacement": np.zeros((*grid.shape, 2)), "ambiguity": np.zeros(grid.shape),
            "data": points, "noisy": points, "reconstruction": points,
        }  # fmt: skip
        return Field(grid=grid, epoch=1, noise=settings.noise, **(values | arrays))

    return field


@pytest.fixture
def paint(qapp: object) -> Callable[[Settings, Field], Picture]:
    """Paint a field."""
    return lambda settings, field: Picture(figure_of(field, settings))


@pytest.fixture
def name_of() -> Callable[[int], str]:
    """The name of a colour 0xffRRGGBB."""
    return lambda packed: QColor.fromRgb(int(packed)).name()
