"""Past epochs brought back exactly: the keyframe before one at once, the epoch itself when it is replayed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe
from aeviz.learn.training import DivergedError, Training
from aeviz.work import messages as m

AT_ONCE = 0.012  # seconds of replay that a frame may wait for: most of one sixtieth
_SLICE = 0.002  # seconds of replay between two looks whether something is asked
_STONE_EVERY = 0.02  # seconds of replay between two states that are remembered on the way
_MOST_STONES, _STONE_BYTES = 64, 32 * 2**20


@dataclass(frozen=True, slots=True)
class Shown:
    """The epoch that is looked at: its settings and averaged weights.

    Attributes
    ----------
    key : tuple
        Of no other epoch, and of no other step within one.
    moves : bool
        Whether the next frame will show another one.
    """

    epoch: int
    settings: Settings
    average: torch.Tensor
    key: tuple[object, ...]
    moves: bool


class PastEpochs:
    """Brings back epochs of one course of training after another."""

    def __init__(self, origin: m.Origin) -> None:
        self._origin = origin
        self._training: Training | None = None
        self._course: tuple[int, int] | None = None
        self._keyframe: Keyframe | None = None  # the last one that was sent
        self._stones: list[Keyframe] = []  # states on the way, from which a step back is short
        self._stands = False  # whether the training stands at a whole epoch of this course
        self._replay: Iterator[None] | None = None
        self._replayed = 0.0  # seconds since the last stone
        self._wanted: int | None = None  # the epoch that was begun with last
        self._shown: Shown | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the epoch that was wanted last is still to be brought back."""
        return self._replay is not None

    def show(self, past: m.Past, within: float = AT_ONCE) -> Shown:
        """The epoch, where so many seconds bring it back, else the nearest one known before it for now."""
        if past.course != self._course:
            self._course, self._keyframe, self._stones, self._stands = past.course, None, [], False
            self._wanted = None
        if past.keyframe is not None:
            self._keyframe = past.keyframe
        if self._wanted != past.epoch:
            self._begin(past)
        began = time.perf_counter()
        while self.unfinished and time.perf_counter() - began < within:
            self.advance()
        assert self._shown is not None
        return self._shown

    def advance(self) -> bool:
        """Replay a little; True where that was the last of it."""
        assert self._replay is not None and self._training is not None
        began = now = time.perf_counter()
        try:
            while now - began < _SLICE:
                epoch, before, self._stands = self._training.epoch, now, False
                next(self._replay)
                now, self._stands = time.perf_counter(), self._training.epoch > epoch
                self._replayed += now - before
                if self._stands and self._replayed > _STONE_EVERY:
                    self._lay_stone(self._training)
        except StopIteration:
            self._replay, self._stands = None, True
            self._shown = self._seen(self._training)
        except DivergedError:  # recorded on another machine: what is nearest is all there is
            self._replay = None
        except BaseException:
            self._replay = None  # told once: asked again and again it would fail again and again
            raise
        return not self.unfinished

    def _begin(self, past: m.Past) -> None:
        stands, self._stands = self._stands, False
        self._wanted = self._replay = None  # until the training stands: what fails leaves nothing half done
        assert self._keyframe is not None
        if self._training is None:
            self._training = Training(self._origin.settings, self._origin.data)
        known = [self._keyframe, *self._stones]
        start = max((frame for frame in known if frame.epoch <= past.epoch), key=lambda frame: frame.epoch)
        # From where the training stands it goes on without going back.
        if not (stands and start.epoch <= self._training.epoch <= past.epoch):
            self._training.restore(start)
            self._replayed = 0.0
        self._stands = True
        self._shown = self._seen(self._training)
        self._wanted, self._replay = past.epoch, self._training.replay(past.changes, past.epoch)

    def _seen(self, training: Training) -> Shown:
        key = (self._course, training.epoch)
        return Shown(training.epoch, training.settings, training.average.cpu().clone(), key, moves=False)

    def _lay_stone(self, training: Training) -> None:
        assert self._keyframe is not None
        most = min(_MOST_STONES, _STONE_BYTES // self._keyframe.nbytes)
        self._replayed = 0.0
        if most > 1:  # of a large network, to copy one would take as long as some epochs
            self._stones.append(training.keyframe())
            del self._stones[:-most]
