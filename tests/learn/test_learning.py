"""How the training learns: what the exact denoiser or a closed form says is reached."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor
from trainings import new, train

from aeviz.core.manifolds import clean_data
from aeviz.core.metrics import Probe
from aeviz.core.settings import SPECS, Settings
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
    kinds = SPECS["noise_kind"].choices
    probes = [probe_of(Settings(noise_kind=kind)) for kind in kinds]
    risks = np.empty((3, 3))  # of the network trained on one kind, on the probes of another
    for network, (kind, own) in enumerate(zip(kinds, probes, strict=True)):
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


@pytest.mark.parametrize("kind", SPECS["noise_kind"].choices)
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
            self._sigma = plain._sigma  # σ of more than 1 is no setting

    moved = Scaled(settings.replace(noise=min(1.0, scale * settings.noise)), scale * data + place)
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
    training, data = new(settings), clean_data(settings)
    train(training, 4_000)
    mean, covariance = data.mean(axis=0), np.cov(data.T, bias=True)
    gain = covariance @ np.linalg.inv(covariance + settings.noise**2 * np.eye(2))
    x = np.random.default_rng(0).uniform(-2.0, 2.0, (100, 2))
    best = mean + (x - mean) @ gain.T
    found = training.network.reconstruct(training.average, x)
    # The average over the last 500 or 1,000 steps still moves by a hundredth or so.
    assert np.abs(found - best).max() < 0.03
    assert np.abs(x - best).max() > 0.1
