"""The checksum that every row of the truth carries, and what it covers.

SQLite's own check does not see a flipped bit inside a value, so each row has a `crc` over its other
columns. A row that fails its check is left out, logged and counted, never shown. Tables without a
`crc` (`fingerprints`, `sketches`, `points`, `postings`) are derived: `nutgraf repair` makes them
anew from those that have one.

A few columns change after their row was written. Their part of the checksum is mixed in by XOR, so
that a change needs no look at the others, and a row that was damaged before stays damaged: sealed
anew over a flipped bit it would pass for sound.
"""

import logging
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final

logger = logging.getLogger(__name__)

# In the order in which the checksum takes them; those that change come last.
CHECKED: Final[Mapping[str, tuple[str, ...]]] = {
    "meta": ("key", "value"),
    "articles": (
        "number",
        "id",
        "version",
        "added_seq",
        "headline",
        "outlet",
        "byline",
        "section",
        "language",
        "url",
        "guid",
        "published",
        "text",
        "content",
        "head_crc",
        "removed_seq",
    ),
    "sources": ("article", "source"),
    "lines": ("article", "outlet", "hashes"),
    "recurring": ("outlet", "hash"),
    "passages": (
        "number",
        "id",
        "article",
        "ordinal",
        "start",
        "end",
        "embedding",
        "embedded_seq",
    ),
    "vectors": ("model", "embedding", "vector"),
    "tombstones": ("passage", "id", "article_id", "seq"),
    "superseded": (
        "article_id",
        "version",
        "headline",
        "byline",
        "published",
        "text",
        "removed_seq",
    ),
    "reports": ("article", "seq", "report"),
    "term_counts": ("language", "term", "articles"),
    "term_vectors": ("article", "vector"),
    "stories": ("article", "seq", "story"),
    "merged_stories": ("story", "seq", "successor"),
    "former_passages": (
        "id",
        "seq",
        "article_id",
        "version",
        "ordinal",
        "start",
        "text",
        "removed_seq",
    ),
    "commits": ("seq", "at_s"),
    "searches": ("id", "name", "request", "saved_s", "seen", "delivered"),
    "entries": ("number", "search", "report_id", "article_id", "passage_id", "entered_s"),
    "collections": ("id", "name", "made_s"),
    "marks": (
        "number",
        "collection",
        "article_id",
        "passage_id",
        "start",
        "end",
        "quote",
        "headline",
        "outlet",
        "byline",
        "section",
        "language",
        "url",
        "published",
        "digest",
        "note",
        "marked_s",
    ),
    "rejections": ("number", "path", "line", "reason", "advice", "rejected_s"),
    "segments": ("name", "model", "passages", "sha256"),
    "generations": ("number", "max_seq"),
    "generation_segments": ("generation", "segment"),
    "idempotency_keys": ("key", "request", "outcomes", "at_s"),
}
# The columns that are bytes, in tables that have some; never NULL.
BYTES: Final[Mapping[str, tuple[str, ...]]] = {
    "articles": ("text", "content"),
    "sources": ("source",),
    "lines": ("hashes",),
    "recurring": ("hash",),
    "passages": ("embedding",),
    "vectors": ("embedding", "vector"),
    "superseded": ("text",),
    "term_vectors": ("vector",),
    "former_passages": ("text",),
    "searches": ("seen",),
    "idempotency_keys": ("request",),
}
_BYTES_AT: Final = {
    table: tuple(names.index(name) for name in BYTES.get(table, ()))
    for table, names in CHECKED.items()
}
# The one column of a table that changes while its row stays.
CHANGING: Final[Mapping[str, str]] = {
    "articles": "removed_seq",
    "passages": "embedded_seq",
    "superseded": "removed_seq",
    "term_counts": "articles",
    "former_passages": "removed_seq",
    "searches": "delivered",
}


def crc(*columns: str | int | bytes | None) -> int:
    """CRC-32 over columns, in order; bytes count by their length first, and then as they are."""
    contents = [column for column in columns if isinstance(column, bytes)]
    return _crc([len(c) if isinstance(c, bytes) else c for c in columns], contents)


def _crc(plain: list[Any], contents: Iterable[bytes]) -> int:
    value = zlib.crc32(repr(plain).encode())
    for content in contents:
        value = zlib.crc32(content, value)
    return value


def row_crc(table: str, columns: Iterable[Any]) -> int:
    """What the `crc` of a row must be, from its columns in the order of `CHECKED`."""
    plain = list(columns)
    contents = []
    for at in _BYTES_AT[table]:
        content = plain[at]
        if isinstance(content, bytes):
            contents.append(content)
            plain[at] = len(content)
    changing = _changing_part(plain.pop()) if table in CHANGING else 0
    return _crc(plain, contents) ^ changing


def is_sound(table: str, row: Sequence[Any]) -> bool:
    """Whether a row passes its check: its columns in the order of `CHECKED`, and its `crc`.

    One flipped bit makes an empty BLOB of the number 0, and `crc` is the same for the two: so bytes
    are taken where they belong, and anywhere else for what they are.
    """
    for at in _BYTES_AT[table]:
        if not isinstance(row[at], bytes):
            return False
    *columns, stored = row
    return bool(row_crc(table, columns) == stored)


def sound(table: str, rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Those of a table's rows that pass their check, without their `crc`; others are logged.

    Rows as `columns_of` names their columns.
    """
    kept = []
    for row in rows:
        if is_sound(table, row):
            kept.append(tuple(row[:-1]))
        else:
            logger.warning(
                "damaged row left out table=%s %s=%.60r", table, CHECKED[table][0], row[0]
            )
    return kept


@cache
def columns_of(table: str, alias: str = "") -> str:
    """A table's columns in the order of `CHECKED`, and its `crc`, for a SELECT or an INSERT."""
    dot = f"{alias}." if alias else ""
    return ", ".join(dot + quoted(name) for name in (*CHECKED[table], "crc"))


def key_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """The columns of a table's primary key, in its order."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return [name for _, name, *_, place in sorted(columns, key=lambda row: row[-1]) if place]


def quoted(name: str) -> str:
    """A column's name as it stands in SQL, where some are keywords."""
    return f'"{name}"'


@cache
def insert_into(table: str, *, instead: bool = False) -> str:
    """The INSERT that takes a row as `sealed` gives it; `instead`: of one with the same key."""
    places = ", ".join("?" * (len(CHECKED[table]) + 1))
    return (
        f"INSERT {'OR REPLACE ' if instead else ''}INTO {table} ({columns_of(table)}) "
        f"VALUES ({places})"
    )


def sealed(table: str, *columns: str | int | bytes | None) -> tuple[str | int | bytes | None, ...]:
    """Columns in the order of `CHECKED`, and their `crc`."""
    return (*columns, row_crc(table, columns))


def crc_after(column: str, value: str) -> str:
    """SQL for the `crc` of a row in which only `column` changes, to `value`, an SQL expression."""
    # A flipped bit may make a text of a number, and one that is no UTF-8 fails in the function.
    return f"crc_changed(CAST(crc AS INTEGER), CAST({column} AS INTEGER), {value})"


def register(connection: sqlite3.Connection) -> None:
    """Teach a connection what `crc_after` needs."""
    connection.create_function("crc_changed", 3, _crc_changed, deterministic=True)


def _crc_changed(stored: int | None, before: int | None, after: int | None) -> int:
    return (stored or 0) ^ _changing_part(before) ^ _changing_part(after)


# By type as well: 1 and 1.0 are equal, and not the same.
@lru_cache(maxsize=256, typed=True)
def _changing_part(value: str | int | bytes | None) -> int:
    # Not by CRC: it is linear, and the same bits flipped in two columns would cancel out.
    if value is None:
        return 0
    return int.from_bytes(blake2b(repr(value).encode(), digest_size=4).digest(), "big")
