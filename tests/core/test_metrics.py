"""How good a network is: floor, excess risk, midlines, each against what it is defined to be."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fields import ADDED, denoiser_of, exact_of, midline_of, perfect_field, probe_of, reference_of, spiral
from scipy.spatial import KDTree

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import PROBES, draw, probe_noisy
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import FLOOR_PROBES, NEAR_DATA, Metrics, Probe, Quality, Reference
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish


def pairs(settings: Settings, count: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Clean and noisy points, from draws of our own."""
    data = clean_data(settings).points
    rng = np.random.default_rng(seed)
    clean = data[rng.integers(len(data), size=count)]
    return clean, clean + settings.noise * draw(rng, settings.noise_kind, count)


# Excess risk and the floor


@pytest.mark.parametrize(
    "settings",
    [
        Settings(), Settings(noise=0.1), Settings(noise=1.0, points=10),
        Settings(noise_kind="uniform"), Settings(noise_kind="rare", noise=0.1),
    ],
)  # fmt: skip
def test_the_floor_is_the_error_of_the_exact_denoiser_on_fresh_noise(settings: Settings) -> None:
    """E tr Cov*(ŷ) = E ‖r*(ŷ) − y‖²: the right side by Monte Carlo, from draws of our own."""
    probe, denoiser = probe_of(settings), denoiser_of(settings)
    clean, noisy = pairs(settings, 20_000, 12345)
    errors = np.square(denoiser.at(noisy).mean - clean).sum(axis=1)
    variances = denoiser.at(probe.noisy).variance
    standard_error = np.hypot(errors.std() / np.sqrt(len(errors)), variances.std() / np.sqrt(len(variances)))
    # Sharp enough to mean something; of rare noise, one point in twenty makes most of the error.
    assert standard_error < (0.06 if settings.noise_kind == "rare" else 0.04) * probe.bayes_floor
    assert abs(errors.mean() - probe.bayes_floor) < 5 * standard_error


def test_the_floor_hardly_depends_on_the_seed_and_is_that_of_many_draws() -> None:
    floors = np.array([probe_of(Settings(seed=seed)).bayes_floor for seed in range(24)])
    # 65,536 draws: 0.25 %, and from 24 of them known to 15 % of that.
    assert floors.std(ddof=1) < 0.004 * floors.mean()
    denoiser = denoiser_of(Settings())
    clean = np.resize(denoiser.data, (600_000, 2))  # each point 3,973 or 3,974 times
    noisy = clean + 0.25 * np.random.default_rng(1).standard_normal(clean.shape)
    variances = denoiser.at(noisy).variance
    standard_error = np.hypot(variances.std() / np.sqrt(600_000), floors.std(ddof=1) / np.sqrt(24))
    assert standard_error < 0.001 * floors.mean()  # a third of the tolerance
    assert abs(variances.mean() - floors.mean()) < 0.003 * floors.mean()


@pytest.mark.parametrize(
    ("points", "draws"), [(151, FLOOR_PROBES), (1_000, 10_000), (5_000, PROBES)], ids=str
)
def test_the_floor_is_that_of_more_probes_where_they_are_cheap(points: int, draws: int) -> None:
    settings = Settings(points=points, noise_kind="uniform")
    probe, denoiser = probe_of(settings), denoiser_of(settings)
    noisy = probe_noisy(settings, CleanData(denoiser.data), draws)
    assert np.array_equal(probe.noisy, noisy[:PROBES])
    assert probe.exact.shape == (PROBES, 2)
    # Means of up to 65,536 numbers, which blocks of another size may have rounded otherwise.
    assert abs(probe.variance - denoiser.at(noisy).variance.mean()) < 1e-14


@pytest.mark.parametrize("kind", ADDED)
def test_no_other_denoiser_has_a_smaller_error_than_the_floor(kind: str) -> None:
    settings = Settings(noise_kind=kind, noise=0.1 if kind == "rare" else 0.25)
    floor, data = probe_of(settings).bayes_floor, clean_data(settings).points
    clean, noisy = pairs(settings, 20_000, 6)
    nearest = data[np.square(noisy[:, None] - data).sum(axis=-1).argmin(axis=1)]
    stranger = Denoiser(data, 0.35, "rare" if kind == "gaussian" else "gaussian").at(noisy).mean
    for rival in (noisy, nearest, 0.9 * noisy, stranger):
        assert np.square(rival - clean).sum(axis=1).mean() > 1.02 * floor


def test_the_excess_risk_is_zero_for_the_exact_denoiser_and_nothing_else() -> None:
    settings = Settings()
    probe = probe_of(settings)
    assert probe.excess_risk(probe.exact) == 0.0
    off = probe.excess_risk(probe.exact + np.array([0.03, -0.04]))
    assert off is not None
    assert abs(off - 0.05**2 / probe.bayes_floor) < 1e-12
    # The noise itself, undone by nobody: E‖ŷ − r*‖² = 2σ² − floor (Pythagoras).
    undone = (2 * settings.noise**2 - probe.bayes_floor) / probe.bayes_floor
    found = probe.excess_risk(probe.noisy)
    assert found is not None
    assert abs(found - undone) < 0.1 * undone  # 4,096 draws: a few percent


def test_the_probe_is_fixed_and_its_own_exact_reference() -> None:
    settings = Settings()
    one, other = probe_of(settings), probe_of(settings)
    assert np.array_equal(one.noisy, other.noisy)
    assert np.array_equal(one.exact, denoiser_of(settings).at(one.noisy).mean)
    assert one.bayes_floor == other.bayes_floor > 0.0


def test_a_few_of_the_probes_sketch_the_floor() -> None:
    settings = Settings()
    whole = probe_of(settings)
    few = finish(Probe.solving(settings, clean_data(settings), denoiser_of(settings), 512))
    assert np.array_equal(few.noisy, whole.noisy[:512])
    assert np.abs(few.exact - whole.exact[:512]).max() < 1e-14
    spread = denoiser_of(settings).at(whole.noisy).variance.std()
    assert abs(few.bayes_floor - whole.bayes_floor) < 5 * spread / np.sqrt(512)


def test_the_floor_of_a_cross_entropy_is_that_of_the_exact_reconstruction() -> None:
    """The least E[−y log r − (1 − y) log(1 − r)] is at r = r*, and there it is r*'s entropy."""
    settings = Settings(cost="bce", noise=0.1)
    probe = probe_of(settings)
    clean, noisy = pairs(settings, 20_000, 7)

    def cost(r: FloatArray) -> FloatArray:
        return -(clean * np.log(r) + (1.0 - clean) * np.log1p(-r)).sum(axis=1)

    best = denoiser_of(settings).at(noisy).mean.clip(1e-12, 1.0 - 1e-12)
    errors = cost(best)
    # Both are means of draws, of 20,000 and of more.
    assert abs(errors.mean() - probe.bayes_floor) < 5 * errors.std() * np.hypot(
        20_000**-0.5, FLOOR_PROBES**-0.5
    )
    assert cost(0.9 * best + 0.05).mean() > errors.mean()
    noisy = probe_noisy(settings, clean_data(settings), FLOOR_PROBES)
    assert probe.variance == np.float64(denoiser_of(settings).at(noisy).variance.mean())


def test_a_single_point_leaves_nothing_to_be_measured() -> None:
    probe = probe_of(Settings(points=1))
    assert probe.bayes_floor == 0.0
    assert probe.excess_risk(probe.exact) is None


def test_the_nearest_target_has_no_floor() -> None:
    settings = Settings(target="nearest")
    probe = probe_of(settings)
    data = clean_data(settings).points
    _, nearest = KDTree(data).query(probe.noisy)
    assert np.array_equal(probe.exact, data[nearest])
    assert probe.bayes_floor == 0.0
    assert probe.excess_risk(probe.noisy) is None


def test_metrics_become_json() -> None:
    numbers = Metrics(
        epoch=3, loss=0.5, bayes_floor=None, excess_risk=0.25, midline_iou=None, ridge_distance=0.125,
        exact_ridge_distance=0.0625, identityness=0.75, regulariser=0.03125, train_seconds=1.5,
        steps_per_second=100.0,
    )  # fmt: skip
    assert isinstance(numbers, Quality)
    assert json.loads(json.dumps(numbers.to_json())) == {
        "epoch": 3,
        "loss": 0.5,
        "bayes_floor": None,
        "excess_risk": 0.25,
        "midline_iou": None,
        "ridge_distance": 0.125,
        "exact_ridge_distance": 0.0625,
        "identityness": 0.75,
        "regulariser": 0.03125,
        "train_seconds": 1.5,
        "steps_per_second": 100.0,
    }


# Midlines


def exact_ambiguity(settings: Settings) -> FloatArray:
    found = exact_of(settings).ambiguity
    assert found is not None
    return found


@pytest.mark.parametrize("threshold", [1.5, 2.0, 4.0])
def test_the_midlines_of_a_perfect_network_agree(threshold: float) -> None:
    settings = Settings()
    assert reference_of(settings).midline_iou(exact_ambiguity(settings), threshold) == 1.0


def test_disjoint_midlines_do_not_agree_at_all() -> None:
    reference, exact = reference_of(Settings()), exact_ambiguity(Settings())
    assert reference.midline_iou(4.0 - exact, 2.0) == 0.0
    assert reference.midline_iou(np.ones_like(exact), 2.0) == 0.0  # the network sees no midline


def test_where_neither_has_a_midline_there_is_nothing_to_compare() -> None:
    single = Settings(points=1)
    assert reference_of(single).midline_iou(exact_ambiguity(single), 2.0) is None


@pytest.mark.parametrize("change", [{"noise_kind": "uniform"}, {"target": "nearest"}], ids=str)
def test_where_the_exact_denoiser_has_cliffs_no_midlines_are_compared(change: dict[str, str]) -> None:
    reference = reference_of(Settings().replace(**change))
    assert reference.ambiguity is None
    assert reference.midline_iou(np.full(reference.grid.shape, 9.0), 2.0) is None


def test_the_agreement_is_intersection_over_union_near_the_data() -> None:
    settings = Settings()
    field = perfect_field(settings)
    learned = field.ambiguity + np.random.default_rng(8).normal(0.0, 1.0, field.ambiguity.shape)
    both = either = 0
    for place, mine, best in zip(field.grid.points, learned.flat, field.ambiguity.flat, strict=True):
        if min(np.hypot(*(place - y)) for y in field.data) <= 3.0 * settings.noise:
            both += int(mine > 2.0 and best > 2.0)
            either += int(mine > 2.0 or best > 2.0)
    assert 0 < both < either
    assert reference_of(settings).midline_iou(learned, 2.0) == both / either


def test_places_far_from_the_data_do_not_count() -> None:
    settings = Settings(extent=(-6.0, 6.0, -6.0, 6.0))
    field = perfect_field(settings)
    distance = np.sqrt(np.square(field.grid.points[:, None] - spiral(151)).sum(axis=-1)).min(axis=1)
    far = (distance > NEAR_DATA * settings.noise).reshape(field.grid.shape)
    assert 0.5 < far.mean() < 1.0
    assert reference_of(settings).midline_iou(np.where(far, 99.0, field.ambiguity), 2.0) == 1.0


@pytest.mark.parametrize("turns", [1.0, 1.5])
@pytest.mark.parametrize("noise", [0.1, 0.16, 0.17, 0.5])
def test_the_ridge_is_looked_for_where_noise_reaches_the_midline(noise: float, turns: float) -> None:
    settings = Settings(noise=noise, turns=turns, points=40, grid=(3, 3))
    midline = midline_of(settings)
    within = midline.half_gap <= 3.0 * noise
    reference = reference_of(settings)
    assert np.array_equal(reference.midline.places, midline.places[within])
    assert np.array_equal(reference.midline.half_gap, midline.half_gap[within])
    assert (noise < 0.49 / 3.0) == (len(reference.midline.places) == 0)  # arms are 1 apart, so 0.49 away


def measured(
    reference: Reference, across: FloatArray, ambiguity: FloatArray | None = None, threshold: float = 2.0
) -> Quality:
    """The quality of a network that does what the exact denoiser does but for its midline."""
    assert reference.probe is not None
    ambiguity = reference.ambiguity if ambiguity is None else ambiguity
    assert ambiguity is not None
    still = np.zeros((*reference.grid.shape, 2))
    return reference.quality(reference.probe.exact, still, ambiguity, across, threshold)


def test_a_reference_measures_the_exact_denoiser_as_perfect() -> None:
    settings = Settings(noise=0.3)
    reference = reference_of(settings)
    across = denoiser_of(settings).at(reference.midline.searched).ambiguity
    assert across is not None
    quality = measured(reference, across)
    distance = reference.midline.ridge_distance(across, 2.0)
    assert reference.probe is not None
    assert quality == Quality(reference.probe.bayes_floor, 0.0, 1.0, distance, distance, 1.0)
    # Its ridge is not on the midline: points lie more sparsely on the outer arm, in proportion to 1/r, so
    # votes are even where 2·d·δ/σ² = log((r + d)/(r − d)), with d the half gap, 0.49, and r the midline's
    # radius, 1 to 2: δ = 0.05 to 0.1; and near the inner end, r below 1, more.
    assert distance is not None
    assert 0.04 < distance < 0.15
    flat = measured(reference, np.ones_like(across))
    assert flat == Quality(reference.probe.bayes_floor, 0.0, 1.0, None, distance, 1.0)


@pytest.mark.parametrize("threshold", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("change", [{}, {"noise": 0.4}, {"noise_kind": "rare", "noise": 0.2}], ids=str)
def test_the_exact_ridge_is_that_of_the_exact_ambiguity(change: dict[str, object], threshold: float) -> None:
    settings = Settings().replace(**change)
    reference = reference_of(settings)
    midline = midline_of(settings)
    midline = midline.where(midline.half_gap <= 3.0 * settings.noise)
    best = denoiser_of(settings).at(midline.searched).ambiguity
    assert best is not None
    quality = measured(reference, np.ones_like(best), threshold=threshold)
    assert quality.ridge_distance is None
    assert quality.exact_ridge_distance == midline.ridge_distance(best, threshold)
    assert threshold > 3.0 or quality.exact_ridge_distance is not None


@pytest.mark.parametrize("change", [{"noise_kind": "uniform"}, {"target": "nearest"}], ids=str)
def test_cliffs_have_no_exact_ridge(change: dict[str, str]) -> None:
    reference = reference_of(Settings().replace(**change))
    learned = np.zeros((len(reference.midline.places), 17))
    learned[:, 8] = 9.0  # a ridge on the midline itself
    quality = measured(reference, learned.ravel(), np.zeros(reference.grid.shape))
    assert quality.exact_ridge_distance is None
    assert quality.ridge_distance is not None
    assert quality.ridge_distance < 1e-12
