"""One figure of a field: the scene that screen, PNG, SVG and PDF all paint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import QRectF, pyqtSignal
from PyQt6.QtGui import QColor, QPainter

from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import NO_MARKS, Marks, Point
from aeviz.core.settings import Settings
from aeviz.figure.axes import AxesLayer
from aeviz.figure.colour_bar import ColourBar
from aeviz.figure.composition import Beside, Composition
from aeviz.figure.key import Entry, Heading, Legend
from aeviz.figure.overlays import Lines
from aeviz.figure.panel import Box, Panel
from aeviz.figure.scale import Scale, scales
from aeviz.figure.theme import Theme, theme_of
from aeviz.figure.wipe import WipeLine
from aeviz.figure.wording import Wording

MOST_ZOOM = 200.0  # in and out of the first view: farther there is nothing more to see
_MARGIN, _GAP = 14.0, 22.0  # px: round the figure, between its parts
_LEAST = 10.0  # px of a field that can be drawn


class FieldFigure(pg.GraphicsWidget):
    """The field with its axes, legend and colour bar; where layers or runs are compared, two of them.

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
        self._beside: Beside | None = None
        self._cross: Point | None = None
        self._lit: Point | None = None
        self._linking = False
        self.panels = Panel(self), Panel(self)
        self._wipe = WipeLine(self, self.wiped.emit)
        self._legend = Legend(self)
        self._heading = Heading(self)
        self.fits = True
        """Whether there is room for the field."""
        self.fixed_scales: Mapping[str, Scale] = {}
        """Scales that do not follow what is shown, by the layer's name."""
        for panel in self.panels:
            panel.box.on_moved = self._link
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
        return self.panels[: len(self._composition.layers)]

    def set_settings(self, settings: Settings) -> None:
        """Draw as these settings say."""
        self._settings, self._theme = settings, theme_of(settings.theme)
        self._compose()
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
        self.show_lit(None)

    def _follow_home(self) -> bool:
        """Take up the first view of the present settings and data; whether it is another."""
        home = Grid.home(self._settings, self._data)
        if home == self._home:
            return False
        self._home = home
        self.home()
        return True

    @property
    def marks(self) -> Marks:
        """What is shown of single places."""
        return self._marks

    @property
    def is_sketch(self) -> bool:
        """Whether a better exact field is still to come."""
        return any(part.is_sketch for part in self._composition.parts)

    def set_field(
        self, field: Field, marks: Marks | None = None, midline: Lines = (), beside: Beside | None = None
    ) -> None:
        """Show this field, marks over it, and the lines, (K, 2) each, of the geometric midline.

        With another run beside it, two panels show the settings' first layer, this field's in the first;
        marks are this field's alone.
        """
        self._field, self._marks, self._midline, self._beside = field, marks or NO_MARKS, midline, beside
        were_two_runs = self._composition.of_two_runs
        self._compose()
        if self._composition.of_two_runs != were_two_runs:
            self._arrange()
        self._redraw()

    def set_caption(self, caption: str) -> None:
        """Write this above the field, beside the title: what changes from picture to picture of a film."""
        appears = bool(caption) != bool(self._heading.caption)
        self._heading.set_caption(caption)
        if appears:
            self._arrange()

    def _compose(self) -> None:
        """Work out anew which panels there are, and what each shows."""
        self._composition = Composition.of(
            self._settings, self._field, self._marks, self._midline, self._beside
        )
        for panel in self.panels:
            panel.show(panel in self._shown, axes=self._settings.axes)
        self._point()

    def show_points(self, data: FloatArray, noisy: FloatArray) -> None:
        """Show clean and noisy points at once; before the first field both, whatever the settings."""
        theme, first = self._theme, self._field is None
        for panel in self.panels[: self._composition.own]:
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
        self._cross = place
        self._point()

    def show_lit(self, place: Point | None) -> None:
        """Ring a clean point that is pointed at elsewhere."""
        self._lit = place
        self._point()

    def _point(self) -> None:
        for index, panel in enumerate(self.panels):
            panel.show_cross(self._cross if self._composition.how == "split" else None)
            panel.show_lit(self._lit if index < self._composition.own else None)

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

    @property
    def _bars(self) -> int:
        """How many colour bars are drawn."""
        return self._composition.bars if self._settings.colour_bar else 0

    def _arrange(self) -> None:
        settings, size = self._settings, self.size()
        split, barred = self._composition.how == "split", self._bars > 0
        count = 2 if split else 1  # fields side by side
        axes = (AxesLayer.LEFT, AxesLayer.BOTTOM) if settings.axes else (0.0, 0.0)
        beside = axes[0] + (ColourBar.WIDTH + _GAP if barred and not split else 0.0)
        below = axes[1] + (ColourBar.HEIGHT if barred and split else 0.0)
        heading = Heading.HEIGHT if settings.title or self._heading.caption else 0.0
        margin = _MARGIN if settings.axes or settings.legend or heading or barred else 0.0
        room = size.width() - 2 * margin
        top = heading + (self._legend.set_width(room) + 8.0 if settings.legend else 0.0)
        wide = (room - (count - 1) * _GAP) / count - beside
        high = size.height() - 2 * margin - top - below
        self.fits = wide >= _LEAST and high >= _LEAST
        if not self.fits:
            return
        x0, x1, y0, y1 = self._home.edges
        scale = min(wide / (x1 - x0), high / (y1 - y0))
        cell = self._home.cell[0]
        if scale * cell > 10.0:
            scale = math.floor(scale * cell) / cell  # whole pixels per cell: all look alike
        width, height = round(scale * (x1 - x0)), round(scale * (y1 - y0))
        used = count * (beside + width) + (count - 1) * _GAP
        x = round(margin + axes[0] + 0.5 * (room - used))
        y = round(margin + top + 0.5 * (high - height))
        self._linking = True  # until all have their places: they are of one size then
        for index, panel in enumerate(self.panels):
            left = round(x + index * (beside + width + _GAP)) if split else x
            panel.place(QRectF(left, y, width, height))
            panel.title.stand(len(self._shown) > 1, from_right=index == 1 and not split)
        self._linking = False
        self._link(self.box)
        self._place_bars()
        self._cut()
        left = max(margin, min(x, margin + room - self._legend.needed_width))
        self._legend.setPos(left, y - top + heading)
        self._legend.setVisible(settings.legend)
        self._heading.set_text(settings.title, self._theme.text, used - axes[0])
        self._heading.setPos(x, y - top)

    def _place_bars(self) -> None:
        """Each lies below its field, or the only one below both; beside fields that overlap they stand."""
        last, bars = self.panels[-1].box.geometry(), self._bars
        below = AxesLayer.BOTTOM if self._settings.axes else 0.0
        for index, panel in enumerate(self.panels[:bars]):
            field = panel.box.geometry()
            if self._composition.how == "split":
                right = field.right() if bars > 1 else last.right()
                panel.bar.lie(field.left(), field.bottom() + below + 6.0, right - field.left())
            else:
                each, title = (field.height() - 4.0) / bars, ColourBar.TITLE
                panel.bar.stand(
                    field.right() + _GAP, field.top() + 4.0 + index * each, each - title - 12.0 * (bars - 1)
                )

    def _cut(self) -> None:
        wiping, at = self._composition.how == "wipe", self._settings.wipe
        for panel, part in zip(self.panels, ((0.0, at), (at, 1.0)), strict=True):
            panel.box.cut(*(part if wiping else (0.0, 1.0)))
        self._wipe.setVisible(wiping)
        self._wipe.stand(QRectF(self.box.geometry()), at)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Fill the surroundings."""
        painter.fillRect(self.rect(), QColor(self._theme.figure))

    # Drawing

    def _redraw(self) -> None:
        composition, settings, theme = self._composition, self._settings, self._theme
        parts = composition.parts
        if not parts:
            return
        shared = {**scales(parts, settings), **self.fixed_scales}
        for index, (panel, part) in enumerate(zip(self._shown, parts, strict=True)):
            panel.draw(part, shared[part.layer], settings, theme, barred=index < self._bars)
        (x0, x1), _ = self.box.viewRange()
        pixels = self.box.rect().width() / (x1 - x0)
        wording = Wording(composition, shared, settings, theme, self._data, pixels)
        if self._legend.set_entries(wording.entries(), theme.text):
            self._arrange()
