"""Whatever moment a process is killed at, the run goes on, and ends as if nothing had been."""

from __future__ import annotations

import math
import os
import random
import signal

import pytest

import aeviz
from aeviz.core.settings import Settings

TIMES = 50
RUN = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=TIMES * 40, grid=(12, 10))


@pytest.mark.timeout(400)
def test_killed_fifty_times_at_random_moments_a_run_loses_nothing(new_window, desk_at):
    with aeviz.train(RUN.replace(noise=0.4)) as alone:
        losses = alone.loss
    desk = desk_at(new_window(RUN.replace(noise=0.4)))
    desk.run.drive(speed=math.inf)
    chance = random.Random(0)
    for _ in range(TIMES):
        moment, epoch = chance.choice(["loading", "ready", "later"]), desk.run.epoch
        if moment != "loading":
            desk.until(lambda: desk.run.ready_to_train)
        if moment == "later":
            further = epoch + chance.randint(1, 60)
            desk.until(lambda further=further: desk.run.epoch >= min(further, RUN.epochs))
        seen = desk.run.epoch
        pids = desk.run.pids  # while it loads, the trainer's alone
        os.kill(pids[chance.choice(sorted(pids))], signal.SIGKILL)
        desk.until(lambda: desk.run.lost)
        assert desk.run.epoch >= seen
        desk.window.notice.button.click()
    desk.finish()
    assert desk.run.losses[:, 0].astype(float).tolist() == losses.tolist()
