"""What `verify` finds: each kind of damage, as what it is, and nothing where there is none."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
from damage import change, contents, copied, damageable, flip
from oracle import embed, record

from index import store_folder, tables
from index.article import ArticleId
from index.findings import Damage
from index.verify import Depth, verify
from index.writer import Writer


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that is whole. Not to be changed: see `folder`."""
    return damageable(tmp_path_factory.mktemp("sound") / "store")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return copied(sound, tmp_path / "store")


@pytest.mark.parametrize("depth", Depth)
def test_nothing_is_found_in_a_sound_store_and_nothing_changed(folder: Path, depth: Depth) -> None:
    before = contents(folder)
    verified = verify(folder, depth)
    assert verified.findings == ()
    assert verified.exit_code == 0
    assert contents(folder) == before


def test_nothing_is_found_in_an_empty_store(tmp_path: Path) -> None:
    Writer(tmp_path / "store").close()
    assert verify(tmp_path / "store", Depth.DEEP).findings == ()


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("UPDATE articles SET headline = 'Wombats counteD' WHERE id = 'flood'", "articles number"),
        ("UPDATE sources SET source = X'00' WHERE article = 1", "sources article=1"),
        ('UPDATE passages SET "end" = 3 WHERE number = 1', "passages number=1"),
        ("UPDATE tombstones SET seq = 99", "tombstones passage"),
        ("UPDATE commits SET at_s = at_s + 1 WHERE seq = 1", "commits seq=1"),
        ("UPDATE meta SET value = 'other' WHERE key = 'model'", "meta key='model'"),
        ("UPDATE idempotency_keys SET outcomes = '[]'", "idempotency_keys key='first'"),
        ("UPDATE collections SET name = 'Fires'", "collections id"),
        ("UPDATE former_passages SET start = 1", "former_passages id"),
        ("DELETE FROM commits WHERE seq = (SELECT max(seq) FROM commits)", "commits"),
        ("DELETE FROM sources WHERE article = 1", "articles 1"),
        ("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'passages'", "sqlite_sequence passages"),
    ],
)
def test_damage_to_the_truth_is_told_with_its_table_and_row(
    folder: Path, sql: str, place: str
) -> None:
    change(folder, sql)
    verified = verify(folder, Depth.FULL)
    assert verified.exit_code == 2
    found = [finding for finding in verified.findings if finding.damage is Damage.TRUTH]
    assert any(finding.place.startswith(place) for finding in found), found
    assert all("backup" in finding.advice for finding in found)


@pytest.mark.parametrize(
    ("sql", "depth"),
    [
        ("UPDATE vectors SET vector = zeroblob(32) WHERE number = 1", Depth.FULL),
        ("UPDATE reports SET report = 3", Depth.FULL),
        ("UPDATE stories SET story = 99", Depth.FULL),
        ("UPDATE lines SET hashes = X'00'", Depth.FULL),
        ("UPDATE term_counts SET articles = articles + 1", Depth.FULL),
        ("UPDATE segments SET passages = passages + 1", Depth.FULL),
        ("UPDATE generations SET max_seq = 0", Depth.FULL),
        ("DELETE FROM sketches WHERE article = 1", Depth.FULL),
        ("UPDATE sketches SET words = words + 1", Depth.DEEP),
        ("DELETE FROM fingerprints WHERE report = 1", Depth.DEEP),
        ("UPDATE points SET day = day + 1", Depth.DEEP),
        ("UPDATE postings SET weight = weight / 2", Depth.DEEP),
    ],
)
def test_damage_to_what_is_derived_is_told_apart(folder: Path, sql: str, depth: Depth) -> None:
    change(folder, sql)
    verified = verify(folder, depth)
    assert verified.exit_code == 1, verified.findings
    assert all("repair" in finding.advice for finding in verified.findings)


def test_a_quick_look_sees_a_flipped_bit_in_a_segment(folder: Path) -> None:
    segment = next((folder / store_folder.SEGMENTS).glob("*.seg"))
    flip(segment, 200)
    (finding,) = verify(folder).findings
    assert (finding.damage, finding.place) == (Damage.DERIVED, f"segments/{segment.name}")


def test_a_quick_look_sees_a_flipped_bit_in_the_word_index(folder: Path) -> None:
    terms = next((folder / store_folder.WORDS).glob("*.term"))
    flip(terms, 40)
    (finding,) = verify(folder).findings
    assert (finding.damage, finding.part) == (Damage.DERIVED, "words")


def test_an_index_that_misses_a_row_is_derived_damage(folder: Path) -> None:
    with open_page(folder, "passages_by_id") as (file, data):
        file.seek(data.rindex(b"flood-"), os.SEEK_CUR)
        file.write(b"fl0od-")
    verified = verify(folder, Depth.FULL)
    assert {finding.part for finding in verified.findings} == {"indexes"}
    assert verified.exit_code == 1


def test_a_damaged_row_is_seen_where_an_index_still_has_it_right(folder: Path) -> None:
    with open_page(folder, "passages") as (file, data):
        article = data.index(b"again-") + len("again-0123456789ab")  # after the id
        file.seek(article, os.SEEK_CUR)
        file.write(bytes([data[article] ^ 1]))
    verified = verify(folder, Depth.FULL)
    assert Damage.TRUTH in {finding.damage for finding in verified.findings}
    assert any(finding.place.startswith("passages number=") for finding in verified.findings)


@pytest.mark.parametrize("column", ["type", "sql"])
def test_a_table_that_is_said_to_be_made_of_bytes_is_of_no_format(
    folder: Path, column: str
) -> None:
    """SQLite takes it as it is; whoever asks for the tables would miss it."""
    with closing(sqlite3.connect(folder / store_folder.DATABASE)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            f"UPDATE sqlite_schema SET {column} = CAST({column} AS BLOB) WHERE name = 'marks'"
        )
        connection.commit()
    (finding,) = verify(folder).findings
    assert (finding.damage, finding.place) == (Damage.FORMAT, f"{store_folder.DATABASE} marks")


def test_a_look_at_rows_that_are_out_of_order_comes_to_its_end(folder: Path) -> None:
    with open_page(folder, "superseded") as (file, data):
        file.seek(data.index(b"fire"), os.SEEK_CUR)
        file.write(b"\xffire")  # no UTF-8: what it is read as comes before it
    verified = verify(folder, Depth.FULL)
    assert "superseded: not in the order of its key" in {each.place for each in verified.findings}


@contextmanager
def open_page(folder: Path, of: str) -> Iterator[tuple[BinaryIO, bytes]]:
    """The database's file, at the first page of a table or index; and what is on that page."""
    with closing(sqlite3.connect(folder / store_folder.DATABASE)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (of,)
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with (folder / store_folder.DATABASE).open("r+b") as file:
        file.seek((page - 1) * size)
        data = file.read(size)
        file.seek(-size, os.SEEK_CUR)
        yield file, data


def test_what_is_no_store_is_told_as_such(tmp_path: Path, folder: Path) -> None:
    assert verify(tmp_path / "nowhere").exit_code == 3
    with closing(sqlite3.connect(folder / store_folder.DATABASE)) as connection:
        connection.execute(f"PRAGMA user_version = {tables.FORMAT + 1}")
    (finding,) = verify(folder, Depth.DEEP).findings
    assert (finding.damage, "newer Nutgraf" in finding.advice) == (Damage.FORMAT, True)


def test_a_lost_commit_is_damage_to_the_truth(folder: Path, tmp_path: Path) -> None:
    """As when a database is put back from an old copy beside a newer word index."""
    before = (folder / store_folder.DATABASE).read_bytes()
    with Writer(folder) as writer:
        writer.add([record("late", "storm")])
    (folder / store_folder.DATABASE).write_bytes(before)
    (finding,) = verify(folder).findings
    assert finding.damage is Damage.TRUTH
    assert "commits were lost" in finding.meaning


def test_a_store_that_is_written_to_meanwhile_is_found_sound(folder: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with Writer(folder) as writer:
            at = 0
            while not stop.is_set():
                at += 1
                writer.add([record(f"wire-{at}", f"weir{at}"), record("flood", f"dam{at}")])
                embed(writer, 2)
                writer.publish(at_least=3)
                if at > 1:
                    writer.remove([ArticleId(f"wire-{at - 1}")])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for depth in (*Depth, *Depth):
            assert verify(folder, depth).findings == ()
    finally:
        stop.set()
        thread.join()
