"""The citation panel: what is cited, what has become of it, and every reference to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel

from index.collections import MAX_NAME_CHARS, MAX_NOTE_CHARS
from index.errors import NotFoundError, NutgrafError
from search.coverage.alignment import Op
from search.desk import collection
from search.http.access import Access
from search.http.archive import Archive
from search.http.ending_apart import EndingApart
from search.http.problems import problem_of
from search.pages.page import Piece, environment, stretches
from search.references.cite import Cited, Standing, span_of
from search.references.reference_formats import Format, references
from search.references.selectors import selectors
from search.searcher import Searcher

Formats = Sequence[tuple[Format, str]]

# (format, as the page calls it)
_IN_WORDS: Final = (
    (Format.APA, "APA 7"),
    (Format.CHICAGO, "Chicago"),
    (Format.MLA, "MLA 9"),
    (Format.ISO690, "ISO 690"),
)
_FOR_PROGRAMS: Final = (
    (Format.RIS, "RIS, for Zotero, EndNote, Citavi"),
    (Format.BIBTEX, "BibTeX"),
    (Format.CSL_JSON, "CSL-JSON"),
)


class CitePageQuery(BaseModel):
    """What of the article is cited: a passage, a stretch of its text, or all of it."""

    passage: str = ""
    start: int | None = None  # span in the article's text, in code points, end excluded
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in one style or format."""

    name: str  # of the format
    label: str
    text: str
    download_url: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a passage said and what stands there now; marked is what the other has not."""

    version: int  # of the article that said it
    before: tuple[Piece, ...]
    now: tuple[Piece, ...]  # empty: nothing like it stands there
    is_verbatim: bool  # the same words still stand in the article


def change_of(cited: Cited) -> Change | None:
    """What was done to a passage that was edited; None: it was not, or what it said is not kept."""
    if cited.edited is None or cited.edited.said is None or cited.now is None:
        return None
    said, alignment = cited.edited.said, cited.edited.alignment
    if alignment is None:
        return Change(said.version, (Piece(said.text, marked=True),), (), is_verbatim=False)
    text = _quote(cited.now)
    edits = [edit for edit in alignment.edits if edit.op is not Op.MOVED]
    return Change(
        said.version,
        _marked(said.text, [edit.original for edit in edits]),
        _marked(text, [edit.copy for edit in edits]),
        is_verbatim=not alignment.edits,
    )


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    return tuple(
        piece for stretch in stretches(text, spans, (0, len(text))) for piece in stretch.pieces
    )


def build_cite_page(archive: Archive, access: Access) -> APIRouter:
    """The route `/articles/{id}/cite`; it must stand before that of the articles themselves."""
    router = APIRouter(
        dependencies=[Depends(access.may_read)],
        include_in_schema=False,
        route_class=EndingApart,
    )
    templates = Jinja2Templates(env=environment())
    searcher = archive.searcher

    def render(request: Request, name: str, status: int = 200, **context: object) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status)

    @router.get("/articles/{id:path}/cite")
    def cite_page(request: Request, id: str, query: Annotated[CitePageQuery, Query()]) -> Response:
        back = f"/articles/{quote(id, safe='')}"
        if query.passage:
            back += f"#{quote(query.passage, safe='')}"
        try:
            cited = _cited(searcher, id, query)
        except NotFoundError as error:
            return render(request, "missing.html", 404, error=str(error), back="/", withdrawn=None)
        except NutgrafError as error:
            status = problem_of(error).status
            return render(request, "refused.html", status, error=str(error), back=back)
        now = cited.now
        base_url = str(request.base_url)
        return render(
            request,
            "cite.html",
            back=back,
            cited=cited,
            now=now,
            citation=now.citation(date.today(), base_url) if now else None,
            change=change_of(cited),
            in_words=_references(now, base_url, _IN_WORDS) if now else (),
            for_programs=_references(now, base_url, _FOR_PROGRAMS) if now else (),
            selectors=_selectors(now) if now and now.end else "",
            collections=collection.listed(searcher),
            is_read_only=archive.is_read_only,
            most_name=MAX_NAME_CHARS,
            most_note=MAX_NOTE_CHARS,
        )

    return router


def _cited(searcher: Searcher, id: str, query: CitePageQuery) -> Cited:
    if query.passage:
        return searcher.cited_passage(query.passage, span_of(query.start, query.end))
    return searcher.cited_article(id, span_of(query.start, query.end))


def _references(now: Standing, base_url: str, formats: Formats) -> list[Reference]:
    citation = now.citation(date.today(), base_url)
    return [
        Reference(format.value, label, references([citation], format).strip(), _file(now, format))
        for format, label in formats
    ]


def _file(now: Standing, format: Format) -> str:
    """Where the reference can be downloaded."""
    span = {"start": now.start, "end": now.end} if now.end else {}
    query = urlencode({**span, "format": format.value})
    return f"/v1/articles/{quote(now.article.id, safe='')}/cite?{query}"


def _quote(now: Standing) -> str:
    return now.article.text[now.start : now.end]


def _selectors(now: Standing) -> str:
    found = selectors(now.article.text, now.start, now.end)
    return json.dumps(found, ensure_ascii=False, indent=2)
