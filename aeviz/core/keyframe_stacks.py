"""Keyframes in stacks: those of the same network as one array for each part of their state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aeviz.core.architecture import Architecture
from aeviz.core.packing import Arrays, PackError, are_finite, shaped
from aeviz.core.settings import Settings
from aeviz.core.settings_pool import SettingsPool
from aeviz.core.timeline import LEAST, Keyframe, Timeline

MOST = 32_768  # keyframes in all
MOST_BYTES = 3 * 2**29  # of their states
_MOST_TARGET = 64  # numbers on which the optimum depends
_EACH, _ONE = (np.float32, True), (np.float32, False)  # of each parameter, or one for all of them
_STATE: dict[str, tuple[type[np.generic], bool]] = {
    "parameters": _EACH, "average": _EACH, "taken": (np.int64, False), "since": (np.int64, False),
    "loss": (np.float64, False), "regulariser": (np.float64, False),
}  # fmt: skip
_MEMORY = {  # what an optimiser needs beside
    "adam": {"mean": _EACH, "square": _EACH, "count": _ONE}, "momentum": {"velocity": _EACH}, "sgd": {},
}  # fmt: skip

Groups = dict[str, dict[str, NDArray[np.generic]]]
"""The arrays of a file, by what stands before the dot in their names and by what stands after it."""


def thin_for_a_file(timelines: Sequence[Timeline]) -> None:
    """Thin the longest timelines until all together are not too large for a file."""
    while True:
        sizes = {id(frame): frame.nbytes for timeline in timelines for frame in timeline}
        longest = max(timelines, key=len)
        if (len(sizes) <= MOST and sum(sizes.values()) <= MOST_BYTES) or len(longest) <= LEAST:
            return
        longest.thin()


def packed_frames(frames: Iterable[Keyframe], pool: SettingsPool) -> tuple[dict[int, int], Arrays]:
    """Return the number of each keyframe, by its identity, and all of them as arrays.

    Raises
    ------
    PackError
        Where there is no room for their settings.
    """
    kinds: dict[tuple[object, ...], list[Keyframe]] = {}
    for frame in {id(frame): frame for frame in frames}.values():
        kind = tuple((name, frame.state[name].dtype, frame.state[name].shape) for name in sorted(frame.state))
        kinds.setdefault(kind, []).append(frame)
    order = [frame for alike in kinds.values() for frame in alike]
    arrays: dict[str, NDArray[np.generic]] = {
        "frames.epochs": np.array([frame.epoch for frame in order], np.int64),
        "frames.settings": np.array([pool.add(frame.settings) for frame in order], np.int64),
    }
    for index, alike in enumerate(kinds.values()):
        for name in alike[0].state:
            arrays[f"stack{index}.{name}"] = np.stack([frame.state[name] for frame in alike])
    return {id(frame): number for number, frame in enumerate(order)}, arrays


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Keyframes as they lie in a file.

    Attributes
    ----------
    epochs, settings : (F,) int64 arrays
        Of each keyframe; the settings by number.
    stacks : sequence of mappings of (K, …) arrays
        The states of the first K keyframes, of the next ones, and so on.
    """

    epochs: NDArray[np.int64]
    settings: NDArray[np.int64]
    stacks: Sequence[Arrays]

    @classmethod
    def of(cls, groups: Groups, pool: Sequence[Settings], courses: NDArray[np.int64]) -> Frames:
        """Take what `packed_frames` gave out of a file's arrays.

        Raises
        ------
        PackError
            Where it is broken, or a state is not one of the network that its settings describe.
        KeyError
            Where something is missing.
        """
        own = groups.pop("frames")
        epochs = shaped(own.pop("epochs"), np.int64, (None,))
        settings = shaped(own.pop("settings"), np.int64, epochs.shape)
        if own or len(epochs) > MOST or not (are_indices(settings, len(pool)) and (epochs >= 0).all()):
            raise PackError("its keyframes are broken")
        stacks: list[Arrays] = []
        start = 0
        while (stack := groups.pop(f"stack{len(stacks)}", None)) is not None:
            end = start + len(stack["parameters"])
            _check_numbers(stack, end - start)
            for first in np.unique(courses[settings[start:end]], return_index=True)[1]:
                _check_shapes(stack, end - start, pool[settings[start + first]])
            if min(shaped(stack[name], np.int64, (end - start,)).min() for name in ("taken", "since")) < 0:
                raise PackError("its keyframes have taken less than no step")
            stacks.append(stack)
            start = end
        if start != len(epochs):
            raise PackError("its keyframes have not one epoch each")
        return cls(epochs, settings, stacks)

    def keyframes(self, pool: Sequence[Settings]) -> Iterator[Keyframe]:
        """Make the keyframes, whose states are views of the stacks."""
        rows = ((stack, row) for stack in self.stacks for row in range(len(stack["parameters"])))
        numbers = zip(self.epochs.tolist(), self.settings.tolist(), strict=True)
        for (epoch, settings), (stack, row) in zip(numbers, rows, strict=True):
            # With the dots, a single number too is an array.
            state = {name: array[row, ...] for name, array in stack.items()}
            yield Keyframe(epoch, pool[settings], state)


def are_indices(array: NDArray[np.int64], length: int) -> bool:
    """Whether all numbers are places in a list of this length."""
    return bool(((array >= 0) & (array < length)).all())


def network_size(settings: Settings) -> int:
    """How many parameters the network has, biases included; a sampled code has means and variances."""
    return Architecture.plain(settings).size


def _check_numbers(stack: Arrays, count: int) -> None:
    """Raise PackError unless these can be the numbers of `count` states."""
    for name, array in stack.items():
        if not count or len(array) != count or array.dtype.kind not in "fi":
            raise PackError(f"the {name[:40]} of its keyframes are not of {count:,}")
        # Of an epoch before the first, the loss is not a number.
        if not (name == "loss" or are_finite(array)):
            raise PackError(f"the {name[:40]} of its keyframes are not finite numbers")


def _check_shapes(stack: Arrays, count: int, settings: Settings) -> None:
    """Raise PackError unless these are `count` states of a training with these settings."""
    size = network_size(settings)
    for name, (dtype, of_each) in (_STATE | _MEMORY[settings.optimiser]).items():
        shaped(stack[name], dtype, (count, size) if of_each else (count,))
    if shaped(stack["target"], np.float64, (count, None)).shape[1] > _MOST_TARGET:
        raise PackError("the target of its keyframes is impossible")
