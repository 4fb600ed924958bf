"""Small multiples: fields of several epochs or settings side by side, on one scale, under one legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter
from PyQt6.QtWidgets import QGraphicsItem

from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field, Grid
from aeviz.core.marks import NO_MARKS
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings, check_pixels
from aeviz.figure.axes import AxesLayer
from aeviz.figure.colour_bar import ColourBar
from aeviz.figure.composition import Composition, Part
from aeviz.figure.export import Page, alone_in_a_scene
from aeviz.figure.key import Heading, Legend
from aeviz.figure.overlays import Lines
from aeviz.figure.panel import Panel
from aeviz.figure.scale import scales
from aeviz.figure.theme import Theme, font, theme_of
from aeviz.figure.wording import Wording

_MARGIN, _GAP, _CAPTION = 14.0, 12.0, 22.0  # px: round the figure, between panels, of a caption's line
_LEAST = 40.0  # px of a field that can be read
_FIELD = 300.0  # px, width of each field where the figure is given no size


@dataclass(frozen=True)
class Multiple:
    """One of the panels: a field, and what is written above it."""

    caption: str
    field: Field
    midline: Lines = ()


class Multiples(pg.GraphicsWidget):
    """A grid of panels, row by row; their axes are told at the left and below, their scale once.

    Parameters
    ----------
    columns : int
        How many stand in a row.
    settings : Settings
        How all are drawn.
    """

    def __init__(
        self, multiples: Sequence[Multiple], columns: int, settings: Settings, data: CleanData
    ) -> None:
        super().__init__()
        self._settings, self._theme, self._columns = settings, theme_of(settings.theme), columns
        self._home = Grid.home(settings, data)
        self._legend, self._heading = Legend(self), Heading(self)
        self.panels = [Panel(self) for _ in multiples]
        self._captions = [_Caption(self, each.caption, self._theme) for each in multiples]
        self._bar = self.panels[0].bar
        self.fits = True
        """Whether there is room for the fields."""
        parts = tuple(
            Part(settings.layer, each.field, each.midline, NO_MARKS, each.caption) for each in multiples
        )
        shared = scales(parts, settings)
        scale = shared[settings.layer]
        for index, (panel, part) in enumerate(zip(self.panels, parts, strict=True)):
            panel.axes.set_units(data.scale, data.offset)
            panel.axes.set_sides(
                left=index % columns == 0 and settings.axes,
                below=index + columns >= len(parts) and settings.axes,
            )
            panel.draw(part, scale, settings, self._theme, barred=index == 0 and settings.colour_bar)
            panel.title.hide()
        self._wording = Wording(
            Composition("off", (settings.layer,), parts, False), shared, settings, self._theme, data, 1.0
        )

    def resizeEvent(self, event: Any) -> None:
        """Give the fields the largest places of their own shape."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        settings, columns = self._settings, self._columns
        rows = math.ceil(len(self.panels) / columns)
        axes = (AxesLayer.LEFT, AxesLayer.BOTTOM) if settings.axes else (0.0, 0.0)
        bar = ColourBar.WIDTH + 2.0 * _GAP if settings.colour_bar and self._bar.isVisible() else 0.0
        x0, x1, y0, y1 = self._home.edges
        room = self.size().width() - 2.0 * _MARGIN
        wide = (room - axes[0] - bar - (columns - 1) * _GAP) / columns
        self._legend.set_entries(self._entries(max(wide, 1.0) / (x1 - x0)), self._theme.text)
        heading = Heading.HEIGHT if settings.title else 0.0
        top = heading + (self._legend.set_width(room) + 6.0 if settings.legend else 0.0)
        high = (self.size().height() - 2.0 * _MARGIN - top - axes[1]) / rows - _CAPTION
        self.fits = wide >= _LEAST and high >= _LEAST
        if not self.fits:
            return
        scale = min(wide / (x1 - x0), high / (y1 - y0))
        width, height = round(scale * (x1 - x0)), round(scale * (y1 - y0))
        self._legend.set_entries(self._entries(scale), self._theme.text)
        used = axes[0] + columns * width + (columns - 1) * _GAP + bar
        tall = top + rows * (height + _CAPTION) + axes[1]
        left = round(_MARGIN + axes[0] + 0.5 * (room - used))
        above = round(0.5 * (self.size().height() - tall))
        for index, (panel, caption) in enumerate(zip(self.panels, self._captions, strict=True)):
            row, column = divmod(index, columns)
            x, y = left + column * (width + _GAP), above + top + row * (height + _CAPTION)
            caption.stand(QRectF(x, y, width, _CAPTION))
            panel.place(QRectF(x, y + _CAPTION, width, height))
            panel.box.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0.0, disableAutoRange=True)
        first, last = self.panels[0].box.geometry(), self.panels[-1].box.geometry()
        right = left + columns * (width + _GAP) - _GAP
        self._bar.stand(
            right + 2.0 * _GAP, first.top() + 4.0, last.bottom() - first.top() - ColourBar.TITLE - 4.0
        )
        self._legend.setPos(left, above + heading)
        self._legend.setVisible(settings.legend)
        self._heading.set_text(settings.title, self._theme.text, room)
        self._heading.setPos(left, above)

    def _entries(self, pixels: float) -> tuple[Any, ...]:
        """What the legend says where a data unit has so many pixels."""
        return replace(self._wording, pixels=pixels).entries()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Fill the surroundings."""
        painter.fillRect(self.rect(), QColor(self._theme.figure))


class _Caption(QGraphicsItem):
    """What is written above a panel."""

    def __init__(self, parent: QGraphicsItem, text: str, theme: Theme) -> None:
        super().__init__(parent)
        self._text, self._ink, self._font, self._rect = text, QColor(theme.text), font(12), QRectF()

    def stand(self, rect: QRectF) -> None:
        """Stand here."""
        self.prepareGeometryChange()
        self._rect = rect

    def boundingRect(self) -> QRectF:
        """The line."""
        return self._rect

    def paint(self, painter: QPainter, *_: object) -> None:
        """Write the text in the middle."""
        text = QFontMetricsF(self._font).elidedText(
            self._text, Qt.TextElideMode.ElideRight, self._rect.width()
        )
        painter.setFont(self._font)
        painter.setPen(self._ink)
        painter.drawText(self._rect, Qt.AlignmentFlag.AlignCenter, text)


def multiples_of(
    multiples: Sequence[Multiple], columns: int, settings: Settings, data: CleanData
) -> tuple[Multiples, Page]:
    """Make a figure of several panels, and the page for it.

    Raises
    ------
    SettingError
        Where there is no room for them, the figure gets too large, or two layers are to be compared.
    """
    if settings.compare != "off":
        raise SettingError("--compare shows two layers, and each of several panels has one: leave it out")
    page = _page(len(multiples), columns, settings, data)
    figure = Multiples(multiples, columns, settings, data)
    alone_in_a_scene(figure)
    figure.resize(page.scene)
    if not figure.fits:
        raise SettingError(
            f"the figure has no room for {len(multiples)} panels: take a larger --size, or a smaller "
            "--font-size"
        )
    return figure, page


def _page(count: int, columns: int, settings: Settings, data: CleanData) -> Page:
    """The page that the settings ask for, else one on which each field has its usual width."""
    page = Page.of(settings)
    if settings.size:
        return page
    x0, x1, y0, y1 = Grid.home(settings, data).edges
    height = _FIELD * min(2.0, (y1 - y0) / (x1 - x0))
    width = columns * (_FIELD + _GAP) + AxesLayer.LEFT + ColourBar.WIDTH + 3.0 * _MARGIN
    tall = math.ceil(count / columns) * (height + _CAPTION) + AxesLayer.BOTTOM + 70.0 + Heading.HEIGHT
    pixels = round(width * page.scale), round(tall * page.scale)
    check_pixels(*pixels)
    return Page(pixels, page.resolution, page.zoom)
