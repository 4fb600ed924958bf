"""The exact denoiser against brute force in many digits, finite differences, and its limits."""

from __future__ import annotations

import tracemalloc
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import logsumexp

from aeviz.core import truth
from aeviz.core.manifolds import spiral
from aeviz.core.truth import Posterior, exact_ambiguity, largest_eigenvalue, posterior

EPS = np.finfo(float).eps
SIGMAS = [1e-4, 1e-3, 0.02, 0.25, 1.0, 10.0]


def few_points() -> tuple[np.ndarray, np.ndarray]:
    """Some clean points, and places near them, on a tie between two of them, and far from all."""
    data = spiral(9, 1.5)
    rng = np.random.default_rng(0)
    near = data[rng.integers(9, size=6)] + 0.3 * rng.standard_normal((6, 2))
    ties = 0.5 * (data[:3] + data[3:6])
    far = np.array([[40.0, -30.0], [-1000.0, 1000.0], [1e5, 3.0]])
    return np.concatenate([near, data[:2], ties, far]), data


def in_many_digits(x: np.ndarray, data: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean (2,) and covariance (2, 2) at one place by the definition, in 60 decimal digits."""
    with localcontext(Context(prec=60)):
        (p, q), s = (Decimal(float(c)) for c in x), Decimal(sigma)
        points = [(Decimal(float(u)), Decimal(float(v))) for u, v in data]
        exponents = [-((p - u) ** 2 + (q - v) ** 2) / (2 * s * s) for u, v in points]
        w = [(e - max(exponents)).exp() for e in exponents]
        total = sum(w)
        mean = [sum(wi * y[k] for wi, y in zip(w, points, strict=True)) / total for k in (0, 1)]
        second = [
            [sum(wi * y[i] * y[j] for wi, y in zip(w, points, strict=True)) / total for j in (0, 1)]
            for i in (0, 1)
        ]
        covariance = [[second[i][j] - mean[i] * mean[j] for j in (0, 1)] for i in (0, 1)]
    return np.array(mean, dtype=float), np.array(covariance, dtype=float)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_posterior_equals_brute_force_in_many_digits(sigma: float) -> None:
    places, data = few_points()
    found = posterior(places, data, sigma)
    size = np.abs(data).max()
    diameter = 2.0 * size
    for x, mean, covariance in zip(places, found.mean, found.covariance, strict=True):
        # A squared distance D is rounded by some eps·D; a weight's relative error is that of its
        # exponent, D/2σ², as long as another weight is not vanishingly small beside it.
        D = np.square(x - data).sum(axis=1).max()
        slip = min(1.0, 8 * EPS * (1.0 + D / (2.0 * sigma**2)))
        best_mean, best_covariance = in_many_digits(x, data, sigma)
        assert np.abs(mean - best_mean).max() <= slip * diameter
        assert np.abs(covariance - best_covariance).max() <= slip * diameter**2


def test_brute_force_pins_down_most_places() -> None:
    # The tolerance above grows with D/σ²; here it is shown to be tight where figures are drawn.
    places, data = few_points()
    for sigma in (0.25, 1.0, 10.0):
        found = posterior(places[:-3], data, sigma)
        best = [in_many_digits(x, data, sigma) for x in places[:-3]]
        assert np.abs(found.mean - [mean for mean, _ in best]).max() < 1e-13
        assert np.abs(found.covariance - [covariance for _, covariance in best]).max() < 1e-13


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_the_covariance_keeps_its_digits_far_from_the_origin(offset: float) -> None:
    # Σwyyᵀ − r*r*ᵀ would be off by eps·offset² here: 2e-4 at 1e6.
    places, data = few_points()
    places = places[:-3]
    moved = posterior(places + offset, data + offset, 0.25)
    # The moved points are rounded by eps·offset; C* answers within |∂C*/∂x| ≤ diameter³/σ⁴ of that.
    assert np.abs(moved.covariance - posterior(places, data, 0.25).covariance).max() < 2e3 * EPS * offset


def log_density(x: np.ndarray, data: np.ndarray, sigma: float) -> np.ndarray:
    """log p_σ(x) up to a constant."""
    return logsumexp(-np.square(x[:, None] - data).sum(axis=-1) / (2.0 * sigma**2), axis=1)


@pytest.mark.parametrize("sigma", [0.05, 0.25, 1.0, 10.0])
def test_the_mean_is_the_place_moved_up_the_log_density(sigma: float) -> None:
    """r*(x) = x + σ²∇log p_σ(x) (Miyasawa 1961)."""
    data = spiral(151, 1.5)
    places = data[::10] + sigma * np.random.default_rng(1).standard_normal((16, 2))
    found = posterior(places, data, sigma)
    h = 1e-4 * sigma
    for k in (0, 1):
        step = h * np.eye(2)[k]
        slope = (log_density(places + step, data, sigma) - log_density(places - step, data, sigma)) / (2 * h)
        # σ²·(h²/6)·|∂³log p| ≤ σ²·(h²/6)·diameter³/σ⁶ (a third cumulant) plus σ²·eps·|log p|/h.
        diameter = 4.0 if sigma >= 1.0 else 2.0  # small noise sees a part of the spiral at once
        bound = h**2 / 6.0 * diameter**3 / sigma**4 + sigma**2 * 1e3 * EPS / h
        assert bound < 2e-4 * max(1.0, sigma)
        assert np.abs(places[:, k] + sigma**2 * slope - found.mean[:, k]).max() < bound


@pytest.mark.parametrize("sigma", [0.05, 0.25, 1.0, 10.0])
def test_the_covariance_is_the_slope_of_the_mean(sigma: float) -> None:
    """Cov*(x) = σ² ∂r*/∂x."""
    data = spiral(151, 1.5)
    places = data[::10] + sigma * np.random.default_rng(2).standard_normal((16, 2))
    found = posterior(places, data, sigma)
    h = 1e-4 * sigma
    for k in (0, 1):
        step = h * np.eye(2)[k]
        slope = (posterior(places + step, data, sigma).mean - posterior(places - step, data, sigma).mean) / (
            2 * h
        )
        # As above with a fourth cumulant: σ²·(h²/6)·diameter⁴/σ⁶, plus σ²·eps·diameter/h.
        diameter = 4.0 if sigma >= 1.0 else 2.0
        bound = h**2 / 6.0 * diameter**4 / sigma**4 + 100.0 * sigma**2 * EPS / h
        assert bound < 2e-3
        assert np.abs(sigma**2 * slope - found.covariance[:, :, k]).max() < bound


def test_small_noise_gives_the_nearest_point() -> None:
    data = spiral(60, 1.5)
    places = np.random.default_rng(3).uniform(-3.0, 3.0, (200, 2))
    squared = np.square(places[:, None] - data).sum(axis=-1)
    nearest, second = np.sort(squared, axis=1)[:, :2].T
    sigma = 1e-3
    clear = second - nearest > 80.0 * sigma**2  # the second point weighs less than e^−40 ≈ 4e-18
    assert clear.mean() > 0.95
    found = posterior(places, data, sigma)
    assert np.abs(found.mean - data[squared.argmin(axis=1)])[clear].max() < 1e-14
    assert found.variance[clear].max() < 1e-14


def test_large_noise_gives_the_mean_of_all_points() -> None:
    data = spiral(60, 1.5)
    places = np.random.default_rng(4).uniform(-3.0, 3.0, (50, 2))
    found = posterior(places, data, 1e4)
    # The first order in 1/σ²: r* ≈ ȳ + Cov(y)(x − ȳ)/σ², with |Cov| < 2 and |x − ȳ| < 7: 1.4e-7.
    assert np.abs(found.mean - data.mean(axis=0)).max() < 2e-7
    assert np.abs(found.covariance - np.cov(data.T, bias=True)).max() < 1e-6


@pytest.mark.parametrize("sigma", [1e-4, 0.25, 10.0])
def test_one_point_is_always_the_answer(sigma: float) -> None:
    point = np.array([[0.3, -0.7]])
    found = posterior(np.array([[0.3, -0.7], [5.0, 5.0], [-900.0, 0.0]]), point, sigma)
    assert np.array_equal(found.mean, np.repeat(point, 3, axis=0))
    assert np.array_equal(found.variance, np.zeros(3))
    assert np.array_equal(exact_ambiguity(found, sigma), np.zeros(3))


def test_halfway_between_two_points_the_ambiguity_has_a_closed_form() -> None:
    """Two points ±d on the first axis: r* = d·tanh(d·x/σ²), so a* = (d/σ)²·(1 − tanh²)."""
    d, sigma = 0.5, 0.25
    places = np.column_stack((np.linspace(-1.0, 1.0, 21), np.linspace(-3.0, 3.0, 21)))
    found = posterior(places, np.array([[-d, 0.0], [d, 0.0]]), sigma)
    t = np.tanh(d * places[:, 0] / sigma**2)
    # A few roundings of numbers up to the squared distance over σ², 150.
    assert np.abs(found.mean - np.column_stack((d * t, np.zeros(21)))).max() < 1e-13
    assert np.abs(exact_ambiguity(found, sigma) - (d / sigma) ** 2 * (1.0 - t**2)).max() < 1e-12


@given(st.data())
def test_the_closed_form_eigenvalue_equals_eigvalsh(data: st.DataObject) -> None:
    a, b, d = data.draw(hnp.arrays(float, (3, 20), elements=st.floats(-1e6, 1e6)))
    best = np.linalg.eigvalsh(np.stack([np.stack([a, b], -1), np.stack([b, d], -1)], -2))[:, -1]
    scale = np.abs([a, b, d]).max(axis=0)
    # Both are backward stable: a few roundings of the largest entry, or of the smallest numbers there are.
    assert (np.abs(largest_eigenvalue(a, d, b) - best) <= 16 * EPS * scale + 1e-300).all()


def test_the_ambiguity_is_the_largest_eigenvalue_over_the_noise() -> None:
    data = spiral(151, 1.5)
    places = np.random.default_rng(5).uniform(-2.0, 2.0, (300, 2))
    found = posterior(places, data, 0.25)
    best = np.linalg.eigvalsh(found.covariance)[:, -1] / 0.25**2
    assert np.abs(exact_ambiguity(found, 0.25) - best).max() < 1e-12  # roundings of values up to 10
    # The words of the design: about 1 along the curve, well above 1 between the arms.
    assert 0.8 < np.median(exact_ambiguity(posterior(data, data, 0.1), 0.1)) < 1.2
    between = data[100:140] * (1.0 - 0.5 / np.hypot(*data[100:140].T))[:, None]
    assert exact_ambiguity(posterior(between, data, 0.25), 0.25).min() > 2.0


@pytest.mark.parametrize("block", [1, 150, 151, 1000])
def test_the_size_of_the_blocks_does_not_show(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = spiral(151, 1.5)
    places = np.random.default_rng(6).uniform(-2.0, 2.0, (97, 2))
    whole = posterior(places, data, 0.25)
    monkeypatch.setattr(truth, "_BLOCK", block)
    parts = posterior(places, data, 0.25)
    # Sums of 151 numbers up to 4 may be added in another order.
    assert np.abs(parts.mean - whole.mean).max() < 1e-14
    assert np.abs(parts.covariance - whole.covariance).max() < 1e-14


def peak(places: int, points: int) -> int:
    """Bytes that `posterior` holds at most, above what it returns."""
    x, data = np.zeros((places, 2)), spiral(points, 1.5)
    tracemalloc.start()
    found = posterior(x, data, 0.25)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most - found.mean.nbytes - found.covariance.nbytes


def test_memory_does_not_grow_with_grid_times_points() -> None:
    one_block = peak(20, 1_000)  # as many weights as one block has
    assert one_block > 2 * 8 * 20_000  # the measurement sees the weights, 160 kB an array
    # A block and what is left of the block before it, but never a hundred blocks.
    assert peak(2_000, 1_000) < 2.0 * one_block
    assert peak(100, 20_000) < 2.0 * one_block
    assert 2.0 * one_block < 3e6


@pytest.mark.parametrize("sigma", [0.0, -0.25, float("nan")])
def test_without_noise_there_is_no_posterior(sigma: float) -> None:
    with pytest.raises(ValueError, match="noise above 0"):
        posterior(np.zeros((1, 2)), np.zeros((1, 2)), sigma)


def test_the_variance_is_the_trace() -> None:
    covariance = np.array([[[2.0, 0.5], [0.5, 3.0]], [[1.0, 0.0], [0.0, 0.25]]])
    assert Posterior(np.zeros((2, 2)), covariance).variance.tolist() == [5.0, 1.25]


@pytest.mark.parametrize("sigma", [1e-8, 1e-100, 1e-160, 5e-324])
def test_the_smallest_noise_gives_numbers(sigma: float) -> None:
    places, data = few_points()
    found = posterior(places, data, sigma)
    assert np.isfinite(found.mean).all()
    assert np.isfinite(found.covariance).all()
