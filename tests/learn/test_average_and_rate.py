"""The average that is shown, and the rate over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from trainings import SMALL, Recorded, Still, assert_same, bring_back, new, train

from aeviz.core.settings import Settings
from aeviz.learn.training import AVERAGING

# The average that is shown


def test_the_average_follows_its_formula_and_starts_anew_with_the_noise() -> None:
    settings = Settings(points=20, batch=20, hidden=(6,), code=4, learning_rate=0.03)
    training = new(settings)
    average, steps, noise = training.parameters.double(), 0, settings.noise
    for epoch in range(60):
        if epoch == 40:
            training.change(settings.replace(noise=0.5))
        elif epoch == 50:
            training.change(training.settings.replace(learning_rate=0.01))
        train(training, 1)
        steps = 1 if training.settings.noise != noise else steps + 1
        noise = training.settings.noise
        average += min(1.0, AVERAGING / steps) * (training.parameters.double() - average)
        # One rounding of float32 a step, of weights up to 5; older ones fade.
        assert (training.average - average).abs().max().item() < 1e-5
        assert torch.equal(training.average, training.parameters) == (steps <= AVERAGING)


def test_the_average_starts_anew_with_the_strength_too() -> None:
    settings = SMALL.replace(regulariser="l2", batch=20)
    training = new(settings)
    train(training, 40)
    assert not torch.equal(training.average, training.parameters)
    training.change(settings.replace(learning_rate=0.001, epochs=5_000))
    train(training, 1)
    assert not torch.equal(training.average, training.parameters)
    training.change(settings.replace(strength=0.5))
    train(training, 1)
    assert torch.equal(training.average, training.parameters)


def test_the_strength_of_no_regulariser_changes_nothing() -> None:
    one, other = new(SMALL), new(SMALL)
    train(one, 30), train(other, 30)
    other.change(SMALL.replace(strength=0.5))
    train(one, 5), train(other, 5)
    assert_same(one.keyframe(), other.keyframe())


# The rate


class Told(Still):
    """An optimiser that writes down its rates."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []

    def step(self, gradient: Tensor, learning_rate: float) -> None:
        self.rates.append(learning_rate)


def rates(settings: Settings, epochs: int, change: dict[int, dict[str, Any]] | None = None) -> np.ndarray:
    training = new(settings)
    training.optimiser = told = Told()
    for epoch in range(epochs):
        if change and epoch in change:
            training.change(training.settings.replace(**change[epoch]))
        train(training, 1)
    return np.array(told.rates)


def test_the_rate_falls_with_the_steps_and_with_nothing_else() -> None:
    settings = SMALL.replace(learning_rate=0.02, batch=7)  # three steps an epoch
    best = 0.02 * np.maximum(1.0 / 30.0, 1_000.0 / (1_000.0 + np.arange(36_000)))
    found = rates(settings.replace(points=8, batch=1), 4_000)  # eight, as far as the floor
    assert np.allclose(found, best[:32_000], rtol=1e-12)
    assert found[-1] == found[-500] == 0.02 / 30.0
    moved: dict[int, dict[str, Any]] = {
        5: {"noise": 0.7},
        8: {"epochs": 9},
        11: {"batch": 20},
        15: {"learning_rate": 0.04},
    }
    changed = rates(settings, 20, moved)
    steps = 11 * 3 + 9
    assert np.allclose(changed, np.where(np.arange(steps) < 11 * 3 + 4, 1.0, 2.0) * best[:steps], rtol=1e-12)
    assert set(rates(settings.replace(schedule="constant"), 20)) == {0.02}


def test_a_replay_goes_on_with_the_rate_where_it_was() -> None:
    run = Recorded(SMALL, 30, {20}, {})
    again = new(SMALL)
    bring_back(again, run.timeline, 25)
    again.optimiser = told = Told()
    train(again, 1)
    assert told.rates[0] == pytest.approx(SMALL.learning_rate * 1_000.0 / (1_000.0 + 25 * 3), rel=1e-12)
