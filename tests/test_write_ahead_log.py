"""SQLite's log: a flipped bit before acknowledged commits is told from a torn end; it is short."""

import random
import sqlite3
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from oracle import record

from index import store_folder
from index.write_ahead_log import damage_in, held_bytes
from index.writer import Writer
from search.http.archive import Archive


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A log of 60 commits, as SQLite wrote it."""
    path = tmp_path_factory.mktemp("log") / "some.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a, b)")
        for at in range(60):
            connection.execute("INSERT INTO t VALUES (?, randomblob(500))", (at,))
        return path.with_name("some.db-wal").read_bytes()


def test_a_server_empties_its_log_though_each_commit_is_followed_by_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.http.archive.MOST_LOG_BYTES", 100_000)
    monkeypatch.setattr("search.http.archive.BETWEEN_LOOKS_AT_LOG_S", 0.05)
    path = tmp_path / "store" / f"{store_folder.DATABASE}-wal"
    sizes = []
    with Archive(tmp_path / "store") as archive:
        archive.add([record("flood", "weir", "dam")])
        until = time.monotonic() + 60
        while not any(after < before for before, after in pairwise(sizes)):
            assert time.monotonic() < until, sizes
            archive.add([record("flood", f"weir{len(sizes)}", "dam")])
            archive.searcher.search("weir", k=1)  # there are more, so its snapshot is held
            sizes.append(path.stat().st_size)
        assert archive.searcher.article("flood").version == len(sizes) + 1


def test_a_server_that_only_reads_lets_another_process_empty_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.http.archive.MOST_LOG_BYTES", 5_000_000)
    monkeypatch.setattr("search.http.archive.BETWEEN_LOOKS_AT_LOG_S", 0.05)
    path = tmp_path / "store" / f"{store_folder.DATABASE}-wal"
    sizes = []
    with (
        Writer(tmp_path / "store") as writer,
        Archive(tmp_path / "store", read_only=True) as archive,
    ):
        until = time.monotonic() + 60
        while not any(0 < after < before for before, after in pairwise(filter(None, sizes))):
            assert time.monotonic() < until, sizes
            writer.add([record("flood", f"weir{len(sizes)}", "dam")])
            archive.searcher.snapshot_id()  # it is held until the next
            sizes.append(held_bytes(path))
        assert 5_000_000 < max(sizes) < 20_000_000, sizes
        assert archive.searcher.article("flood").version == len(sizes)


def test_a_log_that_is_copied_or_not_there_is_held_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    assert held_bytes(path.with_name("some.db-wal")) == 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        size = path.with_name("some.db-wal").stat().st_size
        assert held_bytes(path.with_name("some.db-wal")) == pytest.approx(size, abs=32)
        connection.execute("PRAGMA wal_checkpoint")
        assert held_bytes(path.with_name("some.db-wal")) == 0


def test_a_log_as_sqlite_wrote_it_is_sound(log: bytes, tmp_path: Path) -> None:
    path = tmp_path / "wal"
    path.write_bytes(log)
    assert damage_in(path) == ""
    path.write_bytes(b"")
    assert damage_in(path) == ""
    assert damage_in(tmp_path / "none") == ""


def test_a_torn_end_is_what_a_power_cut_leaves(log: bytes, tmp_path: Path) -> None:
    path = tmp_path / "wal"
    for cut in (1, 100, 4000, 5000, 20_000):
        path.write_bytes(log[:-cut])
        assert damage_in(path) == ""
    path.write_bytes(log[:-4000] + bytes(4000))
    assert damage_in(path) == ""


def test_whole_frames_behind_a_torn_one_of_the_last_commit_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (randomblob(40000))")  # ten pages, one commit
        log = bytearray(path.with_name("some.db-wal").read_bytes())
    torn = len(log) - 5 * (24 + 4096)
    log[torn : torn + 512] = bytes(512)
    path.with_name("torn").write_bytes(log)
    assert damage_in(path.with_name("torn")) == ""


def test_any_bit_flipped_before_the_last_frames_is_seen(log: bytes, tmp_path: Path) -> None:
    path, chance = tmp_path / "wal", random.Random(1)
    last = len(log) - 2 * (24 + 4096)
    for at in [0, 9, 20, 31, 32, 60, *(chance.randrange(last) for _ in range(60))]:
        damaged = bytearray(log)
        damaged[at] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        assert damage_in(path) != "", f"byte {at}"


def test_frames_of_the_log_before_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a, b)")
        for at in range(20):
            connection.execute("INSERT INTO t VALUES (?, randomblob(500))", (at,))
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
        connection.execute("INSERT INTO t VALUES (1, 2)")  # over the first frames
        assert damage_in(path.with_name("some.db-wal")) == ""
