"""HTTP under `/v1/collections`: what readers marked, with their notes."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from index import collections
from index.collections import MAX_NAME_CHARS, MAX_NOTE_CHARS
from search.desk import collection, collection_file
from search.desk.collection_export import MEDIA_TYPES, SUFFIXES, CollectionFormat, exported
from search.desk.collection_file import CollectionFile
from search.http.access import Access
from search.http.archive import Archive
from search.http.collection_examples import EXAMPLE_EXPORTS
from search.http.collection_responses import (
    EXAMPLE_COLLECTION_ID,
    CollectionRemovedResponse,
    CollectionResponse,
    CollectionsResponse,
    MarkRemovedResponse,
    MarkResponse,
    TakenInResponse,
    WholeCollectionResponse,
)
from search.http.json_body import described_body, json_body
from search.http.problems import declared
from search.responses import EXAMPLE_PASSAGE_ID

_CollectionId = Annotated[
    str, Path(description="A collection's id.", examples=[EXAMPLE_COLLECTION_ID])
]
_MarkNumber = Annotated[
    int, Path(ge=1, lt=2**63, description="The number of a mark in it.", examples=[3])
]
_NEW: Final = "It is new."


class NameBody(BaseModel):
    """What a collection is called."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "Harbour closures"}}
    )

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARS)


class NoteBody(BaseModel):
    """What a mark says beside the quote."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"note": "Ask the company again."}}
    )

    note: str = Field(max_length=MAX_NOTE_CHARS, description="Empty: none.")


class MarkBody(BaseModel):
    """What to mark: a passage, a stretch of an article's text, or a whole article."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "passage": EXAMPLE_PASSAGE_ID,
                "note": "Against what the company said on Monday.",
            }
        },
    )

    passage: str | None = Field(None, description="A passage id; this or `article`.")
    article: str | None = Field(None, description="An article id, or its guid or URL.")
    start: int | None = Field(
        None,
        description="Span in the article's text, in code points; left out: the passage, or the "
        "whole article.",
    )
    end: int | None = Field(None, description="Its end, excluded.")
    note: str | None = Field(
        None,
        max_length=MAX_NOTE_CHARS,
        description="null: a mark that is there already keeps its own.",
    )


class ExportedQuery(BaseModel):
    """How to write a collection."""

    model_config = ConfigDict(extra="forbid")

    format: CollectionFormat = Field(
        CollectionFormat.JSON,
        description="json: all of it, as `/v1/collections/import` takes it; ris, bibtex, csl-json: "
        "for reference managers; csv: for spreadsheets; apa, iso690, chicago, mla: references as "
        "text, with what is quoted below.",
        examples=["ris"],
    )


def build_collections(archive: Archive, access: Access, max_body_bytes: int) -> APIRouter:
    """The routes of the collections."""
    router = APIRouter()
    router.include_router(_reading(archive, access))
    router.include_router(_writing(archive, access, max_body_bytes))
    return router


def _reading(archive: Archive, access: Access) -> APIRouter:
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(
        prefix="/v1/collections",
        tags=["collections"],
        dependencies=[Depends(access.may_read), Depends(bearer)],
        responses=declared(401, 422, 503),
    )
    searcher = archive.searcher

    @router.get("", summary="All collections")
    def listed() -> CollectionsResponse:
        return CollectionsResponse.of(collection.listed(searcher))

    @router.get(
        "/{id}",
        summary="A collection with its marks",
        description="Each mark tells whether the archive still says what it quotes.",
        responses=declared(404),
    )
    def whole(id: _CollectionId) -> WholeCollectionResponse:
        return WholeCollectionResponse.of(collection.whole(searcher, id))

    @router.get(
        "/{id}/export",
        summary="A collection in the formats of those who cite",
        description=(
            "A record for each mark, as it was cited on the day it was marked; where the article "
            "was edited since, or is no longer here, a note says so."
        ),
        response_class=Response,
        responses={
            200: {
                "content": {
                    media_type: {"schema": {"type": "string"}, "example": example}
                    for media_type, example in EXAMPLE_EXPORTS.items()
                }
            },
            **declared(404),
        },
    )
    def export(
        id: _CollectionId, request: Request, query: Annotated[ExportedQuery, Query()]
    ) -> Response:
        found = collection.whole(searcher, id)
        return Response(
            exported(found, query.format, str(request.base_url)),
            media_type=MEDIA_TYPES[query.format],
            headers={
                "Content-Disposition": "attachment; "
                f'filename="collection-{found.collection.id}.{SUFFIXES[query.format]}"'
            },
        )

    return router


def _writing(archive: Archive, access: Access, max_body_bytes: int) -> APIRouter:
    bearer = HTTPBearer(
        auto_error=False, description="Needed unless no key is set and you are on this machine."
    )
    router = APIRouter(
        prefix="/v1/collections",
        tags=["collections"],
        dependencies=[Depends(access.may_write), Depends(bearer)],
        responses=declared(401, 403, 422, 503, 507),
    )
    searcher = archive.searcher

    @router.post(
        "",
        summary="Make a collection",
        description="The one of this name is answered if it is there already.",
        responses={201: _new(CollectionResponse), **declared(413, 415)},
        openapi_extra=described_body(NameBody),
    )
    def make(
        response: Response,
        asked: Annotated[NameBody, Depends(json_body(NameBody, max_body_bytes))],
    ) -> CollectionResponse:
        with archive.desk() as truth:
            made, is_new = collections.make(truth, asked.name)
            marks, _ = collections.marks(truth, made.id)
        response.status_code = 201 if is_new else 200
        return CollectionResponse.of(made, len(marks))

    @router.post(
        "/import",
        summary="Take in a collection",
        description=(
            "Its marks are added to the collection of its name, which is made if there is none: "
            "all of them, or none. The same document sent again changes nothing."
        ),
        responses={201: _new(TakenInResponse), **declared(413, 415)},
        openapi_extra=described_body(CollectionFile),
    )
    def take_in(
        response: Response,
        file: Annotated[CollectionFile, Depends(json_body(CollectionFile, max_body_bytes))],
    ) -> TakenInResponse:
        with archive.desk() as truth:
            into, is_new, added = collection_file.take_in(truth, file)
        response.status_code = 201 if is_new else 200
        return TakenInResponse.of(into, added, len(file.marks) - added)

    @router.patch(
        "/{id}",
        summary="Rename a collection",
        responses=declared(404, 413, 415),
        openapi_extra=described_body(NameBody),
    )
    def rename(
        id: _CollectionId,
        asked: Annotated[NameBody, Depends(json_body(NameBody, max_body_bytes))],
    ) -> CollectionResponse:
        with archive.desk() as truth:
            renamed = collections.rename(truth, id, asked.name)
            marks, _ = collections.marks(truth, renamed.id)
        return CollectionResponse.of(renamed, len(marks))

    @router.delete("/{id}", summary="Remove a collection and its marks", responses=declared(404))
    def remove(id: _CollectionId) -> CollectionRemovedResponse:
        with archive.desk() as truth:
            collections.remove(truth, id)
        return CollectionRemovedResponse(id=id)

    @router.post(
        "/{id}/marks",
        summary="Mark a passage, a stretch of text or an article",
        description=(
            "The same stretch is marked once: marked again, its note is replaced if one is sent."
        ),
        responses={201: _new(MarkResponse), **declared(404, 413, 415)},
        openapi_extra=described_body(MarkBody),
    )
    def mark(
        id: _CollectionId,
        response: Response,
        asked: Annotated[MarkBody, Depends(json_body(MarkBody, max_body_bytes))],
    ) -> MarkResponse:
        archive.may_write()
        stretch = collection.stretch(
            searcher,
            passage=asked.passage,
            article=asked.article,
            start=asked.start,
            end=asked.end,
        )
        with archive.desk() as truth:
            made, is_new = collections.put(truth, id, stretch, asked.note)
        response.status_code = 201 if is_new else 200
        return MarkResponse.of(collection.standing(searcher, made))

    @router.patch(
        "/{id}/marks/{number}",
        summary="Change a mark's note",
        responses=declared(404, 413, 415),
        openapi_extra=described_body(NoteBody),
    )
    def annotate(
        id: _CollectionId,
        number: _MarkNumber,
        asked: Annotated[NoteBody, Depends(json_body(NoteBody, max_body_bytes))],
    ) -> MarkResponse:
        with archive.desk() as truth:
            noted = collections.annotate(truth, id, number, asked.note)
        return MarkResponse.of(collection.standing(searcher, noted))

    @router.delete("/{id}/marks/{number}", summary="Remove a mark", responses=declared(404))
    def unmark(id: _CollectionId, number: _MarkNumber) -> MarkRemovedResponse:
        with archive.desk() as truth:
            collections.unmark(truth, id, number)
        return MarkRemovedResponse(id=id, number=number)

    return router


def _new(model: type[BaseModel]) -> dict[str, Any]:
    return {"model": model, "description": _NEW}
