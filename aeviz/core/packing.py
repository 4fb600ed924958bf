"""Plain values and arrays as bytes and back: safetensors with a header of JSON, and never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from aeviz.core.clean_data import CleanData
from aeviz.core.data_file import MOST_POINTS
from aeviz.core.setting import SettingError
from aeviz.core.settings import SPECS, Settings
from aeviz.core.timeline import Keyframe
from aeviz.version import __version__

MOST_HEADER = 6_000_000  # bytes: a hostile one of JSON takes thirty times as much when it is read
_KEY = "aeviz"
_MOST_PIECES = 16  # of a curve

Arrays = Mapping[str, NDArray[np.generic]]


class PackError(ValueError):
    """Bytes are not what aeviz has written; the text says what is wrong with them."""


def pack(values: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Return the bytes of plain JSON values and named arrays."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return bytes(save(whole, metadata={_KEY: json.dumps(values, allow_nan=False)}))


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """Return the values and the arrays that were packed.

    Raises
    ------
    PackError
        Where these are not such bytes.
    """
    values = unpack_values(content)
    try:
        return values, load(content)
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise PackError(f"its arrays are broken ({_line(error)})") from error


def unpack_values(head: bytes) -> dict[str, Any]:
    """Return the values alone, of which no more than the header is needed.

    Raises
    ------
    PackError
        Where there are none.
    """
    size = int.from_bytes(head[:8], "little")
    if len(head) < 8 or size > MOST_HEADER or len(head) < 8 + size:
        raise PackError("its header is cut off or no header of safetensors")
    try:
        header = json.loads(head[8 : 8 + size].decode("utf-8"))
        values = json.loads(header["__metadata__"][_KEY])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PackError("its header is not one that aeviz has written") from error
    if not isinstance(values, dict):
        raise PackError("its header is not one that aeviz has written")
    return values


def settings_of(values: Any) -> Settings:
    """Return the settings that `Settings.to_json` has written, also those of an older version.

    Raises
    ------
    PackError
        Where a value is impossible or a name unknown.
    """
    if not isinstance(values, dict):
        raise PackError("its settings are no settings")
    unknown = [str(name) for name in values if name not in SPECS]
    if unknown:
        raise PackError(f"it has a setting {unknown[0][:40]!r} that aeviz {__version__} does not know")
    try:
        return Settings(**values)
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
        pieces = sorted((name for name in arrays if name.startswith("curve")), key=lambda n: int(n[5:]))
        points = numbers(arrays["points"], (None, 2))
        if not 1 <= len(points) <= MOST_POINTS or len(pieces) > _MOST_PIECES:
            raise PackError(f"it has {len(points):,} points; there are 1 to {MOST_POINTS:,}")
        points.flags.writeable = False
        return CleanData(
            points, tuple(numbers(arrays[name], (None, 2)) for name in pieces), bool(values["closed"]),
            np.inf if values["spacing"] is None else float(values["spacing"]),
            numbers(arrays["scale"], (2,)), numbers(arrays["offset"], (2,)), str(values["note"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise error if isinstance(error, PackError) else PackError("its points are broken") from error


def numbers(array: NDArray[np.generic], shape: tuple[int | None, ...]) -> NDArray[np.float64]:
    """Return an array as float64, where it has this shape (None is any length) and is finite.

    Raises
    ------
    PackError
        Where it is anything else.
    """
    fits = array.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != np.float64 or not np.isfinite(array).all():
        raise PackError(f"it has an array of {array.dtype}, {array.shape}, where finite numbers belong")
    return array.astype(np.float64)


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
        if array.dtype.kind not in "fi" or (name != "loss" and not np.isfinite(array).all()):
            raise PackError(f"the {name} of epoch {epoch:,} are not finite numbers")
    return Keyframe(epoch, settings, dict(state))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
