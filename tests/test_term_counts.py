"""Term counts: counted at once as one by one, and what is damaged stays so."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from index import checksums, term_counts
from index.checksums import columns_of, is_sound
from index.term_counts import TermCounts
from index.term_vectors import Terms, term_of, terms_of

FERRY = terms_of("Ferry to sail again", "The ferry sails on Friday, the harbour master said.")
BUDGET = terms_of("Budget approved", "The council approved the harbour budget on Friday.")


@pytest.fixture
def truth() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as truth:
        checksums.register(truth)
        truth.execute(
            "CREATE TABLE term_counts (language TEXT, term INTEGER, articles INTEGER NOT NULL, "
            "crc INTEGER NOT NULL, PRIMARY KEY (language, term)) WITHOUT ROWID"
        )
        yield truth


def rows(truth: sqlite3.Connection) -> list[tuple[object, ...]]:
    return truth.execute(f"SELECT {columns_of('term_counts')} FROM term_counts").fetchall()


def vector(truth: sqlite3.Connection, terms: Terms) -> tuple[bytes, bytes]:
    found = term_counts.vector(truth, "en", terms)
    return found.terms.tobytes(), found.weights.tobytes()


def test_articles_counted_at_once_count_as_one_by_one(truth: sqlite3.Connection) -> None:
    texts = [("en", FERRY), ("de", FERRY), ("en", BUDGET), ("en", FERRY)]
    term_counts.count(truth, texts)
    at_once = rows(truth)
    assert all(is_sound("term_counts", row) for row in at_once)
    truth.execute("DELETE FROM term_counts")
    for text in texts:
        term_counts.count(truth, [text])
    assert rows(truth) == at_once
    assert ("en", term_of("harbour"), 3) in [row[:3] for row in at_once]


def test_what_was_counted_is_remembered_as_it_was_written(truth: sqlite3.Connection) -> None:
    term_counts.count(truth, [("en", FERRY)])
    counts = TermCounts(truth)
    counts.count([("en", BUDGET)])
    remembered = counts.vector("en", FERRY)
    assert (remembered.terms.tobytes(), remembered.weights.tobytes()) == vector(truth, FERRY)


def test_a_damaged_count_stays_damaged_and_counts_as_none(truth: sqlite3.Connection) -> None:
    term_counts.count(truth, [("en", FERRY)])
    truth.execute("UPDATE term_counts SET articles = 9 WHERE term = ?", (term_of("harbour"),))
    counts = TermCounts(truth)
    counts.count([("en", BUDGET)])
    remembered = counts.vector("en", BUDGET)
    damaged = [row for row in rows(truth) if not is_sound("term_counts", row)]
    assert [row[1] for row in damaged] == [term_of("harbour")]
    assert (remembered.terms.tobytes(), remembered.weights.tobytes()) == vector(truth, BUDGET)
