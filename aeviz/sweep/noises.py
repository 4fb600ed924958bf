"""The networks of a film over the noise: one for each σ, several trained at a time."""

from __future__ import annotations

import dataclasses
import threading

from aeviz.core.clean_data import CleanData
from aeviz.core.film import film_noises, film_settings, groups, samples
from aeviz.core.settings import Settings
from aeviz.run import TrainingError
from aeviz.sweep.executors import LocalPool
from aeviz.sweep.sweep import outcomes
from aeviz.sweep.task import Outcome, Picture


class Noises:
    """Trains them in processes of their own, until they are closed; use it as a context manager.

    Parameters
    ----------
    settings : Settings
        ``film_noise`` and ``film_steps`` say which σ; all else is the same for each network.
    suffix : str
        Of the film's file.
    data : CleanData
        The clean points of all.
    jobs : int
        How many networks are trained at a time.

    Attributes
    ----------
    shown : list of (float, int)
        Each σ of the film, and for how many frames it stands.
    samples : list of float
        Some of them, the last one among them, for which colours are made; they are trained first.
    """

    def __init__(self, settings: Settings, suffix: str, data: CleanData, jobs: int) -> None:
        noises = film_noises(film_settings(settings, suffix))
        self.shown, self.samples = groups(noises), samples(noises)
        self._settings, self._data, self._last = settings, data, noises[-1]
        self._wanted = [*dict.fromkeys((*self.samples, *noises))]
        self._found: dict[float, Outcome] = {}
        self._done = 0
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._pool = LocalPool(jobs)
        self._thread = threading.Thread(target=self._train, name="aeviz-noises", daemon=True)
        self._thread.start()

    def __enter__(self) -> Noises:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def done(self) -> int:
        """How many are trained."""
        return self._done

    def ready(self, noise: float) -> bool:
        """Whether `picture` and `take` would not have to wait."""
        with self._changed:
            return noise in self._found or self._error is not None

    def picture(self, noise: float) -> Picture:
        """What the figure of a σ is painted of, once its network is trained.

        Raises
        ------
        TrainingError
            Where the loss diverges, or the process dies.
        """
        with self._changed:
            self._changed.wait_for(lambda: noise in self._found or self._error is not None)
            if self._error is not None:
                raise TrainingError(f"{type(self._error).__name__}: {self._error}") from self._error
            outcome = self._found[noise]
        if not isinstance(outcome.picture, Picture):
            raise TrainingError(f"σ = {noise:g}: {outcome.error}")
        return outcome.picture

    def take(self, noise: float) -> Picture:
        """As `picture`, for the last time: it is not kept, but that of the last σ."""
        picture = self.picture(noise)
        if noise != self._last:
            del self._found[noise]
        return picture

    @property
    def last(self) -> Picture:
        """That of the last σ, whose recipe and midline are the film's."""
        return self.picture(self._last)

    def close(self) -> None:
        """End all processes at once."""
        self._pool.shutdown(cancel_futures=True)
        self._thread.join()

    def _train(self) -> None:
        tasks = ((place, self._settings.replace(noise=noise)) for place, noise in enumerate(self._wanted))
        try:
            for place, outcome in outcomes(self._pool, tasks, pictured=True, painted=False, data=self._data):
                with self._changed:
                    self._found[self._wanted[place]] = self._without_data(outcome)
                    self._done += 1
                    self._changed.notify_all()
        except Exception as error:
            with self._changed:
                self._error = error  # closed, it is of no interest
                self._changed.notify_all()

    def _without_data(self, outcome: Outcome) -> Outcome:
        """With the points that are here, instead of each network's own copy of them."""
        if not isinstance(outcome.picture, Picture):
            return outcome
        field = dataclasses.replace(outcome.picture.field, data=self._data.points)
        return dataclasses.replace(
            outcome, picture=dataclasses.replace(outcome.picture, field=field, data=self._data)
        )
