"""Gives memory that was freed back to the system.

Snapshots and answers come and go in twenty threads, and glibc keeps what each of them freed for the
next time it asks. With 90 MiB in use scripts/faults/soak.py saw 10 to 15 MiB more a moment later,
and the more, the longer it ran: whatever asks next takes another piece of what is free. Each time
takes 2 to 5 ms of one core; once a second eight clients had as many answers as once in ten.
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
