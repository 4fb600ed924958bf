"""A course of training remembered: keyframes of its whole state, and the live changes between them."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aeviz.core.packed_arrays import Form, PackedArrays, packed
from aeviz.core.settings import Settings

MOST, LEAST = 1_024, 2  # keyframes of a timeline, where memory allows
_NARROWEST = 0.25  # spread of a young timeline: an epoch of 10,000 is at most 100 epochs after a keyframe

Changes = tuple[tuple[int, Settings], ...]
"""Live changes: after which epoch, and the settings from then on."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a run is to do by itself: live changes as they come, up to an epoch."""

    changes: Changes = ()
    until: int = 0

    def after(self, epoch: int) -> Plan:
        """What is left of it after an epoch of the run."""
        return Plan(tuple(change for change in self.changes if change[0] > epoch), self.until)


NO_PLAN = Plan()


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """All of a training's state after one epoch.

    Attributes
    ----------
    settings : Settings
        In force when the next epoch begins, but for a live change that was made after that epoch.
    state : mapping of arrays
        Parameters, their average and the optimiser's memory, by name.
    nbytes : int
        Bytes of the state; known from the start, since a history adds up thousands of them.
    """

    epoch: int
    settings: Settings
    state: Mapping[str, NDArray[np.generic]]
    nbytes: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nbytes", sum(array.nbytes for array in self.state.values()))

    @property
    def loss(self) -> float:
        """Mean loss of that epoch; NaN of epoch 0."""
        return float(self.state["loss"])

    def __reduce__(self) -> tuple[Callable[..., Keyframe], tuple[object, ...]]:
        """Go over a pipe in one block, as it is then kept."""
        return _unpickled, (self.epoch, self.settings, *packed(self.state))


def _unpickled(epoch: int, settings: Settings, form: Form, content: bytes) -> Keyframe:
    return Keyframe(epoch, settings, PackedArrays(form, content))


def is_due(epoch: int, spread: float) -> bool:
    """Whether a keyframe of this epoch belongs on a timeline: whether it is ⌈k²·spread⌉ for a whole k."""
    k = math.floor(math.sqrt(epoch / spread) + 1e-9)
    return epoch == math.ceil(k * k * spread - 1e-9)


def spread_at(epoch: int, most: int = MOST) -> float:
    """Return the least spread with which a run of so many epochs has no more than `most` keyframes."""
    spread = _NARROWEST
    while math.floor(math.sqrt(epoch / spread) + 1e-9) + 1 > most:
        spread *= 4.0
    return spread


def most_within(memory: int, nbytes: int) -> int:
    """How many keyframes of so many bytes each are kept within `memory` bytes."""
    return max(LEAST, min(MOST, memory // max(1, nbytes)))


class Timeline:
    """Keyframes at epochs that grow like squares (most happens early), and the live changes between.

    The k-th keyframe is due at epoch ⌈k²·spread⌉. When there are too many, every second one goes and
    the spread grows fourfold, which leaves exactly the keyframes that the wider rule would have taken.
    """

    def __init__(self, frames: Iterable[Keyframe] = (), changes: Changes = ()) -> None:
        self._frames = sorted(frames, key=lambda frame: frame.epoch)
        self._changes = list(changes)
        self._spread = spread_at(self._frames[-1].epoch if self._frames else 0)

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Keyframe]:
        return iter(self._frames)

    @property
    def changes(self) -> Changes:
        """All live changes."""
        return tuple(self._changes)

    @property
    def nbytes(self) -> int:
        """Bytes of its keyframes."""
        return sum(frame.nbytes for frame in self._frames)

    def takes(self, epoch: int) -> bool:
        """Whether a keyframe of this epoch would be taken up: whether it is due and not there."""
        place = self._place(epoch)
        is_there = place < len(self._frames) and self._frames[place].epoch == epoch
        return not is_there and is_due(epoch, max(self._spread, spread_at(epoch)))

    def add(self, frame: Keyframe) -> None:
        """Take up a keyframe, unless it is there or not due any more."""
        if not self.takes(frame.epoch):
            return
        while self._spread < spread_at(frame.epoch):
            self.thin()
        self._frames.insert(self._place(frame.epoch), frame)

    def _place(self, epoch: int) -> int:
        return bisect.bisect_left(self._frames, epoch, key=lambda frame: frame.epoch)

    def thin(self) -> None:
        """Let every second keyframe go."""
        self._spread *= 4.0
        self._frames = [each for each in self._frames if is_due(each.epoch, self._spread)]

    def note(self, epoch: int, settings: Settings) -> None:
        """Record that `settings` hold from after `epoch` on."""
        while self._changes and self._changes[-1][0] >= epoch:
            self._changes.pop()
        self._changes.append((epoch, settings))

    def before(self, epoch: int) -> Keyframe:
        """The newest keyframe at or before `epoch`; the first one where all are later."""
        index = bisect.bisect_right(self._frames, epoch, key=lambda frame: frame.epoch)
        return self._frames[max(0, index - 1)]

    def changes_between(self, start: int, end: int) -> Changes:
        """The live changes after epochs from `start` to before `end`."""
        first, last = (bisect.bisect_left(self._changes, e, key=lambda c: c[0]) for e in (start, end))
        return tuple(self._changes[first:last])

    def copy(self) -> Timeline:
        """A timeline that shares all that this one has now."""
        twin = Timeline(self._frames, self.changes)
        twin._spread = self._spread
        return twin

    def up_to(self, epoch: int) -> Timeline:
        """A timeline that shares what this one has up to an epoch, with the changes before it.

        From there on it is as dense as any run of so many epochs, however long or thinned this one is.
        """
        shared = (frame for frame in self._frames if frame.epoch <= epoch)
        return Timeline(shared, self.changes_between(0, epoch))

    def cut(self, epoch: int) -> None:
        """Forget everything after `epoch`."""
        self._frames = [frame for frame in self._frames if frame.epoch <= epoch]
        self._changes = [change for change in self._changes if change[0] <= epoch]
