"""Which branch came from which, and how that is told."""

from __future__ import annotations

import math
import time
from operator import attrgetter

from aeviz.core.changes import Change
from aeviz.core.history import Branch, History
from aeviz.core.numbers import grouped
from aeviz.core.settings import SPECS, Settings, applies

_TOGETHER = 1.0  # seconds between a change and the run that begins with it, however slow the machine is
_course_of = attrgetter(
    *(name for name, spec in SPECS.items() if spec.applies != "view" and name != "epochs")
)
"""What of the settings decides how a training goes on: `Settings.changed` takes ten times as long."""


def lineage(history: History, branch: Branch) -> list[tuple[int, float]]:
    """The branch and those that it came from, by number, each with the epoch until which it is the same.

    A parent that is forgotten is the last of them.
    """
    found, until = [(branch.number, math.inf)], math.inf
    while branch.parent is not None:
        until = min(until, branch.since)
        found.append((branch.parent, until))
        if branch.parent not in history:
            break
        branch = history[branch.parent]
    return found


def shared(history: History, one: Branch, other: Branch) -> int:
    """How many epochs two branches have in common, from the beginning on."""
    mine = dict(lineage(history, one))
    for number, until in lineage(history, other):
        if number in mine:
            return int(min(until, mine[number], one.epoch, other.epoch))
    return 0


def begun_by(history: History, branch: Branch) -> str:
    """The change of settings with which a branch began anew; "" where there was none."""
    if branch.parent is not None:
        return ""
    for change in reversed([*history.changes]):
        if change.time < branch.begun - _TOGETHER:
            break
        if change.time < branch.begun + _TOGETHER and _course_of(change.new) == _course_of(branch.origin):
            rebuilds = "rebuild" in applies(change.old.changed(change.new))
            return change.title if change.name or rebuilds else ""
    return ""


def difference(old: Settings, new: Settings) -> str:
    """What differs in how it is trained: "Noise 0.25 → 0.40"; "" where nothing does."""
    if _course_of(old) == _course_of(new):
        return ""
    old = old.shown_as(new)
    return Change(old, new, 0, 0, time.time()).title


def origin_text(history: History, branch: Branch) -> str:
    """Where a branch came from, and what differs there: "from Run 1 at 137: Noise 0.25 → 0.40"."""
    if branch.parent is None:
        return begun_by(history, branch) or "from the beginning"
    if branch.parent not in history:
        return f"from a forgotten run at {grouped(branch.since)}"
    parent = history[branch.parent]
    other = difference(parent.settings_at(branch.since), branch.settings)
    return f"from {parent.name} at {grouped(branch.since)}" + (f": {other}" if other else "")


def branch_label(branch: Branch, epoch: int) -> str:
    """Which epoch of which branch: "Run 2 · epoch 137"."""
    return f"{branch.name} · epoch {grouped(epoch)}"
