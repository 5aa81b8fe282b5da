"""HTTP under `/v1/export`: all that answers a question, as a file."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBearer
from pydantic import Field

from search.exports.export import ExportFormat, exported, require
from search.exports.export_name import content_disposition, file_name
from search.exports.provenance import Provenance, header_name
from search.http.access import Access
from search.http.archive import Archive
from search.http.etags import etag_of
from search.http.export_examples import content
from search.http.problems import declared
from search.question_query import QuestionQuery


class ExportQuery(QuestionQuery):
    """A question, and what its answer is written as."""

    format: ExportFormat = Field(
        ExportFormat.JSONL,
        description="jsonl: all that is known of each hit; ris, bibtex, csl-json: for reference "
        "managers; csv: for spreadsheets; parquet: for data frames, if the server has pyarrow.",
        examples=["csv"],
    )


def build_export(archive: Archive, access: Access) -> APIRouter:
    """The route of the export."""
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(
        prefix="/v1",
        tags=["questions"],
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses=declared(401, 422, 501, 503),
    )
    searcher = archive.searcher

    @router.get(
        "/export",
        summary="All that answers a question",
        description=(
            "The whole result set of a question, without a limit, in the order asked for: one "
            "record for each place in it, in the format asked for. Where a stored row is damaged "
            "the record says so, and so there are always as many as the header Nutgraf-Total "
            "says. What was asked, of which snapshot, and when, is in the first line of jsonl, in "
            "a note with each reference, in the last columns of csv, in the metadata of parquet, "
            "and in the headers. A cell of csv that a spreadsheet might take for a formula has a "
            "quote mark before it."
        ),
        response_class=StreamingResponse,
        responses={200: {"content": content(), "headers": _HEADERS}},
    )
    def export(request: Request, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
        require(query.format)
        whole = searcher.export(
            query.q,
            mode=query.mode,
            filters=query.filters(),
            sort=query.sort,
            effort=query.effort,
            group=query.group,
            as_of=query.day(),
        )
        provenance = Provenance.of(whole, datetime.now(UTC))
        return StreamingResponse(
            exported(whole, query.format, provenance, str(request.base_url)),
            media_type=query.format.media_type,
            headers={
                **provenance.headers(),
                "Content-Disposition": content_disposition(
                    file_name(provenance, query.format.suffix)
                ),
                "ETag": etag_of(whole.snapshot),
            },
        )

    return router


_HEADERS: Final[dict[str, Any]] = {
    header_name(name): {"description": description, "schema": {"type": "string"}}
    for name, description in {
        "total": "The records, as many as the result set has places.",
        "snapshot": "The view of the archive that answered.",
        "exported_at": "When, UTC.",
        "query": "The question, percent-encoded; not there if that has over 2,000 characters.",
        "mode": "As asked for; so are sort, effort and group.",
        "sort": "The order of the records.",
        "effort": "quick or thorough.",
        "group": "report or none.",
        "filters": "The filters as parameters; not there: none, or over 2,000 characters.",
        "as_of": "The day the archive is seen from; not there: today.",
    }.items()
}
