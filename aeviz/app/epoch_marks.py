"""What happened at which epoch of a branch: the marks on the epoch slider."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter, ne
from typing import Literal

from aeviz.app.lineage import begun_by, difference, lineage
from aeviz.core.history import History
from aeviz.core.numbers import grouped
from aeviz.core.settings import SPECS, Settings

_live_of = attrgetter(*(name for name, spec in SPECS.items() if spec.applies == "live" and name != "epochs"))
"""What of the settings can change within a branch: `Settings.changed` takes twenty times as long."""

Kind = Literal["begun", "left", "changed"]


@dataclass(frozen=True)
class EpochMark:
    """Where a branch began, left another one, or had its settings changed.

    Attributes
    ----------
    epoch : int
        After which it was.
    name : str
        What it is called, where its settings alone do not say it.
    old, new : Settings or None
        Before and after it.
    """

    epoch: int
    kind: Kind
    name: str = ""
    old: Settings | None = None
    new: Settings | None = None

    @cached_property
    def title(self) -> str:
        """In words: "Noise 0.20 → 0.25". It is worked out where it is seen: of 2,000 it would take 50 ms."""
        told = difference(self.old, self.new) if self.old and self.new else ""
        return ": ".join(part for part in (self.name, told) if part)

    @cached_property
    def short(self) -> str:
        """The least that says it, with a setting's symbol for its label: "σ 0.20 → 0.25"."""
        if self.name:
            return self.name
        changed = [*self.old.shown_as(self.new).changed(self.new)] if self.old and self.new else []
        spec = SPECS[changed[0]] if len(changed) == 1 else None
        if spec and spec.symbol and self.title.startswith(f"{spec.label} "):
            return spec.symbol + self.title.removeprefix(spec.label)
        return self.title

    @property
    def tip(self) -> str:
        """With the epoch before it."""
        return f"epoch {grouped(self.epoch)}: {self.title}"


def marks_of(history: History) -> tuple[EpochMark, ...]:
    """The marks of the current branch, by epoch; all changes of one drag are one mark.

    Where settings took effect, the branch's timeline knows; which of its entries are one drag, the list of
    changes does, for it has the times.
    """
    branch, made, lefts = history.current, _made(history), _left(history)
    groups: list[tuple[object, int, Settings, Settings]] = []  # which, after which epoch, from what to what
    before, live = branch.settings_at(0), _live_of(branch.settings_at(0))
    for epoch, settings in branch.timeline.changes:
        live_before, live = live, _live_of(settings)
        which = bisect.bisect_right(made, epoch), epoch in lefts, (*map(ne, live_before, live),)
        if groups and groups[-1][0] == which:
            groups[-1] = (*groups[-1][:3], settings)
        elif live != live_before or epoch in lefts:
            groups.append((which, epoch, before, settings))
        before = settings
    marks = [
        EpochMark(epoch, "left" if epoch in lefts else "changed", lefts.pop(epoch, ""), old, new)
        for _, epoch, old, new in groups
        if epoch in lefts or _live_of(old) != _live_of(new)
    ]
    marks += [EpochMark(epoch, "left", name) for epoch, name in lefts.items()]
    if began := begun_by(history, branch):
        marks.append(EpochMark(0, "begun", began))
    return tuple(sorted(marks, key=lambda mark: mark.epoch))


def _left(history: History) -> dict[int, str]:
    """After which epochs another branch was left, and what is said of it."""
    found, branch = {}, history.current
    while branch.parent is not None and branch.parent in history:
        parent = history[branch.parent]
        found[branch.since] = f"Left {parent.name}"
        branch = parent
    if branch.parent is not None:
        found[branch.since] = "Left a forgotten run"
    return found


def _made(history: History) -> list[int]:
    """After which epochs of the current branch's course a change of settings began, in order."""
    shared = dict(lineage(history, history.current))
    return sorted(
        change.epoch for change in history.changes
        if change.branch in shared and change.epoch <= shared[change.branch]
    )  # fmt: skip
