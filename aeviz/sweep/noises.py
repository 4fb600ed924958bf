"""The networks of a film over the noise: one for each σ, several trained at a time."""

from __future__ import annotations

from concurrent.futures import Future

from aeviz.core.clean_data import CleanData
from aeviz.core.film import film_noises, film_settings, samples, shots
from aeviz.core.settings import Settings
from aeviz.run import TrainingError
from aeviz.sweep.executors import LocalPool, WorkerLostError
from aeviz.sweep.task import Outcome, Picture, run_task


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
        drawn = film_settings(settings, suffix)
        noises = film_noises(drawn)
        self.shown, self.samples = [*shots(noises, drawn)], samples(noises)
        self._last = noises[-1]
        self._pool = LocalPool(jobs)
        self._trained: dict[float, Future[Outcome]] = {
            noise: self._pool.submit(
                run_task, settings.replace(noise=noise).to_json(), pictured=True, painted=False, data=data
            )
            for noise in dict.fromkeys((*self.samples, *noises))
        }

    def __enter__(self) -> Noises:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._trained)

    @property
    def done(self) -> int:
        """How many are trained."""
        return sum(each.done() for each in self._trained.values())

    def ready(self, noise: float) -> bool:
        """Whether `picture` would not have to wait."""
        return self._trained[noise].done()

    def picture(self, noise: float) -> Picture:
        """What the figure of a σ is painted of, once its network is trained.

        Raises
        ------
        TrainingError
            Where the loss diverges, or the process dies.
        """
        try:
            outcome = self._trained[noise].result()
        except WorkerLostError as error:
            raise TrainingError(f"σ = {noise:g}: {error}") from error
        if not isinstance(outcome.picture, Picture):
            raise TrainingError(f"σ = {noise:g}: {outcome.error}")
        return outcome.picture

    @property
    def last(self) -> Picture:
        """That of the last σ, whose recipe and midline are the film's."""
        return self.picture(self._last)

    def close(self) -> None:
        """End all processes at once."""
        self._pool.shutdown(cancel_futures=True)
