"""The vector field: where a denoiser moves each place of the plane, as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aeviz.core.clean_data import CleanData
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, Steps

_SKETCH_POINTS = 150  # clean points that a sketch of the exact field knows, at least
_ROUNDING = 0.02  # of a cell: a view that ends on a cell's edge does not show the next cell


@dataclass(frozen=True, slots=True)
class Grid:
    """Cell centres of a rectangular grid.

    Attributes
    ----------
    extent : (x0, x1, y0, y1)
        First and last cell centre across and up, in data units.
    shape : (H, W)
        Rows and columns.
    """

    extent: tuple[float, float, float, float]
    shape: tuple[int, int]

    @classmethod
    def home(cls, settings: Settings, data: CleanData) -> Grid:
        """The grid of the first view."""
        columns, rows = settings.grid
        return cls(data.extent(settings), (rows, columns))

    def covering(self, view: tuple[float, float, float, float]) -> Grid:
        """The grid that covers a view (x0, x1, y0, y1) with about as many cells as this one, the first.

        Cells are halved or doubled as the view shrinks or grows, and keep their places in the plane
        while it moves, so that arrows do not swim.
        """
        home_x0, home_x1, _, _ = self.edges
        halvings = round(math.log2((home_x1 - home_x0) / (view[1] - view[0])))
        spans = []
        for first, cell, low, high in zip(
            (self.extent[0], self.extent[2]), self.cell, (view[0], view[2]), (view[1], view[3]), strict=True
        ):
            size = cell / 2.0**halvings
            begin = math.floor((low - first) / size + 0.5 + _ROUNDING)
            end = max(begin + 1, math.ceil((high - first) / size - 0.5 - _ROUNDING))
            spans.append((first + begin * size, first + end * size, end - begin + 1))
        (x0, x1, width), (y0, y1, height) = spans
        grid = Grid((x0, x1, y0, y1), (height, width))
        near = np.abs(np.subtract(grid.extent, self.extent)) <= 1e-6 * np.repeat(self.cell, 2)
        return self if grid.shape == self.shape and near.all() else grid

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """What the cells cover, x0, x1, y0, y1."""
        (x0, x1, y0, y1), (width, height) = self.extent, self.cell
        return x0 - 0.5 * width, x1 + 0.5 * width, y0 - 0.5 * height, y1 + 0.5 * height

    @property
    def x(self) -> FloatArray:
        """Columns' centres, (W,)."""
        return np.linspace(self.extent[0], self.extent[1], self.shape[1])

    @property
    def y(self) -> FloatArray:
        """Rows' centres, upwards, (H,)."""
        return np.linspace(self.extent[2], self.extent[3], self.shape[0])

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of one cell."""
        x0, x1, y0, y1 = self.extent
        return (x1 - x0) / max(1, self.shape[1] - 1), (y1 - y0) / max(1, self.shape[0] - 1)

    @property
    def points(self) -> FloatArray:
        """All cell centres, row by row from below, (H·W, 2)."""
        return np.stack(np.meshgrid(self.x, self.y), axis=-1).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class ExactField:
    """What the exact denoiser does, seen on a grid.

    Attributes
    ----------
    displacement : (H, W, 2) array
        r*(x) − x at the cell centres, in data units; NaN where no clean point can have come from.
    log_density : (H, W) array
        log p_σ(x).
    ambiguity : (H, W) array or None
        a*(x); None where r* has cliffs.
    sketch : bool
        Whether it is a first answer, from some of the clean points, which a better one follows.
    """

    grid: Grid
    displacement: FloatArray
    log_density: FloatArray
    ambiguity: FloatArray | None
    sketch: bool = False

    @classmethod
    def solving(cls, denoiser: Denoiser, grid: Grid) -> Steps[ExactField]:
        """Work it out, step by step."""
        places = grid.points
        found = yield from denoiser.solving(places)
        return cls(
            grid,
            (found.mean - places).reshape(*grid.shape, 2),
            found.log_density.reshape(grid.shape),
            None if found.ambiguity is None else found.ambiguity.reshape(grid.shape),
        )

    @classmethod
    def sketched(cls, denoiser: Denoiser, grid: Grid, weights: int) -> ExactField:
        """A first answer that takes about this many posterior weights: fewer clean points, larger cells."""
        rows, columns = grid.shape
        stride = max(1, math.ceil(math.sqrt(rows * columns * _SKETCH_POINTS / weights)))
        y, x = np.arange(rows)[::stride], np.arange(columns)[::stride]
        places = grid.points.reshape(rows, columns, 2)[np.ix_(y, x)]
        found = denoiser.thinned(max(1, weights // (len(x) * len(y)))).at(places.reshape(-1, 2))

        def on_grid(values: FloatArray) -> FloatArray:
            coarse = values.reshape(len(y), len(x), -1)
            fine = coarse[np.ix_(np.arange(rows) // stride, np.arange(columns) // stride)]
            return fine.reshape(rows, columns, *values.shape[1:])

        reconstruction, ambiguity = on_grid(found.mean), found.ambiguity
        return cls(
            grid, reconstruction - grid.points.reshape(rows, columns, 2), on_grid(found.log_density),
            None if ambiguity is None else on_grid(ambiguity), sketch=True,
        )  # fmt: skip


@dataclass(frozen=True)
class Field:
    """What the network does at one epoch, seen on a grid and at the noisy points.

    Attributes
    ----------
    displacement : (H, W, 2) array
        r(x) − x at the cell centres, in data units; row 0 is the lowest.
    ambiguity : (H, W) array
        a(x) = λ_max(sym J_r(x)), without unit.
    data, noisy, reconstruction : (N, 2) arrays
        y, ŷ and ỹ = r(ŷ).
    noise : float
        The σ in force at this epoch.
    curl : (H, W) array or None
        ∂r_y/∂x − ∂r_x/∂y of the network, without unit.
    basins : (H, W) array or None
        Where along the data a place comes to rest, from 0 to 1.
    streaks : (M, 2, 2) array or None
        For each particle, where it was some steps ago and where it is.
    decoded : tuple of (L, 2) arrays
        Where the decoder puts the codes between those of the data: a curve, or the lines of a grid.
    noise_kind : str
        In force at this epoch.
    exact : ExactField or None
        What the best possible network would do; None where that is not known.
    """

    grid: Grid
    displacement: FloatArray
    ambiguity: FloatArray
    data: FloatArray
    noisy: FloatArray
    reconstruction: FloatArray
    epoch: int
    noise: float
    curl: FloatArray | None = None
    basins: FloatArray | None = None
    exact: ExactField | None = None
    streaks: FloatArray | None = None
    decoded: tuple[FloatArray, ...] = ()
    noise_kind: str = "gaussian"

    @cached_property
    def magnitude(self) -> FloatArray:
        """‖r(x) − x‖, (H, W), in data units."""
        magnitude: FloatArray = np.hypot(self.displacement[..., 0], self.displacement[..., 1])
        return magnitude

    @cached_property
    def difference(self) -> FloatArray | None:
        """r(x) − r*(x), (H, W, 2), in data units; None where the exact field is not known."""
        exact = self.exact_displacement
        return None if exact is None else self.displacement - exact

    @property
    def exact_displacement(self) -> FloatArray | None:
        """r*(x) − x, (H, W, 2), in data units; None where the exact field is not known."""
        return None if self.exact is None else self.exact.displacement
