"""One figure of a field: the scene that screen, PNG, SVG and PDF all paint."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import QRectF, pyqtSignal
from PyQt6.QtGui import QColor, QPainter

from aeviz.core.clean_data import CleanData
from aeviz.core.corruption import DISCRETE
from aeviz.core.field import Field, Grid
from aeviz.core.layers import LAYERS
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import NO_MARKS, Marks, Point
from aeviz.core.settings import Settings
from aeviz.figure.axes import AxesLayer
from aeviz.figure.colour_bar import ColourBar
from aeviz.figure.key import Entry, Legend
from aeviz.figure.overlays import Lines
from aeviz.figure.panel import Box, Panel, stride
from aeviz.figure.theme import Theme, theme_of
from aeviz.figure.wipe import WipeLine

MOST_ZOOM = 200.0  # in and out of the first view: farther there is nothing more to see
_MARGIN, _GAP = 14.0, 22.0  # px: round the figure, between its parts


class FieldFigure(pg.GraphicsWidget):
    """The field with its axes, legend and colour bar; where layers are compared, two of them.

    It shows what it is given: `set_settings` says how to draw, `set_field` what.
    """

    wiped = pyqtSignal(float)
    """The wipe line is dragged to this fraction of the width."""

    def __init__(self, settings: Settings, data: CleanData) -> None:
        super().__init__()
        self._settings, self._data = settings, data
        self._home = Grid.home(settings, data)
        self._theme: Theme = theme_of(settings.theme)
        self._field: Field | None = None
        self._marks = NO_MARKS
        self._midline: Lines = ()
        self._linking = False
        self.panels = Panel(self), Panel(self)
        self._wipe = WipeLine(self, self.wiped.emit)
        self._legend = Legend(self)
        for panel in self.panels:
            panel.box.sigRangeChanged.connect(lambda box, _: self._link(box))
        self.home()
        self.set_settings(settings)
        self.set_data(data)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The view boxes in sight; their views are the same."""
        return tuple(panel.box for panel in self._shown)

    @property
    def box(self) -> Box:
        """The first view box."""
        return self.panels[0].box

    @property
    def _shown(self) -> tuple[Panel, ...]:
        return self.panels[: len(self._settings.layers)]

    def set_settings(self, settings: Settings) -> None:
        """Draw as these settings say."""
        self._settings, self._theme = settings, theme_of(settings.theme)
        for panel in self.panels:
            panel.show(panel in self._shown)
        self._follow_home()
        self._redraw()
        self._arrange()

    def set_data(self, data: CleanData) -> None:
        """Take up other clean points: the first view may be another, and the units of the axes."""
        self._data = data
        if self._follow_home():
            self._arrange()
        for panel in self.panels:
            panel.axes.set_units(data.scale, data.offset)
            panel.show_lit(None)

    def _follow_home(self) -> bool:
        """Take up the first view of the present settings and data; whether it is another."""
        home = Grid.home(self._settings, self._data)
        if home == self._home:
            return False
        self._home = home
        self.home()
        return True

    @property
    def is_sketch(self) -> bool:
        """Whether a better exact field is still to come."""
        return self._field is not None and self._field.exact is not None and self._field.exact.sketch

    def set_field(self, field: Field, marks: Marks | None = None, midline: Lines = ()) -> None:
        """Show this field, marks over it, and the lines, (K, 2) each, of the geometric midline."""
        self._field, self._marks, self._midline = field, marks or NO_MARKS, midline
        self._redraw()

    def show_points(self, data: FloatArray, noisy: FloatArray) -> None:
        """Show clean and noisy points at once; before the first field both, whatever the settings."""
        theme, first = self._theme, self._field is None
        for panel in self._shown:
            panel.show_points(data, noisy, self._settings, theme, both=first)
        if first:
            entries = (
                Entry("point", theme.data, "data y", rim=theme.data_rim),
                Entry("point", theme.noisy, "noisy ŷ", rim=theme.data_rim),
                Entry("text", theme.muted, "starting: the training process loads torch …"),
            )
            self._legend.set_entries(entries, theme.text)
            self._arrange()

    def show_cross(self, place: Point | None) -> None:
        """Show in every panel where the cursor is, where two stand side by side."""
        for panel in self.panels:
            panel.show_cross(place if self._settings.compare == "split" else None)

    def show_lit(self, place: Point | None) -> None:
        """Ring a clean point that is pointed at elsewhere."""
        for panel in self.panels:
            panel.show_lit(place)

    def show_look(self, place: Point | None, text: str = "") -> None:
        """Mark the place to look at, with a few words."""
        self.panels[0].show_look(place, text, self._theme)

    def home(self) -> None:
        """Go back to the first view."""
        x0, x1, y0, y1 = self._home.edges
        for panel in self.panels:
            panel.box.setLimits(minXRange=(x1 - x0) / MOST_ZOOM, maxXRange=(x1 - x0) * MOST_ZOOM)
        self.box.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0.0, disableAutoRange=True)

    @property
    def middle(self) -> Point:
        """What is in the middle of the view."""
        (x0, x1), (y0, y1) = self.box.viewRange()
        return 0.5 * (x0 + x1), 0.5 * (y0 + y1)

    def at_zoom_limit(self, *, outwards: bool) -> bool:
        """Whether the view cannot be made larger, or smaller."""
        (x0, x1), _ = self.box.viewRange()
        low, high, *_ = self._home.edges
        part = (x1 - x0) / (high - low)
        return part >= 0.99 * MOST_ZOOM if outwards else part <= 1.01 / MOST_ZOOM

    def grid_in_view(self) -> Grid:
        """The cells that cover what is in view; cells keep their places while the view moves."""
        (x0, x1), (y0, y1) = self.box.viewRange()
        pixel = (x1 - x0) / max(1.0, self.box.rect().width())  # the field's place is rounded to whole pixels
        return self._home.covering((x0 + pixel, x1 - pixel, y0 + pixel, y1 - pixel))

    def _link(self, moved: Box) -> None:
        """Let the other box show the same part of the plane."""
        if self._linking:
            return
        self._linking = True
        x, y = moved.viewRange()
        for panel in self.panels:
            if panel.box is not moved:
                panel.box.setRange(xRange=x, yRange=y, padding=0.0, disableAutoRange=True)
        self._linking = False

    # Layout

    def resizeEvent(self, event: Any) -> None:
        """Give the field the largest place of its own shape."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        settings, size = self._settings, self.size()
        split = settings.compare == "split"
        count = 2 if split else 1  # fields side by side
        barred = set(settings.layers) != {"none"}
        beside = AxesLayer.LEFT + (ColourBar.WIDTH + _GAP if barred and not split else 0.0)
        below = AxesLayer.BOTTOM + (ColourBar.HEIGHT if barred and split else 0.0)
        room = size.width() - 2 * _MARGIN
        top = self._legend.set_width(room) + 8.0
        wide = (room - (count - 1) * _GAP) / count - beside
        high = size.height() - 2 * _MARGIN - top - below
        if wide < 10.0 or high < 10.0:
            return
        x0, x1, y0, y1 = self._home.edges
        scale = min(wide / (x1 - x0), high / (y1 - y0))
        cell = self._home.cell[0]
        if scale * cell > 10.0:
            scale = math.floor(scale * cell) / cell  # whole pixels per cell: all look alike
        width, height = round(scale * (x1 - x0)), round(scale * (y1 - y0))
        used = count * (beside + width) + (count - 1) * _GAP
        x = round(_MARGIN + AxesLayer.LEFT + 0.5 * (room - used))
        y = round(_MARGIN + top + 0.5 * (high - height))
        self._linking = True  # until all have their places: they are of one size then
        for index, panel in enumerate(self.panels):
            left = round(x + index * (beside + width + _GAP)) if split else x
            panel.place(QRectF(left, y, width, height))
            panel.title.stand(len(self._shown) > 1, from_right=index == 1 and not split)
            if split:
                panel.bar.lie(left, y + height + AxesLayer.BOTTOM + 6.0, width)
            else:  # two bars share the height
                each = (height - 4.0) / len(self._shown)
                panel.bar.stand(
                    left + width + _GAP,
                    y + 4.0 + index * each,
                    each - ColourBar.TITLE - 12.0 * (len(self._shown) - 1),
                )
        self._linking = False
        self._link(self.box)
        self._cut()
        self._legend.setPos(max(_MARGIN, min(x, _MARGIN + room - self._legend.needed_width)), y - top)

    def _cut(self) -> None:
        wiping, at = self._settings.compare == "wipe", self._settings.wipe
        for panel, part in zip(self.panels, ((0.0, at), (at, 1.0)), strict=True):
            panel.box.cut(*(part if wiping else (0.0, 1.0)))
        self._wipe.setVisible(wiping)
        self._wipe.stand(QRectF(self.box.geometry()), at)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Fill the surroundings."""
        painter.fillRect(self.rect(), QColor(self._theme.figure))

    # Drawing

    def _redraw(self) -> None:
        field = self._field
        if field is None:
            return
        marks = self._marks if self._settings.votes else dataclasses.replace(self._marks, cursor=None)
        for panel, name in zip(self._shown, self._settings.layers, strict=True):
            panel.draw(field, name, self._settings, self._theme, self._midline)
            panel.show_marks(marks, field.data, self._theme)
        self._explain(field)

    def _explain(self, field: Field) -> None:
        settings, theme = self._settings, self._theme
        every = stride(len(field.data))
        points = "" if every == 1 else f" (1 in {every} shown)"
        data = "y" if self._as_lecture else "data y"
        entries = [
            Entry("point", colour, text + points, rim=theme.data_rim)
            for shown, colour, text in (
                (settings.show_data, theme.data, data),
                (settings.show_noisy, theme.noisy, "noisy ŷ"),
                (settings.show_reconstruction, theme.reconstruction, "reconstruction ỹ"),
            )
            if shown
        ]
        if any(panel.has_arrows for panel in self._shown):
            entries.append(self._arrow_key())
        entries += [*self._midline_keys(field), *self._mark_keys(field)]
        missing = dict.fromkeys(panel.missing for panel in self._shown if panel.missing)
        if (self._data.scale != 1.0).any():
            missing["colours and lengths in standardised units"] = None
        if field.exact is not None and field.exact.sketch:
            missing["exact field: a sketch, working it out …"] = None
        entries += [Entry("text", theme.warning, text) for text in missing]
        if self._legend.set_entries(tuple(entries), theme.text):
            self._arrange()

    @property
    def _as_lecture(self) -> bool:
        """Whether the legend has the lecture's own words, which know the learned field alone."""
        return self._settings.theme == "lecture" and self._settings.layers == ("magnitude",)

    def _midline_keys(self, field: Field) -> list[Entry]:
        settings, theme, tau = self._settings, self._theme, f"{self._settings.threshold:g}"
        entries = []
        if settings.midline:
            entries.append(Entry("line", theme.midline, f"learned midline: a > {tau}"))
        if settings.exact_midline:
            text = f"exact midline: a* > {tau}"
            if field.exact is None:
                why = "working it out …" if field.noise > 0.0 else "none without noise"
                if field.noise > 0.0 and field.noise_kind in DISCRETE:
                    why = f"none with {field.noise_kind}"
                text = f"exact midline: {why}"
            elif field.exact.ambiguity is None:
                text = "exact midline: none, the exact denoiser has cliffs"
            entries.append(Entry("line", theme.exact, text))
        if settings.geometric_midline:
            known = "" if self._data.curve else ": none, these points lie on no curve"
            entries.append(Entry("line", theme.geometric, f"geometric midline{known}"))
        if settings.decoder:
            entries.append(Entry("line", theme.decoder, "decoder: Dec(h) over the codes of the data"))
        return entries

    def _mark_keys(self, field: Field) -> list[Entry]:
        theme, entries = self._theme, []
        if self._marks.path is not None:
            entries.append(Entry("line", theme.probe, "probe: x, r(x), r(r(x)) …"))
        if self._marks.cloud is not None:
            entries.append(Entry("point", theme.noisy, "cloud of noise", rim=theme.data_rim))
        if field.streaks is not None:
            entries.append(
                Entry("point", theme.particle, f"particles: {self._settings.flow}", rim=theme.data_rim)
            )
        return entries

    def _arrow_key(self) -> Entry:
        panel, layer, alone = self.panels[0], LAYERS[self._settings.layer], len(self._shown) == 1
        (x0, x1), _ = self.box.viewRange()
        factor = panel.arrow_factor if alone else 1.0
        x_scale, y_scale = (float(scale) for scale in self._data.scale)
        unit_is_the_users = x_scale == y_scale
        scale = x_scale if unit_is_the_users else 1.0
        pixels_per_unit = factor * self.box.rect().width() / (x1 - x0) / scale
        unit = 10.0 ** math.floor(math.log10(60.0 / max(pixels_per_unit, 1e-12)))
        value = max(step * unit for step in (1.0, 2.0, 5.0) if step * unit * pixels_per_unit <= 60.0)
        if self._as_lecture:
            text = "ỹ − y_grid"
        elif alone:
            of = "" if unit_is_the_users else " standard deviations"
            text = f"{value:g}{of}, {layer.arrows.words}" + ("" if factor == 1.0 else f", × {factor:.2g}")
        else:  # the titles say what they are
            enlarged = any(each.arrow_factor != 1.0 for each in self._shown)
            text = f"{value:g} long" + (", unless enlarged" if enlarged else "")
        text += "" if panel.skip == 1 else f" (1 in {panel.skip**2} arrows shown)"
        return Entry("arrow", self._theme.text, text, length=value * pixels_per_unit)
