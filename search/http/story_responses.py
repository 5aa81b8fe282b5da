"""What the HTTP interface and `--json` answer about stories.

Spans count code points, end excluded.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from index.store import ArticleRow
from search.coverage.front_page import FrontPage, ListedStory
from search.coverage.story import First, Report, Story
from search.coverage.story_ids import id_of
from search.coverage.timeline import Development
from search.responses import EXAMPLE_CURSOR, FiltersResponse, PublishedResponse

_EXAMPLE_QUOTE = "Northport harbour opened again on Friday, nine days after the storm closed it."
_EXAMPLE_WIRE: Mapping[str, Any] = {
    "article_id": "coast-wire-9",
    "headline": "Northport harbour reopens",
    "outlet": "Coast Wire",
    "published": {"iso": "2025-03-14T16:05Z", "precision": "minute", "zone": "Z"},
}
_EXAMPLE_COURIER: Mapping[str, Any] = {
    "article_id": "harbour-041",
    "headline": "Harbour reopens after the storm",
    "outlet": "Northport Courier",
    "published": {"iso": "2025-03-14T19:12Z", "precision": "minute", "zone": "Z"},
}
_EXAMPLE_FIRST = {"article": _EXAMPLE_WIRE, "reason": "first by 3 hours"}
_EXAMPLE_STORY: dict[str, Any] = {
    "story": "s9",
    "merged_from": None,
    "headline": "Northport harbour reopens",
    "reports": 2,
    "articles": 5,
    "copies": 3,
    "outlets": ["Coast Wire", "Northport Courier", "The Islander"],
    "first_published": _EXAMPLE_WIRE["published"],
    "last_published": _EXAMPLE_COURIER["published"],
    "first": _EXAMPLE_FIRST,
    "timeline": [
        {
            **_EXAMPLE_WIRE,
            "quote": _EXAMPLE_QUOTE,
            "passage_id": "coast-wire-9-77aa01c2b3d4",
            "start": 0,
            "end": len(_EXAMPLE_QUOTE),
            "taken_up": 1,
        }
    ],
    "coverage": [
        {**_EXAMPLE_WIRE, "copies": 3, "updates": 0},
        {**_EXAMPLE_COURIER, "copies": 0, "updates": 0},
    ],
}
_EXAMPLE_LISTED: dict[str, Any] = {
    "story": "s9",
    "headline": "Northport harbour reopens",
    "reports": 2,
    "articles": 5,
    "outlets": ["Northport Courier", "Coast Wire", "The Islander"],
    "first_published": _EXAMPLE_WIRE["published"],
    "last_published": _EXAMPLE_COURIER["published"],
    "first": _EXAMPLE_FIRST,
}


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReportRef(_Response):
    """An article that stands for a report: the likely original, or a version of it."""

    article_id: str
    headline: str
    outlet: str = Field(description="Empty: unknown.")
    published: PublishedResponse | None = Field(description="null: unknown.")

    @classmethod
    def of(cls, article: ArticleRow) -> Self:
        return cls(**_source(article))


class FirstResponse(_Response):
    """Who was the first to report."""

    article: ReportRef | None = Field(description="null: not known.")
    reason: str = Field(description="By how much it was first, or why it is not known.")

    @classmethod
    def of(cls, first: First) -> Self:
        return cls(
            article=ReportRef.of(first.article) if first.article else None, reason=first.reason
        )


class DevelopmentResponse(ReportRef):
    """What happened, in the words of the report that had it first."""

    quote: str = Field(description="A sentence of the article.")
    passage_id: str
    start: int = Field(description="Span of the quote in the article's text.")
    end: int
    taken_up: int = Field(description="Later reports and versions that tell it too.")

    @classmethod
    def told(cls, development: Development) -> Self:
        sentence = development.sentence
        return cls(
            **_source(development.article),
            quote=sentence.text,
            passage_id=sentence.passage.id,
            start=sentence.start,
            end=sentence.end,
            taken_up=development.taken_up,
        )


class ReportResponse(ReportRef):
    """A report of a story."""

    copies: int = Field(description="Others that ran it; an outlet's versions count once.")
    updates: int = Field(description="Later versions of the original that stand beside it.")

    @classmethod
    def told(cls, report: Report) -> Self:
        return cls(
            **_source(report.original), copies=report.copies, updates=len(report.versions) - 1
        )


class _StoryFields(_Response):
    story: str = Field(description="The story's id.")
    headline: str = Field(description="The most telling one of its reports; empty: none has one.")


class StoryResponse(_StoryFields):
    """A story: the reports of one event, and what was new in them."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE_STORY})

    merged_from: str | None = Field(
        description="The id that was asked for, of a story that has become part of this one; null: "
        "it is this one's own."
    )
    reports: int = Field(description="Distinct ones: copies and later versions do not count.")
    articles: int = Field(description="Of all kinds.")
    copies: int
    outlets: list[str] = Field(description="In the order of time.")
    first_published: PublishedResponse | None = Field(description="null: no date is known.")
    last_published: PublishedResponse | None
    first: FirstResponse
    timeline: list[DevelopmentResponse] = Field(
        description="In the order of time; what is told again makes no entry."
    )
    coverage: list[ReportResponse] = Field(
        description="All reports in the order of time, those of unknown date last."
    )

    @classmethod
    def of(cls, story: Story) -> Self:
        summary = story.summary
        return cls(
            story=id_of(summary.number),
            merged_from=None if story.asked == summary.number else id_of(story.asked),
            headline=summary.headline,
            reports=len(summary.reports),
            articles=summary.articles,
            copies=summary.copies,
            outlets=list(summary.outlets),
            first_published=PublishedResponse.of(summary.first_published),
            last_published=PublishedResponse.of(summary.last_published),
            first=FirstResponse.of(summary.first),
            timeline=[DevelopmentResponse.told(each) for each in story.timeline],
            coverage=[ReportResponse.told(report) for report in summary.reports],
        )


class ListedStoryResponse(_StoryFields):
    """A story in a list; counted is what the filters let through."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE_LISTED})

    reports: int = Field(description="Distinct ones: copies and later versions do not count.")
    articles: int
    outlets: list[str] = Field(description="Those with most of these articles first.")
    first_published: PublishedResponse | None = Field(
        description="Of the whole story, like what follows; null: no date is known."
    )
    last_published: PublishedResponse | None
    first: FirstResponse

    @classmethod
    def of(cls, listed: ListedStory) -> Self:
        summary = listed.summary
        return cls(
            story=id_of(summary.number),
            headline=summary.headline,
            reports=listed.reports,
            articles=listed.articles,
            outlets=list(listed.outlets),
            first_published=PublishedResponse.of(summary.first_published),
            last_published=PublishedResponse.of(summary.last_published),
            first=FirstResponse.of(summary.first),
        )


class StoriesResponse(_Response):
    """A page of the biggest stories."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "stories": [_EXAMPLE_LISTED],
                "rank": 1,
                "total": 31,
                "filters": {
                    "outlet": [],
                    "byline": [],
                    "section": [],
                    "language": [],
                    "from": "2025-03-10",
                    "to": "2025-03-16",
                },
                "min_reports": 2,
                "next_cursor": EXAMPLE_CURSOR,
                "snapshot": "42.7.412",
                "omitted": 0,
            }
        }
    )

    stories: list[ListedStoryResponse] = Field(
        description="Most reports first; of equally many the one with the newest article."
    )
    rank: int = Field(description="Of the first of them, from 1.")
    total: int = Field(description="Stories that this is a page of.")
    filters: FiltersResponse
    min_reports: int
    next_cursor: str | None = Field(
        description="Send it as `cursor`, with the same filters, for the page that follows; null: "
        "this is the last."
    )
    snapshot: str = Field(description="Names the view of the archive that answered.")
    omitted: int = Field(
        description="Stories of this page left out because their stored rows are damaged."
    )

    @classmethod
    def of(cls, page: FrontPage) -> Self:
        return cls(
            stories=[ListedStoryResponse.of(story) for story in page.stories],
            rank=page.rank,
            total=page.total,
            filters=FiltersResponse.of(page.filters),
            min_reports=page.min_reports,
            next_cursor=page.next_cursor,
            snapshot=page.snapshot,
            omitted=page.omitted,
        )


def _source(article: ArticleRow) -> dict[str, Any]:
    return {
        "article_id": article.id,
        "headline": article.headline,
        "outlet": article.outlet,
        "published": PublishedResponse.of(article.published),
    }
