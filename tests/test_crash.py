"""A writer killed with SIGKILL, wherever it is, loses nothing that it had acknowledged.

scripts/faults/kill_points.py kills and judges; here are small runs of it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts" / "faults"))

from kill_points import CASES, kill_at_random, sweep
from kill_writer import Killer, can_trace

# One of each kind of step: what adds, what forgets, what answers, what only the desk keeps.
_QUICK = ("create", "open without words", "add with key", "remove", "publish", "close", "mark")


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with Killer() as started:
        yield started


def test_a_writer_killed_at_any_moment_loses_nothing_and_shows_nothing_by_half(
    killer: Killer,
) -> None:
    struck = kill_at_random(killer, 16, seed=1, ways=("call", "clock"))
    assert struck.total() - struck["nothing"] >= 16, f"few kills reach an operation: {struck}"


@pytest.mark.parametrize("name", _QUICK)
def test_a_writer_killed_at_a_system_call_loses_nothing(killer: Killer, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    tally = sweep(killer, case, every=40 if name in ("create", "add with key", "remove") else 20)
    assert not tally.broken, tally.broken
    assert tally.kills


@pytest.mark.slow
@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_a_writer_killed_at_many_points_of_each_operation_loses_nothing(
    killer: Killer, name: str
) -> None:
    case = next(case for case in CASES if case.name == name)
    tally = sweep(killer, case, every=30, first=1)
    assert not tally.broken, tally.broken


@pytest.mark.slow
@pytest.mark.parametrize("way", ["call", "clock", "system call"])
def test_a_writer_killed_again_and_again_loses_nothing(killer: Killer, way: str) -> None:
    if way == "system call" and not can_trace():
        pytest.skip("strace is missing, or may not attach to a process here")
    struck = kill_at_random(killer, 20, seed=100, ways=(way,))
    assert struck.total() - struck["nothing"] >= 20, f"few kills reach an operation: {struck}"
    assert len(struck.keys() - {"nothing"}) >= 5, f"some operations were never struck: {struck}"
