"""One pair of processes for many runs of a test file: to start them takes longer than most of the runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aeviz.work import messages as m
from aeviz.work.client import Client


class _Hired:
    """What a run takes for its own client."""

    def __init__(self, receive: Callable[[m.FromWorker], object], run: int, client: Client) -> None:
        self.receive, self.run, self._client = receive, run, client

    def send(self, message: m.ToTrainer | m.ToObserver) -> None:
        if isinstance(message, m.Build):
            message = dataclasses.replace(message, run=self.run)  # a number that no run before had
        self._client.send(message)

    def stop(self) -> None:
        """At the end of a run its processes rest."""
        if self.run:
            self._client.send(m.Drive(playing=False, speed=math.inf))
        self.run = 0


@contextmanager
def kept_processes() -> Iterator[Callable[[Callable[[m.FromWorker], object]], _Hired]]:
    """Start a pair; what is yielded stands in for `Client` where runs make theirs, one after another."""
    ready: list[m.Ready] = []
    hired: list[_Hired] = []

    def hear(message: m.FromWorker) -> None:
        if isinstance(message, m.Ready):
            ready.append(message)
        if hired and getattr(message, "run", 0) in (0, hired[-1].run):  # the others are of runs before
            hired[-1].receive(message)

    client = Client(hear)

    def hire(receive: Callable[[m.FromWorker], object]) -> _Hired:
        hired.append(_Hired(receive, len(hired) + 1, client))
        for message in ready[:1]:
            receive(message)
        return hired[-1]

    yield hire
    client.stop()
