"""Questions go before changes: who takes in articles waits while a question is at work.

Both are Python for a third of their time, and of that only one thread at a time is run: a question
that takes 20 ms alone takes several times as long beside a thread that cleans articles. So a server
says when questions are at work, and the steps of a change, one article each, give way to them. Not
for ever: each step goes on after `LONGEST_S`, so a change comes through however much is asked.

A child process that embeds or prepares is stopped meanwhile. To be the nicest process is not
enough: it has the caches, and the other half of a core that two processors share. Asked without a
pause, it runs half of the time.

Where nobody says so, as for the commands, nothing waits. `scripts/faults/overload.py` measures what
questions take while articles come in.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

# Longer than most questions take; with a step of 10 ms a change is then at worst a tenth as fast.
LONGEST_S: Final = 0.1
# A child process is stopped for no longer than it ran before, of which so much is counted.
_MOST_CREDIT_S: Final = 1.0


class Precedence:
    """How many questions are at work. Safe for many threads."""

    def __init__(self) -> None:
        self._at_work = 0
        self._changed = threading.Condition()
        self._held: set[_HeldProcess] = set()

    def begin(self) -> None:
        """A question is at work."""
        with self._changed:
            self._at_work += 1
            for process in self._held:
                process.look(stop=self._at_work == 1)

    def end(self) -> None:
        """It is answered, or waits for somebody else."""
        with self._changed:
            self._at_work -= 1
            for process in self._held:
                process.look(go_on=not self._at_work)
            if not self._at_work:
                self._changed.notify_all()

    def wait(self) -> None:
        """Until no question is at work, or for `LONGEST_S`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work, LONGEST_S)

    @contextmanager
    def holding(self, pid: int) -> Iterator[None]:
        """Have a child process stopped while questions are at work, for the length of a block."""
        process = _HeldProcess(pid)
        with self._changed:
            self._held.add(process)
        try:
            yield
        finally:
            with self._changed:
                self._held.remove(process)
                process.look(go_on=True)


class _HeldProcess:
    """A child process that is stopped, by SIGSTOP, and goes on.

    Its group has no other link to the session than we are: should we be killed, the system has it
    go on and end (POSIX.1-2017, 2.4.3 and `_exit`).
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._is_stopped = False
        self._credit_s, self._since = _MOST_CREDIT_S, time.monotonic()

    def look(self, *, stop: bool = False, go_on: bool = False) -> None:
        """Stop it or have it go on, as its credit allows; to be called whenever that may change."""
        now = time.monotonic()
        passed_s, self._since = now - self._since, now
        if self._is_stopped:
            self._credit_s -= passed_s
        else:
            self._credit_s = min(self._credit_s + passed_s, _MOST_CREDIT_S)
        if stop and self._credit_s > 0:
            self._signal(is_stopped=True)
        elif go_on or self._credit_s <= 0:
            self._signal(is_stopped=False)

    def _signal(self, *, is_stopped: bool) -> None:
        if is_stopped != self._is_stopped:
            self._is_stopped = is_stopped
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.kill(self._pid, signal.SIGSTOP if is_stopped else signal.SIGCONT)


_before: ContextVar[Precedence | None] = ContextVar("precedence", default=None)


@contextmanager
def behind(questions: Precedence) -> Iterator[None]:
    """Have the steps of the work inside give way to these questions."""
    token = _before.set(questions)
    try:
        yield
    finally:
        _before.reset(token)


def give_way() -> None:
    """Between two steps of a change: wait for the questions that go before it."""
    questions = _before.get()
    if questions is not None:
        questions.wait()


@contextmanager
def held_back(pid: int) -> Iterator[None]:
    """Have a child that works for a change stopped while questions are at work."""
    questions = _before.get()
    with questions.holding(pid) if questions else contextlib.nullcontext():
        yield
