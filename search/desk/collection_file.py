"""A collection as a JSON document: to keep, to hand on, and to take in again.

What is taken in and given out again is the same document. It holds what the marks quote and where
that came from, so it can be taken in by an archive that lacks the articles.
"""

import sqlite3
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from index import collections
from index.article import ArticleId, PassageId, Published
from index.collections import MAX_NAME_CHARS, MAX_NOTE_CHARS, Collection, Mark, Marked
from index.errors import BadQueryError
from search.desk.collection import WholeCollection
from search.mistakes import mistakes_in

_EXAMPLE_QUOTE = "“The ferry sails at dawn,” harbour master Ines Okoro told reporters on Friday."
EXAMPLE_FILE: Final[dict[str, Any]] = {
    "nutgraf": "collection",
    "name": "Harbour closures",
    "made_at": "2025-03-15T08:30:00Z",
    "marks": [
        {
            "article_id": "harbour-041",
            "passage_id": "harbour-041-0f6b2c9d1e5a",
            "start": 118,
            "end": 118 + len(_EXAMPLE_QUOTE),
            "quote": _EXAMPLE_QUOTE,
            "note": "Against what the company said on Monday.",
            "marked_at": "2025-03-15T08:31:12Z",
            "headline": "Harbour reopens after the storm",
            "outlet": "Northport Courier",
            "byline": "Tomas Lindqvist",
            "section": "Local",
            "language": "en",
            "url": "https://courier.example/2025/03/harbour-reopens",
            "published": "2025-03-14T19:12",
            "digest": "0f6b2c9d1e5a77aa01c2",
        }
    ],
}
# Longer than any id of ours: an id of 128 characters, a hyphen and a passage's hash.
_Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
# Further than any text; SQLite's integers go further still.
_Place = Annotated[int, Field(ge=0, le=2**31)]


def _known_date(iso: str) -> str:
    if iso:
        Published(iso)  # its ValueError says what is wrong
    return iso


class MarkInFile(BaseModel):
    """Something marked: `end - start` is the number of code points quoted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    article_id: _Id
    passage_id: _Id | None = Field(None, description="null: an article, or several passages.")
    start: _Place = Field(description="Span in the article's text; 0 to 0: a whole article.")
    end: _Place
    quote: str
    note: Annotated[str, StringConstraints(max_length=MAX_NOTE_CHARS)] = ""
    marked_at: AwareDatetime | None = Field(None, description="null: when it is taken in.")
    headline: str = Field("", description="Empty: unknown; the same for outlet to digest.")
    outlet: str = ""
    byline: str = ""
    section: str = ""
    language: str = ""
    url: str = ""
    published: Annotated[str, AfterValidator(_known_date)] = Field(
        "", description="ISO 8601, as precise as it is known."
    )
    digest: str = Field(
        "", description="Of the article's text: tells whether it is still the same."
    )

    @model_validator(mode="after")
    def _the_span_is_the_quote(self) -> Self:
        if self.end - self.start != len(self.quote):
            raise ValueError(
                f"the span {self.start} to {self.end} is not as long as the quote, which has "
                f"{len(self.quote)} characters"
            )
        if not self.quote and self.start:
            raise ValueError("nothing is quoted; of a whole article, start and end are 0")
        return self

    @classmethod
    def of(cls, mark: Mark) -> Self:
        marked = mark.marked
        return cls(
            article_id=marked.article_id,
            passage_id=marked.passage_id,
            start=marked.start,
            end=marked.end,
            quote=marked.quote,
            note=mark.note,
            marked_at=mark.marked_at,
            headline=marked.headline,
            outlet=marked.outlet,
            byline=marked.byline,
            section=marked.section,
            language=marked.language,
            url=marked.url,
            published=marked.published.iso if marked.published else "",
            digest=marked.digest,
        )

    def marked(self) -> Marked:
        """What is quoted, and its source."""
        return Marked(
            article_id=ArticleId(self.article_id),
            passage_id=PassageId(self.passage_id) if self.passage_id else None,
            start=self.start,
            end=self.end,
            quote=self.quote,
            headline=self.headline,
            outlet=self.outlet,
            byline=self.byline,
            section=self.section,
            language=self.language,
            url=self.url,
            published=Published(self.published) if self.published else None,
            digest=self.digest,
        )


class CollectionFile(BaseModel):
    """A whole collection."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": EXAMPLE_FILE}
    )

    nutgraf: Literal["collection"] = Field(description="What kind of document this is.")
    name: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CHARS)]
    made_at: AwareDatetime | None = Field(None, description="null: when it is taken in.")
    marks: list[MarkInFile] = Field(description="In the order they were made.")

    @classmethod
    def of(cls, whole: WholeCollection) -> Self:
        return cls(
            nutgraf="collection",
            name=whole.collection.name,
            made_at=whole.collection.made_at,
            marks=[MarkInFile.of(each.mark) for each in whole.marks],
        )


def parsed(data: bytes, path: str) -> CollectionFile:
    """The collection in a file.

    Raises:
        BadQueryError: it is none; the message names the file, the first place and the reason.
    """
    try:
        return CollectionFile.model_validate_json(data)
    except ValidationError as error:
        place, reason = mistakes_in(error)[0]
        raise BadQueryError(
            f"{path}: {place}",
            reason,
            "nothing was taken in; `nutgraf collection ID --format json` writes such a file",
        ) from None


def take_in(truth: sqlite3.Connection, file: CollectionFile) -> tuple[Collection, bool, int]:
    """Add the marks of a file to the collection of its name, which is made if there is none.

    Taking in the same file again changes nothing.

    Returns:
        The collection, whether it is new, and how many marks are.

    Raises:
        BadQueryError: the name has no visible character.
    """
    collection, is_new = collections.make(truth, file.name, _seconds(file.made_at))
    added = 0
    for mark in file.marks:
        _, is_added = collections.put(
            truth, collection.id, mark.marked(), mark.note or None, _seconds(mark.marked_at)
        )
        added += is_added
    return collection, is_new, added


def _seconds(when: datetime | None) -> int | None:
    return int(when.timestamp()) if when else None
