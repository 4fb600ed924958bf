"""The error over the noise: how its test is worked out, and the curve of a network."""

from __future__ import annotations

import math

import numpy as np
import pytest
from looked import CURVE, Looked, curve_of

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.metrics import TEST_PROBES, TESTED_TO, NoiseTest
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish
from aeviz.work.exact import Exact

SETTINGS = Settings(points=60, grid=(12, 9))


def new(settings: Settings = SETTINGS) -> Exact:
    return Exact(clean_data(settings))


# The points of the test


def test_the_noise_test_is_worked_out_step_by_step_and_once_for_what_it_depends_on() -> None:
    exact = new()
    assert exact.tasks == (exact.field_task, exact.reference_task, exact.noise_task)
    assert exact.noise_test(SETTINGS) is None
    assert exact.field_task.wait == exact.reference_task.wait == math.inf
    steps = 1
    while not exact.noise_task.advance():
        assert exact.noise_test(SETTINGS) is None
        steps += 1
    assert steps > 10  # 13 noises, 1,024 points of each
    found = exact.noise_test(SETTINGS)
    assert isinstance(found, NoiseTest)
    alike = {"threshold": 3.0}, {"batch": 9}, {"grid": (13, 9)}, {"noise_draw": "frozen"}, {"epochs": 5}
    assert all(exact.noise_test(SETTINGS.replace(**change)) is found for change in alike)
    for change in ({"noise": 0.3}, {"noise_kind": "rare"}, {"test_noise": 2.0}):
        exact.noise_test(SETTINGS)
        exact.noise_task.finish()
        other = SETTINGS.replace(**change)
        assert exact.noise_test(other) is None
        again = exact.noise_task.finish()
        assert again is not None and again is exact.noise_test(other)
        assert not np.array_equal(again.noisy, found.noisy)


def test_the_noise_test_is_of_its_settings() -> None:
    exact = new()
    exact.noise_test(SETTINGS)
    found = exact.noise_task.finish()
    assert found is not None and found.best is not None
    data = clean_data(SETTINGS).points
    np.testing.assert_allclose(
        found.noises, np.linspace(0.0, TESTED_TO * SETTINGS.noise, 13), rtol=0, atol=1e-12
    )
    assert found.noisy.shape == (13, TEST_PROBES, 2)
    for noise, noisy, best in zip(found.noises[1:], found.noisy[1:], found.best[1:], strict=True):
        posterior = Denoiser(data, noise).at(noisy)
        assert abs(best - posterior.variance.mean()) < 1e-12
    np.testing.assert_array_equal(found.noisy[0], found.clean)
    assert found.best[0] == 0.0


@pytest.mark.parametrize("kind", ["masking", "flip"])
def test_where_no_best_is_known_points_are_still_tested(kind: str) -> None:
    exact, settings = new(), SETTINGS.replace(noise_kind=kind)
    exact.noise_test(settings)
    found = exact.noise_task.finish()
    assert found is not None and found.best is None
    there = (
        0.0 if kind == "masking" else clean_data(settings).box[0] + clean_data(settings).box[1] - found.clean
    )
    moved = np.isclose(found.noisy, there, rtol=0.0, atol=1e-12)
    assert (moved | (found.noisy == found.clean)).all()


BITS = np.tile([[0.0, 0.0], [1.0, 1.0]], (976, 1))  # of which every second one is always the same


@pytest.mark.parametrize(
    ("settings", "data"),
    [
        (SETTINGS.replace(points=5_000, noise_kind="uniform", noise=0.01), None),
        (SETTINGS.replace(points=20_000, noise_kind="uniform"), None),
        (SETTINGS.replace(data="corners", noise_kind="masking"), CleanData(BITS)),
        (SETTINGS.replace(data="corners", noise_kind="flip"), CleanData(BITS)),
    ],
    ids=["uniform, little", "uniform", "masked bits", "flipped bits"],
)
def test_the_best_of_many_points_is_a_number(settings: Settings, data: CleanData | None) -> None:
    found = finish(NoiseTest.solving(settings, data or clean_data(settings)))
    assert found.best is not None
    untouched = np.square(found.noisy - found.clean).sum(axis=-1).mean(axis=-1)
    # By chance the posterior may be a little wider than these points were moved.
    assert (found.best <= 1.2 * untouched + 1e-12).all()


# The curve


@pytest.mark.parametrize(
    "change",
    [{}, {"noise_kind": "uniform"}, {"test_noise": 3.0}, {"noise_kind": "masking"}, {"data": "corners",
      "noise_kind": "flip"}, {"target": "nearest"}, {"noise_draw": "frozen"}],
    ids=str,
)  # fmt: skip
def test_the_curve_is_what_the_network_and_the_best_one_err_at_each_noise(change: dict[str, object]) -> None:
    settings = CURVE.replace(**change)
    look, data = Looked(settings), clean_data(settings)
    found, points = curve_of(look.whole(settings)), data.points
    top = min(1.0, 2.5 * settings.noise * settings.test_noise)
    np.testing.assert_allclose(found.noises, np.linspace(0.0, top, 13), rtol=0, atol=1e-12)
    kind = settings.noise_kind
    known = kind in ("gaussian", "uniform") or data.is_binary
    assert (found.best is not None) == known
    training, rng = look.driver.training, np.random.default_rng(0)
    for k in (0, 4, 12):
        noise, clean = found.noises[k], points[rng.integers(len(points), size=20_000)]
        if kind in ("masking", "flip"):
            there = 0.0 * clean if kind == "masking" else points.min(axis=0) + points.max(axis=0) - clean
            noisy = np.where(rng.random(clean.shape) < noise, there, clean)
        else:
            eps = (
                rng.standard_normal(clean.shape)
                if kind == "gaussian"
                else rng.uniform(-(3**0.5), 3**0.5, clean.shape)
            )
            noisy = clean + noise * eps
        r = training.network.reconstruct(training.average, noisy)
        # Six standard errors of a mean of 1,024, beside that of our own 20,000.
        for curve, each in (
            (found.untouched, np.square(noisy - clean).sum(axis=1)),
            (found.learned, np.square(r - clean).sum(axis=1)),
        ):
            assert abs(curve[k] - each.mean()) < 6.0 * each.std() / math.sqrt(TEST_PROBES) + 1e-12
        if found.best is not None and noise > 0.0:
            each = Denoiser(points, noise, kind).at(noisy).variance
            assert abs(found.best[k] - each.mean()) < 6.0 * each.std() / math.sqrt(TEST_PROBES) + 1e-12
    if found.best is not None:
        assert found.best[0] == 0.0
        error = np.sqrt(found.learned / TEST_PROBES)  # by chance a network may err a little less
        assert (found.learned > found.best - 6.0 * error).all()
