"""The training loop: the same run again, bit for bit, and what an epoch is."""

from __future__ import annotations

import gc
import itertools
import math
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from trainings import SMALL, assert_same, costs, new, points_of, still, train

from aeviz.core.clean_data import clean_data
from aeviz.core.manifolds import BITS, CURVES
from aeviz.core.settings import Settings
from aeviz.learn.training import BREATH, Training

# The same again


@pytest.mark.parametrize("optimiser", ["adam", "momentum", "sgd"])
def test_the_same_settings_give_the_same_run_bit_for_bit(optimiser: str) -> None:
    settings = SMALL.replace(optimiser=optimiser, learning_rate=0.01)
    one, other = new(settings), new(settings)
    assert train(one, 15) == train(other, 15)
    assert_same(one.keyframe(), other.keyframe())


def test_neither_other_draws_nor_other_trainings_change_a_run() -> None:
    undisturbed = new(SMALL)
    train(undisturbed, 6)
    disturbed, beside = new(SMALL), new(SMALL.replace(seed=5, batch=3))
    for _ in range(6):
        torch.manual_seed(0)
        train(disturbed, 1)
        train(beside, 1)
    assert_same(disturbed.keyframe(), undisturbed.keyframe())


def test_the_state_does_not_depend_on_when_the_run_ends_or_how_it_is_drawn() -> None:
    one = new(SMALL.replace(epochs=3))
    other = new(SMALL.replace(epochs=1_000_000, grid=(7, 9), threshold=5.0, theme="light"))
    train(one, 12)
    train(other, 12)
    assert_same(one.keyframe(), other.keyframe())


def test_seeds_give_other_weights_and_no_epoch_of_one_is_an_epoch_of_another() -> None:
    runs = [still(SMALL.replace(seed=seed)) for seed in range(5)]
    first = runs[0].parameters.clone()
    assert not any(torch.equal(run.parameters, first) for run in runs[1:])
    for run in runs:
        run.parameters.copy_(first)  # from here on the losses tell the noise alone
    losses = [loss for run in runs for loss in train(run, 20)]
    assert len(set(losses)) == len(losses)


def test_the_given_data_are_not_touched() -> None:
    data = clean_data(SMALL)
    before = data.points.copy()
    training = Training(SMALL, data)
    train(training, 3)
    assert np.array_equal(data.points, before)
    own = (before - training.network.centre) / training.network.unit
    assert np.abs(training.data.T - own).max() < 1e-6  # float32 of numbers up to 2


# What an epoch is


@pytest.mark.parametrize(("points", "batch"), [(12, 12), (12, 4), (12, 1), (12, 3), (1, 1)])
def test_an_epoch_uses_each_point_once(points: int, batch: int) -> None:
    settings = Settings(points=points, batch=batch, noise=0.0, hidden=(6,), code=4)
    training, data = still(settings), points_of(settings)
    each = costs(training, data, data)
    # One point in another's place would show: float32 has 1e-6 of the largest.
    assert points == 1 or np.diff(np.sort(each)).min() > 1e-4 * each.max()
    for loss in train(training, 4):
        assert abs(loss - each.mean()) <= 2e-6 * each.max()
    assert training.optimiser.steps == 4 * points // batch


@pytest.mark.parametrize(("points", "batch"), [(10, 4), (10, 7), (10, 9), (5, 6), (5, 12), (3, 20), (1, 6)])
def test_slots_that_are_left_are_filled_with_other_points(points: int, batch: int) -> None:
    """Each point ⌊slots/N⌋ times, and some of them once more."""
    settings = Settings(points=points, batch=batch, noise=0.0, hidden=(6,), code=4)
    training, data = still(settings), points_of(settings)
    each = costs(training, data, data)
    slots = -(-points // batch) * batch
    rounds, more = divmod(slots, points)
    possible = [(rounds * each.sum() + sum(extra)) / slots for extra in itertools.combinations(each, more)]
    for loss in train(training, 6):
        assert np.abs(np.array(possible) - loss).min() <= 2e-6 * each.max()
    assert training.optimiser.steps == 6 * slots // batch


def test_the_order_of_the_points_is_new_in_every_epoch() -> None:
    settings = Settings(points=10, batch=9, noise=0.0, hidden=(6,), code=4)
    # 18 slots: 8 points a second time, so a loss tells which two were left out; 45 such pairs.
    assert len({round(loss, 6) for loss in train(still(settings), 30)}) > 10


@pytest.mark.parametrize("batch", [12, 4, 5, 40])
def test_noise_is_new_in_every_epoch_and_for_every_use_of_a_point(batch: int) -> None:
    noisy = still(Settings(points=12, batch=batch, hidden=(6,), code=4))
    losses = train(noisy, 10)
    assert len(set(losses)) == 10


def test_the_first_loss_is_the_mean_cost_of_fresh_noise() -> None:
    settings = Settings(points=20_000, batch=20_000, noise=0.3, hidden=(8,), code=8)
    training, data = new(settings), points_of(settings)
    rng = np.random.default_rng(99)
    ours = costs(training, data, data + 0.3 * rng.standard_normal(data.shape))
    (loss,) = train(training, 1)
    # Two independent means of 20,000 costs each; five standard deviations of their difference.
    assert abs(loss - ours.mean()) < 5 * ours.std() * np.sqrt(2 / 20_000)


def test_the_first_loss_is_exactly_the_mean_cost_without_noise() -> None:
    settings = Settings(noise=0.0)
    training, data = new(settings), points_of(settings)
    best = costs(training, data, data).mean()
    (loss,) = train(training, 1)
    assert abs(loss - best) < 2e-6 * best  # float32, a sum of 151 points


def test_the_noise_has_the_standard_deviation_sigma() -> None:
    """With r(x) = x the cost is the noise: E‖ŷ − y‖² = 2σ²."""
    settings = Settings(points=50_000, batch=10_000, noise=0.4, hidden=(), code=2, activation="identity")
    training = still(settings)
    for matrix in training.network.matrices(training.parameters.zero_()):
        matrix[:, :2] = torch.eye(2)
    (loss,) = train(training, 1)
    # ‖ε‖² has mean 2 and variance 4: five standard errors over 50,000 points.
    assert abs(loss / 0.4**2 - 2.0) < 5 * 2.0 / math.sqrt(50_000)


@pytest.mark.parametrize(("points", "batch"), [(151, 151), (160, 10), (161, 10), (151, 2), (16, 1), (17, 1)])
def test_a_long_epoch_lets_its_caller_breathe(points: int, batch: int) -> None:
    settings = Settings(points=points, batch=batch, hidden=(3,), code=2)
    steps = -(-points // batch)
    training = new(settings)
    epochs = training.epochs()
    for epoch in range(2):
        answers: list[float | None] = []
        while not answers or answers[-1] is None:
            assert training.epoch == epoch
            answers.append(next(epochs))
        assert len(answers) == 1 + (steps - 1) // BREATH  # never 16 steps in silence


def test_a_change_within_an_epoch_waits_for_the_next() -> None:
    settings = Settings(points=100, batch=2, hidden=(3,), code=2)
    change = settings.replace(noise=0.9, batch=30, learning_rate=0.1)
    early, late = new(settings), new(settings)
    epochs = early.epochs()
    assert next(epochs) is None
    early.change(change)
    while next(epochs) is None:
        pass
    train(late, 1)
    late.change(change)
    assert_same(early.keyframe(), late.keyframe())
    next(epochs)
    train(late, 1)
    assert_same(early.keyframe(), late.keyframe())


def test_changes_take_effect_from_the_next_epoch_on() -> None:
    training = still(SMALL)
    before = train(training, 2)
    training.change(SMALL.replace(noise=0.0, batch=20))
    silent = train(training, 3)
    data = points_of(SMALL)
    best = costs(training, data, data).mean()
    assert max(abs(loss - best) for loss in silent) < 2e-6 * best
    assert min(abs(loss - best) for loss in before) > 1e-3 * best
    assert training.optimiser.steps == 2 * 3 + 3


@pytest.mark.parametrize(
    "change",
    [
        {"noise": 0.0},
        {"points": 1},
        {"points": 1, "noise": 0.0},
        {"points": 1, "batch": 1},
        {"points": 2, "batch": 65_536},
        {"hidden": (), "code": 1},
        {"hidden": (1, 1, 1, 1), "code": 1},
        {"hidden": (), "code": 1, "mirror": False},
        {"batch": 1},
        {"batch": 19},
        {"batch": 500},
        {"jitter": 0.5, "noise": 1.0},
        {"turns": 4.0},
        {"seed": 2**31 - 1},
        {"noise": 1e-300},
        *({"activation": name} for name in ("tanh", "sigmoid", "relu", "silu", "gelu", "identity")),
        *({"optimiser": name} for name in ("adam", "momentum", "sgd")),
        *({"output": name} for name in ("tanh", "sigmoid")),
        *({"regulariser": name, "strength": 10.0} for name in ("l1", "l2", "contractive", "variational")),
        {"cost": "bce"},
        {"cost": "bce", "points": 1},
        {"cost": "bce", "jitter": 0.5, "regulariser": "contractive", "tied": True},
        {"tied": True},
        {"tied": True, "hidden": (), "code": 1},
        {"regulariser": "l1", "strength": 0.0},
        {"schedule": "constant"},
        *({"noise_kind": kind, "noise": 1.0} for kind in ("uniform", "rare", "masking", "flip")),
        *({"noise_draw": "frozen", "batch": batch} for batch in (7, 20, 500)),
        {"noise_draw": "frozen", "noise_kind": "flip", "target": "nearest"},
        {"regulariser": "variational", "tied": True, "noise_kind": "masking"},
        {"regulariser": "variational", "hidden": (), "code": 1, "tied": True},
        {"regulariser": "variational", "cost": "bce", "mirror": True, "batch": 65_536},
        {"regulariser": "variational", "points": 1, "noise": 0.0},
        *({"data": name} for name in (*CURVES, *BITS)),
        *({"data": "corners", "cost": "bce", "noise_kind": kind} for kind in ("masking", "flip")),
        {"data": "drawn", "drawn": (0.5, -1.0)},
        {"data": "drawn", "drawn": (1e9, 1e9, 1e9, 1e9), "jitter": 0.1},
        {"data": "drawn", "drawn": (0.0, 7.0, 1e6, 7.0, 2e6, 7.0), "standardise": True},
        {"target": "nearest", "batch": 20},
        {"target": "nearest", "points": 1},
        {"target": "nearest", "points": 1, "noise": 0.0},
        {"target": "nearest", "noise_kind": "rare", "batch": 65_536},
        {"target": "nearest", "cost": "bce", "regulariser": "contractive", "tied": True},
    ],
    ids=str,
)
def test_odd_settings_train(change: dict[str, Any]) -> None:
    training = new(SMALL.replace(**change))
    before = training.parameters.clone()
    losses = train(training, 3)
    assert np.isfinite(losses).all()
    assert min(losses) >= 0.0
    assert training.parameters.isfinite().all()
    assert training.average.isfinite().all()
    # Of one single point without noise, the lines of the first layer pass through it: r is perfect.
    assert torch.equal(training.parameters, before) == (max(losses) == 0.0)
    assert training.epoch == 3


# Nothing stays


@pytest.mark.parametrize(
    "change",
    [
        {}, {"regulariser": "l1"}, {"regulariser": "contractive"}, {"regulariser": "variational"},
        {"tied": True}, {"cost": "bce"}, {"points": 3_000, "batch": 3_000}, {"target": "nearest"},
        {"optimiser": "momentum"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_trained_no_more_is_gone_at_once(change: dict[str, Any]) -> None:
    """Its buffers are half a megabyte, which Python's garbage collector knows nothing of."""
    training = new(SMALL.replace(**change))
    train(training, 2)
    left = [weakref.ref(training), weakref.ref(training._gradient), weakref.ref(training.parameters)]
    gc.disable()
    try:
        del training
        assert [each() for each in left] == [None, None, None]
    finally:
        gc.enable()
