"""Makes again what can be made again from the truth; of the truth itself nothing is touched.

Each part is mended in commits of its own by the store's one writer, and what is damaged is made
whole from rows that pass their check: so a repair that is killed is repeated, and one that has
nothing to do does nothing. Damaged files are set aside under another name, not deleted.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index import generations, reports, saved_columns, store, store_folder, stories, term_counts
from index.checksums import columns_of, crc_after, insert_into, is_sound, key_of, sealed
from index.errors import StoreCorruptError
from index.findings import Damage, Finding, Part
from index.held_truth import take_lock
from index.link_checks import is_vector
from index.recurring import line_hashes
from index.term_vectors import Terms, terms_of
from index.verify import Depth, Verified, verify
from index.writer import Writer

logger = logging.getLogger(__name__)

# What is mended may show what could not be seen before: an index, then rows, then what they give.
_ROUNDS = 4
_ARTICLES = 500  # read at a time


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did, and what is wrong now."""

    mended: tuple[Finding, ...]
    verified: Verified


def repair(folder: Path) -> Repaired:
    """Mend all derived damage of a store.

    Raises:
        StoreLockedError: another process writes to the store.
        StoreFullError: there is no room for what has to be made again.
    """
    mended: list[Finding] = []
    for _ in range(_ROUNDS):
        verified = verify(folder, Depth.DEEP)
        found = [each for each in verified.findings if each.damage is Damage.DERIVED]
        if not found or any(each.damage is Damage.FORMAT for each in verified.findings):
            break
        _mend(folder, {each.part for each in found})
        mended += found
    else:
        verified = verify(folder, Depth.DEEP)
    return Repaired(tuple(mended), verified)


def _mend(folder: Path, parts: set[Part]) -> None:
    if Part.INDEXES in parts:
        _reindex(folder)
    if parts == {Part.INDEXES}:
        return
    words = _inode(folder / store_folder.WORDS)
    # Opening it rebuilds a word index that is damaged, and segments whose file is.
    with Writer(folder) as writer:
        if _inode(folder / store_folder.WORDS) != words:
            parts = parts - {Part.WORDS}  # what was set aside is not to be set aside over
        for part, mend in _MEND.items():
            if part in parts:
                logger.info("mending part=%s", part)
                mend(writer)


def _inode(path: Path) -> int:
    return path.stat().st_ino if path.exists() else 0


def _reindex(folder: Path) -> None:
    """Before a writer is opened: it looks rows up by these indexes."""
    with (
        take_lock(folder),
        store_folder.readable(folder),
        closing(store_folder.create_or_open(folder)) as truth,
    ):
        truth.execute("REINDEX")


def _mend_lines(writer: Writer) -> None:
    """Lines from the sources; which of them recur is learned again by the next `finish`."""
    with writer.mending() as (truth, _):
        if _drop_damaged(truth, "recurring"):
            store.set_meta(truth, learned_number=0)
        _drop_damaged(truth, "lines")
        truth.execute("DELETE FROM lines WHERE article NOT IN (SELECT number FROM articles)")
        for (number,) in truth.execute("SELECT number FROM articles").fetchall():
            try:
                source = store.source_of(truth, number)
            except StoreCorruptError as error:
                logger.warning("%s", error)
                continue
            hashes = b"".join(sorted(line_hashes(source.body)))
            truth.execute(
                insert_into("lines", instead=True), sealed("lines", number, source.outlet, hashes)
            )


def _mend_copies(writer: Writer) -> None:
    """Reports from the texts, and then the stories, which are made of reports."""
    with writer.mending() as (truth, seq):
        _drop_damaged(truth, "reports")
        reports.rebuild(truth, seq)
    _mend_stories(writer)


def _mend_stories(writer: Writer) -> None:
    with writer.mending() as (truth, seq):
        _drop_damaged(truth, "stories")
        _drop_damaged(truth, "term_vectors")
        if _drop_damaged(truth, "term_counts"):
            truth.execute("DELETE FROM term_counts")
            term_counts.count(truth, _terms(truth))
        stories.rebuild(truth, seq)


def _mend_vectors(writer: Writer) -> None:
    """Drop what is no vector: its passages wait for their embedding once more."""
    with writer.mending() as (truth, _):
        _drop_damaged(truth, "vectors")
        unfit = [
            (number,)
            for number, data in truth.execute("SELECT number, vector FROM vectors")
            if not is_vector(data)
        ]
        truth.executemany("DELETE FROM vectors WHERE number = ?", unfit)
        truth.execute(
            f"UPDATE passages SET embedded_seq = NULL, crc = {crc_after('embedded_seq', 'NULL')} "
            "WHERE embedded_seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM vectors v "
            "WHERE v.embedding = passages.embedding AND v.model = ?)",
            (writer.fingerprint,),
        )
    _mend_segments(writer)


def _mend_segments(writer: Writer) -> None:
    """All vectors into new segments; until they are there, they answer from the database."""
    with writer.mending() as (truth, _):
        for table in ("segments", "generations", "generation_segments"):
            _drop_damaged(truth, table)
        generations.publish(truth, [], writer.fingerprint, keep=(), max_seq=0)
    writer.compact()


def _mend_columns(writer: Writer) -> None:
    saved_columns.remove(writer.folder)
    writer.publish()


# In this order: stories are made of reports, segments of vectors.
_MEND: Final[Mapping[Part, Callable[[Writer], None]]] = {
    Part.LINES: _mend_lines,
    Part.COPIES: _mend_copies,
    Part.STORIES: _mend_stories,
    Part.VECTORS: _mend_vectors,
    Part.SEGMENTS: _mend_segments,
    Part.COLUMNS: _mend_columns,
    Part.WORDS: Writer.rebuild_words,
}


def _drop_damaged(truth: sqlite3.Connection, table: str) -> int:
    """Delete a derived table's rows that fail their check; returns how many."""
    key = key_of(truth, table)
    rows = truth.execute(f"SELECT {columns_of(table)}, {', '.join(key)} FROM {table} NOT INDEXED")
    damaged = [row[-len(key) :] for row in rows if not is_sound(table, row[: -len(key)])]
    where = " AND ".join(f"{name} IS ?" for name in key)
    truth.executemany(f"DELETE FROM {table} WHERE {where}", damaged)
    return len(damaged)


def _terms(truth: sqlite3.Connection) -> Iterator[tuple[str, Terms]]:
    """Language and terms of each report's first article; of those that wait, when they come."""
    numbers = stories.told_reports(truth)
    for at in range(0, len(numbers), _ARTICLES):
        for article in store.articles_numbered(truth, numbers[at : at + _ARTICLES]).values():
            yield article.language, terms_of(article.headline, article.text)
