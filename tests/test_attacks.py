"""A server under attack refuses what it should, and its other clients do not notice."""

import importlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts" / "faults"))
attacks = importlib.import_module("attacks")
attack_connections = importlib.import_module("attack_connections")
attack_contents = importlib.import_module("attack_contents")
attack_files = importlib.import_module("attack_files")
attack_requests = importlib.import_module("attack_requests")


def _assert_all_held_off(some: Mapping[str, object], harbour: Path, folder: Path) -> None:
    store = folder / "store"
    shutil.copytree(harbour, store)
    report = attacks.attack_all(some, store)
    came_through = {each.attack: each.fault for each in report.outcomes if each.fault}
    assert came_through == {}
    assert report.answered
    assert len(report.outcomes) == len(some)


@pytest.mark.slow
def test_requests_that_are_no_http_climb_or_lie_come_to_nothing(
    harbour: Path, tmp_path: Path
) -> None:
    _assert_all_held_off(attack_requests.ATTACKS, harbour, tmp_path)


@pytest.mark.slow
def test_bodies_questions_and_articles_that_are_code_elsewhere_come_to_nothing(
    harbour: Path, tmp_path: Path
) -> None:
    _assert_all_held_off(attack_contents.ATTACKS, harbour, tmp_path)


@pytest.mark.slow
def test_bombs_and_documents_that_reach_for_other_files_come_to_nothing(
    harbour: Path, tmp_path: Path
) -> None:
    _assert_all_held_off(attack_files.ATTACKS, harbour, tmp_path)


@pytest.mark.slow
def test_clients_that_are_slow_many_or_gone_come_to_nothing(harbour: Path, tmp_path: Path) -> None:
    _assert_all_held_off({**attack_connections.QUICK, **attack_connections.SLOW}, harbour, tmp_path)
