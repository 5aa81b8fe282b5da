"""unAPI, by which reference managers take references from a page: `/unapi`.

A page names passages and articles by `<abbr class="unapi-id" title="ID">`, and this address by
`<link rel="unapi-server">`.
Source: http://unapi.info/specs/, version 1; names of formats as Zotero's translator knows them.
"""

from typing import Annotated, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPBearer

from index.errors import BadQueryError
from search.http.access import Access
from search.http.archive import Archive
from search.http.cite_api import described, reference
from search.http.problems import ProblemError, declared
from search.references.reference_formats import Format
from search.responses import EXAMPLE_PASSAGE_ID

_XML: Final = "application/xml"
# The best first: a reader takes the first that it knows.
_FORMATS: Final = {
    Format.RIS: "https://en.wikipedia.org/wiki/RIS_(file_format)",
    Format.BIBTEX: "https://www.bibtex.org/Format/",
    Format.CSL_JSON: "https://github.com/citation-style-language/schema",
}


def build_unapi(archive: Archive, access: Access) -> APIRouter:
    """The route `/unapi`."""
    bearer = HTTPBearer(
        auto_error=False, description="Needed when the server can be reached from elsewhere."
    )
    router = APIRouter(tags=["citing"], dependencies=[Depends(access.may_read), Depends(bearer)])
    searcher = archive.searcher

    @router.get(
        "/unapi",
        summary="References for reference managers, by unAPI",
        description=(
            "Without parameters the formats there are; with `id` those of a passage or an "
            "article; with both `id` and `format` the reference."
        ),
        response_class=Response,
        responses={
            200: {
                "content": {
                    _XML: {"schema": {"type": "string"}, "example": formats_xml()},
                    **{each.media_type: described(each) for each in _FORMATS},
                }
            },
            300: {
                "description": "The formats of what has this id.",
                "content": {
                    _XML: {
                        "schema": {"type": "string"},
                        "example": formats_xml(EXAMPLE_PASSAGE_ID),
                    }
                },
            },
            **declared(401, 404, 406, 422, 503),
        },
    )
    def unapi(
        request: Request,
        id: Annotated[
            str | None,
            Query(description="A passage or article id.", examples=[EXAMPLE_PASSAGE_ID]),
        ] = None,
        format: Annotated[
            str | None, Query(description="A name from the list of formats.", examples=["ris"])
        ] = None,
    ) -> Response:
        if id is None:
            if format is not None:
                raise BadQueryError("id", "it is missing", "give it with the format")
            return Response(formats_xml(), media_type=_XML)
        cited = searcher.cited(id)
        now = cited.standing()
        if format is None:
            # A guid by which an article was found may hold what XML does not.
            named = id if id.isprintable() else cited.article_id
            return Response(formats_xml(named), status_code=300, media_type=_XML)
        return reference(now, _named(format), str(request.base_url))

    return router


def formats_xml(id: str | None = None) -> str:
    """The list of formats, of what has this id if one is given."""
    formats = Element("formats", {} if id is None else {"id": id})
    for format, docs in _FORMATS.items():
        SubElement(formats, "format", name=format.value, type=format.media_type, docs=docs)
    return tostring(formats, encoding="unicode", xml_declaration=True)


def _named(name: str) -> Format:
    for format in _FORMATS:
        if format.value == name:
            return format
    raise ProblemError(
        406,
        "format",
        "There is no such format",
        f"format: {name!r} is not among {', '.join(_FORMATS)}; /unapi lists them",
    )
