"""Every error over HTTP is one JSON body: `application/problem+json`, RFC 9457.

`type` is a URN that programs can compare; `title` is the same for each problem of a type;
`detail` says what is wrong this time and what to do.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import Scope

from index.errors import (
    BadArticleError,
    BadQueryError,
    ConflictError,
    DeadlineError,
    ExpiredCursorError,
    ModelError,
    ModelMismatchError,
    NotFoundError,
    NotInstalledError,
    NutgrafError,
    StoreCorruptError,
    StoreError,
    StoreFormatError,
    StoreFullError,
    StoreLockedError,
    StoreReadOnlyError,
)

MEDIA_TYPE = "application/problem+json"
_URN = "urn:nutgraf:problem:"

logger = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """What is wrong with one parameter or field."""

    field: str
    reason: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": f"{_URN}not-found",
                "title": "Not found",
                "status": 404,
                "detail": "no article has the id 'harbour-999'",
            }
        }
    )

    type: str = Field(description="A URN, or `about:blank`: nothing more than the status says.")
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = Field(
        None, description="Of a request that is not as it must be: the parameters, each by name."
    )
    position: int | None = Field(
        None, description="Where in the question the mistake is, in code points from 0."
    )


class ProblemError(Exception):
    """A request cannot be served; what went wrong is not the store's or the question's affair."""

    def __init__(
        self, status: int, kind: str, title: str, detail: str, headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            type=f"{_URN}{kind}",
            title=title,
            status=status,
            detail=detail,
            errors=None,
            position=None,
        )
        self.headers = headers


# The most specific first: the first class that fits is taken.
_KINDS: tuple[tuple[type[NutgrafError], int, str, str], ...] = (
    (BadQueryError, 422, "bad-query", "The question or a filter is wrong"),
    (BadArticleError, 422, "bad-article", "The article cannot be read"),
    (NotFoundError, 404, "not-found", "Not found"),
    (ExpiredCursorError, 410, "cursor-expired", "The cursor has expired"),
    (ConflictError, 422, "idempotency-key-reused", "The key was used for other content"),
    (DeadlineError, 503, "timeout", "The question took too long"),
    (NotInstalledError, 501, "not-installed", "The server lacks a package for this"),
    (ModelMismatchError, 503, "model-mismatch", "The store's vectors come from another model"),
    (ModelError, 503, "model", "The embedding model cannot be used"),
    (StoreLockedError, 503, "store-locked", "Another process writes to the store"),
    (StoreFormatError, 503, "store-format", "The store cannot be opened"),
    (StoreCorruptError, 503, "store-corrupt", "A file of the store is damaged"),
    (StoreFullError, 507, "store-full", "No space is left to write"),
    (StoreReadOnlyError, 503, "store-read-only", "The store takes no changes now"),
    (StoreError, 503, "store", "The store cannot be used"),
)


def problem_of(error: NutgrafError) -> Problem:
    """The problem that tells a client of `error`."""
    status, kind, title = next(
        ((status, kind, title) for cls, status, kind, title in _KINDS if isinstance(error, cls)),
        (500, "error", "The request failed"),
    )
    bad_query = error if isinstance(error, BadQueryError) else None
    return Problem(
        type=f"{_URN}{kind}",
        title=title,
        status=status,
        detail=str(error),
        errors=[FieldProblem(field=bad_query.field, reason=bad_query.reason)]
        if bad_query
        else None,
        position=bad_query.position if bad_query else None,
    )


def problem_response(problem: Problem, headers: Mapping[str, str] = {}) -> JSONResponse:
    """`problem` as it travels; `headers` are added."""
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=problem.status,
        headers=dict(headers),
        media_type=MEDIA_TYPE,
    )


def note_problem(scope: Scope, problem: Problem) -> None:
    """Leave a word of what went wrong with a request, for `noted_problem`."""
    scope.setdefault("state", {})["problem"] = problem.type.removeprefix(_URN)


def noted_problem(scope: Scope) -> str:
    """The kind of problem that a request met, as its `type` ends; empty: none."""
    return str(scope.get("state", {}).get("problem", ""))


def declared(*statuses: int) -> dict[int | str, dict[str, object]]:
    """`responses=` of a route: these statuses, each a problem."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema, "example": _example(status)}},
        }
        for status in sorted(statuses)
    }


def install(app: FastAPI) -> None:
    """Have every error of `app` answered as a problem, with nothing of our insides in it."""

    @app.exception_handler(NutgrafError)
    def _nutgraf_error(request: Request, error: NutgrafError) -> JSONResponse:
        problem = problem_of(error)
        note_problem(request.scope, problem)
        if problem.status >= 500:
            logger.error("request failed type=%s detail=%s", problem.type, problem.detail)
        return problem_response(problem)

    @app.exception_handler(ProblemError)
    def _problem_error(request: Request, error: ProblemError) -> JSONResponse:
        note_problem(request.scope, error.problem)
        return problem_response(error.problem, error.headers)

    @app.exception_handler(RequestValidationError)
    def _invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(_invalid(error.errors()))

    @app.exception_handler(HTTPException)
    def _http_error(request: Request, error: HTTPException) -> JSONResponse:
        return problem_response(_plain(request, error), error.headers or {})

    @app.exception_handler(Exception)
    def _unexpected(_: Request, error: Exception) -> JSONResponse:
        # The server logs the traceback; the client gets none of it.
        return problem_response(_UNEXPECTED)


_UNEXPECTED = Problem(
    type=f"{_URN}unexpected",
    title="Something unexpected went wrong",
    status=500,
    detail="this is a fault of the program; its log has the details",
    errors=None,
    position=None,
)


def _invalid(errors: Sequence[Mapping[str, object]]) -> Problem:
    problems = [
        FieldProblem(field=_field(error["loc"]), reason=str(error["msg"])) for error in errors
    ]
    detail = "; ".join(f"{problem.field}: {problem.reason}" for problem in problems)
    return Problem(
        type=f"{_URN}invalid-request",
        title="The request is not as it must be",
        status=422,
        detail=detail,
        errors=problems,
        position=None,
    )


def _field(loc: object) -> str:
    # ("query", "outlet", 0): the first part says where, the second which.
    parts = loc if isinstance(loc, tuple) else (loc,)
    return str(parts[1] if len(parts) > 1 else parts[0])


def _plain(request: Request, error: HTTPException) -> Problem:
    details = {
        404: f"there is nothing at {request.url.path}; /openapi.json lists what there is",
        405: f"{request.method} is not for {request.url.path}; the header Allow says what is",
    }
    return Problem(
        type="about:blank",
        title=HTTPStatus(error.status_code).phrase,
        status=error.status_code,
        detail=details.get(error.status_code, str(error.detail)),
        errors=None,
        position=None,
    )


_EXAMPLES = {
    400: ("bad-json", "The body is no JSON", "line 3, column 9: Expecting value; send valid JSON"),
    401: (
        "unauthorized",
        "A key is needed",
        "this needs a key: send it as Authorization: Bearer KEY",
    ),
    403: (
        "forbidden",
        "Not allowed from here",
        "no key is set, so only this machine may write, under the name localhost or 127.0.0.1; "
        "set NUTGRAF_API_KEYS to write from elsewhere",
    ),
    404: ("not-found", "Not found", "no article has the id 'harbour-999'"),
    406: (
        "format",
        "There is no such format",
        "format: 'docx' is not among ris, bibtex, csl-json; /unapi lists them",
    ),
    410: (
        "cursor-expired",
        "The cursor has expired",
        "cursor: the view that it belongs to is no longer kept; ask again without a cursor",
    ),
    413: (
        "too-large",
        "The body is too large",
        "the body is larger than 64 MiB; send the articles in several requests",
    ),
    415: (
        "media-type",
        "The body's type is not taken",
        "send application/json or application/x-ndjson",
    ),
    422: (
        "bad-query",
        "The question or a filter is wrong",
        "from: '31/02/2019' is no date; write YYYY-MM-DD",
    ),
    429: (
        "too-many-requests",
        "Too many requests",
        "without a key, this address may ask 600 times a minute; wait 3 s and send it again",
    ),
    501: (
        "not-installed",
        "The server lacks a package for this",
        "format: parquet needs pyarrow, which is not installed here; "
        "run: pip install 'nutgraf[parquet]', or take csv or jsonl",
    ),
    503: (
        "store-read-only",
        "The store takes no changes now",
        "this server only answers questions; start one without --read-only to add articles",
    ),
    507: ("store-full", "No space is left to write", "free some space and send the articles again"),
}


def _example(status: int) -> dict[str, object]:
    kind, title, detail = _EXAMPLES[status]
    return {"type": f"{_URN}{kind}", "title": title, "status": status, "detail": detail}
