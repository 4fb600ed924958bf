"""How a training ends badly, and what is left of it."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor
from trainings import SMALL, Recorded, Still, assert_same, bring_back, new, still, train

from aeviz.core.settings import Settings
from aeviz.core.timeline import Timeline
from aeviz.learn.training import BREATH, DivergedError


def diverging(**change: Any) -> Settings:
    steep = {"optimiser": "sgd", "learning_rate": 1.0, "hidden": (16,), "code": 16}
    return Settings(**{"points": 30, "batch": 10, **steep, **change})


@pytest.mark.parametrize("activation", ["relu", "identity", "silu"])
@pytest.mark.parametrize("batch", [30, 10, 1])
def test_divergence_is_told_in_one_line_and_leaves_a_way_back(activation: str, batch: int) -> None:
    training = new(diverging(activation=activation, batch=batch))
    timeline = Timeline([training.keyframe()])
    states = [training.keyframe()]
    with pytest.raises(DivergedError) as caught:
        for loss in itertools.islice(training.epochs(), 5_000):
            if loss is not None:
                assert math.isfinite(loss)
                states.append(training.keyframe())
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert f"in epoch {training.epoch + 1}: " in text
    assert "lower the learning rate (it is 1)" in text
    assert training.epoch == len(states) - 1
    # Every epoch that was told of is good, and is brought back; asking for more says the same again.
    for state in states:
        assert all(np.isfinite(array).all() for name, array in state.state.items() if name != "loss")
    again = new(diverging(activation=activation, batch=batch))
    bring_back(again, timeline, training.epoch)
    assert_same(again.keyframe(), states[-1])
    for epoch in (training.epoch + 1, training.epoch + 1_000):
        with pytest.raises(DivergedError) as replayed:
            bring_back(again, timeline, epoch)
        assert (str(replayed.value), again.epoch) == (text, training.epoch)
    bring_back(training, timeline, training.epoch)
    assert_same(training.keyframe(), states[-1])


def test_a_loss_that_is_no_number_or_infinite_is_divergence() -> None:
    for wrong, word in ((math.nan, "is not a number"), (math.inf, "exploded"), (1e10, "exploded")):
        training = still(SMALL)
        training.parameters[-1] = wrong  # the last layer's bias
        with pytest.raises(DivergedError, match=f"^the loss {word} in epoch 1: "):
            train(training, 1)
        assert training.epoch == 0


def test_weights_that_the_last_step_broke_are_divergence() -> None:
    class Breaks(Still):
        def step(self, gradient: Tensor, learning_rate: float) -> None:
            super().step(gradient, learning_rate)
            if self.steps == 6:  # the last of the second epoch of three
                training.parameters[3] = math.inf

    training = still(SMALL)
    training.parameters[-1] = 100.0  # far from the data: a cost of 10,000, which is large but no explosion
    training.optimiser = Breaks()
    train(training, 1)
    with pytest.raises(DivergedError, match="in epoch 2: "):
        train(training, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"regulariser": "contractive"},
        {"regulariser": "l1", "strength": 10.0},
        {"activation": "relu", "noise": 1.0},
        {"activation": "identity", "noise": 1.0, "noise_kind": "rare"},
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1e-2, 1e-6])
def test_small_data_with_large_noise_or_a_large_regulariser_are_no_divergence(
    size: float, change: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "small.csv"
    angles = np.linspace(0.0, 6.0, 20)
    np.savetxt(path, size * np.stack((np.cos(angles), np.sin(angles)), axis=1), delimiter=",")
    training = new(Settings(**{"data": str(path), "hidden": (8,), "code": 8, "batch": 40, **change}))
    train(training, 30)
    assert training.epoch == 30 and math.isfinite(training.loss)


def test_points_that_are_all_the_same_have_the_unit_one(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("0.1,0.1\n" * 3)
    training = new(Settings(data=str(path), hidden=(8,), code=8))
    assert training.network.unit == 1.0
    train(training, 3)


def test_divergence_within_a_long_epoch_is_not_waited_for() -> None:
    training = still(Settings(points=1_000, batch=1, hidden=(3,), code=2))
    training.parameters[-1] = math.nan
    epochs = training.epochs()
    with pytest.raises(DivergedError, match="in epoch 1: "):
        next(epochs)
    assert training.steps == BREATH


def test_a_small_loss_that_rises_again_is_no_divergence() -> None:
    """From a keyframe of a run that had learned its points by heart, with noise from then on."""
    settings = Settings(points=1, batch=1, noise=0.0, hidden=(6,), code=4)
    run = Recorded(settings, 300, {280}, {280: [{"noise": 1.0}]})
    assert run.states[280].state["loss"] < 1e-9
    assert run.states[281].state["loss"] > 1e-9 * 1e6  # what once was taken for an explosion
    again = new(settings)
    bring_back(again, run.timeline, 300)
    assert_same(again.keyframe(), run.states[300])
