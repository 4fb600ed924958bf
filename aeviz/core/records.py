"""The records of a journal: events of a history as bytes, and the history that they make.

A record is a head, its checksum, and a payload that has its own. Reading ends where one is torn, broken
or impossible.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, BinaryIO, get_args

import numpy as np
from numpy.typing import NDArray

from aeviz.core.changes import Change, Kind
from aeviz.core.clean_data import CleanData
from aeviz.core.events import Begun, Cut, Event, Kept, Losses, Noted, Removed, Told
from aeviz.core.history import MOST_WRITTEN, History
from aeviz.core.packing import PackError, data_of, keyframe_of, pack, packed_data, parsed, settings_of, unpack
from aeviz.core.run_file import run_of
from aeviz.core.settings import SPECS, Settings

MORE, EVENT, SNAPSHOT, CLOSED = b"aevM", b"aevE", b"aevS", b"aevC"
"""What a record is. Events that are written together count together: after all but the last, more follow."""

_HEAD = struct.Struct("<4sQQ")  # what it is, bytes of the payload, and the current epoch
_CHECK = struct.Struct("<I")

# What a journal may ask for, whoever wrote it.
_MOST_VALUES = 1_000_000  # bytes: an event with all that can be drawn, before and after, has 200,000
_MOST_EPOCHS = int(SPECS["epochs"].high or 0)
_MOST_TOLD = 20 * _MOST_EPOCHS  # losses of all branches, 160 MB
_MOST_SHARED = 256 * _MOST_EPOCHS  # losses that branches have taken over from others, 2 GB to be copied

_MOST_WHOLE = 2**53  # JSON knows no larger whole number that is exact

_Arrays = dict[str, NDArray[np.generic]]
_EVENTS = {each.__name__: each for each in get_args(Event)}


def write_record(file: int, kind: bytes, epoch: int, payload: bytes) -> int:
    """Write a record into an open file; returns its size."""
    head = _HEAD.pack(kind, len(payload), epoch)
    head += _CHECK.pack(zlib.crc32(head))
    for part in (memoryview(head), memoryview(payload)):
        while part:
            part = part[os.write(file, part) :]
    return len(head) + len(payload)


def write_events(file: int, events: Sequence[Event], epoch: int) -> int:
    """Write events that count together into an open file; returns their size."""
    size = 0
    events = _joined(_without_passing(events))
    for more, event in zip(reversed(range(len(events))), events, strict=True):
        size += write_record(file, MORE if more else EVENT, epoch, payload_of(event))
    return size


def heads(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield what each record is, its payload's size, and the epoch.

    The file then stands at the payload, which need not be read.
    """
    size, place = os.fstat(file.fileno()).st_size, 0
    while True:
        file.seek(place)
        head = file.read(_HEAD.size + _CHECK.size)
        if len(head) < _HEAD.size + _CHECK.size:
            return
        (check,) = _CHECK.unpack_from(head, _HEAD.size)
        kind, length, epoch = _HEAD.unpack_from(head)
        place += len(head) + length
        if check != zlib.crc32(head[: _HEAD.size]) or place > size:
            return
        yield kind, length, epoch


def _joined(events: Sequence[Event]) -> list[Event]:
    """Return the same events with the losses that continue one another in one."""
    whole: list[Event] = []
    pieces: list[Losses] = []
    for event, after in itertools.zip_longest(events, events[1:]):
        if not isinstance(event, Told):
            whole.append(event)
            continue
        pieces.append(event.losses)
        end = event.start + len(event.losses)
        if not (isinstance(after, Told) and after.branch == event.branch and after.start == end):
            losses = np.concatenate(pieces)
            whole.append(Told(event.branch, end - len(losses), losses))
            pieces = []
    return whole


def weight(event: Event) -> int:
    """About how many bytes an event takes."""
    match event:
        case Kept():
            return event.frame.nbytes
        case Begun() if event.data is not None:
            return event.data.points.nbytes
        case Told():
            return event.losses.nbytes
    return 1_000


def _without_passing(events: Sequence[Event]) -> list[Event]:
    """Leave out branches that came and went: while a slider of the data is dragged, each has all its data.

    The others go at the end, where none of them can be the current one.
    """
    parents = {each.parent for each in events if isinstance(each, Begun)}
    begun = {each.branch for each in events if isinstance(each, Begun)} - parents
    passing = begun & {each.branch for each in events if isinstance(each, Removed)}
    left = (each for each in events if getattr(each, "branch", None) not in passing)
    return sorted(left, key=lambda each: isinstance(each, Removed))


def payload_of(event: Event) -> bytes:
    """Return an event as bytes."""
    arrays: _Arrays = {}
    return pack({type(event).__name__: _plain(event, arrays)}, arrays)


def _plain(value: Any, arrays: _Arrays) -> Any:
    if isinstance(value, Settings):
        return _text(value)
    if isinstance(value, CleanData):
        values, found = packed_data(value)
        arrays.update(found)
        return values
    if isinstance(value, Mapping):  # a keyframe's state
        arrays.update(value)
        return None
    if isinstance(value, np.ndarray):
        arrays["losses"] = value
        return None
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name), arrays) for each in fields(value)}
    return value


@lru_cache(maxsize=8)  # those of a keyframe are mostly those of the one before
def _text(settings: Settings) -> str:
    return json.dumps(settings.to_json())


@lru_cache(maxsize=8)
def _settings(text: str) -> Settings:
    return settings_of(parsed(text.encode("ascii")))


def event_of(payload: bytes) -> Event:
    """Return the event of `payload_of`'s bytes.

    Raises
    ------
    PackError
        Where they are none.
    """
    if int.from_bytes(payload[:8], "little") > _MOST_VALUES:
        raise PackError("an event is too long")
    values, arrays = unpack(payload)
    try:
        ((name, parts),) = values.items()
        event: Event = _made(_EVENTS[name], parts, arrays)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise error if isinstance(error, PackError) else PackError("an event is none") from error
    return event


def _made(kind: Any, values: Any, arrays: _Arrays) -> Any:
    return kind(**{name: _part(name, value, arrays) for name, value in values.items()})


def _part(name: str, value: Any, arrays: _Arrays) -> Any:
    match name:
        case "data" | "parent" if value is None:
            return None
        case "branch" | "parent" | "since" | "epoch" | "start" if (
            type(value) is int and 0 <= value < _MOST_WHOLE
        ):
            return value
        case "time" if isinstance(value, float | int) and math.isfinite(value):
            return float(value)
        case "name" if isinstance(value, str):
            return value
        case "kind" if value in get_args(Kind):
            return value
        case "settings" | "old" | "new":
            return _settings(value)
        case "data":
            return data_of(value, arrays)
        case "frame":
            return keyframe_of(value["epoch"], _settings(value["settings"]), arrays)
        case "losses" if (found := arrays[name]).dtype == np.float32 and found.shape[1:] == (2,):
            return found
        case "change":
            return _made(Change, value, arrays)
    raise PackError(f"the {name[:40]} of an event is impossible")


def history_of(file: BinaryIO) -> History:
    """Return the history of a journal, as far as it can be read.

    Raises
    ------
    PackError
        Where nothing of it can be read; the text says why.
    """
    history, waiting, shared = History(), list[Event](), 0
    memory = max(history.memory, os.fstat(file.fileno()).st_size)  # its owner may allow so much
    why: object = "nothing of it is whole"
    for index, (kind, length, _) in enumerate(heads(file)):
        if kind not in (SNAPSHOT, MORE, EVENT):
            break
        payload = file.read(length)
        history.memory = memory
        try:
            if kind == SNAPSHOT:
                history = _snapshot_of(payload, index)
                continue
            waiting.append(event_of(payload))
            if kind == EVENT:
                for event in waiting:
                    shared += _checked(history, event, shared)
                    history.apply(event)
                waiting.clear()
        except (KeyError, ValueError, MemoryError) as error:
            why = error
            break
    if not len(history):
        raise PackError(f"nothing of it can be read: {why}")
    for branch in history:  # a keyframe may have come before the losses till there
        branch.cut(branch.epoch)
    return history


def _snapshot_of(content: bytes, index: int) -> History:
    if index:
        raise PackError("a snapshot stands where none can be")
    return run_of(content).history


def _checked(history: History, event: Event, shared: int) -> int:
    """How many losses an event copies from another branch.

    Raises
    ------
    ValueError
        Where it asks for too much. Whether it is possible at all, `History.apply` sees.
    """
    copied = more = latest = 0
    match event:
        case Begun() if event.parent is not None:
            copied = more = event.since
        case Told():
            more = len(event.losses)
            latest = event.start + more
        case Kept():
            latest = event.frame.epoch
        case Noted() | Cut():
            latest = event.epoch
    is_full = isinstance(event, Begun) and len(history) >= MOST_WRITTEN
    if is_full or latest > _MOST_EPOCHS or shared + copied > _MOST_SHARED:
        raise ValueError("an event asks for too much")
    if more and more + sum(branch.epoch for branch in history) > _MOST_TOLD:
        raise ValueError("there are too many losses")
    return copied
