"""A server killed with SIGKILL while clients are at work keeps what it acknowledged, and only that.

scripts/faults/kill_server.py and kill_migration.py kill and judge; here are small runs of them.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts" / "faults"))

import kill_migration
from kill_server import kill_many


@pytest.mark.slow
def test_a_server_killed_while_it_migrates_is_started_again_on_a_whole_store() -> None:
    assert kill_migration.kill_many(2, seed=3)[1], "no kill left the old format"


@pytest.mark.slow
def test_a_server_killed_with_clients_at_work_keeps_what_it_acknowledged() -> None:
    tally = kill_many(8, seed=3)
    assert not tally.broken, tally.broken
    assert tally.kills == 8
    assert tally.cut_off, "no kill met a request that was under way"
    assert {"add", "add again", "replace", "remove", "search"} <= tally.acknowledged.keys()
