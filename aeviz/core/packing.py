"""Plain values and arrays as bytes and back: safetensors with a header of JSON, and never a pickle."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from aeviz.core.clean_data import CleanData
from aeviz.core.data_file import MOST_POINTS
from aeviz.core.setting import SettingError
from aeviz.core.settings import DEFAULTS, SPECS, Settings
from aeviz.core.timeline import Keyframe
from aeviz.version import __version__

MOST_HEADER = 4_000_000  # bytes: a hostile one of JSON takes thirty times as much when it is read
_MOST_ARRAYS = 20_000
_MOST_NESTED = (
    200_000  # lists and objects in a text of JSON, each of which takes long to make: arrays have 60,000
)
_MOST_PIECES, _MOST_DENSE = 16, 100_000  # of a curve, and places on a piece
_LARGEST = 1e100  # of a coordinate, as in a data file: sums of many squares are still finite
_BLOCK = 1 << 20  # numbers that are looked through at once
_KEY, _METADATA, _NOT_OURS = "aeviz", "__metadata__", "it is not one that aeviz has written"
_DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"), "I32": np.dtype("<i4"), "U8": np.dtype("u1"),
}  # fmt: skip

Arrays = Mapping[str, NDArray[np.generic]]


class PackError(ValueError):
    """Bytes are not what aeviz has written; the text says what is wrong with them."""


class UnknownSettingError(PackError):
    """There is a setting that this version does not know."""


def pack(values: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Return the bytes of plain JSON values and named arrays.

    Raises
    ------
    PackError
        Where they could not be read again: an array of another type, or too many values.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in whole.items():
        if array.dtype not in _DTYPES.values():
            raise PackError(f"{name} cannot be written: it is {array.dtype}")
    text = json.dumps(values, allow_nan=False)
    # In one entry: the order of several would change from one time to the next.
    content = bytes(save(whole, metadata={_KEY: f"{_checksum(text.encode(), whole)} {text}"}))
    if int.from_bytes(content[:8], "little") > MOST_HEADER:
        raise PackError(f"its header cannot be written: it is longer than {MOST_HEADER:,} bytes")
    return content


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """Return the values and the arrays that were packed; these are read-only views of `content`.

    Safetensors' own reader would copy them, and has nothing against a name that occurs twice.

    Raises
    ------
    PackError
        Where these are not such bytes, or any bit of what they say was changed.
    """
    header = _header(content)
    layout, size = _layout(content, header)
    if len(content) != size:
        raise PackError(f"it is cut off or has grown: it should have {size:,} bytes, not {len(content):,}")
    try:
        arrays = {name: np.ndarray(shape, dtype, content, start) for name, dtype, shape, start in layout}
    except ValueError as error:  # of no numbers, but in a shape beyond all bounds
        raise PackError("its arrays are broken") from error
    checksum, text = _checked_text(header)
    if checksum != _checksum(text, arrays):
        raise PackError("it was damaged after it was written: its checksum is another one")
    return parsed(text), arrays


def unpack_values(head: bytes) -> dict[str, Any]:
    """Return the values alone, of which no more than the header is needed; damage is not noticed.

    Raises
    ------
    PackError
        Where there are none.
    """
    return parsed(_checked_text(_header(head))[1])


def whole_size(head: bytes) -> int:
    """Return how many bytes there are in all, of which no more than the header is needed.

    Raises
    ------
    PackError
        Where there is no header.
    """
    return _layout(head, _header(head))[1]


def parsed(text: bytes) -> dict[str, Any]:
    """Return an object of JSON in the strict sense: each name once, and no NaN.

    Raises
    ------
    PackError
        Where it is none.
    """
    if text.count(b"[") + text.count(b"{") > _MOST_NESTED:
        raise PackError(_NOT_OURS)
    try:  # ASCII: a single other letter would make it four times as large
        found = json.loads(text.decode("ascii"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise PackError(_NOT_OURS) from error
    if not isinstance(found, dict):
        raise PackError(_NOT_OURS)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _header(head: bytes) -> dict[str, Any]:
    size = int.from_bytes(head[:8], "little")
    if len(head) < 8 or size > MOST_HEADER or len(head) < 8 + size:
        raise PackError("its header is cut off or no header of safetensors")
    return parsed(head[8 : 8 + size])


def _checked_text(header: Mapping[str, Any]) -> tuple[str, bytes]:
    """The checksum, and the text of the values."""
    try:
        checksum, _, text = header[_METADATA][_KEY].partition(" ")
        return checksum, text.encode("ascii")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PackError(_NOT_OURS) from error


def _checksum(text: bytes, arrays: Arrays) -> str:
    """Of all that is told, wherever it stands: the values, and each array's name, type, shape and numbers."""
    checksum = zlib.crc32(text)
    for name in sorted(arrays):
        array = arrays[name]
        checksum = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), checksum)
        checksum = zlib.crc32(array.reshape(-1).view(np.uint8).data, checksum)
    return f"{checksum:08x}"


_Place = tuple[str, np.dtype[Any], tuple[int, ...], int]  # name, type, shape, first byte


def _layout(head: bytes, header: Mapping[str, Any]) -> tuple[list[_Place], int]:
    """Where each array lies, one after the other without gaps, and where the last one ends."""
    end = first = 8 + int.from_bytes(head[:8], "little")
    places: list[_Place] = []
    if len(header) > _MOST_ARRAYS:
        raise PackError("it has too many arrays")
    try:
        for name, entry in header.items():
            if name == _METADATA:
                continue
            dtype, shape, offsets = _DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
            if not all(type(each) is int and 0 <= each < 2**48 for each in (*shape, *offsets)):
                raise TypeError("these are no whole numbers")
            start, next_start = (first + offset for offset in offsets)
            if start != end or next_start != end + dtype.itemsize * math.prod(shape) or len(shape) > 8:
                raise ValueError("they are not one after the other")
            places.append((name, dtype, tuple(shape), start))
            end = next_start
    except (KeyError, TypeError, ValueError) as error:
        raise PackError("its arrays are broken") from error
    return places, end


def settings_of(values: Any, before: Settings = DEFAULTS) -> Settings:
    """Return the settings that `Settings.to_json` has written; what an older version lacks is as in `before`.

    Raises
    ------
    PackError
        Where a value is impossible or a name unknown.
    """
    if not isinstance(values, dict):
        raise PackError("its settings are no settings")
    unknown = [str(name) for name in values if name not in SPECS]
    if unknown:
        raise UnknownSettingError(
            f"it has a setting {unknown[0][:40]!r} that aeviz {__version__} does not know"
        )
    try:
        return before.replace(**values)
    except (SettingError, TypeError, ValueError, OverflowError) as error:
        raise PackError(f"its settings are impossible ({_line(error)})") from error


def packed_data(data: CleanData) -> tuple[dict[str, Any], Arrays]:
    """Return clean data as values and arrays."""
    arrays = {"points": data.points, "scale": data.scale, "offset": data.offset}
    arrays |= {f"curve{index}": piece for index, piece in enumerate(data.curve)}
    spacing = data.spacing if np.isfinite(data.spacing) else None
    return {"closed": data.closed, "spacing": spacing, "note": data.note}, arrays


def data_of(values: Any, arrays: Arrays) -> CleanData:
    """Return the clean data of what `packed_data` gave.

    Raises
    ------
    PackError
        Where these are none.
    """
    try:
        points, scale = numbers(arrays["points"], (None, 2)), numbers(arrays["scale"], (2,))
        curve = [numbers(arrays[f"curve{index}"], (None, 2)) for index in range(len(arrays) - 3)]
        closed, note = values["closed"], values["note"]
        spacing = math.inf if values["spacing"] is None else float(values["spacing"])
        if not 1 <= len(points) <= MOST_POINTS:
            raise PackError(f"it has {len(points):,} points; there are 1 to {MOST_POINTS:,}")
        if len(curve) > _MOST_PIECES or not all(1 <= len(piece) <= _MOST_DENSE for piece in curve):
            raise PackError("the curve of its points is impossible")
        if not (type(closed) is bool and type(note) is str and spacing >= 0.0 and (scale > 0.0).all()):
            raise PackError("its points are broken")
        return CleanData(points, tuple(curve), closed, spacing, scale, numbers(arrays["offset"], (2,)), note)
    except (KeyError, TypeError, ValueError) as error:
        raise error if isinstance(error, PackError) else PackError("its points are broken") from error


def shaped(
    array: NDArray[np.generic], dtype: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """Return an array where it has this type and shape; None is any length.

    Raises
    ------
    PackError
        Where it has not.
    """
    fits = len(shape) == array.ndim and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if not fits or array.dtype != dtype:
        raise PackError(f"it has an array of {array.dtype}, {array.shape}, where another one belongs")
    return array


def numbers(array: NDArray[np.generic], shape: tuple[int | None, ...]) -> NDArray[np.float64]:
    """Return an array of float64, read-only, where it has this shape and its numbers are usable.

    Raises
    ------
    PackError
        Where it is anything else.
    """
    found: NDArray[np.float64] = shaped(array, np.float64, shape).view()
    if not are_finite(found, _LARGEST):
        raise PackError("it has infinite or impossibly large numbers, or what is no number")
    found.flags.writeable = False
    return found


def are_finite(array: NDArray[np.generic], largest: float = math.inf) -> bool:
    """Whether all numbers are finite and none is larger."""
    flat: NDArray[Any] = array.reshape(-1)
    blocks: Iterator[NDArray[Any]] = (flat[at : at + _BLOCK] for at in range(0, flat.size, _BLOCK))
    return all(bool(np.isfinite(b).all()) and -largest <= b.min() and b.max() <= largest for b in blocks)


def keyframe_of(epoch: Any, settings: Settings, state: Arrays) -> Keyframe:
    """Return a keyframe whose weights are finite.

    Raises
    ------
    PackError
        Where they are not, or the epoch is none.
    """
    if type(epoch) is not int or epoch < 0:
        raise PackError(f"it has a keyframe of epoch {str(epoch)[:40]}")
    for name, array in state.items():
        # Of an epoch before the first, the loss is not a number.
        if array.dtype.kind not in "fi" or (name != "loss" and not are_finite(array)):
            raise PackError(f"the {name} of epoch {epoch:,} are not finite numbers")
    return Keyframe(epoch, settings, dict(state))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
