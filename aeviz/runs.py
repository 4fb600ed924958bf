"""How runs come about: trained from settings, taken up from run files, made again from figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.files import RUN
from aeviz.core.history import History
from aeviz.core.recipe_files import recipe_in
from aeviz.core.run_file import read_run
from aeviz.core.setting import SettingError
from aeviz.core.settings import DEFAULTS, SPECS, Settings
from aeviz.core.timeline import Plan
from aeviz.run import Run


def train(
    settings: Settings | None = None,
    *,
    epochs: int | None = None,
    changes: Mapping[int, Mapping[str, Any]] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Run:
    """Train a run to its last epoch.

    >>> with train(Settings(noise=0.4), epochs=50, changes={25: {"noise": 0.2}}) as run:
    ...     print(len(run.loss), run.settings.noise)
    50 0.2

    Parameters
    ----------
    settings : Settings, optional
        The default ones if left out.
    epochs : int, optional
        In place of the settings' own.
    changes : mapping of int to mapping, optional
        Settings that change while it trains, by name: those that hold after which epoch.
    progress : callable, optional
        Called with the number of epochs done, now and then.

    Raises
    ------
    TrainingError
        Where the loss diverges or a process dies.
    SettingError
        Where the settings ask for a device that torch does not see, or a change needs another run.
    """
    settings = settings or DEFAULTS
    settings = settings if epochs is None else settings.replace(epochs=epochs)
    return trained(settings, clean_data(settings), changes or {}, progress)


def trained(
    settings: Settings, data: CleanData, changes: Mapping[int, Mapping[str, Any]],
    progress: Callable[[int], object] | None = None,
) -> Run:  # fmt: skip
    """As `train`, on clean points that are there."""
    history = History()
    history.begin(settings, data).plan = plan = plan_of(settings, changes)
    run = Run(plan.changes[-1][1] if plan.changes else settings, history)
    try:
        run.train(progress)
    except BaseException:
        run.close()
        raise
    return run


def plan_of(settings: Settings, changes: Mapping[int, Mapping[str, Any]]) -> Plan:
    """What a run that begins with these settings is to do.

    Raises
    ------
    SettingError
        Where a change needs another run, or comes too late.
    """
    planned, now = [], settings
    for epoch, values in sorted(changes.items()):
        if not 0 <= epoch < settings.epochs:
            raise SettingError(
                f"a change after epoch {epoch:,}: it can come after epochs 0 to {settings.epochs - 1:,}"
            )
        before, now = now, now.replace(**values)
        for name in before.changed(now):
            if SPECS[name].applies != "live" or name == "epochs":
                raise SettingError(
                    f"{SPECS[name].option} cannot change while a run trains: it needs another one"
                )
        planned.append((epoch, now))
    return Plan(tuple(planned), settings.epochs if planned else 0)


def load(path: str | PathLike[str], epoch: int | None = None, **changes: Any) -> Run:
    """Take up a run from its file, at its newest epoch or at a past one, or make that of a figure again.

    Parameters
    ----------
    path : str or path
        A run file (.aeviz), or a figure, field or video that aeviz wrote: then its run is trained again, to
        the epoch that was shown.
    epoch : int, optional
        Which epoch; exactly as it was.
    changes
        Settings of the drawing, and ``epochs``, by name: `Run.train` goes on to that one.

    Raises
    ------
    FileError
        Where the file cannot be read, or is broken.
    SettingError
        Where it has no such epoch, or another setting is to be changed.
    TrainingError
        Where the training of a figure's run fails.
    """
    run = unpacked(path, epoch, **changes)
    try:
        run.arrive()
    except BaseException:
        run.close()
        raise
    return run


def unpacked(path: str | PathLike[str], epoch: int | None = None, *, least: int = 0, **changes: Any) -> Run:
    """As `load`, but on its way to that epoch: `Run.arrive` waits until it is there.

    Where it has fewer epochs than `least`, that is the last one to which `Run.train` will go.
    """
    path = Path(path)
    if path.suffix.lower() != RUN:
        return _again(path, epoch, least, changes)
    saved = read_run(path)
    branch = saved.history.current
    if epoch is not None and not 0 <= epoch <= branch.epoch:
        raise SettingError(
            f"--epoch cannot be {epoch}: the run in {path} has the epochs 0 to {branch.epoch:,}"
        )
    then = branch.settings if epoch is None else branch.settings_at(epoch)
    _set_epochs(changes, branch.epoch if epoch is None else epoch, least, path)
    settings = with_view(then.drawn_as(saved.view), changes, path)
    if epoch is not None and epoch < branch.epoch:
        settings = settings.replace(epochs=max(1, epoch)) if "epochs" not in changes else settings
        saved.history.fork(epoch, settings)
    return Run(settings, saved.history)


def _again(path: Path, epoch: int | None, least: int, changes: dict[str, Any]) -> Run:
    recipe = recipe_in(path)
    if epoch is not None:
        if not 0 <= epoch <= recipe.epoch:
            raise SettingError(f"--epoch cannot be {epoch}: the run of {path} goes to {recipe.epoch:,}")
        recipe = recipe.up_to(epoch)
    _set_epochs(changes, recipe.epoch, least, path)
    return Run(with_view(recipe.settings, changes, path), recipe.history())


def _set_epochs(changes: dict[str, Any], epoch: int, least: int, path: Path) -> None:
    """Let a run that stands at an epoch go on to `least`; it cannot end before where it stands."""
    if least > epoch:
        changes["epochs"] = least
    wanted = changes.get("epochs", epoch)
    if wanted < epoch:
        raise SettingError(
            f"--epochs cannot be {wanted:,}: the run in {path} has {epoch:,} already; --epoch {wanted} shows "
            "that one"
        )


def with_view(settings: Settings, changes: Mapping[str, Any], path: Path) -> Settings:
    """The settings of a file, with changes of how they are drawn and of ``epochs``.

    Raises
    ------
    SettingError
        Where another one is to be changed.
    """
    changed = settings.replace(**changes)
    for name in settings.changed(changed):
        if SPECS[name].applies != "view" and name != "epochs":
            option = SPECS[name].option
            raise SettingError(f"{option} belongs to the run in {path}, which is trained: leave it out")
    return changed
