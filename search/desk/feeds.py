"""A page of the entries of a saved search, newest first, for `search.desk.atom` and `json_feed`.

Entries are counted from the oldest on. That number stays with an entry for good, so pages do not
shift while new ones come: a page says up to which number it goes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from index.article import Published
from search.desk.alerts import Item, Watched, items
from search.desk.saved_search import SavedSearch
from search.searcher import Searcher
from search.wording import date_in_words

ENTRIES: Final = 100  # on a page


class FeedFormat(StrEnum):
    """What a feed is written as."""

    ATOM = "atom"  # RFC 4287, pages as in RFC 5005
    JSON = "json"  # JSON Feed 1.1, https://www.jsonfeed.org/version/1.1/


MEDIA_TYPES: Final = {
    FeedFormat.ATOM: "application/atom+xml",
    FeedFormat.JSON: "application/feed+json",
}


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Entries of a saved search, and where they lead; URLs are absolute."""

    search: SavedSearch
    items: tuple[Item, ...]  # newest first
    updated: datetime  # when the newest came in, UTC; none: when the search was saved
    base_url: str  # of the server, with a slash at its end
    format: FeedFormat
    until: int | None  # None: this is the first page
    next_until: int | None  # of the page that follows; None: this is the last

    @property
    def title(self) -> str:
        return f"{self.search.name} – Nutgraf"

    @property
    def id(self) -> str:
        return f"urn:nutgraf:search:{self.search.id}"

    @property
    def home_url(self) -> str:
        """Where a reader sees what answers the question now."""
        return f"{self.base_url}?{self.search.question.parameters()}"

    def url(self, until: int | None) -> str:
        """Of the page that goes up to this number; None: of the first."""
        page = f"&until={until}" if until is not None else ""
        return f"{self.base_url}v1/searches/{self.search.id}/feed?format={self.format}{page}"

    def entry_id(self, item: Item) -> str:
        """Names an entry for good, whichever of the report's articles is shown."""
        return f"urn:nutgraf:entry:{self.search.id}:{quote(item.entry.report_id, safe='')}"

    def entry_url(self, item: Item) -> str:
        """Where a reader sees the passage in its article."""
        return f"{self.base_url}articles/{quote(item.article.id, safe='')}#{quote(item.passage.id)}"


def feed_page(
    watched: Watched,
    searcher: Searcher,
    base_url: str,
    format: FeedFormat,
    until: int | None = None,
) -> FeedPage:
    """The entries up to number `until`, at most `ENTRIES` of them; None: the newest.

    Entries whose article is gone are left out, so a page may hold fewer.
    """
    last = watched.total if until is None else min(until, watched.total)
    first = max(last - ENTRIES, 0)
    shown = items(searcher, watched, first, last)
    newest_s = max((item.entry.entered_s for item in shown), default=watched.search.saved_s)
    return FeedPage(
        search=watched.search,
        items=tuple(reversed(shown)),
        updated=datetime.fromtimestamp(newest_s, UTC),
        base_url=base_url,
        format=format,
        until=until,
        next_until=first or None,
    )


def entered_at(item: Item) -> datetime:
    """When an entry came in, UTC."""
    return datetime.fromtimestamp(item.entry.entered_s, UTC)


def exact_time(published: Published | None) -> str | None:
    """RFC 3339, as feeds want times; None: the source does not say it to the minute, with a zone.

    A time made up for the rest would pass for what the outlet said.
    """
    if published is None or published.zone is None:
        return None
    clock = published.iso.removesuffix(published.zone)
    return f"{clock}{':00' if published.precision == 'minute' else ''}{published.zone}"


def source_line(item: Item) -> str:
    """`Northport Courier, Tomas Lindqvist, 14 March 2025`: as precise as is known."""
    article = item.article
    parts = (article.outlet, article.byline, date_in_words(article.published))
    return ", ".join(part for part in parts if part)
