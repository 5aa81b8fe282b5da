"""Looks whether a store is whole: its format, its rows, its followers, and what is derived.

Three depths. `quick` looks at what every answer rests on, in about a second: format, log, counts,
digests and checksums of files. `full` reads every row and holds it against its checksum and
against the rows it refers to, and the followers against the truth, entry by entry. `deep` makes
what is derived again and compares.

Nothing is changed and no lock is taken: what is looked at is one snapshot, while a writer goes on.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from index import (
    columns_checks,
    link_checks,
    rebuild_checks,
    row_checks,
    segment_checks,
    store,
    store_folder,
    tables,
    words_checks,
    write_ahead_log,
)
from index.errors import StoreCorruptError, StoreError, StoreFormatError, StoreUnreadableError
from index.findings import RESTORE, Damage, Finding, Part, derived, exit_status, truth
from index.words import WordsView

# The word index and the truth are two files: how long to wait for a writer to bring them together.
_PATIENCE_S = 5.0
# Tables that can be made again, and what is made again with them; all others are the truth.
_DERIVED: Final = {
    "lines": Part.LINES,
    "recurring": Part.LINES,
    "sketches": Part.COPIES,
    "fingerprints": Part.COPIES,
    "reports": Part.COPIES,
    "points": Part.STORIES,
    "postings": Part.STORIES,
    "stories": Part.STORIES,
    "term_vectors": Part.STORIES,
    "term_counts": Part.STORIES,
    "vectors": Part.VECTORS,
    "segments": Part.SEGMENTS,
    "generations": Part.SEGMENTS,
    "generation_segments": Part.SEGMENTS,
}
# What SQLite says of an index that is not what its table gives.
_INDEX_DAMAGE: Final = (
    "missing from index",
    "wrong # of entries in index",
    "non-unique entry in index",
)


class Depth(StrEnum):
    """How closely to look."""

    QUICK = "quick"
    FULL = "full"
    DEEP = "deep"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at a store gave."""

    depth: Depth
    findings: tuple[Finding, ...]
    seq: int  # of the last commit that was looked at
    rows: int  # held against their checksums
    seconds: float

    @property
    def exit_code(self) -> int:
        return exit_status(self.findings)


def verify(folder: Path, depth: Depth = Depth.QUICK) -> Verified:
    """Look at a store; what is wrong is returned, never raised.

    Raises:
        StoreUnreadableError: the disk does not give what is on it just now.
    """
    began = time.monotonic()
    look = _Look(folder, depth)
    findings = tuple(look.findings())
    return Verified(depth, findings, look.seq, look.rows, time.monotonic() - began)


class _Look:
    """One look at a store."""

    def __init__(self, folder: Path, depth: Depth) -> None:
        self._folder, self._depth = folder, depth
        self.seq = self.rows = 0

    def findings(self) -> Iterator[Finding]:
        if found := write_ahead_log.damage_in(self._folder / f"{store_folder.DATABASE}-wal"):
            yield truth(f"{store_folder.DATABASE}-wal", found)
        try:
            with store_folder.reading(self._folder) as connection:
                yield from self._of(connection)
        except StoreFormatError as error:
            yield _unusable(Damage.FORMAT, error)
        except StoreUnreadableError:
            raise
        except StoreError as error:
            yield _unusable(Damage.TRUTH, error)

    def _of(self, connection: sqlite3.Connection) -> Iterator[Finding]:
        misshapen = list(_schema(connection))
        yield from misshapen
        if misshapen:
            return
        view, found = self._meet(connection)
        yield from found
        self.seq = int(store.meta(connection, "seq") or 0)
        damaged_segments = list(segment_checks.files(self._folder, connection))
        yield from damaged_segments
        damaged_columns = list(columns_checks.file(self._folder, connection))
        yield from damaged_columns
        if self._depth is Depth.QUICK:
            if view:
                yield from words_checks.counts(connection, view)
            return
        seen = [*found, *damaged_segments, *damaged_columns]
        for finding in self._in_full(connection, view, with_segments=not damaged_segments):
            seen.append(finding)
            yield finding
        # What is made again from damaged rows would differ for no other reason.
        if self._depth is Depth.DEEP and not seen:
            yield from self._deeply(connection, view)

    def _meet(self, connection: sqlite3.Connection) -> tuple[WordsView | None, list[Finding]]:
        """Begin to read at a commit that the word index can be held against."""
        began, first = time.monotonic(), None
        while True:
            view, found = words_checks.opened(self._folder)
            connection.execute("BEGIN")
            seq = int(store.meta(connection, "seq") or 0)
            purged = int(store.meta(connection, "purged_seq") or 0)
            if view is None:
                return None, found
            is_told = purged <= view.horizon <= seq
            if is_told and not store.has_changes_since(connection, view.horizon):
                return view, []
            first = first or (view.horizon, seq)
            waited_s = time.monotonic() - began
            if is_told and waited_s > _PATIENCE_S and (view.horizon, seq) != first:
                return view, []  # a writer is at work, and always between the two
            # The word index was opened before the database: it cannot be ahead of it.
            if view.horizon > seq or waited_s > _PATIENCE_S:
                return None, [_parted(view.horizon, seq)]
            connection.execute("ROLLBACK")
            time.sleep(0.02)

    def _in_full(
        self, connection: sqlite3.Connection, view: WordsView | None, *, with_segments: bool
    ) -> Iterator[Finding]:
        yield from _integrity(connection)
        for table in row_checks.TABLES:
            yield from self._tried(table, partial(self._rows_of, connection, table))
        checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
            ("tables", lambda: link_checks.links(connection, self.seq)),
            ("sqlite_sequence", lambda: link_checks.counters(connection)),
            ("passages", lambda: link_checks.spans(connection)),
            ("vectors", lambda: link_checks.vectors(connection)),
        ]
        if with_segments:
            checks.append(("segments", lambda: segment_checks.contents(self._folder, connection)))
        if view:
            checks.append(("passages", lambda: words_checks.passages(connection, view)))
        for table, check in checks:
            yield from self._tried(table, check)

    def _deeply(self, connection: sqlite3.Connection, view: WordsView | None) -> Iterator[Finding]:
        yield from rebuild_checks.sources(connection)
        yield from columns_checks.contents(self._folder, connection, self.seq)
        yield from rebuild_checks.groups(connection, self.seq)
        if view:
            yield from words_checks.terms(connection, view)

    def _rows_of(self, connection: sqlite3.Connection, table: str) -> Iterator[Finding]:
        for batch in row_checks.batches(connection, table):
            self.rows += batch.rows
            for place in batch.damaged:
                meaning = "the row is not what was written; it is left out of every answer"
                yield _of_table(table, place, meaning)

    def _tried(self, table: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        try:
            yield from check()
        except StoreCorruptError as error:
            yield truth(table, str(error))
        except sqlite3.Error as error:
            yield self._unreadable(table, error)
        except (ArithmeticError, TypeError, ValueError) as error:
            # A damaged value of another type than its column; its row is reported as well.
            yield truth(table, f"a value is not of its column's type ({error})")

    def _unreadable(self, table: str, error: sqlite3.Error) -> Finding:
        if not store_folder.is_damage(error):
            raise store_folder.unreadable(self._folder, error) from error
        return truth(f"{store_folder.DATABASE} {table}", f"not readable ({error})")


def _schema(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Tables and indexes that are not those of this format."""
    with closing(store_folder.empty()) as expected:
        wanted = _statements(expected)
    found = _statements(connection)
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield Finding(
                Damage.FORMAT,
                Part.DATABASE,
                f"{store_folder.DATABASE} {name}",
                f"not as format {tables.FORMAT} has it",
                RESTORE,
            )


def _statements(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """What each table and index is, and what made it; a migrated one has other spaces."""
    rows = connection.execute(
        "SELECT name, type, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' "
        "AND name NOT LIKE 'sqlite_stat%'"
    )
    # A flipped bit makes bytes of a text.
    return {
        name: (kind, re.sub(r"\s*([(),])\s*|\s+", r"\1 ", str(sql))) for name, kind, sql in rows
    }


def _integrity(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What SQLite finds wrong with its own pages and indexes."""
    for (message,) in connection.execute("PRAGMA integrity_check").fetchall():
        if message == "ok":
            continue
        if any(words in message for words in _INDEX_DAMAGE):
            yield derived(Part.INDEXES, f"{store_folder.DATABASE} {message}", "lookups miss rows")
        else:
            yield truth(f"{store_folder.DATABASE} {message}", "a page of the database is damaged")


def _of_table(table: str, place: str, meaning: str) -> Finding:
    if table in _DERIVED:
        return derived(_DERIVED[table], place, meaning)
    return truth(place, meaning)


def _parted(horizon: int, seq: int) -> Finding:
    if horizon > seq:
        return truth(
            store_folder.DATABASE,
            f"the word index knows commit {horizon}, the database ends with {seq}: "
            "commits were lost",
        )
    return derived(
        Part.WORDS,
        f"{store_folder.WORDS}/",
        f"it ends with commit {horizon}, the database with {seq}",
    )


def _unusable(damage: Damage, error: StoreError) -> Finding:
    place, _, rest = str(error).partition(": ")
    meaning, _, advice = rest.partition("; ")
    return Finding(damage, Part.DATABASE, place, meaning, advice or RESTORE)
