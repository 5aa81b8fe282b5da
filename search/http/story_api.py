"""HTTP under `/v1/stories`: the biggest stories of a time, and what happened in one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import Field

from search.coverage.front_page import MAX_STORIES
from search.filter_query import FilterQuery
from search.http.access import Access
from search.http.archive import Archive
from search.http.links import LINK, link_to_next
from search.http.problems import declared
from search.http.story_responses import StoriesResponse, StoryResponse
from search.responses import EXAMPLE_CURSOR


class StoriesQuery(FilterQuery):
    """Which stories: those of the articles that the filters let through."""

    min_reports: int = Field(
        2,
        ge=1,
        description="Leave out stories of fewer reports; 1: also what nobody else reported.",
        examples=[2],
    )
    k: int = Field(
        10, ge=1, le=MAX_STORIES, description="Number of stories on a page.", examples=[10]
    )
    cursor: str | None = Field(
        None,
        description="The `next_cursor` of the page before; all but `k` must be the same. A cursor "
        "that was not used for ten minutes may have expired (410).",
        examples=[EXAMPLE_CURSOR],
    )


def build_stories(archive: Archive, access: Access) -> APIRouter:
    """The routes of the stories."""
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(
        prefix="/v1/stories",
        tags=["stories"],
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses=declared(401, 422, 503),
    )
    searcher = archive.searcher

    @router.get(
        "",
        summary="The biggest stories of a time",
        description=(
            "Of a day, a week or all time, by how many distinct reports there are, not by copies."
        ),
        responses={200: {"headers": {"Link": LINK}}, **declared(410)},
    )
    def stories(
        request: Request, response: Response, query: Annotated[StoriesQuery, Query()]
    ) -> StoriesResponse:
        page = searcher.stories(
            k=query.k,
            filters=query.filters(),
            min_reports=query.min_reports,
            cursor=query.cursor,
        )
        if page.next_cursor:
            response.headers["Link"] = link_to_next(request, page.next_cursor)
        return StoriesResponse.of(page)

    @router.get(
        "/{id}",
        summary="A story: what happened, and who was first to report",
        description=(
            "Each entry of the timeline is a sentence that says what no report before it had said. "
            "The id of a story that was merged into another leads to that one."
        ),
        responses=declared(404),
    )
    def story(
        id: Annotated[str, Path(description="A story's id.", examples=["s9"])],
    ) -> StoryResponse:
        return StoryResponse.of(searcher.story(id))

    return router
