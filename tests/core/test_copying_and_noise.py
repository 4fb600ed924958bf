"""How far a map copies its input, and its error over the noise: closed forms and the exact denoiser."""

from __future__ import annotations

import numpy as np
import pytest
from fields import ADDED, denoiser_of, reference_of
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import DISCRETE, Corruption, probes
from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import TEST_PROBES, TEST_WEIGHTS, TESTED_TO, TESTS, NoiseTest, Reference
from aeviz.core.midline import Midline
from aeviz.core.settings import SPECS, Settings
from aeviz.core.truth import Denoiser, finish

NAMES = ("untouched", "best", "learned")  # of the errors over the noise
SETTINGS = Settings(points=40, grid=(12, 10))


@pytest.fixture(scope="module")
def reference() -> Reference:
    return reference_of(SETTINGS)


def nearest_on(reference: Reference) -> FloatArray:
    """From each cell to the nearest clean point, (H, W, 2)."""
    data, places = clean_data(SETTINGS).points, reference.grid.points
    _, found = KDTree(data).query(places)
    return (data[found] - places).reshape(*reference.grid.shape, 2)


# Copying


def test_the_identity_copies_and_the_nearest_point_does_not(reference: Reference) -> None:
    nearest = nearest_on(reference)
    for part, copied in ((0.0, 1.0), (1.0, 0.0), (0.5, 0.5), (0.25, 0.75)):
        found = reference.identityness(part * nearest)
        assert found is not None
        assert abs(found - copied) < 1e-12


def test_where_to_a_place_is_moved_does_not_matter_but_how_far(reference: Reference) -> None:
    nearest = nearest_on(reference)
    angle = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, reference.grid.shape)
    length = 0.3 * np.hypot(*nearest.transpose(2, 0, 1))
    turned = length[..., None] * np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    found = reference.identityness(turned)
    assert found is not None
    assert abs(found - 0.7) < 1e-12


def test_to_move_farther_than_the_data_does_not_make_up_for_copying(reference: Reference) -> None:
    nearest = nearest_on(reference)
    still = np.random.default_rng(1).random(reference.grid.shape) < 0.5
    found = reference.identityness(np.where(still[..., None], 0.0, 40.0 * nearest))
    length = np.hypot(*nearest.transpose(2, 0, 1))
    assert found is not None
    assert abs(found - length[still].sum() / length.sum()) < 1e-12
    assert 0.2 < found < 0.8


@given(st.integers(0, 10_000), st.floats(0.0, 3.0))
def test_identityness_is_from_0_to_1_and_by_its_definition(seed: int, size: float) -> None:
    settings = Settings(data="moons", points=9, grid=(4, 3), noise=0.0)
    data = clean_data(settings)
    grid = Grid.home(settings, data)
    made = finish(Reference.solving(settings, data, None, Midline(), KDTree(data.points)))
    field = size * np.random.default_rng(seed).normal(size=(3, 4, 2))
    moved = total = 0.0
    for place, arrow in zip(grid.points, field.reshape(-1, 2), strict=True):
        distance = min(np.hypot(*(place - y)) for y in data.points)
        moved += min(np.hypot(*arrow), distance)
        total += distance
    found = made.identityness(field)
    assert found is not None
    assert abs(found - (1.0 - moved / total)) < 1e-12
    assert -1e-12 <= found <= 1.0


def test_where_all_cells_are_data_nothing_could_be_copied() -> None:
    settings = Settings(data="corners", grid=(2, 2), extent=(0.0, 1.0, 0.0, 1.0))
    assert reference_of(settings).identityness(np.ones((2, 2, 2))) is None


@pytest.mark.parametrize("change", [{"noise": 0.0}, {"noise_kind": "masking"}, {}], ids=str)
def test_copying_is_measured_with_and_without_an_exact_reference(change: dict[str, object]) -> None:
    settings = SETTINGS.replace(**change)
    found = reference_of(settings)
    assert (found.probe is None) == (settings != SETTINGS)
    assert np.array_equal(found.distance, reference_of(SETTINGS).distance)
    at_probe = np.empty((0, 2)) if found.probe is None else found.probe.exact
    across = np.zeros(17 * len(found.midline.places))
    quality = found.quality(at_probe, 0.5 * nearest_on(found), np.zeros(found.grid.shape), across, 2.0)
    assert quality.identityness is not None
    assert abs(quality.identityness - 0.5) < 1e-12


# The error over the noise


def noise_test(settings: Settings, data: CleanData | None = None) -> NoiseTest:
    return finish(NoiseTest.solving(settings, data or clean_data(settings)))


def still(x: FloatArray) -> FloatArray:
    return x


def squared_error(points: FloatArray, clean: FloatArray) -> FloatArray:
    return np.square(points - clean).sum(axis=-1)


@pytest.mark.parametrize(
    ("noise", "times", "top"),
    [(0.1, 1.0, 0.25), (0.1, 0.0, 0.25), (0.1, 2.0, 0.5), (0.2, 10.0, 1.0), (0.5, 1.0, 1.0), (0.0, 1.0, 1.0)],
)
@pytest.mark.parametrize("kind", SPECS["noise_kind"].choices)
def test_noises_run_from_0_to_beyond_those_of_training_and_test(
    kind: str, noise: float, times: float, top: float
) -> None:
    settings = SETTINGS.replace(noise=noise, test_noise=times, noise_kind=kind)
    found = noise_test(settings)
    assert found.noises.shape == (TESTS,)
    assert np.abs(found.noises - top * np.arange(TESTS) / (TESTS - 1)).max() < 1e-15
    assert top == min(1.0, TESTED_TO * noise * max(1.0, times)) or noise == 0.0
    assert found.noisy.shape == (TESTS, TEST_PROBES, 2)
    clean, eps = probes(settings, clean_data(settings), TEST_PROBES)
    assert np.array_equal(found.clean, clean)
    for sigma, noisy in zip(found.noises, found.noisy, strict=True):
        corruption = Corruption.of(settings.replace(noise=float(sigma)), clean_data(settings))
        assert np.array_equal(noisy, corruption(clean, eps))
    assert np.array_equal(found.noisy[0], clean)


@pytest.mark.parametrize("target", SPECS["target"].choices)
@pytest.mark.parametrize("kind", ADDED)
def test_the_best_at_each_noise_is_that_of_the_exact_denoiser_of_that_noise(kind: str, target: str) -> None:
    settings = SETTINGS.replace(noise=0.3, noise_kind=kind, target=target)
    found = noise_test(settings)
    assert found.best is not None
    assert found.best[0] == 0.0  # without noise, all can stay where it is
    for k in range(1, TESTS):
        denoiser = Denoiser(clean_data(settings).points, found.noises[k], kind)  # of the point that it was
        assert abs(found.best[k] - denoiser.at(found.noisy[k]).variance.mean()) < 1e-14


def test_of_many_points_some_tell_the_best() -> None:
    settings = Settings(points=TEST_WEIGHTS // TEST_PROBES * 5, noise=0.3)
    found = noise_test(settings)
    assert found.best is not None
    for k in (1, 6, 12):
        best = denoiser_of(settings.replace(noise=float(found.noises[k]))).at(found.noisy[k]).variance.mean()
        # Every fifth or sixth of 4,880 points: these are 0.02 apart at most, the smallest noise is 0.06.
        assert abs(found.best[k] - best) < 0.01 * best


@pytest.mark.parametrize("data", ["corners", "xor"])
@pytest.mark.parametrize("kind", DISCRETE)
def test_the_best_for_bits_has_a_closed_form(kind: str, data: str) -> None:
    settings = Settings(data=data, noise_kind=kind, noise=0.4)
    found = noise_test(settings)
    assert found.best is not None
    p = found.noises
    both = (1.0 - p) ** 2 + p**2  # two flips or none
    best = {
        ("corners", "flip"): 2.0 * p * (1.0 - p),
        ("corners", "masking"): p / (1.0 + p),
        ("xor", "flip"): 2.0 * (p * (1.0 - p)) ** 2 / both + p * (1.0 - p),
        ("xor", "masking"): 0.5 * p,
    }[data, kind]
    # Of 1,024 draws; what is drawn is at most 1/2, so its standard error at most √(best/2/1,024).
    assert (np.abs(found.best - best) <= 5 * np.sqrt(0.5 * best / TEST_PROBES) + 1e-15).all()


@pytest.mark.parametrize("kind", DISCRETE)
def test_the_best_for_other_data_is_not_known(kind: str) -> None:
    for noise in (0.0, 0.3):
        found = noise_test(SETTINGS.replace(noise_kind=kind, noise=noise))
        assert found.best is None
        curve = found.curve(still)
        assert curve.best is None
        assert np.array_equal(curve.learned, curve.untouched)
        assert curve.untouched[-1] > 0.0


@pytest.mark.parametrize("kind", SPECS["noise_kind"].choices)
@pytest.mark.parametrize("data", ["spiral", "moons", "corners"])
def test_the_error_of_untouched_points_has_a_closed_form(data: str, kind: str) -> None:
    settings = SETTINGS.replace(data=data, noise_kind=kind, noise=0.4)
    points = clean_data(settings).points
    curve = noise_test(settings).curve(still)
    sigma = curve.noises
    if kind in DISCRETE:
        moved = points if kind == "masking" else points.min(axis=0) + points.max(axis=0) - 2.0 * points
        expected = sigma * np.square(moved).sum(axis=1).mean()
        # Coordinates by themselves, each of variance (4th moment)·p(1 − p) and, over the points, p²·spread.
        spread = np.square(moved).sum(axis=1).std()
        fourth = (moved**4).sum(axis=1).mean()
        error = np.sqrt((fourth * sigma * (1.0 - sigma) + sigma**2 * spread**2) / TEST_PROBES)
    else:
        expected = {"gaussian": 2.0, "uniform": 2.0, "rare": 11.9}[kind] * sigma**2  # 2·(0.95 + 0.05·10²)
        # E‖ε‖⁴: 8 of Gaussian noise, 5.6 of uniform, 8·(0.95 + 0.05·10⁴) of rare.
        fourth = {"gaussian": 8.0, "uniform": 5.6, "rare": 4_007.6}[kind]
        error = sigma**2 * np.sqrt((fourth - (expected[-1] / sigma[-1] ** 2) ** 2) / TEST_PROBES)
    assert (np.abs(curve.untouched - expected) <= 5 * error + 1e-15).all()
    assert error[-1] < 0.2 * expected[-1]  # sharp enough to mean something
    assert (np.diff(curve.untouched) > 0.0).all()


def test_a_copy_learns_nothing_and_a_constant_is_as_bad_at_every_noise() -> None:
    found = noise_test(SETTINGS)
    copied = found.curve(still)
    assert np.array_equal(copied.learned, copied.untouched)
    assert copied.noises is found.noises
    assert copied.best is found.best
    constant = found.curve(lambda x: np.full_like(x, 0.5))
    assert np.abs(constant.learned - squared_error(np.full(2, 0.5), found.clean).mean()).max() < 1e-12
    assert np.array_equal(constant.untouched, copied.untouched)


@pytest.mark.parametrize(
    ("kind", "data"),
    [*((kind, "spiral") for kind in ADDED), *((kind, "corners") for kind in DISCRETE)],
)  # fmt: skip
def test_the_exact_denoiser_learns_the_best_at_its_own_noise_and_no_other(kind: str, data: str) -> None:
    """Of eight seeds, that chance be small: E‖r*(ŷ) − y‖² is E tr Cov*(ŷ), on the very same noisy points."""
    settings = SETTINGS.replace(data=data, noise_kind=kind, noise=0.4)
    tests = [noise_test(settings.replace(seed=seed)) for seed in range(8)]
    draws = 8 * TEST_PROBES
    for own in (2, 6, 11):
        denoiser = denoiser_of(settings.replace(noise=float(tests[0].noises[own])))

        def best(x: FloatArray, denoiser: Denoiser = denoiser) -> FloatArray:
            found = denoiser.at(x).mean
            return np.where(np.isfinite(found), found, x)  # uniform noise of others goes farther than its own

        curves = [test.curve(best) for test in tests]
        mean = {name: np.mean([getattr(curve, name) for curve in curves], axis=0) for name in NAMES}
        for k in (2, 4, 6, 9, 11):
            learned, least = mean["learned"][k], mean["best"][k]
            errors = np.concatenate([squared_error(best(test.noisy[k]), test.clean) for test in tests])
            assert abs(learned - errors.mean()) < 1e-12
            error = errors.std() / np.sqrt(draws)
            if k == own:
                assert abs(learned - least) <= 5 * error + 1e-12
                assert 5 * error < 0.35 * least
            else:
                assert learned >= least - 5 * error - 1e-12
        assert mean["learned"][own] < mean["untouched"][own]


def test_the_error_over_the_noise_is_worked_out_in_steps() -> None:
    steps = NoiseTest.solving(SETTINGS, clean_data(SETTINGS))
    taken = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            assert np.array_equal(end.value.best, noise_test(SETTINGS).best)
            break
        taken += 1
    assert taken >= TESTS - 1  # at least one for each noise
