"""The clean points of a run, from a shape, the mouse or a file, with all that belongs to them."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from aeviz.core.data_file import read_points
from aeviz.core.manifolds import BITS, CLOSED, CURVES, FloatArray
from aeviz.core.setting import SettingError
from aeviz.core.settings import LECTURE_EXTENT, Settings

Extent = tuple[float, float, float, float]

DENSE = 2_000  # samples of the curve itself
_JITTER_STREAM = 1  # keeps this draw apart from the other draws of the same seed
_ROUNDING = 1e-12  # of a number: no smaller difference is meant
_MARGIN = 0.14  # of the data's size: round them in the first view, so much in all


@dataclass(frozen=True, eq=False)
class CleanData:
    """Clean points y and what is known of them.

    Attributes
    ----------
    points : (N, 2) array
        In data units, in order along the curve or as they stand in a file.
    curve : tuple of (K, 2) arrays
        Dense samples of the curve itself, piece by piece, without jitter; empty where there is none.
    closed : bool
        Whether the curve ends where it begins.
    spacing : float
        How far apart neighbours usually lie, jitter left out; infinite of a single point.
    scale, offset : (2,) arrays
        The user's units are ``offset + scale * points``: what the axes show.
    note : str
        What became of a file's rows, or nothing.
    """

    points: FloatArray
    curve: tuple[FloatArray, ...] = ()
    closed: bool = False
    spacing: float = math.inf
    scale: FloatArray = field(default_factory=lambda: np.ones(2))
    offset: FloatArray = field(default_factory=lambda: np.zeros(2))
    note: str = ""

    def __getstate__(self) -> dict[str, object]:
        """What goes to another process: not what is worked out again there."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def is_binary(self) -> bool:
        """Whether all coordinates are 0 or 1."""
        return bool(np.isin(self.points, (0.0, 1.0)).all())

    @cached_property
    def positions(self) -> FloatArray:
        """Where along the curve, or in the file, each point lies, from 0 to 1, (N,)."""
        return np.linspace(0.0, 1.0, len(self.points))

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where along the points, from 0 to 1, another piece of the curve begins: each has half of them."""
        count = len(self.points)
        return ((count - count // 2) / count,) if len(self.curve) == 2 else ()

    @cached_property
    def box(self) -> tuple[FloatArray, FloatArray]:
        """Least and greatest coordinates, (2,) each."""
        columns = tuple(self.points.T)  # of a million points thirty times as fast as along an axis of two
        return np.array([x.min() for x in columns]), np.array([x.max() for x in columns])

    @property
    def spread(self) -> float:
        """The longer side of the box."""
        low, high = self.box
        return float((high - low).max())

    def extent(self, settings: Settings) -> Extent:
        """First and last cell centre, across and up, of the first view: as set, or round the data."""
        if len(settings.extent) == 4:
            return settings.extent
        if all(getattr(settings, name) == value for name, value in _LECTURE.items()):
            return LECTURE_EXTENT
        low, high = self.box
        if settings.data == "drawn" and not settings.in_unit_square:
            x0, x1, y0, y1 = LECTURE_EXTENT
            if ((x0, y0) <= low).all() and (high <= (x1, y1)).all():
                return LECTURE_EXTENT  # what is drawn stays where it was drawn
        middle, size = 0.5 * (low + high), (1.0 + _MARGIN) * (high - low)
        cells = np.array(settings.grid) - 1.0
        cell = float((size / cells).max()) or 2.0 / float(cells.max())
        cell = max(cell, _ROUNDING * float(np.abs(middle).max()))
        (x0, y0), (x1, y1) = middle - 0.5 * cell * cells, middle + 0.5 * cell * cells
        return float(x0), float(x1), float(y0), float(y1)


_LECTURE = {"data": "spiral", "turns": 1.5, "jitter": 0.0, "cost": "squared", "standardise": False}


def clean_data(settings: Settings) -> CleanData:
    """Return the clean points of these settings.

    Raises
    ------
    SettingError
        Where there are none: nothing is drawn, or the file cannot be read.
    """
    of = (getattr(settings, name) for name in _OF_DATA)
    stamp = _file_stamp(settings.data) if settings.is_from_file else None
    return _clean_data(*of, settings.in_unit_square, stamp)


_OF_DATA = ("data", "drawn", "standardise", "bad_rows", "points", "turns", "jitter", "seed")
DECIDES = {*_OF_DATA, "cost"}
"""The settings on which the clean points depend."""


@lru_cache(maxsize=2)  # who checks them and who uses them ask one after the other
def _clean_data(
    data: str, drawn: tuple[float, ...], standardise: bool, bad_rows: str, points: int, turns: float,
    jitter: float, seed: int, in_unit_square: bool, _stamp: tuple[int, int] | None,
) -> CleanData:  # fmt: skip
    note = ""
    curve: tuple[FloatArray, ...] = ()
    shape = (CURVES | BITS).get(data)
    if shape is not None:
        found = np.concatenate(shape(points, turns))
        curve = tuple(CURVES[data](DENSE, turns)) if data in CURVES else ()
    elif data == "drawn":
        if not drawn:
            raise SettingError(
                "--data drawn has no points yet: draw some (D, then drag), or give --drawn x,y,x,y…"
            )
        found = np.array(drawn).reshape(-1, 2)
    else:
        file = read_points(data, skip_bad=bad_rows == "skip")
        found, note = file.points, file.note
    smooth = found
    if jitter > 0.0:
        rng = np.random.default_rng((seed, _JITTER_STREAM))
        found = found + jitter * rng.standard_normal(found.shape)
    offset, scale = np.zeros(2), np.ones(2)
    if in_unit_square:  # which the longer side fills
        low, high = found.min(axis=0), found.max(axis=0)
        scale = np.full(2, float((high - low).max()) or 1.0)
        offset = 0.5 * (low + high) - 0.5 * scale
    elif standardise:
        largest = np.abs(found).max(axis=0)
        exponent = np.frexp(largest)[1]  # the squares of tiny numbers would be none
        deviation = np.ldexp(np.ldexp(found, -exponent).std(axis=0), exponent)
        varies = deviation > _ROUNDING * largest
        offset, scale = found.mean(axis=0), np.where(varies, deviation, 1.0)
    found, smooth = (found - offset) / scale, (smooth - offset) / scale
    if in_unit_square:
        found = found.clip(0.0, 1.0)
    found.flags.writeable = False  # others get the same
    if data in CURVES:  # whose own units mean nothing
        curve = tuple((piece - offset) / scale for piece in curve)
    steps = np.hypot(*np.diff(smooth, axis=0).T)
    own = (scale, offset) if shape is None else (np.ones(2), np.zeros(2))
    return CleanData(
        found, curve, data in CLOSED, float(np.median(steps)) if len(steps) else math.inf, *own, note
    )


def _file_stamp(name: str) -> tuple[int, int] | None:
    """What changes with a file's content; None where there is no such file."""
    with contextlib.suppress(OSError, ValueError):
        facts = Path(name).stat()
        return facts.st_mtime_ns, facts.st_size
    return None
