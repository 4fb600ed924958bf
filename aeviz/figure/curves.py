"""What a chart of many runs shows: lines, and the spread round them; no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aeviz.core.manifolds import FloatArray


@dataclass(frozen=True)
class Curve:
    """One line.

    Attributes
    ----------
    label : str
    x : (K,) array
        Places, from left to right.
    values : tuple of K arrays
        The value of each run there.
    """

    label: str
    x: FloatArray
    values: tuple[FloatArray, ...]

    @property
    def mean(self) -> FloatArray:
        """Mean over the runs at each place, (K,)."""
        return np.array([each.mean() for each in self.values])

    @property
    def spread(self) -> tuple[FloatArray, FloatArray]:
        """The smallest and the largest value at each place, (K,) each."""
        return np.array([each.min() for each in self.values]), np.array([each.max() for each in self.values])


@dataclass(frozen=True)
class Curves:
    """What a chart shows.

    Attributes
    ----------
    across, up : str
        What the axes are.
    is_log : bool
        Whether the horizontal axis is logarithmic.
    categories : tuple of str
        Names of the places 0, 1, 2 …; none where places are numbers.
    in_order : bool
        Whether the lines stand for numbers that grow: then their colours do so.
    missing : int
        How many runs have no value.
    """

    curves: tuple[Curve, ...]
    across: str
    up: str
    is_log: bool = False
    categories: tuple[str, ...] = ()
    in_order: bool = False
    missing: int = 0

    @property
    def caption(self) -> str:
        """How the chart is to be read, and what is not in it."""
        counts = {len(each) for curve in self.curves for each in curve.values}
        notes = []
        if (most := max(counts)) > 1:
            seeds = f"{most}" if len(counts) == 1 else f"{min(counts)} to {most}"
            shape = "bar" if self.categories else "band"
            notes += [
                f"large dot: mean over {seeds} seeds",
                f"{shape}: smallest to largest",
                "small dot: one run",
            ]
        if self.missing:
            notes.append(f"{self.missing} run{'s' if self.missing > 1 else ''} without a value")
        return " · ".join(notes)
