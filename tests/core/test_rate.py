"""Events per second, with a clock that the test turns."""

from __future__ import annotations

import pytest

from aeviz.core.rate import WINDOW, Rate


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.perf_counter", clock)
    return clock


def test_nothing_happened_yet(clock: Clock) -> None:
    rate = Rate()
    assert rate.per_second == 0.0
    rate.count(7)
    assert rate.per_second == 0.0  # a window has not passed


def test_the_rate_is_events_over_time(clock: Clock) -> None:
    rate = Rate()
    for _ in range(10):
        clock.now += WINDOW / 10
        rate.count(3)
    clock.now += 1e-9
    rate.count(0)
    assert abs(rate.per_second - 30 / WINDOW) < 1e-4  # the nanosecond
    clock.now += 2 * WINDOW  # a long one
    rate.count(30)
    assert abs(rate.per_second - 15 / WINDOW) < 1e-4


def test_the_rate_follows_a_change(clock: Clock) -> None:
    rate = Rate()
    for pace in (10.0, 200.0):
        for _ in range(int(4 * WINDOW * pace)):
            clock.now += 1.0 / pace
            rate.count()
        # A window ends with an event, so at most one event is in it too many or too few.
        assert abs(rate.per_second - pace) <= 1.0 / WINDOW


def test_the_rate_is_zero_after_a_rest(clock: Clock) -> None:
    rate = Rate()
    clock.now += WINDOW
    rate.count(50)
    assert rate.per_second == 50 / WINDOW
    clock.now += 2.9 * WINDOW
    assert rate.per_second == 50 / WINDOW
    clock.now += 0.2 * WINDOW
    assert rate.per_second == 0.0
