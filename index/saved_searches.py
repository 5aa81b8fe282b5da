"""The rows of saved searches, and of the entries: reports that came into their result sets since.

Writing happens inside `Writer.desk`, reading on any connection. A row that fails its check is left
out and logged.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index import store
from index.article import ArticleId, PassageId
from index.checksums import columns_of, crc_after, insert_into, is_sound, row_crc, sealed, sound

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A saved search as the store keeps it."""

    id: str
    name: str
    request: str  # what is asked; `search.desk.saved_search` writes and reads it
    saved_s: int  # seconds since 1970 UTC
    seen: NDArray[np.uint64]  # ascending; `digests` of all articles of every report ever in its set
    delivered: int  # entries up to this number were delivered


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A report that came into a saved search's result set."""

    number: int  # rises in the order in which entries were recorded; 0: not recorded yet
    search: str
    report_id: ArticleId  # of the report's articles the one added first: names it for good
    article_id: ArticleId  # the article and passage that the search found
    passage_id: PassageId
    entered_s: int  # seconds since 1970 UTC: the newest commit when it was found


def digests(article_ids: Iterable[ArticleId | str]) -> NDArray[np.uint64]:
    """What stands for these ids in `SearchRow.seen`, in their order, shape (n,), uint64.

    With 100,000 articles seen a new one is taken for one of them once in 10**14 times.
    """
    hashes = (
        hashlib.blake2b(id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for id in article_ids
    )
    return np.frombuffer(b"".join(hashes), dtype="<u8").astype(np.uint64)


def insert(truth: sqlite3.Connection, row: SearchRow) -> None:
    """Keep a new search."""
    data = _packed(row.seen)
    truth.execute(insert_into("searches"), (*_columns(row, data), _crc(row, data)))


def searches(truth: sqlite3.Connection) -> list[SearchRow]:
    """All saved searches, in the order in which they were saved."""
    rows = truth.execute(f"SELECT {_SEARCH} FROM searches ORDER BY saved_s, id").fetchall()
    return [row for row in map(_search_row, rows) if row]


def search(truth: sqlite3.Connection, id: str) -> SearchRow | None:
    """The saved search with this id; None: there is none, or its row is damaged."""
    row = truth.execute(f"SELECT {_SEARCH} FROM searches WHERE id = ?", (id,)).fetchone()
    return _search_row(row) if row else None


def rename(truth: sqlite3.Connection, id: str, name: str) -> bool:
    """Give a search another name; False: there is none with this id."""
    row = search(truth, id)
    if row is None:
        return False
    renamed = replace(row, name=name)
    truth.execute(
        "UPDATE searches SET name = ?, crc = ? WHERE id = ?",
        (name, _crc(renamed, _packed(row.seen)), id),
    )
    return True


def delete(truth: sqlite3.Connection, id: str) -> bool:
    """Forget a search and its entries, damaged or not; False: there is none with this id."""
    truth.execute("DELETE FROM entries WHERE search = ?", (id,))
    return truth.execute("DELETE FROM searches WHERE id = ?", (id,)).rowcount > 0


def enter(
    truth: sqlite3.Connection,
    row: SearchRow,
    entries: Sequence[EntryRow],
    more_seen: NDArray[np.uint64],
) -> None:
    """Record what came into the result set of `row`, in order; their numbers are given here."""
    seen = np.union1d(row.seen, more_seen)
    data = _packed(seen)
    truth.execute(
        "UPDATE searches SET seen = ?, crc = ? WHERE id = ?", (data, _crc(row, data), row.id)
    )
    for entry in entries:
        columns = (
            entry.search,
            entry.report_id,
            entry.article_id,
            entry.passage_id,
            entry.entered_s,
        )
        number = store.next_number(truth, "entries")
        truth.execute(insert_into("entries"), sealed("entries", number, *columns))


def entries(
    truth: sqlite3.Connection, id: str, *, after: int = 0, skip: int = 0, limit: int = -1
) -> list[EntryRow]:
    """Recorded entries of a search, in the order of their numbers.

    Args:
        after: only those with a higher number.
        skip, limit: leave out so many of them, then take at most so many; -1: all. Damaged ones
            count, and are left out.
    """
    rows = truth.execute(
        f"SELECT {columns_of('entries')} FROM entries "
        "WHERE search = ? AND number > ? ORDER BY number LIMIT ? OFFSET ?",
        (id, after, limit, skip),
    )
    return [EntryRow(*columns) for columns in sound("entries", rows)]


def count_entries(truth: sqlite3.Connection, id: str, *, after: int = 0) -> int:
    """How many entries of a search are recorded, with a number above `after`."""
    count: int = truth.execute(
        "SELECT count(*) FROM entries WHERE search = ? AND number > ?", (id, after)
    ).fetchone()[0]
    return count


def last_number(truth: sqlite3.Connection) -> int:
    """The number of the entry recorded last, of whatever search; 0: there is none."""
    return int(truth.execute("SELECT max(number) FROM entries").fetchone()[0] or 0)


def deliver(truth: sqlite3.Connection, until: int) -> int:
    """Note that all entries up to this number were delivered; the number that holds now.

    One beyond the last entry counts as the last: what comes later is not delivered yet.
    """
    reached = min(until, last_number(truth))
    farther = "max(delivered, :reached)"
    truth.execute(
        f"UPDATE searches SET delivered = {farther}, crc = {crc_after('delivered', farther)}",
        {"reached": reached},
    )
    return reached


_SEARCH = columns_of("searches")


def _search_row(row: tuple[str, str, str, int, bytes, int, int]) -> SearchRow | None:
    id, name, request, saved_s, data, delivered, _ = row
    if is_sound("searches", row):
        return SearchRow(id, name, request, saved_s, _unpacked(data), delivered)
    logger.warning("the saved search id=%s is damaged; remove it and save it again", id)
    return None


def _columns(row: SearchRow, seen: bytes) -> tuple[str | int | bytes, ...]:
    return (row.id, row.name, row.request, row.saved_s, seen, row.delivered)


def _crc(row: SearchRow, seen: bytes) -> int:
    return row_crc("searches", _columns(row, seen))


def _packed(seen: NDArray[np.uint64]) -> bytes:
    return seen.astype("<u8").tobytes()


def _unpacked(data: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(data, dtype="<u8").astype(np.uint64)
