"""The checksum of a row: what it covers, and what becomes of it when the row changes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index import store, store_folder
from index.checksums import (
    BYTES,
    CHANGING,
    CHECKED,
    columns_of,
    crc_after,
    insert_into,
    is_sound,
    row_crc,
    sealed,
    sound,
)

DERIVED = {"fingerprints", "sketches", "points", "postings"}  # `repair` makes these anew


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(store_folder.create_or_open(tmp_path / "store")) as connection:
        yield connection


def version_row(truth: sqlite3.Connection) -> tuple[object, ...]:
    row: tuple[object, ...] = truth.execute(
        f"SELECT {columns_of('superseded')} FROM superseded"
    ).fetchone()
    return row


def test_every_column_of_every_table_that_is_not_derived_is_covered(
    truth: sqlite3.Connection,
) -> None:
    tables = {
        name
        for (name,) in truth.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not name.startswith("sqlite_")
    }
    assert tables - DERIVED == set(CHECKED)
    for table, covered in CHECKED.items():
        columns = {row[1] for row in truth.execute(f"PRAGMA table_info({table})")}
        # The number of a vector is read by nobody.
        assert columns - {"crc"} - set(covered) <= ({"number"} if table == "vectors" else set())
        assert set(covered) < columns


@pytest.mark.parametrize("table", CHANGING)
def test_the_column_that_changes_is_the_last_one_covered(table: str) -> None:
    assert CHECKED[table][-1] == CHANGING[table]


def test_a_row_that_changes_passes_its_check_again(truth: sqlite3.Connection) -> None:
    columns = ("flood", 1, "Dam holds", "", "2025", b"text")
    truth.execute(insert_into("superseded"), sealed("superseded", *columns, None))
    for seq in (7, 9, None):
        truth.execute(
            f"UPDATE superseded SET removed_seq = :seq, crc = {crc_after('removed_seq', ':seq')}",
            {"seq": seq},
        )
        assert is_sound("superseded", version_row(truth))
        assert version_row(truth)[-2] == seq


@pytest.mark.parametrize(
    "damage",
    [
        "headline = 'Dam hold'",
        "headline = CAST(X'C328' AS TEXT)",
        "removed_seq = 5",
        "crc = crc + 1",
    ],
)
def test_a_damaged_row_that_changes_stays_damaged(truth: sqlite3.Connection, damage: str) -> None:
    columns = ("flood", 1, "Dam holds", "", "2025", b"text")
    truth.execute(insert_into("superseded"), sealed("superseded", *columns, 4))
    truth.execute(f"UPDATE superseded SET {damage}")
    truth.execute(f"UPDATE superseded SET removed_seq = 8, crc = {crc_after('removed_seq', '8')}")
    assert not is_sound("superseded", version_row(truth))


def test_the_columns_that_are_bytes_are_those_that_the_tables_say(
    truth: sqlite3.Connection,
) -> None:
    for table, covered in CHECKED.items():
        declared = {
            name: kind for _, name, kind, *_ in truth.execute(f"PRAGMA table_info({table})")
        }
        bytes_ = tuple(name for name in covered if declared[name] == "BLOB")
        assert bytes_ == BYTES.get(table, ()), table


def test_a_number_that_has_become_empty_bytes_is_seen_and_so_is_the_reverse() -> None:
    row = sealed("passages", 1, "a-1", 1, 0, 0, 40, b"\1" * 16, None)
    assert is_sound("passages", row)
    assert not is_sound("passages", (*row[:4], b"", *row[5:]))
    lines = sealed("lines", 1, "Courier", b"")
    assert is_sound("lines", lines)
    assert not is_sound("lines", (1, "Courier", 0, lines[-1]))


def test_the_same_bit_flipped_in_two_columns_is_seen() -> None:
    """CRC is linear: by XOR of plain CRCs the two would cancel out."""
    passage = [7, "flood-0", 3, 0, 0, 90, b"embedding", 12]
    stored = row_crc("passages", passage)
    for bit in range(6):
        flipped = list(passage)
        flipped[2] ^= 1 << bit  # type: ignore[operator]
        flipped[-1] ^= 1 << bit  # type: ignore[operator]
        assert row_crc("passages", flipped) != stored


def test_a_damaged_row_is_left_out_and_logged(
    truth: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        truth.execute(insert_into("commits"), sealed("commits", number, 1_700_000_000 + number))
    truth.execute("UPDATE commits SET at_s = 0 WHERE seq = 2")
    rows = truth.execute(f"SELECT {columns_of('commits')} FROM commits")
    assert [seq for seq, _ in sound("commits", rows)] == [1, 3]
    assert "left out table=commits seq=2" in caplog.text
    times_s = [store.commit_time_s(truth, seq) for seq in (0, 1, 2, 3)]
    assert times_s == [None, 1_700_000_001, None, 1_700_000_003]
