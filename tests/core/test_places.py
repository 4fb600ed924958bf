"""What is known of single places: votes, a probe's path, a cloud's way, basins."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from fields import ADDED, spiral
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import KDTree

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import cloud_noisy
from aeviz.core.manifolds import BITS, CURVES, FloatArray
from aeviz.core.marks import (
    BASIN_STEPS,
    BINS,
    CLOUD,
    LEAST_RISE,
    LEAST_SHARE,
    LEAST_VOTE,
    MOST_STEPS,
    MOST_VOTERS,
    NO_MARKS,
    RESTS,
    ExactPlace,
    Marks,
    Place,
    basins,
    lumps,
    path_from,
)  # fmt: skip
from aeviz.core.settings import SPECS, Settings
from aeviz.core.truth import Denoiser

KINDS = ADDED


def scaled(factor: float) -> Callable[[FloatArray], FloatArray]:
    return lambda x: factor * x


def place_of(denoiser: Denoiser, place: tuple[float, float]) -> ExactPlace:
    found = ExactPlace.of(denoiser, place)
    assert found is not None
    return found


# Votes


@pytest.mark.parametrize("target", ["original", "nearest"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_place_knows_its_posterior(kind: str, target: str) -> None:
    denoiser = Denoiser(spiral(151), 0.25, kind, target)
    found = place_of(denoiser, (0.3, 0.9))
    there = denoiser.at(np.array([[0.3, 0.9]]))
    assert found.reconstruction == tuple(there.mean[0])
    assert np.array_equal(found.covariance, there.covariance[0])
    assert found.log_density == there.log_density[0]
    assert found.ambiguity == (None if there.ambiguity is None else there.ambiguity[0])


@pytest.mark.parametrize("sigma", [0.02, 0.25, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_voters_are_those_whose_vote_would_be_seen(kind: str, sigma: float) -> None:
    denoiser = Denoiser(spiral(151), sigma, kind)
    x = denoiser.data[70] + 0.01
    found = place_of(denoiser, (float(x[0]), float(x[1])))
    _, weights = denoiser.place(x[None])
    told = set(found.voters.tolist())
    assert told == {i for i in range(151) if weights[i] >= 1e-3 * weights.max()}
    assert np.array_equal(found.votes, weights[found.voters])
    assert np.array_equal(found.voters, np.sort(found.voters))
    assert 1.0 - found.votes.sum() <= 151 * LEAST_VOTE * weights.max()


@pytest.mark.parametrize(("points", "kind"), [(5_000, "gaussian"), (5_000, "uniform"), (400, "uniform")])
def test_of_many_voters_the_strongest_are_told(points: int, kind: str) -> None:
    denoiser = Denoiser(spiral(points), 1.0, kind)
    found = place_of(denoiser, (0.2, 0.1))
    _, weights = denoiser.place(np.array([[0.2, 0.1]]))
    claimed = np.count_nonzero(weights >= LEAST_VOTE * weights.max())
    assert len(found.voters) == min(MOST_VOTERS, claimed)
    assert claimed > MOST_VOTERS or points == 400
    assert np.array_equal(found.voters, np.unique(found.voters))
    others = np.delete(weights, found.voters)
    assert found.votes.min() >= others.max()


def test_a_place_that_no_point_can_have_been_moved_to_is_not_known() -> None:
    denoiser = Denoiser(spiral(151), 0.1, "uniform")
    assert ExactPlace.of(denoiser, (3.0, 3.0)) is None
    assert ExactPlace.of(denoiser, (0.5, 0.1)) is not None
    assert ExactPlace.of(Denoiser(spiral(151), 0.1), (1e3, 1e3)) is not None  # a Gaussian reaches all


def test_a_place_out_of_reach_is_not_known_whatever_the_target() -> None:
    denoiser = Denoiser(spiral(151), 0.1, "uniform", "nearest")
    assert ExactPlace.of(denoiser, (3.0, 3.0)) is None
    assert place_of(denoiser, (0.5, 0.1)).votes.tolist() == [1.0]


# The whole vote


@pytest.mark.parametrize("target", ["original", "nearest"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("points", [1, 7, 151, BINS, BINS + 1, 1_000])
def test_the_profile_is_the_vote_in_equally_long_parts(points: int, kind: str, target: str) -> None:
    denoiser = Denoiser(spiral(points), 1.0, kind, target)
    found = place_of(denoiser, (0.2, 0.1))
    _, weights = denoiser.place(np.array([[0.2, 0.1]]))
    parts = points // math.ceil(points / BINS)  # so that nearly all hold equally many
    assert BINS // 2 <= parts <= BINS or parts == points
    assert found.profile.shape == (parts,)
    # Point i is in part k where k ≤ i·parts/points < k + 1, in whole numbers: where a part begins is
    # ⌈k·points/parts⌉ or, as here, ⌊k·points/parts⌋.
    begins = [k * points // parts for k in range(parts)] + [points]
    expected = [weights[begin:end].sum() for begin, end in itertools.pairwise(begins)]
    assert np.abs(found.profile - expected).max() < 1e-15
    assert abs(found.profile.sum() - 1.0) < 1e-13  # as many roundings of parts of 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("points", [151, 10_000, 100_000])
def test_however_many_points_there_are_the_shares_of_the_arms_are_right(points: int, kind: str) -> None:
    data, x = spiral(points), np.array([0.0, 1.25])
    sigma = 0.35 if kind == "uniform" else 0.25  # with less, it would not reach the middle
    found = place_of(Denoiser(data, sigma, kind), (0.0, 1.25))
    assert abs(found.profile.sum() - 1.0) < 1e-12
    away = x - data
    if kind == "uniform":
        votes = (np.abs(away).max(axis=1) <= np.sqrt(3.0) * sigma).astype(float)
    else:
        votes = np.exp(-np.square(away).sum(axis=1) / (2.0 * sigma**2))
        if kind == "rare":
            votes = 0.95 * votes + 0.05 / 100.0 * votes**0.01
    votes /= votes.sum()
    # Between the arms, at turn 0.25 and 1.25, and opposite: that parts them near the middle of the curve.
    part = len(found.profile) // 2
    middle = part * points // len(found.profile)
    inner, outer = votes[:middle].sum(), votes[middle:].sum()
    near = found.profile[:part].sum(), found.profile[part:].sum()
    assert np.abs(np.subtract(near, (inner, outer))).max() < 1e-12
    assert 0.3 < inner < 0.7
    told = sorted(lumps(found.profile))
    assert len(told) == 2
    left_out = found.profile[found.profile < LEAST_RISE * found.profile.max()].sum()
    assert left_out < 0.07
    assert np.abs(np.array([share for _, share in told]) - (inner, outer)).max() < left_out + 1e-12


profiles = st.integers(1, BINS).flatmap(
    lambda parts: hnp.arrays(float, parts, elements=st.floats(0.0, 1.0) | st.just(0.0))
)


@example(np.array([0.5, *[2.0**-7] * 74]))
@given(profiles)
def test_of_any_vote_the_lumps_are_parts(votes: FloatArray) -> None:
    assume(votes.sum() > 1e-290)
    profile = votes / votes.sum()
    found = lumps(profile)
    assert found
    shares = [share for _, share in found]
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= LEAST_SHARE
    assert sum(shares) <= 1.0 + 1e-13  # 300 roundings of parts of 1
    # What is left out: parts too weak to be seen, and lumps too weak to be named, fewer than 50.
    weak = profile[profile < LEAST_RISE * profile.max()].sum()
    assert sum(shares) > 1.0 - weak - 50 * LEAST_SHARE - 1e-13
    for where, _ in found:
        assert 0.0 < where < 1.0
    middles = sorted(where for where, _ in found)
    assert all(b - a > 1.0 / len(profile) for a, b in itertools.pairwise(middles))


def profile_of(parts: int, **votes: float) -> FloatArray:
    """A profile that is 0 but for the given parts."""
    profile = np.zeros(parts)
    for part, vote in votes.items():
        profile[int(part[1:])] = vote
    return profile


def test_the_parts_of_the_data_that_claim_a_place_are_told_the_strongest_first() -> None:
    # Votes of powers of two, whose sums and quotients are exact.
    profile = np.zeros(128)
    profile[[10, 11, 12, 80, 81, 82, 83, 84]] = np.array([1, 2, 1, 2, 2, 4, 2, 2]) / 16
    assert lumps(profile) == [(82.5 / 128, 0.75), (11.5 / 128, 0.25)]


@pytest.mark.parametrize(("parts", "joined"), [(40, 1), (151, 4), (300, 7)])
def test_a_gap_of_a_fiftieth_of_the_curve_parts_the_data(parts: int, joined: int) -> None:
    assert [share for _, share in lumps(profile_of(parts, p10=0.5, **{f"p{10 + joined}": 0.5}))] == [1.0]
    assert [share for _, share in lumps(profile_of(parts, p10=0.5, **{f"p{11 + joined}": 0.5}))] == [0.5, 0.5]


def test_on_a_closed_curve_the_last_part_lies_beside_the_first() -> None:
    across = profile_of(128, p0=0.25, p1=0.125, p127=0.25, p126=0.125, p60=0.25)
    assert lumps(across, closed=True) == [(0.0, 0.75), (60.5 / 128, 0.25)]
    assert [share for _, share in lumps(across)] == [0.375, 0.375, 0.25]
    one_sided = profile_of(128, p0=0.125, p126=0.875)
    assert lumps(one_sided, closed=True) == [((126.5 * 0.875 + 128.5 * 0.125) / 128, 1.0)]
    apart = profile_of(128, p2=0.5, p125=0.5)
    assert len(lumps(apart, closed=True)) == 2


def test_neighbours_on_two_pieces_are_two_lumps() -> None:
    across = profile_of(128, p62=0.25, p63=0.25, p64=0.25, p65=0.25)
    assert lumps(across) == [(0.5, 1.0)]
    assert sorted(lumps(across, breaks=(0.5,))) == [(63.0 / 128, 0.5), (65.0 / 128, 0.5)]
    one = profile_of(128, p64=0.5, p65=0.5)
    assert lumps(one, breaks=(0.5,)) == lumps(one) == [(65.0 / 128, 1.0)]


@pytest.mark.parametrize(
    ("name", "points"), [("moons", 151), ("two-spirals", 40), ("spiral", 151), ("xor", 4)]
)
def test_the_data_know_where_another_piece_begins(name: str, points: int) -> None:
    data = clean_data(Settings(data=name, points=points))
    pieces = [len(piece) for piece in (CURVES | BITS)[name](points, 1.5)]
    expected = [pieces[0] / sum(pieces)] if len(pieces) == 2 else []
    assert [*data.breaks] == expected


def test_parts_that_hardly_claim_the_place_are_not_named() -> None:
    small = LEAST_SHARE / 2
    assert [share for _, share in lumps(profile_of(151, p8=small, p64=1.0 - small))] == [1.0 - small]


def test_halfway_between_two_arms_both_claim_the_place() -> None:
    def height(where: float) -> float:
        theta = 3.0 * np.pi * where
        return 0.5 * (1.0 + theta / np.pi) * np.sin(theta)

    data = spiral(151)
    # On the second axis, upwards: the arms are at 0.75 and 1.75; the outer has fewer points there.
    found = lumps(place_of(Denoiser(data, 0.25), (0.0, 1.25)).profile)
    assert len(found) == 2
    shares = [share for _, share in found]
    assert shares == sorted(shares, reverse=True)
    assert 0.98 < sum(shares) <= 1.0 + 1e-12
    tops = sorted(height(where) for where, _ in found)
    assert abs(tops[0] - 0.75) < 0.1
    assert abs(tops[1] - 1.75) < 0.1
    (only,) = lumps(place_of(Denoiser(data, 0.1), (0.0, 1.75)).profile)
    assert abs(height(only[0]) - 1.75) < 0.01


def test_the_magnitude_is_the_length_of_the_arrow() -> None:
    place = Place((1.0, 2.0), (4.0, -2.0), 1.0, None)
    assert place.magnitude == 5.0
    assert place.code.shape == (0,)  # not asked for


# A probe's path


@given(st.floats(0.05, 0.95), st.floats(-5.0, 5.0), st.floats(0.1, 5.0), st.floats(1e-4, 0.1))
def test_the_path_of_a_linear_map_is_a_geometric_series(
    factor: float, x: float, y: float, rest: float
) -> None:
    """r(x) = λx: the k-th place is λᵏx, and the k-th step (1 − λ)·λᵏ⁻¹·‖x‖ long."""
    path = path_from((x, y), scaled(factor), rest)
    k = np.arange(len(path))
    assert np.abs(path - factor ** k[:, None] * np.array([x, y])).max() < 200 * 1e-15 * 10.0
    step = (1.0 - factor) * factor ** np.arange(MOST_STEPS) * np.hypot(x, y)
    rests = np.flatnonzero(step < rest * (1.0 - 1e-9))
    moves = np.flatnonzero(step > rest * (1.0 + 1e-9))  # a step of exactly `rest` may go either way
    last = len(path) - 2  # the last step
    assert last == MOST_STEPS - 1 or last >= (moves[-1] + 1 if len(moves) else 0)
    assert last <= (rests[0] if len(rests) else MOST_STEPS - 1)


def test_a_path_that_never_rests_ends_all_the_same() -> None:
    path = path_from((1.0, 0.0), lambda x: x[:, ::-1] * (-1.0, 1.0), 1e-3)  # a quarter turn
    assert path.shape == (MOST_STEPS + 1, 2)
    assert path[:5].tolist() == [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.0, 0.0]]


def test_a_place_at_rest_has_a_path_of_one_step() -> None:
    assert path_from((0.5, -0.5), scaled(1.0), 1e-9).tolist() == [[0.5, -0.5], [0.5, -0.5]]


def test_a_path_ends_where_the_map_gives_no_number() -> None:
    path = path_from((0.0, 0.0), lambda x: np.where(x < 2.5, x + 1.0, np.nan), 1e-3)
    assert path[:-1].tolist() == [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    assert np.isnan(path[-1]).all()


# Marks


@pytest.mark.parametrize("kind", SPECS["noise_kind"].choices)
def test_marks_are_what_was_asked_for(kind: str) -> None:
    settings, size = Settings(noise=0.3, noise_kind=kind), 4.0
    data = clean_data(settings)
    cursor = Place((1.0, 1.0), (0.5, 0.5), 1.0, None)
    marks = Marks.of(cursor, (2.0, 0.0), (0.0, -1.0), settings, data, scaled(0.5), size)
    assert marks.cursor is cursor
    assert marks.path is not None
    assert np.array_equal(marks.path, path_from((2.0, 0.0), scaled(0.5), RESTS * size))
    last = np.hypot(*(marks.path[-1] - marks.path[-2]))
    assert 0.5e-3 * size < last <= 1e-3 * size
    assert marks.cloud is not None
    assert marks.cloud_reconstruction is not None
    assert marks.cloud.shape == (CLOUD, 2)
    assert np.array_equal(marks.cloud, cloud_noisy(settings, data, (0.0, -1.0), CLOUD))
    assert np.array_equal(marks.cloud_reconstruction, 0.5 * marks.cloud)
    assert Marks.of(None, None, None, settings, data, scaled(0.5), size) == NO_MARKS == Marks()


# Basins


def test_a_place_comes_to_rest_at_the_nearer_of_two_points() -> None:
    """Two points ±d: r*(x) = d·tanh(d·x/σ²), whose basins meet at 0."""
    data, positions = np.array([[-0.5, 0.0], [0.5, 0.0]]), np.array([0.25, 0.75])
    places = np.random.default_rng(0).uniform(-2.0, 2.0, (500, 2))
    places = places[np.abs(places[:, 0]) > 0.02]
    denoiser = Denoiser(data, 0.25)
    found = basins(places, lambda x: denoiser.at(x).mean, KDTree(data), positions)
    nearest = np.square(places[:, None] - data).sum(axis=-1).argmin(axis=1)
    assert np.array_equal(found, positions[nearest])
    assert set(found) == {0.25, 0.75}


def test_on_the_spiral_a_place_comes_to_rest_near_where_it_is() -> None:
    data, denoiser = CleanData(spiral(151)), Denoiser(spiral(151), 0.1)
    found = basins(data.points, lambda x: denoiser.at(x).mean, KDTree(data.points), data.positions)
    # It creeps along the curve, as points are denser inwards, by a few points, a hundredth of a turn each;
    # from the ends farther, for beyond them there is nothing.
    assert np.abs(found - data.positions)[5:-5].max() < 0.05 / 1.5


def test_a_place_is_followed_for_many_steps() -> None:
    data, positions = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0.0, 1.0])
    places = np.array([[-0.4, 0.0], [-1.6, 0.0]])  # in all they go 1.5 to the right
    found = basins(places, lambda x: x + np.array([1.5 / BASIN_STEPS, 0.0]), KDTree(data), positions)
    assert BASIN_STEPS > 20
    assert found.tolist() == [1.0, 0.0]


def test_where_the_map_gives_no_number_there_is_no_basin() -> None:
    data, positions = np.array([[0.0, 0.0], [4.0, 0.0]]), np.array([0.0, 1.0])

    def half(x: FloatArray) -> FloatArray:
        return np.where(x[:, :1] > 2.0, np.nan, x)

    places = np.array([[1.0, 0.0], [3.0, 0.0], [-1.0, 2.0], [np.nan, 0.0]])
    assert np.array_equal(
        basins(places, half, KDTree(data), positions), [0.0, np.nan, 0.0, np.nan], equal_nan=True
    )
    nowhere = basins(places, lambda x: np.full_like(x, np.inf), KDTree(data), positions)
    assert np.isnan(nowhere).all()
