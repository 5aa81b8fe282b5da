"""A model of what users keep beside the articles, in plain Python, and what a store does keep.

Searches and collections go by their names here: their ids are drawn at random.
"""

import copy
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from index import collections, rejections, saved_searches
from index.article import ArticleId, PassageId
from index.collections import Marked
from index.errors import BadArticleError
from index.saved_searches import EntryRow, SearchRow

SOME_DAY_S = 1_700_000_000


@dataclass(slots=True)
class Desk:
    """What must be kept, or is."""

    searches: dict[str, tuple[frozenset[int], int]] = field(default_factory=dict)  # seen, delivered
    entries: dict[int, tuple[str, str]] = field(default_factory=dict)  # search and article
    collections: dict[str, dict[int, tuple[str, str]]] = field(default_factory=dict)  # quote, note
    rejections: list[str] = field(default_factory=list)  # reasons, the newest first
    last_entry: int = field(default=0, compare=False)  # numbers are never used again
    last_mark: int = field(default=0, compare=False)

    def copy(self) -> "Desk":
        return copy.deepcopy(self)

    def save(self, name: str, seen: Sequence[str]) -> None:
        self.searches[name] = (_digests(seen), 0)

    def enter(self, name: str, ids: Sequence[str]) -> None:
        seen, delivered = self.searches[name]
        self.searches[name] = (seen | _digests(ids), delivered)
        for id_ in ids:
            self.last_entry += 1
            self.entries[self.last_entry] = (name, id_)

    def deliver(self) -> int:
        """All that was entered was shown; the number that holds."""
        until = max(self.entries, default=0)
        for name, (seen, delivered) in self.searches.items():
            self.searches[name] = (seen, max(delivered, until))
        return until

    def forget(self, name: str) -> bool:
        self.entries = {n: entry for n, entry in self.entries.items() if entry[0] != name}
        return self.searches.pop(name, None) is not None

    def collect(self, name: str) -> bool:
        is_new = name not in self.collections
        self.collections.setdefault(name, {})
        return is_new

    def mark(self, name: str, quote: str, note: str) -> tuple[int, bool]:
        """The number of the mark, and whether it is new."""
        marks = self.collections[name]
        there = next((n for n, (marked, _) in marks.items() if marked == quote), None)
        if there is None:
            self.last_mark += 1
        number = there or self.last_mark
        marks[number] = (quote, note)
        return number, there is None

    def unmark(self, name: str) -> int:
        """Take the newest mark out of a collection; its number."""
        number = max(self.collections[name])
        del self.collections[name][number]
        return number

    def discard(self, name: str) -> None:
        del self.collections[name]

    def reject(self, reason: str) -> None:
        self.rejections = [reason, *self.rejections][: rejections.KEPT]

    def differs_from(self, kept: "Desk") -> str:
        """What is wrong with what is kept; empty if nothing."""
        for part in ("searches", "entries", "collections", "rejections"):
            expected, found = getattr(self, part), getattr(kept, part)
            if expected != found:
                return f"{part}: {found}, expected {expected}"
        return ""


class StoredDesk:
    """The same steps on a store, inside a commit of `Writer.desk`."""

    def __init__(self, truth: sqlite3.Connection) -> None:
        self._truth = truth

    def save(self, name: str, seen: Sequence[str]) -> None:
        row = SearchRow(f"s-{name}", name, "{}", SOME_DAY_S, saved_searches.digests(seen), 0)
        saved_searches.insert(self._truth, row)

    def enter(self, name: str, ids: Sequence[str]) -> None:
        row = saved_searches.search(self._truth, f"s-{name}")
        assert row
        entries = [
            EntryRow(0, row.id, ArticleId(id_), ArticleId(id_), PassageId(f"{id_}-p"), SOME_DAY_S)
            for id_ in ids
        ]
        saved_searches.enter(self._truth, row, entries, saved_searches.digests(ids))

    def deliver(self) -> int:
        return saved_searches.deliver(self._truth, saved_searches.last_number(self._truth))

    def forget(self, name: str) -> bool:
        return saved_searches.delete(self._truth, f"s-{name}")

    def collect(self, name: str) -> bool:
        return collections.make(self._truth, name)[1]

    def mark(self, name: str, quote: str, note: str) -> tuple[int, bool]:
        mark, is_new = collections.put(self._truth, self._id_of(name), _marked(quote), note)
        return mark.number, is_new

    def unmark(self, name: str) -> int:
        id_ = self._id_of(name)
        number = collections.marks(self._truth, id_)[0][-1].number
        collections.unmark(self._truth, id_, number)
        return number

    def discard(self, name: str) -> None:
        collections.remove(self._truth, self._id_of(name))

    def reject(self, reason: str) -> None:
        error = BadArticleError("feed.jsonl", 1, reason, "correct it")
        rejections.insert(self._truth, [error], datetime.now(UTC))

    def _id_of(self, name: str) -> str:
        found = collections.named(self._truth, name)
        assert found
        return found.id


def kept(truth: sqlite3.Connection) -> Desk:
    """What a store keeps, through its public surface only."""
    rows = saved_searches.searches(truth)
    marks = {
        collection.name: collections.marks(truth, collection.id)
        for collection, _ in collections.listed(truth)
    }
    assert not any(damaged for _, damaged in marks.values())
    return Desk(
        {row.name: (frozenset(row.seen.tolist()), row.delivered) for row in rows},
        {
            entry.number: (row.name, entry.report_id)
            for row in rows
            for entry in saved_searches.entries(truth, row.id)
        },
        {
            name: {mark.number: (mark.marked.quote, mark.note) for mark in sound}
            for name, (sound, _) in marks.items()
        },
        [rejection.reason for rejection in rejections.newest(truth, rejections.KEPT)],
    )


def _digests(ids: Sequence[str]) -> frozenset[int]:
    return frozenset(saved_searches.digests(ids).tolist())


def _marked(quote: str) -> Marked:
    source = dict.fromkeys(("outlet", "byline", "section", "language", "url", "digest"), "")
    return Marked(
        ArticleId("wire"), None, 0, len(quote), quote, "Wombats", published=None, **source
    )
