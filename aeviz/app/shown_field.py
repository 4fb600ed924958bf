"""What the window shows at one moment, as it goes into files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from aeviz.core.clean_data import CleanData
from aeviz.core.events import Losses
from aeviz.core.field import Field
from aeviz.core.marks import NO_MARKS, Marks
from aeviz.core.recipe import Recipe
from aeviz.core.settings import Settings
from aeviz.figure.composition import Beside
from aeviz.figure.export import Page, figure_of
from aeviz.figure.figure import FieldFigure
from aeviz.figure.overlays import Lines


@dataclass(frozen=True, eq=False)
class ShownField:
    """A field with all its points, and what makes it again.

    Attributes
    ----------
    losses : (E, 2) array
        Loss and regulariser of the epochs before it.
    recipe : Recipe
        With the view in which it is shown.
    name : str
        Which epoch of which run it is.
    """

    field: Field
    data: CleanData
    losses: Losses
    recipe: Recipe
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
        marks = dataclasses.replace(self.marks, cursor=None)
        return figure_of(self.field, settings, self.data, self.midline, self.beside, marks)

    def page(self, settings: Settings) -> Page:
        """What it is painted on."""
        return Page.of(settings, self.beside)

    def recipe_as(self, settings: Settings) -> Recipe:
        """Its recipe, drawn as these settings say, on its own grid."""
        return self.recipe.drawn_as(settings)

    @property
    def rows(self) -> np.ndarray:
        """The losses as they are written, (E, 2)."""
        return self.losses[: self.field.epoch].astype(float)
