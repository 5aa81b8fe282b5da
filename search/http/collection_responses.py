"""What the HTTP interface and `--json` answer about collections.

Spans count code points, end excluded.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from index.collections import Collection
from search.desk.collection import StandingMark, WholeCollection
from search.references.cite import Status
from search.responses import EXAMPLE_PASSAGE_ID, EXAMPLE_TEXT, PublishedResponse

EXAMPLE_COLLECTION_ID: Final = "c0f6b2c9d"
_EXAMPLE_COLLECTION: Final[Mapping[str, Any]] = {
    "id": EXAMPLE_COLLECTION_ID,
    "name": "Harbour closures",
    "made_at": "2025-03-15T08:30:00Z",
}
_EXAMPLE_MARK: Final[Mapping[str, Any]] = {
    "number": 3,
    "note": "Against what the company said on Monday.",
    "marked_at": "2025-03-15T08:31:12Z",
    "status": "unchanged",
    "now": {"start": 118, "end": 118 + len(EXAMPLE_TEXT)},
    "article_id": "harbour-041",
    "passage_id": EXAMPLE_PASSAGE_ID,
    "start": 118,
    "end": 118 + len(EXAMPLE_TEXT),
    "quote": EXAMPLE_TEXT,
    "headline": "Harbour reopens after the storm",
    "byline": "Tomas Lindqvist",
    "outlet": "Northport Courier",
    "section": "Local",
    "language": "en",
    "published": {"iso": "2025-03-14T19:12", "precision": "minute", "zone": None},
    "url": "https://courier.example/2025/03/harbour-reopens",
}


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _with_example(example: Mapping[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": dict(example)})


class _CollectionFields(_Response):
    id: str
    name: str
    made_at: datetime


class CollectionResponse(_CollectionFields):
    """A collection, and how much is in it."""

    model_config = _with_example({**_EXAMPLE_COLLECTION, "marks": 1})

    marks: int

    @classmethod
    def of(cls, collection: Collection, marks: int) -> Self:
        return cls(
            id=collection.id,
            name=collection.name,
            made_at=collection.made_at,
            marks=marks,
        )


class CollectionsResponse(_Response):
    """All collections, by name."""

    model_config = _with_example({"collections": [{**_EXAMPLE_COLLECTION, "marks": 1}]})

    collections: list[CollectionResponse]

    @classmethod
    def of(cls, listed: Sequence[tuple[Collection, int]]) -> Self:
        return cls(collections=[CollectionResponse.of(*each) for each in listed])


class SpanResponse(_Response):
    """A stretch of the article's text."""

    start: int
    end: int


class MarkResponse(_Response):
    """Something marked, its source as it was then, and whether the archive still says it."""

    model_config = _with_example(_EXAMPLE_MARK)

    number: int = Field(description="Names the mark; never used again.")
    note: str
    marked_at: datetime
    status: Status = Field(
        description="unchanged: the article says what is quoted, though perhaps in another place; "
        "edited: it is here and says something else there; withdrawn: the archive does not have it."
    )
    now: SpanResponse | None = Field(
        description="Where the words quoted stand in the article's text now; null: nowhere, or a "
        "whole article is marked."
    )
    article_id: str
    passage_id: str | None = Field(description="null: an article, or several passages.")
    start: int = Field(description="Span of the quote; 0 to 0: a whole article.")
    end: int
    quote: str
    headline: str
    byline: str = Field(description="Empty: unknown; the same for outlet to url.")
    outlet: str
    section: str
    language: str = Field(description="ISO 639-1.")
    published: PublishedResponse | None = Field(description="null: unknown.")
    url: str

    @classmethod
    def of(cls, standing: StandingMark) -> Self:
        mark, marked, now = standing.mark, standing.mark.marked, standing.standing
        return cls(
            number=mark.number,
            note=mark.note,
            marked_at=mark.marked_at,
            status=now.status,
            now=None
            if now.start is None or now.end is None
            else SpanResponse(start=now.start, end=now.end),
            article_id=marked.article_id,
            passage_id=marked.passage_id,
            start=marked.start,
            end=marked.end,
            quote=marked.quote,
            headline=marked.headline,
            byline=marked.byline,
            outlet=marked.outlet,
            section=marked.section,
            language=marked.language,
            published=PublishedResponse.of(marked.published),
            url=marked.url,
        )


class WholeCollectionResponse(_CollectionFields):
    """A collection with its marks."""

    model_config = _with_example({**_EXAMPLE_COLLECTION, "marks": [_EXAMPLE_MARK], "omitted": 0})

    marks: list[MarkResponse] = Field(description="In the order they were made.")
    omitted: int = Field(description="Marks left out: their stored rows are damaged.")

    @classmethod
    def of(cls, whole: WholeCollection) -> Self:
        return cls(
            id=whole.collection.id,
            name=whole.collection.name,
            made_at=whole.collection.made_at,
            marks=[MarkResponse.of(each) for each in whole.marks],
            omitted=whole.omitted,
        )


class TakenInResponse(_CollectionFields):
    """What came of a file: the collection it went into."""

    model_config = _with_example({**_EXAMPLE_COLLECTION, "added": 1, "known": 0})

    added: int = Field(description="Marks that are new in it.")
    known: int = Field(description="Marks of the file that it had already.")

    @classmethod
    def of(cls, collection: Collection, added: int, known: int) -> Self:
        return cls(
            id=collection.id,
            name=collection.name,
            made_at=collection.made_at,
            added=added,
            known=known,
        )


class CollectionRemovedResponse(_Response):
    """The collection is gone, and its marks."""

    model_config = _with_example({"id": EXAMPLE_COLLECTION_ID, "removed": True})

    id: str
    removed: Literal[True] = True


class MarkRemovedResponse(_Response):
    """The mark is gone."""

    model_config = _with_example({"id": EXAMPLE_COLLECTION_ID, "number": 3, "removed": True})

    id: str = Field(description="Of the collection.")
    number: int
    removed: Literal[True] = True
