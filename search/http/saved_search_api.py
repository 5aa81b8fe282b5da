"""HTTP under `/v1/searches` and `/v1/alerts`: questions that are kept, and what came in."""

import zlib
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from search.desk import alerts, saved_search
from search.desk.alerts import Watched
from search.desk.atom import atom
from search.desk.feeds import MEDIA_TYPES, FeedFormat, feed_page
from search.desk.json_feed import json_feed
from search.http.access import Access
from search.http.archive import Archive
from search.http.etags import etag_of, is_known
from search.http.json_body import described_body, json_body
from search.http.problems import declared
from search.http.saved_search_responses import (
    EXAMPLE_SEARCH_ID,
    AlertsResponse,
    DeliveredRequest,
    DeliveredResponse,
    ForgottenResponse,
    RenameRequest,
    SavedSearchesResponse,
    SavedSearchResponse,
    SaveRequest,
)

_MAX_ENTRIES: Final = 2**53  # more than any archive has, and whole in every JSON reader
_WRITERS = {FeedFormat.ATOM: atom, FeedFormat.JSON: json_feed}
_SearchId = Annotated[str, Path(description="A saved search's id.", examples=[EXAMPLE_SEARCH_ID])]
_EXAMPLE_FEEDS: Final = {
    FeedFormat.ATOM: '<feed xmlns="http://www.w3.org/2005/Atom"><title>Ferry watch</title>…</feed>',
    FeedFormat.JSON: '{"version": "https://jsonfeed.org/version/1.1", "title": "Ferry watch", …}',
}
_FEED: Final[dict[str, object]] = {
    "content": {
        MEDIA_TYPES[format]: {"schema": {"type": "string"}, "example": example}
        for format, example in _EXAMPLE_FEEDS.items()
    }
}


class FeedQuery(BaseModel):
    """How a feed is written, and which page of it."""

    model_config = ConfigDict(extra="forbid")

    format: FeedFormat | None = Field(
        None,
        description="atom or json. Left out: what the header Accept prefers, else Atom.",
        examples=["atom"],
    )
    until: int | None = Field(
        None,
        ge=1,
        le=_MAX_ENTRIES,
        description="The page that goes up to this entry, counted from the oldest; the feed's "
        "link to its next page has it.",
        examples=[100],
    )


def build_saved_searches(archive: Archive, access: Access, max_body_bytes: int) -> APIRouter:
    """The routes of saved searches, their feeds and alerts."""
    router = APIRouter()
    router.include_router(_reading(archive, access))
    router.include_router(_writing(archive, access, max_body_bytes))
    return router


def _reading(archive: Archive, access: Access) -> APIRouter:
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(
        prefix="/v1/searches",
        tags=["saved searches"],
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses=declared(401, 422, 503),
    )
    searcher = archive.searcher

    @router.get("", summary="The saved searches")
    def list_searches() -> SavedSearchesResponse:
        return SavedSearchesResponse.of(alerts.watch_all(searcher))

    @router.get("/{id}", summary="One saved search", responses=declared(404))
    def one_search(id: _SearchId) -> SavedSearchResponse:
        return SavedSearchResponse.of(alerts.watch(searcher, id))

    @router.get(
        "/{id}/feed",
        summary="What came in for a saved search, newest first",
        description=(
            "An entry for each report that came into the result set since the search was saved; "
            "copies and later versions make no second one, and what was in it when the search was "
            "saved makes none. Atom (RFC 4287, pages as in RFC 5005) or JSON Feed 1.1."
        ),
        response_class=Response,
        responses={
            200: _FEED,
            304: {"description": "The feed is as it was when this ETag was given."},
            **declared(404),
        },
    )
    def feed(
        request: Request,
        id: _SearchId,
        query: Annotated[FeedQuery, Query()],
        accept: Annotated[
            str | None,
            Header(
                description="`application/feed+json` for JSON Feed.",
                examples=["application/atom+xml"],
            ),
        ] = None,
        if_none_match: Annotated[
            str | None, Header(description="An ETag of an earlier answer.")
        ] = None,
    ) -> Response:
        format = query.format or _preferred(accept or "")
        before = searcher.snapshot_id()
        watched = alerts.watch(searcher, id)
        headers = {"ETag": _etag(watched, before, format), "Vary": "Accept"}
        if is_known(headers["ETag"], if_none_match):
            return Response(status_code=304, headers=headers)
        page = feed_page(watched, searcher, str(request.base_url), format, query.until)
        return Response(_WRITERS[format](page), media_type=MEDIA_TYPES[format], headers=headers)

    return router


def _writing(archive: Archive, access: Access, max_body_bytes: int) -> APIRouter:
    bearer = HTTPBearer(
        auto_error=False, description="Needed unless no key is set and you are on this machine."
    )
    router = APIRouter(
        prefix="/v1",
        tags=["saved searches"],
        dependencies=[Depends(access.may_write), Depends(bearer)],
        responses=declared(401, 403, 422, 503, 507),
    )
    searcher = archive.searcher

    @router.post(
        "/searches",
        status_code=201,
        summary="Save a search",
        description=(
            "From now on a report that comes into its result set is an entry of its feed. The "
            "same question under the same name is kept once (200)."
        ),
        responses={
            200: {"model": SavedSearchResponse, "description": "It was saved before."},
            **declared(413, 415),
        },
        openapi_extra=described_body(SaveRequest),
    )
    def save(
        response: Response,
        asked: Annotated[SaveRequest, Depends(json_body(SaveRequest, max_body_bytes))],
    ) -> SavedSearchResponse:
        archive.may_write()
        search, is_new = saved_search.save(searcher, archive.desk, asked.name, asked.question())
        if is_new:
            return SavedSearchResponse.saved(search)
        response.status_code = 200
        return SavedSearchResponse.of(alerts.watch(searcher, search.id))

    @router.patch(
        "/searches/{id}",
        summary="Give a saved search another name",
        responses=declared(404, 413, 415),
        openapi_extra=described_body(RenameRequest),
    )
    def rename(
        id: _SearchId,
        asked: Annotated[RenameRequest, Depends(json_body(RenameRequest, max_body_bytes))],
    ) -> SavedSearchResponse:
        saved_search.rename(archive.desk, id, asked.name)
        return SavedSearchResponse.of(alerts.watch(searcher, id))

    @router.delete(
        "/searches/{id}", summary="Forget a saved search and its feed", responses=declared(404)
    )
    def forget(id: _SearchId) -> ForgottenResponse:
        saved_search.forget(archive.desk, id)
        return ForgottenResponse(id=id)

    @router.post(
        "/alerts",
        summary="Check all saved searches",
        description=(
            "What came in and was not delivered yet. It comes again until `/v1/alerts/delivered` "
            "says that it was shown, so that none is lost."
        ),
    )
    def check() -> AlertsResponse:
        archive.may_write()
        alerts.record(searcher, archive.desk)
        return AlertsResponse.of(*alerts.undelivered(searcher))

    @router.post(
        "/alerts/delivered",
        summary="Say which alerts were shown",
        responses=declared(413, 415),
        openapi_extra=described_body(DeliveredRequest),
    )
    def deliver(
        asked: Annotated[DeliveredRequest, Depends(json_body(DeliveredRequest, max_body_bytes))],
    ) -> DeliveredResponse:
        return DeliveredResponse(until=alerts.delivered(archive.desk, asked.until))

    return router


def _preferred(accept: str) -> FeedFormat:
    """What a client takes: JSON Feed if it names that and no XML."""
    named = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    takes_json = not named.isdisjoint({"application/feed+json", "application/json"})
    takes_xml = not named.isdisjoint({"application/atom+xml", "application/xml", "text/xml"})
    return FeedFormat.JSON if takes_json and not takes_xml else FeedFormat.ATOM


def _etag(watched: Watched, snapshot: str, format: FeedFormat) -> str:
    # The snapshot is the one before the entries were found: with a later one the tag would say of
    # older entries that they are the newest.
    return etag_of(snapshot, watched.total, zlib.crc32(watched.search.name.encode()), format)
