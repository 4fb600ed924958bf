"""The numbers of a training, each computed again from its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from aeviz.core.corruption import probe_noisy
from aeviz.core.field import Grid
from aeviz.core.manifolds import clean_data
from aeviz.core.metrics import Quality, Reference
from aeviz.core.settings import Settings
from aeviz.core.truth import exact_ambiguity, posterior
from aeviz.learn.measure import measure
from aeviz.learn.training import Training


def trained(settings: Settings, epochs: int) -> Training:
    training = Training(settings, clean_data(settings))
    for _ in itertools.islice(training.epochs(), epochs):
        pass
    return training


def measured(training: Training) -> Quality:
    settings, data = training.settings, clean_data(training.settings)
    return measure(training.network, training.average, Reference.of(settings, data), settings.threshold)


def test_every_number_is_what_its_name_says() -> None:
    settings = Settings(hidden=(16,), code=16, grid=(20, 17), threshold=1.7)
    training, data = trained(settings, 150), clean_data(settings)
    found = measured(training)

    probe = probe_noisy(settings, data)
    truth = posterior(probe, data, settings.noise)
    floor = (truth.covariance[:, 0, 0] + truth.covariance[:, 1, 1]).mean()
    error = np.square(training.network.reconstruct(training.average, probe) - truth.mean).sum(axis=1).mean()
    places = Grid.home(settings).points
    near = np.sqrt(np.square(places[:, None] - data).sum(axis=-1)).min(axis=1) <= 3.0 * settings.noise
    learned = near & (training.network.field(training.average, places)[1] > 1.7)
    best = near & (exact_ambiguity(posterior(places, data, settings.noise), settings.noise) > 1.7)

    assert abs(found.bayes_floor - floor) < 1e-12
    assert abs(found.excess_risk - error / floor) < 1e-12
    assert found.midline_iou == (learned & best).sum() / (learned | best).sum()
    assert 0.0 < found.midline_iou < 1.0


def test_the_default_settings_find_the_midline() -> None:
    settings = Settings()
    found = measured(trained(settings, 1_000))
    assert found.midline_iou > 0.75  # the design measured 0.86 after 3,000 steps
    assert found.excess_risk < 0.05


@pytest.mark.parametrize("settings", [Settings(noise=0.0), Settings(points=1)])
def test_without_an_exact_reference_the_figures_are_hidden(settings: Settings) -> None:
    found = measured(trained(settings, 2))
    assert found.excess_risk is None
    if settings.noise == 0.0:
        assert found.bayes_floor is None
        assert found.midline_iou is None
    else:  # one point, and never in doubt; the network is, at first
        assert (found.bayes_floor, found.midline_iou) == (0.0, 0.0)


def test_the_floor_of_a_cross_entropy_is_what_the_exact_denoiser_pays() -> None:
    settings = Settings(cost="bce", hidden=(16,), code=16, noise=0.1)
    training, data = trained(settings, 400), clean_data(settings)
    found = measured(training)

    probe = probe_noisy(settings, data)
    weights = np.exp(-np.square(probe[:, None] - data).sum(axis=-1) / (2.0 * 0.1**2))
    weights /= weights.sum(axis=1, keepdims=True)
    exact = weights @ data
    # The mean of −y log r* − (1 − y) log(1 − r*) over the points y that may have been meant.
    inside = np.clip(exact, 1e-300, 1.0 - 1e-16)
    costs = -(data[None] * np.log(inside)[:, None] + (1.0 - data[None]) * np.log(1.0 - inside)[:, None])
    floor = (weights[..., None] * costs).sum(axis=(1, 2)).mean()
    variance = (weights @ np.square(data).sum(axis=1) - np.square(exact).sum(axis=1)).mean()
    error = np.square(training.network.reconstruct(training.average, probe) - exact).sum(axis=1).mean()
    assert abs(found.bayes_floor - floor) < 1e-9
    assert abs(found.excess_risk - error / variance) < 1e-9
    assert training.loss > 0.9 * floor  # of 151 noisy points
    assert found.excess_risk < 0.3  # the minimiser is the same posterior mean
