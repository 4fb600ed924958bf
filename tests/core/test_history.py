"""Branches of a history: what they share, which are kept, and that its events make the same one again."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from aeviz.core import history as history_module
from aeviz.core.changes import Change
from aeviz.core.clean_data import CleanData
from aeviz.core.events import Begun, Event, GoneTo, Kept, Losses, Removed, Told
from aeviz.core.history import CHANGE, MOST_BRANCHES, PASSING, Branch, History, is_same_course  # fmt: skip
from aeviz.core.settings import Settings
from aeviz.core.timeline import LEAST, Keyframe, is_due, spread_at

START = Settings()
LARGE = 10**9  # bytes: more than any of these histories takes


class Clock:
    """Stands still until it is moved."""

    now = 1_000.0

    def __init__(self) -> None:
        self.time = lambda: self.now

    def wait(self, seconds: float = 2.0 * PASSING) -> None:
        self.now += seconds


CLOCK = Clock()


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_module, "time", SimpleNamespace(time=CLOCK.time))
        yield CLOCK


def data(points: int = 3) -> CleanData:
    return CleanData(np.broadcast_to(np.float64(0.5), (points, 2)))


DATA = data()


def keyframe(epoch: int, nbytes: int = 64) -> Keyframe:
    """A keyframe that says it is this large, and is not."""
    return Keyframe(epoch, START, {"parameters": np.broadcast_to(np.float32(epoch), nbytes // 4)})


def losses(count: int, first: float = 1.0) -> Losses:
    """So many that all differ, (count, 2)."""
    return np.column_stack((first + np.arange(count), -first - np.arange(count))).astype(np.float32)


def trained(history: History, epochs: int, nbytes: int = 64) -> Branch:
    """Train the current branch for so many epochs, as a trainer tells of it: of keyframes before losses."""
    branch = history.current
    start = branch.epoch
    for epoch in range(start + 1 if len(branch.timeline) else 0, start + epochs + 1):
        if is_due(epoch, spread_at(epoch)):
            history.keep(keyframe(epoch, nbytes))
    history.tell(start, losses(epochs, 1_000.0 * branch.number + start))
    return branch


def begun(memory: int = LARGE, epochs: int = 0) -> History:
    history = History()
    history.memory = memory
    history.begin(START, DATA)
    if epochs:
        trained(history, epochs)
    CLOCK.wait()
    return history


def numbers(history: History) -> list[int]:
    return [branch.number for branch in history]


def frames(branch: Branch) -> list[int]:
    """Which keyframes it has, by identity."""
    return [id(frame) for frame in branch.timeline]


# Branches


def test_a_run_begins_with_nothing() -> None:
    history = begun()
    run = history.current
    assert (numbers(history), run.number, run.name, run.named) == ([1], 1, "Run 1", False)
    assert (run.origin, run.data, run.parent, run.since, run.epoch) == (START, DATA, None, 0, 0)
    assert (run.settings, run.best, run.losses.shape, len(run.timeline)) == (START, None, (0, 2), 0)
    assert run is history[1]
    assert 1 in history
    assert 2 not in history


def test_a_new_run_stays_beside_the_old_one() -> None:
    history = begun(epochs=40)
    old, other = history.current, data(5)
    new = history.begin(START.replace(points=99), other)
    assert numbers(history) == [1, 2]
    assert (history.current, new.number, new.parent, new.epoch, new.data) == (new, 2, None, 0, other)
    assert (old.epoch, old.data) == (40, DATA)


def test_a_fork_has_the_same_keyframes_and_a_copy_of_the_losses() -> None:
    history = begun(epochs=100)
    parent = history.current
    whole, before = parent.losses.copy(), frames(parent)
    fork = history.fork(50, START.replace(noise=0.4))
    assert history.current is fork
    assert (fork.parent, fork.since, fork.epoch, fork.data) == (1, 50, 50, DATA)
    assert frames(fork) == [id(frame) for frame in parent.timeline if frame.epoch <= 50]
    assert np.array_equal(fork.losses, whole[:50])
    trained(history, 30)
    fork.losses[:] = 7.0
    assert np.array_equal(parent.losses, whole)
    assert frames(parent) == before


def test_losses_that_the_parent_is_told_later_are_its_own() -> None:
    history = begun(epochs=20)
    fork = history.fork(10, START)
    told = fork.losses.copy()
    history.go_to(1)
    history.tell(5, losses(30, 500.0))
    history.cut(8)
    assert np.array_equal(fork.losses, told)
    assert history.current.epoch == 8


def test_a_fork_can_be_forked_before_and_after_it_began() -> None:
    history = begun(epochs=60)
    first = history.fork(40, START)
    trained(history, 20)
    after = history.fork(50, START)
    history.go_to(first.number)
    before = history.fork(30, START)
    assert np.array_equal(after.losses, first.losses[:50])
    assert np.array_equal(before.losses, history[1].losses[:30])
    assert (after.parent, before.parent) == (first.number, first.number)


@pytest.mark.parametrize("since", [-1, 21])
def test_there_is_no_leaving_after_an_epoch_that_is_not_there(since: int) -> None:
    history = begun(epochs=20)
    with pytest.raises(ValueError, match="has no epoch"):
        history.fork(since, START)
    assert numbers(history) == [1]


def test_the_settings_are_those_after_the_newest_epoch() -> None:
    quiet, loud, louder = (START.replace(noise=noise) for noise in (0.1, 0.5, 0.9))
    history = begun(epochs=20)
    history.note(5, quiet)
    history.note(15, loud)
    assert history.current.settings == loud
    assert [history.current.settings_at(epoch) for epoch in (0, 5, 6, 15, 16)] == [
        START, START, quiet, quiet, loud,
    ]  # fmt: skip
    fork = history.fork(10, louder)  # before the trainer has said that it took them up
    assert fork.settings == louder
    history.note(10, quiet)
    assert fork.settings == quiet
    history.go_to(1)
    assert history.fork(10, louder).settings == louder  # with another change at the same epoch after it


def test_a_fork_that_is_cut_before_it_began_left_there() -> None:
    history = begun(epochs=20)
    fork = history.fork(10, START)
    trained(history, 10)
    history.cut(15)
    assert (fork.since, fork.epoch) == (10, 15)
    history.cut(7)
    assert (fork.since, fork.epoch, fork.timeline.before(99).epoch) == (7, 7, 7)
    history.note(7, START.replace(noise=0.6))
    assert fork.settings.noise == 0.6


def test_going_to_another_branch_changes_nothing_else() -> None:
    history = begun(epochs=30)
    fork = history.fork(10, START)
    assert history.go_to(1) is history.current is history[1]
    trained(history, 5)
    assert (history[1].epoch, fork.epoch) == (35, 10)
    with pytest.raises(KeyError):
        history.go_to(7)
    assert history.current is history[1]


def test_a_branch_can_have_a_name() -> None:
    history = begun()
    history.fork(0, START)
    history.rename(1, "mine")
    assert [(branch.name, branch.named) for branch in history] == [("mine", True), ("Run 2", False)]


def test_a_branch_can_be_removed_but_not_the_current_one() -> None:
    history = begun(epochs=30)
    fork = history.fork(20, START)
    history.remove(fork.number)
    assert numbers(history) == [1, 2]
    history.remove(1)
    assert numbers(history) == [2]
    assert (fork.parent, fork.epoch, len(fork.timeline)) == (1, 20, 8)


def test_the_number_of_a_removed_branch_is_not_used_again() -> None:
    """Changes, and the observer's memory, are of a branch by its number also when it is gone."""
    history = begun(epochs=10)
    history.fork(5, START)
    history.go_to(1)
    history.remove(2)
    assert history.fork(5, START).number == 3
    history.change(Change(START, START, 9, 0, 0.0, name="of a branch that a file has not"))
    assert history.fork(5, START).number == 10


# Losses


def test_losses_grow_and_are_told_again_from_an_earlier_epoch() -> None:
    history = begun()
    run = history.current
    history.tell(0, losses(10))
    history.tell(10, losses(5, 100.0))
    assert np.array_equal(run.losses, np.concatenate((losses(10), losses(5, 100.0))))
    history.tell(4, losses(3, 200.0))
    assert np.array_equal(run.losses, np.concatenate((losses(4), losses(3, 200.0))))
    history.tell(2, losses(0))
    assert np.array_equal(run.losses, losses(2))


def test_many_losses_at_once_and_one_by_one() -> None:
    history = begun()
    history.tell(0, losses(50_000))
    for epoch in range(50_000, 60_000):
        history.tell(epoch, losses(1, float(epoch)))
    assert np.array_equal(history.current.losses[:50_000], losses(50_000))
    assert np.array_equal(history.current.losses[50_000:, 0], np.arange(50_000.0, 60_000.0))
    assert history.current.losses.dtype == np.float32


@pytest.mark.parametrize("start", [-1, 11])
def test_losses_with_a_gap_before_them_are_refused(start: int) -> None:
    history = begun(epochs=10)
    with pytest.raises(ValueError, match="do not follow"):
        history.tell(start, losses(3))
    assert history.current.epoch == 10


def test_the_best_epoch_is_the_one_with_the_least_loss() -> None:
    history = begun()
    history.tell(0, np.array([[3, 0], [1, 9], [2, -9]], np.float32))
    assert history.current.best == 2


def test_cut_forgets_what_came_after() -> None:
    history = begun(epochs=30)
    history.note(10, START.replace(noise=0.4))
    history.note(20, START.replace(noise=0.5))
    history.cut(12)
    run = history.current
    assert (run.epoch, len(run.losses), run.settings.noise) == (12, 12, 0.4)
    assert max(frame.epoch for frame in run.timeline) <= 12
    history.cut(99)
    assert run.epoch == 12
    with pytest.raises(ValueError, match="no epoch"):
        history.cut(-1)


# A run that is left after a moment


def test_a_run_that_is_left_after_a_moment_is_not_kept(clock: Clock) -> None:
    history = begun()
    for seed in range(30):  # a slider of the data is dragged
        history.begin(START.replace(seed=seed), DATA)
        clock.wait(0.1)
    assert numbers(history) == [1, 31]
    clock.wait(PASSING)
    history.begin(START, DATA)
    assert numbers(history) == [1, 31, 32]


@pytest.mark.parametrize("how", ["named", "forked", "gone back to", "the clock was set back"])
def test_unless_something_was_done_with_it(how: str, clock: Clock) -> None:
    history = begun()
    passing = history.begin(START, DATA)
    if how == "named":
        history.rename(passing.number, "mine")
    elif how == "forked":
        history.fork(0, START)
        history.go_to(passing.number)
    elif how == "gone back to":
        clock.wait()
        history.go_to(1)
        history.go_to(passing.number)
    else:
        clock.now -= 100.0
    history.begin(START, DATA)
    assert passing.number in history


def test_a_full_history_loses_none_to_one_that_is_only_passing(clock: Clock) -> None:
    history = begun()
    for _ in range(MOST_BRANCHES - 1):
        history.begin(START, DATA)
        clock.wait()
    history.begin(START, DATA)  # now the first has gone
    before = numbers(history)
    for _ in range(5):
        history.begin(START, DATA)
    assert numbers(history)[:-1] == before[:-1] == [*range(2, MOST_BRANCHES + 1)]


# How much is kept


def test_of_too_many_the_oldest_without_a_name_goes(clock: Clock) -> None:
    history = begun(epochs=5)
    history.rename(1, "mine")
    for _ in range(MOST_BRANCHES + 3):
        history.fork(3, START)
    assert numbers(history) == [1, *range(6, MOST_BRANCHES + 5)]
    history.go_to(6)
    history.fork(2, START)
    assert numbers(history)[:2] == [1, 6] or history.current.parent == 6
    assert 7 not in history or 6 not in history


def test_those_with_names_may_be_more() -> None:
    history = begun()
    for number in range(1, MOST_BRANCHES + 6):
        history.rename(history.current.number, f"number {number}")
        history.fork(0, START)
    assert len(history) == MOST_BRANCHES + 6


def test_what_branches_share_counts_once() -> None:
    history = begun()
    trained(history, 100, 1_000)
    own = len(history.current.timeline) * 1_000 + 100 * 8
    assert history.nbytes == own + DATA.points.nbytes
    history.fork(60, START)
    assert history.nbytes == own + DATA.points.nbytes + 60 * 8
    CLOCK.wait()
    history.begin(START, data(7))
    assert history.nbytes == own + DATA.points.nbytes + 60 * 8 + 7 * 16


def test_memory_is_shared_evenly_among_runs_that_are_alike(clock: Clock) -> None:
    history = begun(memory=1_000_000)
    for _ in range(6):
        history.begin(START, DATA)
        trained(history, 2_000, 10_000)
        clock.wait()
    assert history.nbytes <= 1_000_000
    sizes = [len(branch.timeline) for branch in history][1:]
    assert max(sizes) <= 2 * min(sizes) + 1
    assert sum(sizes) * 10_000 >= 500_000  # and no more was thinned than had to be


def test_a_large_network_does_not_take_all_that_the_small_ones_have(clock: Clock) -> None:
    history = begun(memory=256_000_000)
    for _ in range(12):
        history.begin(START, DATA)
        trained(history, 20_000, 72_000)
        clock.wait()
    small = [len(branch.timeline) for branch in history][1:]
    large = history.begin(START, DATA)
    trained(history, 300, 67_000_000)
    assert history.nbytes <= 256_000_000
    assert len(large.timeline) == LEAST
    assert min(len(branch.timeline) for branch in list(history)[1:-1]) >= min(small) // 4


def test_where_nothing_can_be_thinned_the_oldest_go_and_named_ones_stay(clock: Clock) -> None:
    history = begun(memory=1_000)
    history.rename(1, "mine")
    for _ in range(5):
        history.begin(START, DATA)
        trained(history, 20, 400)
        clock.wait()
    assert numbers(history) == [1, 6]
    assert len(history.current.timeline) == LEAST
    trained(history, 20, 4_000)  # more than there is room for: the current one stays
    assert numbers(history) == [1, 6]
    assert len(history.current.timeline) == LEAST


def test_losses_alone_can_be_too_many() -> None:
    history = begun(memory=100_000)
    trained(history, 100, 4_000)
    before = len(history.current.timeline)
    history.tell(100, losses(5_000))
    assert history.nbytes <= 100_000
    assert LEAST <= len(history.current.timeline) < before


def test_less_memory_is_seen_to_with_the_next_event() -> None:
    history = begun()
    trained(history, 200, 1_000)
    history.memory = 10_000
    history.tell(history.current.epoch, losses(1))
    assert history.nbytes <= 10_000


def test_keyframes_are_added_up_only_where_they_may_be_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a large history that takes milliseconds, and 200 keyframes come in a second."""
    counted: list[int] = []
    nbytes = History.nbytes.fget
    monkeypatch.setattr(History, "nbytes", property(lambda self: counted.append(1) or nbytes(self)))
    history = begun(memory=500_000)
    trained(history, 1_000, 1_000)
    for since in range(10):
        history.fork(since, START)
        history.tell(since, losses(1))
    assert not counted
    trained(history, 30_000, 1_000)
    assert 1 <= len(counted) <= 20
    counted.clear()
    for epoch in range(1, 30_000):  # those that are there, and those that were thinned away
        history.keep(keyframe(epoch, 1_000))
    assert not counted


# Events


def told(history: History) -> Any:
    """All that a history is, to be compared."""
    branches = [
        (
            branch.number, branch.name, branch.named, branch.origin, branch.parent, branch.since,
            branch.begun, branch.epoch, branch.losses.tobytes(), id(branch.data), branch.settings,
            [(frame.epoch, id(frame)) for frame in branch.timeline], branch.timeline.changes,
            [branch.timeline.takes(epoch) for epoch in range(branch.epoch, branch.epoch + 40)],
        )
        for branch in history
    ]  # fmt: skip
    changes = history.changes
    current = history.current.number if len(history) else None
    return current, branches, list(changes), changes.to_undo, changes.to_redo, history.nbytes


def again(events: list[Event], memory: int) -> History:
    history = History()
    history.memory = memory
    for event in events:
        history.apply(event)
    return history


def test_every_event_is_told_after_it_has_happened(clock: Clock) -> None:
    heard: list[tuple[str, int]] = []
    history = History(lambda event: heard.append((type(event).__name__, len(history))))
    history.begin(START, DATA)
    history.begin(START, DATA)
    history.keep(keyframe(0))
    history.keep(keyframe(0))
    history.keep(keyframe(2))
    history.tell(0, losses(3))
    history.tell(3, losses(0))
    history.note(3, START)
    history.fork(1, START)
    history.cut(0)
    history.rename(2, "mine")
    history.go_to(2)
    history.change(Change(START, START, 2, 0, 0.0))
    history.remove(2)
    history.remove(3)
    assert heard == [
        ("Begun", 1), ("Begun", 2), ("Removed", 1), ("Kept", 1), ("Told", 1), ("Noted", 1), ("Begun", 2),
        ("Cut", 2), ("Renamed", 2), ("GoneTo", 2), ("Changed", 2), ("Removed", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "event",
    [
        Begun(1, START, DATA, None, 0, 0.0),
        Begun(2, START, None, None, 0, 0.0),
        Begun(2, START, None, 7, 0, 0.0),
        Begun(2, START, None, 1, 21, 0.0),
        Begun(2, START, None, 1, -1, 0.0),
        GoneTo(7),
        Removed(7),
        Removed(1),
        Kept(7, keyframe(0)),
        Told(1, 21, losses(1)),
        Told(7, 0, losses(1)),
    ],
    ids=str,
)
def test_an_event_that_cannot_have_happened_is_refused_and_leaves_no_trace(event: Event) -> None:
    history = begun(epochs=20)
    before = told(history)
    with pytest.raises((KeyError, ValueError)):
        history.apply(event)
    assert told(history) == before


parts = st.integers(0, 7)
calls = st.lists(
    st.one_of(
        st.tuples(st.just("train"), st.integers(0, 120), st.sampled_from([64, 64, 2_000, 30_000])),
        st.tuples(st.just("begin"), parts),
        st.tuples(st.just("fork"), parts),
        st.tuples(st.sampled_from(["wait", "note", "retell", "cut", "keep", "change"]), parts),
        st.tuples(st.sampled_from(["go_to", "go_to", "rename", "remove"]), parts),
        st.tuples(st.just("memory"), st.sampled_from([2_000, 50_000, 200_000])),
    ),
    min_size=3,
    max_size=40,
)


def call(history: History, name: str, part: int, nbytes: int = 64) -> None:
    """One thing that may happen; `part` says of which branch, or where in its course."""
    run = history.current
    place, other = run.epoch * part // 7, numbers(history)[part % len(history)]
    settings = START.replace(noise=0.1 * (part % 8))
    match name:
        case "train":
            trained(history, part, nbytes)
        case "begin":
            history.begin(settings, (DATA, data(9))[part % 2])
        case "fork":
            history.fork(place, settings)
        case "go_to":
            history.go_to(other)
        case "rename":
            history.rename(other, f"number {part}")
        case "remove":
            history.remove(other)
        case "keep":
            history.keep(keyframe(place, 1_000))
        case "note":
            history.note(place, settings)
        case "retell":
            history.tell(place, losses(part, 1.0 * part))
        case "cut":
            history.cut(place)
        case "change":
            history.change(Change(run.settings, settings, run.number, run.epoch, CLOCK.now))


def happen(histories: list[History], some: list[Any]) -> Iterator[Any]:
    """Let the same happen to several histories."""
    for name, *rest in some:
        if name == "wait":
            CLOCK.wait(0.5 * rest[0])
        for history in histories:
            if name == "memory":
                history.memory = rest[0]
                history.go_to(history.current.number)
            elif name != "wait":
                call(history, name, *rest)
        yield name, *rest


@effort(max_examples=100)
@given(calls, calls)
def test_the_events_make_the_same_history_again_and_it_goes_on_the_same_way(
    some: list[Any], more: list[Any]
) -> None:
    """What a crash leaves behind are the events. Each is read with the memory that was allowed then."""
    copy, tellings = History(), 0

    def hear(event: Event) -> None:
        nonlocal tellings
        tellings += 1
        copy.memory = history.memory
        copy.apply(event)

    history = History(hear)
    history.memory = 200_000
    history.begin(START, DATA)
    for _ in happen([history], some):
        pass
    assert tellings
    assert told(copy) == told(history)
    history.listen = None
    # From here on they happen apart, with keyframes of their own.
    for _ in happen([history, copy], more):
        assert without_identity(told(copy)) == without_identity(told(history))


def without_identity(what: Any) -> Any:
    current, branches, *rest = what
    return current, [
        (*branch[:9], branch[10], [epoch for epoch, _ in branch[11]], *branch[12:]) for branch in branches
    ], *rest[:-1]  # fmt: skip


@effort(max_examples=100)
@given(calls.filter(lambda some: all(name != "memory" for name, *_ in some)), st.integers(0, 200))
def test_so_do_those_that_were_written_until_some_moment(some: list[Any], last: int) -> None:
    events: list[Event] = []
    states: list[Any] = []
    history = History(lambda event: (events.append(event), states.append(told(history))))
    history.memory = 100_000
    history.begin(START, DATA)
    for _ in happen([history], some):
        pass
    last = min(last, len(events) - 1)
    assert told(again(events[: last + 1], history.memory)) == states[last]


@effort(max_examples=150)
@given(calls, st.sampled_from([1_000, 30_000, 200_000, LARGE]))
def test_whatever_happens_the_bounds_hold_and_nothing_else_is_lost(some: list[Any], memory: int) -> None:
    history = History()
    history.memory = memory
    history.begin(START, DATA)
    model: dict[int, list[list[float]]] = {1: []}  # the losses that each should have
    names = set[int]()
    for name, *rest in happen([history], some):
        run, part = history.current, rest[0]
        # Nothing that has a name goes by itself, nor does the current branch.
        assert run.number in history
        assert len(names - set(numbers(history))) <= (name == "remove")
        names = {branch.number for branch in history if branch.named}
        alone = all(branch.named or branch is run for branch in history)
        least = all(len(branch.timeline) <= LEAST for branch in history)
        assert len(history) <= MOST_BRANCHES or alone
        assert history.nbytes <= history.memory or (alone and least)
        assert history.nbytes == taken(history)
        # And the losses are those that were told.
        if name in ("begin", "fork"):
            assert run.number == max(model) + 1
            model[run.number] = model[run.parent][: run.since] if run.parent else []
        mine = model[run.number]
        if name == "train":
            mine += losses(part, 1_000.0 * run.number + len(mine)).tolist()
        elif name == "retell":
            mine[len(mine) * part // 7 :] = losses(part, 1.0 * part).tolist()
        elif name == "cut":
            del mine[len(mine) * part // 7 :]
        for branch in history:
            assert branch.losses.tolist() == model[branch.number]


def taken(history: History) -> int:
    """Bytes of all that a history holds on to, each object once."""
    held: list[Any] = [frame for branch in history for frame in branch.timeline]
    held += [branch.data.points for branch in history]
    each_once = {id(each): each.nbytes for each in held}
    own = sum(8 * branch.epoch + CHANGE * len(branch.timeline.changes) for branch in history)
    return sum(each_once.values()) + own


@effort(max_examples=60)
@given(calls, calls)
def test_a_copy_is_the_same_and_stays(some: list[Any], more: list[Any]) -> None:
    heard: list[Event] = []
    history = History(heard.append)
    history.memory = 200_000
    history.begin(START, DATA)
    for _ in happen([history], some):
        pass
    copy, before = history.copy(), told(history)
    assert told(copy) == before
    for _ in happen([history], more):
        pass
    after = told(history)
    assert told(copy) == before
    count = len(heard)
    for _ in happen([copy], some):
        pass
    assert told(history) == after
    assert len(heard) == count


def test_the_same_course_differs_at_most_in_what_can_be_changed_live() -> None:
    assert is_same_course(START, START.replace(noise=0.7, theme="light"))
    assert not is_same_course(START, START.replace(noise=0.7, seed=1))
