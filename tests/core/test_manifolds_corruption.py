"""The clean points and their corruption."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aeviz.core.corruption import PROBES, cloud_noisy, draw, probe_noisy, shown_noisy
from aeviz.core.manifolds import clean_data, curve, positions, spacing, spiral
from aeviz.core.settings import SPECS, Settings

ROUNDING = 1e-14  # some eps of radii up to 4.5
KINDS = SPECS["noise_kind"].choices


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
    other: dict[str, Any] = {"noise": 0.7, "batch": 7, "epochs": 3, "hidden": (5,), "threshold": 3.0}
    for jitter in (0.0, 0.1):
        made = clean_data(Settings(jitter=jitter))
        assert np.array_equal(made, clean_data(Settings(jitter=jitter, **other)))
        assert np.array_equal(made, clean_data(Settings(jitter=jitter, seed=1))) == (jitter == 0.0)


def test_jitter_moves_each_point_along_a_ray() -> None:
    curve = spiral(151, 1.5)
    small, large = (clean_data(Settings(jitter=jitter)) - curve for jitter in (0.1, 0.3))
    assert np.abs(3.0 * small - large).max() < ROUNDING


def test_the_curve_is_the_one_that_the_data_lie_on() -> None:
    dense = curve(Settings())
    assert np.array_equal(dense, spiral(2_000, 1.5))
    assert np.array_equal(dense, curve(Settings(jitter=0.3, points=7)))  # the curve has no jitter
    data = clean_data(Settings(cost="bce"))
    away = np.hypot(*(data[:, None] - curve(Settings(cost="bce"))).transpose(2, 0, 1)).min(axis=1)
    # Its 2,000 samples are up to 2·3π/1999 = 9.4e-3 apart, and 2.9e-3 where 3.3 units have become one.
    assert away.max() < 1.5e-3


@pytest.mark.parametrize("points", [3, 4, 6, 20])
def test_the_curve_keeps_its_shape_where_few_points_decide_the_map(points: int) -> None:
    settings = Settings(cost="bce", points=points)
    dense, whole = curve(settings), spiral(2_000, 1.5)
    size = np.ptp(spiral(points, 1.5), axis=0).max()
    assert np.abs(size * (dense - dense[0]) - (whole - whole[0])).max() < 1e-12
    assert max(dense.max() - 1.0, -dense.min()) > 5e-4  # it is wider than the points on it
    away = np.hypot(*(clean_data(settings)[:, None] - dense).transpose(2, 0, 1)).min(axis=1)
    assert away.max() < 0.5 * 9.5e-3 / size + 1e-12  # as above, samples are up to 9.4e-3 apart


def test_the_spacing_is_the_usual_distance_of_neighbours() -> None:
    assert spacing(Settings(points=1)) == np.inf
    assert spacing(Settings(jitter=0.3)) == spacing(Settings())
    # The middle of the spiral, r = 1.25, is as long as all of it: ds = √(r² + 1/4π²) dθ.
    assert abs(spacing(Settings()) - np.hypot(1.25, 0.5 / np.pi) * 3.0 * np.pi / 150) < 1e-3


@given(st.integers(1, 300), st.floats(0.25, 4.0))
def test_positions_are_turns_along_the_spiral(points: int, turns: float) -> None:
    settings = Settings(points=points, turns=turns)
    found = positions(settings)
    assert found.shape == (points,)
    assert np.abs(np.hypot(*clean_data(settings).T) - (0.5 + found)).max() < ROUNDING  # arms are 1 apart


# Corruption


def radial(kind: str, r: np.ndarray) -> np.ndarray:
    """P(‖ε‖ ≤ r) of Gaussian and of rare noise."""
    usual, wide = -np.expm1(-(r**2) / 2.0), -np.expm1(-(r**2) / 200.0)
    return usual if kind == "gaussian" else 0.95 * usual + 0.05 * wide


@pytest.mark.parametrize("kind", KINDS)
def test_noise_has_the_distribution_of_its_kind(kind: str) -> None:
    n = 100_000
    eps = draw(np.random.default_rng(9), kind, n)
    assert eps.shape == (n, 2)
    if kind == "uniform":
        box = stats.uniform(-np.sqrt(3.0), 2.0 * np.sqrt(3.0)).cdf
        p_values = [stats.kstest(eps[:, k], box).pvalue for k in (0, 1)]
    else:
        angle = np.arctan2(eps[:, 1], eps[:, 0])
        p_values = [
            stats.kstest(np.hypot(*eps.T), lambda r: radial(kind, r)).pvalue,
            stats.kstest(angle, stats.uniform(-np.pi, 2.0 * np.pi).cdf).pvalue,
        ]
    assert min(p_values) > 1e-3  # true draws fall below once in a thousand seeds; this one does not
    # Standard deviation 1, but of rare noise √(0.95 + 0.05·100); to five standard errors of the variance.
    variance = 5.95 if kind == "rare" else 1.0
    squared = np.square(eps).mean(axis=1)
    assert abs(squared.mean() - variance) < 5 * squared.std() / np.sqrt(n)
    assert np.abs(eps.mean(axis=0)).max() < 5 * np.sqrt(variance / n)
    assert abs((eps[:, 0] * eps[:, 1]).mean()) < 5 * (eps[:, 0] * eps[:, 1]).std() / np.sqrt(n)


def test_one_rare_point_in_twenty_is_moved_ten_times_as_far() -> None:
    # Of 20 times as many usual ones, none is moved farther than 6σ: e^(−18) = 1.5e-8 each.
    n = 100_000
    length = np.hypot(*draw(np.random.default_rng(10), "rare", n).T)
    beyond = 0.05 * np.exp(-36.0 / 200.0)  # of the rare ones, 83 % are
    assert abs((length > 6.0).mean() - beyond) < 5 * np.sqrt(beyond / n)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cloud_is_noise_round_its_place(kind: str) -> None:
    settings = Settings(noise=0.3, noise_kind=kind)
    cloud = cloud_noisy(settings, (2.0, -1.0), 20_000)
    squared = np.square((cloud - (2.0, -1.0)) / 0.3).mean(axis=1)
    variance = 5.95 if kind == "rare" else 1.0
    assert abs(squared.mean() - variance) < 5 * squared.std() / np.sqrt(20_000)
    assert np.abs(cloud.mean(axis=0) - (2.0, -1.0)).max() < 5 * 0.3 * np.sqrt(variance / 20_000)
    # The same ε wherever it is dragged, and however large σ.
    moved = cloud_noisy(settings.replace(noise=0.6), (0.0, 0.0), 20_000)
    assert np.abs(0.5 * moved - (cloud - (2.0, -1.0))).max() < ROUNDING
    assert not np.array_equal(cloud, cloud_noisy(settings.replace(seed=1), (2.0, -1.0), 20_000))


@pytest.mark.parametrize("kind", KINDS)
def test_shown_noise_is_of_the_kind_of_the_settings(kind: str) -> None:
    n, data = 20_000, np.zeros((20_000, 2))
    eps = shown_noisy(Settings(noise=1.0, noise_kind=kind), data)
    assert np.array_equal(0.5 * eps, shown_noisy(Settings(noise=0.5, noise_kind=kind), data))
    far = (np.abs(eps) > np.sqrt(3.0)).any(axis=1).mean()
    # P(some coordinate beyond √3): Gaussian 0.160, rare 0.95·0.160 + 0.05·0.981, uniform none.
    expected = {"gaussian": 0.1596, "rare": 0.2007, "uniform": 0.0}[kind]
    assert abs(far - expected) < 5 * np.sqrt(expected / n) + 1e-4


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


@pytest.mark.parametrize("kind", KINDS)
def test_the_probe_set_is_every_point_with_its_noise(kind: str) -> None:
    # Points so far apart that each noisy point tells which clean one it came from.
    data = 100.0 * np.arange(16.0)[:, None] * np.ones(2)
    settings = Settings(noise=0.5, noise_kind=kind)
    probe = np.concatenate([probe_noisy(settings.replace(seed=seed), data) for seed in range(10)])
    n = 10 * PROBES
    origin = np.rint(probe[:, 0] / 100.0).astype(int)
    counts = np.bincount(origin, minlength=16)
    assert (counts == n // 16).all()
    eps = (probe - data[origin]) / 0.5
    variance = 5.95 if kind == "rare" else 1.0
    squared = np.square(eps).mean(axis=1)
    assert np.abs(eps.mean(axis=0)).max() < 5 * np.sqrt(variance / n)
    assert abs(squared.mean() - variance) < 5 * squared.std() / np.sqrt(n)


@given(st.integers(1, 400), st.integers(1, 1_000), st.integers(0, 2**31 - 1))
def test_every_point_is_probed_equally_often(points: int, probes: int, seed: int) -> None:
    data = 100.0 * np.arange(float(points))[:, None] * np.ones(2)
    probe = probe_noisy(Settings(noise=0.1, seed=seed), data, probes)
    assert probe.shape == (probes, 2)
    counts = np.bincount(np.rint(probe[:, 0] / 100.0).astype(int), minlength=points)
    assert len(counts) == points
    assert np.ptp(counts) <= 1


def test_jitter_shown_noise_probe_and_cloud_draw_apart() -> None:
    """The same seed must not give the same ε for different purposes, or the measures were biased."""
    n = PROBES
    settings = Settings(points=n, jitter=0.5, noise=1.0)
    curve = spiral(n, 1.5)
    jitter = (clean_data(settings) - curve) / 0.5
    shown = shown_noisy(settings, curve) - curve
    probe = probe_noisy(settings, np.zeros((1, 2)))
    cloud = cloud_noisy(settings, (0.0, 0.0), n)
    for one, other in itertools.combinations((jitter, shown, probe, cloud), 2):
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
