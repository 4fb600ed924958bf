"""Films: pictures of one figure, painted one after the other, and encoded meanwhile in another thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PyQt6.QtGui import QImage

from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field
from aeviz.core.files import FileError, replacing
from aeviz.core.film import film_settings
from aeviz.core.marks import NO_MARKS
from aeviz.core.recipe import Recipe
from aeviz.core.setting import SettingError
from aeviz.core.settings import Settings
from aeviz.figure.composition import Composition
from aeviz.figure.export import Page, figure_of, image_of
from aeviz.figure.figure import FieldFigure
from aeviz.figure.overlays import Lines
from aeviz.figure.scale import scales

_AHEAD = 3  # pictures that may wait to be encoded: 4 MB each at 1280 × 720


class Picture(NamedTuple):
    """What a film shows for some frames."""

    field: Field
    caption: str
    frames: int = 1


class FilmFigure:
    """One figure that is painted again and again; only what is in the field moves.

    Parameters
    ----------
    settings : Settings
        With the size of a film's pictures, as `film_settings` returns them.
    samples : sequence of Picture
        Some of the film's, at least one: colours that follow the values follow theirs, once for all pictures.
    midline : sequence of (K, 2) arrays
        The geometric one's lines.

    Raises
    ------
    SettingError
        Where there is no room for the field.
    """

    def __init__(
        self, settings: Settings, data: CleanData, samples: Sequence[Picture], midline: Lines = ()
    ) -> None:
        self.page = Page.of(settings)
        self._midline = midline
        self._figure = figure_of(samples[0].field, settings, data, midline)
        self._figure.fixed_scales = scales(
            [
                part
                for sample in samples
                for part in Composition.of(settings, sample.field, NO_MARKS, midline, None).parts
            ],
            settings,
        )
        self._figure.set_caption(samples[0].caption)
        if not self._figure.fits:
            raise SettingError(
                "the film has no room for the field: take a larger --size, or a smaller --font-size"
            )

    @property
    def figure(self) -> FieldFigure:
        """What is painted."""
        return self._figure

    def paint(self, picture: Picture) -> QImage:
        """Paint a picture, as a PNG file of it would be."""
        self._figure.set_field(picture.field, None, self._midline)
        self._figure.set_caption(picture.caption)
        return image_of(self._figure, self.page)


class Film:
    """A film that is being written: add its pictures, then finish it, or cancel it.

    It is there whole at the end, or nothing of it is. Leaving it as a context manager finishes it, or
    cancels it where something was raised.

    Parameters
    ----------
    path : Path
        Ends in .mp4 or .gif.
    settings : Settings
        How to draw, and how many frames there are in a second.
    samples : sequence of Picture
        See `FilmFigure`; a GIF's 256 colours are chosen for them as well.
    recipe : Recipe, optional
        To be told in the file.

    Raises
    ------
    SettingError
        Where there is no room for the field.
    FileError
        From `add` and `finish`: naming path and cause, where it cannot be written.
    """

    def __init__(
        self, path: Path, settings: Settings, data: CleanData, samples: Sequence[Picture],
        recipe: Recipe | None = None, midline: Lines = (),
    ) -> None:  # fmt: skip
        settings = film_settings(settings, path.suffix.lower())
        self._figure = FilmFigure(settings, data, samples, midline)
        is_gif = path.suffix.lower() == ".gif"
        palette = [self._figure.paint(sample) for sample in samples] if is_gif else []
        self._path, self._settings, self._recipe = path, settings, recipe
        self._pictures: queue.Queue[tuple[QImage, int] | None] = queue.Queue(_AHEAD)
        self._cancelled = self._closed = self._ended = False
        self._error: FileError | None = None
        self._thread = threading.Thread(target=self._write, args=(palette,), name="aeviz-film")
        self._thread.start()

    def __enter__(self) -> Film:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self._cancelled:
            self.finish()
        else:
            self.cancel()

    @property
    def busy(self) -> bool:
        """Whether `add` and `close` would have to wait."""
        return self._pictures.full()

    @property
    def over(self) -> bool:
        """Whether there is no more to wait for: after `close`, all of it is written."""
        return not self._thread.is_alive()

    def add(self, picture: Picture) -> None:
        """Paint the next picture; it waits where encoding is behind."""
        if self._error is not None:
            raise self._error
        self._pictures.put((self._figure.paint(picture), picture.frames))

    def close(self) -> None:
        """That was the last picture; what is left to encode is encoded meanwhile."""
        if not self._closed:
            self._closed = True
            self._pictures.put(None)

    def finish(self) -> None:
        """Wait until the file is there."""
        self.close()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def cancel(self) -> None:
        """Leave nothing of it behind."""
        self._cancelled = True
        self.close()
        self._thread.join()

    def _write(self, palette: list[QImage]) -> None:
        try:
            self._encode(palette)
        except FileError as error:
            self._error = error
        except _CancelledError:
            pass
        except Exception as error:  # an encoder that is missing, no memory: whoever waits is to be told
            self._error = FileError(f"cannot write {self._path}: {type(error).__name__}: {error}")
        while not self._ended:  # who adds pictures need not wait for a writer that is gone
            self._ended = self._pictures.get() is None

    def _encode(self, palette: list[QImage]) -> None:
        from aeviz.figure.encoders import EncodingError, encoder_of  # loads ffmpeg's libraries

        try:
            with replacing(self._path) as (file, name):
                with encoder_of(self._path, file, name, self._settings, self._recipe, palette) as encoder:
                    for image, frames in iter(self._next, None):
                        encoder.add(image, frames)
                    encoder.finish()
                self._check()
        except EncodingError as error:
            raise FileError(f"cannot write {self._path}: {error}") from error

    def _next(self) -> tuple[QImage, int] | None:
        picture = self._pictures.get()
        self._ended = picture is None
        self._check()
        return picture

    def _check(self) -> None:
        if self._cancelled:
            raise _CancelledError


class _CancelledError(Exception):
    """The film is not wanted any more."""
