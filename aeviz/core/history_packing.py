"""A history as plain values and arrays, and back: branches, their data, keyframes and losses, and changes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aeviz.core.changes import Change, Changes, Kind
from aeviz.core.clean_data import CleanData
from aeviz.core.events import Begun, Changed, GoneTo, Losses, Told
from aeviz.core.history import MOST_WRITTEN, History
from aeviz.core.keyframe_stacks import Frames, Groups, are_indices, packed_frames, thin_for_a_file
from aeviz.core.packing import PackError, data_of, numbers, packed_data, shaped
from aeviz.core.settings import Settings
from aeviz.core.settings_pool import SettingsPool
from aeviz.core.timeline import Keyframe, Timeline

_MOST_CHANGES = 10_000
_MOST_EPOCHS, _MOST_LIVE = 10_000_000, 200_000  # of a branch, and live changes of all together
_MOST_TITLE = 200  # characters of a name
_MOST_WHOLE = 2**53
_KINDS: tuple[Kind, ...] = ("do", "undo", "redo")

Pool = tuple[Sequence[Settings], NDArray[np.int64]]
"""Settings by number, and of which course of training each is."""


def packed_history(history: History, pool: SettingsPool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the history as values and arrays.

    Of thousands of changes these are the ones that were made last, as many as the pool has room for.

    Raises
    ------
    PackError
        Where there is no branch, or too much of what cannot be left out.
    """
    live = sum(len(branch.timeline.changes) for branch in history)
    longest = max((branch.epoch for branch in history), default=0)
    if not 1 <= len(history) <= MOST_WRITTEN or live > _MOST_LIVE or longest > _MOST_EPOCHS:
        raise PackError(
            f"{len(history):,} branches with {live:,} live changes and {longest:,} epochs cannot be written"
        )
    data = {id(branch.data): branch.data for branch in history}
    places = {identity: place for place, identity in enumerate(data)}
    # A keyframe may have come before the loss of its epoch.
    timelines = [Timeline(f for f in branch.timeline if f.epoch <= branch.epoch) for branch in history]
    thin_for_a_file(timelines)
    frames, stacks = packed_frames((frame for timeline in timelines for frame in timeline), pool)
    arrays, branches, told = dict(stacks), [], []
    for index, (branch, timeline) in enumerate(zip(history, timelines, strict=True)):
        branches.append({
            "number": branch.number, "name": _title(branch.name), "named": branch.named,
            "origin": pool.add(branch.origin), "data": places[id(branch.data)],
            "parent": branch.parent, "since": branch.since, "begun": branch.begun,
        })  # fmt: skip
        changes = [(epoch, pool.add(settings)) for epoch, settings in branch.timeline.changes]
        arrays[f"branch{index}.losses"] = branch.losses
        arrays[f"branch{index}.frames"] = np.array([frames[id(frame)] for frame in timeline], np.int64)
        arrays[f"branch{index}.live"] = np.array(changes, np.int64).reshape(-1, 2)
    for index, each in enumerate(data.values()):
        values, parts = packed_data(each)
        told.append(values)
        arrays |= {f"data{index}.{name}": array for name, array in parts.items()}
    titles, rest = _packed_changes(history.changes, pool)  # last: they have the room that is left
    current = history.current.number
    return {"current": current, "branches": branches, "data": told, "changes": titles}, arrays | rest


def _packed_changes(changes: Changes, pool: SettingsPool) -> tuple[list[str], dict[str, Any]]:
    latest = [*changes]
    rows, first = np.empty((len(latest), 5), np.int64), len(latest)
    with contextlib.suppress(PackError):  # no room for older ones
        for place, change in reversed([*enumerate(latest)]):
            new, old = pool.add(change.new), pool.add(change.old)
            rows[place] = old, new, change.branch, change.epoch, _KINDS.index(change.kind)
            first = place
    kept = latest[first:]
    times = np.array([change.time for change in kept], np.float64)
    return [_title(change.name) for change in kept], {"changes.rows": rows[first:], "changes.times": times}


def _title(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")[:_MOST_TITLE]


def history_of(values: Mapping[str, Any], groups: Groups, pool: Pool) -> History:
    """Return the history of what `packed_history` gave; its keyframes' states are views of the arrays.

    All is looked through before any of it is copied.

    Raises
    ------
    PackError
        Where it is broken.
    KeyError, TypeError, ValueError
        Where something is missing or of another kind.
    """
    frames = Frames.of(groups, *pool)
    data = [data_of(told, groups.pop(f"data{place}")) for place, told in enumerate(values["data"])]
    parts = [
        _Part.of(told, groups.pop(f"branch{place}"), frames, pool)
        for place, told in enumerate(values["branches"])
    ]
    changes = list(_changes_of(values["changes"], groups.pop("changes"), pool[0]))
    branches, live = {part.number for part in parts}, sum(len(part.live) for part in parts)
    if len(branches) != len(parts) or len(parts) > MOST_WRITTEN or live > _MOST_LIVE:
        raise PackError("it has more branches or live changes than can be, or one of them twice")
    used = np.unique(np.concatenate([np.empty(0, np.int64), *(part.frames for part in parts)]))
    if len(used) != len(frames.epochs) or {part.data for part in parts} != {*range(len(data))}:
        raise PackError("it has keyframes or points that belong to no branch")
    if groups:
        raise PackError(f"it has arrays that belong to nothing ({next(iter(groups))[:40]!r})")
    current = values["current"]
    if whole(current) not in branches:
        raise PackError(f"it has no branch {current}, which should be the current one")
    keyframes = list(frames.keyframes(pool[0]))
    return _history(parts, current, changes, pool[0], data, keyframes)


def whole(value: Any, least: int = 0, most: int = _MOST_WHOLE) -> int:
    """Return a whole number within these bounds.

    Raises
    ------
    PackError
        Where it is none.
    """
    if type(value) is not int or not least <= value <= most:
        raise PackError(f"it has {str(value)[:40]!r} where a whole number from {least:,} belongs")
    return value


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A branch as it lies in a file: settings, data and keyframes by number."""

    number: int
    name: str
    named: bool
    origin: int
    data: int
    parent: int | None
    since: int
    begun: float
    losses: Losses
    frames: NDArray[np.int64]
    live: NDArray[np.int64]  # (n, 2): epochs and settings

    @classmethod
    def of(cls, told: Mapping[str, Any], arrays: dict[str, Any], frames: Frames, pool: Pool) -> _Part:
        """Look a branch through."""
        settings, courses = pool
        number, name, named, begun = whole(told["number"], 1), told["name"], told["named"], told["begun"]
        if not is_title(name) or type(named) is not bool or not math.isfinite(begun):
            raise PackError(f"branch {number} is broken")
        losses = shaped(arrays.pop("losses"), np.float32, (None, 2))
        own = shaped(arrays.pop("frames"), np.int64, (None,))
        live = shaped(arrays.pop("live"), np.int64, (None, 2))
        most = len(frames.epochs), _MOST_LIVE, _MOST_EPOCHS
        if arrays or len(own) > most[0] or len(live) > most[1] or len(losses) > most[2]:
            raise PackError(f"branch {number} is too long")
        if not are_indices(own, len(frames.epochs)) or not are_indices(live[:, 1], len(settings)):
            raise PackError(f"branch {number} is broken")
        origin, epochs = whole(told["origin"], 0, len(settings) - 1), frames.epochs[own]
        for after in (epochs, live[:, 0]):
            if (np.diff(after) <= 0).any() or (after < 0).any():
                raise PackError(f"the epochs of branch {number} are not one after the other")
        if (epochs > len(losses)).any() or np.isnan(losses).any():
            raise PackError(f"losses of branch {number} are missing")
        if (courses[np.concatenate((frames.settings[own], live[:, 1]))] != courses[origin]).any():
            raise PackError(f"branch {number} has keyframes or changes of another network or other data")
        parent = None if told["parent"] is None else whole(told["parent"], 1, number - 1)
        return cls(
            number, name, named, origin, whole(told["data"]), parent, whole(told["since"], 0, len(losses)),
            float(begun), losses, own, live,
        )  # fmt: skip


def _changes_of(
    titles: Sequence[str], arrays: dict[str, Any], settings: Sequence[Settings]
) -> Iterator[Change]:
    times = numbers(arrays.pop("times"), (None,))
    rows = shaped(arrays.pop("rows"), np.int64, (len(times), 5))
    if arrays or len(times) > _MOST_CHANGES or type(titles) is not list or not all(map(is_title, titles)):
        raise PackError("its changes are broken")
    for title, time, row in zip(titles, times.tolist(), rows.tolist(), strict=True):
        old, new = (settings[whole(place, 0, len(settings) - 1)] for place in row[:2])
        kind = _KINDS[whole(row[4], 0, len(_KINDS) - 1)]
        yield Change(old, new, whole(row[2]), whole(row[3]), time, kind, title)


def is_title(value: Any) -> bool:
    """Whether this is a text that can be shown as a name."""
    return type(value) is str and len(value) <= _MOST_TITLE and value == _title(value)


def _history(
    parts: Sequence[_Part], current: int, changes: Sequence[Change], settings: Sequence[Settings],
    data: Sequence[CleanData], frames: Sequence[Keyframe],
) -> History:  # fmt: skip
    history = History()
    for change in changes:
        history.apply(Changed(change))
    for part in parts:
        # As if it had begun anew: the one that it left may be gone, or have lost what they shared.
        origin = settings[part.origin]
        history.apply(Begun(part.number, origin, data[part.data], None, part.since, part.begun))
        history.apply(Told(part.number, 0, part.losses))
    history.apply(GoneTo(current))
    for part in parts:  # not as events: how much memory it may take is not known yet
        branch = history[part.number]
        branch.parent, branch.name, branch.named = part.parent, part.name, part.named
        live = tuple((epoch, settings[place]) for epoch, place in part.live.tolist())
        branch.timeline = Timeline((frames[place] for place in part.frames.tolist()), live)
    history._at_most = history.nbytes
    return history
