"""What the panels of a figure show: which layer each, of which run's field, under which title."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from aeviz.core.corruption import DISCRETE
from aeviz.core.field import Field
from aeviz.core.layers import LAYERS, Layer
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import NO_MARKS, Marks
from aeviz.core.settings import Settings
from aeviz.figure.overlays import Lines


@dataclass(frozen=True, slots=True)
class Beside:
    """Another run's field, to be compared with the figure's own.

    Attributes
    ----------
    field : Field
        On the grid of the figure's own.
    midline : sequence of (K, 2) arrays
        Its geometric midline, in data units; may be empty.
    title, own_title : str
        The names of this run and of the figure's own, such as "Run 2 · epoch 137".
    """

    field: Field
    midline: Lines
    title: str
    own_title: str


@dataclass(frozen=True)
class Part:
    """What one panel shows: a layer of a field, and marks over it. The run has a name where two are shown."""

    layer: str
    field: Field
    midline: Lines
    marks: Marks
    run: str = ""

    @cached_property
    def values(self) -> FloatArray | None:
        """What colours the plane, (H, W), or None where it is not known."""
        return LAYERS[self.layer].values(self.field)

    @cached_property
    def vectors(self) -> FloatArray | None:
        """Where the arrows of the cell centres go, (H, W, 2), in data units, or None."""
        return LAYERS[self.layer].arrows.vectors(self.field)

    def has_arrows(self, settings: Settings) -> bool:
        """Whether there are arrows to draw."""
        return settings.arrows in ("samples", "both") or (
            settings.arrows == "grid" and self.vectors is not None
        )

    @property
    def missing(self) -> str:
        """Why the layer cannot be shown, or nothing."""
        if self.layer == "none" or self.values is not None:
            return ""
        return _why_missing(self.field, LAYERS[self.layer])

    @property
    def is_sketch(self) -> bool:
        """Whether a better exact field is still to come."""
        return self.field.exact is not None and self.field.exact.sketch


@dataclass(frozen=True)
class Composition:
    """The panels in sight.

    Attributes
    ----------
    how : str
        How two of them stand: side by side ("split"), or one on top of the other ("wipe"); else "off".
    layers : tuple of str
        The layer of each panel, one or two.
    parts : tuple of Part
        What each panel shows; empty before the first field.
    of_two_runs : bool
        Whether two runs are compared, not two layers.
    """

    how: str
    layers: tuple[str, ...]
    parts: tuple[Part, ...]
    of_two_runs: bool

    @classmethod
    def of(
        cls, settings: Settings, field: Field | None, marks: Marks, midline: Lines, beside: Beside | None
    ) -> Composition:
        """Resolve what is wanted and what is given."""
        how, layers = comparison(settings, beside), settings.layers
        marks = marks if settings.votes else dataclasses.replace(marks, cursor=None)
        if beside is not None:
            layers = (settings.layer, settings.layer)
        if field is None:
            return cls(how, layers, (), beside is not None)
        if beside is None:
            parts = tuple(Part(layer, field, midline, marks) for layer in layers)
        else:
            parts = (
                Part(settings.layer, field, midline, marks, beside.own_title),
                Part(settings.layer, beside.field, beside.midline, NO_MARKS, beside.title),
            )
        return cls(how, layers, parts, beside is not None)

    @property
    def own(self) -> int:
        """How many of the panels, from the first, show the figure's own run."""
        return 1 if self.of_two_runs else len(self.layers)

    @property
    def bars(self) -> int:
        """How many colour bars there are: runs share theirs, plain layers have none."""
        return 0 if {*self.layers} == {"none"} else self.own

    def told(self, texts: Iterable[str]) -> tuple[str, ...]:
        """What there is to say of each part: once where it is the same, else with the runs' names."""
        texts = tuple(texts)
        if len({*texts}) == 1:
            return texts[:1] if texts[0] else ()
        named = zip(self.parts, texts, strict=True)
        return tuple(f"{part.run}: {text}" if part.run else text for part, text in named if text)


def comparison(settings: Settings, beside: Beside | None) -> str:
    """How two panels stand, "split" or "wipe"; two runs stand side by side if nothing else is wanted."""
    return "split" if beside is not None and settings.compare == "off" else settings.compare


def _why_missing(field: Field, layer: Layer) -> str:
    if layer.arrows.exact and field.noise > 0.0 and field.noise_kind in DISCRETE:
        return f"no exact field: {field.noise_kind} sends points to a few places alone"
    if not layer.arrows.exact or (field.exact is None and field.noise > 0.0):
        return "working it out …"
    if field.exact is None:
        return "no exact reference without noise"
    return "no exact ambiguity: here the exact denoiser has cliffs"
