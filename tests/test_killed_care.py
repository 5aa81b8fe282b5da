"""What looks after a store may be killed at any moment: a migration, a repair, a backup, restoring.

scripts/faults/kill_care.py kills and judges; here are small runs of it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts" / "faults"))

from kill_care import CARES, Care, sweep_care
from kill_writer import Killer


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with Killer() as started:
        yield started


@pytest.mark.slow
@pytest.mark.parametrize("care", CARES, ids=lambda care: care.name)
def test_it_is_done_when_it_is_repeated_after_any_of_many_kills(killer: Killer, care: Care) -> None:
    tally = sweep_care(killer, care, every=30, first=15)
    assert not tally.broken, tally.broken
