"""Who else ran a report: what a hit of the search page unfolds in its place."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.templating import Jinja2Templates

from index.errors import NotFoundError
from search.http.access import Access
from search.http.archive import Archive
from search.pages.page import environment
from search.pages.page_query import PageQuery

_LISTED: Final = 20  # to say what each changed takes some 20 ms for a text of 2,000 words


def build_copies_fragment(archive: Archive, access: Access) -> APIRouter:
    """The route `/copies/{id}`: a list, no whole page. The page of the article has the same."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    templates = Jinja2Templates(env=environment())
    searcher = archive.searcher

    @router.get("/copies/{id:path}")
    def copies(request: Request, id: str, query: Annotated[PageQuery, Query()]) -> Response:
        try:
            lineage = searcher.lineage(id)
            day = query.day()
        except NotFoundError as error:
            context: dict[str, object] = {"error": str(error)}
            return templates.TemplateResponse(request, "_copies.html", context, status_code=404)
        versions = [
            version
            for version in lineage.versions
            if day is None or (version.published and version.published.on <= day)
        ]
        context = {
            "error": "",
            "lineage": lineage,
            "listed": versions[:_LISTED],
            "more": len(versions) - _LISTED,
            "parameters": query.parameters(),
        }
        return templates.TemplateResponse(request, "_copies.html", context)

    return router
