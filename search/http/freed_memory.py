"""Gives memory that was freed back to the system.

Snapshots and answers come and go in twenty threads, and glibc keeps what each of them freed for the
next time it asks: after nine minutes of scripts/faults/soak.py 326 MiB, with 190 to 250 in use.
"""

import ctypes
from collections.abc import Callable
from typing import Final


def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library than glibc
        return None


_malloc_trim: Final = _trim()


def give_back() -> None:
    """Give back whole pages that are free, where the C library is glibc (malloc_trim(3))."""
    if _malloc_trim:
        _malloc_trim(0)
