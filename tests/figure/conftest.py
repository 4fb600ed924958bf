"""Figures of made-up fields, painted into images whose pixels can be asked for."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import shown_noisy
from aeviz.core.field import ExactField, Field, Grid
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish
from aeviz.figure.composition import Beside
from aeviz.figure.export import figure_of, image_of, picture_bytes
from aeviz.figure.figure import FieldFigure
from aeviz.figure.view import FieldView

_TEXT = "{http://www.w3.org/2000/svg}text"


class Picture:
    """A figure, its image, and the texts in it."""

    def __init__(self, figure: FieldFigure) -> None:
        self.figure = figure
        self.image = image_of(figure)

    def pixel(self, x: float, y: float, panel: int = 0) -> tuple[float, float]:
        """Where a place of the plane is in the image, as the panel's view box itself says."""
        box = self.figure.panels[panel].box
        point = box.mapToScene(box.mapFromView(QPointF(x, y)))
        return point.x(), point.y()

    def colour(self, x: float, y: float, right: float = 0.0, down: float = 0.0, panel: int = 0) -> str:
        """The colour at a place of the plane, or some pixels beside it."""
        left, top = self.pixel(x, y, panel)
        return self.image.pixelColor(int(np.floor(left + right)), int(np.floor(top + down))).name()

    def shows(self, colour: str, x: float, y: float, panel: int = 0, within: int = 0) -> bool:
        """Whether a pixel has this colour, at a place of the plane or next to it.

        A line thinner than 2 px may have no pixel for itself alone: then `within` is how far its channels
        may be off.
        """
        wanted = np.array(QColor(colour).getRgb())
        around = itertools.product((-1, 0, 1), repeat=2)
        seen = [QColor(self.colour(x, y, right, down, panel)).getRgb() for right, down in around]
        return bool(np.abs(wanted - seen).max(axis=1).min() <= within)

    def texts(self) -> list[str]:
        """What is written in the figure, taken from its SVG."""
        root = ET.fromstring(picture_bytes(self.figure, ".svg"))
        # Thin spaces are typography.
        return ["".join(node.itertext()).replace("\u200a", "").strip() for node in root.iter(_TEXT)]


@pytest.fixture
def best() -> Callable[[Settings], Field]:
    """The field of the exact denoiser, which a trained one looks like, with itself as the exact one."""

    def best(settings: Settings) -> Field:
        data = clean_data(settings)
        grid, denoiser = Grid.home(settings, data), Denoiser(data.points, settings.noise)
        exact = finish(ExactField.solving(denoiser, grid))
        noisy = shown_noisy(settings, data)
        reconstruction = denoiser.at(noisy).mean
        assert exact.ambiguity is not None
        return Field(
            grid, exact.displacement, exact.ambiguity, data.points, noisy, reconstruction, 1, settings.noise,
            curl=np.zeros(grid.shape), exact=exact, noise_kind=settings.noise_kind,
        )  # fmt: skip

    return best


@pytest.fixture
def field() -> Callable[..., Field]:
    """A field of given arrays, zeros where nothing is given; without an exact one unless that is given."""

    def field(settings: Settings, **arrays: Any) -> Field:
        grid = Grid.home(settings, clean_data(settings))
        points = arrays.get("data", np.empty((0, 2)))
        values: dict[str, Any] = {
            "displacement": np.zeros((*grid.shape, 2)), "ambiguity": np.zeros(grid.shape),
            "data": points, "noisy": points, "reconstruction": points, "noise_kind": settings.noise_kind,
        }  # fmt: skip
        return Field(grid=grid, epoch=1, noise=settings.noise, **(values | arrays))

    return field


@pytest.fixture
def exact() -> Callable[..., ExactField]:
    """An exact field of given arrays, zeros where nothing is given."""

    def exact(settings: Settings, **arrays: NDArray[np.float64] | bool | None) -> ExactField:
        grid = Grid.home(settings, clean_data(settings))
        values: dict[str, Any] = {
            "displacement": np.zeros((*grid.shape, 2)), "log_density": np.zeros(grid.shape),
            "ambiguity": np.zeros(grid.shape),
        }  # fmt: skip
        return ExactField(grid=grid, **(values | arrays))

    return exact


@pytest.fixture
def other_run() -> Callable[..., Beside]:
    """Another run with this field, and perhaps a geometric midline, to be compared with the first."""
    return lambda field, midline=(): Beside(field, midline, "Run 2 · epoch 137", "Run 1 · epoch 400")


@pytest.fixture
def paint(qapp: object) -> Callable[..., Picture]:
    """Paint a field; what is to be drawn over it may follow. The clean points are those of the settings."""

    def paint(
        settings: Settings, field: Field, *over: Any, data: CleanData | None = None,
        beside: Beside | None = None,
    ) -> Picture:  # fmt: skip
        figure = figure_of(field, settings, data or clean_data(settings), beside=beside)
        if over:
            figure.set_field(field, *over, beside=beside)
        return Picture(figure)

    return paint


@pytest.fixture
def open_view(qtbot: QtBot) -> Callable[..., FieldView]:
    """Open a view of this size, with the clean points of the settings."""

    def open_view(settings: Settings, width: int, height: int) -> FieldView:
        view = FieldView(settings, clean_data(settings))
        qtbot.addWidget(view)
        view.resize(width, height)
        with qtbot.waitExposed(view):
            view.show()
        return view

    return open_view


@pytest.fixture
def name_of() -> Callable[[int], str]:
    """The name of a colour 0xffRRGGBB."""
    return lambda packed: QColor.fromRgb(int(packed)).name()
