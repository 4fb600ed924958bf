"""Writing files whole or not at all, and the bytes of the data files."""

from __future__ import annotations

import io
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field
from aeviz.core.manifolds import FloatArray
from aeviz.core.packing import PackError
from aeviz.core.recipe import Recipe
from aeviz.core.setting import nearest

PICTURES, FILMS = (".png", ".svg", ".pdf"), (".mp4", ".gif")
RUN = ".aeviz"
SUFFIXES = (*PICTURES, *FILMS, ".npz", ".csv", ".safetensors", ".onnx", RUN)


class FileError(OSError):
    """A file could not be written or read; the text is one line that names it and the cause."""


def check_suffix(path: Path) -> str:
    """Return the extension in lower case.

    Raises
    ------
    FileError
        Unless it is one that aeviz writes.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(
            f"cannot write {path}: its name must end in {', '.join(SUFFIXES)}{nearest(suffix, SUFFIXES)}"
        )
    return suffix


def check_target(path: Path) -> str:
    """Return the extension of a file that is to be written later, as soon as possible before.

    Raises
    ------
    FileError
        Where it could not be written: unknown extension, no such folder, no permission.
    """
    suffix = check_suffix(path)
    check_place(path)
    return suffix


def check_place(path: Path) -> None:
    """See to it that a file can be written here.

    Raises
    ------
    FileError
        Where it cannot: no such folder, no permission.
    """
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileError(f"cannot write {path}: there is no folder {folder}")
    if path.is_dir():
        raise FileError(f"cannot write {path}: it is a folder")
    if not os.access(folder, os.W_OK):
        raise FileError(f"cannot write {path}: the folder {folder} may not be written to")


def write_whole(path: Path, content: bytes | Callable[[], bytes]) -> None:
    """Write a file so that at every moment either the old one or the new one is there, whole.

    Parameters
    ----------
    content : bytes or callable
        What is written, or what makes it.

    Raises
    ------
    FileError
        Naming path and cause; the old file is untouched and nothing is left beside it.
    """
    try:
        made = content if isinstance(content, bytes) else content()
    except MemoryError as error:
        raise FileError(f"cannot write {path}: there is not enough memory") from error
    except PackError as error:
        raise FileError(f"cannot write {path}: {error}") from error
    with replacing(path) as (file, _):
        file.write(made)


@contextmanager
def replacing(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file, open to be written piece by piece, and its name for now; at the end it replaces `path`.

    Where the block fails, the old file is untouched and nothing is left beside it.

    Raises
    ------
    FileError
        Naming path and cause, where it cannot be written.
    """
    try:
        target = path.resolve()  # through a symbolic link, which stays one
        temporary = target.parent / f".{target.name}.{secrets.token_hex(4)}"
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except (OSError, RuntimeError) as error:  # RuntimeError: symbolic links in a circle
        raise _not_written(path, error) from error
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file, temporary
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except BaseException as error:  # Ctrl+C too
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _not_written(path, error) from error
        raise


def _not_written(path: Path, error: Exception) -> FileError:
    return FileError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")


def npz_bytes(field: Field, losses: FloatArray, data: CleanData, recipe: Recipe) -> bytes:
    """Return the content of an NPZ file of the field.

    Keys and shapes: x (W,), y (H,), displacement (H, W, 2), magnitude (H, W), ambiguity (H, W),
    exact_displacement, exact_ambiguity and exact_log_density where there are exact ones, data (N, 2),
    noisy (N, 2), reconstruction (N, 2), loss (E,), regulariser (E,), which is a part of it, epoch, scale (2,)
    and offset (2,), with which ``offset + scale * data`` are the user's units, settings (JSON text), version,
    and the recipe, of which `aeviz render --from` makes all of it again.

    Parameters
    ----------
    losses : (E, 2) array
        Loss and regulariser of each epoch.
    """
    arrays: dict[str, Any] = {
        "x": field.grid.x,
        "y": field.grid.y,
        "displacement": field.displacement,
        "magnitude": field.magnitude,
        "ambiguity": field.ambiguity,
        "data": field.data,
        "noisy": field.noisy,
        "reconstruction": field.reconstruction,
        "loss": losses[:, 0],
        "regulariser": losses[:, 1],
        "scale": data.scale,
        "offset": data.offset,
        "epoch": np.array(field.epoch),
        "settings": np.array(json.dumps(recipe.told_settings.to_json())),
        "version": np.array(recipe.version),
        "recipe": np.array(recipe.text()),
    }
    if field.exact is not None:
        arrays["exact_displacement"] = field.exact.displacement
        arrays["exact_log_density"] = field.exact.log_density
        if field.exact.ambiguity is not None:
            arrays["exact_ambiguity"] = field.exact.ambiguity
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # none of objects, so nothing is pickled
    return buffer.getvalue()
