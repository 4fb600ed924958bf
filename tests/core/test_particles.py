"""Particles on linear maps, where drift and walk-back have closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from aeviz.core.corruption import Corruption
from aeviz.core.flow import LIVES, RATE, TAIL, Flow
from aeviz.core.manifolds import FloatArray

VIEW = (-1.0, 3.0, 2.0, 4.0)
SEED = 7
MIRROR = (1.0, 0.5)  # of flips
Map = Callable[[FloatArray], FloatArray]


def scaled(factor: float) -> Map:
    return lambda x: factor * x


def still(x: FloatArray) -> FloatArray:
    return x


def noise(sigma: float, kind: str = "gaussian") -> Corruption:
    return Corruption(kind, sigma, np.array(MIRROR))


STILL = noise(0.0)


def walked(flow: Flow, reconstruct: Map, steps: int, corrupt: Corruption = STILL) -> list[FloatArray]:
    """Streaks of so many steps, each (M, 2, 2)."""
    return [flow.step(reconstruct, corrupt, VIEW) for _ in range(steps)]


def in_view(places: FloatArray) -> bool:
    low, high = np.array(VIEW[::2]), np.array(VIEW[1::2])
    return bool(((places >= low) & (places <= high)).all())


# Drift


@pytest.mark.parametrize("factor", [0.5, -1.0, 1.5])
def test_drifting_on_a_linear_map_multiplies_by_the_same_number_in_each_step(factor: float) -> None:
    """r(x) = λx: x ← x + RATE·(λx − x) = (1 − RATE + RATE·λ)·x."""
    c = 1.0 - RATE + RATE * factor
    young = 0
    for step, streak in enumerate(walked(Flow("drift", 500, SEED, None), scaled(factor), 200), 1):
        assert streak.shape == (500, 2, 2)
        then, now = streak[:, 0], streak[:, 1]
        # How many steps the streak reaches back, from its length; a particle just born has a short one.
        age = np.log(np.hypot(*now.T) / np.hypot(*then.T)) / np.log(c)
        back = np.rint(age)
        assert np.abs(age - back).max() < 1e-9
        assert back.min() >= 1
        assert back.max() == min(step, TAIL)
        assert np.abs(now - c ** back[:, None] * then).max() < 1e-10 * np.abs(now).max()
        assert in_view(then[back < min(step, TAIL)])  # there it was born
        assert np.mean(back == min(step, TAIL)) > 0.8
        young += int(np.count_nonzero(back < min(step, TAIL)))
    assert young > 100


def test_particles_begin_everywhere_in_the_view() -> None:
    (streak,) = walked(Flow("drift", 20_000, SEED, None), still, 1)
    for k in (0, 1):
        low, high = VIEW[2 * k : 2 * k + 2]
        even = stats.uniform(low, high - low).cdf
        assert stats.kstest(streak[:, 0, k], even).pvalue > 1e-3  # of one seed, which is always the same
    assert in_view(streak[:, 0])


def test_a_drifting_particle_lives_for_a_while_and_begins_anew() -> None:
    # Where r(x) = x nothing moves: a place that changes is a new particle's.
    places = np.stack([streak[:, 1] for streak in walked(Flow("drift", 300, SEED, None), still, 500)])
    born = (places[1:] != places[:-1]).any(axis=-1)  # (499, M)
    for each in born.T:
        at = np.flatnonzero(each) + 1
        assert 1 <= at[0] < LIVES[1]
        lives = np.diff(at)
        assert lives.min() >= LIVES[0]
        assert lives.max() < LIVES[1]
    # All began together, but they do not end together: of 300, some 2 or 3 in each step.
    assert born[: LIVES[1] - 1].sum() >= 300
    assert born[: LIVES[0] - 1].sum() > 40  # the first from the beginning on: 300·39/160 = 73 on average
    assert born.sum(axis=1).max() < 15


def test_a_particle_leaves_no_streak_from_its_former_life() -> None:
    streaks = walked(Flow("drift", 300, SEED, None), still, 200)
    for streak in streaks:
        assert np.array_equal(streak[:, 0], streak[:, 1])  # it has not moved since it was born
    assert not (streaks[0] == streaks[-1]).all(axis=(1, 2)).any()  # and by now every one was born anew


# Walk-back


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "rare"])
@pytest.mark.parametrize("factor", [0.6, -0.3])
def test_walk_back_on_a_linear_map_is_an_autoregression(factor: float, kind: str) -> None:
    """x ← λ(x + σε): from x₀ on, mean λⁿx₀, variance v·λ²σ²·(1 − λ²ⁿ)/(1 − λ²), v that of ε."""
    count, start = 20_000, (2.0, -3.0)
    v = 5.95 if kind == "rare" else 1.0  # 0.95 + 0.05·10²
    streaks = walked(Flow("walk-back", count, SEED, start), scaled(factor), 40, noise(0.5, kind))
    for n in (1, 2, 5, 40):
        x = streaks[n - 1][:, 1] - factor**n * np.array(start)
        variance = v * factor**2 * 0.25 * (1.0 - factor ** (2 * n)) / (1.0 - factor**2)
        squared = np.square(x).mean(axis=1)  # rare noise moves both coordinates at once
        assert np.abs(x.mean(axis=0)).max() < 5 * np.sqrt(variance / count)
        assert abs(squared.mean() - variance) < 5 * squared.std() / np.sqrt(count)
        assert squared.std() / np.sqrt(count) < 0.04 * variance  # sharp enough to mean something


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_walk_back_with_masking_ends_each_coordinate_where_it_is_masked(p: float) -> None:
    """x ← λx, or 0 for good: a coordinate lives through n steps with probability (1 − p)ⁿ, by itself."""
    count, start, steps, c = 20_000, np.array([2.0, -3.0]), 5, 0.5
    flow = Flow("walk-back", count, SEED, (2.0, -3.0))
    for n, streak in enumerate(walked(flow, scaled(c), steps, noise(p, "masking")), 1):
        alive = streak[:, 1] != 0.0
        assert np.array_equal(streak[:, 1], np.where(alive, c**n * start, 0.0))
        share = (1.0 - p) ** n
        error = np.sqrt(share * (1.0 - share) / count)  # 0 where p is 0 or 1: there nothing is left to chance
        assert np.abs(alive.mean(axis=0) - share).max() <= 5 * error
        assert abs(alive.all(axis=1).mean() - share**2) <= 5 * np.sqrt(share**2 * (1.0 - share**2) / count)


@pytest.mark.parametrize("p", [0.0, 0.1, 1.0])
def test_walk_back_with_flips_is_a_walk_between_two_mirror_images(p: float) -> None:
    """Where r(x) = x, a coordinate is at its mirror image after an odd number of flips: (1 − (1 − 2p)ⁿ)/2."""
    count, start = 20_000, np.array([0.25, 0.75])
    flow = Flow("walk-back", count, SEED, (0.25, 0.75))
    for n, streak in enumerate(walked(flow, still, 6, noise(p, "flip")), 1):
        mirrored = streak[:, 1] != start
        # Binary fractions, which are mirrored exactly, back and forth.
        assert np.array_equal(streak[:, 1], np.where(mirrored, MIRROR - start, start))
        share = 0.5 * (1.0 - (1.0 - 2.0 * p) ** n)
        assert np.abs(mirrored.mean(axis=0) - share).max() <= 5 * np.sqrt(share * (1.0 - share) / count)


def test_walk_back_begins_at_the_start_and_never_anew() -> None:
    for streak in walked(Flow("walk-back", 50, SEED, (0.0, 0.0)), lambda x: x + 1.0, 400):
        assert (streak == streak[0]).all()  # all began there, and all are as old
    assert (streak == 400.0).all()


def test_walk_back_without_a_start_begins_in_the_view() -> None:
    streaks = walked(Flow("walk-back", 500, SEED, None), still, 300)
    assert in_view(streaks[0][:, 1])
    assert len(np.unique(streaks[0][:, 1], axis=0)) == 500
    assert all(np.array_equal(streak, streaks[0]) for streak in streaks)


def test_walk_back_leaves_no_streaks() -> None:
    for streak in walked(Flow("walk-back", 50, SEED, None), scaled(0.5), 10, noise(0.3)):
        assert np.array_equal(streak[:, 0], streak[:, 1])


# Either


@pytest.mark.parametrize("kind", ["drift", "walk-back"])
def test_where_the_map_gives_no_number_a_particle_begins_anew(kind: str) -> None:
    def torn(x: FloatArray) -> FloatArray:
        return np.where(x[:, :1] > 1.0, np.nan, np.where(x[:, 1:] > 3.8, np.inf, x))

    streaks = walked(Flow(kind, 2_000, SEED, None), torn, 20)
    assert all(np.isfinite(streak).all() and in_view(streak[:, 1]) for streak in streaks)
    # Half of the view has no numbers, and a tenth of the rest: whoever lands there is born again and
    # again, until, 0.55²⁰ = 6e-6 of them later, all are where there are.
    outside = [np.mean((streak[:, 1, 0] > 1.0) | (streak[:, 1, 1] > 3.8)) for streak in streaks]
    assert abs(outside[0] - 0.55) < 5 * np.sqrt(0.25 / 2_000)
    assert outside[-1] < 0.02
    # And those that were there from the beginning have not noticed.
    first, second = streaks[0][:, 1], streaks[1][:, 1]
    there = (first[:, 0] <= 1.0) & (first[:, 1] <= 3.8)
    assert np.mean((first == second).all(axis=1)[there]) > 0.95  # but for those whose short life ended
    assert not (first == second).all(axis=1)[~there].any()


@pytest.mark.parametrize("kind", ["drift", "walk-back"])
def test_a_map_without_any_number_leaves_particles_in_the_view(kind: str) -> None:
    for streak in walked(Flow(kind, 20, SEED, None), lambda x: np.full_like(x, np.nan), 10):
        assert in_view(streak)
    home = Flow("walk-back", 20, SEED, (0.5, 0.25))
    for streak in walked(home, lambda x: np.full_like(x, np.nan), 10):
        assert (streak == (0.5, 0.25)).all()


@pytest.mark.parametrize("kind", ["drift", "walk-back"])
def test_the_same_seed_gives_the_same_particles(kind: str) -> None:
    one, same, other = (
        np.stack(walked(Flow(kind, 30, seed, None), scaled(0.9), 60, noise(0.25))) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.isclose(one, other).any()
