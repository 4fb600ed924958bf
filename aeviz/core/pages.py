"""Sizes that figures are usually wanted in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aeviz.core.setting import SettingError, nearest


@dataclass(frozen=True, slots=True)
class PagePreset:
    """A usual page: its title, and the settings of the figure that suit it."""

    title: str
    settings: Mapping[str, Any]


def _page(
    title: str, size: tuple[float, ...], resolution: float, font_size: float, **rest: Any
) -> PagePreset:
    """A page whose size is in centimetres."""
    page = {"size": size, "size_unit": "cm", "resolution": resolution, "font_size": font_size}
    return PagePreset(title, page | rest)


PAGES: Mapping[str, PagePreset] = {
    "screen": _page("Screen", (), 192.0, 9.0),
    "slide": _page("Slide 16:9", (33.867, 19.05), 144.0, 16.0),
    "column": _page("Column width", (8.5, 7.0), 600.0, 7.0, theme="light"),
    "full-width": _page("Full width", (17.8, 14.0), 600.0, 9.0, theme="light"),
    "poster": _page("Poster", (60.0, 48.0), 200.0, 28.0, theme="light"),
}
"""By name. A column is that of most two-column journals, the full width two of them."""


def page_settings(name: str) -> Mapping[str, Any]:
    """Settings of a usual page.

    Raises
    ------
    SettingError
        Where there is none of this name.
    """
    if name not in PAGES:
        names = tuple(PAGES)
        raise SettingError(f"there is no page {name!r}{nearest(name, names)}; there are {', '.join(names)}")
    return PAGES[name].settings
