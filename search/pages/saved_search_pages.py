"""The page of the saved searches: what is watched, and what has come in since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.templating import Jinja2Templates

from index.errors import BadQueryError, NutgrafError
from search.desk import alerts, saved_search
from search.desk.alerts import Item, Watched
from search.desk.saved_search import SavedQuestion
from search.http.access import Access
from search.http.archive import Archive
from search.http.problems import problem_of
from search.pages.page import environment
from search.pages.page_forms import SentForm, go_to, sent_form
from search.searcher import Searcher

_NEWEST: Final = 5  # entries listed of each search; its feed has all
_LISTS: Final = ("outlet", "byline", "section", "language")
_SINGLE: Final = ("from", "to", "mode", "sort", "group")

_Form = Annotated[SentForm, Depends(sent_form)]


@dataclass(frozen=True, slots=True)
class WatchedView:
    """A saved search as the page shows it."""

    watched: Watched
    url: str  # of the search page, asked the same
    conditions: str  # its filters in words; empty: none
    newest: Sequence[Item]  # the newest first


def question_of(form: SentForm) -> SavedQuestion:
    """The question that the fields of the search page ask.

    Raises:
        BadQueryError: it is none; or it looks back to a day, which no later article can change.
    """
    if form.text("as_of"):
        raise BadQueryError(
            "as_of",
            "a saved search waits for what is yet to come, and nothing comes to a day gone by",
            "take the day out and save it again",
        )
    fields: dict[str, object] = {name: given for name in _SINGLE if (given := form.text(name))}
    for name in _LISTS:
        values = [value.strip() for value in form.fields.get(name, ()) if value.strip()]
        if values:
            fields[name] = values
    return SavedQuestion.checked(q=form.text("q"), **fields)


def conditions_in_words(question: SavedQuestion) -> str:
    """`outlet The Islander or Northport Courier; from 2025-03-01`; empty: no filter."""
    parts = [
        f"{name} {' or '.join(values)}" for name in _LISTS if (values := getattr(question, name))
    ]
    bounds = (("from", question.published_from), ("to", question.published_to))
    return "; ".join([*parts, *(f"{name} {day}" for name, day in bounds if day)])


def build_saved_search_pages(archive: Archive, access: Access) -> APIRouter:
    """The routes under `/searches`."""
    router = APIRouter(prefix="/searches", include_in_schema=False)
    writes = [Depends(access.may_write_from_page)]
    templates = Jinja2Templates(env=environment())
    searcher = archive.searcher

    def render(request: Request, name: str, status: int = 200, **context: object) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status)

    def refused(request: Request, error: NutgrafError, back: str) -> Response:
        status = problem_of(error).status
        return render(request, "refused.html", status, error=str(error), back=back)

    @router.get("", dependencies=[Depends(access.may_read)])
    def searches_page(request: Request) -> Response:
        searches = [_view(searcher, watched) for watched in alerts.watch_all(searcher)]
        return render(
            request, "searches.html", searches=searches, is_read_only=archive.is_read_only
        )

    @router.post("", dependencies=writes)
    def save(request: Request, form: _Form) -> Response:
        try:
            archive.may_write()
            question = question_of(form)
            name = form.text("name") or question.q[: saved_search.MAX_NAME_LENGTH]
            kept, _ = saved_search.save(searcher, archive.desk, name, question)
        except NutgrafError as error:
            return refused(request, error, "/")
        return go_to(f"/searches#{kept.id}")

    @router.post("/{id}/remove", dependencies=writes)
    def remove(request: Request, id: str) -> Response:
        try:
            archive.may_write()
            saved_search.forget(archive.desk, id)
        except NutgrafError as error:
            return refused(request, error, "/searches")
        return go_to("/searches")

    return router


def _view(searcher: Searcher, watched: Watched) -> WatchedView:
    first = max(watched.total - _NEWEST, 0)
    newest = alerts.items(searcher, watched, first, watched.total)
    question = watched.search.question
    return WatchedView(
        watched, f"/?{question.parameters()}", conditions_in_words(question), newest[::-1]
    )
