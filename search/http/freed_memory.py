"""Has memory that was freed go back to the system, where the C library is glibc.

Snapshots and answers come and go in twenty threads, and glibc keeps what each of them freed for the
next time it asks. With 90 MiB in use scripts/faults/soak.py saw 10 to 15 MiB more a moment later,
and the more, the longer it ran: whatever asks next takes another piece of what is free. Each time
takes 2 to 5 ms of one core; once a second eight clients had as many answers as once in ten.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable
from typing import Final

_M_ARENA_MAX: Final = -8  # malloc.h of glibc, as the next
_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 1 << 20
_NO_THREAD_CACHES: Final = "glibc.malloc.tcache_count=0"


def begin_without_thread_caches() -> None:
    """Begin this process anew, where glibc would keep what a thread freed for that thread alone.

    That is up to seven pieces of each of 64 sizes for each of twenty threads, and a page with one
    of them does not go back. It is read in the environment when a process begins (Memory Allocation
    Tunables, in glibc's manual); what stands there already stays.
    """
    said = os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform == "linux" and "tcache_count" not in said:
        os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, (said, _NO_THREAD_CACHES)))
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # ourselves


def share_one_heap() -> None:
    """Let the threads of this process share one heap, where its C library is glibc.

    By default it makes up to eight a core, and each keeps what the largest question of its threads
    once took: on two cores a server held 200 MiB for nothing after some minutes of questions. With
    two, eight clients have no more answers (scripts/bench/throughput.py). What is large has a
    mapping of its own, as by default only until the first of its size is freed: a commit of the
    word index takes 16 MiB for a moment, and between what came meanwhile and stays they would not
    go back. To be called before there are threads, which keep the heap they have.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        glibc = ctypes.CDLL(None)
        glibc.mallopt(_M_ARENA_MAX, 1)
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


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
