"""Small multiples: what several epochs, noises or both look like, side by side in one figure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.exported import Exported
from aeviz.core.files import PICTURES, FileError, check_suffix, write_whole
from aeviz.core.manifolds import FloatArray
from aeviz.core.numbers import grouped
from aeviz.core.recipe import MOST_PANELS
from aeviz.core.setting import SettingError
from aeviz.core.settings import DEFAULTS, Settings
from aeviz.run import Run
from aeviz.runs import trained


@dataclass(frozen=True, eq=False)
class Panel:
    """One of them: an epoch of a run with one noise."""

    noise: float
    epoch: int
    exported: Exported
    midline: Sequence[FloatArray]


@dataclass(frozen=True, eq=False)
class Panels:
    """Fields of one run at several epochs, of runs with several noises, or both.

    Attributes
    ----------
    settings : Settings
        Those of the last panel, and how all are drawn.
    shown : mapping of str to tuple
        The values of "noise", "epochs" or both.
    panels : tuple of Panel
        Noise by noise, and epoch by epoch of each.
    """

    settings: Settings
    shown: Mapping[str, tuple[float, ...]]
    panels: tuple[Panel, ...]

    @property
    def columns(self) -> int:
        """How many stand in a row: the epochs where there are several, else noises, about as many as rows."""
        if len(self.shown.get("epochs", ())) > 1 and len(self.shown.get("noise", ())) > 1:
            return len(self.shown["epochs"])
        return len(self.panels) if len(self.panels) <= 4 else math.isqrt(len(self.panels) - 1) + 1

    def save(self, *paths: str | PathLike[str]) -> None:
        """Write the figure: png, svg or pdf by extension.

        Raises
        ------
        FileError
            Where a file cannot be written, or is none of a figure.
        SettingError
            Where there is no room for the panels.
        QtUnavailable
            Where Qt's system libraries are missing.
        """
        for path in map(Path, paths):
            write_whole(path, partial(self._picture, picture_suffix(path)))

    def _picture(self, suffix: str) -> bytes:
        from aeviz.figure.qt import offscreen_application  # Qt is loaded only where a picture is wanted

        offscreen_application()
        from aeviz.figure.export import picture_bytes
        from aeviz.figure.multiples import Multiple, multiples_of

        multiples = [
            Multiple(self._caption(panel), panel.exported.field, panel.midline) for panel in self.panels
        ]
        newest = max(self.panels[-self._of_a_run :], key=lambda panel: panel.epoch).exported
        figure, page = multiples_of(multiples, self.columns, self.settings, newest.data)
        recipe = dataclasses.replace(newest.recipe, panels=self.shown)
        return picture_bytes(figure, suffix, page, recipe)

    @property
    def _of_a_run(self) -> int:
        return len(self.shown.get("epochs", (0,)))

    def _caption(self, panel: Panel) -> str:
        told = {"noise": f"σ = {panel.noise:g}", "epochs": f"epoch {grouped(panel.epoch)}"}
        return " · ".join(text for name, text in told.items() if name in self.shown)


def picture_suffix(path: Path) -> str:
    """Return the extension of a figure, in lower case.

    Raises
    ------
    FileError
        Where it is that of anything else, which has no room for several panels.
    """
    suffix = check_suffix(path)
    if suffix not in PICTURES:
        raise FileError(f"cannot write {path}: several panels go into {', '.join(PICTURES)}")
    return suffix


def train_panels(
    settings: Settings | None = None, *, noise: Sequence[float] = (), epochs: Sequence[int] = (),
    changes: Mapping[int, Mapping[str, Any]] | None = None, progress: Callable[[int], object] | None = None,
) -> Panels:  # fmt: skip
    """Train what the panels show: a run for each noise, with a panel for each of its epochs.

    Parameters
    ----------
    settings : Settings, optional
        What all have in common.
    noise : sequence of float, optional
        One row, or panel, for each.
    epochs : sequence of int, optional
        Which epochs are shown; the last one of the settings by default.
    changes : mapping, optional
        As `train` takes them.
    progress : callable, optional
        Told how many epochs are done in all.

    Raises
    ------
    TrainingError
        Where a loss diverges or a process dies.
    SettingError
        Where there are too many panels, or none of a value.
    """
    settings = settings or DEFAULTS
    shown = {name: tuple(values) for name, values in (("noise", noise), ("epochs", epochs)) if values}
    return trained_panels(settings, clean_data(settings), changes or {}, shown, progress)


def trained_panels(
    settings: Settings, data: CleanData, changes: Mapping[int, Mapping[str, Any]],
    shown: Mapping[str, tuple[Any, ...]], progress: Callable[[int], object] | None = None,
) -> Panels:  # fmt: skip
    """As `train_panels`, on clean points that are there."""
    noise, epochs = shown.get("noise", (settings.noise,)), shown.get("epochs", ())
    _check_count(len(noise) * max(1, len(epochs)))
    if "noise" in shown and any("noise" in values for values in changes.values()):
        raise SettingError("the noise is what the panels differ in: it cannot change while they train")
    last = settings.replace(epochs=max(1, *epochs)) if epochs else settings
    panels: list[Panel] = []
    for index, sigma in enumerate(noise):
        own, before = last.replace(noise=sigma), index * last.epochs

        def tell(epoch: int, before: int = before) -> None:
            if progress is not None:
                progress(before + epoch)

        with trained(own, data, changes, tell) as run:
            panels += _panels_of(run, epochs or (last.epochs,))
    return Panels(own, shown, tuple(panels))


def panels_of(run: Run, epochs: Sequence[int]) -> Panels:
    """Several epochs of a run that is there.

    Raises
    ------
    SettingError
        Where it has none of them, or there are too many.
    """
    _check_count(len(epochs))
    return Panels(run.settings, {"epochs": tuple(epochs)}, tuple(_panels_of(run, epochs)))


def _check_count(count: int) -> None:
    if count > MOST_PANELS:
        raise SettingError(f"a figure has up to {MOST_PANELS} panels, not {count:,}: name fewer values")


def _panels_of(run: Run, epochs: Sequence[int]) -> Iterator[Panel]:
    for epoch in epochs:
        exported = run.exported(epoch)
        yield Panel(exported.field.noise, epoch, exported, run.midline.lines)
