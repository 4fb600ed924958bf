"""One figure of a field: the scene that screen, PNG, SVG and PDF all paint."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter

from aeviz.core.field import Field, Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.figure.arrows import ArrowLayer
from aeviz.figure.axes import AxesLayer
from aeviz.figure.heatmap import HeatMapLayer
from aeviz.figure.key import ColourBar, Entry, Legend
from aeviz.figure.overlays import OriginLayer, OutlineLayer, PointLayer
from aeviz.figure.theme import Theme, theme_of

MOST_ARROWS = 4_000  # more would be a smear and cost a frame; then every k-th is shown, and said so
MOST_POINTS = 3_000
MOST_ZOOM = 200.0  # in and out of the first view: farther there is nothing more to see
_MARGIN, _USUAL_WIDTH = 14.0, 600.0  # px: round the figure; of a field that points are made for


class FieldFigure(pg.GraphicsWidget):
    """The field with its axes, legend and colour bar.

    It shows what it is given: `set_settings` says how to draw, `set_field` what.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._theme: Theme = theme_of(settings.theme)
        self._field: Field | None = None
        self.box = _Box(parent=self, enableMenu=False, lockAspect=1.0)
        # Painted last: Qt's SVG engine clips what follows a clipped item as well.
        self.box.setZValue(1.0)
        self.box.setDefaultPadding(0.0)
        self._axes = AxesLayer(self.box)
        self._heat = HeatMapLayer(self.box, 0)
        self._origin = OriginLayer(self.box, 1)
        self._grid_arrows = ArrowLayer(self.box, 2)
        self._sample_arrows = ArrowLayer(self.box, 3)
        self._midline = OutlineLayer(self.box, 4)
        self._noisy = PointLayer(self.box, 5, 2.2)
        self._reconstruction = PointLayer(self.box, 6, 2.2)
        self._data = PointLayer(self.box, 7, 2.8)
        self._legend = Legend(self)
        self._bar = ColourBar(self)
        self.set_settings(settings)
        self.home()

    def set_settings(self, settings: Settings) -> None:
        """Draw as these settings say."""
        moved = (settings.extent, settings.grid) != (self._settings.extent, self._settings.grid)
        self._settings, self._theme = settings, theme_of(settings.theme)
        self._axes.set_colour(self._theme.muted)
        self._origin.set_colour(self._theme.origin)
        if moved:
            self.home()
        self._redraw()
        self._arrange()

    def set_field(self, field: Field) -> None:
        """Show this field."""
        self._field = field
        self._redraw()

    def show_points(self, data: FloatArray, noisy: FloatArray) -> None:
        """Show clean and noisy points at once; before the first field both, whatever the settings."""
        settings, theme, first = self._settings, self._theme, self._field is None
        for layer, shown, points, colour in (
            (self._data, settings.show_data or first, data, theme.data),
            (self._noisy, settings.show_noisy or first, noisy, theme.noisy),
        ):
            layer.set_points(_thinned(points) if shown else points[:0], colour, theme.data_rim)
        if first:
            entries = (
                Entry("point", theme.data, "data y", rim=theme.data_rim),
                Entry("point", theme.noisy, "noisy ŷ", rim=theme.data_rim),
                Entry("text", theme.muted, "starting: the training process loads torch …"),
            )
            self._legend.set_entries(entries, theme.text)
            self._arrange()

    def home(self) -> None:
        """Go back to the first view."""
        x0, x1, y0, y1 = self._home_rect()
        self.box.setLimits(minXRange=(x1 - x0) / MOST_ZOOM, maxXRange=(x1 - x0) * MOST_ZOOM)
        self.box.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0.0, disableAutoRange=True)

    def grid_in_view(self) -> Grid:
        """The cells that cover what is in view; cells keep their places while the view moves."""
        (x0, x1), (y0, y1) = self.box.viewRange()
        pixel = (x1 - x0) / max(1.0, self.box.rect().width())  # the field's place is rounded to whole pixels
        return Grid.covering(self._settings, (x0 + pixel, x1 - pixel, y0 + pixel, y1 - pixel))

    def _home_rect(self) -> tuple[float, float, float, float]:
        x0, x1, y0, y1 = self._settings.extent
        half_x, half_y = (0.5 * each for each in self._settings.cell)
        return x0 - half_x, x1 + half_x, y0 - half_y, y1 + half_y

    # Layout

    def resizeEvent(self, event: Any) -> None:
        """Give the field the largest place of its own shape."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        size = self.size()
        right = ColourBar.WIDTH + 22.0 if self._settings.layer != "none" else 0.0
        wide = size.width() - 2 * _MARGIN - AxesLayer.LEFT - right
        room = size.width() - 2 * _MARGIN
        top = self._legend.set_width(room) + 8.0
        high = size.height() - 2 * _MARGIN - top - AxesLayer.BOTTOM
        if wide < 10.0 or high < 10.0:
            return
        x0, x1, y0, y1 = self._home_rect()
        scale = min(wide / (x1 - x0), high / (y1 - y0))
        cell = self._settings.cell[0]
        if scale * cell > 10.0:
            scale = math.floor(scale * cell) / cell  # whole pixels per cell: all look alike
        width, height = round(scale * (x1 - x0)), round(scale * (y1 - y0))
        x = round(_MARGIN + AxesLayer.LEFT + 0.5 * (wide - width))
        y = round(_MARGIN + top + 0.5 * (high - height))
        self.box.setGeometry(QRectF(x, y, width, height))
        self._legend.setPos(max(_MARGIN, min(x, _MARGIN + room - self._legend.needed_width)), y - top)
        for layer in (self._data, self._noisy, self._reconstruction):
            layer.set_scale(min(1.2, max(0.4, width / _USUAL_WIDTH)))
        self._bar.setPos(x + width + 22.0, y + 4.0)
        self._bar.set_height(height - 30.0)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Fill the surroundings."""
        painter.fillRect(self.rect(), QColor(self._theme.figure))

    # Drawing

    def _redraw(self) -> None:
        field, settings, theme = self._field, self._settings, self._theme
        if field is None:
            return
        values = {"magnitude": field.magnitude, "ambiguity": field.ambiguity, "none": None}[settings.layer]
        high, mark = self._colour_range(values)
        self._heat.set_values(field.grid, values, high, settings.colour_map)
        self._bar.setVisible(values is not None)
        title = "‖\u200aỹ − ŷ\u200a‖" if settings.layer == "magnitude" else "a"
        self._bar.set_scale(high, settings.colour_map, title, theme, mark)
        self._midline.set_region(
            field.grid, field.ambiguity if settings.midline else None, settings.threshold, theme.midline
        )
        self.show_points(field.data, field.noisy)
        reconstruction = _thinned(field.reconstruction) if settings.show_reconstruction else np.empty((0, 2))
        self._reconstruction.set_points(reconstruction, theme.reconstruction, theme.data_rim)
        self._draw_arrows(field)

    def _colour_range(self, values: FloatArray | None) -> tuple[float, float | None]:
        settings = self._settings
        mark = settings.threshold if settings.layer == "ambiguity" else None
        if settings.colour_range == "automatic" and values is not None:
            finite = values[np.isfinite(values)]
            return max(float(finite.max(initial=0.0)), 1e-6), mark
        return (settings.colour_max if mark is None else 2.0 * mark), mark

    def _draw_arrows(self, field: Field) -> None:
        settings, theme = self._settings, self._theme
        on_grid, at_samples = settings.arrows in ("grid", "both"), settings.arrows in ("samples", "both")
        skip = math.ceil(math.sqrt(field.magnitude.size / MOST_ARROWS)) if on_grid else 1
        factor = self._arrow_factor(field, skip) if settings.arrow_length == "scaled" else 1.0
        start = field.grid.points.reshape(*field.grid.shape, 2)[::skip, ::skip].reshape(-1, 2)
        vector = field.displacement[::skip, ::skip].reshape(-1, 2)
        colour = theme.arrow if settings.layer != "none" else theme.muted
        count = len(start) if on_grid else 0
        self._grid_arrows.set_arrows(
            start[:count], factor * vector[:count], colour, skip * min(field.grid.cell)
        )
        noisy, moved = _thinned(field.noisy), _thinned(field.reconstruction - field.noisy)
        count = len(noisy) if at_samples else 0
        self._sample_arrows.set_arrows(noisy[:count], factor * moved[:count], theme.noisy)
        self._explain(factor, skip, math.ceil(len(field.data) / MOST_POINTS))

    def _arrow_factor(self, field: Field, skip: int) -> float:
        longest = float(np.nan_to_num(field.magnitude).max(initial=0.0))
        return 1.0 if longest == 0.0 else skip * min(field.grid.cell) / longest

    def _explain(self, factor: float, skip: int, few: int) -> None:
        settings, theme = self._settings, self._theme
        points = "" if few <= 1 else f" (1 in {few} shown)"
        entries = []
        for shown, colour, text in (
            (settings.show_data, theme.data, "data y"),
            (settings.show_noisy, theme.noisy, "noisy ŷ"),
            (settings.show_reconstruction, theme.reconstruction, "reconstruction ỹ"),
        ):
            if shown:
                entries.append(Entry("point", colour, text + points, rim=theme.data_rim))
        if settings.arrows != "none":
            arrows = "" if skip == 1 else f" (1 in {skip * skip} arrows shown)"
            entries.append(self._arrow_key(factor, arrows))
        if settings.midline:
            entries.append(Entry("line", theme.midline, f"ambiguous: a > {settings.threshold:g}"))
        if self._legend.set_entries(tuple(entries), theme.text):
            self._arrange()

    def _arrow_key(self, factor: float, more: str) -> Entry:
        (x0, x1), _ = self.box.viewRange()
        pixels_per_unit = factor * self.box.rect().width() / (x1 - x0)
        unit = 10.0 ** math.floor(math.log10(60.0 / max(pixels_per_unit, 1e-12)))
        value = max(step * unit for step in (1.0, 2.0, 5.0) if step * unit * pixels_per_unit <= 60.0)
        how = "from a place to its reconstruction" if factor == 1.0 else f"arrows × {factor:.2g}"
        return Entry("arrow", self._theme.text, f"{value:g}, {how}{more}", length=value * pixels_per_unit)


class _Box(pg.ViewBox):
    """A view box that only pans and zooms with equal scales: pyqtgraph's right drag would distort."""

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            event.ignore()
        else:
            super().mouseDragEvent(event, axis)


def _thinned(points: FloatArray) -> FloatArray:
    return points[:: max(1, math.ceil(len(points) / MOST_POINTS))]
