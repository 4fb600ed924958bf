"""A run in this process, looked at as the observer looks at it."""

from __future__ import annotations

import math
from functools import cache

from talk import GRID, SMALL

from aeviz.core.clean_data import clean_data
from aeviz.core.code import CodeView
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import NoiseCurve
from aeviz.core.settings import Settings
from aeviz.work import messages as m
from aeviz.work.driver import Driver
from aeviz.work.sight import Sight

BARE = SMALL.replace(code_plot=False, code_histogram=False, error_curve=False, decoder=False)
PLOT, HISTOGRAM = BARE.replace(code_plot=True), BARE.replace(code_histogram=True)
CURVE, DECODER = BARE.replace(error_curve=True), BARE.replace(decoder=True)


@cache
def driver_of(settings: Settings) -> Driver:
    """A run at its last epoch, in this process."""
    driver = Driver(m.Build(1, settings, clean_data(settings)), m.Drive(playing=True, speed=math.inf))
    while driver.phase() != "finished":
        driver.train()
    driver._pace = 0.0  # however slow the machine is, past epochs are brought back exactly
    return driver


class Looked:
    """A sight of a run, asked as the observer asks it."""

    def __init__(self, settings: Settings, epoch: int | None = None) -> None:
        self.driver = driver_of(settings)
        self.sight = Sight(self.driver.state(m.AskState(None)))
        self.epoch = epoch

    def state(self) -> m.State:
        return self.driver.state(m.AskState(self.epoch, past=self.sight.past_is))

    def judged(self, view: Settings) -> m.Judged:
        return self.sight.judged(self.state(), view)

    def whole(self, view: Settings) -> m.Judged:
        """The last that is told of it, unasked, once all is worked out."""
        judged = self.judged(view)
        for task in self.sight._exact.tasks:
            task.finish()
        return self.judged(view) if judged.over_noise is None else judged

    def frame(self, view: Settings, cursor: tuple[float, float] | None = None) -> m.Frame:
        ask = m.Ask(1, view, self.epoch, GRID, cursor=cursor)
        *_, frame = self.sight.answers(ask, self.state())
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
