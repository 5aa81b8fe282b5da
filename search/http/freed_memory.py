"""Gives memory that was freed back to the system.

Snapshots and answers come and go in twenty threads, and glibc keeps what each of them freed for the
next time it asks. With 90 MiB in use scripts/faults/soak.py saw 10 to 15 MiB more a moment later,
and the more, the longer it ran: whatever asks next takes another piece of what is free. Each time
takes 2 to 5 ms of one core; once a second eight clients had as many answers as once in ten.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Final

_NO_THREAD_CACHES: Final = "glibc.malloc.tcache_count=0"


def begin_without_thread_caches() -> None:
    """Begin this process anew, where glibc would keep what a thread freed for that thread alone.

    Up to seven pieces of each of 64 sizes: twenty threads come to have them all in some minutes,
    each in a page with others that does not go back then. It is read in the environment when a
    process begins (Memory Allocation Tunables, in glibc's manual); what stands there already stays.
    """
    said = os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform == "linux" and "tcache_count" not in said:
        os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, (said, _NO_THREAD_CACHES)))
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # ourselves


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
