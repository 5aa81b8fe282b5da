"""The SQLite truth: what it refuses, what it keeps, and what it does about damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import record, shown

from index import store, store_folder, tables
from index.article import ArticleId, Origin, SourceRecord
from index.columns import passages_of
from index.errors import StoreCorruptError, StoreFormatError
from index.snapshot import SnapshotReader
from index.writer import Writer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of two articles, closed."""
    with Writer(tmp_path / "store") as writer:
        writer.add(
            [record("flood", "weir", "bridge", published="2022-01-21"), record("fire", "ash")]
        )
    return tmp_path / "store"


def change(folder: Path, sql: str, *values: object) -> None:
    """Change the database behind the store's back."""
    connection = sqlite3.connect(folder / store_folder.DATABASE, isolation_level=None)
    assert connection.execute(sql, values).rowcount > 0
    connection.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ------------------------------------------------------------------ what is refused


def test_a_folder_with_other_things_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("Dear editor")
    before = contents(tmp_path)
    with pytest.raises(StoreFormatError, match="no Nutgraf store"):
        Writer(tmp_path)
    assert contents(tmp_path) == before


def test_another_program_s_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / store_folder.DATABASE)
    connection.execute("CREATE TABLE letters (body TEXT)")
    connection.close()
    before = contents(tmp_path)
    for open_it in (Writer, SnapshotReader):
        with pytest.raises(StoreFormatError, match="not a Nutgraf store"):
            open_it(tmp_path)
    after = contents(tmp_path)
    after.pop("writer.lock", None)
    assert after == before


def test_a_store_of_a_newer_format_is_refused_unchanged(folder: Path) -> None:
    change(folder, "INSERT INTO meta VALUES ('from', 'the future', 0)")
    connection = sqlite3.connect(folder / store_folder.DATABASE)
    connection.execute(f"PRAGMA user_version = {tables.FORMAT + 1}")
    connection.close()
    before = contents(folder)
    for open_it in (Writer, SnapshotReader):
        with pytest.raises(StoreFormatError, match="install the newer Nutgraf"):
            open_it(folder)
    after = contents(folder)
    for name in ("writer.lock", "nutgraf.db-wal", "nutgraf.db-shm"):
        before.pop(name, None)
        after.pop(name, None)
    assert after == before


def test_an_unreadable_database_is_reported_and_never_made_anew(folder: Path) -> None:
    (folder / store_folder.DATABASE).write_bytes(b"x" * 8192)
    before = contents(folder)
    for open_it in (Writer, SnapshotReader):
        with pytest.raises(StoreCorruptError, match="restore the folder from a backup"):
            open_it(folder)
    after = contents(folder)
    assert after.pop("writer.lock")
    before.pop("writer.lock")
    assert after == before


def test_a_reader_of_a_folder_without_a_store_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="nutgraf add"):
        SnapshotReader(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_what_a_crash_leaves_of_a_store_being_made_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / store_folder.SEGMENTS).mkdir()
    (tmp_path / "nutgraf.new").write_bytes(b"half a database")
    (tmp_path / "nutgraf.new-journal").write_bytes(b"")
    (tmp_path / "nutgraf.new-wal").write_bytes(b"")
    with Writer(tmp_path) as writer:
        assert writer.add([record("flood", "weir")])[0].status == "added"


def test_the_database_has_its_log_from_the_moment_it_has_its_name(tmp_path: Path) -> None:
    """Else a crash in between leaves a store whose readers block the writer."""
    modes = []

    class Watched(type(tmp_path)):  # type: ignore[misc]
        def rename(self, target: Path) -> Path:
            connection = sqlite3.connect(self)
            modes.append(connection.execute("PRAGMA journal_mode").fetchone()[0])
            connection.close()
            return super().rename(target)

    store_folder.create_or_open(Watched(tmp_path / "store")).close()
    assert modes == ["wal"]


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("headline", "Wombats counteD"),
        ("headline", b"\xc3\x28"),  # a flipped bit may leave no UTF-8
        ("outlet", "Bush Telegrapi"),
        ("published", "2022-01-29"),
        ("published", "2022-91-21"),
        ("published", b"\xff022-01-21"),
        ("version", 3),
        ("text", b"no zstandard frame"),
    ],
)
def test_a_damaged_article_is_left_out_and_counted_never_shown(
    folder: Path, column: str, value: object
) -> None:
    if isinstance(value, bytes) and column != "text":
        change(folder, f"UPDATE articles SET {column} = CAST(? AS TEXT) WHERE id = 'flood'", value)
    else:
        change(folder, f"UPDATE articles SET {column} = ? WHERE id = 'flood'", value)
    reader = SnapshotReader(folder)
    snapshot = reader.latest()
    rows = snapshot.passage_rows(range(snapshot.passages))
    assert [row.article.id for row in rows.values()] == ["fire"]
    assert snapshot.bad_rows == 2
    assert snapshot.article("flood") is None
    reader.close()


@pytest.mark.parametrize(
    ("column", "value"), [("start", 1), ("end", 3), ("id", "flood-0"), ("ordinal", 7)]
)
def test_a_damaged_passage_is_left_out_and_counted_never_shown(
    folder: Path, column: str, value: object
) -> None:
    change(folder, f'UPDATE passages SET "{column}" = ? WHERE number = 1', value)
    reader = SnapshotReader(folder)
    snapshot = reader.latest()
    rows = snapshot.passage_rows(range(snapshot.passages))
    assert sorted(row.number for row in rows.values()) == [2, 3]
    assert snapshot.bad_rows == 1
    assert snapshot.passage("flood-0") is None
    reader.close()


def test_a_passage_that_says_to_be_of_another_article_hides_no_other(folder: Path) -> None:
    change(folder, "UPDATE passages SET article = 2 WHERE number = 1")
    reader = SnapshotReader(folder)
    columns = reader.latest().columns
    assert columns.number.tolist() == [2, 3]
    positions, counts = passages_of(np.array([0, 1]), columns)
    assert (positions.tolist(), counts.tolist()) == ([0, 1], [1, 1])
    reader.close()


def test_a_passage_whose_index_says_that_it_is_of_no_article_hides_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Writer(folder) as writer:
        writer.add([record(f"flood-{at}", f"weir{at}") for at in range(12)])
        writer.finish()  # what is counted there makes SQLite look passages up by this index
    # The entry of the last passage: its header's length, and the types of article (an integer of
    # one byte, which becomes NULL), ordinal (0) and number.
    entry = bytes([4, 1, 8, 1, 12, 12])
    change_index(folder, "passages_by_article", entry, entry.replace(b"\4\1", b"\4\0"))
    reader = SnapshotReader(folder)
    snapshot = reader.latest()
    rows = snapshot.passage_rows(range(snapshot.passages))
    assert [row.number for row in rows.values()] == list(range(1, 12))
    with store_folder.reading(folder) as truth:
        assert sorted(store.passage_rows(truth, range(1, 13), snapshot.horizon)) == [*range(1, 12)]
    reader.close()


def test_a_damaged_time_of_the_last_commit_keeps_no_writer_out(folder: Path) -> None:
    change(folder, "UPDATE commits SET at_s = 'x' WHERE seq = (SELECT max(seq) FROM commits)")
    with Writer(folder) as writer:
        writer.add([record("quake", "fault")])
    reader = SnapshotReader(folder)
    assert sorted(shown(reader.latest())) == ["fire", "flood", "quake"]
    reader.close()


def change_index(folder: Path, name: str, before: bytes, after: bytes) -> None:
    """Change a key in a small index, and not in its table."""
    with closing(sqlite3.connect(folder / store_folder.DATABASE)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)
        ).fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray((folder / store_folder.DATABASE).read_bytes())
    page = slice((root - 1) * page_bytes, root * page_bytes)
    assert data[page].count(before) == 1
    data[page] = data[page].replace(before, after)
    (folder / store_folder.DATABASE).write_bytes(data)


def test_an_index_that_leads_to_another_row_shows_and_removes_nothing(folder: Path) -> None:
    for name in ("live_articles", "articles_by_id"):
        change_index(folder, name, b"flood", b"flooe")
    reader = SnapshotReader(folder)
    passage = reader.latest().passage_rows([0])[0]
    assert reader.latest().article("flooe") is None
    with Writer(folder) as writer, pytest.raises(StoreCorruptError, match="repair"):
        writer.remove([ArticleId("flooe")])
    rows = reader.latest().passage_rows(range(3)).values()
    assert {row.article.id for row in rows} == {"fire", "flood"}
    reader.close()
    changed = f"{passage.id[:-1]}{'x' if passage.id[-1] != 'x' else 'y'}"
    change_index(folder, "passages_by_id", passage.id.encode(), changed.encode())
    reader = SnapshotReader(folder)
    assert reader.latest().passage(changed) is None
    reader.close()


@pytest.mark.parametrize("name", ["live_articles", "articles_by_id"])
def test_an_article_that_one_index_misses_is_not_said_to_be_removed(
    folder: Path, name: str
) -> None:
    with Writer(folder) as writer:
        writer.add([record("flood", "weir", "dam")])  # its passage that said so before is removed
    change_index(folder, name, b"flood", b"flooe")
    reader = SnapshotReader(folder)
    assert reader.latest().removal_of(ArticleId("flood")) is None
    reader.close()
    with Writer(folder) as writer:
        writer.remove([ArticleId("fire")])
    reader = SnapshotReader(folder)
    assert reader.latest().removal_of(ArticleId("fire")) is not None
    reader.close()


def test_a_store_with_a_damaged_article_goes_on_taking_others(folder: Path) -> None:
    change(folder, "UPDATE articles SET headline = CAST(X'C328' AS TEXT) WHERE id = 'flood'")
    change(folder, "UPDATE sources SET source = X'00' WHERE article = 1")
    reader = SnapshotReader(folder)
    with Writer(folder) as writer:
        writer.add([record("quake", "fault")])
        writer.finish()
        writer.add([record("flood", "weir", "dam")])  # what is added again is sound again
    assert sorted(shown(reader.latest())) == ["fire", "flood", "quake"]
    reader.close()


def test_the_source_of_an_article_comes_back_as_it_was(tmp_path: Path) -> None:
    given_record = SourceRecord(
        Origin("archive.zip!a.jsonl", 412),
        b'{"text": "\xff"}\x00',
        "Wombats\ud800 counted.\x00 They were many, rangers told the reporters at the gorge.",
        headline="H",
        own_id="x",
        guid="g",
        url="https://e.org",
    )
    with Writer(tmp_path / "store") as writer:
        writer.add([given_record])
    connection = store_folder.open_readonly(tmp_path / "store")
    assert store.source_of(connection, 1) == given_record
    connection.execute("SELECT 1")
    connection.close()
    change(tmp_path / "store", "UPDATE sources SET source = source || X'00'")
    connection = store_folder.open_readonly(tmp_path / "store")
    with pytest.raises(StoreCorruptError, match="add that article again"):
        store.source_of(connection, 1)
    connection.close()


column_kinds = (st.text(), st.integers(-(2**40), 2**40), st.binary())


@given(st.lists(st.one_of(*column_kinds)), st.sampled_from(column_kinds), st.data())
def test_a_row_s_checksum_sees_any_one_column_changed(
    row: list[str | int | bytes], kind: st.SearchStrategy[str | int | bytes], data: st.DataObject
) -> None:
    before = data.draw(kind)
    after = data.draw(kind.filter(lambda value: value != before))
    at = data.draw(st.integers(0, len(row)))
    # 2 ** -32 of unlucky pairs aside.
    assert store.crc(*row[:at], before, *row[at:]) != store.crc(*row[:at], after, *row[at:])


@given(st.text(), st.text())
def test_a_row_s_checksum_sees_a_border_between_columns_moved(left: str, right: str) -> None:
    if left:
        assert store.crc(left, right) != store.crc(left[:-1], left[-1] + right)
        assert store.crc(left.encode(), right) != store.crc(left, right.encode())


def test_each_commit_of_the_writer_is_synced_to_the_disk(tmp_path: Path) -> None:
    truth = store_folder.create_or_open(tmp_path)
    try:
        assert truth.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert truth.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL; NORMAL skips commits
    finally:
        truth.close()
