"""The pages of the stories: the biggest of a time, and what happened in one."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, ConfigDict, Field

from index.article import Published
from index.errors import NotFoundError, NutgrafError
from search.coverage.front_page import FrontPage
from search.coverage.story_ids import id_of
from search.filters import Filters
from search.http.access import Access
from search.http.archive import Archive
from search.http.problems import problem_of
from search.pages.page import environment
from search.pages.story_picture import anchor_at, picture_of

_STORIES: Final = 20  # on a page
_A_DAY: Final = timedelta(days=1)
_A_WEEK: Final = timedelta(days=7)


class StoriesPageQuery(BaseModel):
    """What the form sends. Without any days it is the newest week, with empty ones all days."""

    model_config = ConfigDict(populate_by_name=True)

    published_from: str | None = Field(None, alias="from")
    published_to: str | None = Field(None, alias="to")
    cursor: str = ""

    def filters(self, newest: Published | None) -> Filters:
        """The days asked for; BadQueryError when one is none."""
        if newest and self.published_from is None and self.published_to is None:
            return Filters(published_from=newest.on - _A_WEEK + _A_DAY, published_to=newest.on)
        return Filters.parse(
            published_from=(self.published_from or "").strip() or None,
            published_to=(self.published_to or "").strip() or None,
        )


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Where a reader may go on to; empty: there is nothing."""

    previous: str = ""
    next: str = ""
    earlier: str = ""  # as many days before these
    later: str = ""


def links_of(page: FrontPage) -> PageLinks:
    """The links of a page."""
    first, last = page.filters.published_from, page.filters.published_to
    earlier = later = ""
    if first and last:
        days = last - first + _A_DAY
        if first - date.min >= days:
            earlier = _url(first - days, last - days)
        if date.max - last >= days:
            later = _url(first + days, last + days)
    return PageLinks(
        previous=_url(first, last, page.previous_cursor) if page.previous_cursor else "",
        next=_url(first, last, page.next_cursor) if page.next_cursor else "",
        earlier=earlier,
        later=later,
    )


def _url(first: date | None, last: date | None, cursor: str | None = None) -> str:
    pairs = [("from", first.isoformat() if first else ""), ("to", last.isoformat() if last else "")]
    return f"/stories?{urlencode([*pairs, *([('cursor', cursor)] if cursor else [])])}"


def build_story_pages(archive: Archive, access: Access) -> APIRouter:
    """The routes `/stories` and `/stories/{id}`."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    env = environment()
    env.filters["story_id"] = id_of
    env.filters["anchor"] = anchor_at
    templates = Jinja2Templates(env=env)
    searcher = archive.searcher

    def render(request: Request, name: str, status: int = 200, **context: object) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status)

    @router.get("/stories")
    def stories_page(request: Request, query: Annotated[StoriesPageQuery, Query()]) -> Response:
        page, error, status = None, None, 200
        try:
            filters = query.filters(searcher.status().newest)
            page = searcher.stories(k=_STORIES, filters=filters, cursor=query.cursor or None)
        except NutgrafError as failure:
            error, status = str(failure), problem_of(failure).status
        return render(
            request,
            "stories.html",
            status,
            query=query,
            page=page,
            error=error,
            links=links_of(page) if page else PageLinks(),
        )

    @router.get("/stories/{id}")
    def story_page(request: Request, id: str) -> Response:
        try:
            story = searcher.story(id)
        except NotFoundError as error:
            return render(request, "missing_story.html", 404, error=str(error))
        return render(
            request,
            "story.html",
            story=story,
            summary=story.summary,
            picture=picture_of(story),
        )

    return router
