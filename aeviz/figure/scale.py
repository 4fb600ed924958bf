"""What all panels of one layer have in common, so that they can be compared: colours, and arrows' lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aeviz.core.layers import LAYERS, SAMPLED, Layer, arrows_of
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.figure.composition import Part

MOST_ARROWS = 4_000  # more would be a smear and cost a frame; then every k-th is shown, and said so
DIVERGING = "CET-D1"  # blue, white, red: for values with a sign


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a layer.

    Attributes
    ----------
    low, high : float
        The values of the first and the last colour.
    colour_map : str
    known : bool
        Whether there are values in any panel.
    arrow_factor : float
        How many times longer than true arrows are drawn.
    skip : int
        Of the cells, arrows are drawn in every how many-th row and column.
    """

    low: float
    high: float
    colour_map: str
    known: bool
    arrow_factor: float
    skip: int

    @classmethod
    def of(cls, parts: Sequence[Part], settings: Settings) -> Scale:
        """That of all parts that show the same layer."""
        layer = LAYERS[parts[0].layer]
        values = [part.values for part in parts if part.values is not None]
        arrowed = [part for part in parts if part.vectors is not None]
        skip = _skip(arrowed) if settings.arrows in ("grid", "both") and arrowed else 1
        return cls(
            *_colour_range(layer, values, settings), DIVERGING if layer.signed else settings.colour_map,
            bool(values), _arrow_factor(parts, skip, settings), skip,
        )  # fmt: skip


def scales(parts: Sequence[Part], settings: Settings) -> dict[str, Scale]:
    """The scale of each layer that is shown, by its name."""
    names = {part.layer for part in parts}
    return {name: Scale.of([part for part in parts if part.layer == name], settings) for name in names}


def _skip(parts: Sequence[Part]) -> int:
    return math.ceil(math.sqrt(max(part.field.ambiguity.size for part in parts) / MOST_ARROWS))


def _arrow_factor(parts: Sequence[Part], skip: int, settings: Settings) -> float:
    if settings.arrows == "none":
        return 1.0
    arrows = arrows_of(parts[0].layer, settings)
    shown = [arrows.vectors(part.field) if arrows is SAMPLED else part.vectors for part in parts]
    found = [vectors for vectors in shown if vectors is not None]
    if not found:
        return 1.0
    if settings.arrow_length == "true":
        return arrows.enlarged
    drawn = [vectors[::skip, ::skip] if vectors.ndim == 3 else vectors for vectors in found]
    lengths = [np.nan_to_num(np.hypot(vectors[..., 0], vectors[..., 1])) for vectors in drawn]
    longest = max(float(length.max(initial=0.0)) for length in lengths)
    return skip * min(parts[0].field.grid.cell) / longest if longest else 1.0


def _colour_range(layer: Layer, values: Sequence[FloatArray], settings: Settings) -> tuple[float, float]:
    low, high = layer.range(settings)
    finite = np.concatenate([each[np.isfinite(each)] for each in values]) if values else np.zeros(1)
    least, most = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
    if not finite.size:
        least, most = 0.0, 1.0
    if settings.colour_range == "automatic":
        low, high = (None, None) if layer.signed or low is None else (min(low, least), None)
    if layer.signed and high is None:
        return -max(most, -least, 1e-6), max(most, -least, 1e-6)
    low = least if low is None else low
    high = min(most, low + layer.span) if high is None else high
    return low, max(high, low + 1e-9 * max(1.0, abs(low)))
