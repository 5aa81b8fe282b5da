"""A store with a searcher over it, and ferries to search for; not embedded."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from two_stories import FIRE

from index.article import ArticleId, Origin, Published, SourceRecord
from index.writer import Writer
from search.desk import alerts, saved_search
from search.desk.alerts import Watched
from search.desk.feeds import FeedFormat, FeedPage, feed_page
from search.desk.saved_search import SavedQuestion
from search.searcher import Searcher

BASE_URL = "http://127.0.0.1:8000/"


def record(id: str, body: str, **fields: object) -> SourceRecord:
    return SourceRecord(
        Origin("watched.jsonl", 1),
        b"",
        body,
        own_id=id,
        **fields,  # type: ignore[arg-type]
    )


WIRE = record(
    "wire-1",
    FIRE,
    headline="Ferry Petrel catches fire",
    outlet="Coast Wire",
    published=Published("2025-03-10T06:10Z"),
)
COPY = record(
    "courier-1",
    f"{FIRE}\n\nCoast Wire contributed to this report.",
    headline="84 saved from burning ferry",
    outlet="Northport Courier",
    published=Published("2025-03-10T07:00Z"),
)
SECOND_COPY = record("radio-1", FIRE, headline="Petrel burns", outlet="Sound Radio")
FARES = record(
    "islander-9",
    "Fares of the island ferry rise by 4 % in January, the company said on Monday.\n\nIt blamed "
    "the price of oil, and promised that the morning boat would stay.",
    headline="Ferry fares rise",
    outlet="The Islander",
    published=Published("2024-12"),
)
TRAM = record(
    "council-1",
    "Northport council voted by 21 to 18 on Tuesday for the tram line to Harbour Hill.",
    headline="Council votes for tram line",
    outlet="Northport Courier",
)


@dataclass(frozen=True)
class Watching:
    """What the tests do with a store."""

    writer: Writer
    searcher: Searcher

    def add(self, *records: SourceRecord) -> None:
        self.writer.add(records)

    def remove(self, *ids: str) -> None:
        self.writer.remove([ArticleId(id) for id in ids])

    def save(self, q: str, **fields: object) -> str:
        question = SavedQuestion.checked(q=q, **fields)
        return saved_search.save(self.searcher, self.writer.desk, q, question)[0].id

    def record(self) -> int:
        return alerts.record(self.searcher, self.writer.desk)

    def watched(self, id: str) -> Watched:
        return alerts.watch(self.searcher, id)

    def page(self, id: str, until: int | None = None) -> FeedPage:
        return feed_page(self.watched(id), self.searcher, BASE_URL, FeedFormat.ATOM, until)

    def entries(self, id: str) -> list[str]:
        """The ids of the entries on the first page, newest first, without what all begin with."""
        page = self.page(id)
        return [page.entry_id(item).rpartition(":")[2] for item in page.items]


@contextmanager
def watching(folder: Path) -> Iterator[Watching]:
    with Writer(folder) as writer, closing(Searcher(folder)) as searcher:
        yield Watching(writer, searcher)
