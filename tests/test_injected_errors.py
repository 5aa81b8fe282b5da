"""Calls of a writer to the operating system fail, and it loses nothing and heals by itself."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "scripts" / "faults"))
import inject_errors
from failing_calls import Call, Place, compiler

needs_compiler = pytest.mark.skipif(
    compiler() is None, reason="no C compiler here: install cc, gcc or clang"
)


def _no_promise_is_broken(trials: int, seed: int) -> None:
    tally = inject_errors.run(trials, seed)
    assert not tally.broken, "\n".join(tally.broken)
    assert tally.injected >= trials * 0.9
    assert tally.refused > 0


@needs_compiler
def test_a_commit_whose_sync_failed_is_not_built_on() -> None:
    """The system may have forgotten what it could not write, and sync the file without it."""
    tally = inject_errors.run(6, seed=1, cases=["add", "collect"], only=(Call.SYNC, Place.LOG))
    assert not tally.broken, "\n".join(tally.broken)
    assert tally.injected == tally.calls["sync"] == 6


@needs_compiler
@pytest.mark.slow
def test_whichever_of_many_calls_fails_nothing_is_lost_and_writes_come_back() -> None:
    _no_promise_is_broken(40, seed=2)
