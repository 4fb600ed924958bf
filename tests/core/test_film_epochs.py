"""Which epochs and noises the frames of a film show."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeviz.core.film import (
    epoch_caption,
    film_epochs,
    film_noises,
    film_settings,
    noise_caption,
    samples,
    shots,
)
from aeviz.core.numbers import THIN_SPACE, grouped
from aeviz.core.settings import Settings

FILM = Settings(duration=8.0, frame_rate=30.0, hold=1.0)


@given(
    st.integers(0, 1_000_000), st.sampled_from(["early", "even"]), st.floats(0.2, 20.0),
    st.floats(1.0, 60.0), st.floats(0.0, 3.0),
)  # fmt: skip
def test_a_film_goes_from_the_first_epoch_to_the_last_and_rests_there(last, easing, duration, rate, hold):
    settings = Settings(easing=easing, duration=duration, frame_rate=rate, hold=hold)
    epochs = film_epochs(last, settings)
    moving, resting = max(2, round(duration * rate)), round(hold * rate)
    assert len(epochs) == moving + resting
    assert epochs[0] == 0
    assert epochs[moving - 1 :] == [last] * (resting + 1)
    assert epochs == sorted(epochs)


def test_even_epochs_last_as_long_and_early_ones_longer_than_late_ones():
    even = np.diff(film_epochs(2_000, FILM.replace(easing="even", hold=0.0)))
    assert even.max() - even.min() <= 1
    early = film_epochs(2_000, FILM.replace(hold=0.0))
    assert early[60] < 50, (
        "nine tenths of all change are in the first 22 epochs: they take a fifth of the film"
    )
    steps = np.diff(early)
    assert steps[:12].max() <= 1
    assert (np.diff(steps) >= -1).all(), "the pace only grows, but for rounding"


def test_as_long_is_spent_from_20_to_200_epochs_as_from_200_to_2000():
    epochs = np.array(film_epochs(2_000, FILM.replace(hold=0.0, frame_rate=60.0)))
    frames = [((epochs >= low) & (epochs < 10 * low)).sum() for low in (20, 200)]
    assert abs(frames[0] - frames[1]) < 0.25 * frames[1]


@pytest.mark.parametrize("steps", [2, 5, 32, 240, 500])
def test_each_noise_stands_as_long_and_the_last_one_rests(steps):
    settings = FILM.replace(film_noise=(0.05, 0.6), film_steps=steps)
    noises = film_noises(settings)
    assert len(noises) == 270
    assert (noises[0], noises[-31:]) == (0.05, [0.6] * 31)
    lengths = [len([*same]) for _, same in itertools.groupby(noises[:240])]
    assert len(lengths) == min(steps, 240)
    assert max(lengths) - min(lengths) <= 1
    assert noises == sorted(noises)


def test_a_film_over_the_noise_may_go_down():
    noises = film_noises(FILM.replace(film_noise=(0.5, 0.1), film_steps=3))
    assert [*dict.fromkeys(noises)] == [0.5, 0.3, 0.1]


def test_what_stays_the_same_is_painted_once_unless_particles_move():
    assert shots([0, 0, 3, 4, 4, 4], FILM) == [(0, 2), (3, 1), (4, 3)]
    assert shots([0, 0, 3], FILM.replace(flow="drift")) == [(0, 1), (0, 1), (3, 1)]


def test_samples_reach_from_the_first_to_the_last_and_are_few():
    assert samples([5]) == [5]
    found = samples(film_epochs(2_000, FILM))
    assert found[0] == 0 and found[-1] == 2_000
    assert found == sorted({*found}) and 3 <= len(found) <= 10


@pytest.mark.parametrize(
    ("last", "epochs"), [(9, (0, 9)), (2_000, (0, 7, 99, 999, 1_000)), (10**6, (1, 10**6))]
)
def test_captions_are_as_long_whatever_the_epoch(last, epochs):
    texts = [epoch_caption(epoch, last) for epoch in epochs]
    assert len({len(text) for text in texts}) == 1
    gaps = {tuple(k for k, each in enumerate(text) if each == THIN_SPACE) for text in texts}
    assert len(gaps) == 1, "the thousands are where they will be"
    for text, epoch in zip(texts, epochs, strict=True):
        assert text.startswith("epoch ") and text.endswith(grouped(epoch))
    assert {len(noise_caption(noise)) for noise in (0.05, 0.123456, 1.0)} == {9}


@pytest.mark.parametrize(
    ("settings", "suffix", "pixels"),
    [
        (Settings(), ".mp4", (1280, 720)),
        (Settings(compare="split"), ".gif", (1280, 720)),
        (Settings(size=(641, 481), size_unit="px"), ".mp4", (640, 480)),
        (Settings(size=(16, 9), size_unit="cm", resolution=100.0), ".mp4", (630, 354)),
    ],
)
def test_a_film_has_an_even_size(settings, suffix, pixels):
    assert film_settings(settings, suffix).figure_pixels == pixels
    again = film_settings(film_settings(settings, suffix), suffix)
    assert again == film_settings(settings, suffix)


def test_a_gif_has_at_most_50_pictures_in_a_second():
    fast = Settings(frame_rate=60.0)
    assert film_settings(fast, ".gif").frame_rate == 50.0
    assert film_settings(fast, ".mp4").frame_rate == 60.0
    assert film_settings(Settings(frame_rate=24.0), ".gif").frame_rate == 24.0
