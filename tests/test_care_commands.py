"""`nutgraf verify` and `nutgraf repair`: what they print and how they exit."""

import json
from pathlib import Path

from conftest import Run
from damage import change, damageable


def test_verify_exits_by_what_it_finds_and_repair_mends_what_is_derived(
    nutgraf: Run, tmp_path: Path
) -> None:
    folder = damageable(tmp_path / "store")
    good = nutgraf("verify", "--deep", "--store", folder)
    assert (good.returncode, good.stdout[:5]) == (0, "good:")
    change(folder, "DELETE FROM fingerprints")
    derived = nutgraf("verify", "--deep", "--json", "--store", folder)
    assert derived.returncode == 1
    found = json.loads(derived.stdout)
    assert (found["depth"], found["exit_code"]) == ("deep", 1)
    assert {finding["part"] for finding in found["findings"]} == {"copies"}
    mended = nutgraf("repair", "--store", folder)
    assert (mended.returncode, mended.stdout[:5]) == (0, "good:")
    assert "mended   derived  fingerprints" in mended.stderr


def test_damage_to_the_truth_exits_with_2_and_says_what_to_do(nutgraf: Run, tmp_path: Path) -> None:
    folder = damageable(tmp_path / "store")
    change(folder, "UPDATE articles SET headline = 'Wombats counteD' WHERE id = 'flood'")
    for command in (("verify", "--full"), ("repair",)):
        done = nutgraf(*command, "--store", folder)
        assert done.returncode == 2
        assert "truth    articles number=1" in done.stdout
        assert "docs/operations.md" in done.stdout
    assert "Wombats" not in done.stdout


def test_verify_of_what_is_no_store_exits_with_3_and_repair_makes_none(
    nutgraf: Run, tmp_path: Path
) -> None:
    assert nutgraf("verify", "--store", tmp_path / "nowhere").returncode == 3
    assert nutgraf("repair", "--store", tmp_path / "nowhere").returncode == 1
    assert not (tmp_path / "nowhere").exists()
