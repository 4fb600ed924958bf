"""One run as it is seen: frames, the exact field beside them, and how good the network is."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

import numpy as np
import torch

from aeviz.core.code import CodeView, Directions, some_points
from aeviz.core.corruption import Corruption, shown_noisy
from aeviz.core.field import ExactField, Field, Grid
from aeviz.core.flow import Flow
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import ExactPlace, Marks, Place, Point, Reconstruct, basins
from aeviz.core.metrics import Metrics
from aeviz.core.settings import Settings
from aeviz.core.truth import finish
from aeviz.learn.measure import measure
from aeviz.learn.network import Network
from aeviz.work import messages as m
from aeviz.work.exact import Exact, Task
from aeviz.work.past import AT_ONCE, PastEpochs, Shown

BASINS_SHARE = 10.0  # times what basins take: so long they are shown unless the grid changes
_MOST_CODE = 1e30  # what is larger is drawn as this


class Sight:
    """Works out what there is to see of one run."""

    def __init__(self, run: int, origin: m.Origin) -> None:
        settings = origin.settings
        self.run = run
        self._data = origin.data
        self._past = PastEpochs(origin)
        self._looks_back = False  # the window looks at a past epoch
        self._coded = some_points(len(self._data.points))  # the clean points whose codes are looked at
        self._directions: Directions | None = None  # as last seen
        self._network = Network.of(settings, self._data.points)
        self._exact = Exact(self._data)
        self._files: list[tuple[m.Frame, Task[ExactField | None]]] = []  # that wait for their exact field
        self._told_exact: ExactField | None = None
        self._exact_settings = settings  # whose exact field was told last
        self._told_midline = False
        self._judged: tuple[Shown, Settings] | None = None  # what was judged last, and how it was drawn
        self._basins: FloatArray = np.empty((0, 0))
        self._basins_are: tuple[Grid, tuple[object, ...]] | None = None
        self._basins_due = 0.0  # by the clock: until then a moving run may be shown with those it has
        self._flow: Flow | None = None
        self._flow_is: object = None

    def answers(
        self, ask: m.Ask, state: m.State, beside: Sight | None = None
    ) -> Iterator[m.Geometry | m.Exact | m.Frame]:
        """What has changed beside the network, then the frame, with the field that `beside` is asked for."""
        began = time.perf_counter()
        self._looks_back = ask.past is not None if not ask.whole else self._looks_back
        shown = _newest(state) if ask.past is None else self._past.show(ask.past, _patience(ask))
        if ask.grid is not None:
            if not self._told_midline:
                self._told_midline = True
                yield m.Geometry(self.run, self._exact.midline)
            if ask.view.shows_exact and not ask.whole:
                exact = self._exact.field(shown.settings, ask.grid)
                if exact is not None and exact is not self._told_exact:
                    yield self._tell(shown.settings, exact)
        field = self._field(ask, ask.grid, shown) if ask.grid is not None else None
        marks = self._marks(ask, shown)
        field_beside = beside.beside(ask) if beside is not None else None
        taken = time.perf_counter() - began
        frame = m.Frame(
            ask.number, self.run, state.progress, shown.epoch, shown.settings, field, marks, taken,
            field_beside, shown.average.numpy() if ask.whole else None,
        )  # fmt: skip
        if ask.whole and ask.grid is not None:
            whole: Task[ExactField | None] = Task()
            whole.want(ask.number, self._exact.whole(shown.settings, ask.grid))
            self._files.append((frame, whole))
        else:
            yield frame

    @property
    def brings(self) -> bool:
        """Whether the window waits for a past epoch that is still to be brought back."""
        return self._looks_back and self._past.unfinished

    @property
    def wait(self) -> float:
        """Seconds until there is something to go on with; infinite where there is nothing."""
        return 0.0 if self._files or self.brings else min(task.wait for task in self._exact.tasks)

    def advance(self) -> Iterator[m.Exact | m.Frame | m.Judged | m.Brought]:
        """Go on with what is unfinished, first the past, then files; what that finishes is told."""
        task = self._exact.field_task
        if self.brings:
            if self._past.advance():
                yield m.Brought(self.run)
        elif self._files:
            frame, whole = self._files[0]
            try:
                whole.advance()
            finally:
                if not whole.unfinished:
                    self._files.pop(0)
            if not whole.unfinished:
                assert frame.field is not None
                yield dataclasses.replace(frame, field=dataclasses.replace(frame.field, exact=whole.result))
        elif task.wait == 0.0:
            if task.advance() and task.result is not None:
                yield self._tell(self._exact_settings, task.result)
        else:
            other = next((other for other in self._exact.tasks if other.wait == 0.0), None)
            if other is not None and other.advance() and self._judged is not None:
                yield self._judge(*self._judged)

    def _tell(self, settings: Settings, exact: ExactField) -> m.Exact:
        self._told_exact, self._exact_settings = exact, settings
        return m.Exact(self.run, settings.optimum, exact)

    def _field(self, ask: m.Ask, grid: Grid, shown: Shown) -> Field:
        learned = self._network.field(shown.average, grid.points)
        noisy = reconstruction = np.empty((0, 2))
        if ask.samples:
            noisy = shown_noisy(shown.settings.drawn_as(ask.view).tested, self._data, ask.samples)
            reconstruction = self._reconstruct(shown)(noisy)
        return Field(
            grid,
            learned.displacement.reshape(*grid.shape, 2),
            learned.ambiguity.reshape(grid.shape),
            np.empty((0, 2)), noisy, reconstruction, shown.epoch, shown.settings.noise,
            learned.curl.reshape(grid.shape),
            self._basins_of(grid, shown, ask.whole) if "basins" in ask.view.layers else None,
            None,
            self._streaks(ask, grid, shown),
            self._decoded(shown, ask.whole) if ask.view.decoder else (),
            shown.settings.noise_kind,
        )  # fmt: skip

    def _look_at_codes(self, shown: Shown) -> FloatArray:
        """The codes (K, d) of some clean points; from now on codes are seen in their directions."""
        found = self._network.encode(shown.average, self._data.points[self._coded])
        codes = np.nan_to_num(found).clip(-_MOST_CODE, _MOST_CODE)  # weights that have exploded may be seen
        self._directions = Directions.of(codes, self._directions)
        return codes

    def _decoded(self, shown: Shown, whole: bool) -> tuple[FloatArray, ...]:
        if whole or self._directions is None:  # else they are those of the last measurement
            self._look_at_codes(shown)
        assert self._directions is not None
        lines = self._directions.lattice
        found = self._network.decode(shown.average, np.concatenate(lines))
        decoded = np.split(found, np.cumsum([len(line) for line in lines])[:-1])
        return tuple(line for line in decoded if np.isfinite(line).all())

    def _basins_of(self, grid: Grid, shown: Shown, whole: bool) -> FloatArray:
        """The basins; while the run moves, those of a moment ago, for they would hold up each frame."""
        wanted, began = (grid, shown.key), time.perf_counter()
        known = self._basins_are is not None and self._basins_are[0] == grid
        lags = known and shown.moves and not whole and began < self._basins_due
        if not lags and self._basins_are != wanted:
            found = basins(grid.points, self._reconstruct(shown), self._exact.tree, self._data.positions)
            self._basins, self._basins_are = found.reshape(grid.shape), wanted
            now = time.perf_counter()
            self._basins_due = now + BASINS_SHARE * (now - began)
        return self._basins

    def _reconstruct(self, shown: Shown) -> Reconstruct:
        return partial(self._network.reconstruct, shown.average)

    def _streaks(self, ask: m.Ask, grid: Grid, shown: Shown) -> FloatArray | None:
        kind, count = ask.view.flow, ask.view.particles
        if kind == "off":
            self._flow = None
            return None
        wanted = kind, count, ask.probe if kind == "walk-back" else None
        if self._flow is None or self._flow_is != wanted:
            self._flow, self._flow_is = Flow(kind, count, shown.settings.seed, wanted[2]), wanted
        corruption = Corruption.of(shown.settings, self._data)
        return self._flow.step(self._reconstruct(shown), corruption, grid.extent)

    def _marks(self, ask: m.Ask, shown: Shown) -> Marks:
        cursor = None if ask.cursor is None else self._place(ask.cursor, shown, ask.view)
        reconstruct, size = self._reconstruct(shown), self._network.unit
        settings = shown.settings if ask.cloud is None else shown.settings.drawn_as(ask.view).tested
        return Marks.of(cursor, ask.probe, ask.cloud, settings, self._data, reconstruct, size)

    def _place(self, place: Point, shown: Shown, view: Settings) -> Place:
        learned = self._network.field(shown.average, np.array([place]))
        (x, y), (dx, dy) = place, learned.displacement[0]
        denoiser = self._exact.denoiser(shown.settings)
        exact = None if denoiser is None else ExactPlace.of(denoiser, place)
        code = np.empty(0)
        if view.code_plot and self._directions is not None:
            code = self._directions(self._network.encode(shown.average, np.array([place])))[0]
        return Place(place, (float(x + dx), float(y + dy)), float(learned.ambiguity[0]), exact, code)

    def metrics(self, state: m.State) -> m.Measured:
        """The run's numbers, without a sketch."""
        self._exact.reference(state.settings)
        self._exact.reference_task.finish()
        quality = self._judge(_newest(state), state.settings).quality
        metrics = Metrics(
            **asdict(quality), epoch=state.progress.epoch, loss=state.loss, regulariser=state.regulariser,
            train_seconds=state.seconds,
            steps_per_second=state.steps / state.seconds if state.seconds else 0.0,
        )  # fmt: skip
        return m.Measured(self.run, metrics)

    def judged(self, ask: m.Ask, state: m.State) -> m.Judged:
        """Measure what the frame before shows, on the grid and with the threshold of its view."""
        shown = _newest(state) if ask.past is None else self._past.show(ask.past, within=0.0)
        return self._judge(shown, ask.view)

    def _judge(self, shown: Shown, view: Settings) -> m.Judged:
        self._judged = shown, view
        settings = shown.settings.drawn_as(view)
        reference = self._exact.reference(settings)
        if reference is None:
            quality = self._exact.floor(settings)
        else:
            quality = measure(self._network, shown.average, reference, view.threshold)
        test = self._exact.noise_test(settings) if view.error_curve else None
        return m.Judged(
            self.run, quality,
            self._code_view(shown) if view.code_plot or view.code_histogram or view.decoder else None,
            None if test is None else test.curve(self._reconstruct(shown)),
        )  # fmt: skip

    def _code_view(self, shown: Shown) -> CodeView:
        codes = self._look_at_codes(shown)
        assert self._directions is not None
        return CodeView.of(self._coded, self._data.positions[self._coded], codes, self._directions)

    def beside(self, ask: m.Ask) -> Field | None:
        """The field beside another run's, with the exact one that is drawn; None where none is asked for."""
        past, grid, view = ask.beside, ask.grid, ask.view
        self._looks_back = past is not None if not ask.whole else self._looks_back
        if past is None or grid is None:
            return None
        shown = self._past.show(past, _patience(ask))
        field = self._field(dataclasses.replace(ask, samples=0), grid, shown)
        exact = None
        if view.shows_exact and ask.whole:
            exact = finish(self._exact.whole(shown.settings, grid))
        elif view.shows_exact:
            exact = self._exact.field(shown.settings, grid)
        return dataclasses.replace(field, data=self._data.points, exact=exact)


def _patience(ask: m.Ask) -> float:
    """Seconds that an answer may take to bring an epoch back; for a file, however long it takes."""
    return math.inf if ask.whole else AT_ONCE


def _newest(state: m.State) -> Shown:
    moves = state.progress.phase in ("returning", "training")
    average, key = torch.from_numpy(state.average), (state.branch, state.steps)
    return Shown(state.progress.epoch, state.settings, average, key, moves)
