"""Jumps of the epoch slider over a long run: how soon the past is seen, and what training loses to it.

    python tests/benchmarks/scrub.py [EPOCHS [JUMPS]]

A run of the default network is recorded once, at unlimited speed, by the same processes and into the same
history as the window's. Then the slider jumps to random epochs, at rest and while the run trains on; the
next jump comes as soon as the last epoch is there exactly, which asks more of the machine than a hand can.
Times are from the question to the frame, on the default grid; the window then paints it. "First" is the
nearest epoch that is known: the keyframe before, and what 12 ms of replay add; "exact" is the epoch itself.
"""

from __future__ import annotations

import math
import os
import queue
import sys
import time
from typing import TypeVar

import numpy as np

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.history import MEGABYTE, History
from aeviz.core.settings import Settings
from aeviz.work import messages as m
from aeviz.work.client import Client
from aeviz.work.cores import ALL_BUT_ONE, keep_to
from aeviz.work.pasts import Pasts
from aeviz.work.record import record

LOOK = 0.05  # seconds between two looks at a run that is left alone
ALONE = 4.0  # seconds for which training is measured without scrubbing
Message = TypeVar("Message", bound=m.FromWorker)


class Window:
    """What the window has of a run, without a window."""

    def __init__(self, settings: Settings) -> None:
        self._inbox: queue.SimpleQueue[m.FromWorker] = queue.SimpleQueue()
        self._client = Client(self._inbox.put)
        self.settings, self._numbers = settings, 0
        self.history, self._pasts = History(), Pasts()
        self.history.memory = settings.history * MEGABYTE
        self.branch = self.history.begin(settings, clean_data(settings))
        self._grid = Grid.home(settings, self.branch.data)
        self._wait_for(m.Ready)
        self._client.send(m.Build.of(1, settings, self.branch))

    def drive(self, playing: bool) -> None:
        self._client.send(m.Drive(playing, math.inf))

    def change(self, settings: Settings) -> None:
        self.settings = settings
        self._client.send(m.Change(settings))

    def stop(self) -> None:
        self._client.stop()

    def look(self, epoch: int | None = None) -> m.Frame:
        """The newest progress, or a past epoch's field as far as it can be seen."""
        self._numbers += 1
        past = None if epoch is None else self._pasts.of(self.branch, epoch)
        self._client.send(
            m.Ask(self._numbers, self.settings, past, grid=None if past is None else self._grid)
        )
        return self._wait_for(m.Frame)

    def jump(self, epoch: int) -> tuple[float, float, int]:
        """Seconds to the first frame of an epoch and to the exact one, and how far off the first is."""
        began = time.perf_counter()
        frame = self.look(epoch)
        first, off = time.perf_counter() - began, epoch - frame.epoch
        while frame.epoch != epoch:
            self._wait_for(m.Brought)
            frame = self.look(epoch)
        return first, time.perf_counter() - began, off

    def _wait_for(self, kind: type[Message]) -> Message:
        while True:
            message = self._inbox.get()
            if isinstance(message, m.Failed | m.Died | m.Diverged | m.Refused):
                raise RuntimeError(message)
            record(self.history, message)
            if isinstance(message, kind):
                return message


def train_to_end(window: Window) -> float:
    """Train to the last epoch; seconds that it took."""
    began = time.perf_counter()
    window.drive(playing=True)
    while window.look().progress.phase != "finished":
        time.sleep(LOOK)
    return time.perf_counter() - began


def rate(window: Window, began: tuple[float, int]) -> float:
    """Epochs per second since a time and its epoch."""
    return (window.look().progress.epoch - began[1]) / (time.perf_counter() - began[0])


def left_alone(window: Window) -> float:
    """Epochs per second while nothing is looked at."""
    began = time.perf_counter(), window.look().progress.epoch
    while time.perf_counter() - began[0] < ALONE:
        time.sleep(LOOK)
        window.look()
    return rate(window, began)


def scrubbed(window: Window, epochs: np.ndarray) -> tuple[np.ndarray, float]:
    """What `jump` says of each, (jumps, 3), in ms and epochs; and epochs per second meanwhile."""
    began = time.perf_counter(), window.look().progress.epoch
    jumps = np.array([window.jump(int(epoch)) for epoch in epochs])
    return jumps * (1e3, 1e3, 1.0), rate(window, began)


def main(epochs: int, jumps: int) -> None:
    """Print the tables."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    keep_to(ALL_BUT_ONE)  # as the program does
    window = Window(Settings(epochs=epochs))
    try:
        took = train_to_end(window)
        gaps = np.diff([*(frame.epoch for frame in window.branch.timeline), epochs])
        print(f"{epochs:,} epochs in {took:.1f} s; {len(gaps)} keyframes, {gaps.max()} epochs apart at most;"
              f" {window.history.nbytes / MEGABYTE:.0f} MB of history; load {load:.1f} before\n")  # fmt: skip
        asked = np.random.default_rng(0).integers(0, epochs, (2, jumps))
        at_rest, _ = scrubbed(window, asked[0])
        window.change(window.settings.replace(epochs=1_000_000))
        window.drive(playing=True)
        alone = left_alone(window)
        training, meanwhile = scrubbed(window, asked[1])
        alone = (alone + left_alone(window)) / 2.0
    finally:
        window.stop()
    print(f"{'':30}{'median':>10}{'95 % below':>12}{'worst':>10}")
    for name, found in (("at rest", at_rest), ("while it trains", training)):
        for kind, values in zip(("first, ms", "exact, ms", "epochs off at first"), found.T, strict=True):
            median, most, worst = np.percentile(values, (50, 95, 100))
            print(f"{f'{name}: {kind}':36}{median:4.0f}{most:12.0f}{worst:10.0f}")
    steps = -(-window.settings.points // window.settings.batch)
    print(f"\nsteps per second: {steps * alone:,.0f} left alone, {steps * meanwhile:,.0f} while scrubbed"
          f" ({meanwhile / alone:.0%})")  # fmt: skip


if __name__ == "__main__":
    arguments = [int(each) for each in sys.argv[1:]]
    main(*(arguments + [100_000, 300][len(arguments) :]))
