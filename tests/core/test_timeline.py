"""Which keyframes a timeline keeps, against the rule in whole numbers; changes; sharing; cutting."""

from __future__ import annotations

import itertools
import math
import mmap
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from aeviz.core.settings import Settings
from aeviz.core.timeline import LEAST, MOST, Keyframe, Timeline, is_due, most_within, spread_at

NARROWEST = 0.25
LONGEST = 1_000_000  # epochs, as the settings allow
widenings = st.integers(0, 11)


def keyframe(epoch: int, nbytes: int = 64, settings: Settings | None = None) -> Keyframe:
    """A keyframe that says it is this large, and is not."""
    state = {"parameters": np.broadcast_to(np.float32(epoch), nbytes // 4)}
    return Keyframe(epoch, settings or Settings(), state)


def spread_of(widening: int) -> float:
    return NARROWEST * 4.0**widening


def is_of_rule(epoch: int, widening: int) -> bool:
    """Whether epoch = ⌈k²·4^widening / 4⌉ for some k, in whole numbers."""
    # The largest k with k²·4^widening ≤ 4·epoch; a smaller k's ceiling is not above this one's.
    k = math.isqrt(4 * epoch // 4**widening)
    return -(-(k * k * 4**widening) // 4) == epoch


def rule(epochs: int, widening: int) -> list[int]:
    """The epochs that the rule takes, from its own words."""
    ks = itertools.takewhile(lambda k: k * k * 4**widening <= 4 * epochs, itertools.count())
    return sorted({-(-(k * k * 4**widening) // 4) for k in ks} & set(range(epochs + 1)))


def widening_at(epochs: int, most: int) -> int:
    """How often the rule must be widened until it has no more than `most` values of k in so many epochs."""
    return next(
        widening for widening in itertools.count() if math.isqrt(4 * epochs // 4**widening) + 1 <= most
    )


def recorded(epochs: int, thinned: int = 0, first: int = 0, timeline: Timeline | None = None) -> Timeline:
    """A timeline after a run of so many epochs, thinned so often before its last third."""
    timeline = timeline or Timeline()
    for epoch in range(first, epochs + 1):
        if epoch == epochs - epochs // 3:
            for _ in range(thinned):
                timeline.thin()
        if timeline.takes(epoch):
            timeline.add(keyframe(epoch))
    return timeline


def kept(timeline: Timeline) -> list[int]:
    return [frame.epoch for frame in timeline]


# The rule


def test_the_oracle_agrees_with_itself() -> None:
    for widening in range(6):
        assert rule(500, widening) == [epoch for epoch in range(501) if is_of_rule(epoch, widening)]


@given(widenings, st.integers(0, 2_000), st.integers(-1, 1))
def test_what_is_due_is_exact_to_the_last_epoch(widening: int, k: int, beside: int) -> None:
    epoch = -(-(k * k * 4**widening) // 4) % (LONGEST + 1) + beside
    if epoch >= 0:
        assert is_due(epoch, spread_of(widening)) == is_of_rule(epoch, widening)


@given(widenings, st.integers(0, 2_000))
def test_what_a_wider_rule_takes_the_narrower_has_taken(widening: int, k: int) -> None:
    epoch = -(-(k * k * 4**widening) // 4)
    assert is_due(epoch, spread_of(widening))
    assert all(is_due(epoch, spread_of(narrower)) for narrower in range(widening))


@given(st.integers(0, LONGEST), st.sampled_from([2, 3, 5, 16, 40, 100, MOST]))
def test_the_spread_is_the_least_with_which_there_are_not_too_many(epoch: int, most: int) -> None:
    assert spread_at(epoch, most) == spread_of(widening_at(epoch, most))


@given(st.integers(1, LONGEST), st.sampled_from([2, 3, 16, MOST]))
def test_a_longer_run_never_has_a_narrower_rule(epoch: int, most: int) -> None:
    assert spread_at(epoch - 1, most) <= spread_at(epoch, most)


@pytest.mark.parametrize(
    "memory, nbytes, most",
    [(1_000, 10, 100), (1_009, 10, 100), (1_000, 600, LEAST), (10**9, 1, MOST), (0, 8, LEAST), (5, 0, 5)],
)
def test_how_many_fit_into_memory(memory: int, nbytes: int, most: int) -> None:
    assert most_within(memory, nbytes) == most


def no_more_pages(*_: object, **__: object) -> mmap.mmap:
    raise OSError("too many of them")


def test_over_a_pipe_a_keyframe_is_one_block_and_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = np.arange(7, dtype=np.float32), np.array(math.nan), np.zeros((0, 3)), np.eye(3, 2).T
    frame = Keyframe(5, Settings(noise=0.3), dict(zip("abcd", arrays, strict=True)))
    found = pickle.loads(pickle.dumps(frame))  # noqa: S301
    assert (found.epoch, found.settings, found.nbytes) == (5, Settings(noise=0.3), frame.nbytes)
    assert [*found.state] == [*frame.state]
    for one, other in zip(found.state.values(), frame.state.values(), strict=True):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        assert one.flags.aligned
    places = [array.__array_interface__["data"][0] for array in found.state.values()]
    assert max(places) - min(places) < 200
    large = Keyframe(0, Settings(), {"parameters": np.arange(5_000.0)})  # in pages of its own
    (parameters,) = pickle.loads(pickle.dumps(large)).state.values()  # noqa: S301
    np.testing.assert_array_equal(parameters, np.arange(5_000.0))
    assert isinstance(parameters.base, mmap.mmap)
    monkeypatch.setattr(mmap, "mmap", no_more_pages)
    (parameters,) = pickle.loads(pickle.dumps(large)).state.values()  # noqa: S301
    np.testing.assert_array_equal(parameters, np.arange(5_000.0))
    assert not pickle.loads(pickle.dumps(Keyframe(0, Settings(), {}))).state  # noqa: S301


def test_the_size_of_a_keyframe_is_that_of_its_arrays() -> None:
    state = {"a": np.zeros(10, np.float32), "loss": np.float64(2.5)}
    frame = Keyframe(0, Settings(), state)
    assert (frame.nbytes, frame.loss) == (48, 2.5)
    assert recorded(4).nbytes == 4 * 64  # of epochs 0, 1, 3 and 4


# What a run leaves


@effort(max_examples=40)
@given(st.integers(0, 5_000), st.integers(0, 8))
def test_the_kept_epochs_are_those_of_the_rule(epochs: int, thinned: int) -> None:
    timeline = recorded(epochs, thinned)
    assert kept(timeline) == rule(epochs, thinned + widening_at(epochs - epochs // 3, MOST))
    assert kept(timeline)[0] == 0


@effort(max_examples=20)
@given(st.integers(0, 2_000), st.randoms())
def test_in_whatever_order_and_however_often_they_come(epochs: int, random: object) -> None:
    timeline, frames = Timeline(), [keyframe(epoch) for epoch in range(epochs + 1)]
    random.shuffle(order := [*frames, *frames[::7]])  # type: ignore[attr-defined]
    for frame in order:
        timeline.add(frame)
    assert list(timeline) == [frame for frame in frames if is_of_rule(frame.epoch, 0)]


def test_a_keyframe_that_is_there_stays() -> None:
    timeline, first = Timeline(), keyframe(4)
    timeline.add(first)
    timeline.add(keyframe(4))
    assert [frame is first for frame in timeline] == [True]


@effort(max_examples=40)
@given(
    st.integers(0, 1_500),
    st.integers(0, 4),
    st.integers(0, 2_000) | st.integers(0, 2_000).map(lambda k: -(-k * k // 4)),
)
def test_what_it_says_to_take_it_takes_and_nothing_else(epochs: int, thinned: int, epoch: int) -> None:
    timeline = recorded(epochs, thinned)
    before, takes, frame = list(timeline), timeline.takes(epoch), keyframe(epoch)
    timeline.add(frame)
    assert (frame in timeline) == takes
    assert takes or list(timeline) == before
    spread_is_wide = is_of_rule(epoch, max(thinned, widening_at(epoch, MOST)))
    assert takes == (spread_is_wide and epoch not in [each.epoch for each in before])


def test_a_far_epoch_is_due_by_the_rule_of_a_run_so_long() -> None:
    timeline, far = recorded(100), 513**2
    before = kept(timeline)
    for undue in (far - 1, -(-(1_025**2) // 4)):  # the second one is due in the narrowest rule
        timeline.add(keyframe(undue))
        assert kept(timeline) == before
    timeline.add(keyframe(far))
    assert kept(timeline) == [*rule(100, widening_at(far, MOST)), far]


def test_the_longest_run_keeps_no_more_than_the_most() -> None:
    timeline, most = Timeline(), 0
    for epoch in rule(LONGEST, 0):  # all others are due in no rule
        timeline.add(keyframe(epoch))
        most = max(most, len(timeline))
    assert kept(timeline) == rule(LONGEST, widening_at(LONGEST, MOST))
    assert MOST // 2 <= len(timeline) <= most <= MOST


@pytest.mark.parametrize("epochs", [100, 10_000, 262_143, 263_000, LONGEST])
def test_replay_is_never_far(epochs: int) -> None:
    """From any epoch back to its keyframe it is no more than the run's square root, or a 256th of it."""
    timeline = Timeline(keyframe(epoch) for epoch in rule(epochs, widening_at(epochs, MOST)))
    # Neighbours ⌈k²s⌉ and ⌈(k+1)²s⌉ lie (2k + 1)s + 1 apart at most, with k = √(epochs/s) and s at
    # first 1/4, later such that k is at least MOST/2 = 512 before the widest gap.
    widest = max(math.sqrt(epochs), 2.0 * epochs / (MOST / 2.0)) + 2.0
    assert np.diff([*kept(timeline), epochs]).max() <= widest


@effort(max_examples=40)
@given(st.integers(0, 3_000), st.integers(0, 6), st.integers(0, 4_000))
def test_before_is_the_newest_at_or_before(epochs: int, thinned: int, epoch: int) -> None:
    timeline = recorded(epochs, thinned)
    assert timeline.before(epoch).epoch == max(each for each in kept(timeline) if each <= epoch)


def test_before_the_first_keyframe_comes_the_first() -> None:
    timeline = Timeline([keyframe(20), keyframe(9)])
    assert timeline.before(3).epoch == 9
    assert kept(timeline) == [9, 20]


def test_an_empty_timeline_has_nothing() -> None:
    timeline = Timeline()
    assert (len(timeline), list(timeline), timeline.changes, timeline.nbytes) == (0, [], (), 0)
    timeline.thin()
    timeline.cut(0)
    assert not len(timeline.up_to(5))


# Changes

notes = st.lists(st.tuples(st.integers(0, 50), st.floats(0.0, 1.0)), max_size=30)


def noted(changes: list[tuple[int, float]], timeline: Timeline | None = None) -> Timeline:
    timeline = timeline or Timeline()
    for epoch, noise in changes:
        timeline.note(epoch, Settings(noise=noise))
    return timeline


def noises(changes: tuple[tuple[int, Settings], ...]) -> list[tuple[int, float]]:
    return [(epoch, settings.noise) for epoch, settings in changes]


def holding(changes: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """What of these holds in the end: each change that no later one was made at or before."""
    return [
        change for index, change in enumerate(changes) if all(change[0] < e for e, _ in changes[index + 1 :])
    ]


@given(notes)
def test_a_change_forgets_those_at_and_after_its_epoch(changes: list[tuple[int, float]]) -> None:
    assert noises(noted(changes).changes) == holding(changes)


@given(notes, st.integers(0, 52), st.integers(0, 52))
def test_the_changes_between_begin_at_the_first_epoch_and_end_before_the_last(
    changes: list[tuple[int, float]], start: int, end: int
) -> None:
    between = noted(sorted(changes)).changes_between(start, end)
    assert noises(between) == [each for each in holding(sorted(changes)) if start <= each[0] < end]


def test_a_change_after_the_first_epoch_is_between_it_and_the_last_which_is_not() -> None:
    timeline = noted([(3, 0.1), (5, 0.2), (7, 0.3)])
    assert noises(timeline.changes_between(3, 7)) == [(3, 0.1), (5, 0.2)]
    assert noises(timeline.changes_between(4, 8)) == [(5, 0.2), (7, 0.3)]
    assert timeline.changes_between(5, 5) == ()


# Sharing and cutting


@effort(max_examples=60)
@given(st.integers(0, 900), st.integers(0, 5), st.integers(0, 1_000), notes)
def test_a_branch_shares_what_there_is_up_to_its_epoch(
    epochs: int, thinned: int, since: int, changes: list[tuple[int, float]]
) -> None:
    timeline = noted(changes, recorded(epochs, thinned))
    frames, all_changes = list(timeline), timeline.changes
    branch = timeline.up_to(since)
    assert [id(frame) for frame in branch] == [id(frame) for frame in frames if frame.epoch <= since]
    assert branch.changes == tuple(change for change in all_changes if change[0] < since)
    branch.thin()
    branch.cut(since // 2)
    branch.note(since // 3, Settings(noise=0.9))
    recorded(since + 9, timeline=branch, first=since)
    assert list(timeline) == frames
    assert timeline.changes == all_changes


@effort(max_examples=60)
@given(st.integers(0, 600), st.integers(0, 6), st.integers(0, 600), st.integers(0, 300))
def test_a_branch_is_recorded_like_a_run_however_thinned_the_other_is(
    epochs: int, thinned: int, since: int, more: int
) -> None:
    since = min(since, epochs)
    timeline = recorded(epochs, thinned)
    branch = recorded(since + more, first=since + 1, timeline=timeline.up_to(since))
    shared = [epoch for epoch in kept(timeline) if epoch <= since]
    assert kept(branch) == shared + [epoch for epoch in rule(since + more, 0) if epoch > since]


@effort(max_examples=60)
@given(st.integers(0, 500), st.integers(0, 4), st.integers(0, 600), notes)
def test_a_copy_has_all_and_stays(
    epochs: int, thinned: int, place: int, changes: list[tuple[int, float]]
) -> None:
    timeline = noted(changes, recorded(epochs, thinned))
    frames, all_changes, twin = list(timeline), timeline.changes, timeline.copy()
    assert [twin.takes(epoch) for epoch in range(700)] == [timeline.takes(epoch) for epoch in range(700)]
    timeline.cut(place)
    timeline.note(0, Settings())
    recorded(700, timeline=timeline, first=600)
    assert (list(twin), twin.changes) == (frames, all_changes)


@given(st.integers(0, 500), st.integers(0, 600), notes)
def test_cut_forgets_everything_after_an_epoch_and_nothing_else(
    epochs: int, place: int, changes: list[tuple[int, float]]
) -> None:
    timeline = noted(changes, recorded(epochs))
    frames, all_changes = list(timeline), timeline.changes
    timeline.cut(place)
    assert list(timeline) == [frame for frame in frames if frame.epoch <= place]
    assert timeline.changes == tuple(change for change in all_changes if change[0] <= place)
