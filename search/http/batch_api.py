"""HTTP under `/v1/batch`: many questions in one request."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBearer
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from search.desk.batch import COLUMNS, Asking, Row, rows_of
from search.desk.batch_questions import Layout, read_questions
from search.desk.batch_table import Format, encoded, head
from search.http.access import Access
from search.http.archive import Archive
from search.http.bodies import spool
from search.http.problems import ProblemError, declared
from search.question_query import AnswerQuery
from search.searcher import Searcher

# With a thorough look some minutes of one processor; who has more can see each request through.
MAX_QUESTIONS: Final = 1_000
MAX_HITS: Final = 100

_NAME: Final = "body"
_LAYOUTS: Final = {
    "text/csv": Layout.CSV,
    "text/plain": Layout.LIST,
    "application/x-ndjson": Layout.JSON_LINES,
}


class BatchQuery(AnswerQuery):
    """How the questions of a batch are asked; a filter that a question has itself goes before."""

    k: int = Field(
        10, ge=1, le=MAX_HITS, description="Hits for each question, at most.", examples=[3]
    )
    format: Format = Field(
        Format.CSV,
        description="csv: for spreadsheets, with a byte order mark; jsonl: an object a row.",
        examples=["jsonl"],
    )

    def asking(self) -> Asking:
        """The same, read; BadQueryError when a filter or the day is none."""
        return Asking(
            k=self.k,
            mode=self.mode,
            filters=self.filters(),
            sort=self.sort,
            effort=self.effort,
            group=self.group,
            as_of=self.day(),
        )


def build_batch(archive: Archive, access: Access, max_body_bytes: int) -> APIRouter:
    """The route that answers many questions."""
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(
        prefix="/v1/batch",
        tags=["questions"],
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses=declared(401, 413, 415, 422, 503),
    )
    searcher = archive.searcher

    @router.post(
        "",
        summary="Ask many questions",
        description=(
            f"Up to {MAX_QUESTIONS:,} questions, as CSV with a column question (or query, q, "
            "name), as a list with one question a line, or as JSON Lines. The columns or fields "
            "id, from, to, outlet, byline, section, language and mode hold for their own "
            "question; several outlets and the like stand between `;` in CSV, in a list in JSON. "
            "Each question gets a row for each of its hits, or one row if it has none; a line "
            "that cannot be asked has a row whose `problem` says why. Rows come as soon as they "
            "are known. A cell of csv that a spreadsheet might take for a formula has a quote "
            "mark before it."
        ),
        response_class=StreamingResponse,
        responses={200: {"content": _ANSWERS}},
        openapi_extra={"requestBody": {"required": True, "content": _QUESTIONS}},
    )
    async def batch(request: Request, query: Annotated[BatchQuery, Query()]) -> StreamingResponse:
        layout = _layout(request.headers.get("content-type", ""))
        asking = query.asking()
        length = request.headers.get("content-length")
        body = await spool(request.stream(), length, max_body_bytes)
        try:
            rows = await run_in_threadpool(
                _begun, body, layout, asking, query.format, searcher, str(request.base_url)
            )
        except BaseException:
            body.close()
            raise
        return StreamingResponse(
            rows,
            media_type=query.format.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="nutgraf-batch.{query.format.value}"'
            },
        )

    return router


def _layout(content_type: str) -> Layout:
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        return _LAYOUTS[media_type]
    except KeyError:
        *others, last = _LAYOUTS
        raise ProblemError(
            415,
            "media-type",
            "The body's type is not taken",
            f"Content-Type is {media_type!r}; send {', '.join(others)} or {last}",
        ) from None


def _begun(
    body: IO[bytes],
    layout: Layout,
    asking: Asking,
    format: Format,
    searcher: Searcher,
    base_url: str,
) -> Iterator[bytes]:
    """The table of a batch, whose first question is answered: what is wrong with all is known."""
    _check_count(body, layout)
    rows = _rows(body, layout, asking, format, searcher, base_url)
    return chain(list(islice(rows, 2)), rows)


def _check_count(body: IO[bytes], layout: Layout) -> None:
    count = sum(1 for _ in islice(read_questions(body, _NAME, layout), MAX_QUESTIONS + 1))
    body.seek(0)
    if count > MAX_QUESTIONS:
        raise ProblemError(
            413,
            "too-many-questions",
            "Too many questions for one request",
            f"there are more than {MAX_QUESTIONS:,} questions; send them in several requests",
        )


def _rows(
    body: IO[bytes],
    layout: Layout,
    asking: Asking,
    format: Format,
    searcher: Searcher,
    base_url: str,
) -> Iterator[bytes]:
    with body:
        yield head(format)
        for question in read_questions(body, _NAME, layout):
            yield encoded(rows_of(question, asking, searcher, base_url), format)


_QUESTIONS: Final[dict[str, Any]] = {
    "text/csv": {
        "schema": {"type": "string", "description": "A header, then a question a row."},
        "example": "id,question,from\r\n1,When does the ferry sail?,2025-03-01\r\n",
    },
    "text/plain": {
        "schema": {"type": "string", "description": "A question a line."},
        "example": "When does the ferry sail?\nWho is harbour master of Northport?\n",
    },
    "application/x-ndjson": {
        "schema": {"type": "string", "description": "An object a line, each with a question."},
        "example": '{"id": "1", "question": "When does the ferry sail?", "from": "2025-03-01"}\n',
    },
}
_EXAMPLE_ROW: Final[Row] = {
    "line": 2,
    "id": "1",
    "question": "When will the tunnel open?",
    "verdict": "none",
    "verdict_probability": 0.02,
    "total": 0,
    "snapshot": "42.7.412",
}
_EXAMPLE: Final[list[Row]] = [{**dict.fromkeys(COLUMNS), **_EXAMPLE_ROW}]
_ANSWERS: Final[dict[str, Any]] = {
    format.media_type: {
        "schema": {"type": "string"},
        "example": (head(format) + encoded(_EXAMPLE, format)).decode(),
    }
    for format in Format
}
