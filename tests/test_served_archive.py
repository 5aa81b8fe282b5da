"""What the archive of a server acknowledged is what its next question sees."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from oracle import record

from index.errors import StoreCorruptError
from index.snapshot import Snapshot, SnapshotReader
from search.http.archive import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "store") as opened:
        yield opened


def found(archive: Archive, words: str) -> list[str]:
    return [hit.article_id for hit in archive.searcher.search(words).hits]


def test_an_acknowledged_article_is_found_and_a_removed_one_is_not(archive: Archive) -> None:
    archive.add([record("flood", "weir")])
    assert found(archive, '"weir"') == ["flood"]
    archive.add([record("flood", "lock")])
    assert found(archive, '"weir"') == []
    assert found(archive, '"lock"') == ["flood"]
    archive.remove("flood")
    assert found(archive, '"lock"') == []


def test_a_view_that_could_not_be_made_is_made_for_the_next_question(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add([record("flood", "weir")])
    assert found(archive, '"weir"') == ["flood"]
    makes = SnapshotReader._next_snapshot

    def fails(reader: SnapshotReader) -> Snapshot:
        raise StoreCorruptError("not now")

    monkeypatch.setattr(SnapshotReader, "_next_snapshot", fails)
    archive.remove("flood")
    with pytest.raises(StoreCorruptError):
        found(archive, '"weir"')
    monkeypatch.setattr(SnapshotReader, "_next_snapshot", makes)
    assert found(archive, '"weir"') == []
