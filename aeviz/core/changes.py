"""Every change of settings, by name, in order: what is undone and redone, and what a run's log shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from aeviz.core.settings import SPECS, Settings

MERGED = 1.0  # seconds: changes of the same settings that follow each other so soon are one
MOST = 2_000  # changes that are remembered
_MOST_NAMED, _MOST_SHOWN = 2, 24  # settings in a change's title, and characters of a value
_MOST_PLACES = 6  # of a number in it, where it is not one of those with an exponent

Kind = Literal["do", "undo", "redo"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of settings.

    Attributes
    ----------
    kind : {"do", "undo", "redo"}
        An undone change stays in the list, and so does the change that undid it.
    branch, epoch : int
        Of which branch, and after which of its epochs, `old` were in force.
    time : float
        Seconds since 1970.
    name : str
        What it was called when it was made; "" for a change that its settings name.
    """

    old: Settings
    new: Settings
    branch: int
    epoch: int
    time: float
    kind: Kind = "do"
    name: str = ""

    @property
    def title(self) -> str:
        """What was changed, from what to what: "Noise 0.25 → 0.40"."""
        if self.name:
            return self.name
        changed = self.old.changed(self.new)
        parts = [_told(name, self.old, self.new) for name in list(changed)[:_MOST_NAMED]]
        more = len(changed) - len(parts)
        return ", ".join(parts) + (f" and {more} more" if more else "")


def _told(name: str, old: Settings, new: Settings) -> str:
    spec, values = SPECS[name], (getattr(old, name), getattr(new, name))
    if isinstance(values[1], bool):
        return f"{spec.label} {spec.text(values[1])}"
    texts = [spec.text(value) for value in values]
    if any(len(text) > _MOST_SHOWN for text in texts):
        return f"{spec.label} changed"
    if isinstance(values[0], float) and not any("e" in text for text in texts):
        places = max(len(text.partition(".")[2]) for text in texts)  # the same for both: 0.25 → 0.40
        rounded = [f"{value:.{min(places, _MOST_PLACES)}f}" for value in values]
        texts = rounded if rounded[0] != rounded[1] else texts
    before, after = (text or ("automatic" if name == "extent" else "none") for text in texts)
    return f"{spec.label} {before} → {after}"


class Changes:
    """The list of all changes; what can be undone and redone follows from it.

    Parameters
    ----------
    changes : iterable of Change
        Such a list, as it was.
    """

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self._all: list[Change] = []
        self._done: list[Change] = []
        self._undone: list[Change | None] = []  # None for one that is forgotten
        for change in changes:
            self._append(change)

    def __iter__(self) -> Iterator[Change]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def to_undo(self) -> Change | None:
        """The change that would be undone next."""
        return self._done[-1] if self._done else None

    @property
    def to_redo(self) -> Change | None:
        """The change that would be redone next."""
        return self._undone[-1] if self._undone else None

    def add(self, change: Change) -> None:
        """Take up a change: one that was done, or the undoing or redoing of the next one."""
        last = self._all[-1] if self._all else None
        if last is not None and self._is_one(last, change):
            self._all.pop()
            self._done.pop()
            if change.new == last.old:  # dragged back to where it began: what was undone can be redone again
                self._undone = Changes(self._all)._undone
                return
            change = dataclasses.replace(change, old=last.old, branch=last.branch, epoch=last.epoch)
        self._append(change)

    def _append(self, change: Change) -> None:
        if change.kind == "undo":
            self._undone.append(self._done.pop() if self._done else None)
        elif change.kind == "redo":
            redone = self._undone.pop() if self._undone else None
            self._done += [redone] if redone is not None else []
        else:
            self._undone.clear()
            self._done.append(change)
        self._all.append(change)
        if len(self._all) > MOST:
            self._forget(self._all.pop(0))

    def _forget(self, oldest: Change) -> None:
        """What is not in the list any more can neither be undone nor redone."""
        if self._done and self._done[0] is oldest:
            del self._done[0]
        self._undone = [None if each is oldest else each for each in self._undone]

    @staticmethod
    def _is_one(last: Change, change: Change) -> bool:
        """Whether a slider is being dragged: the same settings again, at once."""
        if not (last.kind == change.kind == "do") or last.name or change.name or last.new != change.old:
            return False
        soon = 0.0 <= change.time - last.time <= MERGED
        same = last.old.changed(last.new).keys() == change.old.changed(change.new).keys()
        # Back where it began, but in another branch: undone, these two find the one that was left.
        returned = change.new == last.old and change.branch != last.branch
        return soon and same and not returned
