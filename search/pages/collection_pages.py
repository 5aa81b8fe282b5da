"""The pages of the collections: what a reader keeps, with notes, and what has become of it."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.templating import Jinja2Templates

from index import collections
from index.collections import MAX_NAME_CHARS, MAX_NOTE_CHARS
from index.errors import NotFoundError, NutgrafError
from search.desk import collection
from search.desk.collection import StandingMark
from search.desk.collection_export import CollectionFormat
from search.http.access import Access
from search.http.archive import Archive
from search.http.problems import problem_of
from search.pages.page import environment
from search.pages.page_forms import SentForm, go_to, sent_form
from search.references.cite import Status

# (format, as the page calls it)
_EXPORTS: Final = (
    (CollectionFormat.APA, "APA 7"),
    (CollectionFormat.CHICAGO, "Chicago"),
    (CollectionFormat.MLA, "MLA 9"),
    (CollectionFormat.ISO690, "ISO 690"),
    (CollectionFormat.RIS, "RIS"),
    (CollectionFormat.BIBTEX, "BibTeX"),
    (CollectionFormat.CSL_JSON, "CSL-JSON"),
    (CollectionFormat.CSV, "CSV"),
    (CollectionFormat.JSON, "JSON, to be imported elsewhere"),
)
_STANDINGS: Final = {
    Status.UNCHANGED: "The article still says this",
    Status.EDITED: "The article has been edited, and says this no longer in its place",
    Status.WITHDRAWN: "The article is no longer in the archive",
}

_Form = Annotated[SentForm, Depends(sent_form)]


def mark_url(standing: StandingMark) -> str:
    """The query and fragment, behind an article's page, of where it says what was marked."""
    now, passage = standing.standing, standing.mark.marked.passage_id
    if now.start is None or now.end is None:
        return ""
    fragment = f"#{passage}" if passage and now.status is Status.UNCHANGED else ""
    return f"?{urlencode({'start': now.start, 'end': now.end})}{fragment}"


def cite_query(standing: StandingMark) -> str:
    """The query of the citation panel, behind an article's page, for what was marked."""
    now, passage = standing.standing, standing.mark.marked.passage_id
    if now.status is Status.UNCHANGED and now.start is not None:
        return f"?{urlencode({'start': now.start, 'end': now.end})}"
    return f"?{urlencode({'passage': passage})}" if passage else ""


def build_collection_pages(archive: Archive, access: Access) -> APIRouter:
    """The routes under `/collections`."""
    router = APIRouter(prefix="/collections", include_in_schema=False)
    reads = [Depends(access.may_read)]
    writes = [Depends(access.may_write_from_page)]
    env = environment()
    env.globals["mark_url"] = mark_url
    env.globals["cite_query"] = cite_query
    templates = Jinja2Templates(env=env)
    searcher = archive.searcher

    def render(request: Request, name: str, status: int = 200, **context: object) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status)

    def refused(request: Request, error: NutgrafError, back: str) -> Response:
        status = problem_of(error).status
        return render(request, "refused.html", status, error=str(error), back=back)

    @router.get("", dependencies=reads)
    def collections_page(request: Request) -> Response:
        return render(
            request,
            "collections.html",
            collections=collection.listed(searcher),
            is_read_only=archive.is_read_only,
            most_name=MAX_NAME_CHARS,
        )

    @router.get("/{id}", dependencies=reads)
    def collection_page(request: Request, id: str) -> Response:
        try:
            whole = collection.whole(searcher, id)
        except NotFoundError as error:
            return render(request, "missing_collection.html", 404, error=str(error))
        return render(
            request,
            "collection.html",
            collection=whole.collection,
            marks=whole.marks,
            omitted=whole.omitted,
            exports=_EXPORTS,
            standings=_STANDINGS,
            is_read_only=archive.is_read_only,
            most_name=MAX_NAME_CHARS,
            most_note=MAX_NOTE_CHARS,
        )

    @router.post("", dependencies=writes)
    def make(request: Request, form: _Form) -> Response:
        """A collection of the name given, or the one chosen; with a mark, if one is named."""
        id = form.text("collection")
        try:
            archive.may_write()
            marked = (
                collection.stretch(
                    searcher,
                    article=form.text("article"),
                    start=form.whole_number("start"),
                    end=form.whole_number("end"),
                )
                if form.text("article")
                else None
            )
            with archive.desk() as truth:
                id = id or collections.make(truth, form.text("name"))[0].id
                if marked:
                    mark, _ = collections.put(truth, id, marked, form.text("note") or None)
        except NutgrafError as error:
            return refused(request, error, "/collections")
        return go_to(f"/collections/{id}#mark-{mark.number}" if marked else f"/collections/{id}")

    @router.post("/{id}", dependencies=writes)
    def rename(request: Request, id: str, form: _Form) -> Response:
        try:
            with archive.desk() as truth:
                collections.rename(truth, id, form.text("name"))
        except NutgrafError as error:
            return refused(request, error, f"/collections/{id}")
        return go_to(f"/collections/{id}")

    @router.post("/{id}/remove", dependencies=writes)
    def remove(request: Request, id: str) -> Response:
        try:
            with archive.desk() as truth:
                collections.remove(truth, id)
        except NutgrafError as error:
            return refused(request, error, "/collections")
        return go_to("/collections")

    @router.post("/{id}/marks", dependencies=writes)
    def put(request: Request, id: str, form: _Form) -> Response:
        """Marks what a reader names by its id: a passage, or an article."""
        try:
            archive.may_write()
            marked = collection.named(
                searcher,
                form.text("cited"),
                start=form.whole_number("start"),
                end=form.whole_number("end"),
            )
            with archive.desk() as truth:
                mark, _ = collections.put(truth, id, marked, form.text("note") or None)
        except NutgrafError as error:
            return refused(request, error, f"/collections/{id}")
        return go_to(f"/collections/{id}#mark-{mark.number}")

    @router.post("/{id}/marks/{number}", dependencies=writes)
    def annotate(request: Request, id: str, number: int, form: _Form) -> Response:
        try:
            with archive.desk() as truth:
                collections.annotate(truth, id, number, form.text("note"))
        except NutgrafError as error:
            return refused(request, error, f"/collections/{id}")
        return go_to(f"/collections/{id}#mark-{number}")

    @router.post("/{id}/marks/{number}/remove", dependencies=writes)
    def unmark(request: Request, id: str, number: int) -> Response:
        try:
            with archive.desk() as truth:
                collections.unmark(truth, id, number)
        except NutgrafError as error:
            return refused(request, error, f"/collections/{id}")
        return go_to(f"/collections/{id}")

    return router
