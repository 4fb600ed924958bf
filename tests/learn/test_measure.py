"""The numbers of a training, each computed again from its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial import KDTree
from trainings import new, points_of, train

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import PROBES, probe_noisy
from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import FLOOR_PROBES, NEAR_DATA, Quality, Reference
from aeviz.core.midline import Midline
from aeviz.core.presets import preset
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish
from aeviz.learn.measure import measure
from aeviz.learn.training import Training

ROUNDING = 1e-7  # of float32: how many places are passed at once decides the last bits


def trained(settings: Settings, epochs: int) -> Training:
    training = new(settings)
    train(training, epochs)
    return training


def reference_of(settings: Settings) -> Reference:
    data = clean_data(settings)
    denoiser, tree = Denoiser.of(settings, data), KDTree(data.points)
    return finish(Reference.solving(settings, data, denoiser, midline_of(settings), tree))


def midline_of(settings: Settings) -> Midline:
    data = clean_data(settings)
    return Midline.of(data.curve, data.closed)


def home_of(settings: Settings) -> Grid:
    return Grid.home(settings, clean_data(settings))


def measured(training: Training) -> Quality:
    settings = training.settings
    return measure(training.network, training.average, reference_of(settings), settings.threshold)


def posterior(data: FloatArray, log_likelihood: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Posterior mean, (M, 2), and variance, (M,), from log p(x|y), (M, N), up to a constant."""
    weights = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    mean = weights @ data
    return mean, (weights * squares(mean, data)).sum(axis=1)


def squares(x: FloatArray, data: FloatArray) -> FloatArray:
    """‖x − y‖², (M, N)."""
    return np.square(x[:, None, 0] - data[:, 0]) + np.square(x[:, None, 1] - data[:, 1])


def gaussian(x: FloatArray, data: FloatArray, sigma: float) -> FloatArray:
    return -squares(x, data) / (2.0 * sigma**2)


def uniform(x: FloatArray, data: FloatArray, sigma: float) -> FloatArray:
    with np.errstate(divide="ignore"):
        within = [np.abs(x[:, None, k] - data[:, k]) <= np.sqrt(3.0) * sigma for k in (0, 1)]
        return np.log((within[0] & within[1]).astype(float))


def rare(x: FloatArray, data: FloatArray, sigma: float) -> FloatArray:
    """Nineteen in twenty as usual; one in twenty ten times as far, over a hundred times the area."""
    usual = gaussian(x, data, sigma)
    return np.log(0.95 * np.exp(usual) + 0.05 / 100.0 * np.exp(usual / 100.0))


LIKELIHOODS = {"gaussian": gaussian, "uniform": uniform, "rare": rare}


def draws_of(settings: Settings) -> list[FloatArray]:
    """The noisy points whose mean is the floor; the first 4,096 of them are the probe set."""
    draws = probe_noisy(settings, clean_data(settings), FLOOR_PROBES)
    return np.split(draws, FLOOR_PROBES // PROBES)


# What the numbers are


@pytest.mark.parametrize("kind", LIKELIHOODS)
def test_floor_and_excess_risk_are_what_their_names_say(kind: str) -> None:
    settings = Settings(hidden=(16,), code=16, noise_kind=kind)
    training, data = trained(settings, 150), points_of(settings)
    found = measured(training)

    draws = draws_of(settings)
    exact = [posterior(data, LIKELIHOODS[kind](some, data, settings.noise)) for some in draws]
    floor, (mean, _) = np.mean([variance for _, variance in exact]), exact[0]
    error = np.square(training.network.reconstruct(training.average, draws[0]) - mean).sum(axis=1).mean()
    assert found.bayes_floor is not None and found.excess_risk is not None
    assert abs(found.bayes_floor - floor) < 1e-10  # float64, of probes up to 10 away
    assert abs(found.excess_risk - error / floor) < 1e-10
    assert (found.midline_iou is None) == (kind == "uniform")  # whose exact map has cliffs, and no slope


def test_the_agreement_of_the_midlines_is_counted_on_the_grid() -> None:
    settings = Settings(hidden=(16,), code=16, grid=(20, 17), threshold=1.7)
    training, data = trained(settings, 150), points_of(settings)
    places, h = home_of(settings).points, 1e-5

    def exact(x: FloatArray) -> FloatArray:
        return posterior(data, gaussian(x, data, settings.noise))[0]

    steps = h * np.eye(2)
    J = np.stack([(exact(places + s) - exact(places - s)) / (2.0 * h) for s in steps], axis=-1)  # (M, 2, 2)
    best = np.linalg.eigvalsh(0.5 * (J + J.swapaxes(1, 2)))[:, -1]
    assert np.abs(best - 1.7).min() > 1e-5  # so that no rounding decides about a cell
    near = np.sqrt(squares(places, data)).min(axis=1) <= 3.0 * settings.noise
    learned = near & (training.network.field(training.average, places).ambiguity > 1.7)
    found = measured(training).midline_iou
    assert found is not None
    assert found == (learned & near & (best > 1.7)).sum() / (learned | (near & (best > 1.7))).sum()
    assert 0.0 < found < 1.0


def test_the_ridge_is_where_a_search_fifty_times_as_fine_finds_it() -> None:
    settings = Settings(hidden=(32,), code=32, batch=151)
    training = trained(settings, 600)
    whole = midline_of(settings)
    near = whole.half_gap <= 3.0 * settings.noise
    places, across, half = whole.places[near], whole.across[near], whole.half_gap[near]
    offsets = half[:, None] * np.linspace(-0.8, 0.8, 801)  # (P, 801)
    at = places[:, None] + offsets[..., None] * across[:, None]
    a = training.network.field(training.average, at.reshape(-1, 2)).ambiguity.reshape(offsets.shape)
    top = a.argmax(axis=1)
    ridge = (a.max(axis=1) > settings.threshold) & (top > 0) & (top < 800)
    best = np.abs(offsets[ridge, top[ridge]]).mean()
    found = measured(training).ridge_distance
    assert found is not None
    # A parabola through three of 17 offsets 0.05 apart; some ridges rise above τ between those alone.
    assert abs(found - best) < 0.003
    assert found > 0.02


@pytest.mark.parametrize("kind", ["gaussian", "masking", "flip"])
def test_identityness_is_how_little_places_off_the_data_move(kind: str) -> None:
    settings = Settings(hidden=(16,), code=16, noise_kind=kind, grid=(20, 17))
    training, places = trained(settings, 100), home_of(settings).points
    distance = np.sqrt(squares(places, points_of(settings))).min(axis=1)
    moved = np.hypot(*training.network.field(training.average, places).displacement.T)
    found = measured(training).identityness
    assert found is not None
    assert abs(found - (1.0 - np.minimum(moved, distance).sum() / distance.sum())) < ROUNDING
    assert 0.0 < found < 1.0


@pytest.mark.parametrize(
    "change", [{"noise_kind": "masking"}, {"noise_kind": "flip"}, {"noise": 0.0}], ids=str
)
def test_where_there_is_no_exact_denoiser_identityness_alone_is_measured(change: dict[str, Any]) -> None:
    training = trained(Settings(hidden=(16,), code=16).replace(**change), 20)
    assert reference_of(training.settings).probe is None
    found = measured(training)
    assert found.identityness is not None
    assert found == Quality(identityness=found.identityness)


def test_of_one_point_there_is_no_risk_to_measure() -> None:
    found = measured(trained(Settings(points=1), 2))
    # Never in doubt is the exact denoiser; the network is, at first.
    assert (found.bayes_floor, found.excess_risk, found.midline_iou) == (0.0, None, 0.0)


@pytest.mark.parametrize("kind", LIKELIHOODS)
def test_where_the_nearest_point_is_meant_nothing_is_in_doubt(kind: str) -> None:
    found = measured(trained(Settings(target="nearest", noise_kind=kind), 2))
    assert (found.bayes_floor, found.excess_risk, found.midline_iou) == (0.0, None, None)


def test_the_floor_of_a_cross_entropy_is_what_the_exact_denoiser_pays() -> None:
    settings = Settings(cost="bce", hidden=(16,), code=16, noise=0.1)
    training, data = trained(settings, 400), points_of(settings)
    found = measured(training)

    def exact_of(noisy: FloatArray) -> tuple[FloatArray, float, float]:
        """The exact reconstruction, its mean cost and the mean variance."""
        weights = np.exp(gaussian(noisy, data, 0.1))
        weights /= weights.sum(axis=1, keepdims=True)
        exact = weights @ data
        # The mean of −y log r* − (1 − y) log(1 − r*) over the points y that may have been meant.
        inside = np.clip(exact, 1e-300, 1.0 - 1e-16)
        each = -(np.log(inside) @ data.T + np.log(1.0 - inside) @ (1.0 - data).T)  # (M, N)
        floor = (weights * each).sum(axis=1).mean()
        return exact, floor, (weights @ np.square(data).sum(axis=1) - np.square(exact).sum(axis=1)).mean()

    draws = draws_of(settings)
    reconstructions, floors, variances = zip(*map(exact_of, draws), strict=True)
    floor, variance = np.mean(floors), np.mean(variances)
    off = training.network.reconstruct(training.average, draws[0]) - reconstructions[0]
    error = np.square(off).sum(axis=1).mean()
    assert found.bayes_floor is not None and found.excess_risk is not None
    assert abs(found.bayes_floor - floor) < 1e-9
    assert abs(found.excess_risk - error / variance) < 1e-9
    assert training.loss > 0.9 * floor  # of the noisy points of one epoch
    assert found.excess_risk < 0.3  # the minimiser is the same posterior mean


# How good they are


@pytest.mark.parametrize("seed", range(10))
def test_the_default_settings_find_the_midline_from_every_seed(seed: int) -> None:
    settings = Settings(seed=seed)
    found = measured(trained(settings, settings.epochs))
    assert found.midline_iou is not None and found.excess_risk is not None
    assert found.ridge_distance is not None
    assert found.midline_iou >= 0.85
    assert found.excess_risk < 0.01
    assert found.ridge_distance < 0.5 * min(
        home_of(settings).cell
    )  # within half a cell of the geometric midline


@pytest.mark.parametrize("seed", [0, 1])
def test_the_lectures_figure_has_the_exact_denoisers_colours(seed: int) -> None:
    settings = preset("lecture-2021").replace(seed=seed)
    training, data = trained(settings, settings.epochs), points_of(settings)
    places = home_of(settings).points
    mean, _ = posterior(data, gaussian(places, data, settings.noise))
    best = np.hypot(*(mean - places).T)
    learned = np.hypot(*training.network.field(training.average, places).displacement.T)
    # 0.013 and 0.015, measured, of colours that reach from 0 to 1: 5 of viridis's 256 shades.
    assert np.abs(learned - best).mean() < 0.02
    near = np.sqrt(squares(places, data)).min(axis=1) <= 3.0 * settings.noise
    assert np.abs(learned - best)[near].mean() < 0.012
    assert best.mean() > 0.2  # beside which that is small


@pytest.mark.parametrize("seed", [0, 1])
def test_the_midline_is_dark_where_the_origin_is_meant_and_bright_where_the_nearest_point_is(
    seed: int,
) -> None:
    """Dark, as both arms claim a place there and their mean is near; bright, as the nearer arm is far."""
    medians = {}
    for name in ("lecture-2020", "lecture-2021"):
        settings = preset(name).replace(seed=seed)
        training, home = trained(settings, settings.epochs), home_of(settings)
        midline = midline_of(settings)
        places = midline.places[midline.half_gap <= NEAR_DATA * settings.noise]
        cells = home.points[np.unique(squares(places, home.points).argmin(axis=1))]
        assert len(cells) > 30
        medians[name] = np.median(np.hypot(*training.network.field(training.average, cells).displacement.T))
    # 0.39 and 0.43 against 0.15, measured, of half a gap of 0.5.
    assert medians["lecture-2020"] >= 0.35
    assert medians["lecture-2021"] <= 0.2
