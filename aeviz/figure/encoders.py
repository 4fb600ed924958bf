"""Encoders of films: MP4 with H.264, and GIF."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import av
import av.filter
import numpy as np
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from PyQt6.QtGui import QImage

from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import gif_extension, marked
from aeviz.core.settings import Settings

EncodingError = av.FFmpegError
TITLE = "aeviz film"
QUALITY = 18  # x264's constant rate factor; with 23, its default, edges of text are seen to blur
_FAST = {"preset": "superfast", "x264-params": "mbtree=1:rc-lookahead=10"}
"""Two thirds of the time of "veryfast", for files that are an eighth larger (without mbtree, a half)."""
_SEEK = 2  # seconds between two pictures that a player can jump to
_PIXELS = "bgra"  # as Qt stores its RGB32
_EXACTLY = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_TICK = Fraction(1, 100)  # seconds: GIF's unit of time


class Encoder(Protocol):
    """Encodes pictures into a file."""

    def add(self, image: QImage, frames: int) -> None:
        """Show a picture for so many frames."""

    def finish(self) -> None:
        """Write what is left."""

    def close(self) -> None:
        """Let go of the file, finished or not."""


@contextlib.contextmanager
def encoder_of(
    path: Path, file: BinaryIO, name: Path, settings: Settings, recipe: Recipe | None,
    palette: Sequence[QImage],
) -> Iterator[Encoder]:  # fmt: skip
    """The encoder for a path's ending, into a file that is open and has this name for now.

    Parameters
    ----------
    settings : Settings
        With size and frame rate, as `film_settings` returns them.
    palette : sequence of QImage
        Pictures for which a GIF's 256 colours are chosen.
    """
    encoder: Encoder
    if path.suffix.lower() == ".gif":
        encoder = _Gif(file, settings, recipe, palette)
    else:
        encoder = _Mp4(file, name, settings, recipe)
    try:
        yield encoder
    except BaseException:
        with contextlib.suppress(OSError, EncodingError):  # told once
            encoder.close()
        raise
    encoder.close()


class _Mp4:
    """H.264 in YUV 4:2:0 by ITU-R BT.709, in studio range, and says so: all players show it right."""

    def __init__(self, file: BinaryIO, name: Path, settings: Settings, recipe: Recipe | None) -> None:
        def read_again(*_: object) -> BinaryIO:
            """The file once more: its index goes from the end to the beginning, so that it plays at once."""
            file.flush()
            return name.open("rb")

        rate = Fraction(str(settings.frame_rate)).limit_denominator(1001)
        options = {"movflags": "+faststart", "movie_timescale": str(100 * rate.numerator)}
        self._container = av.open(cast(Any, file), "w", format="mp4", options=options, io_open=read_again)
        self._container.metadata["title"] = TITLE
        if recipe is not None:
            self._container.metadata["comment"] = marked(recipe)
        stream = self._stream = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height = (round(each) for each in settings.figure_pixels)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(QUALITY), "g": str(max(1, round(_SEEK * rate))), **_FAST}
        context = stream.codec_context
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        self._tick, self._at, self._reformat = 1 / rate, 0, VideoReformatter().reformat

    def add(self, image: QImage, frames: int) -> None:
        frame = self._reformat(
            _frame(image), format="yuv420p", dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG, interpolation=_EXACTLY,
            threads=1,
        )  # fmt: skip
        frame.time_base = self._tick
        for _ in range(frames):
            frame.pts = self._at
            self._at += 1
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))

    def close(self) -> None:
        self._container.close()


class _Gif:
    """One palette for all pictures, without dithering: colours stand still, cells are flat. It loops."""

    def __init__(
        self, file: BinaryIO, settings: Settings, recipe: Recipe | None, samples: Sequence[QImage]
    ) -> None:
        self._file, self._recipe, self._rate = file, recipe, settings.frame_rate
        self._container = av.open(cast(Any, file), "w", format="gif", options={"loop": "0"})
        stream = self._stream = self._container.add_stream("gif", rate=1 / _TICK)
        stream.width, stream.height = (round(each) for each in settings.figure_pixels)
        stream.pix_fmt = "pal8"
        self._frames = 0
        palette = _palette(samples)
        graph = self._graph = av.filter.Graph()
        self._source, table = _source(graph, samples[0]), _source(graph, palette)
        use = graph.add("paletteuse", "dither=none:diff_mode=rectangle")
        self._sink = graph.add("buffersink")
        self._source.link_to(use, 0, 0)
        table.link_to(use, 0, 1)
        use.link_to(self._sink)
        graph.configure()
        table.push(palette)
        table.push(None)

    def add(self, image: QImage, frames: int) -> None:
        begin, end = (round(k / self._rate / _TICK) for k in (self._frames, self._frames + frames))
        self._frames += frames
        frame = _frame(image)
        frame.pts, frame.time_base = begin, _TICK
        self._source.push(frame)
        for packet in self._stream.encode(cast(av.VideoFrame, self._sink.pull())):
            packet.duration = end - begin
            self._container.mux(packet)

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))

    def close(self) -> None:
        self._container.close()
        if self._recipe is not None:
            self._file.seek(-1, os.SEEK_END)  # before the byte that ends it
            self._file.write(gif_extension(self._recipe, TITLE) + b";")


def _palette(samples: Sequence[QImage]) -> av.VideoFrame:
    """256 colours for some pictures, as the filter palettegen chooses them, (16, 16) pixels."""
    graph = av.filter.Graph()
    source, choose, sink = _source(graph, samples[0]), graph.add("palettegen"), graph.add("buffersink")
    source.link_to(choose)
    choose.link_to(sink)
    graph.configure()
    for at, sample in enumerate(samples):
        frame = _frame(sample)
        frame.pts, frame.time_base = at, _TICK
        source.push(frame)
    source.push(None)
    palette = cast(av.VideoFrame, sink.pull())
    palette.pts, palette.time_base = 0, _TICK
    return palette


def _source(graph: av.filter.Graph, picture: QImage | av.VideoFrame) -> Any:
    """A filter's source of pictures as large as this one."""
    frame = _frame(picture) if isinstance(picture, QImage) else picture
    return graph.add_buffer(
        width=frame.width, height=frame.height, format=av.VideoFormat(_PIXELS), time_base=_TICK
    )


def _frame(image: QImage) -> av.VideoFrame:
    """The image, which has to live as long."""
    memory: Any = image.constBits()
    memory.setsize(image.sizeInBytes())
    pixels = np.frombuffer(memory, dtype=np.uint8).reshape(image.height(), image.width(), 4)
    return av.VideoFrame.from_numpy_buffer(pixels, format=_PIXELS)
