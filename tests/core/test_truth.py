"""The exact denoiser of Gaussian noise: brute force in many digits, finite differences, its limits."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from brute_force import FAR, few_points, in_many_digits
from fields import spiral
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aeviz.core import truth
from aeviz.core.clean_data import CleanData
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, Posterior, finish, largest_eigenvalue

EPS = np.finfo(float).eps
SIGMAS = [1e-4, 1e-3, 0.02, 0.25, 1.0, 10.0]


def ambiguity(data: FloatArray, sigma: float, places: FloatArray) -> FloatArray:
    found = Denoiser(data, sigma).at(places).ambiguity
    assert found is not None
    return found


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_posterior_equals_brute_force_in_many_digits(sigma: float) -> None:
    places, data = few_points()
    found = Denoiser(data, sigma).at(places)
    diameter = 2.0 * np.abs(data).max()
    for x, mean, covariance in zip(places, found.mean, found.covariance, strict=True):
        # A weight's relative error is that of its exponent, as long as another weight is not vanishingly
        # small beside it. A squared distance D² is rounded by some eps·D², that is eps·D²/2σ² of the
        # exponent; where this is more than 1e-9, differences from the nearest point's are taken, which
        # are rounded by eps·D·diameter.
        D = np.sqrt(np.square(x - data).sum(axis=1).max())
        plain, from_nearest = D**2 / (2.0 * sigma**2), D * diameter / sigma**2
        slip = min(1.0, 8 * EPS * (1.0 + plain), 1e-8 + 8 * EPS * (1.0 + from_nearest))
        best = in_many_digits(x, data, sigma)
        assert np.abs(mean - best.mean).max() <= slip * diameter
        assert np.abs(covariance - best.covariance).max() <= slip * diameter**2


def test_brute_force_pins_down_most_places() -> None:
    # The tolerance above grows with D/σ²; here it is shown to be tight where figures are drawn.
    places, data = few_points()
    for sigma in (0.25, 1.0, 10.0):
        found = Denoiser(data, sigma).at(places[:-FAR])
        best = [in_many_digits(x, data, sigma) for x in places[:-FAR]]
        assert np.abs(found.mean - [each.mean for each in best]).max() < 1e-13
        assert np.abs(found.covariance - [each.covariance for each in best]).max() < 1e-13


@pytest.mark.parametrize("distance", [1e2, 1e3, 1e5, 1e8])
def test_far_from_the_data_the_weights_keep_their_digits(distance: float) -> None:
    """Two points (0, ±d), seen from (D, b): r* = (0, d·tanh(d·b/σ²)), however large D is."""
    d, sigma = 0.5, 0.25
    b = np.linspace(-0.3, 0.3, 7)
    found = Denoiser(np.array([[0.0, -d], [0.0, d]]), sigma).at(np.column_stack((np.full(7, distance), b)))
    t = np.tanh(d * b / sigma**2)
    # Squared distances would be off by eps·D²: at 1e5 by 2e-6, and at 1e8 by all that makes a difference.
    # Up to 1e-9 of the exponent's error is let pass for speed, where D is below some 700.
    bound = 1e-9 if distance < 700 else 1e-14
    assert np.abs(found.mean - np.column_stack((np.zeros(7), d * t))).max() < bound
    assert np.abs(found.covariance[:, 1, 1] - d**2 * (1.0 - t**2)).max() < bound
    assert found.ambiguity is not None
    assert np.abs(found.ambiguity - (d / sigma) ** 2 * (1.0 - t**2)).max() < bound / sigma**2


@given(
    st.integers(2, 12), st.floats(0.01, 3.0), st.floats(0.0, 6.3), st.floats(-5.0, 5.0),
    st.sampled_from([1e-9, 1e-6, 1e-3]),
)  # fmt: skip
def test_far_away_ties_are_told_in_numbers(
    corners: int, radius: float, turn: float, shift: float, sigma: float
) -> None:
    """From the middle of a polygon all corners are equally far, up to σ times 10⁹."""
    angle = turn + np.arange(corners) * 2.0 * np.pi / corners
    middle = np.array([shift, -shift])
    data = middle + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    found, weights = Denoiser(data, sigma).place(middle[None])
    assert weights.min() >= 0.0
    assert abs(weights.sum() - 1.0) < 1e-14
    assert found.ambiguity is not None
    for numbers in (found.mean, found.covariance, found.log_density, found.ambiguity):
        assert np.isfinite(numbers).all()
    assert np.abs(found.mean[0] - weights @ data).max() < 1e-14
    assert np.hypot(*(found.mean[0] - middle)) <= radius * (1.0 + 1e-12) + 1e-14


@pytest.mark.parametrize("sigma", [1e-9, 1e-4, 0.25])
def test_two_points_that_are_equally_far_are_told_alike(sigma: float) -> None:
    x = np.array([[0.0, 0.0], [0.0, 3.0], [0.0, -1e4]])  # without rounding
    data = np.array([[-0.5, 0.25], [0.5, 0.25]])
    found = Denoiser(data, sigma).at(x)
    assert np.array_equal(found.mean, np.tile([0.0, 0.25], (3, 1)))
    assert np.array_equal(found.covariance, np.tile([[0.25, 0.0], [0.0, 0.0]], (3, 1, 1)))


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_the_covariance_keeps_its_digits_far_from_the_origin(offset: float) -> None:
    # Σwyyᵀ − r*r*ᵀ would be off by eps·offset² here: 2e-4 at 1e6.
    places, data = few_points()
    places = places[:-FAR]
    moved = Denoiser(data + offset, 0.25).at(places + offset)
    # The moved points are rounded by eps·offset; C* answers within |∂C*/∂x| ≤ diameter³/σ⁴ of that.
    assert np.abs(moved.covariance - Denoiser(data, 0.25).at(places).covariance).max() < 2e3 * EPS * offset


@pytest.mark.parametrize("sigma", [0.05, 0.25, 1.0, 10.0])
def test_the_covariance_is_the_slope_of_the_mean(sigma: float) -> None:
    """Cov*(x) = σ² ∂r*/∂x."""
    denoiser = Denoiser(spiral(151), sigma)
    places = denoiser.data[::10] + sigma * np.random.default_rng(2).standard_normal((16, 2))
    found = denoiser.at(places)
    h = 1e-4 * sigma
    for k in (0, 1):
        step = h * np.eye(2)[k]
        slope = (denoiser.at(places + step).mean - denoiser.at(places - step).mean) / (2 * h)
        # A fourth cumulant, σ²·(h²/6)·diameter⁴/σ⁶, plus σ²·eps·diameter/h.
        diameter = 4.0 if sigma >= 1.0 else 2.0  # small noise sees a part of the spiral at once
        bound = h**2 / 6.0 * diameter**4 / sigma**4 + 100.0 * sigma**2 * EPS / h
        assert bound < 2e-3
        assert np.abs(sigma**2 * slope - found.covariance[:, :, k]).max() < bound


def test_small_noise_gives_the_nearest_point() -> None:
    data = spiral(60)
    places = np.random.default_rng(3).uniform(-3.0, 3.0, (200, 2))
    squared = np.square(places[:, None] - data).sum(axis=-1)
    nearest, second = np.sort(squared, axis=1)[:, :2].T
    sigma = 1e-3
    clear = second - nearest > 80.0 * sigma**2  # the second point weighs less than e^−40 ≈ 4e-18
    assert clear.mean() > 0.95
    found = Denoiser(data, sigma).at(places)
    assert np.abs(found.mean - data[squared.argmin(axis=1)])[clear].max() < 1e-14
    assert found.variance[clear].max() < 1e-14


def test_large_noise_gives_the_mean_of_all_points() -> None:
    data = spiral(60)
    places = np.random.default_rng(4).uniform(-3.0, 3.0, (50, 2))
    found = Denoiser(data, 1e4).at(places)
    # The first order in 1/σ²: r* ≈ ȳ + Cov(y)(x − ȳ)/σ², with |Cov| < 2 and |x − ȳ| < 7: 1.4e-7.
    assert np.abs(found.mean - data.mean(axis=0)).max() < 2e-7
    assert np.abs(found.covariance - np.cov(data.T, bias=True)).max() < 1e-6


@pytest.mark.parametrize("sigma", [1e-4, 0.25, 10.0])
def test_one_point_is_always_the_answer(sigma: float) -> None:
    point = np.array([[0.3, -0.7]])
    found = Denoiser(point, sigma).at(np.array([[0.3, -0.7], [5.0, 5.0], [-900.0, 0.0]]))
    assert np.array_equal(found.mean, np.repeat(point, 3, axis=0))
    assert np.array_equal(found.variance, np.zeros(3))
    assert found.ambiguity is not None
    assert np.array_equal(found.ambiguity, np.zeros(3))


def test_halfway_between_two_points_the_ambiguity_has_a_closed_form() -> None:
    """Two points ±d on the first axis: r* = d·tanh(d·x/σ²), so a* = (d/σ)²·(1 − tanh²)."""
    d, sigma = 0.5, 0.25
    places = np.column_stack((np.linspace(-1.0, 1.0, 21), np.linspace(-3.0, 3.0, 21)))
    found = Denoiser(np.array([[-d, 0.0], [d, 0.0]]), sigma).at(places)
    t = np.tanh(d * places[:, 0] / sigma**2)
    # A few roundings of numbers up to the squared distance over σ², 150.
    assert np.abs(found.mean - np.column_stack((d * t, np.zeros(21)))).max() < 1e-13
    assert found.ambiguity is not None
    assert np.abs(found.ambiguity - (d / sigma) ** 2 * (1.0 - t**2)).max() < 1e-12


@given(st.data())
def test_the_closed_form_eigenvalue_equals_eigvalsh(data: st.DataObject) -> None:
    a, b, d = data.draw(hnp.arrays(float, (3, 20), elements=st.floats(-1e6, 1e6)))
    best = np.linalg.eigvalsh(np.stack([np.stack([a, b], -1), np.stack([b, d], -1)], -2))[:, -1]
    scale = np.abs([a, b, d]).max(axis=0)
    # Both are backward stable: a few roundings of the largest entry, or of the smallest numbers there are.
    assert (np.abs(largest_eigenvalue(a, d, b) - best) <= 16 * EPS * scale + 1e-300).all()


def test_the_ambiguity_is_the_largest_eigenvalue_over_the_noise() -> None:
    data = spiral(151)
    places = np.random.default_rng(5).uniform(-2.0, 2.0, (300, 2))
    best = np.linalg.eigvalsh(Denoiser(data, 0.25).at(places).covariance)[:, -1] / 0.25**2
    assert np.abs(ambiguity(data, 0.25, places) - best).max() < 1e-12  # roundings of values up to 10
    # The words of the design: about 1 along the curve, well above 1 between the arms.
    assert 0.8 < np.median(ambiguity(data, 0.1, data)) < 1.2
    between = data[100:140] * (1.0 - 0.5 / np.hypot(*data[100:140].T))[:, None]
    assert ambiguity(data, 0.25, between).min() > 2.0


def test_the_variance_is_the_trace() -> None:
    covariance = np.array([[[2.0, 0.5], [0.5, 3.0]], [[1.0, 0.0], [0.0, 0.25]]])
    assert Posterior(np.zeros((2, 2)), covariance, np.zeros(2), None).variance.tolist() == [5.0, 1.25]


# Blocks, steps and memory


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "rare"])
@pytest.mark.parametrize("block", [1, 150, 151, 1000])
def test_the_size_of_the_blocks_does_not_show(block: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser = Denoiser(spiral(151), 0.25, kind)
    places = np.random.default_rng(6).uniform(-2.0, 2.0, (97, 2))
    whole = denoiser.at(places)
    monkeypatch.setattr(truth, "_BLOCK", block)
    parts = denoiser.at(places)
    # Sums of 151 numbers up to 4 may be added in another order.
    for name in ("mean", "covariance", "log_density"):
        one, other = getattr(parts, name), getattr(whole, name)
        known = np.isfinite(other)
        assert np.array_equal(np.isfinite(one), known)
        assert np.abs(one[known] - other[known]).max() < 1e-14


def test_work_is_done_in_steps_that_give_what_all_at_once_gives() -> None:
    denoiser = Denoiser(spiral(1_000), 0.25)
    places = np.random.default_rng(7).uniform(-2.0, 2.0, (110, 2))
    steps = denoiser.solving(places)
    taken = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
            break
        taken += 1
    assert taken == 6  # of 20,000 weights each, that is of 20 places
    assert np.array_equal(found.mean, denoiser.at(places).mean)
    assert np.array_equal(found.mean, finish(denoiser.solving(places)).mean)


def peak(places: int, points: int) -> int:
    """Bytes that `at` holds at most, above what it returns."""
    x, denoiser = np.zeros((places, 2)), Denoiser(spiral(points), 0.25)
    tracemalloc.start()
    found = denoiser.at(x)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    returned = (found.mean, found.covariance, found.log_density, found.ambiguity)
    return most - sum(array.nbytes for array in returned if array is not None)


def test_memory_does_not_grow_with_grid_times_points() -> None:
    one_block = peak(20, 1_000)  # as many weights as one block has
    assert one_block > 2 * 8 * 20_000  # the measurement sees the weights, 160 kB an array
    # A block and what is left of the block before it, but never a hundred blocks.
    assert peak(2_000, 1_000) < 2.0 * one_block
    assert peak(100, 20_000) < 2.0 * one_block
    assert 2.0 * one_block < 3e6


# Without noise


@pytest.mark.parametrize("sigma", [0.0, -0.25, float("nan")])
def test_without_noise_there_is_no_posterior(sigma: float) -> None:
    with pytest.raises(ValueError, match="noise above 0"):
        Denoiser(np.zeros((1, 2)), sigma)


def test_settings_without_noise_have_no_exact_denoiser() -> None:
    data = CleanData(spiral(5))
    assert Denoiser.of(Settings(noise=0.0), data) is None
    found = Denoiser.of(Settings(noise=0.3, noise_kind="rare", target="nearest"), data)
    assert found is not None
    assert (found.noise, found.kind, found.target) == (0.3, "rare", "nearest")
    assert found.data is data.points


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "rare"])
@pytest.mark.parametrize("sigma", [1e-8, 1e-100, 1e-160, 5e-324])
def test_the_smallest_noise_gives_numbers(sigma: float, kind: str) -> None:
    places, data = few_points()
    found = Denoiser(data, sigma, kind).at(places)
    known = np.isfinite(found.log_density)
    assert known.all() or kind == "uniform"
    assert known[6:8].all()  # on a clean point
    assert np.isfinite(found.mean[known]).all()
    assert np.isfinite(found.covariance[known]).all()
