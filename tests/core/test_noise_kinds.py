"""The exact denoiser of uniform and rare noise and of the nearest target, and who votes."""

from __future__ import annotations

import numpy as np
import pytest
from brute_force import few_points, in_many_digits
from fields import spiral
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import KDTree

from aeviz.core.manifolds import FloatArray
from aeviz.core.truth import Denoiser

EPS = np.finfo(float).eps
KINDS = ["gaussian", "uniform", "rare"]


def votes(denoiser: Denoiser, x: float, y: float) -> FloatArray:
    return denoiser.place(np.array([[x, y]]))[1]


def likelihoods(kind: str, x: FloatArray, data: FloatArray, sigma: float) -> FloatArray:
    """p(x|y_i), (M, N), from scipy's densities."""
    away = x[:, None] - data
    if kind == "uniform":
        box = stats.uniform(-np.sqrt(3.0) * sigma, 2.0 * np.sqrt(3.0) * sigma)
        return box.pdf(away).prod(axis=-1)
    usual, rare = (stats.multivariate_normal(np.zeros(2), s**2 * np.eye(2)) for s in (sigma, 10.0 * sigma))
    return usual.pdf(away) if kind == "gaussian" else 0.95 * usual.pdf(away) + 0.05 * rare.pdf(away)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sigma", [0.1, 0.25, 1.0])
def test_the_posterior_is_bayes_rule(kind: str, sigma: float) -> None:
    data = spiral(151)
    places = np.random.default_rng(0).uniform(-2.5, 2.5, (300, 2))
    p = likelihoods(kind, places, data, sigma)
    known = p.sum(axis=1) > 1e-250  # scipy's densities, not being logarithms, end there
    assert known.sum() > 50
    weights = p[known] / p[known].sum(axis=1, keepdims=True)
    mean = weights @ data
    away = data - mean[:, None]
    covariance = np.einsum("mn,mni,mnj->mij", weights, away, away)
    found = Denoiser(data, sigma, kind).at(places)
    # Exponents here are up to 600, whose eps, 1e-13, is the relative error of a weight.
    assert np.abs(found.mean[known] - mean).max() < 1e-12
    assert np.abs(found.covariance[known] - covariance).max() < 1e-12
    assert np.abs(found.log_density[known] - np.log(p[known].mean(axis=1))).max() < 1e-12


def test_where_uniform_noise_moves_no_point_nothing_is_known() -> None:
    data, sigma = spiral(151), 0.1
    places = np.random.default_rng(1).uniform(-2.5, 2.5, (500, 2))
    reached = (np.abs(places[:, None] - data).max(axis=-1) < np.sqrt(3.0) * sigma).any(axis=1)
    assert 0.2 < reached.mean() < 0.8
    found = Denoiser(data, sigma, "uniform").at(places)
    assert np.array_equal(np.isfinite(found.mean).all(axis=1), reached)
    assert np.isnan(found.mean[~reached]).all()
    assert np.isnan(found.variance[~reached]).all()
    assert (found.log_density[~reached] == -np.inf).all()
    assert np.isfinite(found.log_density[reached]).all()
    assert found.ambiguity is None  # its r* is a stair: where it has a slope at all, that is 0


@pytest.mark.parametrize("far", [0.0, 1e6, -3e9])
def test_far_from_the_origin_uniform_noise_stays_within_its_box(far: float) -> None:
    """y + σε is rounded there, and was then out of the reach of the very point that it came from."""
    sigma, rng = 1e-4 if abs(far) < 1e9 else 1e-2, np.random.default_rng(0)
    data = far + np.arange(10.0).reshape(5, 2)
    edges = np.sqrt(3.0) * sigma * rng.choice([-1.0, 1.0], (2_000, 2))
    origin = rng.integers(0, 5, len(edges))
    found = Denoiser(data, sigma, "uniform").at(data[origin] + edges)
    assert np.array_equal(found.mean, data[origin])  # no other point can have come there


def test_uniform_votes_are_equal() -> None:
    data, sigma = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 4.0], [9.0, 9.0]]), 2.0 / np.sqrt(3.0)
    denoiser = Denoiser(data, sigma, "uniform")  # each coordinate within 2
    assert votes(denoiser, 0.5, 1.5).tolist() == [0.5, 0.5, 0.0, 0.0]
    assert votes(denoiser, -1.5, 0.5).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert np.abs(votes(denoiser, 0.5, 1.999999) - [0.5, 0.5, 0.0, 0.0]).max() == 0.0
    assert denoiser.at(np.array([[0.5, 1.5]])).mean.tolist() == [[0.5, 0.0]]


# Rare noise


@pytest.mark.parametrize("sigma", [1e-3, 0.02, 0.25, 1.0, 10.0])
def test_the_posterior_of_rare_noise_equals_brute_force_in_many_digits(sigma: float) -> None:
    places, data = few_points()
    found = Denoiser(data, sigma, "rare").at(places)
    diameter = 2.0 * np.abs(data).max()
    for x, mean, covariance in zip(places, found.mean, found.covariance, strict=True):
        # As for Gaussian noise: D² is rounded by some eps·D². The likelihood's logarithm is at least that
        # of its rare part, and so its exponent at most D²/200σ² + log(20·100), which is 7.6.
        D = np.sqrt(np.square(x - data).sum(axis=1).max())
        slip = min(1.0, 8 * EPS * (7.6 + D**2 / (200.0 * sigma**2)))
        best = in_many_digits(x, data, sigma, "rare")
        assert np.abs(mean - best.mean).max() <= slip * diameter
        assert np.abs(covariance - best.covariance).max() <= slip * diameter**2


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.25, 1.0])
def test_the_ambiguity_of_rare_noise_is_the_slope_of_the_mean(sigma: float) -> None:
    """a* = λ_max of the symmetric part of ∂r*/∂x, that by central differences."""
    denoiser = Denoiser(spiral(151), sigma, "rare")
    rng = np.random.default_rng(2)
    places = np.concatenate((
        denoiser.data[::10] + sigma * rng.standard_normal((16, 2)),
        denoiser.data[::5] + 3.5 * sigma * rng.standard_normal((31, 2)),  # where usual turns into rare
    ))  # fmt: skip
    h = 1e-4 * sigma
    J = np.stack([
        (denoiser.at(places + h * e).mean - denoiser.at(places - h * e).mean) / (2.0 * h) for e in np.eye(2)
    ], axis=-1)  # fmt: skip
    best = np.linalg.eigvalsh(0.5 * (J + J.transpose(0, 2, 1)))[:, -1]
    found = denoiser.at(places).ambiguity
    assert found is not None
    # (h²/6)·|∂³r*| ≤ (h²/6)·diameter·(diameter/σ²)³, of the points within 10σ, which have a say; and the
    # mean's rounding, some eps·diameter, over h.
    diameter = min(4.0, 20.0 * sigma)
    bound = h**2 / 6.0 * diameter**4 / sigma**6 + 1e3 * EPS * diameter / h
    assert bound < 1e-2
    assert np.abs(found - best).max() < bound
    assert np.ptp(best) > 0.5  # there is something to be wrong about


def test_far_away_rare_noise_is_wide_gaussian_noise() -> None:
    data, sigma = spiral(60), 0.1
    angle = np.linspace(0.0, 2.0 * np.pi, 20)
    places = 4.0 * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    found = Denoiser(data, sigma, "rare").at(places)
    wide = Denoiser(data, 10.0 * sigma, "gaussian").at(places)
    # All points are at least 2, that is 20σ, away: usual noise weighs e^(−198) of rare noise. Then sums
    # of 60 numbers of relative error some eps·(exponents up to 18).
    assert np.abs(found.mean - wide.mean).max() < 1e-12
    assert np.abs(found.covariance - wide.covariance).max() < 1e-12
    assert np.abs(found.log_density - wide.log_density - np.log(0.05)).max() < 1e-12
    assert found.ambiguity is not None
    assert wide.ambiguity is not None
    assert np.abs(found.ambiguity - wide.ambiguity).max() < 1e-12


# The nearest target


@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_target_is_the_nearest_point_without_doubt(kind: str) -> None:
    data = spiral(151)
    places = np.random.default_rng(3).uniform(-3.0, 3.0, (500, 2))
    found = Denoiser(data, 0.1, kind, "nearest").at(places)
    distance, nearest = KDTree(data).query(places, k=2)
    clear = np.diff(distance, axis=1)[:, 0] > 1e-12  # a tie may be told either way
    assert clear.mean() > 0.99
    assert np.array_equal(found.mean[clear], data[nearest[clear, 0]])
    assert np.array_equal(found.covariance, np.zeros((500, 2, 2)))
    assert np.array_equal(found.variance, np.zeros(500))
    assert found.ambiguity is None
    # Where noisy points fall does not depend on what is asked of the network.
    assert np.array_equal(found.log_density, Denoiser(data, 0.1, kind).at(places).log_density)


def test_the_nearest_point_has_the_only_vote() -> None:
    denoiser = Denoiser(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]]), 5.0, "gaussian", "nearest")
    assert votes(denoiser, 0.6, 0.1).tolist() == [0.0, 1.0, 0.0]


# Votes and sketches


@pytest.mark.parametrize("target", ["original", "nearest"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_votes_are_shares_that_make_up_the_mean(kind: str, target: str) -> None:
    denoiser = Denoiser(spiral(151), 0.3, kind, target)
    for x in denoiser.data[::15] + 0.2 * np.random.default_rng(4).standard_normal((11, 2)):
        there, weights = denoiser.place(x[None])
        assert weights.shape == (151,)
        assert weights.min() >= 0.0
        assert abs(weights.sum() - 1.0) < 1e-14  # 151 roundings of parts of 1
        alone = denoiser.at(x[None])
        assert np.abs(weights @ denoiser.data - alone.mean[0]).max() < 1e-14
        for name in ("mean", "covariance", "log_density", "ambiguity"):
            assert np.array_equal(getattr(there, name), getattr(alone, name))
        assert (
            (there.ambiguity is not None)
            == denoiser.is_smooth
            == (kind != "uniform" and target == "original")
        )


@given(st.integers(1, 3_000), st.integers(1, 3_000))
def test_a_thinned_denoiser_knows_every_kth_point(points: int, most: int) -> None:
    denoiser = Denoiser(spiral(points), 0.3, "rare", "nearest")
    thinned = denoiser.thinned(most)
    assert (thinned.noise, thinned.kind, thinned.target) == (0.3, "rare", "nearest")
    count = len(thinned.data)
    assert min(points, most) / 2 <= count <= most
    assert any(np.array_equal(thinned.data, denoiser.data[::k]) for k in range(1, points + 1))
