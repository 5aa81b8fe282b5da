"""A server killed with SIGKILL while clients are at work keeps what it acknowledged, and only that.

scripts/faults/kill_server.py kills and judges; here is a small run of it.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts" / "faults"))

from kill_server import kill_many


@pytest.mark.slow
def test_a_server_killed_with_clients_at_work_keeps_what_it_acknowledged() -> None:
    tally = kill_many(15, seed=3)
    assert not tally.broken, tally.broken
    assert tally.kills == 15
    assert tally.cut_off, "no kill met a request that was under way"
    assert {"add", "add again", "replace", "remove", "search"} <= tally.acknowledged.keys()
