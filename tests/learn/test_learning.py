"""How the training learns: what the exact denoiser or a closed form says is reached."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from torch import Tensor
from trainings import ADDED, new, points_of, train

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import DISCRETE
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import Probe
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish
from aeviz.learn.training import Training


def probe_of(settings: Settings) -> Probe:
    data = clean_data(settings)
    denoiser = Denoiser.of(settings, data)
    assert denoiser is not None
    return finish(Probe.solving(settings, data, denoiser))


def error(training: Training, probe: Probe, weights: Tensor) -> float:
    """E ‖r(ŷ) − r*(ŷ)‖² over the probe set."""
    off = training.network.reconstruct(weights, probe.noisy) - probe.exact
    return float(np.square(off).sum(axis=1).mean())


@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_settings_reach_the_exact_denoiser(seed: int) -> None:
    settings = Settings(seed=seed)
    training, probe = new(settings), probe_of(settings)
    losses = np.array(train(training, 1_000))
    risk = error(training, probe, training.average) / probe.variance
    raw = error(training, probe, training.parameters) / probe.variance
    assert risk < 0.02
    assert risk < 0.5 * raw  # the average is what makes it
    assert losses[-100:].mean() < 0.2 * losses[0]
    # No loss goes below the floor but by chance: 200 epochs, five standard errors.
    late = losses[-200:]
    assert late.mean() > probe.bayes_floor - 5 * late.std() / np.sqrt(len(late))
    assert late.mean() < 1.3 * probe.bayes_floor


def test_of_every_kind_of_noise_its_own_exact_denoiser_is_learned() -> None:
    probes = [probe_of(Settings(noise_kind=kind)) for kind in ADDED]
    risks = np.empty((3, 3))  # of the network trained on one kind, on the probes of another
    for network, (kind, own) in enumerate(zip(ADDED, probes, strict=True)):
        training = new(Settings(noise_kind=kind))
        before = error(training, own, training.average)
        losses = np.array(train(training, 1_000))
        risks[network] = [error(training, probe, training.average) / probe.variance for probe in probes]
        assert risks[network, network] * own.variance < 0.01 * before
        late = losses[-200:]  # no lower than the floor but by chance: five standard errors
        assert late.mean() > own.bayes_floor - 5 * late.std() / np.sqrt(len(late))
        assert late.mean() < 1.3 * own.bayes_floor
    best = risks.diagonal()
    assert best.max() < 0.08  # 0.004, 0.054 and 0.020: the cliffs of the uniform one are hard to learn
    others = np.where(np.eye(3, dtype=bool), np.inf, risks).min(axis=0)
    assert (best < 0.7 * others).all()  # for each kind there is no better network than its own


@pytest.mark.parametrize("kind", ADDED)
def test_the_nearest_point_is_learned_and_the_loss_heads_for_0(kind: str) -> None:
    settings = Settings(noise_kind=kind, target="nearest")
    training, probe = new(settings), probe_of(settings)
    assert probe.bayes_floor == 0.0
    before = error(training, probe, training.average)
    early = train(training, 500)[-100:]
    between = error(training, probe, training.average)
    late = train(training, 1_500)[-100:]
    after = error(training, probe, training.average)
    # Beside 0.077, the floor where the target is the point that was corrupted.
    assert np.mean(late) < 0.006
    assert np.mean(late) < 0.75 * np.mean(early) < 0.01 * before
    assert after < 0.75 * between < 0.01 * before


def posterior_of_bits(data: FloatArray, x: FloatArray, kind: str, p: float) -> FloatArray:
    """E[y | ŷ = x] of pairs of bits, (M, 2), by Bayes' rule, corruption by corruption."""
    mean, total = np.zeros_like(x), np.zeros(len(x))
    for y, corrupted in itertools.product(data, itertools.product((False, True), repeat=2)):
        other = np.zeros(2) if kind == "masking" else 1.0 - y
        noisy = np.where(corrupted, other, y)
        likely = np.prod(np.where(corrupted, p, 1.0 - p)) * (x == noisy).all(axis=1)
        mean, total = mean + likely[:, None] * y, total + likely
    return mean / total[:, None]


@pytest.mark.parametrize("cost", ["squared", "bce"])
@pytest.mark.parametrize("kind", DISCRETE)
@pytest.mark.parametrize("data", ["corners", "xor"])
def test_of_bits_that_are_masked_or_flipped_the_posterior_is_learned(data: str, kind: str, cost: str) -> None:
    settings = Settings(data=data, noise_kind=kind, noise=0.3, cost=cost, batch=512, hidden=(16,), code=16)
    training, clean = new(settings), points_of(settings)
    places = np.array(list(itertools.product((0.0, 1.0), repeat=2)))
    if kind == "masking" and data == "xor":
        places = places[:3]  # nothing is ever masked into (1, 1)
    best = posterior_of_bits(clean, places, kind, 0.3)
    assert np.abs(best - places).max() > 0.2
    before = np.abs(training.network.reconstruct(training.average, places) - best).max()
    train(training, 600)
    found = training.network.reconstruct(training.average, places)
    # Each place has had some 20,000 draws or more in the averaged quarter: a standard error of 0.003.
    assert np.abs(found - best).max() < 0.03 < 0.2 * before


def test_frozen_noise_is_learned_by_heart_and_fresh_noise_cannot_be() -> None:
    """With the same noisy points again and again, the loss falls far below the floor of fresh noise."""
    fresh = Settings(points=40, batch=40, epochs=3_000)
    frozen, floor = fresh.replace(noise_draw="frozen"), probe_of(fresh).bayes_floor
    losses = {each.noise_draw: np.mean(train(new(each), 3_000)[-300:]) for each in (fresh, frozen)}
    assert losses["fresh"] > 0.9 * floor
    assert losses["frozen"] < 0.2 * floor


def test_a_strong_variational_regulariser_leaves_the_code_nothing_to_say() -> None:
    """With λ large, KL → 0: the code is a standard normal wherever it comes from, and r the data's mean."""
    settings = Settings(regulariser="variational", strength=10.0, hidden=(16,), code=4, points=40, batch=40)
    training, data = new(settings), points_of(settings)
    train(training, 700)
    assert training.regulariser < 0.01 * training.loss
    found = training.network.reconstruct(training.average, data)
    assert np.abs(found - data.mean(axis=0)).max() < 0.02  # of data that reach 2 from there
    spread = np.square(data - data.mean(axis=0)).sum(axis=1).mean()
    assert abs(training.loss / spread - 1.0) < 0.1


def test_a_target_that_is_changed_on_the_way_is_learned_from_there() -> None:
    original, nearest = Settings(), Settings(target="nearest")
    training, probes = new(original), {each.target: probe_of(each) for each in (original, nearest)}
    train(training, 500)
    apart = error(training, probes["nearest"], training.average)
    learned = error(training, probes["original"], training.average)
    assert learned < 0.2 * apart
    training.change(nearest)
    train(training, 500)
    assert error(training, probes["nearest"], training.average) < 0.7 * apart
    assert error(training, probes["original"], training.average) > 3.0 * learned


@pytest.mark.parametrize(("scale", "place"), [(1e-3, (0.0, 0.0)), (300.0, (1e4, -2e4))])
def test_data_of_any_size_and_place_are_learned_alike(scale: float, place: tuple[float, float]) -> None:
    settings = Settings(hidden=(16,), code=16)
    data = clean_data(settings)
    plain = Training(settings, data)
    losses = train(plain, 60)

    class Scaled(Training):
        def _begin(self, settings: Settings) -> None:
            super()._begin(settings)
            self._corrupt = plain._corrupt  # σ of more than 1 is no setting

    elsewhere = dataclasses.replace(data, points=scale * data.points + place)
    moved = Scaled(settings.replace(noise=min(1.0, scale * settings.noise)), elsewhere)
    # The same run but for the rounding of where the points lie: 3e4 has an eps of 4e-12.
    assert np.allclose(np.array(train(moved, 60)) / scale**2, losses, rtol=1e-3)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "silu", "gelu"])
def test_every_nonlinearity_learns(activation: str) -> None:
    settings = Settings(activation=activation, hidden=(32,), code=32)
    training, probe = new(settings), probe_of(settings)
    before = error(training, probe, training.average)
    train(training, 400)
    after = error(training, probe, training.average)
    assert after < 0.25 * before
    assert after < probe.variance  # nearer to the exact denoiser than that is to the truth


def test_a_linear_network_learns_the_best_linear_denoiser() -> None:
    """r(x) = ȳ + Σ(Σ + σ²I)⁻¹(x − ȳ), Σ the data's covariance (Wiener)."""
    settings = Settings(activation="identity", hidden=(), code=2, learning_rate=0.003, batch=604)
    training, data = new(settings), points_of(settings)
    train(training, 4_000)
    mean, covariance = data.mean(axis=0), np.cov(data.T, bias=True)
    gain = covariance @ np.linalg.inv(covariance + settings.noise**2 * np.eye(2))
    x = np.random.default_rng(0).uniform(-2.0, 2.0, (100, 2))
    best = mean + (x - mean) @ gain.T
    found = training.network.reconstruct(training.average, x)
    # The average over the last 500 or 1,000 steps still moves by a hundredth or so.
    assert np.abs(found - best).max() < 0.03
    assert np.abs(x - best).max() > 0.1
