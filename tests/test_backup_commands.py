"""`nutgraf backup` and `nutgraf restore`, as they are typed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import serving

Run = Callable[..., Any]


def test_a_store_is_backed_up_while_it_is_served_and_restored(
    nutgraf: Run, harbour_copy: Path, tmp_path: Path
) -> None:
    with serving(harbour_copy):
        taken = nutgraf("backup", tmp_path / "backup", "--store", harbour_copy)
        assert taken.returncode == 0, taken.stderr
        assert taken.stdout == ""
        assert "4 articles" in taken.stderr
    restored = nutgraf("restore", tmp_path / "backup", "--store", tmp_path / "again")
    assert restored.returncode == 0, restored.stderr
    answers = [
        json.loads(nutgraf("search", "ferry at dawn", "--store", store, "--json").stdout)["hits"]
        for store in (harbour_copy, tmp_path / "again")
    ]
    assert answers[0] == answers[1] != []


def test_what_is_refused_ends_with_1_and_says_what_to_do(
    nutgraf: Run, harbour: Path, tmp_path: Path
) -> None:
    for arguments in (
        ("backup", harbour, "--store", harbour),
        ("restore", harbour, "--store", tmp_path / "again"),
        ("backup", tmp_path / "backup", "--store", tmp_path / "nowhere"),
    ):
        refused = nutgraf(*arguments)
        assert refused.returncode == 1
        assert refused.stderr.startswith("nutgraf: ")
        assert refused.stdout == ""
