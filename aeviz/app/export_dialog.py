"""File > Export figure: how it is to look, with a preview that is painted as the file will be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PyQt6.QtWidgets import QWidget

from aeviz.app.settings_dialog import EXPORT, Pages, SettingsDialog
from aeviz.app.shown_field import ShownField
from aeviz.core.numbers import grouped
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
    """Settings of a figure of its own, which leave the window's alone; closed, it can be opened again.

    One is made once: Qt keeps some kilobytes of each dialog with a style sheet for ever.

    Parameters
    ----------
    field : ShownField
        What is to be seen in it.
    settings : Settings
        To begin with.
    as_window : callable
        Returns the settings of a page that is as large as the figure in the window.
    save, copy, tell : callable
        Given the field and the settings: write the figure, put it into the clipboard, and put into the
        clipboard the "command" or "python" that makes it.
    """

    def __init__(
        self, parent: QWidget, field: ShownField, settings: Settings, *,
        as_window: Callable[[], Mapping[str, Any]],
        save: Callable[[ShownField, Settings], object], copy: Callable[[ShownField, Settings], object],
        tell: Callable[[ShownField, Settings, str], object],
    ) -> None:  # fmt: skip
        self._field: ShownField | None = field
        actions: dict[str, Callable[[], object]] = {
            "Copy as &command": lambda: tell(self.field, self.settings, "command"),
            "Copy as P&ython": lambda: tell(self.field, self.settings, "python"),
            "&Copy picture": lambda: copy(self.field, self.settings),
            f"&{EXPORT}": lambda: save(self.field, self.settings),
        }
        usual: Pages = {each.title: partial(dict, each.settings) for each in PAGES.values()}
        pages = {"As the window": as_window, **usual}
        super().__init__(parent, "Export figure", settings, shown=SHOWN, pages=pages, actions=actions)
        self.finished.connect(self._forget)

    @property
    def field(self) -> ShownField:
        """What is to be seen in the figure."""
        assert self._field is not None, "the dialog is closed"
        return self._field

    def open_again(self, field: ShownField, settings: Settings) -> None:
        """Show another field, with settings to begin with."""
        self._field = field
        self.store.begin(settings)
        self.note("")
        self.show_preview()
        self.show()
        self.activateWindow()

    def _forget(self) -> None:
        """Closed, it needs no memory for a field."""
        self._settle.stop()
        self.preview.show_figure(None, None)
        self._field = None

    def figure(self) -> tuple[FieldFigure, Page]:
        """The figure as it will be in the file."""
        return self.field.figure(self.settings), self.field.page(self.settings)

    def facts(self, page: Page) -> str:
        """How large it is, and what it shows."""
        inches = [pixels / page.resolution for pixels in page.pixels]
        return (
            f"{grouped(page.pixels[0])} × {grouped(page.pixels[1])} px as PNG   ·   "
            f"{2.54 * inches[0]:.1f} × {2.54 * inches[1]:.1f} cm   ·   {self.field.name}"
        )
