"""Questions go before changes: who takes in articles waits while a question is at work.

Both are Python for a third of their time, and of that only one thread at a time is run: a question
that takes 20 ms alone takes several times as long beside a thread that cleans articles. So a server
says when questions are at work, and the steps of a change, one article each, give way to them. Not
for ever: each step goes on after `LONGEST_S`, so a change comes through however much is asked.

Where nobody says so, as for the commands, nothing waits. `scripts/faults/overload.py` measures what
questions take while articles come in.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

# Longer than most questions take; with a step of 10 ms a change is then at worst a tenth as fast.
LONGEST_S: Final = 0.1


class Precedence:
    """How many questions are at work. Safe for many threads."""

    def __init__(self) -> None:
        self._at_work = 0
        self._changed = threading.Condition()

    def begin(self) -> None:
        """A question is at work."""
        with self._changed:
            self._at_work += 1

    def end(self) -> None:
        """It is answered, or waits for somebody else."""
        with self._changed:
            self._at_work -= 1
            if not self._at_work:
                self._changed.notify_all()

    def wait(self) -> None:
        """Until no question is at work, or for `LONGEST_S`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work, LONGEST_S)


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
