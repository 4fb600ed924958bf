"""What the C library keeps of memory that is free, where that is glibc; elsewhere nothing is done."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3  # glibc's number of that parameter
_LARGE = 1 << 16  # bytes


def give_back() -> None:
    """Give back the free pages between what is used.

    Pictures, messages and files come and go between small things that stay; in half an hour of hard use
    the holes grow to 40 MB. It takes some milliseconds, so it is not done often.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def never_keep_large_blocks() -> None:
    """Let what is large, such as a run's file or a message with a keyframe, be given back once it is free.

    glibc would learn to keep it, and then 30 MB stay in the memory of a thread that has written.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
