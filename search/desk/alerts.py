"""What came into the result sets of saved searches since they were saved.

An entry is a report that is in the result set now and of which no article was in it before: copies
and later versions make no second entry, in whatever order they come, and what left the set and
comes back makes none either. What was ever in it is kept as digests of article ids.

Entries are recorded after the archive changed, by the server or by `nutgraf alerts`. Reading
records nothing: what is not recorded yet is found anew, so that a feed is right at any moment.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from index import saved_searches, store_folder
from index.errors import BadQueryError, NotFoundError
from index.model import encodable
from index.precedence import give_way
from index.saved_searches import EntryRow, SearchRow
from index.store import ArticleRow, PassageRow
from search.desk.saved_search import Desk, SavedSearch, no_search, readable
from search.desk.standing_reports import Standing
from search.searcher import Searcher

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """A saved search, and what came in since it was saved."""

    search: SavedSearch
    recorded: int  # entries
    undelivered: int  # of those recorded
    pending: tuple[EntryRow, ...]  # not recorded yet, in the order in which they will be

    @property
    def total(self) -> int:
        """All entries."""
        return self.recorded + len(self.pending)

    @property
    def new(self) -> int:
        """Entries that were not delivered yet."""
        return self.undelivered + len(self.pending)


@dataclass(frozen=True, slots=True)
class Item:
    """An entry whose article is in the archive."""

    entry: EntryRow
    article: ArticleRow
    passage: PassageRow  # the one found; when the article has changed since, its first


@dataclass(frozen=True, slots=True)
class Alert:
    """What came into a saved search's result set and was not delivered yet, oldest first."""

    search: SavedSearch
    items: tuple[Item, ...]


def record(searcher: Searcher, desk: Desk) -> int:
    """Record what came into the result sets of all saved searches; how many entries.

    Nothing is committed where nothing came.

    Raises:
        StoreReadOnlyError, StoreFullError, ModelError, StoreCorruptError: the searches before
            were recorded; the others will be next time.
    """
    with store_folder.reading(searcher.folder) as truth:
        rows = saved_searches.searches(truth)
    return sum(_record_one(row, search, searcher, desk) for row, search in readable(rows))


def _record_one(row: SearchRow, search: SavedSearch, searcher: Searcher, desk: Desk) -> int:
    while True:
        give_way()
        standing = _standing(search, searcher)
        if standing is None or not len(np.setdiff1d(standing.digests(), row.seen)):
            return 0
        entries, more_seen = standing.entries(row.id, row.seen)
        del standing  # a snapshot must not wait for a commit: see `Writer.desk`
        with desk() as truth:
            now = saved_searches.search(truth, row.id)
            if now is None:  # it was forgotten meanwhile
                return 0
            if np.array_equal(now.seen, row.seen):
                saved_searches.enter(truth, now, entries, more_seen)
                return len(entries)
        row = now  # another thread recorded meanwhile, perhaps the same


def watch(searcher: Searcher, id: str) -> Watched:
    """The saved search with this id as it stands now.

    Raises:
        NotFoundError: there is none.
        ModelError, StoreCorruptError: as `Searcher.search`.
    """

    def chosen(truth: sqlite3.Connection) -> list[SearchRow]:
        row = saved_searches.search(truth, encodable(id))
        return [row] if row else []

    found = _watched(searcher, chosen)
    if not found:
        raise no_search(id)
    return found[0]


def watch_all(searcher: Searcher) -> list[Watched]:
    """All saved searches as they stand now, in the order in which they were saved.

    Raises:
        ModelError, StoreCorruptError: as `Searcher.search`.
    """
    return _watched(searcher, saved_searches.searches)


def items(searcher: Searcher, watched: Watched, first: int, last: int) -> list[Item]:
    """The entries from number `first` to `last`, end excluded, oldest first, from 0.

    Those whose article is gone are left out, and counted.
    """
    with store_folder.reading(searcher.folder) as truth:
        recorded = saved_searches.entries(
            truth,
            watched.search.id,
            skip=first,
            limit=max(min(last, watched.recorded) - first, 0),
        )
    begin, end = (max(at - watched.recorded, 0) for at in (first, last))
    return _items([*recorded, *watched.pending[begin:end]], searcher)


def undelivered(searcher: Searcher) -> tuple[list[Alert], int]:
    """What was recorded and not delivered yet, and the number to give to `delivered` for it.

    Searches of which nothing is to be told are left out.
    """
    with store_folder.reading(searcher.folder) as truth:
        truth.execute("BEGIN")
        until = saved_searches.last_number(truth)
        waiting = [
            (search, saved_searches.entries(truth, row.id, after=row.delivered))
            for row, search in readable(saved_searches.searches(truth))
        ]
    alerts = [Alert(search, tuple(_items(entries, searcher))) for search, entries in waiting]
    return [alert for alert in alerts if alert.items], until


def delivered(desk: Desk, until: int) -> int:
    """Note that all entries up to a number were delivered; the number that holds now.

    Raises:
        StoreReadOnlyError, StoreFullError: nothing was noted.
    """
    with desk() as truth:
        return saved_searches.deliver(truth, until)


def _watched(
    searcher: Searcher, chosen: Callable[[sqlite3.Connection], Sequence[SearchRow]]
) -> list[Watched]:
    with store_folder.reading(searcher.folder) as truth:
        # What is recorded and what was seen must be of one moment: an entry that is recorded
        # meanwhile would be there twice, or not at all.
        truth.execute("BEGIN")
        kept = [
            (
                row,
                search,
                [
                    saved_searches.count_entries(truth, row.id, after=after)
                    for after in (0, row.delivered)
                ],
            )
            for row, search in readable(chosen(truth))
        ]
    watched = []
    for row, search, (recorded, waiting) in kept:
        standing = _standing(search, searcher)
        pending: Sequence[EntryRow] = ()
        if standing:
            pending, _ = standing.entries(row.id, row.seen)
        watched.append(Watched(search, recorded, waiting, tuple(pending)))
    return watched


def _standing(search: SavedSearch, searcher: Searcher) -> Standing | None:
    """What answers a search now; None: its question is none for this Nutgraf, which is logged."""
    try:
        return search.question.standing(searcher)
    except BadQueryError as error:
        logger.error(
            "the saved search id=%s cannot be asked: its field %s is none any more; save it again",
            search.id,
            error.field,
        )
        return None


def _items(entries: Sequence[EntryRow], searcher: Searcher) -> list[Item]:
    return [item for entry in entries if (item := _item(entry, searcher))]


def _item(entry: EntryRow, searcher: Searcher) -> Item | None:
    try:
        passage = searcher.passage(entry.passage_id)
        return Item(entry, passage.article, passage)
    except NotFoundError:
        pass
    try:
        article = searcher.article(entry.article_id)
    except NotFoundError:
        return None
    # An id that is gone may still be the URL or guid of another article.
    passages = searcher.passages_of(article) if article.id == entry.article_id else ()
    return Item(entry, article, passages[0]) if passages else None
