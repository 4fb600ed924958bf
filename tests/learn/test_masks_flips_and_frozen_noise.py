"""Coordinates that are masked or flipped, and noise that is drawn once for all: where the points go."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from trainings import SMALL, Batch, Watched, points_of, train, watched

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import Corruption, shown_eps, shown_noisy
from aeviz.core.manifolds import FloatArray
from aeviz.core.settings import SPECS, Settings
from aeviz.learn.gradient import PartedGradient
from aeviz.learn.training import Training

KINDS = SPECS["noise_kind"].choices
FAR = (3.0, -70.0, 11.0, -64.0, 5.0, -61.0, 8.0, -66.0)  # drawn points that are far from the origin
# Of many sizes, about the origin and far from it, in the network's own coordinates and in the data's.
DATA = [
    {},
    {"data": "moons", "jitter": 0.1},
    {"data": "drawn", "drawn": FAR},
    {"data": "drawn", "drawn": FAR, "standardise": True},
    {"data": "corners"},
    {"cost": "bce"},
    {"output": "tanh", "data": "alain-bengio"},
]
# In one part, in blocks, and in parts.
IN_PARTS = 30_000
BATCHES = [{"batch": 151}, {"batch": 256, "hidden": (64,), "code": 64}, {"batch": IN_PARTS}]


def in_data_units(training: Training, points: FloatArray) -> FloatArray:
    """Points (2, B) of a batch, (B, 2)."""
    return points.T.astype(np.float64) * training.network.unit + training.network.centre


def trained(settings: Settings, epochs: int) -> tuple[Watched, FloatArray, FloatArray]:
    """A training that learned nothing, and all points before and after their corruption, in data units."""
    training = Watched(settings)
    train(training, epochs)
    origin, noisy = (
        in_data_units(training, np.concatenate(each, axis=1))
        for each in ([batch.origin for batch in training.seen], [batch.noisy for batch in training.seen])
    )
    return training, origin, noisy


def size_of(settings: Settings) -> float:
    return float(np.abs(points_of(settings)).max())


def corrupted(settings: Settings, origin: FloatArray) -> FloatArray:
    """Where a coordinate goes that is corrupted: to 0, or to its mirror image in the data's box."""
    data = points_of(settings)
    mirrored = data.min(axis=0) + data.max(axis=0) - origin
    return np.zeros_like(origin) if settings.noise_kind == "masking" else mirrored


# Masking and flip


@pytest.mark.parametrize("batch", BATCHES, ids=str)
@pytest.mark.parametrize("change", DATA, ids=str)
@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_a_coordinate_stays_or_goes_where_its_kind_sends_it(
    kind: str, change: dict[str, Any], batch: dict[str, Any]
) -> None:
    settings = Settings(noise_kind=kind, noise=0.3, hidden=(3,), code=2).replace(**batch).replace(**change)
    training, origin, noisy = trained(settings, 1 if settings.batch == IN_PARTS else 40)
    assert isinstance(training._gradient, PartedGradient) == (settings.batch == IN_PARTS)
    assert (training._gradient.noisy.ndim == 3) == (settings.batch == 256)
    there = corrupted(settings, origin)
    near = 1e-6 * size_of(settings)  # float32
    went, stayed = np.abs(noisy - there) < near, np.abs(noisy - origin) < near
    assert (went | stayed).all()
    told = np.abs(there - origin) > 1e-3 * size_of(settings)  # else it went there by staying
    assert told.mean() > 0.4
    # Each with probability σ, and alone: five standard errors of the shares and of both together.
    for k in (0, 1):
        share, count = went[told[:, k], k].mean(), told[:, k].sum()
        assert abs(share - 0.3) < 5.0 * math.sqrt(0.3 * 0.7 / count)
    both = told.all(axis=1)
    share = went[both].all(axis=1).mean()
    assert abs(share - 0.09) < 5.0 * math.sqrt(0.09 * 0.91 / both.sum())
    # One point knows nothing of the fourth after it, which of four corners may be the same.
    pair = told[4:] & told[:-4]
    share = (went[4:] & went[:-4])[pair].mean()
    assert abs(share - 0.09) < 5.0 * math.sqrt(2.0 * 0.09 * 0.91 / pair.sum())


@pytest.mark.parametrize("change", DATA, ids=str)
@pytest.mark.parametrize("kind", ["masking", "flip"])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_never_and_always_are_meant(noise: float, kind: str, change: dict[str, Any]) -> None:
    settings = SMALL.replace(noise_kind=kind, noise=noise).replace(**change)
    training, origin, noisy = trained(settings, 3)
    if noise == 0.0:
        for batch in training.seen:
            assert np.array_equal(batch.noisy, batch.origin)
    else:
        assert np.abs(noisy - corrupted(settings, origin)).max() < 1e-6 * size_of(settings)


def test_a_bit_that_is_flipped_is_the_other_bit_and_one_that_is_masked_is_0() -> None:
    for kind in ("masking", "flip"):
        for cost, output in (("bce", "identity"), ("squared", "sigmoid")):  # in the data's own coordinates
            settings = Settings(
                data="corners", noise_kind=kind, noise=0.5, cost=cost, output=output, batch=64
            )
            for batch in watched(settings, 20):
                bits = {*batch.origin.ravel().tolist(), *batch.noisy.ravel().tolist()}
                assert bits == {0.0, 1.0}  # to the last bit
                ones = batch.noisy[batch.origin == 1.0]
                zeros = batch.noisy[batch.origin == 0.0]
                assert 0.0 in ones and 1.0 in ones
                assert (1.0 in zeros) == (kind == "flip")


@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_corruption_is_new_in_every_epoch_and_for_every_use_of_a_point(kind: str) -> None:
    seen = watched(SMALL.replace(noise_kind=kind, noise=0.5, batch=20), 30)
    assert len({batch.noisy.tobytes() for batch in seen}) == 30
    twice = watched(SMALL.replace(noise_kind=kind, noise=0.5, batch=40), 1)[0]
    assert np.array_equal(twice.origin[:, :20], twice.origin[:, 20:])
    assert not np.array_equal(twice.noisy[:, :20], twice.noisy[:, 20:])


@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_a_probability_that_grows_corrupts_the_same_coordinates_and_more(kind: str) -> None:
    """The same seed and epoch draw the same ε, and a coordinate is corrupted where ε < σ."""
    few, many = (trained(SMALL.replace(noise_kind=kind, noise=p), 5) for p in (0.2, 0.6))
    assert np.array_equal(few[1], many[1])
    moved = [np.abs(noisy - origin) > 1e-3 for _, origin, noisy in (few, many)]
    assert not (moved[0] & ~moved[1]).any()
    assert moved[0].sum() < moved[1].sum()


# Frozen noise


def which(training: Training, batch: Batch) -> np.ndarray:
    """Of which clean point each of a batch is made, (B,)."""
    places = {tuple(point): index for index, point in enumerate(training.data.T)}
    return np.array([places[tuple(point)] for point in batch.origin.T])


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 7}, {"batch": 20}, {"batch": 33}, {"batch": 1}, {"points": 2_000, "batch": 20_000},
        {"points": 256, "batch": 256, "hidden": (64,), "code": 64}, {"cost": "bce"}, {"data": "moons"},
        {"data": "drawn", "drawn": FAR}, {"output": "tanh"}, {"target": "nearest"}, {"tied": True},
        {"seed": 77, "noise": 0.9},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_frozen_points_are_those_that_are_shown_in_every_epoch(kind: str, change: dict[str, Any]) -> None:
    settings = SMALL.replace(noise_draw="frozen", noise_kind=kind, noise=0.4).replace(**change)
    training, data = Watched(settings), clean_data(settings)
    train(training, 3)
    shown = shown_noisy(settings, data)
    used = []
    for batch in training.seen:
        index = which(training, batch)
        used.append(index)
        near = 1e-6 * max(1.0, size_of(settings), np.abs(shown).max())  # float32
        assert np.abs(in_data_units(training, batch.noisy) - shown[index]).max() < near
    assert np.array_equal(np.unique(np.concatenate(used)), np.arange(len(data.points)))


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_noise_frozen_points_move_each_along_its_own_way(kind: str) -> None:
    """A live change of σ or of the kind moves them as it moves the shown ones, and back again."""
    settings = SMALL.replace(noise_draw="frozen", noise_kind=kind, noise=0.2, batch=20)
    training, data = Watched(settings), clean_data(settings)
    other = "flip" if kind == "gaussian" else "gaussian"
    for change in ({}, {"noise": 0.7}, {"noise_kind": other}, {"noise": 0.0}, {}):
        now = settings.replace(**change)
        training.change(now)
        train(training, 2)
        for batch in training.seen:
            assert np.abs(in_data_units(training, batch.noisy) - shown_noisy(now, data)).max() < 5e-6
        training.seen.clear()


def test_thawed_noise_is_fresh_and_frozen_again_is_what_it_was() -> None:
    settings = SMALL.replace(batch=20)
    training, frozen = Watched(settings), settings.replace(noise_draw="frozen")
    for now in (settings, frozen, settings, frozen):
        training.change(now)
        train(training, 3)
    noisy = [batch.noisy.tobytes() for batch in training.seen]
    fresh, cold = noisy[0:3] + noisy[6:9], noisy[3:6] + noisy[9:12]
    assert len(set(fresh)) == 6 and len(set(cold)) == 1 and cold[0] not in fresh
    assert fresh == [batch.noisy.tobytes() for k, batch in enumerate(watched(settings, 9)) if k % 6 < 3]


def test_each_seed_and_kind_freezes_its_own_noise() -> None:
    settings = [
        SMALL.replace(noise_draw="frozen", noise_kind=kind, seed=seed, points=200, batch=200, noise=0.5)
        for kind in KINDS for seed in (0, 1)
    ]  # fmt: skip
    seen = {watched(each, 1)[0].noisy.tobytes() for each in settings}
    assert len(seen) == len(settings)


def test_frozen_noise_is_a_draw_of_its_kind() -> None:
    """The very ε of the points shown; of so many points, as wide as it should be."""
    settings = Settings(points=2_000, batch=2_000, noise_draw="frozen", noise=0.4, hidden=(3,), code=2)
    training, origin, noisy = trained(settings, 1)
    eps = shown_eps(settings.seed, "gaussian", 2_000)
    assert np.abs((noisy - origin) / 0.4 - eps).max() < 1e-5
    assert np.abs(eps.std(axis=0) - 1.0).max() < 5.0 / math.sqrt(2.0 * 2_000)
    corruption = Corruption.of(settings, clean_data(settings))
    assert np.abs(noisy - corruption(origin, eps)).max() < 1e-5
    assert len(training.seen) == 1
