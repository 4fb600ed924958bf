"""The run's memory: keyframes of the whole training state, thinned as the run grows."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aeviz.core.settings import Settings

MEMORY = 256 * 2**20  # bytes that all keyframes of a run may take together
_MOST, _LEAST = 256, 2  # keyframes kept, where memory allows


@dataclass(frozen=True, slots=True)
class Keyframe:
    """All of a training's state after one epoch.

    Attributes
    ----------
    settings : Settings
        In force when the next epoch begins.
    state : mapping of arrays
        Parameters, their average and the optimiser's memory, by name.
    """

    epoch: int
    settings: Settings
    state: Mapping[str, NDArray[np.float32]]

    @property
    def nbytes(self) -> int:
        """Bytes of the state."""
        return sum(array.nbytes for array in self.state.values())


class Timeline:
    """Keyframes at epochs that grow like squares (most happens early), and the live changes between.

    The k-th keyframe is due at epoch ⌈k²·spread⌉. When there are too many, every second one goes and
    the spread grows fourfold, which leaves exactly the keyframes that the wider rule would have taken.
    """

    def __init__(self) -> None:
        self._spread = 1.0 / 16.0
        self._frames: list[Keyframe] = []
        self._changes: list[tuple[int, Settings]] = []

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Keyframe]:
        return iter(self._frames)

    @property
    def changes(self) -> tuple[tuple[int, Settings], ...]:
        """Live changes: after which epoch, and the settings from then on."""
        return tuple(self._changes)

    @property
    def last(self) -> Keyframe | None:
        """The newest keyframe."""
        return self._frames[-1] if self._frames else None

    def due(self, epoch: int) -> bool:
        """Whether a keyframe of this epoch belongs on the timeline."""
        k = math.floor(math.sqrt(epoch / self._spread) + 1e-9)
        return epoch == math.ceil(k * k * self._spread - 1e-9)

    def add(self, frame: Keyframe) -> None:
        """Append a keyframe of a later epoch; older ones may be thinned to stay within memory."""
        self._frames.append(frame)
        most = max(_LEAST, min(_MOST, MEMORY // max(1, frame.nbytes)))
        while len(self._frames) > most:
            self._spread *= 4.0
            self._frames = [each for each in self._frames if self.due(each.epoch)]

    def note(self, epoch: int, settings: Settings) -> None:
        """Record that `settings` hold from after `epoch` on."""
        if self._changes and self._changes[-1][0] == epoch:
            self._changes.pop()
        self._changes.append((epoch, settings))

    def before(self, epoch: int) -> Keyframe:
        """The newest keyframe at or before `epoch`; the first one where all are later."""
        index = bisect.bisect_right(self._frames, epoch, key=lambda frame: frame.epoch)
        return self._frames[max(0, index - 1)]

    def change_after(self, epoch: int) -> Settings | None:
        """The settings that took effect right after `epoch`, if they changed there."""
        index = bisect.bisect_left(self._changes, epoch, key=lambda change: change[0])
        found = index < len(self._changes) and self._changes[index][0] == epoch
        return self._changes[index][1] if found else None

    def cut(self, epoch: int) -> None:
        """Forget everything after `epoch`."""
        self._frames = [frame for frame in self._frames if frame.epoch <= epoch]
        self._changes = [change for change in self._changes if change[0] <= epoch]
