"""The density of the noisy points: brute force in many digits, its slope, and that it is a density."""

from __future__ import annotations

import numpy as np
import pytest
from brute_force import few_points, in_many_digits
from fields import spiral

from aeviz.core.corruption import draw
from aeviz.core.truth import Denoiser

EPS = np.finfo(float).eps
KINDS = ["gaussian", "uniform", "rare"]


@pytest.mark.parametrize("kind", ["gaussian", "rare"])
@pytest.mark.parametrize("sigma", [1e-4, 1e-3, 0.02, 0.25, 1.0, 10.0])
def test_the_log_density_equals_brute_force_in_many_digits(sigma: float, kind: str) -> None:
    places, data = few_points()
    found = Denoiser(data, sigma, kind).at(places).log_density
    best = np.array([in_many_digits(x, data, sigma, kind).log_density for x in places])
    assert np.abs(best).max() > (1e3 if sigma < 10.0 else 10.0)  # far away is far
    # The nearest point's exponent is rounded by a few eps of itself, and it is most of the logarithm;
    # the rest, log(2πσ²N) and the sum of the weights, has a size of up to 20.
    assert (np.abs(found - best) <= 4 * EPS * (np.abs(best) + 20.0)).all()


@pytest.mark.parametrize("sigma", [0.05, 0.25, 1.0, 10.0])
def test_the_mean_is_the_place_moved_up_the_log_density(sigma: float) -> None:
    """r*(x) = x + σ²∇log p_σ(x) (Miyasawa 1961)."""
    denoiser = Denoiser(spiral(151), sigma)
    places = denoiser.data[::10] + sigma * np.random.default_rng(1).standard_normal((16, 2))
    found = denoiser.at(places)
    h = 1e-4 * sigma
    for k in (0, 1):
        step = h * np.eye(2)[k]
        slope = (denoiser.at(places + step).log_density - denoiser.at(places - step).log_density) / (2 * h)
        # σ²·(h²/6)·|∂³log p| ≤ σ²·(h²/6)·diameter³/σ⁶ (a third cumulant) plus σ²·eps·|log p|/h.
        diameter = 4.0 if sigma >= 1.0 else 2.0  # small noise sees a part of the spiral at once
        bound = h**2 / 6.0 * diameter**3 / sigma**4 + sigma**2 * 1e3 * EPS / h
        assert bound < 2e-4 * max(1.0, sigma)
        assert np.abs(places[:, k] + sigma**2 * slope - found.mean[:, k]).max() < bound


@pytest.mark.parametrize("kind", KINDS)
def test_the_density_is_one_over_the_plane(kind: str) -> None:
    # Uniform noise is flat within boxes of side 2, whose edges lie between the grid's places: the sum
    # over the grid is exact. Of Gaussians, with four steps to the narrowest one's σ, it is exact up to
    # e^(−2π²·16), and the widest one's tail beyond eight of its σ weighs 1e-14.
    data = np.array([[0.0, 0.0], [1.0, 0.5], [-0.5, 2.0]])
    sigma = 1.0 / np.sqrt(3.0) * (1.0 + 1e-12)  # its boxes' edges are 1 away from their points
    h = 0.125
    reach = 8.0 * sigma * (10.0 if kind == "rare" else 1.0) + 2.0
    axis = np.arange(-np.ceil(reach), np.ceil(reach), h) + 0.5 * h
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(Denoiser(data, sigma, kind).at(places).log_density)
    assert abs(density.sum() * h**2 - 1.0) < 1e-11


@pytest.mark.parametrize("kind", KINDS)
def test_the_density_is_that_of_the_noisy_points(kind: str) -> None:
    """The share of drawn noisy points in a box is the density's integral over it."""
    data, sigma, n = spiral(20), 0.3, 200_000
    rng = np.random.default_rng(11)
    noisy = data[rng.integers(len(data), size=n)] + sigma * draw(rng, kind, n)
    h = 0.0025
    for x, y in ((-1.0, 0.0), (0.5, 0.5), (1.0, -1.0)):
        axis = np.arange(0.0, 0.5, h) + 0.5 * h
        places = np.stack(np.meshgrid(x + axis, y + axis), axis=-1).reshape(-1, 2)
        share = np.exp(Denoiser(data, sigma, kind).at(places).log_density).sum() * h**2
        drawn = ((noisy >= (x, y)) & (noisy < (x + 0.5, y + 0.5))).all(axis=1).mean()
        # Five standard errors of the draw. And uniform noise fills boxes of area 12σ² round each point:
        # each of a box's edges, up to four of length a half, is placed wrongly by up to half a step.
        cut = 4 * 0.5 * 0.5 * h / (12.0 * sigma**2) if kind == "uniform" else 0.0
        assert abs(drawn - share) < 5 * np.sqrt(share / n) + cut < 0.2 * share
