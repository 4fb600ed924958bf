"""What of a run goes into files of data: the field, the losses, the points, the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aeviz.core.clean_data import CleanData
from aeviz.core.events import Losses
from aeviz.core.field import Field
from aeviz.core.files import npz_bytes
from aeviz.core.network_file import network_bytes
from aeviz.core.onnx_file import onnx_bytes
from aeviz.core.recipe import Recipe
from aeviz.core.tables import field_csv, losses_csv, points_csv
from aeviz.core.truth import Denoiser

_MOST_EXACT = 20_000  # noisy points whose exact reconstructions are worked out: that takes their square


@dataclass(frozen=True, eq=False)
class Exported:
    """One epoch of a run.

    Attributes
    ----------
    field : Field
        With all its points.
    losses : (E, 2) array
        Loss and regulariser of each epoch up to it.
    weights : (P,) array
        All parameters of the displayed network, in one.
    """

    field: Field
    data: CleanData
    losses: Losses
    recipe: Recipe
    weights: NDArray[np.floating]

    def npz(self) -> bytes:
        """The field and all that belongs to it, for NumPy."""
        return npz_bytes(self.field, self.losses.astype(float), self.data, self.recipe)

    def field_csv(self) -> bytes:
        """The field, a row for each cell."""
        return field_csv(self.field, self.recipe.settings, self.data, self.recipe.version)

    def losses_csv(self) -> bytes:
        """The losses, a row for each epoch."""
        return losses_csv(self.losses.astype(float), self.recipe.settings, self.recipe.version)

    def points_csv(self) -> bytes:
        """The clean and noisy points and their reconstructions, a row for each."""
        settings, exact = self.recipe.settings, None
        if len(self.data.points) <= _MOST_EXACT:
            denoiser = Denoiser.of(settings.tested, self.data)
            if denoiser is not None and denoiser.is_everywhere:
                exact = denoiser.at(self.field.noisy).mean
        return points_csv(self.field, settings, self.data, self.recipe.version, exact)

    def safetensors(self) -> bytes:
        """The network, for PyTorch."""
        return network_bytes(
            self.weights, self.recipe.settings, self.data, self.field.epoch, self.recipe.version
        )

    def onnx(self) -> bytes:
        """The network, for any runtime of ONNX."""
        return onnx_bytes(
            self.weights, self.recipe.settings, self.data, self.field.epoch, self.recipe.version
        )


DATA_FILES: Mapping[str, tuple[str, Callable[[Exported], bytes]]] = {
    ".npz": ("Field and all that belongs to it, for NumPy", Exported.npz),
    ".losses.csv": ("Losses as a table", Exported.losses_csv),
    ".points.csv": ("Points as a table", Exported.points_csv),
    ".csv": ("Field as a table", Exported.field_csv),
    ".safetensors": ("Network for PyTorch", Exported.safetensors),
    ".onnx": ("Network as ONNX", Exported.onnx),
}
"""What the files are, and what makes them, by the end of their names; the longer of two ends counts."""


def data_ending(path: Path) -> str | None:
    """Which of `DATA_FILES` a name asks for, or None."""
    return next((ending for ending in DATA_FILES if path.name.lower().endswith(ending)), None)
