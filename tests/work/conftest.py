"""A real worker process to talk with."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from aeviz.core.field import Grid
from aeviz.core.settings import Settings
from aeviz.work import messages as m
from aeviz.work.client import Client

PATIENCE = 30.0  # seconds for an answer: the machine may be busy with something else
GRID = Grid((-2.0, 2.0, -1.5, 1.5), (4, 5))
Kind = TypeVar("Kind", bound=m.FromWorker)


class Talk:
    """A worker and everything that it has said; what fails in it fails the test."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[m.FromWorker] = queue.SimpleQueue()
        self.client = Client(self._inbox.put)
        self.said: list[m.FromWorker] = []
        self.asked = self._runs = 0

    def send(self, *messages: m.ToTrainer | m.ToObserver) -> None:
        for message in messages:
            self.client.send(message)

    def wait_for(self, kind: type[Kind]) -> Kind:
        """The next message of this kind; the others are kept in `said`."""
        while True:
            message = self._inbox.get(timeout=PATIENCE)
            self.said.append(message)
            if isinstance(message, kind):
                return message
            assert not isinstance(message, m.Failed | m.Died | m.Diverged), message

    def build(self, settings: Settings, *history: Any) -> int:
        """Begin a run, at rest; returns its number."""
        self._runs += 1
        self.asked += 1
        self.send(m.Drive(False, math.inf), m.Build(self._runs, settings, *history), m.Ask(self.asked))
        self.said.clear()
        while (
            not isinstance(message := self._inbox.get(timeout=PATIENCE), m.Frame) or message.run < self._runs
        ):
            if getattr(message, "run", 0) == self._runs:  # the others are from the runs before
                self.said.append(message)
        self.said.append(message)
        return self._runs

    def ask(self, **what: Any) -> m.Frame:
        """Ask for a frame and wait for it."""
        self.asked += 1
        self.send(m.Ask(self.asked, **what))
        frame = self.wait_for(m.Frame)
        assert frame.number == self.asked
        return frame

    def look(self, epoch: int | None = None) -> m.Frame:
        """A frame with all there is to see."""
        return self.ask(epoch=epoch, grid=GRID, samples=1, cursor=(0.3, -0.4))

    def train_to_end(self) -> list[m.Frame]:
        """Train without pause to the last epoch; the frames that came on the way."""
        self.send(m.Drive(playing=True, speed=math.inf))
        frames = [self.ask()]
        while frames[-1].progress.phase != "finished":
            frames.append(self.ask())
        return frames

    def losses(self) -> NDArray[np.float32]:
        """All losses of the run, which must have come once and in order."""
        losses = np.empty(0, dtype=np.float32)
        for message in self.said:
            if isinstance(message, m.Diverged):
                losses = losses[: message.epoch]
            if isinstance(message, m.Frame):
                assert message.progress.losses_from == len(losses)
                losses = np.concatenate((losses, message.progress.losses))
                assert message.progress.epoch == len(losses)
        return losses

    def heard(self, kind: type[Kind]) -> list[Kind]:
        """All messages of this kind so far."""
        return [message for message in self.said if isinstance(message, kind)]


@pytest.fixture(scope="module")
def worker() -> Iterator[Talk]:
    """One worker for the module: whoever takes it builds a run of its own."""
    talk = Talk()
    yield talk
    talk.client.stop()


@pytest.fixture(scope="module")
def other() -> Iterator[Talk]:
    """Another one, shared as well."""
    talk = Talk()
    yield talk
    talk.client.stop()


@pytest.fixture
def new_worker() -> Iterator[Callable[[], Talk]]:
    """Start a worker that the test may do anything to."""
    talks: list[Talk] = []

    def start() -> Talk:
        talks.append(Talk())
        return talks[-1]

    yield start
    for talk in talks:
        talk.client.stop()
