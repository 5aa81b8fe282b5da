"""What the HTTP interface takes and answers about saved searches, and what `--json` prints."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from search.desk.alerts import Alert, Item, Watched
from search.desk.feeds import entered_at
from search.desk.saved_search import MAX_NAME_LENGTH, SavedQuestion, SavedSearch
from search.responses import EXAMPLE_PASSAGE_ID, EXAMPLE_TEXT, FiltersResponse, PublishedResponse

EXAMPLE_SEARCH_ID = "q5f1c09ab37"
# The largest number that the store can hold.
_MAX_NUMBER = 2**63 - 1
_EXAMPLE_SEARCH: dict[str, Any] = {
    "id": EXAMPLE_SEARCH_ID,
    "name": "Ferry watch",
    "q": "ferry AND harbour",
    "mode": "plain",
    "sort": "relevance",
    "effort": "quick",
    "group": "report",
    "filters": {
        "outlet": ["Northport Courier"],
        "byline": [],
        "section": [],
        "language": [],
        "from": None,
        "to": None,
    },
    "saved_at": "2025-03-14T19:30:00Z",
    "entries": 3,
    "new": 1,
    "feed": f"/v1/searches/{EXAMPLE_SEARCH_ID}/feed",
}
_EXAMPLE_ENTRY: dict[str, Any] = {
    "article_id": "harbour-041",
    "passage_id": EXAMPLE_PASSAGE_ID,
    "headline": "Harbour reopens after the storm",
    "outlet": "Northport Courier",
    "byline": "Tomas Lindqvist",
    "published": {"iso": "2025-03-14T19:12", "precision": "minute", "zone": None},
    "url": "https://courier.example/2025/03/harbour-reopens",
    "text": EXAMPLE_TEXT,
    "start": 118,
    "end": 118 + len(EXAMPLE_TEXT),
    "entered_at": "2025-03-14T19:40:12Z",
}
_EXAMPLE_ALERT: dict[str, Any] = {
    "search": EXAMPLE_SEARCH_ID,
    "name": "Ferry watch",
    "q": "ferry AND harbour",
    "entries": [_EXAMPLE_ENTRY],
}


def _with_example(example: Mapping[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": dict(example)})


class SaveRequest(SavedQuestion):
    """A question to keep, under a name."""

    model_config = _with_example(
        {"name": "Ferry watch", "q": "ferry AND harbour", "outlet": ["Northport Courier"]}
    )

    name: str = Field(min_length=1, max_length=MAX_NAME_LENGTH, description="For people to read.")

    def question(self) -> SavedQuestion:
        """The question alone."""
        return SavedQuestion.model_validate(self.model_dump(by_alias=True, exclude={"name"}))


class RenameRequest(BaseModel):
    """Another name for a saved search."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "Ferries of the sound"}}
    )

    name: str = Field(min_length=1, max_length=MAX_NAME_LENGTH)


class DeliveredRequest(BaseModel):
    """Which entries were delivered."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"until": 17}})

    until: int = Field(
        ge=0, le=_MAX_NUMBER, description="The `until` that came with the alerts that were shown."
    )


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SavedSearchResponse(_Response):
    """A saved search, and how much came in since it was saved."""

    model_config = _with_example(_EXAMPLE_SEARCH)

    id: str
    name: str
    q: str
    mode: Literal["plain", "verbatim"]
    sort: Literal["relevance", "newest", "oldest"]
    effort: Literal["quick", "thorough"]
    group: Literal["report", "none"]
    filters: FiltersResponse
    saved_at: datetime
    entries: int = Field(description="Reports that came in since it was saved.")
    new: int = Field(description="Of these, not delivered by `nutgraf alerts` yet.")
    feed: str = Field(description="Path of its feed: Atom, or with `?format=json` JSON Feed.")

    @classmethod
    def of(cls, watched: Watched) -> Self:
        search, question = watched.search, watched.search.question
        return cls(
            id=search.id,
            name=search.name,
            q=question.q,
            mode=question.mode.value,
            sort=question.sort.value,
            effort=question.effort.value,
            group=question.group.value,
            filters=FiltersResponse.of(question.filters()),
            saved_at=search.saved_at,
            entries=watched.total,
            new=watched.new,
            feed=f"/v1/searches/{search.id}/feed",
        )

    @classmethod
    def saved(cls, search: SavedSearch) -> Self:
        """Of a search that was saved just now: nothing came in yet."""
        return cls.of(Watched(search, recorded=0, undelivered=0, pending=()))


class SavedSearchesResponse(_Response):
    """All saved searches, in the order in which they were saved."""

    model_config = _with_example({"searches": [_EXAMPLE_SEARCH]})

    searches: list[SavedSearchResponse]

    @classmethod
    def of(cls, watched: Sequence[Watched]) -> Self:
        return cls(searches=[SavedSearchResponse.of(each) for each in watched])


class ForgottenResponse(_Response):
    """A search that is kept no longer."""

    model_config = _with_example({"id": EXAMPLE_SEARCH_ID})

    id: str


class EntryResponse(_Response):
    """A report that came into the result set of a saved search."""

    article_id: str
    passage_id: str
    headline: str
    outlet: str = Field(description="Empty: unknown; the same for byline and URL.")
    byline: str
    published: PublishedResponse | None = Field(description="null: unknown.")
    url: str
    text: str = Field(description="Of the passage.")
    start: int = Field(description="Span of the passage in the article's text.")
    end: int
    entered_at: datetime = Field(description="When it came into the archive's answers.")

    @classmethod
    def of(cls, item: Item) -> Self:
        article, passage = item.article, item.passage
        return cls(
            article_id=article.id,
            passage_id=passage.id,
            headline=article.headline,
            outlet=article.outlet,
            byline=article.byline,
            published=PublishedResponse.of(article.published),
            url=article.url,
            text=passage.text,
            start=passage.start,
            end=passage.end,
            entered_at=entered_at(item),
        )


class AlertResponse(_Response):
    """What came in for one saved search and was not delivered yet, oldest first."""

    search: str = Field(description="Its id.")
    name: str
    q: str
    entries: list[EntryResponse]

    @classmethod
    def of(cls, alert: Alert) -> Self:
        return cls(
            search=alert.search.id,
            name=alert.search.name,
            q=alert.search.question.q,
            entries=[EntryResponse.of(item) for item in alert.items],
        )


class AlertsResponse(_Response):
    """What came in for all saved searches and was not delivered yet; the others are left out."""

    model_config = _with_example({"alerts": [_EXAMPLE_ALERT], "until": 17})

    alerts: list[AlertResponse]
    until: int = Field(
        description="Send it to `/v1/alerts/delivered` when these were shown, and they will not "
        "come again."
    )

    @classmethod
    def of(cls, alerts: Sequence[Alert], until: int) -> Self:
        return cls(alerts=[AlertResponse.of(alert) for alert in alerts], until=until)


class DeliveredResponse(_Response):
    """Entries up to this number will not come again."""

    model_config = _with_example({"until": 17})

    until: int
