"""Which keyframes a timeline keeps, against the rule in whole numbers; changes; cutting."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from aeviz.core import timeline as timeline_module
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe, Timeline

MOST, LEAST = timeline_module._MOST, timeline_module._LEAST


def keyframe(epoch: int, nbytes: int = 64, settings: Settings | None = None) -> Keyframe:
    """A keyframe that says it is this large, and is not."""
    state = {"parameters": np.broadcast_to(np.float32(epoch), nbytes // 4)}
    return Keyframe(epoch, settings or Settings(), state)


def is_due(epoch: int, widening: int) -> bool:
    """Whether epoch = ⌈k²·4^widening / 16⌉ for some k, in whole numbers."""
    # The largest k with k²·4^widening ≤ 16·epoch; a smaller k's ceiling is not above this one's.
    k = math.isqrt(16 * epoch // 4**widening)
    return -(-(k * k * 4**widening) // 16) == epoch


def rule(epochs: int, widening: int) -> list[int]:
    """The epochs that the rule takes, from its own words."""
    ks = itertools.takewhile(lambda k: k * k * 4**widening <= 16 * epochs, itertools.count())
    return sorted({-(-(k * k * 4**widening) // 16) for k in ks} & set(range(epochs + 1)))


def recorded(epochs: int, nbytes: int = 64) -> Timeline:
    """A timeline after a run of so many epochs."""
    timeline = Timeline()
    for epoch in range(epochs + 1):
        if timeline.due(epoch):
            timeline.add(keyframe(epoch, nbytes))
    return timeline


def kept(timeline: Timeline) -> list[int]:
    return [frame.epoch for frame in timeline]


def expected(epochs: int, most: int) -> list[int]:
    """What the narrowest rule that stays within `most` takes."""
    return next(e for e in (rule(epochs, widening) for widening in itertools.count()) if len(e) <= most)


def test_the_oracle_agrees_with_itself() -> None:
    for widening in range(6):
        assert rule(500, widening) == [epoch for epoch in range(501) if is_due(epoch, widening)]


@effort(max_examples=60)
@given(st.integers(0, 6_000), st.sampled_from([2, 3, 5, 16, 40, 100]))
def test_the_kept_epochs_are_those_of_the_spread_rule(epochs: int, most: int) -> None:
    nbytes = timeline_module.MEMORY // most
    timeline = recorded(epochs, nbytes)
    assert kept(timeline) == expected(epochs, most)
    assert kept(timeline)[0] == 0
    assert len(timeline) <= most
    assert sum(frame.nbytes for frame in timeline) <= timeline_module.MEMORY


def test_a_long_run_of_small_keyframes_keeps_the_most() -> None:
    timeline = recorded(40_000)
    assert kept(timeline) == expected(40_000, MOST)
    assert MOST // 2 <= len(timeline) <= MOST


@pytest.mark.parametrize("widening", [0, 1, 2, 3, 7, 10])
def test_what_is_due_is_exact_up_to_the_last_epoch(widening: int) -> None:
    timeline = Timeline()
    timeline._spread *= 4.0**widening
    rng = np.random.default_rng(widening)
    ks = rng.integers(1, math.isqrt(16 * 1_000_000 // 4**widening), 300)
    places = {-(-(int(k) ** 2) * 4**widening // 16) for k in ks} | {
        *map(int, rng.integers(0, 1_000_000, 300))
    }
    for epoch in {place + near for place in places for near in (-1, 0, 1) if place + near >= 0}:
        assert timeline.due(epoch) == is_due(epoch, widening)


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_before_is_the_newest_at_or_before(epochs: int, epoch: int) -> None:
    timeline = recorded(epochs, timeline_module.MEMORY // 30)
    assert timeline.before(epoch).epoch == max(each for each in kept(timeline) if each <= epoch)
    assert timeline.last is not None
    assert timeline.last.epoch == kept(timeline)[-1]


def test_before_the_first_keyframe_comes_the_first() -> None:
    timeline = Timeline()
    timeline.add(keyframe(10))
    timeline.add(keyframe(20))
    assert timeline.before(3).epoch == 10


@pytest.mark.parametrize("epochs", [100, 1_000, 20_000])
def test_replay_is_never_far(epochs: int) -> None:
    """From any epoch back to its keyframe is at most a 60th of the run, or half its square root."""
    timeline = recorded(epochs)
    # Neighbours ⌈k²s⌉ and ⌈(k+1)²s⌉ lie (2k + 1)s + 1 apart at most, with k = √(epochs/s) and s at
    # first 1/16, later such that k is at least MOST/2 = 128 before the widest gap.
    widest = max(2.0 * math.sqrt(epochs / 16.0), 2.0 * epochs / 128.0) + 2.0
    assert np.diff([*kept(timeline), epochs]).max() <= widest


@pytest.mark.parametrize("nbytes", [10 * 2**20, 100 * 2**20, 200 * 2**20])
def test_memory_is_bounded_for_large_networks(nbytes: int) -> None:
    timeline = recorded(3_000, nbytes)
    assert len(timeline) == len(expected(3_000, max(LEAST, timeline_module.MEMORY // nbytes)))
    assert sum(frame.nbytes for frame in timeline) <= max(timeline_module.MEMORY, LEAST * nbytes)
    assert kept(timeline)[0] == 0
    assert len(timeline) >= 2 or LEAST < 2  # a run has at least one place to go back to


def test_the_largest_network_of_the_settings_stays_within_twice_the_memory() -> None:
    largest = Settings(hidden=(1024,) * 4, code=1024)
    size = sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(largest.widths))
    nbytes = 4 * 4 * size  # parameters, average, Adam's mean and square in float32
    assert LEAST * nbytes <= 2 * timeline_module.MEMORY


def test_an_empty_timeline_has_no_last_keyframe() -> None:
    timeline = Timeline()
    assert timeline.last is None
    assert len(timeline) == 0
    assert timeline.changes == ()


def test_the_size_of_a_keyframe_is_that_of_its_arrays() -> None:
    state = {"a": np.zeros(10, np.float32), "b": np.zeros((), np.float32)}
    assert Keyframe(0, Settings(), state).nbytes == 44


# Keyframes that are not due: taken when the worker rests, or given back after it died


@effort(max_examples=60)
@given(st.sets(st.integers(1, 2_000), max_size=80), st.sampled_from([4, 10, 30]))
def test_keyframes_at_any_epochs_stay_within_bounds(extra: set[int], most: int) -> None:
    timeline = Timeline()
    for epoch in range(2_001):
        if timeline.due(epoch) or epoch in extra:
            timeline.add(keyframe(epoch, timeline_module.MEMORY // most))
            assert len(timeline) <= most
            assert kept(timeline)[0] == 0
    assert kept(timeline) == sorted(set(kept(timeline)))
    # Nothing that the rule at the end would take has been lost.
    assert {epoch for epoch in range(2_001) if timeline.due(epoch)} <= set(kept(timeline))
    assert set(kept(timeline)) <= {epoch for epoch in range(2_001) if timeline.due(epoch)} | extra


# Changes


noises = st.floats(0.0, 1.0)
change_lists = st.lists(st.tuples(st.integers(0, 50), noises), max_size=30).map(
    lambda changes: sorted(changes, key=lambda change: change[0])
)


@given(change_lists)
def test_the_last_change_after_an_epoch_is_the_one_that_holds(changes: list[tuple[int, float]]) -> None:
    timeline = Timeline()
    for epoch, noise in changes:
        timeline.note(epoch, Settings(noise=noise))
    last = dict(changes)
    for epoch in range(52):
        found = timeline.change_after(epoch)
        assert (found.noise if found else None) == last.get(epoch)
    assert [(epoch, settings.noise) for epoch, settings in timeline.changes] == sorted(last.items())


@given(st.integers(0, 500), st.integers(0, 600), change_lists)
def test_cut_forgets_everything_after_an_epoch_and_nothing_else(
    epochs: int, place: int, changes: list[tuple[int, float]]
) -> None:
    timeline = recorded(epochs)
    for epoch, noise in changes:
        timeline.note(epoch, Settings(noise=noise))
    frames, noted = list(timeline), timeline.changes
    timeline.cut(place)
    assert list(timeline) == [frame for frame in frames if frame.epoch <= place]
    assert timeline.changes == tuple(change for change in noted if change[0] <= place)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_a_branch_is_recorded_like_a_run(epochs: int, place: int, more: int) -> None:
    timeline = recorded(epochs, timeline_module.MEMORY // 20)
    place = min(place, epochs)
    timeline.cut(place)
    for epoch in range(place + 1, place + more + 1):
        if timeline.due(epoch):
            timeline.add(keyframe(epoch, timeline_module.MEMORY // 20))
    assert kept(timeline) == [epoch for epoch in range(place + more + 1) if timeline.due(epoch)]
    assert len(timeline) <= 20
