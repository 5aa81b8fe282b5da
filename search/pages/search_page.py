"""The page of a question: a search box, hits with their sources, and what they are made of.

The second look that `Effort.THOROUGH` gives takes most of the time, so the page is sent in two
parts: what stands above the answer at once, the answer when it is there.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from jinja2 import Environment

from index.errors import BadQueryError, NutgrafError
from search.grouping import Group
from search.http.access import Access
from search.http.archive import Archive
from search.http.metrics import Metrics
from search.http.problems import problem_of
from search.pages.narrowing import active_filters, facet_views, histogram_view
from search.pages.page import environment
from search.pages.page_query import EFFORT, FILTERS, PageQuery, answer_to, url_of
from search.query import Mode, parse
from search.result_set import Answer, Sort
from search.searcher import Searcher

# An answer that comes sooner is sent with the page in one piece, and an error with its status.
# Later than this, a reader would see that the page does not come.
_PATIENCE_S: Final = 0.03
_ASKED_AT_ONCE: Final = 40  # as many as there are threads for requests
# Stands in the template where the page may be cut in two. A question that reads the same would only
# have it cut once more.
_CUT: Final = "\x00cut\x00"
_FORMATS: Final = (
    ("ris", "RIS"),
    ("bibtex", "BibTeX"),
    ("csl-json", "CSL-JSON"),
    ("csv", "CSV table"),
    ("jsonl", "JSON Lines"),
    ("parquet", "Parquet"),
)
_ORDERS: Final = ((Sort.RELEVANCE, "Best"), (Sort.NEWEST, "Newest"), (Sort.OLDEST, "Oldest"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a question came to: an answer, or the reason why there is none."""

    answer: Answer | None
    error: str
    status: int


def build_search_page(archive: Archive, access: Access, metrics: Metrics) -> APIRouter:
    """The route `/`; what its questions take is counted in `metrics`."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    env = _environment()
    searcher = archive.searcher
    pool = ThreadPoolExecutor(_ASKED_AT_ONCE, thread_name_prefix="page")

    def outcome(query: PageQuery | None) -> Outcome:
        found = outcome_of(searcher, query)
        if found.answer:
            metrics.count_stages(found.answer.trace)
        return found

    @router.get("/")
    def search_page(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
        is_asked = bool(query.q.strip())
        # The deadline of this request is in its context.
        asked = pool.submit(copy_context().run, outcome, query if is_asked else None)
        try:
            status = asked.result(_patience_s(query)).status
        except TimeoutError:
            status = 200
        page = env.get_template("search.html").generate(
            query=query,
            is_asked=is_asked,
            outcome=asked.result,
            status=searcher.status,
            active=active_filters(query),
            may_save=not archive.is_read_only,
        )
        return StreamingResponse(_in_parts(page), status, media_type="text/html")

    return router


def outcome_of(searcher: Searcher, query: PageQuery | None) -> Outcome:
    """What `query` comes to; with none, nothing."""
    if query is None:
        return Outcome(None, "", 200)
    try:
        answer = answer_to(query, searcher, cursor=query.cursor, facets=True)
    except NutgrafError as failure:
        return Outcome(None, str(failure), problem_of(failure).status)
    return Outcome(answer, "", 200)


def _patience_s(query: PageQuery) -> float | None:
    """How long to wait for the answer before the page begins; None: until it is there.

    What may be an error must have its status: a mistake in the question, or a cursor, whose result
    set is mostly there.
    """
    if query.cursor:
        return None
    try:
        query.filters()
        query.day()
        parse(query.q, mode=query.mode, today=date.today())
    except BadQueryError:
        return None
    return _PATIENCE_S


def _in_parts(page: Iterator[str]) -> Iterator[str]:
    """A page as it is rendered, cut where its template says so."""
    part: list[str] = []
    for piece in page:
        if piece == _CUT:
            yield "".join(part)
            part = []
        else:
            part.append(piece)
    yield "".join(part)


def _environment() -> Environment:
    env = environment()
    env.globals.update(
        cut=_CUT,
        fields=FILTERS,
        modes=list(Mode),
        groups=list(Group),
        orders=_ORDERS,
        formats=_FORMATS,
        histogram_view=histogram_view,
        facet_views=facet_views,
        page_url=_page_url,
        asked_url=_asked_url,
        sorted_url=_sorted_url,
        all_url=_all_url,
        first_url=lambda query: url_of(query.parameters()),
        export_url=_export_url,
    )
    return env


def _page_url(query: PageQuery, cursor: str) -> str:
    return url_of([*query.parameters(), ("cursor", cursor)])


def _asked_url(query: PageQuery, question: str) -> str:
    """The view with another question and the same filters."""
    return url_of([("q", question), *query.without(["q"])])


def _sorted_url(query: PageQuery, sort: Sort) -> str:
    parameters = query.without(["sort"])
    return url_of([*parameters, *([] if sort is Sort.RELEVANCE else [("sort", sort.value)])])


def _all_url(query: PageQuery) -> str:
    """The view without filters."""
    return url_of(query.without([name for _, name in FILTERS]))


def _export_url(query: PageQuery, format: str) -> str:
    """All that the view shows a page of, in the same order."""
    parameters = [("format", format), *query.parameters(), ("effort", EFFORT.value)]
    return f"/v1/export?{urlencode(parameters)}"
