"""What the archive of a server acknowledged is what its next question sees."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from oracle import record

from index import store_folder, writer
from index.embedding import EmbeddingProcess
from index.errors import StoreCorruptError
from index.snapshot import Snapshot, SnapshotReader
from search.grouping import Group
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


def test_the_log_is_emptied_when_a_long_export_ends_and_no_article_waits_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "search.http.archive")
    monkeypatch.setattr("search.http.archive.BETWEEN_LOOKS_AT_LOG_S", 0.01)
    log = tmp_path / "store" / f"{store_folder.DATABASE}-wal"
    with Archive(tmp_path / "store") as archive:
        archive.add([record(f"a{number}", "weir") for number in range(3)])
        rows = archive.searcher.export('"weir"', group=Group.NONE).hits
        first = next(rows)
        monkeypatch.setattr("search.http.archive.MOST_LOG_BYTES", 100_000)
        until = time.monotonic() + 2 * writer._PATIENCE_S
        for number in count():
            archive.add([record(f"b{number}", "lock")])
            if time.monotonic() > until:
                break
        assert log.stat().st_size > 100_000
        assert {hit.article_id for hit in (first, *rows)} == {"a0", "a1", "a2"}
        until = time.monotonic() + 60
        while log.stat().st_size > 100_000 and time.monotonic() < until:
            time.sleep(0.01)
        assert log.stat().st_size <= 100_000
    assert "emptied=False" not in caplog.text  # then an article would have waited for nothing


def test_stories_that_a_run_of_adds_left_waiting_are_told(tmp_path: Path) -> None:
    with writer.Writer(tmp_path / "store") as interrupted:
        interrupted.add([record("flood", "weir"), record("fire", "ridge")], stories_wait=True)
    with Archive(tmp_path / "store") as archive:
        until = time.monotonic() + 60
        while not archive.searcher.stories(min_reports=1).total and time.monotonic() < until:
            time.sleep(0.01)
        assert archive.searcher.stories(min_reports=1).total


def test_the_model_is_let_go_of_when_no_article_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.http.archive.MODEL_UNUSED_S", 0.5)
    monkeypatch.setattr("search.http.archive.QUIET_BEFORE_FINISH_S", 0.1)
    ended: list[int] = []
    close = EmbeddingProcess.close

    def closing(process: EmbeddingProcess) -> None:
        close(process)
        ended.append(process._child.pid)

    monkeypatch.setattr(EmbeddingProcess, "close", closing)
    with Archive(tmp_path / "store") as archive:
        archive.add([record("flood", "weir")])
        until = time.monotonic() + 60
        while not ended and time.monotonic() < until:
            time.sleep(0.05)
        assert not archive.searcher.pending()
        assert not Path(f"/proc/{ended[0]}").exists()
