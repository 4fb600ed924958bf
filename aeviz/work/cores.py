"""Which processor cores a process may use: one is left to the trainer.

On two cores, the window, the observer and the trainer are three that want to run. Left to itself, the
system now and then lets the window paint on the trainer's core, which costs up to a tenth of the steps.
So the window and the observer keep off one core; the trainer may go anywhere.
"""

from __future__ import annotations

import os
from contextlib import suppress


def _all() -> frozenset[int]:
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


ALL = _all()
"""The cores that the program was given when it started; empty where the system does not tell."""

ALL_BUT_ONE = ALL - {max(ALL)} if len(ALL) > 1 else ALL


def keep_to(cores: frozenset[int]) -> None:
    """Let this thread, and those and the processes that it starts from now on, run on these cores alone."""
    if cores:
        with suppress(OSError):  # it would only be faster
            os.sched_setaffinity(0, cores)
