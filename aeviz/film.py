"""Films without a window: of a training, and of networks trained with ever more noise."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.film import epoch_caption, film_epochs, film_settings, noise_caption, samples, shots
from aeviz.core.settings import Settings
from aeviz.run import Run
from aeviz.sweep.executors import cores
from aeviz.sweep.noises import Noises

Progress = Callable[[int, int], object]
"""Told how many pictures are painted, and how many there are."""


def film(
    run: Run, path: str | PathLike[str], progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> bool:  # fmt: skip
    """Write a film of a run's training, from epoch 0 to its newest, as MP4 or GIF by extension.

    Parameters
    ----------
    progress : callable, optional
        Told how many pictures are painted, and how many there are.
    cancelled : callable, optional
        Asked between two pictures; where it says so, nothing is left behind.

    Returns
    -------
    bool
        Whether it was written.

    Raises
    ------
    FileError
        Where it cannot be written.
    SettingError
        Where there is no room for the field.
    TrainingError
        Where a process of the run dies.
    QtUnavailable
        Where Qt's system libraries are missing.
    """
    from aeviz.figure.qt import offscreen_application  # Qt is loaded only where a picture is wanted

    offscreen_application()
    from aeviz.figure.film import Film, Picture

    path = Path(path)
    last, settings = run.history.current.epoch, film_settings(run.settings, path.suffix.lower())
    epochs = film_epochs(last, settings)
    shown = shots(epochs, settings)
    looked = [Picture(field, epoch_caption(field.epoch, last)) for field in run.fields(samples(epochs))]
    with Film(path, settings, run.data, looked, run.recipe(), run.midline.lines) as made:
        fields = run.fields(epoch for epoch, _ in shown)
        for done, (field, (epoch, frames)) in enumerate(zip(fields, shown, strict=True), start=1):
            if cancelled is not None and cancelled():
                made.cancel()
                return False
            made.add(Picture(field, epoch_caption(epoch, last), frames))
            if progress is not None:
                progress(done, len(shown))
    return True


def noise_film(
    settings: Settings,
    path: str | PathLike[str],
    progress: Progress | None = None,
    *,
    data: CleanData | None = None,
    jobs: int | None = None,
) -> None:
    """Write a film of trained networks as σ grows, as MP4 or GIF by extension.

    Parameters
    ----------
    settings : Settings
        ``film_noise`` and ``film_steps`` say which σ; all else is the same for each network.
    progress : callable, optional
        Told how many networks are trained and painted, and how many there are.
    data : CleanData, optional
        Their clean points, where they are there already.
    jobs : int, optional
        How many networks are trained at a time; as many as there are cores by default.

    Raises
    ------
    FileError
        Where it cannot be written.
    SettingError
        Where there is no room for the field.
    TrainingError
        Where the loss diverges, or a process dies.
    QtUnavailable
        Where Qt's system libraries are missing.
    """
    from aeviz.figure.qt import offscreen_application

    offscreen_application()
    from aeviz.figure.film import Film, Picture

    path, data = Path(path), clean_data(settings) if data is None else data
    with Noises(settings, path.suffix.lower(), data, cores() if jobs is None else jobs) as noises:
        looked = [Picture(noises.picture(noise).field, noise_caption(noise)) for noise in noises.samples]
        last = noises.last
        with Film(path, settings, data, looked, last.recipe, last.midline) as made:
            for done, (noise, frames) in enumerate(noises.shown, start=1):
                made.add(Picture(noises.take(noise).field, noise_caption(noise), frames))
                if progress is not None:
                    progress(done, len(noises.shown))
