"""Arrays by name in one block of memory, apart from the heap."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 16  # bytes
_WORTH_PAGES = 16_384  # bytes: in less, a page that is not full would be too much of it

Form = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Name, type and shape of each."""


class PackedArrays(Mapping[str, NDArray[np.generic]]):
    """Arrays in one block, as `packed` gives them; each is a view, made when it is asked for.

    Where hundreds of arrays come and go among small things that stay, as those of keyframes do, the heap
    gets more and more holes. This block has pages of its own, which the system has back once it is gone.
    """

    __slots__ = ("_block", "_places")
    __eq__, __hash__ = object.__eq__, object.__hash__  # one by one, arrays are neither equal nor not

    def __init__(self, form: Form, content: bytes) -> None:
        self._places = _places(form)
        self._block: mmap.mmap | bytearray = (_pages if len(content) >= _WORTH_PAGES else bytearray)(content)

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        dtype, shape, offset = self._places[name]
        return np.ndarray(shape, dtype, self._block, offset)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def packed(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[Form, bytes]:
    """Return the form and the content of some arrays."""
    form = tuple((name, array.dtype.str, array.shape) for name, array in arrays.items())
    return form, b"".join(_padded(array.tobytes()) for array in arrays.values())


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _ALIGNED)


@lru_cache(maxsize=64)
def _places(form: Form) -> dict[str, tuple[np.dtype[np.generic], tuple[int, ...], int]]:
    """Type, shape and offset of each, by name; the same for all of one form."""
    places, offset = {}, 0
    for name, dtype, shape in form:
        places[name] = np.dtype(dtype), shape, offset
        size = math.prod(shape) * np.dtype(dtype).itemsize
        offset += size + -size % _ALIGNED
    return places


def _pages(content: bytes) -> mmap.mmap | bytearray:
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    try:
        pages = mmap.mmap(-1, len(content), **private)
    except OSError:  # a process may have only so many
        return bytearray(content)
    pages[:] = content
    return pages
