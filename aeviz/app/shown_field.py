"""What the window shows at one moment, as it goes into files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from aeviz.core.exported import Exported
from aeviz.core.marks import NO_MARKS, Marks
from aeviz.core.recipe import Recipe
from aeviz.core.settings import Settings
from aeviz.figure.composition import Beside
from aeviz.figure.export import Page, figure_of
from aeviz.figure.figure import FieldFigure
from aeviz.figure.overlays import Lines


@dataclass(frozen=True, eq=False)
class ShownField:
    """A field with all its points, and all that is drawn with it.

    Attributes
    ----------
    name : str
        Which epoch of which run it is.
    """

    exported: Exported
    name: str
    midline: Lines = ()
    beside: Beside | None = None
    marks: Marks = NO_MARKS

    def figure(self, settings: Settings) -> FieldFigure:
        """The figure, drawn as these settings say.

        Raises
        ------
        SettingError
            Where there is no room for the field.
        """
        marks, shown = dataclasses.replace(self.marks, cursor=None), self.exported
        return figure_of(shown.field, settings, shown.data, self.midline, self.beside, marks)

    def page(self, settings: Settings) -> Page:
        """What it is painted on."""
        return Page.of(settings, self.beside)

    def recipe_as(self, settings: Settings) -> Recipe:
        """Its recipe, drawn as these settings say, on its own grid."""
        return self.exported.recipe.drawn_as(settings)
