"""What is told of single places, of basins and of particles, against the same network without any process."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from talk import GRID, SMALL, Talk, bits, points_of

from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import cloud_noisy
from aeviz.core.field import Grid
from aeviz.core.flow import FOR_EVER, RATE, TAIL
from aeviz.core.manifolds import FloatArray
from aeviz.core.marks import BASIN_STEPS, CLOUD, MOST_STEPS, ExactPlace, Place
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser
from aeviz.learn.training import Training
from aeviz.work import messages as m

TRAINED = SMALL.replace(hidden=(16,), code=16, epochs=300)
PLACES = [(0.3, -0.4), (-1.0, 1.0), (1.5, 0.9)]
ROUNDING = 1e-5  # of float32, which NumPy may sum in another order in a process with more threads
BASINS, EXACT = TRAINED.replace(layer="basins"), TRAINED.replace(layer="exact")


@cache
def training_of(settings: Settings) -> Training:
    """The oracle: the same training to its last epoch."""
    training = Training(settings, clean_data(settings))
    for _ in itertools.islice(training.epochs(), settings.epochs):
        pass
    return training


def reconstruct(settings: Settings = TRAINED) -> Callable[[FloatArray], FloatArray]:
    training = training_of(settings)
    return lambda x: training.network.reconstruct(training.average, x)


@pytest.fixture
def trained(talk: Talk) -> Talk:
    """A run that is trained to its end."""
    talk.build(TRAINED)
    talk.train_to_end()
    return talk


# Under the cursor


def cursor_of(talk: Talk, place: tuple[float, float], **what: Any) -> Place:
    cursor = talk.ask(cursor=place, **what).marks.cursor
    assert cursor is not None
    return cursor


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_at_the_cursor_both_denoisers_answer(place: tuple[float, float], trained: Talk) -> None:
    found, x = cursor_of(trained, place), np.array([place])
    training = training_of(TRAINED)
    learned = training.network.field(training.average, x)
    assert found.place == place
    assert np.abs(found.reconstruction - (x + learned.displacement)[0]).max() < ROUNDING
    assert abs(found.ambiguity - learned.ambiguity[0]) < 10.0 * ROUNDING
    assert abs(found.magnitude - np.hypot(*learned.displacement[0])) < ROUNDING
    exact, best = found.exact, Denoiser(points_of(TRAINED), TRAINED.noise)
    assert exact is not None and exact.ambiguity is not None
    posterior = best.at(x)
    weights = np.exp(-np.square(x - points_of(TRAINED)).sum(axis=1) / (2.0 * TRAINED.noise**2))
    weights /= weights.sum()
    assert posterior.ambiguity is not None
    assert np.abs(exact.reconstruction - posterior.mean[0]).max() < 1e-12
    assert np.abs(exact.covariance - posterior.covariance[0]).max() < 1e-12
    assert abs(exact.log_density - posterior.log_density[0]) < 1e-12
    assert abs(exact.ambiguity - posterior.ambiguity[0]) < 1e-12
    assert np.abs(exact.votes - weights[exact.voters]).max() < 1e-12
    assert exact.votes.sum() > 0.99
    assert np.abs(exact.profile - weights).max() < 1e-12  # of so few points, one in each part


def test_the_cursor_follows_a_change_of_the_noise_and_a_past_epoch(talk: Talk) -> None:
    data, place = points_of(SMALL), PLACES[0]
    talk.build(SMALL.replace(epochs=10))
    talk.train_to_end()
    changed = SMALL.replace(epochs=20, noise=0.6, noise_kind="rare", target="nearest")
    talk.send(m.Change(changed))
    talk.train_to_end()
    for epoch, denoiser in (
        (None, Denoiser(data, 0.6, "rare", "nearest")), (4, Denoiser(data, 0.25)),
    ):  # fmt: skip
        exact, best = cursor_of(talk, place, epoch=epoch).exact, ExactPlace.of(denoiser, place)
        assert exact is not None and best is not None
        assert np.abs(np.subtract(exact.reconstruction, best.reconstruction)).max() < 1e-12
        assert np.array_equal(exact.voters, best.voters)
        assert np.abs(exact.votes - best.votes).max() < 1e-12


def test_where_no_point_can_have_come_from_the_network_alone_answers(talk: Talk) -> None:
    talk.build(SMALL.replace(noise_kind="uniform"))
    assert cursor_of(talk, (1.9, 1.9)).exact is None  # 0.43 is as far as σ = 0.25 moves a coordinate
    near = cursor_of(talk, (-2.0, 0.1)).exact
    assert near is not None and near.ambiguity is None


# From the probe on, and round a place


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_probe_goes_where_the_network_takes_it_again_and_again(
    place: tuple[float, float], trained: Talk
) -> None:
    marks = trained.ask(probe=place).marks
    path, step = marks.path, reconstruct()
    assert path is not None
    assert (marks.cursor, marks.cloud, marks.cloud_reconstruction) == (None, None, None)
    assert np.array_equal(path[0], place)
    assert 3 < len(path) <= MOST_STEPS + 1
    # Each place from the one before, so that nothing is carried along.
    assert np.abs(step(path[:-1]) - path[1:]).max() < ROUNDING
    rest = 1e-3 * training_of(TRAINED).network.unit
    moved = np.hypot(*np.diff(path, axis=0).T)
    assert (moved[:-1] > rest).all()
    assert moved[-1] <= rest or len(path) == MOST_STEPS + 1


def test_a_cloud_is_noise_round_its_place_and_where_that_goes(trained: Talk) -> None:
    place = PLACES[1]
    marks = trained.ask(cloud=place).marks
    assert marks.cloud is not None and marks.cloud_reconstruction is not None
    assert (marks.cursor, marks.path) == (None, None)
    np.testing.assert_array_equal(marks.cloud, cloud_noisy(TRAINED, clean_data(TRAINED), place, CLOUD))
    assert np.abs(marks.cloud_reconstruction - reconstruct()(marks.cloud)).max() < ROUNDING
    # σ = 0.25 round the place: five standard errors of 200 points' mean and standard deviation.
    assert np.abs(marks.cloud.mean(axis=0) - place).max() < 5.0 * 0.25 / np.sqrt(CLOUD)
    assert np.abs(marks.cloud.std(axis=0) / 0.25 - 1.0).max() < 5.0 / np.sqrt(2.0 * CLOUD)
    assert bits(trained.ask(cloud=place).marks) == bits(marks)  # it does not flicker


# Basins


@pytest.mark.parametrize(
    "view",
    [BASINS, TRAINED.replace(compare="split", beside="basins"), BASINS.replace(compare="wipe")],
    ids=["the layer", "the second layer", "with another"],
)
def test_basins_are_told_where_they_are_shown(view: Settings, trained: Talk) -> None:
    _, field = trained.seen(view)
    places, step = GRID.points, reconstruct()
    for _ in range(BASIN_STEPS):
        places = step(places)
    distance = np.square(places[:, None] - points_of(TRAINED)).sum(axis=-1)
    along = np.linspace(0.0, 1.0, TRAINED.points)
    assert field.basins is not None
    sure = np.diff(np.sort(distance, axis=1)[:, :2]).ravel() > 1e-2  # of two clean points as near, either
    assert sure.sum() > 15
    np.testing.assert_array_equal(field.basins.ravel()[sure], along[distance.argmin(axis=1)][sure])
    assert len(np.unique(field.basins)) > 3


def test_basins_are_not_worked_out_for_nothing(trained: Talk) -> None:
    hidden = TRAINED.replace(beside="basins")  # beside nothing, as nothing is compared
    for view in (TRAINED, EXACT, hidden):
        assert trained.seen(view)[1].basins is None
    assert trained.ask(BASINS).field is None


@pytest.mark.parametrize("whole", [False, True], ids=["on the screen", "for a file"])
def test_basins_at_rest_are_those_of_the_shown_epoch(whole: bool, trained: Talk) -> None:
    wide = Grid.home(BASINS, clean_data(BASINS))
    for epoch in (None, 0, None):
        _, field = trained.seen(BASINS, grid=wide, epoch=epoch, whole=whole)
        _, again = trained.seen(BASINS, grid=wide, epoch=epoch, whole=whole)
        assert field.basins is not None
        assert bits(field.basins) == bits(again.basins)
        assert (len(np.unique(field.basins)) > 3) == (epoch is None)  # at first all come to rest in one


# Particles


def streaks_of(talk: Talk, view: Settings, **what: Any) -> FloatArray:
    _, field = talk.seen(view, **what)
    assert field.streaks is not None
    return field.streaks


@pytest.mark.parametrize("flow", ["drift", "walk-back"])
def test_particles_are_as_many_as_are_wanted_and_move_from_frame_to_frame(flow: str, trained: Talk) -> None:
    assert trained.seen()[1].streaks is None
    for count in (7, 300):
        view = TRAINED.replace(flow=flow, particles=count)
        one, other = streaks_of(trained, view), streaks_of(trained, view)
        assert one.shape == other.shape == (count, 2, 2)
        assert np.isfinite(other).all()
        assert not np.array_equal(one, other)
    assert trained.ask(view).field is None


def test_particles_drift_along_the_arrows(trained: Talk) -> None:
    view, step = TRAINED.replace(flow="drift", particles=500), reconstruct()
    before = streaks_of(trained, view)[:, 1]
    after = streaks_of(trained, view)
    moved = before + RATE * (step(before) - before)
    went_on = np.abs(after[:, 1] - moved).max(axis=1) < ROUNDING
    assert went_on.mean() > 0.9  # one in a hundred ends its life at each step, and begins elsewhere
    x0, x1, y0, y1 = GRID.extent
    born = after[~went_on, 0]
    assert ((born >= (x0, y0)) & (born <= (x1, y1))).all()
    for _ in range(TAIL - 1):
        after = streaks_of(trained, view)
    lived = np.abs(after[:, 0] - before).max(axis=1) < 1e-12  # as far as a streak reaches back
    assert 0.7 < lived.mean() < 1.0


def test_particles_walk_back_from_the_probe(trained: Talk) -> None:
    assert FOR_EVER[0] > 1_000_000
    view, step = TRAINED.replace(flow="walk-back", particles=2_000), reconstruct()
    probe = (1.5, 1.4)
    first = streaks_of(trained, view, probe=probe)
    # One step from there: r(x + σε). Five standard errors of the oracle's mean and deviation.
    eps = np.random.default_rng(7).standard_normal((100_000, 2))
    best = step(np.array(probe) + TRAINED.noise * eps)
    found = first[:, 1]
    assert np.abs(found.mean(axis=0) - best.mean(axis=0)).max() < 5.0 * best.std() / np.sqrt(len(found))
    assert np.abs(found.std(axis=0) - best.std(axis=0)).max() < 5.0 * best.std() / np.sqrt(len(found))
    assert np.array_equal(first[:, 0], first[:, 1])  # no streak: it jumps
    # From another place they begin again.
    moved = streaks_of(trained, view, probe=(-1.5, -1.0))[:, 1]
    best = step(np.array((-1.5, -1.0)) + TRAINED.noise * eps)
    assert np.abs(moved.mean(axis=0) - best.mean(axis=0)).max() < 5.0 * best.std() / np.sqrt(len(moved))


def test_particles_that_are_put_away_begin_anew(trained: Talk) -> None:
    view = TRAINED.replace(flow="drift", particles=50)
    first = [streaks_of(trained, view) for _ in range(3)]
    assert trained.seen()[1].streaks is None
    again = [streaks_of(trained, view) for _ in range(3)]
    assert bits(first) == bits(again)
