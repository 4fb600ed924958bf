"""A run in this process, looked at as the observer looks at it."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from talk import GRID, SMALL

from aeviz.core.clean_data import clean_data
from aeviz.core.code import CodeView
from aeviz.core.history import Branch
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import NoiseCurve
from aeviz.core.settings import Settings
from aeviz.work import messages as m
from aeviz.work.driver import Driver
from aeviz.work.pasts import Pasts
from aeviz.work.sight import Sight

BARE = SMALL.replace(code_plot=False, code_histogram=False, error_curve=False, decoder=False)
PLOT, HISTOGRAM = BARE.replace(code_plot=True), BARE.replace(code_histogram=True)
CURVE, DECODER = BARE.replace(error_curve=True), BARE.replace(decoder=True)


@cache
def driver_of(settings: Settings) -> tuple[Driver, Branch]:
    """A run at its last epoch, in this process, and what the window keeps of it."""
    data = clean_data(settings)
    driver = Driver(m.Build(1, settings, data), m.Drive(playing=True, speed=math.inf))
    while driver.phase() != "finished":
        driver.train()
    branch = Branch(1, settings, data)
    for message in driver.record:
        assert isinstance(message, m.Kept)
        branch.timeline.add(message.keyframe)
    return driver, branch


class Looked:
    """A sight of a run, asked as the observer asks it; a past epoch is brought back first."""

    def __init__(self, settings: Settings, epoch: int | None = None) -> None:
        self.driver, self._branch = driver_of(settings)
        self.sight = Sight(1, m.Origin(settings, self._branch.data))
        self.epoch = epoch

    def ask(self, view: Settings, **what: Any) -> m.Ask:
        if self.epoch is None:
            return m.Ask(1, view, **what)
        past = Pasts().of(self._branch, self.epoch)
        assert past is not None
        self.sight._past.show(past, within=math.inf)
        return m.Ask(1, view, past, **what)

    def state(self) -> m.State:
        return self.driver.state(m.AskState())

    def judged(self, view: Settings) -> m.Judged:
        return self.sight.judged(self.ask(view), self.state())

    def whole(self, view: Settings) -> m.Judged:
        """The last that is told of it, unasked, once all is worked out."""
        judged = self.judged(view)
        for task in self.sight._exact.tasks:
            task.finish()
        return self.judged(view) if judged.over_noise is None else judged

    def frame(self, view: Settings, cursor: tuple[float, float] | None = None) -> m.Frame:
        *_, frame = self.sight.answers(self.ask(view, grid=GRID, cursor=cursor), self.state())
        assert isinstance(frame, m.Frame)
        return frame

    def decoded(self, view: Settings) -> tuple[FloatArray, ...]:
        field = self.frame(view).field
        assert field is not None
        return field.decoded

    def codes(self) -> FloatArray:
        """The data's codes, (N, d): the oracle."""
        training = self.driver.training
        return training.network.encode(training.average, clean_data(training.settings).points)

    def decode(self, h: FloatArray) -> FloatArray:
        training = self.driver.training
        return training.network.decode(training.average, h)


def code_of(judged: m.Judged) -> CodeView:
    assert judged.code is not None
    return judged.code


def curve_of(judged: m.Judged) -> NoiseCurve:
    assert judged.over_noise is not None
    return judged.over_noise
