"""Each kind of corruption against its distribution, and the fixed draws for the eye and for measures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fields import ADDED, spiral
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import (
    DISCRETE,
    PROBES,
    Corruption,
    cloud_noisy,
    draw,
    probe_noisy,
    probes,
    shown_noisy,
)
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import SPECS, Settings

ROUNDING = 1e-14  # some eps of radii up to 4.5
KINDS = SPECS["noise_kind"].choices
VARIANCE = {"gaussian": 1.0, "uniform": 1.0, "rare": 5.95}  # of ε; of rare noise 0.95 + 0.05·10²
SPIRAL = CleanData(spiral(151))


def chance(share: float, draws: int) -> float:
    """Five standard errors of a share; 0 where nothing is left to chance."""
    return 5.0 * np.sqrt(share * (1.0 - share) / draws)


# The draw of ε


def radial(kind: str, r: FloatArray) -> FloatArray:
    """P(‖ε‖ ≤ r) of Gaussian and of rare noise."""
    usual, wide = -np.expm1(-(r**2) / 2.0), -np.expm1(-(r**2) / 200.0)
    return usual if kind == "gaussian" else 0.95 * usual + 0.05 * wide


@pytest.mark.parametrize("kind", ADDED)
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
    # To five standard errors of the variance.
    squared = np.square(eps).mean(axis=1)
    assert abs(squared.mean() - VARIANCE[kind]) < 5 * squared.std() / np.sqrt(n)
    assert np.abs(eps.mean(axis=0)).max() < 5 * np.sqrt(VARIANCE[kind] / n)
    assert abs((eps[:, 0] * eps[:, 1]).mean()) < 5 * (eps[:, 0] * eps[:, 1]).std() / np.sqrt(n)


@pytest.mark.parametrize("kind", DISCRETE)
def test_what_decides_on_a_coordinate_is_even_and_of_each_coordinate_its_own(kind: str) -> None:
    n = 100_000
    eps = draw(np.random.default_rng(9), kind, n)
    assert eps.shape == (n, 2)
    assert 0.0 <= eps.min() < 1e-4
    assert 1.0 - 1e-4 < eps.max() < 1.0  # so that with probability 1 each one is corrupted
    assert min(stats.kstest(eps[:, k], stats.uniform().cdf).pvalue for k in (0, 1)) > 1e-3
    assert abs(np.corrcoef(eps.T)[0, 1]) < 5 / np.sqrt(n)


def test_one_rare_point_in_twenty_is_moved_ten_times_as_far() -> None:
    # Of 20 times as many usual ones, none is moved farther than 6σ: e^(−18) = 1.5e-8 each.
    n = 100_000
    length = np.hypot(*draw(np.random.default_rng(10), "rare", n).T)
    beyond = 0.05 * np.exp(-36.0 / 200.0)  # of the rare ones, 83 % are
    assert abs((length > 6.0).mean() - beyond) < 5 * np.sqrt(beyond / n)


# What it makes of a point

points = hnp.arrays(float, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-10.0, 10.0))


@given(points, st.floats(0.0, 1.0), st.sampled_from(ADDED))
def test_noise_is_added(clean: FloatArray, sigma: float, kind: str) -> None:
    eps = np.random.default_rng(0).normal(size=clean.shape)
    noisy = Corruption(kind, sigma, np.array([3.0, 4.0]))(clean, eps)
    assert np.array_equal(noisy, clean + sigma * eps)


@given(points, st.floats(0.0, 1.0))
def test_masking_makes_0_of_some_coordinates_and_leaves_the_others(clean: FloatArray, p: float) -> None:
    eps = np.random.default_rng(0).random(clean.shape)
    noisy = Corruption("masking", p, np.array([3.0, 4.0]))(clean, eps)
    for found, before, chosen in zip(noisy.flat, clean.flat, (eps < p).flat, strict=True):
        assert found == (0.0 if chosen else before)


@given(points, st.floats(0.0, 1.0))
def test_a_flip_mirrors_some_coordinates_in_the_middle_of_the_box(clean: FloatArray, p: float) -> None:
    settings = Settings(noise_kind="flip", noise=p)
    corruption, eps = Corruption.of(settings, CleanData(clean)), np.random.default_rng(0).random(clean.shape)
    low, high = clean.min(axis=0), clean.max(axis=0)
    noisy = corruption(clean, eps)
    chosen = eps < p
    middle = np.broadcast_to(0.5 * (low + high), clean.shape)
    assert np.abs(0.5 * (noisy + clean) - middle)[chosen].max(initial=0.0) < ROUNDING
    assert np.array_equal(noisy[~chosen], clean[~chosen])
    assert (noisy >= low - ROUNDING).all()
    assert (noisy <= high + ROUNDING).all()
    assert np.abs(corruption(noisy, eps) - clean).max() < 2 * ROUNDING  # flipped twice, all is as it was


def test_a_flipped_bit_is_the_other_one() -> None:
    data = clean_data(Settings(data="corners"))
    for p, found in ((0.0, data.points), (1.0, 1.0 - data.points)):
        corruption = Corruption.of(Settings(noise_kind="flip", noise=p), data)
        eps = draw(np.random.default_rng(0), "flip", 4)
        assert np.array_equal(corruption(data.points, eps), found)
    half = Corruption.of(Settings(noise_kind="flip", noise=0.5), data)
    eps = np.array([[0.49, 0.51], [0.51, 0.49], [0.0, 0.0], [0.99, 0.5]])
    assert half(data.points, eps).tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("kind", DISCRETE)
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_so_many_coordinates_are_corrupted_each_by_itself(kind: str, p: float) -> None:
    n = 100_000
    data = CleanData(np.array([[1.0, 2.0], [3.0, 5.0]]))  # whose mirror image is (4, 7) − y, and no 0
    corruption = Corruption.of(Settings(noise_kind=kind, noise=p), data)
    clean = np.resize(data.points, (n, 2))
    corrupted = corruption(clean, draw(np.random.default_rng(12), kind, n)) != clean
    assert np.abs(corrupted.mean(axis=0) - p).max() <= chance(p, n)
    assert abs(corrupted.all(axis=1).mean() - p**2) <= chance(p**2, n)
    assert abs(corrupted.any(axis=1).mean() - (2.0 * p - p**2)) <= chance(2.0 * p - p**2, n)


@pytest.mark.parametrize("kind", KINDS)
def test_without_noise_a_point_stays_where_it_is(kind: str) -> None:
    eps = draw(np.random.default_rng(0), kind, 151)
    corruption = Corruption.of(Settings(noise_kind=kind, noise=0.0), SPIRAL)
    assert np.array_equal(corruption(SPIRAL.points, eps), SPIRAL.points)
    assert (corruption.kind, corruption.noise) == (kind, 0.0)


# Clouds


@pytest.mark.parametrize("kind", ADDED)
def test_a_cloud_is_noise_round_its_place(kind: str) -> None:
    settings = Settings(noise=0.3, noise_kind=kind)
    cloud = cloud_noisy(settings, SPIRAL, (2.0, -1.0), 20_000)
    squared = np.square((cloud - (2.0, -1.0)) / 0.3).mean(axis=1)
    assert abs(squared.mean() - VARIANCE[kind]) < 5 * squared.std() / np.sqrt(20_000)
    assert np.abs(cloud.mean(axis=0) - (2.0, -1.0)).max() < 5 * 0.3 * np.sqrt(VARIANCE[kind] / 20_000)
    # The same ε wherever it is dragged, and however large σ.
    moved = cloud_noisy(settings.replace(noise=0.6), SPIRAL, (0.0, 0.0), 20_000)
    assert np.abs(0.5 * moved - (cloud - (2.0, -1.0))).max() < ROUNDING
    assert not np.array_equal(cloud, cloud_noisy(settings.replace(seed=1), SPIRAL, (2.0, -1.0), 20_000))


@pytest.mark.parametrize("kind", DISCRETE)
def test_a_cloud_of_masking_or_flips_is_in_four_places(kind: str) -> None:
    n, p, (x, y) = 20_000, 0.3, (0.25, 0.75)
    data = clean_data(Settings(data="corners"))
    cloud = cloud_noisy(Settings(noise=p, noise_kind=kind), data, (x, y), n)
    others = (0.0, 0.0) if kind == "masking" else (1.0 - x, 1.0 - y)
    total = 0.0
    for (u, was_x), (v, was_y) in itertools.product(((x, 1), (others[0], 0)), ((y, 1), (others[1], 0))):
        share = (1 - p if was_x else p) * (1 - p if was_y else p)
        found = (cloud == (u, v)).all(axis=1).mean()
        assert abs(found - share) < chance(share, n)
        total += found
    assert total == pytest.approx(1.0, abs=1e-12)


# What is shown


@pytest.mark.parametrize("kind", ADDED)
def test_shown_noise_is_of_the_kind_of_the_settings(kind: str) -> None:
    n, data = 20_000, CleanData(np.zeros((20_000, 2)))
    eps = shown_noisy(Settings(noise=1.0, noise_kind=kind), data)
    assert np.array_equal(0.5 * eps, shown_noisy(Settings(noise=0.5, noise_kind=kind), data))
    far = (np.abs(eps) > np.sqrt(3.0)).any(axis=1).mean()
    # P(some coordinate beyond √3): Gaussian 0.160, rare 0.95·0.160 + 0.05·0.981, uniform none.
    expected = {"gaussian": 0.1596, "rare": 0.2007, "uniform": 0.0}[kind]
    assert abs(far - expected) < 5 * np.sqrt(expected / n) + 1e-4


@given(st.floats(0.0, 1.0), st.integers(0, 2**31 - 1))
def test_shown_noise_moves_each_point_along_a_ray_with_sigma(sigma: float, seed: int) -> None:
    data = CleanData(spiral(30))
    unit = shown_noisy(Settings(points=30, noise=1.0, seed=seed), data) - data.points
    moved = shown_noisy(Settings(points=30, noise=sigma, seed=seed), data) - data.points
    assert np.abs(moved - sigma * unit).max() < ROUNDING
    assert np.abs(unit).max() > 0.5


@pytest.mark.parametrize("kind", DISCRETE)
def test_a_coordinate_that_is_shown_corrupted_stays_so_as_the_probability_grows(kind: str) -> None:
    before = np.zeros((151, 2), dtype=bool)
    for p in np.linspace(0.0, 1.0, 21):
        now = shown_noisy(Settings(noise=float(p), noise_kind=kind), SPIRAL) != SPIRAL.points
        assert (now >= before).all()
        # One of the 302 is 0 anyhow.
        assert abs(now.mean() - p) < chance(float(p), 302) + 1.1 / 302
        before = now


@pytest.mark.parametrize("kind", KINDS)
def test_shown_noise_is_frozen(kind: str) -> None:
    settings = Settings(noise_kind=kind)
    shown = shown_noisy(settings, SPIRAL)
    for other in (settings, settings.replace(epochs=7, batch=3), settings.replace(noise_draw="frozen")):
        assert np.array_equal(shown_noisy(other, SPIRAL), shown)
        shown_noisy(Settings(seed=5, noise_kind="uniform"), SPIRAL)  # and another draw between two of it
    assert not np.array_equal(shown_noisy(settings.replace(seed=1), SPIRAL), shown)
    assert np.array_equal(SPIRAL.points, spiral(151))
    for every in (2, 3, 150, 151, 1_000):  # some of them are the same ones
        assert np.array_equal(shown_noisy(settings, SPIRAL, every), shown[::every])


def test_shown_noise_moves_along_with_the_data() -> None:
    moved = CleanData(SPIRAL.points + 1.0)
    assert np.abs(shown_noisy(Settings(), moved) - shown_noisy(Settings(), SPIRAL) - 1.0).max() < ROUNDING


# The probe set


def test_the_probe_set_is_fixed_by_the_seed() -> None:
    probe = probe_noisy(Settings(), SPIRAL)
    assert probe.shape == (PROBES, 2) == (4_096, 2)
    assert np.array_equal(probe, probe_noisy(Settings(batch=3, epochs=7, learning_rate=0.5), SPIRAL))
    assert not np.array_equal(probe, probe_noisy(Settings(seed=1), SPIRAL))


@pytest.mark.parametrize("kind", KINDS)
def test_the_probe_set_is_what_is_said_to_become_of_its_points(kind: str) -> None:
    settings = Settings(noise_kind=kind, noise=0.3)
    clean, eps = probes(settings, SPIRAL, 500)
    assert clean.shape == eps.shape == (500, 2)
    assert {tuple(point) for point in clean} == {tuple(point) for point in SPIRAL.points}
    noisy = probe_noisy(settings, SPIRAL, 500)
    assert np.array_equal(noisy, Corruption.of(settings, SPIRAL)(clean, eps))
    # The same points and ε with any noise: errors are compared that differ by it alone.
    for one, other in zip(probes(settings.replace(noise=0.9), SPIRAL, 500), (clean, eps), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", ADDED)
def test_the_probe_set_is_every_point_with_its_noise(kind: str) -> None:
    # Points so far apart that each noisy point tells which clean one it came from.
    data = CleanData(100.0 * np.arange(16.0)[:, None] * np.ones(2))
    settings = Settings(noise=0.5, noise_kind=kind)
    probe = np.concatenate([probe_noisy(settings.replace(seed=seed), data) for seed in range(10)])
    n = 10 * PROBES
    origin = np.rint(probe[:, 0] / 100.0).astype(int)
    counts = np.bincount(origin, minlength=16)
    assert (counts == n // 16).all()
    eps = (probe - data.points[origin]) / 0.5
    squared = np.square(eps).mean(axis=1)
    assert np.abs(eps.mean(axis=0)).max() < 5 * np.sqrt(VARIANCE[kind] / n)
    assert abs(squared.mean() - VARIANCE[kind]) < 5 * squared.std() / np.sqrt(n)


@pytest.mark.parametrize("kind", DISCRETE)
def test_the_probe_set_of_bits_is_every_outcome_as_often_as_it_should_be(kind: str) -> None:
    p, n, data = 0.2, 100_000, clean_data(Settings(data="xor"))
    noisy = probe_noisy(Settings(noise=p, noise_kind=kind), data, n)
    # Of (0, 1) and (1, 0) alike; masking leaves the 0 in any case.
    both = {
        "masking": (p, 0.5 * (1 - p), 0.0),
        "flip": (p * (1 - p), 0.5 * ((1 - p) ** 2 + p**2), p * (1 - p)),
    }
    for (x, y), share in zip(((0, 0), (0, 1), (1, 1)), both[kind], strict=True):
        found = (noisy == (x, y)).all(axis=1).mean()
        assert abs(found - share) <= chance(share, n)


@given(st.integers(1, 400), st.integers(1, 1_000), st.integers(0, 2**31 - 1))
def test_every_point_is_probed_equally_often(points: int, probes: int, seed: int) -> None:
    data = CleanData(100.0 * np.arange(float(points))[:, None] * np.ones(2))
    probe = probe_noisy(Settings(noise=0.1, seed=seed), data, probes)
    assert probe.shape == (probes, 2)
    counts = np.bincount(np.rint(probe[:, 0] / 100.0).astype(int), minlength=points)
    assert len(counts) == points
    assert np.ptp(counts) <= 1


def test_jitter_shown_noise_probe_and_cloud_draw_apart() -> None:
    """The same seed must not give the same ε for different purposes, or the measures were biased."""
    n = PROBES
    settings, curve = Settings(points=n, jitter=0.5, noise=1.0), CleanData(spiral(n))
    jitter = (clean_data(settings).points - curve.points) / 0.5
    shown = shown_noisy(settings, curve) - curve.points
    origin = CleanData(np.zeros((1, 2)))
    probe = probe_noisy(settings, origin)
    cloud = cloud_noisy(settings, origin, (0.0, 0.0), n)
    for one, other in itertools.combinations((jitter, shown, probe, cloud), 2):
        assert abs((one * other).mean()) < 5 / np.sqrt(2 * n)  # correlation of 2n independent pairs
