"""HTTP for what someone cites: a passage under `/v1/cite`, all else below its article."""

import json
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from search.exports.export_name import content_disposition
from search.http import cite_example
from search.http.access import Access
from search.http.archive import Archive
from search.http.cite_responses import CiteResponse
from search.http.ending_apart import EndingApart
from search.http.problems import declared
from search.references.cite import Cited, Standing, span_of
from search.references.reference_formats import Format, references
from search.references.reference_styles import Style
from search.responses import EXAMPLE_PASSAGE_ID

_IN_WORDS: Final = frozenset(style.value for style in Style)


class CiteQuery(BaseModel):
    """A stretch of the text, and the format of the reference."""

    model_config = ConfigDict(extra="forbid")

    start: int | None = Field(
        None,
        ge=0,
        description="With `end`: cite this stretch of the article's text, in code points. Of a "
        "passage that was edited: of the text that had it.",
        examples=[80],
    )
    end: int | None = Field(None, ge=1, description="End of the stretch, excluded.", examples=[105])
    format: Format | None = Field(
        None,
        description="Give the reference in this format and nothing else; left out: in all of them, "
        "and what became of what is cited.",
        examples=["ris"],
    )


def build_cite(archive: Archive, access: Access) -> APIRouter:
    """The routes of citing; to be included before that of an article, which takes any path."""
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(
        prefix="/v1",
        tags=["citing"],
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses={
            **declared(401, 404, 422, 503),
            200: {"content": {each.media_type: described(each) for each in Format}},
        },
    )
    below_articles = APIRouter(prefix="/articles", route_class=EndingApart)
    searcher = archive.searcher

    @below_articles.get(
        "/{id:path}/cite",
        summary="Cite an article, or a stretch of its text",
        description="Without `start` and `end` the whole article is cited, without a quote.",
        response_model=CiteResponse,
    )
    def cite_article(
        id: Annotated[
            str,
            Path(
                description="An article id, or its guid or URL, percent-encoded.",
                examples=["harbour-041"],
            ),
        ],
        request: Request,
        query: Annotated[CiteQuery, Query()],
    ) -> Response | CiteResponse:
        return _answer(searcher.cited_article(id, span_of(query.start, query.end)), query, request)

    @router.get(
        "/cite/{id}",
        summary="What became of a passage, and how it is cited",
        description=(
            "While a passage is unchanged it has the same id. One that was edited is put beside "
            "what stands in its place now, and that is what the references are of; of an article "
            "that was withdrawn nothing is told but when."
        ),
        response_model=CiteResponse,
    )
    def cite_passage(
        id: Annotated[
            str,
            Path(
                description="A passage id, of now or of any time before.",
                examples=[EXAMPLE_PASSAGE_ID],
            ),
        ],
        request: Request,
        query: Annotated[CiteQuery, Query()],
    ) -> Response | CiteResponse:
        return _answer(searcher.cited_passage(id, span_of(query.start, query.end)), query, request)

    router.include_router(below_articles)
    return router


def _answer(cited: Cited, query: CiteQuery, request: Request) -> Response | CiteResponse:
    base_url = str(request.base_url)
    if query.format is None:
        return CiteResponse.of(cited, date.today(), base_url)
    return reference(cited.standing(), query.format, base_url)


def reference(now: Standing, format: Format, base_url: str) -> Response:
    """A reference in one format, and nothing else: a file to be saved, or words to be read."""
    citation = now.citation(date.today(), base_url)
    headers = {}
    if format not in _IN_WORDS:
        name = f"{citation.id.replace(':', '-')}{format.suffix}"
        headers["Content-Disposition"] = content_disposition(name)
    return Response(references([citation], format), media_type=format.media_type, headers=headers)


def described(format: Format) -> dict[str, Any]:
    """What a format looks like, for the OpenAPI document: as it is really written."""
    citation = cite_example.NOW.citation(cite_example.ACCESSED, cite_example.BASE_URL)
    written = references([citation], format)
    if format is Format.CSL_JSON:
        items = {"type": "array", "items": {"type": "object"}}
        return {"schema": items, "example": json.loads(written)}
    return {"schema": {"type": "string"}, "example": written}
