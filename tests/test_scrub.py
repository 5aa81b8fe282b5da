"""The scrub: it reads everything, counts what is damaged, and rests for most of its time."""

import logging
import threading
import time
from pathlib import Path

import pytest
from damage import change, damageable, flip

from index import store_folder
from search.http.archive import Archive
from search.http.scrub import Scrub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return damageable(tmp_path / "store")


def test_a_round_reads_every_row_and_segment(folder: Path) -> None:
    scrub = Scrub(folder, threading.Event())
    for _ in scrub.round():
        pass
    done = scrub.scrubbed
    assert (done.rounds, done.damaged) == (1, 0)
    assert done.rows > 50
    assert done.bytes == sum(
        p.stat().st_size for p in (folder / store_folder.SEGMENTS).glob("*.seg")
    )
    assert done.finished_s is not None
    assert abs(done.finished_s - time.time()) < 60


def test_damaged_rows_and_files_are_counted_and_logged_with_their_place(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change(folder, "UPDATE articles SET headline = 'Wombats counteD' WHERE id = 'flood'")
    for path in [
        *(folder / store_folder.SEGMENTS).glob("*.seg"),
        *(folder / store_folder.WORDS).glob("*.term"),
    ]:
        flip(path, 60)
    scrub = Scrub(folder, threading.Event())
    with caplog.at_level(logging.ERROR):
        for _ in scrub.round():
            pass
    segments = len(list((folder / store_folder.SEGMENTS).glob("*.seg")))
    assert scrub.scrubbed.damaged == 1 + segments + 1
    assert "articles number=1" in caplog.text
    assert "segments/" in caplog.text
    assert ".term is not what was written" in caplog.text
    assert "Wombats" not in caplog.text


def test_damage_that_is_mended_is_no_longer_counted_after_the_next_round(folder: Path) -> None:
    scrub = Scrub(folder, threading.Event())
    change(folder, "UPDATE commits SET at_s = at_s + 1 WHERE seq = 1")
    for _ in scrub.round():
        pass
    assert scrub.scrubbed.damaged == 1
    change(folder, "UPDATE commits SET at_s = at_s - 1 WHERE seq = 1")
    for _ in scrub.round():
        pass
    assert (scrub.scrubbed.rounds, scrub.scrubbed.damaged) == (2, 0)


def test_an_archive_scrubs_and_ends_at_once_when_it_is_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.http.scrub.BEFORE_THE_FIRST_S", 0.0)
    monkeypatch.setattr("search.http.scrub.SHARE_OF_A_CORE", 1.0)
    with Archive(folder, read_only=True) as archive:
        deadline = time.monotonic() + 30
        while not archive.scrubbed.rounds and time.monotonic() < deadline:
            time.sleep(0.01)
        assert archive.scrubbed.rounds == 1
        began = time.monotonic()
    assert time.monotonic() - began < 5
