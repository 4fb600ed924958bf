"""What a step draws: noise of each kind, and the clean point that is the target."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.stats import kstest
from trainings import ADDED, SMALL, Watched, assert_same, new, train, watched

from aeviz.core.settings import Settings
from aeviz.learn import corruption
from aeviz.learn.corruption import Nearest
from aeviz.learn.training import Training

Points = NDArray[np.float32]


def nearest(data: Points, noisy: Points) -> Points:
    """The clean points (2, B) nearest to the noisy ones: the oracle."""
    return data[:, KDTree(data.T).query(noisy.T)[1]]


# The kinds of noise


def rayleigh(r: NDArray[Any]) -> NDArray[Any]:
    """P(‖ε‖ < r) of Gaussian ε."""
    return 1.0 - np.exp(-np.square(r) / 2.0)


def within(r: NDArray[Any]) -> NDArray[Any]:
    """P(‖ε‖ < r) of rare ε: one point in twenty, both of its coordinates, ten times as far."""
    return 0.95 * rayleigh(r) + 0.05 * rayleigh(r / 10.0)


# In one part, in blocks, and in parts; sure of a deviation: less than once in a million by chance.
BATCHES = [151, 256, 5_000]
SURE = 1e-6


def drawn(kind: str, batch: int) -> NDArray[Any]:
    """ε as training draws it, (40,000 or more, 2), from how far points were moved in data units."""
    settings = Settings(points=2_000, batch=batch, noise=0.4, noise_kind=kind, hidden=(3,), code=2)
    training = Watched(settings)
    train(training, 20)
    moved = np.concatenate([batch.noisy - batch.origin for batch in training.seen], axis=1)
    return training.network.unit * moved.T.astype(np.float64) / 0.4


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize(("kind", "radius"), [("gaussian", rayleigh), ("rare", within)])
def test_gaussian_and_rare_noise_are_round_and_as_far_as_they_say(
    kind: str, radius: Callable[[NDArray[Any]], NDArray[Any]], batch: int
) -> None:
    eps = drawn(kind, batch)
    assert kstest(np.hypot(*eps.T), radius).pvalue > SURE
    angle = np.arctan2(eps[:, 1], eps[:, 0])
    assert kstest(angle, "uniform", (-math.pi, 2.0 * math.pi)).pvalue > SURE
    # ‖ε‖² has mean 2 and square 8; rare ones, a twentieth, 100 and 10,000 times that. Five standard errors.
    mean, square = (2.0, 8.0) if kind == "gaussian" else (2.0 * 5.95, 8.0 * 500.95)
    assert abs(np.square(eps).sum(axis=1).mean() - mean) < 5.0 * math.sqrt((square - mean**2) / len(eps))


@pytest.mark.parametrize("batch", BATCHES)
def test_uniform_noise_fills_a_square_of_standard_deviation_one(batch: int) -> None:
    eps = drawn("uniform", batch)
    # ε is a difference of float32 numbers of about 2, over σ of 0.4.
    assert np.abs(eps).max() <= math.sqrt(3.0) + 1e-5
    side = 2.0 * math.sqrt(3.0)
    for coordinate in eps.T:
        assert kstest(coordinate, "uniform", (-0.5 * side, side)).pvalue > SURE
    # Independent: products have mean 0 and 1, and variances 1 and (9/5)² − 1; five standard errors.
    assert abs(eps.prod(axis=1).mean()) < 5.0 / math.sqrt(len(eps))
    assert abs(np.square(eps).prod(axis=1).mean() - 1.0) < 5.0 * math.sqrt(2.24 / len(eps))


@pytest.mark.parametrize("kind", ADDED)
def test_coordinates_and_draws_know_nothing_of_each_other(kind: str) -> None:
    eps = drawn(kind, 256)
    usual = np.sign(eps)  # of any size: signs are even and independent of kind
    assert np.abs(usual.mean(axis=0)).max() < 5.0 / math.sqrt(len(eps))
    for one, other in ((usual[1:], usual[:-1]), (usual[256:], usual[:-256])):  # beside, and a step before
        assert np.abs(one.T @ other / len(one)).max() < 5.0 / math.sqrt(len(one))
    assert len(np.unique(eps, axis=0)) > 0.99 * len(eps)


def test_a_rare_point_is_moved_where_a_usual_one_is_but_ten_times_as_far() -> None:
    usual, rare = drawn("gaussian", 2_000), drawn("rare", 2_000)
    ratio = (rare * usual).sum(axis=1) / np.square(usual).sum(axis=1)
    across = rare[:, 0] * usual[:, 1] - rare[:, 1] * usual[:, 0]
    # Differences of float32 numbers up to 5, over σ of 0.4, beside an ε that may be small.
    slack = 1e-5 / np.hypot(*usual.T)
    assert (np.abs(across) < 1e-4 * np.maximum(1.0, np.hypot(*usual.T))).all()
    assert ((np.abs(ratio - 1.0) < slack) | (np.abs(ratio - 10.0) < slack)).all()
    assert abs((ratio > 5.0).mean() - 0.05) < 5.0 * math.sqrt(0.05 * 0.95 / len(ratio))


# The nearest point


@pytest.mark.parametrize("few", [0, 10_000], ids=["tree", "all distances"])
@pytest.mark.parametrize("shape", [(1,), (30,), (500,), (2, 40), (7, 3), (1, 5)], ids=str)
@pytest.mark.parametrize("points", [1, 2, 40, 700])
def test_the_nearest_point_is_the_nearest(
    few: int, shape: tuple[int, ...], points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corruption, "_FEW", few)
    rng = np.random.default_rng((points, *shape))
    data = rng.uniform(-2.0, 2.0, (2, points)).astype(np.float32)
    noisy = rng.uniform(-4.0, 4.0, (2, *shape)).astype(np.float32)
    clean = np.full_like(noisy, np.nan)
    before = noisy.copy(), data.copy()
    Nearest(data)(noisy, clean)
    flat, found = (each.reshape(2, -1).astype(np.float64) for each in (noisy, clean))
    best, _ = KDTree(data.T).query(flat.T)
    # Float32 of squares up to 60: a point that is as near but for 1e-5 may be taken.
    assert np.abs(np.square(found - flat).sum(axis=0) - np.square(best)).max() < 1e-4
    assert {*map(tuple, clean.reshape(2, -1).T)} <= {*map(tuple, data.T)}  # clean points, to the last bit
    assert np.array_equal(noisy, before[0]) and np.array_equal(data, before[1])


def test_a_clean_point_is_nearest_to_itself() -> None:
    data = new(Settings(points=400)).data
    clean = np.empty_like(data)
    Nearest(data)(data, clean)
    assert np.array_equal(clean, data)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"batch": 20},  # all of the data
        {"batch": 33},
        {"batch": 1},
        {"points": 256, "batch": 256, "hidden": (64,), "code": 64},  # in blocks
        {"points": 40, "batch": 5_000},  # in parts
        {"points": 700, "batch": 302},  # so many points that a tree finds the nearest
        {"noise": 0.0},
        {"noise_kind": "rare"},
        {"noise_kind": "masking"},
        {"noise_kind": "flip", "points": 40, "batch": 5_000},
        {"noise_draw": "frozen"},
        {"tied": True, "batch": 20},  # by autograd
        {"regulariser": "variational", "batch": 33},
    ],
    ids=str,
)
def test_at_every_step_the_target_is_the_clean_point_nearest_to_the_noisy_one(change: dict[str, Any]) -> None:
    settings = SMALL.replace(target="nearest", noise=0.6).replace(**change)
    training, original = Watched(settings), Watched(settings.replace(target="original"))
    train(training, 2), train(original, 2)
    assert len(training.seen) == len(original.seen)
    moved = 0
    for batch, as_before in zip(training.seen, original.seen, strict=True):
        found = np.square(batch.clean - batch.noisy).sum(axis=0)
        best = np.square(nearest(training.data, batch.noisy) - batch.noisy).sum(axis=0)
        # Float32 of squares up to 100 for the rare ones, 10 for the others.
        assert np.abs(found - best).max() < 1e-4
        assert {*map(tuple, batch.clean.T)} <= {*map(tuple, training.data.T)}
        # Where the target is the point that was corrupted, the same points are corrupted in the same way.
        assert np.array_equal(batch.noisy, as_before.noisy)
        assert np.array_equal(batch.origin, as_before.origin)
        assert np.array_equal(as_before.clean, as_before.origin)
        moved += (batch.clean != batch.origin).any(axis=0).sum()
    assert (moved > 0) == (settings.noise > 0.0)


# Changed within a run


CHANGES = [
    {"target": "nearest"},
    {"noise_kind": "uniform"},
    {"noise_kind": "rare", "target": "nearest"},
    {"noise_kind": "masking"},
    {"noise_kind": "flip", "noise": 0.4},
    {"noise_draw": "frozen"},
    {"noise_draw": "frozen", "noise_kind": "masking", "target": "nearest"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("batch", [7, 20, 33])
def test_a_live_change_takes_effect_from_the_next_epoch_on(change: dict[str, Any], batch: int) -> None:
    """What is drawn after it is what a run of those settings draws in these epochs, and back again."""
    before, after = SMALL.replace(batch=batch), SMALL.replace(batch=batch, **change)
    training = Watched(before)
    train(training, 2)
    training.change(after)
    train(training, 2)
    training.change(before)
    train(training, 2)
    steps = len(training.seen) // 6
    was, would_be = watched(before, 6), watched(after, 6)
    best = was[: 2 * steps] + would_be[2 * steps : 4 * steps] + was[4 * steps :]
    for found, right in zip(training.seen, best, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(found, right, strict=True))
    assert not np.array_equal(np.array(was), np.array(would_be))


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_average_starts_anew_where_the_optimum_moves(change: dict[str, Any]) -> None:
    training = new(SMALL.replace(batch=20))
    train(training, 40)
    assert not torch.equal(training.average, training.parameters)
    training.change(training.settings.replace(**change))
    train(training, 1)
    assert torch.equal(training.average, training.parameters)
    train(training, 20)
    assert not torch.equal(training.average, training.parameters)
    training.change(SMALL.replace(batch=20))  # back again is another change
    train(training, 1)
    assert torch.equal(training.average, training.parameters)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_same_changes_give_the_same_run_bit_for_bit(change: dict[str, Any]) -> None:
    def run() -> Training:
        training = new(SMALL)
        train(training, 10)
        training.change(SMALL.replace(**change))
        train(training, 10)
        return training

    one, other, unchanged = run(), run(), new(SMALL)
    assert_same(one.keyframe(), other.keyframe())
    train(unchanged, 20)
    assert not torch.equal(one.parameters, unchanged.parameters)


def test_the_weights_of_a_nearest_target_follow_its_gradient() -> None:
    """One plain step, −η times autograd's gradient of the mean of ‖r(ŷ) − y‖² over the batch as it was."""
    settings = SMALL.replace(target="nearest", optimiser="sgd", schedule="constant", batch=20, noise=0.7)
    (batch,) = watched(settings, 1)
    training = new(settings)
    flat = training.parameters.clone().double().requires_grad_()
    (W, b), (V, c), (U, d) = training.network.layers(flat)
    with torch.enable_grad():
        h = torch.tanh(V @ torch.tanh(W @ torch.tensor(batch.noisy).double() + b) + c)
        loss = (U @ h + d - torch.tensor(batch.clean).double()).square().sum(dim=0).mean()
        (gradient,) = torch.autograd.grad(loss, flat)
    best = flat.detach() - settings.learning_rate * gradient
    train(training, 1)
    assert (training.parameters - best).abs().max().item() < 1e-6  # one rounding of float32
    assert (best - flat.detach()).abs().max().item() > 1e-3
