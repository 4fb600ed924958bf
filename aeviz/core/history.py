"""All that has been trained: branches with their timelines and losses, and every change of settings.

Whatever happens to a history is an event. So it can be written down as it comes, and read again.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator

import numpy as np

from aeviz.core.changes import Change, Changes
from aeviz.core.clean_data import CleanData
from aeviz.core.events import Begun, Changed, Cut, Event, GoneTo, Kept, Losses, Noted, Removed, Renamed, Told
from aeviz.core.settings import Settings, applies
from aeviz.core.timeline import LEAST, NO_PLAN, Keyframe, Timeline

MEGABYTE = 2**20
CHANGE = 1_000  # bytes that the settings of a live change take
MOST_BRANCHES = 24  # beyond it, the oldest that has no name of its own goes
MOST_WRITTEN = 256  # with those that have names: so many, journals and run files can hold
PASSING = 2.0  # seconds: a run that is left sooner is not kept, as while a slider of its data is dragged
_AT_FIRST = 4_096  # epochs that a branch has room for when it begins


class Branch:
    """One course of training: from its beginning, or from a past epoch of another one.

    Each stands for itself: of what it shares with the one that it left, it has the same keyframes.

    Attributes
    ----------
    origin : Settings
        With which it was begun.
    parent : int or None
        Number of the branch that it left after epoch `since`, which may be gone; None where it began anew.
    named : bool
        Whether the user gave it its name.
    plan : Plan
        What it is to do by itself before it rests.
    """

    def __init__(
        self, number: int, origin: Settings, data: CleanData, parent: Branch | None = None, since: int = 0,
        begun: float = 0.0,
    ) -> None:  # fmt: skip
        self.number, self.origin, self.data = number, origin, data
        self.parent, self.since, self.begun = parent.number if parent else None, since, begun
        self.name, self.named, self.plan = f"Run {number}", False, NO_PLAN
        self.timeline: Timeline = parent.timeline.up_to(since) if parent else Timeline()
        self._losses: Losses = np.empty((_AT_FIRST, 2), dtype=np.float32)
        self.epoch = 0
        if parent is not None:
            if not 0 <= since <= parent.epoch:
                raise ValueError(f"branch {parent.number} has no epoch {since}")
            self.tell(0, parent.losses[:since])

    @property
    def settings(self) -> Settings:
        """In force after the newest epoch."""
        changes = self.timeline.changes  # those before `since` are of the branch that it left
        return changes[-1][1] if changes and changes[-1][0] >= self.since else self.origin

    def settings_at(self, epoch: int) -> Settings:
        """In force in an epoch."""
        before = self.timeline.changes_between(0, epoch)
        first = next(iter(self.timeline), None)
        return before[-1][1] if before else first.settings if first else self.origin

    @property
    def losses(self) -> Losses:
        """Loss C + λ R of every epoch, and what λ R has of it, (E, 2)."""
        return self._losses[: self.epoch]

    @property
    def runs_ahead(self) -> bool:
        """Whether it has keyframes or changes of epochs whose losses are not told yet."""
        frames = [frame.epoch for frame in self.timeline]
        changes = [epoch for epoch, _ in self.timeline.changes]
        latest = frames[-1:] + changes[-1:]
        return max(latest, default=0) > self.epoch

    @property
    def best(self) -> int | None:
        """The epoch with the least loss."""
        return int(np.argmin(self.losses[:, 0])) + 1 if self.epoch else None

    def tell(self, start: int, losses: Losses) -> None:
        """Take up the losses, (n, 2), of the epochs after `start`; those after them are forgotten.

        Raises
        ------
        ValueError
            Where those of epochs before are missing.
        """
        if not 0 <= start <= self.epoch:
            raise ValueError(f"losses after epoch {start} do not follow those of {self.epoch} epochs")
        end = start + len(losses)
        if end > len(self._losses):
            more = np.empty((max(end, 2 * len(self._losses)), 2), dtype=np.float32)
            more[: self.epoch] = self.losses
            self._losses = more
        self._losses[start:end] = losses
        self.epoch = end

    def cut(self, epoch: int) -> None:
        """Forget everything after `epoch`.

        Raises
        ------
        ValueError
            Where it is below 0.
        """
        if epoch < 0:
            raise ValueError(f"there is no epoch {epoch}")
        self.timeline.cut(epoch)
        self.epoch, self.since = min(self.epoch, epoch), min(self.since, epoch)


class History:
    """Branches, the current one among them, and the list of changes.

    Parameters
    ----------
    listen : callable, optional
        Told every event, after it has happened.
    """

    def __init__(self, listen: Callable[[Event], object] | None = None) -> None:
        self.listen = listen
        self.memory = 256 * MEGABYTE
        """Bytes that it may take."""
        self.changes = Changes()
        self._branches: dict[int, Branch] = {}
        self._current = 0
        self._newest = 0  # a number is not used again: changes are of a branch also when it is gone
        self._at_most = 0  # bytes, without what has gone since they were counted: to count takes milliseconds

    def __iter__(self) -> Iterator[Branch]:
        return iter(self._branches.values())

    def __len__(self) -> int:
        return len(self._branches)

    def __contains__(self, number: object) -> bool:
        return number in self._branches

    def __getitem__(self, number: int) -> Branch:
        return self._branches[number]

    @property
    def current(self) -> Branch:
        """The branch that is trained."""
        return self._branches[self._current]

    @property
    def nbytes(self) -> int:
        """Bytes of keyframes and data, where what branches share counts once, losses and live changes."""
        sizes = {id(frame): frame.nbytes for branch in self for frame in branch.timeline}
        sizes |= {id(branch.data): branch.data.points.nbytes for branch in self}
        own = sum(branch.losses.nbytes + CHANGE * len(branch.timeline.changes) for branch in self)
        return sum(sizes.values()) + own

    def copy(self) -> History:
        """One that stays as this one is now, to be written by another thread."""
        other = copy.copy(self)
        other.listen, other.changes, other._branches = None, Changes(self.changes), {}
        for number, branch in self._branches.items():
            twin = other._branches[number] = copy.copy(branch)
            twin.timeline = branch.timeline.copy()
            twin._losses = branch.losses.copy()
        return other

    # What may happen

    def begin(self, settings: Settings, data: CleanData) -> Branch:
        """Begin anew; the current branch stays, unless it was begun only a moment ago."""
        now, left = time.time(), self._current
        begun = Begun(self._newest + 1, settings, data, None, 0, now)
        passing = [Removed(left)] if left in self and self._is_passing(self[left], now) else []
        self._happen(begun, *passing)
        return self.current

    def fork(self, since: int, settings: Settings) -> Branch:
        """Leave the current branch after one of its epochs; what came after stays with it.

        Raises
        ------
        ValueError
            Where it has no such epoch.
        """
        self._happen(Begun(self._newest + 1, settings, None, self._current, since, time.time()))
        return self.current

    def go_to(self, number: int) -> Branch:
        """Make another branch the current one."""
        self._happen(GoneTo(number))
        return self.current

    def rename(self, number: int, name: str) -> None:
        """Give a branch a name."""
        self._happen(Renamed(number, name))

    def remove(self, number: int) -> None:
        """Forget a branch; not the current one."""
        if number != self._current:
            self._happen(Removed(number))

    def keep(self, frame: Keyframe) -> None:
        """Record a keyframe of the current branch, unless it is there or not due any more."""
        if self.current.timeline.takes(frame.epoch):  # else nothing happens that would be written down
            self._happen(Kept(self._current, frame))

    def note(self, epoch: int, settings: Settings) -> None:
        """Record that live settings took effect in the current branch after an epoch."""
        self._happen(Noted(self._current, epoch, settings))

    def tell(self, start: int, losses: Losses) -> None:
        """Take up losses, (n, 2), of the current branch's epochs after `start`."""
        if len(losses) or start != self.current.epoch:
            self._happen(Told(self._current, start, losses))

    def cut(self, epoch: int) -> None:
        """Forget what the current branch has after an epoch."""
        self._happen(Cut(self._current, epoch))

    def change(self, change: Change) -> None:
        """Record a change of settings."""
        self._happen(Changed(change))

    # And what then is so

    def apply(self, event: Event) -> None:
        """Let an event happen that was written down, without telling of it.

        Raises
        ------
        KeyError, ValueError
            Where it cannot have happened to this history.
        """
        match event:
            case Begun():
                self._begin(event)
            case GoneTo():
                self._current = self._branches[event.branch].number
            case Renamed():
                self._branches[event.branch].name, self._branches[event.branch].named = event.name, True
            case Removed():
                if event.branch == self._current:
                    raise ValueError(f"branch {event.branch} is the current one and cannot have gone")
                del self._branches[event.branch]
            case Kept():
                self._branches[event.branch].timeline.add(event.frame)
                self._at_most += event.frame.nbytes
            case Noted():
                self._branches[event.branch].timeline.note(event.epoch, event.settings)
                self._at_most += CHANGE
            case Told():
                self._branches[event.branch].tell(event.start, event.losses)
                self._at_most += event.losses.nbytes
            case Cut():
                self._branches[event.branch].cut(event.epoch)
            case Changed():
                self.changes.add(event.change)
                self._newest = max(self._newest, event.change.branch)
        self._thin()

    def _begin(self, event: Begun) -> None:
        parent = None if event.parent is None else self._branches[event.parent]
        data = parent.data if parent is not None else event.data
        if data is None or event.branch in self._branches:
            raise ValueError(f"branch {event.branch} cannot have begun so")
        branch = Branch(event.branch, event.settings, data, parent, event.since, event.time)
        self._branches[branch.number] = branch
        self._current, self._newest = branch.number, max(self._newest, branch.number)
        changes = CHANGE * len(branch.timeline.changes)
        self._at_most += data.points.nbytes + branch.losses.nbytes + changes  # its keyframes are its parent's

    def _happen(self, *events: Event) -> None:
        """Let this happen, and then what follows: where there is no room, the oldest branches go."""
        for event in events:
            self.apply(event)
            if self.listen is not None:
                self.listen(event)
        if self._at_most <= self.memory and len(self) <= MOST_BRANCHES:
            return
        oldest = next((each for each in self if not each.named and each.number != self._current), None)
        if oldest is not None:
            self._happen(Removed(oldest.number))

    def _is_passing(self, branch: Branch, now: float) -> bool:
        is_left = any(other.parent == branch.number for other in self)
        return not (branch.named or is_left) and 0.0 <= now - branch.begun < PASSING

    def _thin(self) -> None:
        """Thin timelines until all is within memory, or as long as there is something to thin."""
        if self._at_most <= self.memory:
            return
        while (count := self.nbytes) > self.memory:
            rich = [branch.timeline for branch in self if len(branch.timeline) > LEAST]
            if not rich:
                break
            # What makes most room for the least harm: the more keyframes, the nearer one is without every
            # second. So a large network does not take from the small ones all that they have.
            max(rich, key=lambda timeline: len(timeline) * timeline.nbytes).thin()
        self._at_most = count


def is_same_course(one: Settings, other: Settings) -> bool:
    """Whether both begin with the same data, network and seed."""
    return "rebuild" not in applies(one.changed(other))
