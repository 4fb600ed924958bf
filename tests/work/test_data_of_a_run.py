"""Runs on data of the user: drawn, from a file, and gone on with where a process has died."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from talk import GRID, SMALL, Talk, bits, on_linux, same

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.corruption import Corruption, probe_noisy, shown_noisy
from aeviz.core.marks import CLOUD
from aeviz.core.settings import Settings
from aeviz.core.timeline import Timeline
from aeviz.core.truth import Denoiser
from aeviz.learn.training import Training
from aeviz.work import messages as m

DRAWN = (-1.0, 0.5, -0.4, 0.9, 0.1, 0.2, 0.8, -0.3, 1.1, 0.4, 0.6, 1.3)
ROUNDING = 1e-6  # of float32, which NumPy may sum in another order in a process with more threads


def on(drawn: tuple[float, ...] = DRAWN, **change: Any) -> Settings:
    return SMALL.replace(data="drawn", drawn=drawn).replace(**change)


IN_THE_FILE = np.random.default_rng(3).normal((500.0, -3.0), (40.0, 0.2), (30, 2))
"""Far from the origin, and of two very different sizes."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    np.savetxt(path, IN_THE_FILE, delimiter=",", header="a,b")
    return path


def trained(settings: Settings, data: CleanData) -> tuple[Training, NDArray[np.float32]]:
    """The oracle: the same training to its end, without any process, and its losses, (E, 2)."""
    training = Training(settings, data)
    epochs = itertools.islice(training.epochs(), settings.epochs)
    return training, np.array([(loss, training.regulariser) for loss in epochs], dtype=np.float32)


def assert_trained(talk: Talk, settings: Settings, data: CleanData) -> None:
    """What is seen at the end of a run is what training itself says of these points."""
    training, losses = trained(settings, data)
    np.testing.assert_array_equal(talk.losses(), losses)
    seen = talk.look()
    assert seen.field is not None
    size = training.network.unit + np.abs(data.points).max()
    best = training.network.field(training.average, GRID.points)
    assert np.abs(seen.field.displacement.reshape(-1, 2) - best.displacement).max() < ROUNDING * size
    np.testing.assert_array_equal(seen.field.noisy, shown_noisy(settings, data))
    found = training.network.reconstruct(training.average, seen.field.noisy)
    assert np.abs(seen.field.reconstruction - found).max() < ROUNDING * size


# Drawn, and from a file


@pytest.mark.parametrize(
    "settings",
    [
        on(),
        on((0.3, -0.7)),
        on(standardise=True, noise_draw="frozen"),
        on(cost="bce", noise_kind="flip"),
        on(regulariser="variational", noise_kind="masking"),
        SMALL.replace(data="corners", noise_kind="masking"),
    ],
    ids=["some points", "one point", "standardised", "in the unit square", "sampled and masked", "bits"],
)
def test_a_run_on_other_data_is_a_training_on_them(settings: Settings, talk: Talk) -> None:
    talk.build(settings)
    talk.train_to_end()
    assert_trained(talk, settings, clean_data(settings))


@pytest.mark.parametrize("standardise", [False, True], ids=["as they are", "standardised"])
def test_a_run_on_a_file_never_reads_it_again(standardise: bool, file: Path, talk: Talk) -> None:
    settings = SMALL.replace(data=str(file), standardise=standardise, noise=0.3)
    data = clean_data(settings)
    talk.build(settings)
    file.unlink()
    talk.train_to_end()
    assert_trained(talk, settings, data)
    best = IN_THE_FILE
    if standardise:
        best = (best - best.mean(axis=0)) / best.std(axis=0)
    assert np.abs(data.points - best).max() < 1e-12 * np.abs(best).max()
    # The exact denoiser and what is measured are of these points too.
    cursor = talk.ask(cursor=(float(data.points[4, 0]), float(data.points[4, 1]))).marks.cursor
    assert cursor is not None and cursor.exact is not None
    exact = Denoiser(data.points, 0.3).at(np.array([cursor.place])).mean[0]
    assert np.abs(np.subtract(cursor.exact.reconstruction, exact)).max() < 1e-9
    talk.send(m.AskMetrics())
    metrics = talk.wait_for(m.Measured).metrics
    each = Denoiser(data.points, 0.3).at(probe_noisy(settings, data)).variance
    assert metrics.bayes_floor is not None  # of more draws than these: five standard errors
    assert abs(metrics.bayes_floor - each.mean()) < 5.0 * each.std() / np.sqrt(len(each))


def test_a_build_is_on_the_data_that_it_carries_whatever_its_settings_say(talk: Talk) -> None:
    elsewhere = clean_data(on())
    settings = SMALL.replace(epochs=20)
    talk.build(settings, data=elsewhere)
    talk.train_to_end()
    assert_trained(talk, settings, elsewhere)


def test_another_run_has_other_data_at_once(talk: Talk) -> None:
    for settings in (on(), on(drawn=DRAWN[:4]), SMALL.replace(data="corners"), on()):
        talk.build(settings)
        _, field = talk.seen(samples=1)
        np.testing.assert_array_equal(field.noisy, shown_noisy(settings, clean_data(settings)))


# Where a process has died


@on_linux
def test_a_run_whose_trainer_was_killed_goes_on_with_the_same_data(
    file: Path, talk: Talk, other: Talk, new_talk: Callable[[], Talk]
) -> None:
    """As the window does it: new processes, and a build with the data and the keyframes that it has kept."""
    settings = SMALL.replace(data=str(file), noise=0.5, regulariser="l2", noise_draw="frozen")
    data = clean_data(settings)
    later = settings.replace(epochs=150, noise_kind="flip")
    for each in (undisturbed := talk, broken := new_talk()):
        each.build(settings, data=data)
        each.train_to_end()
        each.send(m.Change(later))
        each.train_to_end()
    os.kill(broken.client.pids["trainer"], signal.SIGKILL)
    with pytest.raises(AssertionError, match="Died"):
        broken.wait_for(m.Measured)
    file.write_text("1,2\n3,4\n")  # changed meanwhile
    kept = broken.branch
    kept.timeline = Timeline([*kept.timeline][:-3], kept.timeline.changes)
    other.build(later, since=kept, epoch=140)
    other.train_to_end()
    np.testing.assert_array_equal(other.losses(), undisturbed.losses())
    assert same(other.look(), undisturbed.look())
    assert same(other.look(epoch=33), undisturbed.look(epoch=33))


# What is shown is tested with the test's noise


@pytest.mark.parametrize("kind", ["gaussian", "masking", "flip"])
def test_points_are_shown_with_the_noise_of_the_test(kind: str, talk: Talk) -> None:
    settings = SMALL.replace(noise_kind=kind, noise=0.2)
    data = clean_data(settings)
    talk.build(settings)
    for factor, noise in ((1.0, 0.2), (2.0, 0.4), (0.0, 0.0), (10.0, 1.0)):
        view = settings.replace(test_noise=factor)
        frame, field = talk.seen(view, samples=1, cloud=(1.0, -0.5))
        shown = shown_noisy(settings.replace(noise=noise), data)
        assert np.abs(field.noisy - shown).max() < 1e-12
        assert frame.settings.noise == field.noise == 0.2  # it is trained as before
        cloud = frame.marks.cloud
        assert cloud is not None and len(cloud) == CLOUD
        off = np.abs(cloud - (1.0, -0.5))
        if noise == 0.0:
            assert not off.any()
        if noise == 1.0 and kind != "gaussian":  # every coordinate
            there = Corruption.of(settings.replace(noise=1.0), data)(
                np.array([[1.0, -0.5]]), np.zeros((1, 2))
            )
            assert np.abs(cloud - there).max() < 1e-12
    assert bits(talk.seen(samples=1)[1].noisy) == bits(shown_noisy(settings, data))
