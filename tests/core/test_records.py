"""Of a journal that is torn, broken or hostile, what stands before that comes back."""

from __future__ import annotations

import json
import os
import random
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from journals import (
    START,
    as_file,
    course,
    data,
    events_of,
    facts,
    frame,
    losses,
    prefixes,
    read,
    snapshot,
    trimmed,
)

from aeviz.core import history as history_module
from aeviz.core import records
from aeviz.core.events import Begun, Event, GoneTo, Kept, Renamed, Told
from aeviz.core.history import History
from aeviz.core.packing import PackError, pack


@pytest.fixture
def small(tmp_path: Path) -> tuple[bytes, list[Event], list[int]]:
    """The content of a small journal, its events, and where each ends in it."""
    events = [
        Begun(1, START, data(), None, 0, 5.0), Told(1, 0, losses(0, 2)), Kept(1, frame(1)), GoneTo(1),
        Told(1, 1, losses(3, 2)), GoneTo(1),
    ]  # fmt: skip
    path, ends = as_file(tmp_path, b""), []
    for event in events:
        add(path, records.EVENT, records.payload_of(event))
        ends.append(path.stat().st_size)
    return path.read_bytes(), events, ends


def test_of_a_journal_cut_anywhere_all_that_is_whole_comes_back(
    small: tuple[bytes, list[Event], list[int]], tmp_path: Path
) -> None:
    content, events, ends = small
    after = prefixes(events)
    path = as_file(tmp_path, content)
    for length in reversed(range(len(content))):
        os.truncate(path, length)
        whole = sum(end <= length for end in ends)
        if whole:
            assert facts(read(path)) == after[whole]
        else:
            with pytest.raises(PackError, match="nothing of it"):
                read(path)


def test_of_a_journal_with_a_flipped_bit_all_before_it_comes_back(
    small: tuple[bytes, list[Event], list[int]], tmp_path: Path
) -> None:
    content, events, ends = small
    after, chance = prefixes(events), random.Random(0)
    path = as_file(tmp_path, content)
    with path.open("r+b", buffering=0) as file:
        for place in range(len(content)):
            file.seek(place)
            file.write(bytes([content[place] ^ 1 << chance.randrange(8)]))
            whole = sum(end <= place for end in ends)
            if whole:
                assert facts(read(path)) == after[whole]
            else:
                with pytest.raises(PackError):
                    read(path)
            file.seek(place)
            file.write(content[place : place + 1])


def test_what_stands_after_the_end_is_not_read(
    small: tuple[bytes, list[Event], list[int]], tmp_path: Path
) -> None:
    content, events, _ = small
    for rubbish in (bytes(10_000), random.Random(0).randbytes(10_000), content[1:], content[:30]):
        assert facts(read(as_file(tmp_path, content + rubbish))) == prefixes(events)[-1]


def add(path: Path, kind: bytes, payload: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    records.write_record(file, kind, 0, payload)
    os.close(file)


class Forger:
    """Writes journals that are whole but were not written by aeviz."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = [Begun(1, START, data(), None, 0, 5.0), Told(1, 0, losses(0, 10))]
        path.write_bytes(b"")
        for event in self.events:
            self.add(records.EVENT, records.payload_of(event))

    def add(self, kind: bytes, payload: bytes) -> None:
        add(self.path, kind, payload)

    def event(self, what: str, arrays: dict[str, Any] | None = None, /, **values: Any) -> None:
        self.add(records.EVENT, pack({what: values}, arrays or {}))


@pytest.fixture
def forger(tmp_path: Path) -> Forger:
    return Forger(tmp_path / "forged")


def within_bounds(path: Path) -> History:
    """Read a journal in 2 s and 200 MB."""
    tracemalloc.start()
    try:
        began = time.process_time()  # others may use the processor as well
        history = read(path)
        took = time.process_time() - began
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
    assert took < 2.0
    return history


SETTINGS = json.dumps(START.to_json())
FRAME = {"epoch": 1, "settings": SETTINGS, "state": None}
CHANGE = {"old": SETTINGS, "new": SETTINGS, "branch": 1, "epoch": 1, "time": 1.0, "kind": "do", "name": ""}
BEGUN = {"branch": 2, "settings": SETTINGS, "data": None, "parent": 1, "since": 5, "time": 1.0}
TOLD = {"branch": 1, "start": 0, "losses": None}
SOME = np.zeros((2, 2), np.float32)
IMPOSSIBLE: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "no such branch": ("GoneTo", {"branch": 2}, {}),
    "a negative branch": ("GoneTo", {"branch": -1}, {}),
    "a branch that is no number": ("GoneTo", {"branch": "1"}, {}),
    "a branch that is true": ("GoneTo", {"branch": True}, {}),
    "a branch that is a list": ("GoneTo", {"branch": [1]}, {}),
    "too little": ("GoneTo", {}, {}),
    "too much": ("GoneTo", {"branch": 1, "name": "x"}, {}),
    "what is no field": ("GoneTo", {"self": 1}, {}),
    "no such event": ("Gone", {"branch": 1}, {}),
    "the current branch goes": ("Removed", {"branch": 1}, {}),
    "a name that is none": ("Renamed", {"branch": 1, "name": 5}, {}),
    "a name of no branch": ("Renamed", {"branch": 3, "name": "x"}, {}),
    "begun twice": ("Begun", BEGUN | {"branch": 1}, {}),
    "begun without data": ("Begun", BEGUN | {"parent": None, "since": 0}, {}),
    "begun of no branch": ("Begun", BEGUN | {"parent": 7}, {}),
    "begun after the end": ("Begun", BEGUN | {"since": 11}, {}),
    "begun at no epoch": ("Begun", BEGUN | {"since": -1}, {}),
    "begun at no whole epoch": ("Begun", BEGUN | {"since": 1.0}, {}),
    "begun with broken data": ("Begun", BEGUN | {"parent": None, "data": {"closed": True}}, {}),
    "begun at no time": ("Begun", BEGUN | {"time": "now"}, {}),
    "begun at a time in quotes": ("Begun", BEGUN | {"time": "5"}, {}),
    "begun at a time beyond all": ("Begun", BEGUN | {"time": 10**400}, {}),
    "settings of another program": ("Noted", {"branch": 1, "epoch": 1, "settings": '{"nose": 1}'}, {}),
    "settings out of range": ("Noted", {"branch": 1, "epoch": 1, "settings": '{"noise": 9.0}'}, {}),
    "settings that are none": ("Noted", {"branch": 1, "epoch": 1, "settings": "[1]"}, {}),
    "settings that are no JSON": ("Noted", {"branch": 1, "epoch": 1, "settings": "{ŷ"}, {}),
    "settings that are a list": ("Noted", {"branch": 1, "epoch": 1, "settings": [1]}, {}),
    "settings that are a number": ("Noted", {"branch": 1, "epoch": 1, "settings": 1}, {}),
    "noted in a far future": ("Noted", {"branch": 1, "epoch": 10**15, "settings": SETTINGS}, {}),
    "cut in a far future": ("Cut", {"branch": 1, "epoch": 10**15}, {}),
    "cut before the beginning": ("Cut", {"branch": 1, "epoch": -1}, {}),
    "losses with a gap before": ("Told", TOLD | {"start": 11}, {"losses": SOME}),
    "losses of terabytes": ("Told", TOLD | {"start": 2**45}, {"losses": SOME}),
    "losses before the first": ("Told", TOLD | {"start": -1}, {"losses": SOME}),
    "losses beyond all epochs": ("Told", TOLD, {"losses": np.zeros((1_000_001, 2), np.float32)}),
    "losses of three": ("Told", TOLD, {"losses": np.zeros((2, 3), np.float32)}),
    "losses in a row": ("Told", TOLD, {"losses": np.zeros(2, np.float32)}),
    "losses of another kind": ("Told", TOLD, {"losses": np.zeros((2, 2))}),
    "losses that are not there": ("Told", TOLD, {}),
    "a keyframe of no numbers": ("Kept", {"branch": 1, "frame": FRAME}, {"w": np.full(3, np.nan, "f4")}),
    "a keyframe of a far future": ("Kept", {"branch": 1, "frame": FRAME | {"epoch": 10**15}}, {"w": SOME}),
    "a keyframe that is a number": ("Kept", {"branch": 1, "frame": 1}, {"w": SOME}),
    "a change of another kind": ("Changed", {"change": CHANGE | {"kind": "like"}}, {}),
    "a change of nothing": ("Changed", {"change": None}, {}),
    "a change from before": ("Changed", {"change": CHANGE | {"epoch": -5}}, {}),
    "a change of no settings": ("Changed", {"change": CHANGE | {"old": 5}}, {}),
}  # fmt: skip


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_reading_ends_at_what_cannot_have_happened(forger: Forger, what: str) -> None:
    name, values, arrays = IMPOSSIBLE[what]
    before = prefixes(forger.events)[-1]
    forger.event(name, arrays, **values)
    forger.event("Renamed", branch=1, name="too late")
    assert facts(within_bounds(forger.path)) == before


def test_what_is_impossible_is_so_for_one_reason_only(forger: Forger) -> None:
    """Each of the events above is possible but for what it says."""
    forger.event("Begun", **BEGUN)
    forger.event("GoneTo", branch=1)
    forger.event("Noted", branch=1, epoch=1, settings=SETTINGS)
    forger.event("Told", {"losses": SOME}, branch=1, start=10, losses=None)
    forger.event("Kept", {"w": SOME}, branch=1, frame=FRAME)
    forger.event("Changed", change=CHANGE)
    forger.event("Removed", branch=2)
    forger.event("Renamed", branch=1, name="in time")
    history = read(forger.path)
    assert len(history) == 1 and history.current.name == "in time" and history.current.epoch == 12
    assert len(history.changes) == len(history.current.timeline) == len(history.current.timeline.changes) == 1


def test_a_payload_that_is_none_ends_reading(forger: Forger) -> None:
    whole, before = forger.path.read_bytes(), prefixes(forger.events)[-1]
    deep = json.dumps({"__metadata__": {"aeviz": "[" * 100_000}}).encode()
    long = pack({"Renamed": {"branch": 1, "name": "x" * 2_000_000}}, {})
    headless = (2**60).to_bytes(8, "little") + b"{}"
    several = pack({"GoneTo": {"branch": 1}, "Removed": {"branch": 1}}, {})
    for payload in (b"", b"x", headless, len(deep).to_bytes(8, "little") + deep, long, several, pack({}, {})):
        forger.path.write_bytes(whole)
        forger.add(records.EVENT, payload)
        assert facts(within_bounds(forger.path)) == before
    renamed = records.payload_of(Renamed(1, "of another kind"))
    for kind, payload in (
        (records.SNAPSHOT, snapshot(course())), (records.CLOSED, renamed), (b"aevX", renamed),
    ):  # fmt: skip
        forger.path.write_bytes(whole)
        forger.add(kind, payload)
        forger.event("Renamed", branch=1, name="too late")
        assert facts(within_bounds(forger.path)) == before


@pytest.mark.parametrize("length", [2**64 - 1, 2**42, 10_001])
def test_a_length_that_the_file_has_not_is_not_read(forger: Forger, length: int) -> None:
    before = prefixes(forger.events)[-1]
    head = records._HEAD.pack(records.EVENT, length, 0)
    with forger.path.open("ab") as file:
        file.write(head + records._CHECK.pack(records.zlib.crc32(head)) + bytes(10_000))
    assert facts(within_bounds(forger.path)) == before


@pytest.mark.parametrize("content", [b"", bytes(10**6), b"aev" * 100], ids=["empty", "zeros", "no journal"])
def test_what_is_no_journal_says_so_in_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PackError) as caught:
        read(as_file(tmp_path, content))
    assert len(str(caught.value).splitlines()) == 1


def test_a_broken_snapshot_says_why(forger: Forger) -> None:
    forger.path.write_bytes(b"")
    forger.add(records.SNAPSHOT, snapshot(course())[:-1])
    with pytest.raises(PackError, match="nothing of it can be read: it is cut off"):
        read(forger.path)


def test_where_the_memory_ends_reading_ends(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    before = prefixes(forger.events)[-1]
    forger.event("Renamed", branch=1, name="too much")
    event_of = records.event_of

    def costly(payload: bytes) -> Event:
        if b"too much" in payload:
            raise MemoryError
        return event_of(payload)

    monkeypatch.setattr(records, "event_of", costly)
    assert facts(read(forger.path)) == before


@pytest.mark.parametrize("is_snapshot", [False, True])
def test_as_many_keyframes_as_the_file_has_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_snapshot: bool
) -> None:
    path, events = as_file(tmp_path, b""), events_of()
    history = History()
    for event in events:
        history.apply(event)
    if is_snapshot:
        add(path, records.SNAPSHOT, snapshot(history))
    else:
        for event in events:
            add(path, records.EVENT, records.payload_of(event))
    history.go_to(1)
    for epoch in (0, 1, 3, 4):
        add(path, records.EVENT, records.payload_of(Kept(1, frame(epoch))))
        history.apply(Kept(1, frame(epoch)))
    monkeypatch.setattr(history_module, "MEGABYTE", 1)  # by itself a history has 256 of them
    assert facts(read(path)) == facts(trimmed(history))


@pytest.mark.parametrize("goes", [False, True], ids=["that stay", "that go"])
def test_thousands_of_forks_of_a_long_run_are_cut_off(forger: Forger, goes: bool) -> None:
    most = records._MOST_EPOCHS
    forger.event("Told", {"losses": np.zeros((most, 2), np.float32)}, branch=1, start=0, losses=None)
    for number in range(2, 400):
        forger.event("Begun", **BEGUN | {"branch": number, "since": most})
        if goes:
            forger.event("GoneTo", branch=1)
            forger.event("Removed", branch=number)
    history = within_bounds(forger.path)
    assert history[1].epoch == most
    assert len(history) == 1 if goes else 10 < len(history) <= 20
    assert history._newest < 300


def test_thousands_of_branches_are_cut_off(forger: Forger) -> None:
    for number in range(2, 500):
        forger.event("Begun", **BEGUN | {"branch": number})
    assert len(within_bounds(forger.path)) == records.MOST_WRITTEN
