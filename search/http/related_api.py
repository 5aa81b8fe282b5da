"""HTTP under `/v1/articles/{id}/`: the coverage around an article."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import Field

from search.coverage.related import MAX_K
from search.filter_query import FilterQuery
from search.grouping import Group
from search.http.access import Access
from search.http.archive import Archive
from search.http.ending_apart import EndingApart
from search.http.links import LINK, link_to_next
from search.http.problems import declared
from search.http.related_responses import LineageResponse, RelatedResponse
from search.responses import EXAMPLE_CURSOR
from search.result_set import Sort

_ArticleKey = Annotated[
    str,
    Path(
        description="An article id, or its guid or URL, percent-encoded.",
        examples=["harbour-041"],
    ),
]


class RelatedQuery(FilterQuery):
    """Which coverage of an article."""

    k: int = Field(10, ge=1, le=MAX_K, description="Number of articles on a page.", examples=[10])
    sort: Sort = Field(Sort.RELEVANCE, description="Order of the articles.", examples=["newest"])
    group: Group = Field(
        Group.REPORT,
        description="report: one article of each report, and of its own report only a correction; "
        "none: every article, copies too.",
        examples=["report"],
    )
    cursor: str | None = Field(
        None,
        description="The `next_cursor` of the page before; all but `k` must be the same. A cursor "
        "that was not used for ten minutes may have expired (410).",
        examples=[EXAMPLE_CURSOR],
    )
    facets: bool = Field(
        False, description="Count what all of the coverage is made of.", examples=[True]
    )


def build_related(archive: Archive, access: Access) -> APIRouter:
    """The routes below an article's own; to be included before that one, which takes any path."""
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(
        prefix="/v1/articles",
        tags=["articles"],
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses=declared(401, 404, 422, 503),
        route_class=EndingApart,
    )
    searcher = archive.searcher

    @router.get(
        "/{id:path}/copies",
        summary="Who ran this report, and what each made of it",
        description=(
            "The original and the reason it is taken for that, its copies in other outlets, and "
            "the versions of each; an article that nobody copied is a report of one."
        ),
    )
    def copies(id: _ArticleKey) -> LineageResponse:
        return LineageResponse.of(searcher.lineage(id))

    @router.get(
        "/{id:path}/related",
        summary="Other coverage of an article, and what each is to it",
        description=(
            "Best first: who else reported it, what came after, what came before, what was put "
            "right. What has nothing to do with it is not listed."
        ),
        responses={200: {"headers": {"Link": LINK}}, **declared(410)},
    )
    def related(
        id: _ArticleKey,
        request: Request,
        response: Response,
        query: Annotated[RelatedQuery, Query()],
    ) -> RelatedResponse:
        page = searcher.related(
            id,
            k=query.k,
            filters=query.filters(),
            sort=query.sort,
            group=query.group,
            cursor=query.cursor,
            facets=query.facets,
        )
        if page.next_cursor:
            response.headers["Link"] = link_to_next(request, page.next_cursor)
        return RelatedResponse.of(page)

    return router
