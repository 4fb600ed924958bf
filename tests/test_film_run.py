"""Films of runs without a window: of a training, and over the noise."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import aeviz
from aeviz.cli import main
from aeviz.core.files import FileError
from aeviz.core.film import film_epochs, film_settings
from aeviz.core.recipe_files import recipe_in
from aeviz.core.settings import Settings
from aeviz.figure.qt import offscreen_application
from aeviz.film import film, noise_film
from aeviz.run import Run, TrainingError

QUICK = Settings(
    points=40, hidden=(8,), code=8, batch=40, epochs=60, grid=(8, 7), size=(320, 240), size_unit="px",
    resolution=60.0, legend=False, duration=0.4, hold=0.1, frame_rate=20.0, easing="even",
)  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with aeviz.train(QUICK) as run:
        yield run


def decoded(path: Path) -> tuple[list[np.ndarray], list[Fraction]]:
    with av.open(str(path)) as container:
        frames = [*container.decode(video=0)]
        return [each.to_ndarray(format="rgb24") for each in frames], [
            each.pts * each.time_base for each in frames
        ]


def wanted(run: Run, epochs: list[int]) -> list[np.ndarray]:
    """The pictures of these epochs, as `image_of` paints them."""
    offscreen_application()
    from aeviz.core.film import epoch_caption
    from aeviz.figure.export import Page, figure_of, image_of

    settings, found = film_settings(QUICK, ".mp4"), []
    for field in run.fields(epochs):
        figure = figure_of(field, settings, run.data)
        figure.set_caption(epoch_caption(field.epoch, 60))
        found.append(pixels(image_of(figure, Page.of(settings))))
    return found


def pixels(image: Any) -> np.ndarray:
    memory = image.constBits()
    memory.setsize(image.sizeInBytes())
    return np.frombuffer(memory, np.uint8).reshape(image.height(), image.width(), 4)[..., 2::-1].copy()


def test_a_film_shows_the_training_epoch_by_epoch(run, tmp_path):
    told = []
    assert film(run, tmp_path / "a.mp4", lambda *progress: told.append(progress))
    frames, times = decoded(tmp_path / "a.mp4")
    epochs = film_epochs(60, QUICK)
    assert epochs == [0, 9, 17, 26, 34, 43, 51, 60, 60, 60]
    assert times == [Fraction(k, 20) for k in range(10)]
    assert told == [(k, 8) for k in range(1, 9)]
    pictures = wanted(run, epochs[:8])
    for k, frame in enumerate(frames):
        off = [np.abs(frame.astype(int) - picture).mean() for picture in pictures]
        assert int(np.argmin(off)) == min(k, 7)
        assert min(off) < 6.0, "colours are stored for four pixels together, and arrows are a pixel wide"
    recipe = recipe_in(tmp_path / "a.mp4")
    assert (recipe.epoch, recipe.settings) == (60, QUICK)


def test_a_gif_shows_the_same(run, tmp_path):
    assert film(run, tmp_path / "a.gif")
    frames, times = decoded(tmp_path / "a.gif")
    assert times == [Fraction(k, 20) for k in range(8)]
    for frame, picture in zip(frames, wanted(run, film_epochs(60, QUICK)[:8]), strict=True):
        assert np.abs(frame.astype(int) - picture).mean() < 2.0
    assert recipe_in(tmp_path / "a.gif").epoch == 60


def test_a_cancelled_film_leaves_nothing_and_the_run_goes_on(run, tmp_path):
    asked = []
    assert not film(run, tmp_path / "a.mp4", cancelled=lambda: asked.append(0) or len(asked) > 3)
    assert len(asked) == 4
    assert not [*tmp_path.iterdir()]
    assert run.field().epoch == 60


def test_a_full_disk_leaves_the_old_film(run, tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old one")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=f"cannot write {path}: {os.strerror(errno.ENOSPC)}"):
        film(run, path)
    assert path.read_bytes() == b"the old one"
    assert [*tmp_path.iterdir()] == [path]


def test_a_film_over_the_noise_shows_a_network_for_each(tmp_path):
    told = []
    settings = QUICK.replace(film="noise", film_noise=(0.1, 0.5), film_steps=2)
    noise_film(settings, tmp_path / "a.mp4", lambda *progress: told.append(progress), jobs=1)
    frames, times = decoded(tmp_path / "a.mp4")
    assert times == [Fraction(k, 20) for k in range(10)]
    assert told == [(1, 2), (2, 2)]
    change = [np.abs(one.astype(int) - other).mean() for one, other in itertools.pairwise(frames)]
    assert int(np.argmax(change)) == 3, "half of the eight moving frames show the first"
    recipe = recipe_in(tmp_path / "a.mp4")
    assert (recipe.settings.noise, recipe.epoch) == (0.5, 60)
    with aeviz.train(settings.replace(noise=0.5)) as run:
        offscreen_application()
        from aeviz.core.film import noise_caption
        from aeviz.figure.export import Page, figure_of, image_of

        figure = figure_of(run.field(), settings, run.data)
        figure.set_caption(noise_caption(0.5))
        picture = pixels(image_of(figure, Page.of(film_settings(settings, ".mp4"))))
    assert np.abs(frames[-1].astype(int) - picture).mean() < 6.0
    assert main(["render", str(tmp_path / "again.mp4"), "--from", str(tmp_path / "a.mp4")]) == 0
    again, _ = decoded(tmp_path / "again.mp4")
    assert all(np.array_equal(one, other) for one, other in zip(frames, again, strict=True))


@pytest.mark.parametrize("more", [["--json"], ["--change", "10:noise=0.3"]], ids=repr)
def test_what_is_about_one_run_is_refused_for_a_film_over_the_noise(more, tmp_path, capsys):
    assert main(["render", str(tmp_path / "a.mp4"), "--film", "noise", *more]) == 2
    assert f"{more[0]} is about one run" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_a_network_that_diverges_ends_the_film_and_leaves_nothing(tmp_path):
    settings = QUICK.replace(
        film_steps=2, learning_rate=1.0, optimiser="sgd", schedule="constant", activation="identity"
    )
    with pytest.raises(TrainingError, match="σ = "):
        noise_film(settings, tmp_path / "a.mp4", jobs=1)
    assert not [*tmp_path.iterdir()]
