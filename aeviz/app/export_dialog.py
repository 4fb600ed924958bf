"""File > Export figure: how it is to look, with a preview that is painted as the file will be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PyQt6.QtWidgets import QWidget

from aeviz.app.settings_dialog import EXPORT, SettingsDialog
from aeviz.app.shown_field import ShownField
from aeviz.core.pages import PAGES
from aeviz.core.settings import Settings
from aeviz.figure.export import Page
from aeviz.figure.figure import FieldFigure

SHOWN = {
    "Size": ("size", "size_unit", "resolution", "font_size"),
    "Look": ("theme", "title", "legend", "axes", "colour_bar", "colour_map"),
    "Field": ("layer", "compare", "beside", "arrows", "midline", "exact_midline", "geometric_midline",
              "show_data", "show_noisy", "show_reconstruction"),
}  # fmt: skip
"""Which settings stand under which heading."""

KEPT = (*SHOWN["Size"], "theme", "legend", "axes", "colour_bar")
"""What the next dialog begins with as well."""


class ExportDialog(SettingsDialog):
    """Settings of a figure of its own, which leave the window's alone.

    Parameters
    ----------
    field : ShownField
        What is to be seen in it.
    settings : Settings
        To begin with.
    as_window : mapping
        Settings of a page that is as large as the figure in the window.
    save, copy, tell : callable
        Given the settings: write the figure, put it into the clipboard, and put into the clipboard the
        "command" or "python" that makes it.
    """

    def __init__(
        self, parent: QWidget, field: ShownField, settings: Settings, *, as_window: Mapping[str, Any],
        save: Callable[[Settings], object], copy: Callable[[Settings], object],
        tell: Callable[[Settings, str], object],
    ) -> None:  # fmt: skip
        self.field = field
        actions: dict[str, Callable[[], object]] = {
            "Copy as &command": lambda: tell(self.settings, "command"),
            "Copy as P&ython": lambda: tell(self.settings, "python"),
            "&Copy picture": lambda: copy(self.settings),
            f"&{EXPORT}": lambda: save(self.settings),
        }
        pages = {"As the window": as_window} | {each.title: each.settings for each in PAGES.values()}
        super().__init__(parent, "Export figure", settings, shown=SHOWN, pages=pages, actions=actions)

    def figure(self) -> tuple[FieldFigure, Page]:
        """The figure as it will be in the file."""
        return self.field.figure(self.settings), self.field.page(self.settings)

    def facts(self, page: Page) -> str:
        """How large it is, and what it shows."""
        inches = [pixels / page.resolution for pixels in page.pixels]
        return (
            f"{page.pixels[0]:,} × {page.pixels[1]:,} px as PNG   ·   "
            f"{2.54 * inches[0]:.1f} × {2.54 * inches[1]:.1f} cm   ·   {self.field.name}".replace(",", " ")
        )
