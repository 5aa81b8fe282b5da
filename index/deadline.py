"""How long a question may take, and whether anybody still waits for its answer.

Who asks sets a deadline around the work; what is far below looks at it between two parts, in
whatever thread that copied the context, and nobody hands it down. Where none is set, as for the
commands and for the writer, nothing is cut short.

What cannot be stopped: one query of the word index (bounded by the passages there are), FAISS over
a million vectors (0.2 s), one batch of the models. Each of them is followed by a look.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from index.errors import DeadlineError

T = TypeVar("T")

# Of SQLite's virtual machine, some ms; each look at the deadline has to wait for Python's lock.
_STEPS_BETWEEN_LOOKS: Final = 100_000


class Deadline:
    """The moment at which work for somebody ends, in time or because they went away.

    Safe for many threads.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._is_cancelled = False
        self.was_exceeded = False  # work for it was given up, because its time had passed

    def renew(self) -> None:
        """As much time again from now on: a piece of the answer has gone out."""
        self._ends = time.monotonic() + self._seconds

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self._is_cancelled = True

    @property
    def is_over(self) -> bool:
        return self._is_cancelled or self.has_passed

    @property
    def has_passed(self) -> bool:
        """Whether it ended in time, and was not cancelled."""
        return not self._is_cancelled and time.monotonic() >= self._ends

    def remaining_s(self) -> float:
        """Seconds until it ends, at least 0."""
        return 0.0 if self._is_cancelled else max(self._ends - time.monotonic(), 0.0)

    def check(self) -> None:
        """DeadlineError when it is over."""
        if self._is_cancelled:
            raise DeadlineError("nobody waits for this answer any more; it was given up")
        if self.has_passed:
            raise self.exceeded()

    def exceeded(self) -> DeadlineError:
        """What to raise when work for it is given up because of the time."""
        self.was_exceeded = True
        return DeadlineError(
            f"no answer was found in {self._seconds:g} s; ask about fewer words, prefixes or "
            "days, or set deadline_s (NUTGRAF_DEADLINE_S) higher"
        )


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Have the work inside, and in threads that copy its context, end at `deadline`."""
    before = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(before)


def check() -> None:
    """DeadlineError when the deadline set around this is over."""
    deadline = _current.get()
    if deadline is not None:
        deadline.check()


@contextmanager
def holding(lock: threading.Lock) -> Iterator[None]:
    """Hold `lock`, and wait for it no longer than until the deadline.

    Raises:
        DeadlineError: somebody else held it until then.
    """
    while True:
        remaining_s = _remaining_s()
        if lock.acquire(timeout=-1 if remaining_s is None else remaining_s):
            break
        check()
    try:
        yield
    finally:
        lock.release()


def result(future: futures.Future[T]) -> T:
    """What `future` gives or raises; waited for no longer than until the deadline.

    Raises:
        DeadlineError: it was not there by then.
    """
    while not futures.wait([future], _remaining_s()).done:
        check()
    return future.result()


def interrupt(connection: sqlite3.Connection) -> None:
    """Have queries on `connection` end with sqlite3.OperationalError at the deadline of the asker.

    A read transaction goes on: what was frozen stays so.
    """
    connection.set_progress_handler(_is_over, _STEPS_BETWEEN_LOOKS)


def _is_over() -> bool:
    deadline = _current.get()
    return deadline is not None and deadline.is_over


def _remaining_s() -> float | None:
    """None: there is no deadline."""
    deadline = _current.get()
    return None if deadline is None else deadline.remaining_s()
