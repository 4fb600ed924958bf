"""The layers of the picture: which quantity colours the plane, and which arrows lie over it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from aeviz.core.field import Field
    from aeviz.core.manifolds import FloatArray
    from aeviz.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Arrows:
    """Where the arrows of a layer go.

    Attributes
    ----------
    words, symbols : str
        For legends: at length, and in short.
    vectors : callable
        At the cell centres, (H, W, 2), or at the noisy points, (N, 2), in data units; None where they are
        not known.
    enlarged : float
        How much longer than true they are drawn.
    exact : bool
        Whether they take the exact field.
    """

    words: str
    symbols: str
    vectors: Callable[[Field], FloatArray | None]
    enlarged: float = 1.0
    exact: bool = True


LEARNED = Arrows("from a place to its reconstruction", "ŷ → ỹ", lambda f: f.displacement, exact=False)
EXACT = Arrows("from a place to its exact reconstruction", "ŷ → r*", lambda f: f.exact_displacement)
DIFFERENCE = Arrows(
    "from the exact reconstruction to the learned", "r* → ỹ", lambda f: f.difference, enlarged=4.0
)

SAMPLED = Arrows(
    "from a noisy point to its reconstruction", "ŷ → ỹ", lambda f: f.reconstruction - f.noisy, exact=False
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One way to look at a field.

    Attributes
    ----------
    title, symbol : str
        In menus, and under the colour bar.
    values : callable
        The quantity at the cell centres, (H, W), or None where it is not known.
    arrows : Arrows
        r(x) − x, r*(x) − x, or r(x) − r*(x).
    range : callable
        The fixed colour range (low, high) of these settings; a None follows the values.
    help : str
        One sentence: what it is and how to read it.
    signed : bool
        Whether 0 is the middle of the colours.
    span : float
        The longest range that the colours follow, from the least value on.
    power : int
        Of the unit of length, that its values have: 1 of lengths, 2 of their squares, 0 of plain numbers.
    """

    title: str
    symbol: str
    values: Callable[[Field], FloatArray | None]
    arrows: Arrows
    range: Callable[[Settings], tuple[float | None, float | None]]
    help: str
    signed: bool = False
    span: float = math.inf
    power: int = 0


def _length(vectors: FloatArray | None) -> FloatArray | None:
    return None if vectors is None else np.hypot(vectors[..., 0], vectors[..., 1])


def _squared(vectors: FloatArray | None) -> FloatArray | None:
    return None if vectors is None else np.square(vectors).sum(axis=-1)


def _surprise(field: Field) -> FloatArray | None:
    return None if field.exact is None else -field.exact.log_density


def _excess(field: Field) -> FloatArray | None:
    if field.exact is None:
        return None
    squared = _squared(field.difference)
    if squared is None:
        return None
    density = np.exp(field.exact.log_density)
    return np.where(density > 0.0, density * squared, 0.0)  # no noisy point falls there, and r* is not known


LAYERS: dict[str, Layer] = {
    "magnitude": Layer(
        "Learned field", "‖ỹ − ŷ‖", lambda f: f.magnitude, LEARNED, lambda s: (0.0, s.colour_max),
        "How far the network moves a place, and the arrow to its reconstruction.", power=1,
    ),
    "exact": Layer(
        "Exact field", "‖r* − ŷ‖", lambda f: _length(f.exact_displacement), EXACT,
        lambda s: (0.0, s.colour_max),
        "How far the best possible denoiser moves a place: what the network is trying to be.", power=1,
    ),
    "difference": Layer(
        "Difference", "‖ỹ − r*‖", lambda f: _length(f.difference), DIFFERENCE,
        lambda s: (0.0, 0.25 * s.colour_max),
        "From the best possible reconstruction to the network's: short arrows, well learned.", power=1,
    ),
    "ambiguity": Layer(
        "Learned ambiguity", "a", lambda f: f.ambiguity, LEARNED, lambda s: (0.0, 2.0 * s.threshold),
        "How strongly the network spreads a neighbourhood: about 1 along the data, above τ on the midline.",
    ),
    "exact-ambiguity": Layer(
        "Exact ambiguity", "a*", lambda f: f.exact.ambiguity if f.exact else None, EXACT,
        lambda s: (0.0, 2.0 * s.threshold),
        "How strongly the best possible denoiser spreads a neighbourhood; with Gaussian noise, the largest "
        "variance of what may have been meant, over the noise's.",
    ),
    "energy": Layer(
        "Energy", "‖ỹ − ŷ‖²", lambda f: _squared(f.displacement), LEARNED,
        lambda s: (0.0, 0.25 * s.colour_max**2),
        "The reconstruction error, which the lecture reads as an energy: but it is the slope's length, "
        "squared, not the height. Compare it with the energy of the data.", power=2,
    ),
    "exact-energy": Layer(
        "Energy of the data", "−log p", _surprise, EXACT, lambda _: (None, None),
        "Minus the logarithm of the noisy points' density p_σ. With Gaussian noise, the exact arrows are its "
        "slope downwards, times σ².", span=8.0,
    ),
    "curl": Layer(
        "Curl", "curl", lambda f: f.curl, LEARNED, lambda _: (-1.0, 1.0),
        "How strongly the learned arrows turn round a place. With Gaussian noise the exact field has none: "
        "it is a slope.", signed=True,
    ),
    "excess": Layer(
        "Excess loss here", "p ‖ỹ − r*‖²", _excess, DIFFERENCE, lambda _: (0.0, None),
        "How good the network is here: what each place adds to the loss above the floor. Dark is good.",
    ),
    "basins": Layer(
        "Basins", "along", lambda f: f.basins, LEARNED, lambda _: (0.0, 1.0),
        "Where along the data a place ends that is reconstructed again and again, thirty times.",
    ),
    "none": Layer(
        "Plain", "", lambda _: None, LEARNED, lambda _: (0.0, 1.0), "Arrows and points alone.",
    ),
}  # fmt: skip


def arrows_of(name: str, settings: Settings) -> Arrows:
    """Which arrows lie over a layer: its own, or those of the noisy points where they alone are wanted."""
    return SAMPLED if settings.arrows == "samples" else LAYERS[name].arrows
