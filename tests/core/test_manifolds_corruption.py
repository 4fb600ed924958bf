"""The clean points and their corruption."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeviz.core.corruption import PROBES, probe_noisy, shown_noisy
from aeviz.core.manifolds import clean_data, spiral
from aeviz.core.settings import Settings

ROUNDING = 1e-14  # some eps of radii up to 4.5


def radius_and_angle(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Polar coordinates, the angle without jumps."""
    return np.hypot(*points.T), np.unwrap(np.arctan2(points[:, 1], points[:, 0]))


def test_the_lectures_spiral_runs_from_a_half_to_minus_two() -> None:
    curve = spiral(151, 1.5)
    assert curve.shape == (151, 2)
    assert np.abs(curve[0] - (0.5, 0.0)).max() < ROUNDING
    assert np.abs(curve[-1] - (-2.0, 0.0)).max() < ROUNDING


def test_the_spiral_runs_counter_clockwise_in_equal_angles() -> None:
    _, angle = radius_and_angle(spiral(151, 1.5))
    assert np.abs(np.diff(angle) - 3.0 * np.pi / 150).max() < ROUNDING


@given(st.integers(2, 400), st.floats(0.25, 4.0))
def test_the_radius_grows_evenly_with_the_angle(points: int, turns: float) -> None:
    curve = spiral(points, turns)
    theta = np.arange(points) / (points - 1) * 2.0 * np.pi * turns
    assert np.abs(np.hypot(*curve.T) - (0.5 + theta / (2.0 * np.pi))).max() < ROUNDING
    assert (
        np.abs(curve - np.hypot(*curve.T)[:, None] * np.stack((np.cos(theta), np.sin(theta)), 1)).max()
        < 1e-13
    )


def test_neighbouring_arms_are_one_apart() -> None:
    curve = spiral(201, 2.0)  # 100 points a turn
    radius, angle = radius_and_angle(curve)
    assert np.abs(angle[100:] - angle[:-100] - 2.0 * np.pi).max() < 1e-13
    assert np.abs(radius[100:] - radius[:-100] - 1.0).max() < ROUNDING


def test_one_point_is_the_spirals_beginning() -> None:
    assert spiral(1, 1.5).tolist() == [[0.5, 0.0]]


def test_clean_data_is_the_spiral_of_the_settings() -> None:
    assert np.array_equal(clean_data(Settings()), spiral(151, 1.5))
    assert np.array_equal(clean_data(Settings(points=20, turns=0.75)), spiral(20, 0.75))


@pytest.mark.parametrize("jitter", [0.01, 0.1, 0.5])
def test_jitter_is_gaussian_of_this_standard_deviation(jitter: float) -> None:
    settings = Settings(points=20_000, jitter=jitter)
    moved = (clean_data(settings) - spiral(20_000, 1.5)) / jitter
    # Standard errors over 20,000: mean 1/√n, deviation 1/√2n, correlation 1/√n; five of them.
    n = 20_000
    assert np.abs(moved.mean(axis=0)).max() < 5 / np.sqrt(n)
    assert np.abs(moved.std(axis=0) - 1.0).max() < 5 / np.sqrt(2 * n)
    assert abs((moved[:, 0] * moved[:, 1]).mean()) < 5 / np.sqrt(n)
    assert abs((np.abs(moved) < 1.0).mean() - 0.6827) < 5 * np.sqrt(0.22 / (2 * n))


def test_data_depend_on_the_seed_only_with_jitter_and_never_on_training() -> None:
    other = {"noise": 0.7, "batch": 7, "epochs": 3, "hidden": (5,), "threshold": 3.0}
    for jitter in (0.0, 0.1):
        made = clean_data(Settings(jitter=jitter))
        assert np.array_equal(made, clean_data(Settings(jitter=jitter, **other)))
        assert np.array_equal(made, clean_data(Settings(jitter=jitter, seed=1))) == (jitter == 0.0)


def test_jitter_moves_each_point_along_a_ray() -> None:
    curve = spiral(151, 1.5)
    small, large = (clean_data(Settings(jitter=jitter)) - curve for jitter in (0.1, 0.3))
    assert np.abs(3.0 * small - large).max() < ROUNDING


@given(st.floats(0.0, 1.0), st.integers(0, 2**31 - 1))
def test_shown_noise_moves_each_point_along_a_ray_with_sigma(sigma: float, seed: int) -> None:
    data = spiral(30, 1.5)
    unit = shown_noisy(Settings(points=30, noise=1.0, seed=seed), data) - data
    moved = shown_noisy(Settings(points=30, noise=sigma, seed=seed), data) - data
    assert np.abs(moved - sigma * unit).max() < ROUNDING
    assert np.abs(unit).max() > 0.5


def test_shown_noise_is_fixed_by_the_seed_and_keeps_the_given_points() -> None:
    data = spiral(151, 1.5)
    assert np.array_equal(shown_noisy(Settings(), data), shown_noisy(Settings(), data))
    assert not np.array_equal(shown_noisy(Settings(), data), shown_noisy(Settings(seed=1), data))
    assert np.array_equal(data, spiral(151, 1.5))
    # Other data, same ε: the points move along with the data.
    assert np.abs(shown_noisy(Settings(), data + 1.0) - shown_noisy(Settings(), data) - 1.0).max() < ROUNDING


def test_the_probe_set_is_fixed_by_the_seed() -> None:
    data = spiral(151, 1.5)
    probe = probe_noisy(Settings(), data)
    assert probe.shape == (PROBES, 2) == (4_096, 2)
    assert np.array_equal(probe, probe_noisy(Settings(batch=3, epochs=7, learning_rate=0.5), data))
    assert not np.array_equal(probe, probe_noisy(Settings(seed=1), data))


def test_the_probe_set_is_every_point_with_gaussian_noise() -> None:
    # Points so far apart that each noisy point tells which clean one it came from.
    data = 100.0 * np.arange(16.0)[:, None] * np.ones(2)
    probe = np.concatenate([probe_noisy(Settings(noise=0.5, seed=seed), data) for seed in range(10)])
    n = 10 * PROBES
    origin = np.rint(probe[:, 0] / 100.0).astype(int)
    counts = np.bincount(origin, minlength=16)
    assert np.abs(counts - n / 16).max() < 5 * np.sqrt(n / 16)  # five standard deviations
    eps = (probe - data[origin]) / 0.5
    assert np.abs(eps.mean(axis=0)).max() < 5 / np.sqrt(n)
    assert np.abs(eps.std(axis=0) - 1.0).max() < 5 / np.sqrt(2 * n)


def test_jitter_shown_noise_and_probe_draw_apart() -> None:
    """The same seed must not give the same ε for different purposes, or the measures were biased."""
    n = PROBES
    settings = Settings(points=n, jitter=0.5, noise=1.0)
    curve = spiral(n, 1.5)
    jitter = (clean_data(settings) - curve) / 0.5
    shown = shown_noisy(settings, curve) - curve
    probe = probe_noisy(settings, np.zeros((1, 2)))
    for one, other in ((jitter, shown), (jitter, probe), (shown, probe)):
        assert abs((one * other).mean()) < 5 / np.sqrt(2 * n)  # correlation of 2n independent pairs


# In the unit square


@pytest.mark.parametrize(
    "change", [{}, {"jitter": 0.3}, {"turns": 0.25}, {"points": 1}, {"turns": 4.0}], ids=str
)
def test_a_cross_entropy_gets_its_data_in_the_unit_square(change: dict[str, Any]) -> None:
    plain = clean_data(Settings(**change))
    mapped = clean_data(Settings(cost="bce", **change))
    assert mapped.min() >= 0.0
    assert mapped.max() <= 1.0
    size = np.ptp(plain, axis=0).max() or 1.0
    assert np.abs(size * (mapped - mapped[0]) - (plain - plain[0])).max() < 1e-12  # one scale for both axes
    if len(plain) > 1:
        assert np.ptp(mapped, axis=0).max() == pytest.approx(1.0, abs=1e-12)
    middle = 0.5 * (mapped.min(axis=0) + mapped.max(axis=0))
    assert np.abs(middle - 0.5).max() < 1e-12
