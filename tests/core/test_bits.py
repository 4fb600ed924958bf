"""The exact denoiser of pairs of bits under masking and flips: Bayes' rule over all outcomes, and floors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from brute_force import outcomes
from fields import denoiser_of, probe_of, reference_of, spiral
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import entr

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import DISCRETE, Corruption
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import ExactPlace
from aeviz.core.metrics import FLOOR_PROBES, Quality
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser

CORNERS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
PLACES = np.array(CORNERS)
PROBABILITIES = [1e-9, 0.1, 0.3, 0.5, 0.9, 1.0]
SUBSETS = [some for count in (1, 2, 3, 4) for some in itertools.combinations(CORNERS, count)]


def of_bits(data: str, kind: str, p: float, **changes: object) -> Settings:
    return Settings(data=data, noise_kind=kind, noise=p).replace(**changes)


def agrees_with_bayes(data: FloatArray, kind: str, p: float) -> None:
    """Assert that the denoiser of these bits is what the corruption of these bits asks for."""
    settings = Settings(noise_kind=kind, noise=p)
    clean = CleanData(data)
    denoiser = Denoiser.of(settings, clean)
    assert denoiser is not None
    found = denoiser.at(PLACES)
    assert found.ambiguity is None
    best = outcomes(data, Corruption.of(settings, clean))
    assert abs(sum(each.probability for each in best.values()) - 1.0) < 1e-15
    for k, place in enumerate(CORNERS):
        if place not in best:
            assert np.isnan(found.mean[k]).all()
            assert np.isnan(found.covariance[k]).all()
            assert found.log_density[k] == -np.inf
            assert ExactPlace.of(denoiser, place) is None
            continue
        # Products of three, sums of up to four, and a quotient: some roundings of numbers up to 1.
        there, weights = denoiser.place(PLACES[k : k + 1])
        assert np.abs(weights - best[place].weights).max() < 1e-15
        assert np.abs(found.mean[k] - best[place].mean).max() < 1e-15
        assert np.abs(found.covariance[k] - best[place].covariance).max() < 1e-15
        log_density = np.log(best[place].probability)
        assert abs(found.log_density[k] - log_density) < 1e-15 * (10.0 + abs(log_density))
        assert np.abs(there.mean[0] - found.mean[k]).max() < 1e-15


def constant(some: tuple[tuple[float, float], ...]) -> bool:
    return bool((np.ptp(some, axis=0) == 0.0).any())


@pytest.mark.parametrize("some", SUBSETS, ids=str)
def test_masked_bits_are_guessed_by_bayes_rule(some: tuple[tuple[float, float], ...]) -> None:
    for p in PROBABILITIES:
        agrees_with_bayes(np.array(some), "masking", p)


@pytest.mark.parametrize("some", SUBSETS, ids=str)
def test_flipped_bits_are_guessed_by_bayes_rule(some: tuple[tuple[float, float], ...]) -> None:
    for p in PROBABILITIES:
        agrees_with_bayes(np.array(some), "flip", p)


@given(
    st.lists(st.sampled_from(CORNERS), min_size=1, max_size=9),
    st.floats(1e-6, 1.0),
    st.sampled_from(DISCRETE),
)
def test_bits_that_come_more_often_are_likelier(some: list[tuple[float, float]], p: float, kind: str) -> None:
    agrees_with_bayes(np.array([*some, (0.0, 0.0), (1.0, 1.0)]), kind, p)


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_all_four_corners_by_hand(p: float) -> None:
    """Each bit by itself: a flipped one is the other, a masked one may have been either."""
    flipped = denoiser_of(of_bits("corners", "flip", p)).at(PLACES)
    assert np.abs(flipped.mean - np.where(PLACES == 1.0, 1.0 - p, p)).max() < 1e-15
    assert np.abs(flipped.variance - 2.0 * p * (1.0 - p)).max() < 1e-15
    assert np.abs(np.exp(flipped.log_density) - 0.25).max() < 1e-15
    # Of a 0: it was 1 and masked, p/2, or 0 in any case, 1/2.
    masked = denoiser_of(of_bits("corners", "masking", p)).at(PLACES)
    q = p / (1.0 + p)
    assert np.abs(masked.mean - np.where(PLACES == 1.0, 1.0, q)).max() < 1e-15
    assert np.abs(masked.variance - (PLACES == 0.0).sum(axis=1) * q * (1.0 - q)).max() < 1e-15
    seen = np.where(PLACES == 1.0, 0.5 * (1.0 - p), 0.5 * (1.0 + p)).prod(axis=1)
    assert np.abs(np.exp(masked.log_density) - seen).max() < 1e-15


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_two_bits_that_differ_by_hand(p: float) -> None:
    """One bit tells the other: what was masked can be told from what was not."""
    masked = denoiser_of(of_bits("xor", "masking", p)).at(PLACES)
    assert np.abs(masked.mean[:3] - [(0.5, 0.5), (0.0, 1.0), (1.0, 0.0)]).max() < 1e-15
    assert np.abs(masked.covariance[0] - [[0.25, -0.25], [-0.25, 0.25]]).max() < 1e-15
    assert np.abs(masked.covariance[1:3]).max() == 0.0
    assert np.isnan(masked.mean[3]).all()  # masking makes no 1
    flipped = denoiser_of(of_bits("xor", "flip", p)).at(PLACES)
    q = (1.0 - p) ** 2 / ((1.0 - p) ** 2 + p**2)
    assert np.abs(flipped.mean - [(0.5, 0.5), (1.0 - q, q), (q, 1.0 - q), (0.5, 0.5)]).max() < 1e-15


@pytest.mark.parametrize("kind", DISCRETE)
def test_between_the_corners_nothing_is_known(kind: str) -> None:
    denoiser = denoiser_of(of_bits("corners", kind, 0.3))
    places = np.array([[0.5, 0.5], [1e-9, 0.0], [0.0, 1.0 + 1e-9], [-1.0, 0.0], [1e300, 1.0]])
    found = denoiser.at(places)
    assert np.isnan(found.mean).all()
    assert (found.log_density == -np.inf).all()
    assert not denoiser.is_everywhere
    assert not denoiser.is_smooth
    assert ExactPlace.of(denoiser, (0.5, 0.5)) is None


@pytest.mark.parametrize("kind", DISCRETE)
@pytest.mark.parametrize("sigma", [1e-100, 5e-324])
def test_the_smallest_probability_leaves_bits_as_they_are(sigma: float, kind: str) -> None:
    found = denoiser_of(of_bits("corners", kind, sigma)).at(PLACES)
    assert np.abs(found.mean - PLACES).max() < 1e-90
    # A bit that is hardly ever wrong has a variance of as good as 0, which is not negative.
    assert 0.0 <= found.variance.min() <= found.variance.max() < 1e-90


@pytest.mark.parametrize("kind", DISCRETE)
def test_votes_at_a_corner(kind: str) -> None:
    denoiser = denoiser_of(of_bits("corners", kind, 0.25))
    found = ExactPlace.of(denoiser, (0.0, 0.0))
    assert found is not None
    assert found.voters.tolist() == [0, 1, 2, 3]
    expected = [16, 4, 4, 1] if kind == "masking" else [9, 3, 3, 1]
    assert np.abs(found.votes - np.array(expected) / sum(expected)).max() < 1e-15
    assert np.array_equal(found.profile, found.votes)
    assert found.ambiguity is None
    assert found.reconstruction == tuple(denoiser.at(PLACES[:1]).mean[0])


@pytest.mark.parametrize("kind", DISCRETE)
def test_the_nearest_target_of_bits_is_the_nearest_corner(kind: str) -> None:
    settings = of_bits("xor", kind, 0.3, target="nearest")
    found = denoiser_of(settings).at(PLACES[1:3])
    assert np.array_equal(found.mean, PLACES[1:3])
    assert probe_of(settings).bayes_floor == 0.0


# Which data have an exact denoiser


@pytest.mark.parametrize("kind", DISCRETE)
def test_only_bits_have_an_exact_denoiser_of_masking_and_flips(kind: str) -> None:
    settings = Settings(noise_kind=kind, noise=0.3)
    for data in ("corners", "xor"):
        there = clean_data(Settings(data=data))
        found = Denoiser.of(settings, there)
        assert found is not None
        assert (found.kind, found.noise, found.target) == (kind, 0.3, "original")
        assert found.data is there.points
        assert Denoiser.of(settings.replace(noise=0.0), there) is None
        jittered = clean_data(Settings(data=data, jitter=0.01))
        assert Denoiser.of(settings, jittered) is None
        assert Denoiser.of(settings.replace(noise_kind="gaussian"), jittered) is not None
    assert Denoiser.of(settings, CleanData(spiral(9))) is None


@pytest.mark.parametrize("kind", DISCRETE)
def test_of_other_data_only_the_copying_is_measured(kind: str) -> None:
    reference = reference_of(Settings(noise_kind=kind, grid=(6, 5)))
    assert reference.probe is None
    assert reference.ambiguity is None
    places = len(reference.midline.places)
    assert places > 50
    ridge = np.zeros((places, 17))
    ridge[:, 8] = 9.0
    quality = reference.quality(
        np.empty((0, 2)), np.zeros((5, 6, 2)), np.full((5, 6), 9.0), ridge.ravel(), 2.0
    )
    assert quality == Quality(identityness=1.0)


# The floor


def entropy(p: float) -> float:
    return float(entr(p) + entr(1.0 - p))


def floor_of(data: str, kind: str, p: float, cost: str) -> float:
    """In closed form."""
    both = (1.0 - p) ** 2 + p**2  # two flips or none
    q, r = p / (1.0 + p), (1.0 - p) ** 2 / both

    def of_bit(q: float) -> float:
        return entropy(q) if cost == "bce" else q * (1.0 - q)

    return {
        ("corners", "flip"): 2.0 * of_bit(p),
        ("corners", "masking"): (1.0 + p) * of_bit(q),  # two bits, each of which is 0 with (1 + p)/2
        ("xor", "flip"): both * 2.0 * of_bit(r) + (1.0 - both) * 2.0 * of_bit(0.5),
        ("xor", "masking"): p * 2.0 * of_bit(0.5),
    }[data, kind]


@pytest.mark.parametrize("p", [0.05, 0.25, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("kind", DISCRETE)
@pytest.mark.parametrize("data", ["corners", "xor"])
def test_the_floor_of_bits_has_a_closed_form(data: str, kind: str, p: float) -> None:
    for cost in ("squared", "bce"):
        settings = of_bits(data, kind, p, cost=cost)
        best = outcomes(clean_data(settings).points, Corruption.of(settings, clean_data(settings)))
        costs = np.array([
            sum(entropy(x) if cost == "bce" else x * (1.0 - x) for x in each.mean) for each in best.values()
        ])  # fmt: skip
        probabilities = np.array([each.probability for each in best.values()])
        floor = floor_of(data, kind, p, cost)
        assert abs(probabilities @ costs - floor) < 1e-14  # the closed form is right
        error = np.sqrt(max(0.0, probabilities @ costs**2 - floor**2) / FLOOR_PROBES)
        assert abs(probe_of(settings).bayes_floor - floor) <= 5 * error + 1e-12
        assert error < 0.02 * floor or floor < 1e-14  # sharp enough to mean something


@pytest.mark.parametrize("kind", DISCRETE)
@pytest.mark.parametrize("data", ["corners", "xor"])
def test_a_perfect_network_of_bits_is_measured_as_one(data: str, kind: str) -> None:
    settings = of_bits(data, kind, 0.25, grid=(4, 3))
    reference = reference_of(settings)
    probe = reference.probe
    assert probe is not None
    assert reference.ambiguity is None
    assert np.array_equal(probe.exact, denoiser_of(settings).at(probe.noisy).mean)
    still, ambiguous = np.zeros((3, 4, 2)), np.full((3, 4), 9.0)
    perfect = reference.quality(probe.exact, still, ambiguous, np.empty(0), 2.0)
    assert perfect == Quality(probe.bayes_floor, 0.0, identityness=1.0)
    # A copy is off by E ‖ŷ − y‖² − floor (Pythagoras), over the floor.
    share = 0.5 if kind == "masking" else 1.0  # of the bits, that masking changes
    risk = 2.0 * share * 0.25 / floor_of(data, kind, 0.25, "squared") - 1.0
    found = probe.excess_risk(probe.noisy)
    assert found is not None
    assert abs(found - risk) < 0.1 * risk  # 4,096 draws: a few percent
