"""One view of the field: a layer's heat map and arrows, outlines and points over it, a colour bar beside."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainterPath
from PyQt6.QtWidgets import QGraphicsItem

from aeviz.core.layers import LAYERS, SAMPLED, arrows_of
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import Marks, Point
from aeviz.core.settings import Settings
from aeviz.figure.arrows import ArrowLayer
from aeviz.figure.axes import AxesLayer
from aeviz.figure.colour_bar import ColourBar
from aeviz.figure.composition import Part
from aeviz.figure.heatmap import HeatMapLayer
from aeviz.figure.key import Title
from aeviz.figure.layer import Layer
from aeviz.figure.marks import PROBE, MarkLayer
from aeviz.figure.overlays import OriginLayer, OutlineLayer, PointLayer, StreakLayer
from aeviz.figure.scale import Scale
from aeviz.figure.theme import Theme

MOST_POINTS = 3_000  # more would cost a frame; then every k-th is shown, and said so
GRIP = PROBE + 5.0  # px round the probe from where it is dragged
_USUAL_WIDTH = 600.0  # px of a field that points are made for
_NOTHING = np.empty((0, 2))


class Panel:
    """Draws one layer of a field into a box of its own."""

    def __init__(self, parent: QGraphicsItem) -> None:
        self.box = Box(parent=parent, enableMenu=False, lockAspect=1.0)
        # Painted last: Qt's SVG engine clips what follows a clipped item as well.
        self.box.setZValue(1.0)
        self.box.setDefaultPadding(0.0)
        self.axes = AxesLayer(self.box)
        self.bar = ColourBar(parent)
        self.title = Title(self.box)
        self._heat = HeatMapLayer(self.box, 0)
        self._origin = OriginLayer(self.box, 1)
        self._grid_arrows = ArrowLayer(self.box, 2)
        self._sample_arrows = ArrowLayer(self.box, 3)
        self._streaks = StreakLayer(self.box, 4)
        self._geometric = OutlineLayer(self.box, 5, 1.6)
        self._exact = OutlineLayer(self.box, 6, 1.6)
        self._learned = OutlineLayer(self.box, 7)
        self._decoded = OutlineLayer(self.box, 7.5, 1.5)
        self._noisy = PointLayer(self.box, 8, 2.2)
        self._reconstruction = PointLayer(self.box, 9, 2.2)
        self._data = PointLayer(self.box, 10, 2.8)
        self._marks = MarkLayer(self.box, 11)
        self.missing = ""
        """Why the layer cannot be shown, or nothing."""

    def place(self, rect: QRectF) -> None:
        """Stand here."""
        self.box.setGeometry(rect)
        self.axes.follow()
        for layer in (self._data, self._noisy, self._reconstruction):
            layer.set_scale(min(1.2, max(0.4, rect.width() / _USUAL_WIDTH)))

    def show(self, visible: bool, axes: bool) -> None:
        """Be there or not, with axes or without."""
        self.box.setVisible(visible)
        self.axes.setVisible(visible and axes)
        self.bar.setVisible(visible and self.bar.isVisible())

    def draw(self, part: Part, scale: Scale, settings: Settings, theme: Theme, *, barred: bool) -> None:
        """Draw this part on its layer's scale; `barred` where the panel has the scale's colour bar."""
        field, layer, tau = part.field, LAYERS[part.layer], settings.threshold
        self.axes.set_colour(theme.muted)
        self._origin.set_colour(theme.origin)
        self.missing = part.missing
        colours = scale.low, scale.high, scale.colour_map
        self._heat.set_values(field.grid, part.values, *colours, theme.figure)
        self.bar.setVisible(barred and scale.known)
        self.bar.set_scale(*colours, layer.symbol, theme, tau if "ambiguity" in part.layer else None)
        self._learned.set_region(
            field.grid, field.ambiguity if settings.midline else None, tau, theme.midline
        )
        exact = field.exact.ambiguity if field.exact and settings.exact_midline else None
        self._exact.set_region(field.grid, exact, tau, theme.exact)
        self._geometric.set_lines(part.midline if settings.geometric_midline else (), theme.geometric)
        self._decoded.set_lines(field.decoded if settings.decoder else (), theme.decoder)
        self.show_points(field.data, field.noisy, settings, theme)
        reconstruction = field.reconstruction if settings.show_reconstruction else _NOTHING
        self._reconstruction.set_points(thinned(reconstruction), theme.reconstruction, theme.data_rim)
        self._streaks.set_streaks(field.streaks if settings.flow != "off" else None, theme.particle)
        self._draw_arrows(part, scale, settings, theme)
        self._show_marks(part.marks, field.data, theme)
        self.title.set_text(part.run or _layer_title(part, scale, settings), theme)

    def show_points(
        self, data: FloatArray, noisy: FloatArray, settings: Settings, theme: Theme, *, both: bool = False
    ) -> None:
        """Show clean and noisy points as the settings say, or `both`."""
        for layer, shown, points, colour in (
            (self._data, settings.show_data or both, data, theme.data),
            (self._noisy, settings.show_noisy or both, noisy, theme.noisy),
        ):
            layer.set_points(thinned(points) if shown else _NOTHING, colour, theme.data_rim)

    def _show_marks(self, marks: Marks, data: FloatArray, theme: Theme) -> None:
        self._marks.set_marks(marks, data, theme)
        self.box.probe = None if marks.path is None else (float(marks.path[0, 0]), float(marks.path[0, 1]))

    def show_cross(self, place: tuple[float, float] | None) -> None:
        """Show where the cursor is, in this panel or in the one beside."""
        self._marks.set_cross(place)

    def show_lit(self, place: Point | None) -> None:
        """Show which clean point is pointed at elsewhere."""
        self._marks.set_lit(place)

    def show_look(self, place: Point | None, text: str, theme: Theme) -> None:
        """Mark the place to look at."""
        self._marks.set_look(place, text, theme)

    def _draw_arrows(self, part: Part, scale: Scale, settings: Settings, theme: Theme) -> None:
        field, grid, skip = part.field, part.field.grid, scale.skip
        start = vector = _NOTHING
        if settings.arrows in ("grid", "both") and part.vectors is not None:
            start = grid.points.reshape(*grid.shape, 2)[::skip, ::skip].reshape(-1, 2)
            vector = scale.arrow_factor * part.vectors[::skip, ::skip].reshape(-1, 2)
        colour = theme.arrow if LAYERS[part.layer].symbol else theme.muted
        self._grid_arrows.set_arrows(start, vector, colour, skip * min(grid.cell))
        start = vector = _NOTHING
        if settings.arrows in ("samples", "both"):
            # Beside arrows of another meaning they have their true length.
            factor = 1.0 if arrows_of(part.layer, settings).exact else scale.arrow_factor
            moved = SAMPLED.vectors(field)
            assert moved is not None
            start, vector = thinned(field.noisy), factor * thinned(moved)
        self._sample_arrows.set_arrows(start, vector, theme.noisy)


class Box(pg.ViewBox):
    """A view box that pans and zooms with equal scales alone, and takes clicks and drags of the probe."""

    probed = pyqtSignal(object)
    """The probe is dropped at or dragged to (x, y), in data units."""
    clouded = pyqtSignal(object)
    """A cloud of noise is wanted round (x, y)."""

    def __init__(self, **options: Any) -> None:
        self._cut = 0.0, 1.0
        self._dragging = False
        self.probe: tuple[float, float] | None = None
        self.layers: list[Layer] = []
        self.on_moved: Callable[[Box], object] | None = None
        """Told when another part of the plane is shown."""
        super().__init__(**options)

    # Not by signals: of each connection to a bound method, PyQt keeps some hundred bytes for ever.

    def resizeEvent(self, event: Any) -> None:
        """Tell the layers."""
        super().resizeEvent(event)
        self._tell_layers()

    def updateMatrix(self, changed: Any = None) -> None:
        """Tell the layers, where it is another one: it is asked for before every painting."""
        before = self.childGroup.transform()
        super().updateMatrix(changed)
        if self.childGroup.transform() != before:
            self._tell_layers()

    def updateViewRange(self, *how: Any, **options: Any) -> None:
        """Tell who wants to know."""
        before = self.viewRange()
        super().updateViewRange(*how, **options)
        if self.on_moved is not None and self.viewRange() != before:
            self.on_moved(self)

    def _tell_layers(self) -> None:
        for layer in self.layers:
            layer.moved()

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Drag the probe where the drag began on it, else the view."""
        if event.isStart():
            self._dragging = event.button() == Qt.MouseButton.LeftButton and self._on_probe(event)
        if self._dragging:
            event.accept()
            self.probed.emit(self._place(event.pos()))
        elif event.button() == Qt.MouseButton.RightButton:
            event.ignore()
        else:
            super().mouseDragEvent(event, axis)

    def mouseClickEvent(self, event: Any) -> None:
        """Tell of a click that was no drag."""
        if event.button() == Qt.MouseButton.LeftButton and not event.double():
            event.accept()
            self.probed.emit(self._place(event.pos()))
        elif event.button() == Qt.MouseButton.RightButton:
            event.accept()
            self.clouded.emit(self._place(event.pos()))

    def _place(self, position: QPointF) -> tuple[float, float]:
        place = self.mapToView(position)
        return place.x(), place.y()

    def _on_probe(self, event: Any) -> bool:
        if self.probe is None:
            return False
        away = self.mapFromView(QPointF(*self.probe)) - event.buttonDownPos()
        return math.hypot(away.x(), away.y()) <= GRIP

    def cut(self, left: float, right: float) -> None:
        """Show the part between these fractions of the width alone."""
        if (left, right) != self._cut:
            self._cut = left, right
            self.update()

    def shape(self) -> QPainterPath:
        """What is shown, and takes the mouse."""
        path = QPainterPath()
        path.addRect(self.shown_rect)
        return path

    @property
    def shown_rect(self) -> QRectF:
        """The part that is shown, in the box's pixels."""
        rect, (left, right) = QRectF(self.boundingRect()), self._cut
        return QRectF(rect.x() + left * rect.width(), rect.y(), (right - left) * rect.width(), rect.height())


def stride(points: int) -> int:
    """Every how many-th of so many points is drawn, so that they are not too many."""
    return max(1, math.ceil(points / MOST_POINTS))


def thinned(points: FloatArray) -> FloatArray:
    """The points of these that are drawn."""
    return points[:: stride(len(points))]


def _layer_title(part: Part, scale: Scale, settings: Settings) -> str:
    layer = LAYERS[part.layer]
    if not part.has_arrows(settings):
        return layer.title
    enlarged = "" if scale.arrow_factor == 1.0 else f" × {scale.arrow_factor:.2g}"
    return f"{layer.title}   {arrows_of(part.layer, settings).symbols}{enlarged}"
