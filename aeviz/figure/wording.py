"""What the legend says of the panels in sight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import DISCRETE
from aeviz.core.field import Field
from aeviz.core.layers import LAYERS, SAMPLED, arrows_of
from aeviz.core.settings import Settings
from aeviz.figure.composition import Composition
from aeviz.figure.key import Entry
from aeviz.figure.panel import stride
from aeviz.figure.scale import Scale
from aeviz.figure.theme import Theme

_LONGEST = 60.0  # px of the arrow in the legend


@dataclass(frozen=True)
class Wording:
    """The legend's entries for what is shown.

    Attributes
    ----------
    scales : mapping of str to Scale
        Of each layer, by its name.
    data : CleanData
        The figure's own, for the user's units.
    pixels : float
        Per data unit.
    """

    composition: Composition
    scales: Mapping[str, Scale]
    settings: Settings
    theme: Theme
    data: CleanData
    pixels: float

    def entries(self) -> tuple[Entry, ...]:
        """All of them, in the order of the legend."""
        parts = self.composition.parts
        entries = self._points()
        if any(part.has_arrows(self.settings) for part in parts):
            entries += self._arrows()
        entries += [*self._midlines(), *self._marks()]
        missing = [*self.composition.told(part.missing for part in parts)]
        missing += self._units()
        sketch = "exact field: a sketch, working it out …"
        missing += self.composition.told(sketch if part.is_sketch else "" for part in parts)
        return (*entries, *(Entry("text", self.theme.warning, text) for text in missing))

    def _units(self) -> list[str]:
        """In which units colours are, and lengths, where they are not the user's."""
        x_scale, y_scale = (float(scale) for scale in self.data.scale)
        if x_scale != y_scale:
            return ["colours and lengths in standardised units"]
        powers = {LAYERS[name].power for name in self.composition.layers} - {0}
        squared = {1: "", 2: ", squared"}
        return [
            f"colours: 1 is {x_scale**power:.3g} of your units{squared[power]}"
            for power in sorted(powers) if x_scale != 1.0
        ]  # fmt: skip

    def _noted(self, text: str, notes: list[str]) -> str:
        """A text with notes on each part, in brackets."""
        told = ", ".join(self.composition.told(notes))
        return f"{text} ({told})" if told else text

    @property
    def _as_lecture(self) -> bool:
        """Whether the legend has the lecture's own words, which know the learned field alone."""
        return self.settings.theme == "lecture" and self.composition.layers == ("magnitude",)

    def _points(self) -> list[Entry]:
        settings, theme = self.settings, self.theme
        strides = [stride(len(part.field.data)) for part in self.composition.parts]
        notes = ["" if every == 1 else f"1 in {every} shown" for every in strides]
        return [
            Entry("point", colour, self._noted(text, notes), rim=theme.data_rim)
            for shown, colour, text in (
                (settings.show_data, theme.data, "y" if self._as_lecture else "data y"),
                (settings.show_noisy, theme.noisy, "noisy ŷ"),
                (settings.show_reconstruction, theme.reconstruction, "reconstruction ỹ"),
            )
            if shown
        ]

    def _arrows(self) -> list[Entry]:
        layers, told_by_titles = self.composition.layers, self.composition.own > 1
        arrows, scale = arrows_of(layers[0], self.settings), self.scales[layers[0]]
        factor = 1.0 if told_by_titles else scale.arrow_factor
        x_scale, y_scale = (float(scale) for scale in self.data.scale)
        unit_is_the_users = x_scale == y_scale
        pixels = factor * self.pixels / (x_scale if unit_is_the_users else 1.0)
        unit = 10.0 ** math.floor(math.log10(_LONGEST / max(pixels, 1e-12)))
        value = max(step * unit for step in (1.0, 2.0, 5.0) if step * unit * pixels <= _LONGEST)
        if self._as_lecture and arrows is not SAMPLED:
            text = "ỹ − y_grid"
        elif told_by_titles:
            enlarged = any(each.arrow_factor != 1.0 for each in self.scales.values())
            text = f"{value:g} long" + (", unless enlarged" if enlarged else "")
        else:
            of = "" if unit_is_the_users else " standard deviations"
            text = f"{value:g}{of}, {arrows.words}" + ("" if factor == 1.0 else f", × {factor:.2g}")
        text += "" if scale.skip == 1 else f" (1 in {scale.skip**2} arrows shown)"
        colour = self.theme.noisy if arrows is SAMPLED else self.theme.text
        entries = [Entry("arrow", colour, text, length=value * pixels)]
        if self.settings.arrows == "both" and any(LAYERS[name].arrows.exact for name in layers):
            length = min(_LONGEST, value * pixels / factor)
            entries.append(Entry("arrow", self.theme.noisy, SAMPLED.words, length=length))
        return entries

    def _midlines(self) -> list[Entry]:
        settings, theme, tau = self.settings, self.theme, f"{self.settings.threshold:g}"
        parts = self.composition.parts
        entries = []
        if settings.midline:
            entries.append(Entry("line", theme.midline, f"learned midline: a > {tau}"))
        if settings.exact_midline:
            why = [_why_no_exact_midline(part.field) for part in parts]
            text = self._unless("exact midline", f": a* > {tau}", why)
            entries.append(Entry("line", theme.exact, text))
        if settings.geometric_midline:
            none = "none, these points lie on no curve"
            why = ["" if self.data.curve or len(part.midline) else none for part in parts]
            entries.append(Entry("line", theme.geometric, self._unless("geometric midline", "", why)))
        if settings.decoder:
            entries.append(Entry("line", theme.decoder, "decoder: Dec(h) over the codes of the data"))
        return entries

    def _unless(self, name: str, meaning: str, why: list[str]) -> str:
        """What a line means, or why there is none, in all panels or in one."""
        return f"{name}: {why[0]}" if all(why) and len({*why}) == 1 else self._noted(name + meaning, why)

    def _marks(self) -> list[Entry]:
        theme, parts, entries = self.theme, self.composition.parts, []
        if any(part.marks.path is not None for part in parts):
            entries.append(Entry("line", theme.probe, "probe: x, r(x), r(r(x)) …"))
        if any(part.marks.cloud is not None for part in parts):
            entries.append(Entry("point", theme.noisy, "cloud of noise", rim=theme.data_rim))
        if any(part.field.streaks is not None for part in parts):
            text = f"particles: {self.settings.flow}"
            entries.append(Entry("point", theme.particle, text, rim=theme.data_rim))
        return entries


def _why_no_exact_midline(field: Field) -> str:
    if field.exact is not None:
        return "" if field.exact.ambiguity is not None else "none, the exact denoiser has cliffs"
    if field.noise <= 0.0:
        return "none without noise"
    return f"none with {field.noise_kind}" if field.noise_kind in DISCRETE else "working it out …"
