"""Pictures of a sweep: each run's field, and the chart of its table."""

from __future__ import annotations

import dataclasses

from aeviz.core.settings import CSS_DPI, Settings
from aeviz.figure.chart import SIZE, chart_of
from aeviz.figure.curves import Curves
from aeviz.figure.export import Page, figure_of, picture_bytes
from aeviz.figure.theme import theme_of
from aeviz.sweep.task import Picture


def field_png(picture: Picture, settings: Settings) -> bytes:
    """A run's figure, as `aeviz render` writes it."""
    figure = figure_of(picture.field, settings, picture.data, picture.midline)
    return picture_bytes(figure, ".png", Page.of(settings), picture.recipe)


def chart_bytes(curves: Curves, settings: Settings, suffix: str) -> bytes:
    """A chart with the theme, the size, the fonts and the title of these settings."""
    page = Page.of(settings)
    if not settings.size:
        width, height = (round(each * settings.resolution / CSS_DPI) for each in SIZE)
        page = dataclasses.replace(page, pixels=(width, height))
    chart = chart_of(curves, theme_of(settings.theme), page.scene, settings.title, settings.legend)
    return picture_bytes(chart, suffix, page)
