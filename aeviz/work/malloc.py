"""What the C library keeps of memory that is free, where that is glibc; elsewhere nothing is done."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # glibc's numbers of these parameters
_LARGE = 1 << 16  # bytes


def give_back() -> None:
    """Give back the free pages between what is used.

    Pictures, messages and files come and go between small things that stay; in half an hour of hard use
    the holes grow to 40 MB. It takes some milliseconds, so it is not done often.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_little() -> None:
    """Let little be kept of what is free; to be called before other threads begin.

    What is large, such as a run's file or a message with a keyframe, is given back at once: glibc would learn
    to keep it, and then 30 MB stay in the memory of a thread that has written. And all threads share one
    heap, in whose holes there is room for what any of them needs.
    """
    with suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_M_ARENA_MAX, 1)
