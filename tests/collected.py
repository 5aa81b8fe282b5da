"""A small archive to mark in, and what changes in it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from index import collections
from index.article import Origin, Published, SourceRecord
from index.collections import Marked
from index.writer import Writer
from search.desk import collection
from search.desk.collection import WholeCollection
from search.searcher import Searcher

LEAD = "Northport harbour opened again on Friday, nine days after the storm closed it."
FERRY = "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters."
BOATS = "Fishing boats must wait until divers have looked at the outer mole, she said."
MORE = "The mail had come by helicopter, on the few mornings when the wind allowed it."


class Desk:
    """A store that is added to, marked in and looked at."""

    def __init__(self, writer: Writer, searcher: Searcher) -> None:
        self.writer, self.searcher = writer, searcher

    def add(self, own_id: str, *paragraphs: str, **fields: str) -> None:
        published = fields.pop("published", "2025-03-14T19:12")
        record = SourceRecord(
            Origin("test.jsonl", 1),
            b"{}",
            "\n\n".join(paragraphs),
            own_id=own_id,
            published=Published(published) if published else None,
            **{"headline": "Harbour reopens", "outlet": "Northport Courier", **fields},
        )
        [outcome] = self.writer.add([record])
        assert outcome.status in ("added", "replaced")

    def span(self, own_id: str, quote: str) -> tuple[int, int]:
        start = self.searcher.article(own_id).text.index(quote)
        return start, start + len(quote)

    def quoted(self, own_id: str, quote: str) -> Marked:
        start, end = self.span(own_id, quote)
        return collection.stretch(self.searcher, article=own_id, start=start, end=end)

    def collect(self, name: str, *marked: Marked, note: str = "", marked_s: int = 0) -> str:
        """The id of the collection."""
        with self.writer.desk() as truth:
            made, _ = collections.make(truth, name, marked_s)
            for each in marked:
                collections.put(truth, made.id, each, note, marked_s)
        return made.id

    def whole(self, id: str) -> WholeCollection:
        return collection.whole(self.searcher, id)


@contextmanager
def desk(folder: Path) -> Iterator[Desk]:
    with Writer(folder) as writer, closing(Searcher(folder)) as searcher:
        yield Desk(writer, searcher)
