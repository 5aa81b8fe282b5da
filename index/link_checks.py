"""Holds rows against other rows: what each refers to must be there, and say the same.

Each check is a question to SQLite that finds nothing when all is well; its rows begin with what
names the place.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from index import store
from index.findings import Finding, Part, derived, truth

_SHOWN = 5  # places named for one check; of the others the number
_NORM_TOLERANCE = 0.01  # of a vector in float16


@dataclass(frozen=True, slots=True)
class _Link:
    table: str
    meaning: str
    strays: str  # a SELECT of what names the rows that are wrong
    part: Part = Part.DATABASE


_LIVE = "(SELECT number FROM articles WHERE removed_seq IS NULL)"
_LINKS: Final = (
    _Link(
        "passages",
        "belongs to an article that is not there",
        "SELECT number FROM passages WHERE article NOT IN (SELECT number FROM articles)",
    ),
    _Link(
        "sources",
        "belongs to an article that is not there",
        "SELECT article FROM sources WHERE article NOT IN (SELECT number FROM articles)",
    ),
    _Link(
        "articles",
        "has no source",
        "SELECT number FROM articles WHERE number NOT IN (SELECT article FROM sources)",
    ),
    _Link(
        "articles",
        "has no passage",
        "SELECT number FROM articles WHERE number NOT IN (SELECT article FROM passages)",
    ),
    _Link(
        "articles",
        "was added or removed by a commit that is still to come",
        "SELECT number FROM articles WHERE max(added_seq, ifnull(removed_seq, 0)) > :seq "
        "OR removed_seq < added_seq",
    ),
    _Link(
        "tombstones",
        "says of a live passage that it was removed",
        "SELECT t.passage FROM tombstones t JOIN passages p ON p.number = t.passage "
        "JOIN articles a ON a.number = p.article WHERE a.removed_seq IS NULL",
    ),
    _Link(
        "passages",
        "was removed without a tombstone",
        "SELECT p.number FROM passages p JOIN articles a ON a.number = p.article "
        "WHERE a.removed_seq IS NOT NULL AND p.number NOT IN (SELECT passage FROM tombstones)",
    ),
    _Link(
        "superseded",
        "is an earlier version of no article",
        "SELECT article_id, version FROM superseded s WHERE removed_seq IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM articles a WHERE a.id = s.article_id AND a.removed_seq IS NULL "
        "AND a.version > s.version)",
    ),
    _Link(
        "former_passages",
        "is no passage that was there before",
        "SELECT id, seq FROM former_passages f WHERE NOT EXISTS "
        "(SELECT 1 FROM tombstones t WHERE t.id = f.id AND t.seq = f.seq)",
    ),
    _Link(
        "entries",
        "belongs to a saved search that is not there",
        "SELECT number FROM entries WHERE search NOT IN (SELECT id FROM searches)",
    ),
    _Link(
        "marks",
        "belongs to a collection that is not there",
        "SELECT number FROM marks WHERE collection NOT IN (SELECT id FROM collections)",
    ),
    _Link(
        "commits",
        "is missing",
        "SELECT :seq WHERE :seq > 0 AND :seq NOT IN (SELECT seq FROM commits)",
    ),
    _Link(
        "vectors",
        "is missing, of a passage that counts as embedded",
        "SELECT p.number FROM passages p WHERE p.embedded_seq IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM vectors v WHERE v.embedding = p.embedding "
        "AND v.model = (SELECT value FROM meta WHERE key = 'fingerprint'))",
        Part.VECTORS,
    ),
    _Link(
        "lines",
        "is missing, of an article",
        "SELECT number FROM articles WHERE number NOT IN (SELECT article FROM lines)",
        Part.LINES,
    ),
    _Link(
        "sketches",
        "is missing, of a live article",
        f"SELECT number FROM {_LIVE} WHERE number NOT IN (SELECT article FROM sketches)",
        Part.COPIES,
    ),
    _Link(
        "sketches",
        "is of no live article",
        f"SELECT article FROM sketches WHERE article NOT IN {_LIVE}",
        Part.COPIES,
    ),
    _Link(
        "reports",
        "does not say what the sketches say",
        "SELECT s.article FROM sketches s WHERE s.report <> ifnull((SELECT r.report FROM reports r "
        "WHERE r.article = s.article ORDER BY r.seq DESC LIMIT 1), s.article)",
        Part.COPIES,
    ),
    _Link(
        "points",
        "is missing, of a report",
        # Later ones may wait for their story to be told.
        "SELECT DISTINCT report FROM sketches s WHERE report NOT IN (SELECT report FROM points) "
        "AND (report <= ifnull((SELECT value FROM meta WHERE key = 'told_number'), 0) "
        "OR EXISTS (SELECT 1 FROM stories t WHERE t.article = s.report))",
        Part.STORIES,
    ),
    _Link(
        "points",
        "is of no report",
        "SELECT report FROM points WHERE report NOT IN (SELECT report FROM sketches)",
        Part.STORIES,
    ),
    _Link(
        "stories",
        "does not say what the points say",
        "SELECT s.article FROM sketches s JOIN points p ON p.report = s.report WHERE p.story <> "
        "ifnull((SELECT t.story FROM stories t WHERE t.article = s.article "
        "ORDER BY t.seq DESC LIMIT 1), 0)",
        Part.STORIES,
    ),
    _Link(
        "term_vectors",
        "is missing, of a report",
        "SELECT report FROM points WHERE report NOT IN (SELECT article FROM term_vectors)",
        Part.STORIES,
    ),
    _Link(
        "segments",
        "does not belong to the newest generation, or is not there",
        "SELECT segment FROM generation_segments WHERE segment NOT IN (SELECT name FROM segments) "
        "OR generation <> (SELECT max(number) FROM generations) UNION ALL "
        "SELECT name FROM segments WHERE name NOT IN (SELECT segment FROM generation_segments) "
        "OR model <> (SELECT value FROM meta WHERE key = 'fingerprint')",
        Part.SEGMENTS,
    ),
    _Link(
        "generations",
        "is not the only one, or is one that is still to come",
        "SELECT count(*) FROM generations HAVING count(*) <> 1 OR max(max_seq) > :seq",
        Part.SEGMENTS,
    ),
)
# What gives out numbers that are never used again, and where the numbers given out are.
_COUNTERS: Final = {
    "articles": "SELECT max(number) FROM articles",
    "passages": "SELECT max(n) FROM (SELECT max(number) AS n FROM passages "
    "UNION ALL SELECT max(passage) FROM tombstones)",
    "entries": "SELECT max(number) FROM entries",
    "marks": "SELECT max(number) FROM marks",
    "rejections": "SELECT max(number) FROM rejections",
    "generations": "SELECT max(number) FROM generations",
}


def links(connection: sqlite3.Connection, seq: int) -> Iterator[Finding]:
    """Rows that refer to what is not there, or that contradict another."""
    for link in _LINKS:
        rows = connection.execute(link.strays, {"seq": seq}).fetchall()
        for row in rows[:_SHOWN]:
            yield _finding(link, f"{link.table} {' '.join(map(str, row))}", link.meaning)
        if len(rows) > _SHOWN:
            yield _finding(link, link.table, f"{link.meaning}: {len(rows) - _SHOWN:,} more rows")


def counters(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Counters that would give out a number for the second time."""
    for table, last in _COUNTERS.items():
        row = connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
        ).fetchone()
        given_out = connection.execute(last).fetchone()[0]
        if given_out is not None and (row is None or row[0] < given_out):
            yield truth(
                f"sqlite_sequence {table}", "the next number was given out before: ids would repeat"
            )


def spans(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Sound passages whose span is not within their article's text."""
    for article in store.all_articles(connection):
        for passage in store.passages_of(connection, article):
            if not 0 <= passage.start < passage.end <= len(article.text):
                yield truth(
                    f"passages {passage.number}",
                    f"its span {passage.start} to {passage.end} is not within the text of "
                    f"article {article.id}",
                )


def vectors(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Vectors that are not finite, or whose length is not 1."""
    for number, data in connection.execute("SELECT number, vector FROM vectors ORDER BY number"):
        if not is_vector(data):
            yield derived(Part.VECTORS, f"vectors number={number}", "it is no vector of length 1")


def is_vector(data: object) -> bool:
    """Whether these are the bytes of a vector in float16 with L2 norm 1."""
    if not isinstance(data, bytes) or not data or len(data) % 2:
        return False
    vector = np.frombuffer(data, "<f2").astype(np.float32)
    # A NaN is not near to 1 either.
    return abs(float(vector @ vector) - 1) <= _NORM_TOLERANCE


def _finding(link: _Link, place: str, meaning: str) -> Finding:
    if link.part is Part.DATABASE:
        return truth(place, meaning)
    return derived(link.part, place, meaning)
