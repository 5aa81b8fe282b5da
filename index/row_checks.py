"""Holds rows against their checksums, a few at a time: for `verify`, and for the scrub."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from index.checksums import CHECKED, columns_of, is_sound, key_of, quoted

_ROWS = 500  # at a time; a row may be a long article


TABLES: Final = tuple(CHECKED)


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Some rows of a table, in the order of its key."""

    table: str
    rows: int
    damaged: tuple[str, ...]  # where: "articles number=7"
    last: tuple[object, ...]  # key of the last of them


def batches(truth: sqlite3.Connection, table: str) -> Iterator[CheckedRows]:
    """All rows of a table, batch by batch. Between two, its reads are over.

    Raises:
        sqlite3.DatabaseError: SQLite cannot read the table to its end.
    """
    after: tuple[object, ...] | None = None
    while (batch := _batch(truth, table, after)).rows:
        if after and not _is_later(truth, batch.last, after):
            # Asked for what comes after it, SQLite would give the same rows for ever.
            yield replace(batch, damaged=(*batch.damaged, f"{table}: not in the order of its key"))
            return
        yield batch
        after = batch.last


def _is_later(truth: sqlite3.Connection, key: tuple[object, ...], than: tuple[object, ...]) -> bool:
    """Whether one key comes after another, as SQLite orders them."""
    places = ", ".join("?" * len(key))
    row = truth.execute(f"SELECT ({places}) > ({places})", (*key, *than)).fetchone()
    return bool(row[0])


def _batch(truth: sqlite3.Connection, table: str, after: tuple[object, ...] | None) -> CheckedRows:
    key = key_of(truth, table)
    names = ", ".join(map(quoted, key))
    where = f"WHERE ({names}) > ({', '.join('?' * len(key))})" if after else ""
    # An index has some of the columns too, and what it says of a damaged row may be right.
    rows = truth.execute(
        f"SELECT {names}, {columns_of(table)} FROM {table} NOT INDEXED {where} "
        f"ORDER BY {names} LIMIT {_ROWS}",
        after or (),
    ).fetchall()
    damaged = []
    for row in rows:
        if not is_sound(table, row[len(key) :]):
            at = " ".join(f"{name}={value!r}" for name, value in zip(key, row, strict=False))
            damaged.append(f"{table} {at}")
    return CheckedRows(table, len(rows), tuple(damaged), rows[-1][: len(key)] if rows else ())
