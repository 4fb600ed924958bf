"""The exact field and reference that are wanted: a sketch at once, the whole while nothing is asked."""

from __future__ import annotations

import dataclasses
import math
import time
from functools import cached_property
from typing import Generic, TypeVar

from scipy.spatial import KDTree

from aeviz.core.clean_data import CleanData
from aeviz.core.field import ExactField, Grid
from aeviz.core.metrics import NoiseTest, Probe, Quality, Reference
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, Steps, finish

SHORT = 1_500_000  # posterior weights, 15 ms: an exact field that takes no more comes before its frame
FEW_PROBES = 512  # of the probe set, from which the Bayes floor is sketched
RESTS = 0.1  # seconds for which the same must be wanted until the whole is begun: a slider is dragged

Result = TypeVar("Result")


class Task(Generic[Result]):
    """One thing that is wanted, for the newest key; asking for another key drops what was begun."""

    def __init__(self) -> None:
        self._key: object = None
        self._since = 0.0
        self._steps: Steps[Result] | None = None
        self.result: Result | None = None

    def is_for(self, key: object) -> bool:
        """Whether this is what was wanted last."""
        return key == self._key

    def want(self, key: object, steps: Steps[Result]) -> None:
        """Begin to work for another key."""
        self._key, self._since = key, time.monotonic()
        self._steps, self.result = steps, None

    @property
    def unfinished(self) -> bool:
        """Whether there is something left to do."""
        return self._steps is not None

    @property
    def wait(self) -> float:
        """Seconds until it is worth while to go on; infinite where nothing is left to do."""
        return max(0.0, self._since + RESTS - time.monotonic()) if self.unfinished else math.inf

    def advance(self) -> bool:
        """Do a little more; True where that was the last of it."""
        assert self._steps is not None
        try:
            next(self._steps)
        except StopIteration as end:
            self.result, self._steps = end.value, None
        except BaseException:
            self._steps = None  # told once: what is wanted again and again would fail again and again
            raise
        return not self.unfinished

    def finish(self) -> Result | None:
        """Do all that is left to do."""
        while self.unfinished:
            self.advance()
        return self.result


class Exact:
    """What the exact denoiser does with the data of one run."""

    def __init__(self, data: CleanData) -> None:
        self._data = data
        self._sketch: ExactField | None = None
        self._whole: tuple[object, ExactField] | None = None  # the last one that was worked out for a file
        self.field_task: Task[ExactField] = Task()
        self.reference_task: Task[Reference] = Task()
        self.noise_task: Task[NoiseTest] = Task()
        self._denoiser: Denoiser | None = None
        self._denoiser_is: tuple[object, ...] = ()

    @property
    def tasks(self) -> tuple[Task[ExactField], Task[Reference], Task[NoiseTest]]:
        """What is worked out here, the most urgent first."""
        return self.field_task, self.reference_task, self.noise_task

    def denoiser(self, settings: Settings) -> Denoiser | None:
        """The exact denoiser, the same as long as the optimum is."""
        if self._denoiser_is != settings.optimum:
            self._denoiser, self._denoiser_is = Denoiser.of(settings, self._data), settings.optimum
        return self._denoiser

    @cached_property
    def midline(self) -> Midline:
        """The geometric midline."""
        return Midline.of(self._data.curve, self._data.closed)

    @cached_property
    def tree(self) -> KDTree:
        """The clean points, to find the nearest."""
        return KDTree(self._data.points)

    def field(self, settings: Settings, grid: Grid) -> ExactField | None:
        """The exact field, or a sketch of it while it is worked out; None where there is none."""
        denoiser = self._everywhere(settings)
        if denoiser is None:
            return None
        task, key = self.field_task, (settings.optimum, grid)
        if not task.is_for(key):
            task.want(key, ExactField.solving(denoiser, grid))
            self._sketch = None
            if grid.shape[0] * grid.shape[1] * len(self._data.points) <= SHORT:
                task.finish()
            else:
                self._sketch = ExactField.sketched(denoiser, grid, SHORT)
        return task.result or self._sketch

    def whole(self, settings: Settings, grid: Grid) -> Steps[ExactField | None]:
        """Work out the exact field for a file; what is worked out for the window goes on after it."""
        denoiser = self._everywhere(settings)
        if denoiser is None:
            return None
        key = settings.optimum, grid
        if self.field_task.is_for(key) and self.field_task.result is not None:
            return self.field_task.result
        if self._whole is None or self._whole[0] != key:  # the next picture of a video mostly wants the same
            self._whole = key, (yield from ExactField.solving(denoiser, grid))
        return self._whole[1]

    def _everywhere(self, settings: Settings) -> Denoiser | None:
        denoiser = self.denoiser(settings)
        return denoiser if denoiser is not None and denoiser.is_everywhere else None

    def reference(self, settings: Settings) -> Reference | None:
        """The reference; None while it is worked out."""
        task, key = self.reference_task, (settings.optimum, settings.grid, settings.extent)
        if not task.is_for(key):
            task.want(key, self._reference_steps(settings, self.denoiser(settings)))
        return task.result

    def noise_test(self, settings: Settings) -> NoiseTest | None:
        """The points on which the error over the noise is measured; None while they are worked out."""
        task, key = self.noise_task, (settings.optimum, settings.test_noise)
        if not task.is_for(key):
            task.want(key, NoiseTest.solving(settings, self._data))
        return task.result

    def _reference_steps(self, settings: Settings, denoiser: Denoiser | None) -> Steps[Reference]:
        midline = self.midline
        yield
        tree = self.tree
        yield
        return (yield from Reference.solving(settings, self._data, denoiser, midline, tree))

    def floor(self, settings: Settings) -> Quality:
        """A sketch of the Bayes floor, where there is one."""
        denoiser = self.denoiser(settings)
        if denoiser is None:
            return Quality()
        few = denoiser.thinned(max(1, SHORT // 3 // FEW_PROBES))
        some = dataclasses.replace(self._data, points=few.data)
        probe = finish(Probe.solving(settings, some, few, FEW_PROBES))
        return Quality(probe.bayes_floor, sketch=True)
