"""The page of the archive: what it holds, how far it is embedded, and what it could not take."""

from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.templating import Jinja2Templates

from search.http.access import Access
from search.http.archive import Archive
from search.pages.page import environment

_REJECTED: Final = 50  # listed; `/v1/rejections` has the others


def build_archive_page(archive: Archive, access: Access) -> APIRouter:
    """The route `/archive`."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    templates = Jinja2Templates(env=environment())
    searcher = archive.searcher

    @router.get("/archive")
    def archive_page(request: Request) -> Response:
        context = {
            "state": searcher.status(),
            "is_read_only": archive.is_read_only,
            "rejected": searcher.rejections(_REJECTED),
        }
        return templates.TemplateResponse(request, "archive.html", context)

    return router
