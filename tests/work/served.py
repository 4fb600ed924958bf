"""An observer between pipes that the test holds: to the window, with a plan, and to a trainer of drivers."""

from __future__ import annotations

import math
from collections.abc import Callable

from talk import SMALL

from aeviz.core.clean_data import clean_data
from aeviz.core.settings import Settings
from aeviz.work import messages as m
from aeviz.work.driver import Driver

VIEW = SMALL.replace(points=20_000, layer="exact")  # of which one step is one cell


class Window:
    """The observer's end of the pipe to the window, and the clock: what is said when.

    A plan is a list of messages and of numbers. A message is there at once; a number is how often the
    observer still looks into the empty pipe before the next message is there. Looking for a while takes
    this while.
    """

    def __init__(self, plan: list[m.ToObserver | int]) -> None:
        self._plan = plan
        self.now = 50.0
        self.waits: list[float | None] = []

    def poll(self, timeout: float | None = 0.0) -> bool:
        if isinstance(self._plan[0], int):
            self.waits += [] if timeout == 0.0 else [timeout]
            self.now += timeout or 0.0
            self._plan[0] -= 1
            if self._plan[0] < 0 or timeout is None:
                del self._plan[0]
        return not isinstance(self._plan[0], int)

    def recv(self) -> m.ToObserver:
        message = self._plan.pop(0)
        assert not isinstance(message, int), "it did not look first"
        return message


class Trainer:
    """The observer's end of the pipe to a trainer: each driver answers one question, the last all others."""

    def __init__(self, *drivers: Driver) -> None:
        self._drivers = [*drivers]
        self.asked: list[m.AskState] = []
        self.told: list[m.State] = []

    def send(self, ask: m.AskState) -> None:
        self.asked.append(ask)

    def recv(self) -> m.State:
        driver = self._drivers.pop(0) if len(self._drivers) > 1 else self._drivers[0]
        self.told.append(driver.state(self.asked[-1]))
        return self.told[-1]


def driver_of(run: int, settings: Settings = VIEW) -> Driver:
    """A run at rest."""
    return Driver(m.Build(run, settings, clean_data(settings)), m.Drive(False, math.inf))


Serve = Callable[..., tuple[list[m.FromWorker], Window]]


def kinds(said: list[m.FromWorker]) -> list[str]:
    return [type(message).__name__ for message in said]


def frames(said: list[m.FromWorker]) -> list[m.Frame]:
    return [message for message in said if isinstance(message, m.Frame)]
