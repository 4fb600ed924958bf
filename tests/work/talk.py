"""A talk with a trainer and an observer, real processes, and what is compared of their answers."""

from __future__ import annotations

import dataclasses
import math
import os
import queue
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.events import Losses
from aeviz.core.field import Field, Grid
from aeviz.core.history import Branch
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.work import entry
from aeviz.work import messages as m
from aeviz.work.client import Client
from aeviz.work.pasts import Pasts

PATIENCE = 30.0  # seconds for an answer: the machine may be busy with something else
GRID = Grid((-2.0, 2.0, -1.5, 1.5), (4, 5))
SMALL = Settings(points=30, hidden=(8,), code=8, batch=30, epochs=60, code_plot=False)
"""Without a code plot, whose directions, and so the code under the cursor, depend on what was seen before."""
ENDLESS = SMALL.replace(epochs=1_000_000)
NEVER_STOPS = m.Drive(playing=True, speed=math.inf)
AT_REST = m.Drive(playing=False, speed=math.inf)
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
Kind = TypeVar("Kind", bound=m.FromWorker)


class Talk:
    """A trainer, an observer and everything that they have said; what fails in them fails the test.

    Of the run, `branch` has what the window would keep.
    """

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[m.FromWorker] = queue.SimpleQueue()
        self.client = Client(self._inbox.put)
        self.said: list[m.FromWorker] = []
        self.asked = self._runs = 0
        self.view = SMALL
        self.branch = Branch(1, SMALL, clean_data(SMALL))
        self.pasts = Pasts()
        self._losses: Losses = np.empty((0, 2), dtype=np.float32)  # that the run began with

    def send(self, *messages: m.ToTrainer | m.ToObserver) -> None:
        for message in messages:
            self.client.send(message)

    def wait_for(self, kind: type[Kind]) -> Kind:
        """The next message of this kind; the others are kept in `said`."""
        while True:
            message = self._inbox.get(timeout=PATIENCE)
            self._take(message)
            if isinstance(message, kind):
                return message
            assert not isinstance(message, m.Failed | m.Died | m.Diverged), message

    def _take(self, message: m.FromWorker) -> None:
        self.said.append(message)
        match message:
            case m.Kept():
                self.branch.timeline.add(message.keyframe)
            case m.Noted():
                self.branch.timeline.note(message.epoch, message.settings)
            case m.Diverged():
                self.branch.cut(message.epoch)
                self.pasts.serial += 1
            case m.Frame() if message.progress.phase != "returning":
                self.branch.tell(message.progress.losses_from, message.progress.losses)

    def build(
        self, settings: Settings, data: CleanData | None = None, since: Branch | None = None,
        epoch: int | None = None,
    ) -> int:  # fmt: skip
        """Begin a run, at rest, on these data or on those of its settings; returns its number.

        With `since` go on where a branch stood after one of its epochs, the newest one by default.
        """
        self._runs += 1
        self.asked += 1
        self.view = settings
        if since is None:
            self.branch = Branch(self._runs, settings, data or clean_data(settings))
        else:
            epoch = since.epoch if epoch is None else epoch
            self.branch = Branch(self._runs, since.origin, since.data, since, epoch)
        self._losses = self.branch.losses.copy()
        self.pasts.forget()
        build, ask = m.Build.of(self._runs, settings, self.branch), m.Ask(self.asked, settings)
        self.send(m.Drive(False, math.inf), build, ask)
        self.said.clear()
        # Of what was asked before, an answer may come late and be of this run already.
        while (
            not isinstance(message := self._inbox.get(timeout=PATIENCE), m.Frame)
            or message.number != self.asked
        ):
            if getattr(message, "run", 0) == self._runs:  # the others are from the runs before
                self._take(message)
        self._take(message)
        return self._runs

    def ask(self, view: Settings | None = None, epoch: int | None = None, **what: Any) -> m.Frame:
        """Ask for a frame, to be drawn as the run was built, and wait for it.

        A past epoch is asked for until it is brought back exactly.
        """
        while True:
            self.asked += 1
            if epoch is not None:
                what["past"] = self.pasts.of(self.branch, epoch)
            self.send(m.Ask(self.asked, view or self.view, **what))
            frame = self.wait_for(m.Frame)
            assert frame.number == self.asked
            if epoch is None or frame.epoch == epoch:
                return frame
            assert frame.epoch < epoch
            self.wait_for(m.Brought)

    def look(self, epoch: int | None = None) -> m.Frame:
        """A frame with all there is to see."""
        return self.ask(
            epoch=epoch, grid=GRID, samples=1, cursor=(0.3, -0.4), probe=(0.0, 1.0), cloud=(1.0, -1.0)
        )

    def seen(self, view: Settings | None = None, **what: Any) -> tuple[m.Frame, Field]:
        """A frame, and its field on the small grid."""
        frame = self.ask(view, **{"grid": GRID, **what})
        assert frame.field is not None
        return frame, frame.field

    def train_to_end(self) -> list[m.Frame]:
        """Train without pause to the last epoch; the frames that came on the way."""
        self.send(m.Drive(playing=True, speed=math.inf))
        frames = [self.ask()]
        while frames[-1].progress.phase != "finished":
            frames.append(self.ask())
        return frames

    def losses(self) -> NDArray[np.float32]:
        """All losses of the run, (E, 2), which must have come once and in order."""
        losses = self._losses
        for message in self.said:
            if isinstance(message, m.Diverged):
                losses = losses[: message.epoch]
            if isinstance(message, m.Frame) and message.progress.phase != "returning":
                assert message.progress.losses_from == len(losses)
                losses = np.concatenate((losses, message.progress.losses))
                assert message.progress.epoch == len(losses)
        np.testing.assert_array_equal(losses, self.branch.losses)
        return losses

    def heard(self, kind: type[Kind]) -> list[Kind]:
        """All messages of this kind so far."""
        return [message for message in self.said if isinstance(message, kind)]

    def kinds_since(self, place: int) -> list[str]:
        """What kinds of message were said after so many, but for the run's record."""
        since = (message for message in self.said[place:] if not isinstance(message, m.Kept | m.Noted))
        return [type(message).__name__ for message in since]


def points_of(settings: Settings) -> FloatArray:
    """The clean points of these settings, (N, 2)."""
    return clean_data(settings).points


def bits(thing: Any) -> Any:
    """Everything that a message holds, with each array as its shape and its bytes, to be compared."""
    if isinstance(thing, np.ndarray):
        return thing.shape, thing.dtype.str, thing.tobytes()
    if dataclasses.is_dataclass(thing):
        return type(thing).__name__, *(bits(getattr(thing, each.name)) for each in dataclasses.fields(thing))
    if isinstance(thing, Mapping):
        return {name: bits(each) for name, each in thing.items()}
    if isinstance(thing, Sequence) and not isinstance(thing, str | bytes):
        return tuple(map(bits, thing))
    return thing


def same(one: m.Frame, other: m.Frame) -> bool:
    """Whether two frames show the same, bit for bit."""
    return all(
        bits(getattr(one, name)) == bits(getattr(other, name))
        for name in ("epoch", "settings", "field", "marks")
    )


def main_that_cannot_fork(*posts: entry.Post) -> None:
    """Where a process begins, on a system that has no memory for another one."""

    def fork() -> int:
        raise BlockingIOError("no process can be forked")

    os.fork = fork
    entry.main(*posts)
