"""What the pictures of a film show: which epochs of a training, or which noises, and for how long."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from aeviz.core.numbers import THIN_SPACE, grouped
from aeviz.core.settings import Settings

SIZE, RESOLUTION = (1280, 720), 128.0  # px of a film that is given no size; dpi: its legend is 16 px high
MOST_GIF_RATE = 50.0  # pictures per second: times are whole 1/100 s, and players make 1/100 s a tenth
_EARLY = 10.0  # epochs: about linear up to here, logarithmic from here on
_SAMPLES = 7  # pictures that are looked at beforehand
_FIGURE_SPACE = "\u2007"  # as wide as a figure

_Shown = TypeVar("_Shown", bound=float)


def film_settings(settings: Settings, suffix: str) -> Settings:
    """The settings with the size of a film's pictures, and with a rate that the kind of file can have.

    Parameters
    ----------
    settings : Settings
        Without a size, the film is 1280 × 720 px; with one it is a pixel smaller where that is odd, for
        H.264 stores colours for each two pixels.
    suffix : str
        ".mp4" or ".gif".
    """
    if suffix == ".gif":
        settings = settings.replace(frame_rate=min(settings.frame_rate, MOST_GIF_RATE))
    if not settings.size:
        return settings.replace(size=SIZE, size_unit="px", resolution=RESOLUTION)
    width, height = (max(2, round(each) // 2 * 2) for each in settings.figure_pixels)
    return settings.replace(size=(width, height), size_unit="px")


def film_epochs(last: int, settings: Settings) -> list[int]:
    """The epoch that each frame shows: from 0 to `last`, which then rests.

    A network changes about as much from epoch 10 to 20 as from 100 to 200. So with the easing "early" the
    epochs grow exponentially, after a beginning that shows nearly each one: on the lecture's spiral, nine
    tenths of all change are in the first quarter of the film, not in its first picture.
    """
    t = np.linspace(0.0, 1.0, _moving(settings))
    if settings.easing == "early":
        t = np.expm1(t * np.log1p(last / _EARLY)) * (_EARLY / last) if last else t
    epochs = [round(each) for each in (last * t).tolist()]
    return epochs + [last] * _resting(settings)


def film_noises(settings: Settings) -> list[float]:
    """The noise σ that each frame shows: as many as there are steps, each as long; the last one rests."""
    first, last = settings.film_noise
    noises = [round(each, 6) for each in np.linspace(first, last, settings.film_steps).tolist()]
    moving = _moving(settings)
    if moving <= len(noises):  # each frame shows another one
        steps = np.linspace(0, len(noises) - 1, moving).round().astype(int)
    else:
        steps = np.arange(moving) * len(noises) // moving
    return [noises[step] for step in steps] + [noises[-1]] * _resting(settings)


def groups(shown: Iterable[_Shown]) -> list[tuple[_Shown, int]]:
    """What is to be painted, and for how many frames it stands."""
    return [(each, len([*same])) for each, same in itertools.groupby(shown)]


def shots(epochs: Iterable[int], settings: Settings) -> list[tuple[int, int]]:
    """As `groups`, of a training's epochs; particles move in every frame."""
    return groups(epochs) if settings.flow == "off" else [(epoch, 1) for epoch in epochs]


def samples(shown: Sequence[_Shown]) -> list[_Shown]:
    """Some of what a film shows, from the first to the last: its colours are made for them."""
    places: list[int] = np.linspace(0, len(shown) - 1, _SAMPLES).round().astype(int).tolist()
    return [*dict.fromkeys(shown[place] for place in places)]


def epoch_caption(epoch: int, last: int) -> str:
    """The epoch in words, as wide as the last one's: no digit moves from picture to picture."""
    text = grouped(epoch)
    blank = "".join(THIN_SPACE if each == THIN_SPACE else _FIGURE_SPACE for each in grouped(last))
    return f"epoch {blank[: len(blank) - len(text)]}{text}"


def noise_caption(noise: float) -> str:
    """The noise in words, always as wide."""
    return f"σ = {noise:.3f}"


def _moving(settings: Settings) -> int:
    return max(2, round(settings.duration * settings.frame_rate))


def _resting(settings: Settings) -> int:
    return round(settings.hold * settings.frame_rate)
