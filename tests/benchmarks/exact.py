"""The exact field while the noise is changed: how soon a first answer is there, and when the whole.

    python tests/benchmarks/exact.py

Trainer and observer run as under the window; what they say is timed from the change of σ on.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.settings import Settings
from aeviz.work import messages as m
from aeviz.work.client import Client

CASES = ((151, (40, 34)), (100_000, (40, 34)), (100_000, (160, 136)), (1_000_000, (40, 34)))
CHANGES = 10
Kind = TypeVar("Kind")


class Talk:
    """The two processes, and a wait for what they say."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[m.FromWorker] = queue.SimpleQueue()
        self.client = Client(self._inbox.put)
        self.wait(m.Ready)

    def wait(self, kind: type[Kind], which: Callable[[Any], bool] = lambda _: True) -> Kind:
        """The next message of a kind."""
        while True:
            message = self._inbox.get(timeout=600.0)
            if isinstance(message, m.Failed | m.Died):
                raise RuntimeError(message)
            if isinstance(message, kind) and which(message):
                return message


def measured(points: int, cells: tuple[int, int]) -> str:
    """One row of the table."""
    talk, settings = Talk(), Settings(points=points, grid=cells, layer="exact")
    data = clean_data(settings)
    grid, first, floor = Grid.home(settings, data), [], []
    talk.client.send(m.Build(1, settings, data))
    for change in range(CHANGES):
        settings = settings.replace(noise=0.26 + 0.01 * change)
        began = time.perf_counter()
        talk.client.send(m.Change(settings))
        talk.client.send(m.Ask(change, settings, grid=grid, measure=True))
        exact = talk.wait(m.Exact)
        first.append(1e3 * (time.perf_counter() - began))
        talk.wait(m.Judged)
        floor.append(1e3 * (time.perf_counter() - began))
    began = time.perf_counter()
    if exact.field.sketch:
        talk.wait(m.Exact, lambda message: not message.field.sketch)
    whole = time.perf_counter() - began
    talk.wait(m.Judged, lambda message: not message.quality.sketch)
    judged = time.perf_counter() - began
    status = Path(f"/proc/{talk.client.pids['observer']}/status").read_text(encoding="utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    talk.client.stop()
    kind = "sketch" if exact.field.sketch else "whole"
    name = f"{points:,} × {cells[0]} × {cells[1]}"
    return (
        f"{name:24}{np.median(first):>6.0f} ms, {kind:6}{np.median(floor):>10.0f} ms"
        f"{whole:>10.1f} s{judged:>10.1f} s{peak / 1024:>10.0f} MB"
    )


if __name__ == "__main__":
    print(f"{'points × cells':24}{'first field':>16}{'floor':>13}{'whole':>12}{'judged':>12}{'peak':>13}")
    for case in CASES:
        print(measured(*case))
