"""Makes again what was made from the truth, and holds it against what is kept.

What is made again goes into temporary tables that stand before the store's own in the same
connection, so the code that writes a store writes them; the store itself is only read.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

from index import reports, store, stories
from index.errors import StoreCorruptError
from index.findings import Finding, Part, derived, truth
from index.idempotency import content_hash
from index.recurring import line_hashes

_MADE: Final = {
    Part.COPIES: ("sketches", "fingerprints"),
    Part.STORIES: ("points", "postings"),
}
# Read on the way, and written where what is made differs.
_GIVEN: Final = ("reports", "stories", "merged_stories", "term_vectors", "term_counts", "meta")
_LABELS: Final = {Part.COPIES: "reports", Part.STORIES: "stories"}


def groups(connection: sqlite3.Connection, seq: int) -> Iterator[Finding]:
    """Reports and stories: sketches, fingerprints, points and postings, row by row.

    Inside a read transaction; leaves temporary tables behind it.
    """
    for table in (*_MADE[Part.COPIES], *_MADE[Part.STORIES], *_GIVEN):
        _stand_before(connection, table)
    for table in _GIVEN:
        connection.execute(f"INSERT INTO temp.{table} SELECT * FROM main.{table}")
    reports.rebuild(connection, seq + 1)
    stories.rebuild(connection, seq + 1)
    for part, tables in _MADE.items():
        for table in tables:
            if count := _differing(connection, table):
                yield derived(part, table, f"{count:,} rows are not what the articles give")
        table = _LABELS[part]
        moved = connection.execute(
            f"SELECT count(*) FROM temp.{table} WHERE seq = ?", (seq + 1,)
        ).fetchone()[0]
        if moved:
            yield derived(part, table, f"{moved:,} articles belong elsewhere")


def sources(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Articles that are not what their source says: their content, their text, their lines."""
    for article in store.all_articles(connection):
        yield from _source(connection, article.number, article.text)


def _source(connection: sqlite3.Connection, number: int, text: str) -> Iterator[Finding]:
    try:
        source, runs = store.traced_source_of(connection, number)
    except StoreCorruptError:
        return  # its checksum tells
    row = connection.execute(
        "SELECT a.content, l.hashes FROM articles a LEFT JOIN lines l ON l.article = a.number "
        "WHERE a.number = ?",
        (number,),
    ).fetchone()
    if row[0] != content_hash(source):
        yield truth(f"articles number={number}", "it is another article than its source")
    if any(
        text[run.start : run.start + run.length]
        != source.body[run.body_start : run.body_start + run.length]
        for run in runs
    ):
        yield truth(f"articles number={number}", "its text is not in its source where it should be")
    if row[1] is not None and row[1] != b"".join(sorted(line_hashes(source.body))):
        yield derived(Part.LINES, f"lines article={number}", "they are not those of its source")


def _stand_before(connection: sqlite3.Connection, table: str) -> None:
    """An empty temporary table of the same form and name: it is the one that statements mean."""
    connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
    statements = connection.execute(
        "SELECT sql FROM main.sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL "
        "ORDER BY type DESC",  # the table before its indexes
        (table,),
    ).fetchall()
    for (statement,) in statements:
        kind, name = statement.split()[1:3]
        connection.execute(statement.replace(f"{kind} {name}", f"{kind} temp.{name}", 1))


def _differing(connection: sqlite3.Connection, table: str) -> int:
    """Rows that only one of the two has."""
    kept, made = f"SELECT * FROM main.{table}", f"SELECT * FROM temp.{table}"
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM ({kept} EXCEPT {made})) "
        f"+ (SELECT count(*) FROM ({made} EXCEPT {kept}))"
    ).fetchone()
    return int(row[0])
