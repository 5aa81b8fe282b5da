"""What hits say of the copies of large reports is found once for each snapshot and day."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search.coverage.lineage import Copies
from search.kept_copies import KeptCopies

LARGE, SMALL = 20, 19  # articles


@pytest.fixture
def snapshots(tmp_path: Path) -> Iterator[tuple[Snapshot, Snapshot]]:
    with Writer(tmp_path / "store"):
        readers = SnapshotReader(tmp_path / "store"), SnapshotReader(tmp_path / "store")
        yield readers[0].latest(), readers[1].latest()
        for reader in readers:
            reader.close()


class Finder:
    """Counts how often it was asked to look."""

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self) -> Copies | None:
        self.looked += 1
        return None


@pytest.mark.parametrize(("articles", "looked"), [(LARGE, 1), (SMALL, 3)])
def test_a_large_report_is_looked_at_once_even_if_there_are_no_copies(
    snapshots: tuple[Snapshot, Snapshot], articles: int, looked: int
) -> None:
    kept, find = KeptCopies(), Finder()
    for _ in range(3):
        assert kept.get(snapshots[0], 7, None, articles, find) is None
    assert find.looked == looked


def test_another_snapshot_report_or_day_is_looked_at_anew(
    snapshots: tuple[Snapshot, Snapshot],
) -> None:
    kept, find = KeptCopies(), Finder()
    for snapshot in snapshots:
        for report in (7, 8):
            for day in (None, date(2024, 1, 1), date(2024, 1, 2)):
                kept.get(snapshot, report, day, LARGE, find)
    assert find.looked == 12
