"""Films are what was painted, last as long as they should, and are there whole or not at all."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

from aeviz.core.clean_data import clean_data
from aeviz.core.field import Field
from aeviz.core.files import FileError
from aeviz.core.film import epoch_caption, film_settings
from aeviz.core.history import History
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import recipe_in
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings
from aeviz.figure.encoders import _EXACTLY, _frame
from aeviz.figure.film import Film, FilmFigure, Picture

SMALL = Settings(
    points=40, grid=(8, 7), size=(321, 241), size_unit="px", resolution=60.0, frame_rate=30.0, legend=False,
)  # fmt: skip
COUNT = 10


@pytest.fixture
def pictures(best: Callable[[Settings], Field]) -> list[Picture]:
    """A field that grows from picture to picture."""
    whole = best(SMALL)
    return [
        Picture(
            dataclasses.replace(whole, displacement=k / COUNT * whole.displacement, epoch=k), f"epoch {k:2}"
        )
        for k in range(COUNT)
    ]


@pytest.fixture
def recipe() -> Recipe:
    branch = History().begin(SMALL, clean_data(SMALL))
    return Recipe.of(branch, 0, SMALL)


def make(
    path: Path, pictures: list[Picture], settings: Settings = SMALL, recipe: Recipe | None = None
) -> None:
    with Film(path, settings, clean_data(settings), pictures[::3], recipe) as film:
        for picture in pictures:
            film.add(picture)


def decoded(path: Path) -> tuple[list[NDArray[np.uint8]], list[Fraction], Any]:
    """The frames, (H, W, 3) each, when they are shown, in seconds, and the stream's facts."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [*container.decode(stream)]
        times = [frame.pts * frame.time_base for frame in frames]
        context = stream.codec_context
        facts = {
            "codec": context.name, "format": context.pix_fmt, "rate": stream.average_rate,
            "duration": stream.duration * stream.time_base, "size": (context.width, context.height),
            "colours": (
                context.colorspace, context.color_range, context.color_primaries, context.color_trc,
            ),
        }  # fmt: skip
        return [frame.to_ndarray(format="rgb24", interpolation=_EXACTLY) for frame in frames], times, facts


def painted(pictures: list[Picture], settings: Settings, suffix: str) -> list[NDArray[np.uint8]]:
    """The same pictures as a PNG file has them."""
    settings = film_settings(settings, suffix)
    figure = FilmFigure(settings, clean_data(settings), pictures[::3])
    return [pixels(figure.paint(picture)) for picture in pictures]


def pixels(image: QImage) -> NDArray[np.uint8]:
    return _frame(image).to_ndarray(format="rgb24").copy()


def test_an_mp4_is_what_was_painted(pictures, qapp, tmp_path):
    make(tmp_path / "a.mp4", pictures)
    frames, times, facts = decoded(tmp_path / "a.mp4")
    assert times == [Fraction(k, 30) for k in range(COUNT)]
    assert facts["duration"] == Fraction(COUNT, 30)
    assert (facts["codec"], facts["format"], facts["rate"], facts["size"]) == (
        "h264",
        "yuv420p",
        30,
        (320, 240),
    )
    assert facts["colours"] == (1, 1, 1, 1), "BT.709 in studio range, as players take it for granted"
    wanted = painted(pictures, SMALL, ".mp4")
    weights = np.array([0.2126, 0.7152, 0.0722])  # of BT.709's luma, which has every pixel's own value
    for k, (frame, picture) in enumerate(zip(frames, wanted, strict=True)):
        off = np.abs(frame @ weights - picture @ weights)
        # Measured: 2.3 at most; 0.6 of it is the rounding to studio range, the rest is what x264 leaves out.
        assert off.mean() < 3.0, k
        others = [np.abs(frame @ weights - other @ weights).mean() for other in wanted]
        assert int(np.argmin(others)) == k, "it shows another picture"


def test_flat_colours_of_an_mp4_are_those_of_the_figure(pictures, qapp, tmp_path):
    bare = SMALL.replace(arrows="none", midline=False, show_data=False, axes=False)
    make(tmp_path / "a.mp4", pictures, bare)
    frame, wanted = decoded(tmp_path / "a.mp4")[0][-1], painted(pictures, bare, ".mp4")[-1]
    flat = np.ones(wanted.shape[:2], dtype=bool)  # nothing else within 4 px
    for axis in (0, 1):
        for by in (-4, -2, 2, 4):
            flat &= (np.roll(wanted, by, axis) == wanted).all(axis=2)
    assert flat.mean() > 0.3
    off = np.abs(frame.astype(int) - wanted)[flat]
    # Measured: 4 in half of them, 7 in all but a hundredth, for so small a film is coded coarsely. By the
    # matrix of BT.601, greens would be off by 14 and more.
    assert (np.percentile(off, 95, axis=0) <= 6).all()


def test_a_gif_is_what_was_painted_and_loops(pictures, qapp, tmp_path):
    make(tmp_path / "a.gif", pictures)
    frames, times, facts = decoded(tmp_path / "a.gif")
    assert times == [Fraction(each, 100) for each in (0, 3, 7, 10, 13, 17, 20, 23, 27, 30)]
    assert facts["duration"] == Fraction(33, 100)
    assert b"NETSCAPE2.0\x03\x01\x00\x00\x00" in (tmp_path / "a.gif").read_bytes(), "without end"
    for frame, picture in zip(frames, painted(pictures, SMALL, ".gif"), strict=True):
        assert np.abs(frame.astype(int) - picture).mean() < 2.0, "256 colours of some thousand"


def test_a_picture_may_stand_for_some_frames(pictures, qapp, tmp_path):
    some = [picture._replace(frames=k + 1) for k, picture in enumerate(pictures[:3])]
    for suffix in (".mp4", ".gif"):
        make(tmp_path / f"a{suffix}", some)
    _, times, facts = decoded(tmp_path / "a.mp4")
    assert (len(times), facts["duration"]) == (6, Fraction(6, 30))
    _, times, facts = decoded(tmp_path / "a.gif")
    assert times == [0, Fraction(3, 100), Fraction(10, 100)]
    assert facts["duration"] == Fraction(20, 100)


@pytest.mark.parametrize("rate", [1.0, 24.0, 29.97, 59.94, 60.0])
def test_every_rate_is_kept_exactly(rate, pictures, qapp, tmp_path):
    make(tmp_path / "a.mp4", pictures[:4], SMALL.replace(frame_rate=rate))
    _, times, _ = decoded(tmp_path / "a.mp4")
    assert times == [k / Fraction(str(rate)) for k in range(4)]


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_film_tells_its_recipe(suffix, pictures, recipe, qapp, tmp_path):
    drawn = tuple(np.random.default_rng(0).normal(size=4_000).round(6).tolist())
    settings = SMALL.replace(data="drawn", drawn=drawn)
    long = Recipe.of(History().begin(settings, clean_data(settings)), 0, settings)
    assert len(long.text()) > 30_000
    for name, told in (("short", recipe), ("long", long)):
        path = tmp_path / f"{name}{suffix}"
        make(path, pictures, recipe=told)
        assert recipe_in(path).text() == told.text()
        assert len(decoded(path)[0]) == COUNT, "players read over it"


def test_an_mp4_plays_before_all_of_it_has_come(pictures, recipe, qapp, tmp_path):
    make(tmp_path / "a.mp4", pictures, recipe=recipe)
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_colours_are_the_same_from_the_first_picture_to_the_last(pictures, qapp):
    settings = film_settings(SMALL.replace(colour_range="automatic", arrow_length="scaled"), ".mp4")
    figure = FilmFigure(settings, clean_data(settings), [pictures[1], pictures[-1]])
    bars = []
    for picture in (pictures[1], pictures[-1]):
        image = pixels(figure.paint(picture))
        bar = figure.figure.panels[0].bar
        bars.append((bar._low, bar._high))
        assert image.any()
    assert bars[0] == bars[1]
    assert bars[0][1] == pytest.approx(pictures[-1].field.magnitude.max())


def test_nothing_but_the_digits_of_the_caption_moves(pictures, qapp):
    settings = film_settings(SMALL.replace(title="A title", arrows="none"), ".mp4")
    figure = FilmFigure(settings, clean_data(settings), pictures[:1])
    captions = epoch_caption(1, 1_000), epoch_caption(11, 1_000)
    one, other = (pixels(figure.paint(pictures[0]._replace(caption=text))) for text in captions)
    rows, columns = np.nonzero((one != other).any(axis=2))
    assert len(rows), "the caption is not there"
    assert np.ptp(columns) < 12 and np.ptp(rows) < 12, "more than one digit is another"


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_cancelled_film_leaves_nothing(suffix, pictures, qapp, tmp_path):
    path = tmp_path / f"a{suffix}"
    film = Film(path, SMALL, clean_data(SMALL), pictures[:1])
    for picture in pictures[:5]:
        film.add(picture)
    film.cancel()
    assert film.over
    assert not [*tmp_path.iterdir()]


def test_a_film_that_fails_on_the_way_leaves_the_old_one(pictures, qapp, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old one")
    with pytest.raises(KeyboardInterrupt), Film(path, SMALL, clean_data(SMALL), pictures[:1]) as film:
        film.add(pictures[0])
        raise KeyboardInterrupt
    assert path.read_bytes() == b"the old one"
    assert [*tmp_path.iterdir()] == [path]


class FullDisk:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self._room = file, room

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, content: Any) -> int:
        self._room -= len(content)
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(content)


@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize("error", [ValueError("libx264"), ImportError("no av"), MemoryError()], ids=repr)
def test_an_encoder_that_is_not_there_is_told_and_nobody_waits(
    error, count, pictures, qapp, tmp_path, monkeypatch
):
    def encoder_of(*_):
        raise error

    monkeypatch.setattr("aeviz.figure.encoders.encoder_of", encoder_of)
    with pytest.raises(FileError, match=f"cannot write .*a.mp4: {type(error).__name__}: {error}"):
        make(tmp_path / "a.mp4", pictures[:1] * count)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("room", [0, 2_000])
@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_full_disk_leaves_the_old_film(suffix, room, pictures, recipe, qapp, tmp_path, monkeypatch):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"the old one")
    fdopen = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda *args: FullDisk(fdopen(*args), room))
    with pytest.raises(FileError) as caught:
        make(path, pictures * 10, recipe=recipe)
    assert str(caught.value) == f"cannot write {path}: {os.strerror(errno.ENOSPC)}"
    assert path.read_bytes() == b"the old one"
    assert [*tmp_path.iterdir()] == [path]


def test_a_place_that_is_none_is_told(pictures, qapp, tmp_path):
    with pytest.raises(FileError, match=r"cannot write .*missing"):
        make(tmp_path / "missing" / "a.mp4", pictures * 5)


def test_a_film_without_room_for_the_field_is_refused(pictures, qapp, tmp_path):
    with pytest.raises(SettingError, match="no room"):
        make(tmp_path / "a.mp4", pictures, SMALL.replace(size=(60, 60)))
    assert not [*tmp_path.iterdir()]
