"""HTTP under `/v1`: questions, articles, passages, and how the server is.

Everything that blocks runs in the thread pool; an error is always a problem, see
`search.http.problems`.
"""

import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index import rejections
from index.article import SourceRecord
from index.errors import BadArticleError
from search.http import problems
from search.http.access import Access
from search.http.admission import Admission
from search.http.archive import Archive
from search.http.batch_api import build_batch
from search.http.batches import batches
from search.http.bodies import Numbered, read_json, read_ndjson, spool
from search.http.cite_api import build_cite
from search.http.collection_api import build_collections
from search.http.compression import Compression
from search.http.etags import etag_of, is_known
from search.http.export_api import build_export
from search.http.kept_answers import KeptAnswers, RepeatedQuestions
from search.http.links import LINK, link_to_next
from search.http.metrics import Metrics
from search.http.metrics_api import build_metrics
from search.http.problems import Problem, ProblemError, declared
from search.http.rejections_api import build_rejections
from search.http.related_api import build_related
from search.http.request_limits import RequestLimits
from search.http.request_log import REQUEST_ID, RequestLog
from search.http.saved_search_api import build_saved_searches
from search.http.story_api import build_stories
from search.http.unapi import build_unapi
from search.pages.archive_page import build_archive_page
from search.pages.article_page import build_article_page
from search.pages.cite_page import build_cite_page
from search.pages.collection_pages import build_collection_pages
from search.pages.copies_fragment import build_copies_fragment
from search.pages.page import static_files
from search.pages.saved_search_pages import build_saved_search_pages
from search.pages.search_page import build_search_page
from search.pages.story_page import build_story_pages
from search.question_query import MAX_QUERY_LENGTH, QuestionQuery
from search.responses import (
    EXAMPLE_CURSOR,
    EXAMPLE_PASSAGE_ID,
    AddedResponse,
    ArticleResponse,
    ExplainResponse,
    HealthResponse,
    PassageResponse,
    ReadyResponse,
    RecordResponse,
    RemovedResponse,
    SearchResponse,
    StatusResponse,
)
from search.trace import Stage
from search.version import VERSION

MAX_K = 100

_READERS: dict[str, Callable[[IO[bytes]], Iterator[Numbered]]] = {
    "application/json": read_json,
    "application/x-ndjson": read_ndjson,
}
# FastAPI describes an application in one thread at a time only, or stumbles.
_DESCRIBING = threading.Lock()
_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)

# Nothing but our own files is loaded or run, whatever an article may contain.
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # To other sites nothing is told; with no-referrer, browsers would send our own forms without
    # their origin, and `Access.may_write_from_page` could not know them.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ON_EVERY_RESPONSE = [
    (name.lower().encode(), value.encode())
    for name, value in {**_SECURITY_HEADERS, "Cache-Control": "private, no-cache"}.items()
]


class SearchQuery(QuestionQuery):
    """A question, and which page of its answer."""

    k: int = Field(10, ge=1, le=MAX_K, description="Number of hits on a page.", examples=[10])
    cursor: str | None = Field(
        None,
        description="The `next_cursor` of the page before; the question, its filters and its order "
        "must be the same. Pages stay whole while the archive changes. A cursor that was not used "
        "for ten minutes may have expired (410).",
        examples=[EXAMPLE_CURSOR],
    )
    facets: bool = Field(
        True,
        description="Count what the whole result set is made of; false: not needed.",
        examples=[True],
    )
    trace: bool = Field(False, description="Say how long each stage took.", examples=[False])


class ExplainQuery(QuestionQuery):
    """A question, and an article that is or is not among what answers it."""

    article: str = Field(
        min_length=1,
        max_length=MAX_QUERY_LENGTH,
        description="An article id, or its guid or URL.",
        examples=["harbour-041"],
    )


def build_app(
    archive: Archive,
    access: Access,
    *,
    max_body_bytes: int,
    rate_per_minute: int = 0,
    cors_origins: Sequence[str] = (),
    log_queries: bool = False,
    deadline_s: float = 10.0,
) -> FastAPI:
    """The whole HTTP application over one open archive, which the caller closes.

    Args:
        rate_per_minute: requests of one key or one address; 0: as many as they like.
        cors_origins: sites whose scripts may ask from a browser.
        log_queries: the log says what was asked.
        deadline_s: how long a question may take, in seconds.
    """
    app = FastAPI(
        title="Nutgraf",
        version=VERSION,
        summary="Search for a news archive: the right passage and where it comes from.",
        description=(
            "Questions in plain words, answered by passages. Spans and highlights count code "
            "points, end excluded. Every error is a problem as in RFC 9457."
        ),
        openapi_url=None,  # `_description` needs a key where the rest does
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.metrics = metrics = Metrics()
    answers = KeptAnswers()
    problems.install(app)
    # The first one that fits is taken: what is asked most comes first.
    app.include_router(_asking(archive, access, metrics, answers))
    app.include_router(_health(archive))
    app.include_router(_description(app, access))
    app.include_router(build_metrics(archive, access, metrics))
    app.include_router(build_rejections(archive, access))
    app.include_router(build_cite(archive, access))
    app.include_router(build_unapi(archive, access))
    app.include_router(build_related(archive, access))
    app.include_router(build_stories(archive, access))
    app.include_router(build_export(archive, access))
    app.include_router(build_batch(archive, access, max_body_bytes))
    app.include_router(build_saved_searches(archive, access, max_body_bytes))
    app.include_router(build_collections(archive, access, max_body_bytes))
    app.include_router(_reading(archive, access))
    app.include_router(_writing(archive, access, max_body_bytes, metrics))
    app.include_router(build_search_page(archive, access, metrics))
    app.include_router(build_copies_fragment(archive, access))
    app.include_router(build_archive_page(archive, access))
    app.include_router(build_cite_page(archive, access))  # before that of the articles
    app.include_router(build_article_page(archive, access))
    app.include_router(build_story_pages(archive, access))
    app.include_router(build_collection_pages(archive, access))
    app.include_router(build_saved_search_pages(archive, access))
    app.mount("/static", static_files())
    # The last one added is the outermost.
    app.add_middleware(
        Admission, metrics=metrics, questions=archive.questions, deadline_s=deadline_s
    )
    app.add_middleware(
        RepeatedQuestions,
        path="/v1/search",
        answers=answers,
        searcher=archive.searcher,
        access=access,
        metrics=metrics,
    )
    app.add_middleware(RequestLimits, access=access, metrics=metrics, per_minute=rate_per_minute)
    app.add_middleware(_SecurityHeaders)
    app.add_middleware(Compression)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=("GET", "POST", "PATCH", "PUT", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"),
            expose_headers=("ETag", "Link", "RateLimit", "Retry-After", REQUEST_ID),
        )
    app.add_middleware(RequestLog, access=access, metrics=metrics, log_queries=log_queries)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


class _SecurityHeaders:
    """Adds the headers that every response carries."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                added = [header for header in _ON_EVERY_RESPONSE if header[0] not in said]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _health(archive: Archive) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> HealthResponse:
        return HealthResponse()

    @router.get(
        "/readyz",
        summary="Are questions answered?",
        description="The store is open, a snapshot is loaded, and the model embeds.",
        responses=declared(503),
    )
    def readyz() -> ReadyResponse:
        return ReadyResponse(snapshot=archive.ready())

    return router


def _description(app: FastAPI, access: Access) -> APIRouter:
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)

    @router.get("/openapi.json")
    def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    return router


def _asking(archive: Archive, access: Access, metrics: Metrics, answers: KeptAnswers) -> APIRouter:
    router = _for_readers(access)
    searcher = archive.searcher

    @router.get(
        "/search",
        tags=["questions"],
        summary="Ask a question",
        response_model=SearchResponse,
        responses={
            200: {"headers": {"Link": LINK}},
            304: {"description": "The archive is as it was when this ETag was given."},
            **declared(410),
        },
    )
    def search(
        request: Request,
        query: Annotated[SearchQuery, Query()],
        if_none_match: Annotated[
            str | None, Header(description="An ETag of an earlier answer.")
        ] = None,
    ) -> Response:
        filters = query.filters()
        etag = etag_of(searcher.snapshot_id())
        # What a cursor leads to is as old as the cursor, and gone when that has expired.
        if query.cursor is None and is_known(etag, if_none_match):
            return Response(status_code=304, headers={"ETag": etag})
        answer = searcher.search(
            query.q,
            k=query.k,
            mode=query.mode,
            filters=filters,
            sort=query.sort,
            effort=query.effort,
            group=query.group,
            as_of=query.day(),
            cursor=query.cursor,
            facets=query.facets,
        )
        headers = {"ETag": etag_of(answer.snapshot)}
        if answer.next_cursor:
            headers["Link"] = link_to_next(request, answer.next_cursor)
        with answer.trace.stage(Stage.SERIALISE):
            document = SearchResponse.of(answer).model_dump_json()
        metrics.count_stages(answer.trace)
        if query.trace:
            document = SearchResponse.of(answer, traced=True).model_dump_json()
        response = Response(document, headers=headers, media_type="application/json")
        if not (query.trace or answer.omitted):
            answers.put(headers["ETag"], request.scope["query_string"], response)
        return response

    return router


def _for_readers(access: Access) -> APIRouter:
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    return APIRouter(
        prefix="/v1",
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses=declared(401, 422, 503),
    )


def _reading(archive: Archive, access: Access) -> APIRouter:
    router = _for_readers(access)
    searcher = archive.searcher

    @router.get(
        "/explain",
        tags=["questions"],
        summary="Why an article is found where it is, or not",
        responses=declared(404),
    )
    def explain(query: Annotated[ExplainQuery, Query()]) -> ExplainResponse:
        explanation = searcher.explain(
            query.q,
            query.article,
            mode=query.mode,
            filters=query.filters(),
            sort=query.sort,
            effort=query.effort,
            group=query.group,
            as_of=query.day(),
        )
        return ExplainResponse.of(explanation)

    @router.get(
        "/articles/{id:path}",
        tags=["articles"],
        summary="One article as it is now",
        responses=declared(404),
    )
    def article(id: _ArticleKey) -> ArticleResponse:
        found = searcher.article(id)
        return ArticleResponse.of(found, searcher.passages_of(found), searcher.story_id(found))

    @router.get(
        "/passages/{id}",
        tags=["articles"],
        summary="One passage and where it comes from",
        responses=declared(404),
    )
    def passage(
        id: Annotated[str, Path(description="A passage id.", examples=[EXAMPLE_PASSAGE_ID])],
    ) -> PassageResponse:
        return PassageResponse.of(searcher.passage(id))

    @router.get("/status", tags=["health"], summary="What the archive holds")
    def status() -> StatusResponse:
        return StatusResponse.of(searcher.status())

    return router


_ArticleKey = Annotated[
    str,
    Path(
        description="An article id, or its guid or URL, percent-encoded.",
        examples=["harbour-041"],
    ),
]


def _writing(archive: Archive, access: Access, max_body_bytes: int, metrics: Metrics) -> APIRouter:
    bearer = HTTPBearer(
        auto_error=False, description="Needed unless no key is set and you are on this machine."
    )
    router = APIRouter(
        prefix="/v1",
        tags=["articles"],
        dependencies=[Depends(access.may_write), Depends(bearer)],
        responses=declared(401, 403, 422, 503, 507),
    )

    @router.post(
        "/articles",
        summary="Add articles",
        description=(
            "An article whose id is known replaces that article. What is answered here is safe "
            "and found by its words; its meaning follows. With an Idempotency-Key the request is "
            "one commit, and the same request sent again gets the same answer."
        ),
        responses=declared(400, 413, 415),
        openapi_extra={"requestBody": _REQUEST_BODY},
    )
    async def add(
        request: Request,
        idempotency_key: Annotated[
            str | None,
            Header(
                description="Any name for this request that no other has.", examples=["2025-03-14"]
            ),
        ] = None,
    ) -> AddedResponse:
        archive.may_write()
        read = _reader(request.headers.get("content-type", ""))
        key = _checked(idempotency_key)
        declared_length = request.headers.get("content-length")
        body = await spool(request.stream(), declared_length, max_body_bytes)
        with closing(body):
            added = await run_in_threadpool(_add, archive, read(body), key)
        for record in added.results:
            metrics.articles.labels(record.status).inc()
        return added

    @router.delete(
        "/articles/{id:path}",
        summary="Remove an article",
        description="It is gone from every arm when this is answered.",
        responses=declared(404),
    )
    def remove(id: _ArticleKey) -> RemovedResponse:
        archive.may_write()
        removed = archive.remove(id)
        metrics.articles.labels("removed").inc()
        return RemovedResponse(article_id=removed)

    return router


def _add(archive: Archive, records: Iterator[Numbered], key: str | None) -> AddedResponse:
    # What a key promises holds for one commit, so with a key there is no grouping.
    groups: Iterable[list[Numbered]] = (
        batches(records, lambda numbered: _size_bytes(numbered[1])) if key is None else [[*records]]
    )
    results = itertools.chain.from_iterable(_add_group(archive, group, key) for group in groups)
    return AddedResponse.of(list(results), pending=archive.searcher.pending())


def _add_group(archive: Archive, group: list[Numbered], key: str | None) -> list[RecordResponse]:
    records = [record for _, record in group if isinstance(record, SourceRecord)]
    outcomes = archive.add(records, idempotency_key=key) if records else []
    unreadable = [record for _, record in group if isinstance(record, BadArticleError)]
    _keep(archive, [*unreadable, *(outcome.error for outcome in outcomes if outcome.error)])
    answered = iter(outcomes)
    return [
        _rejected(line, record)
        if isinstance(record, BadArticleError)
        else RecordResponse.of(line, next(answered))
        for line, record in group
    ]


def _keep(archive: Archive, rejected: list[BadArticleError]) -> None:
    if rejected:
        with archive.desk() as truth:
            rejections.insert(truth, rejected, datetime.now(UTC))


def _rejected(line: int, error: BadArticleError) -> RecordResponse:
    return RecordResponse(
        line=line,
        status="rejected",
        article_id=None,
        version=0,
        reason=error.reason,
        advice=error.advice,
    )


def _size_bytes(record: SourceRecord | BadArticleError) -> int:
    return len(record.raw) if isinstance(record, SourceRecord) else 0


def _reader(content_type: str) -> Callable[[IO[bytes]], Iterator[Numbered]]:
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        return _READERS[media_type]
    except KeyError:
        raise ProblemError(
            415,
            "media-type",
            "The body's type is not taken",
            f"Content-Type is {media_type!r}; send {' or '.join(_READERS)}",
        ) from None


def _checked(key: str | None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        raise ProblemError(
            422,
            "idempotency-key",
            "The idempotency key is none",
            "Idempotency-Key must be 1 to 200 visible ASCII characters",
        )
    return key


_ARTICLE_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Your own id, unique in the store."},
        "guid": {"type": "string", "description": "The outlet's id, unique in the outlet."},
        "headline": {"type": "string"},
        "text": {"type": "string", "description": "Paragraphs on lines of their own."},
        "outlet": {"type": "string"},
        "byline": {"type": "string"},
        "section": {"type": "string"},
        "language": {"type": "string", "description": "ISO 639-1; left out: recognised."},
        "url": {"type": "string"},
        "published": {
            "type": "string",
            "description": "ISO 8601 as far as it is known; an unknown zone stays unknown.",
        },
        "pasted": {
            "type": "boolean",
            "description": "The text is as copied from a web page: headline, date and byline may "
            "stand in its first lines.",
        },
    },
    "required": ["text"],
}
_EXAMPLE_ARTICLE: dict[str, object] = {
    "id": "harbour-041",
    "headline": "Harbour reopens after the storm",
    "text": "Northport harbour opened again on Friday.\n\nThe ferry sails at dawn, harbour master "
    "Ines Okoro told reporters.",
    "outlet": "Northport Courier",
    "byline": "Tomas Lindqvist",
    "section": "Local",
    "url": "https://courier.example/2025/03/harbour-reopens",
    "published": "2025-03-14T19:12",
}
_ARTICLES_SCHEMA: dict[str, object] = {"type": "array", "items": _ARTICLE_SCHEMA}
_REQUEST_BODY: dict[str, object] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    _ARTICLE_SCHEMA,
                    _ARTICLES_SCHEMA,
                    {
                        "type": "object",
                        "properties": {"articles": _ARTICLES_SCHEMA},
                        "required": ["articles"],
                    },
                ]
            },
            "example": _EXAMPLE_ARTICLE,
        },
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One article object on each line."},
            "example": '{"id": "a-1", "text": "The ferry sails at dawn."}\n'
            '{"id": "a-2", "text": "The harbour is open."}\n',
        },
    },
}


# What may be answered wherever one asks, by the layers around the routes.
_ANYWHERE = {str(status): response for status, response in declared(429).items()}


def _openapi(app: FastAPI) -> dict[str, Any]:
    with _DESCRIBING:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
    return app.openapi_schema


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for methods in schema["paths"].values():
        for operation in methods.values():
            operation["responses"].update(_ANYWHERE)
    return schema
