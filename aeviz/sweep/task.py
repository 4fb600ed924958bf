"""One run of a sweep, in a process of the pool: the window's own training and measuring, without pipes."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.field import Field, Grid
from aeviz.core.history import History
from aeviz.core.manifolds import FloatArray
from aeviz.core.midline import Midline
from aeviz.core.recipe import Recipe
from aeviz.core.setting import SettingError
from aeviz.core.settings import DEFAULTS, Settings
from aeviz.figure.qt import offscreen_application
from aeviz.run import FLOWED
from aeviz.version import __version__
from aeviz.work import messages as m

if TYPE_CHECKING:
    from aeviz.work.sight import Sight  # which loads torch


@dataclass(frozen=True)
class Picture:
    """What a run's figure is painted of, by whoever has a screen or none.

    Attributes
    ----------
    midline : tuple of (K, 2) arrays
        The geometric one's lines.
    """

    field: Field
    data: CleanData
    midline: tuple[FloatArray, ...]
    recipe: Recipe


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes
    ----------
    metrics : dict
        As `Metrics.to_json`; empty where the run failed.
    error : str
        Why it failed, in one line; or nothing.
    picture : bytes, Picture or None
        Its figure as a PNG file; or what that is painted of, where a task is not in its process's main
        thread, in which alone Qt may paint.
    version : str
        Of the aeviz that ran it.
    """

    metrics: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    picture: bytes | Picture | None = None
    version: str = __version__


def run_task(
    values: dict[str, Any], pictured: bool = False, painted: bool = True, data: CleanData | None = None
) -> Outcome:
    """Train a run and measure it, in this process and with one thread.

    The numbers are those of `aeviz.train(settings).metrics()`, bit for bit on one machine.

    Parameters
    ----------
    values : dict
        Settings by name, as plain JSON values; defaults are left out.
    pictured : bool
        Whether its figure is wanted.
    painted : bool
        Whether that is painted where it can be; else what it is painted of is given.
    data : CleanData, optional
        The clean points; by default those that the settings name.
    """
    import torch

    from aeviz.learn.training import DeviceError, DivergedError

    torch.set_num_threads(1)
    with torch.no_grad():
        try:
            settings = DEFAULTS.replace(**values)
            return _outcome(settings, data or clean_data(settings), pictured, painted)
        except (DivergedError, DeviceError, SettingError) as error:
            return Outcome(error=str(error))


def _outcome(settings: Settings, data: CleanData, pictured: bool, painted: bool) -> Outcome:
    from aeviz.work.driver import Driver
    from aeviz.work.sight import Sight

    branch = History().begin(settings, data)
    driver = Driver(m.Build.of(1, settings, branch), m.Drive(playing=True, speed=math.inf))
    while driver.phase() == "training":
        driver.train()
        driver.record.clear()  # keyframes, which nobody keeps
    state, sight = driver.state(m.AskState((0, 0, 0), 0)), Sight(1, m.Origin(settings, data))
    metrics = sight.metrics(state).metrics.to_json()
    if not pictured:
        return Outcome(metrics)
    recipe = Recipe.of(branch, driver.training.epoch, settings)
    picture = _picture(settings, data, sight, state, recipe)
    if painted and threading.current_thread() is threading.main_thread():
        return Outcome(metrics, picture=png_of(picture, settings))
    return Outcome(metrics, picture=picture)


def png_of(picture: Picture, settings: Settings) -> bytes:
    """Paint a run's figure, as `aeviz render` does."""
    offscreen_application()
    from aeviz.sweep.figures import field_png  # loads Qt

    return field_png(picture, settings)


def _picture(settings: Settings, data: CleanData, sight: Sight, state: m.State, recipe: Recipe) -> Picture:
    """Look at the run as `Run.save` does."""
    ask, answers = m.Ask(0, settings, grid=Grid.home(settings, data)), list[m.FromWorker]()
    for _ in range(FLOWED if settings.flow != "off" else 0):
        answers += sight.answers(ask, state)  # lets the particles move
    answers += sight.answers(replace(ask, number=1, samples=1, whole=True), state)
    while not (frame := _frame(answers)):
        answers += sight.advance()
    midline = next((each.midline for each in answers if isinstance(each, m.Geometry)), Midline())
    assert frame.field is not None
    return Picture(replace(frame.field, data=data.points), data, midline.lines, recipe)


def _frame(answers: list[m.FromWorker]) -> m.Frame | None:
    return next((each for each in answers if isinstance(each, m.Frame) and each.number == 1), None)
