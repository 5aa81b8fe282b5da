"""The page of a question: a search box, hits with their sources, and what they are made of."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, ConfigDict, Field

from index.errors import NutgrafError
from search.access import Access
from search.archive import Archive
from search.cross_encoder import Effort
from search.facets import Facet
from search.filters import Filters, day_of
from search.grouping import Group
from search.page import environment
from search.problems import problem_of
from search.query import Mode
from search.result_set import Answer, Sort
from search.wording import period_in_words

_HITS = 10  # on a page
_LISTED = 8  # values of a facet; more would push the other facets out of sight
# (label, parameter): the filters of the form, in its order.
_FILTERS = (
    ("Outlet", "outlet"),
    ("Byline", "byline"),
    ("Section", "section"),
    ("Language", "language"),
    ("From", "from"),
    ("To", "to"),
)
# In the order of the page: bylines can be long.
_FACETS = ("outlet", "section", "year", "month", "byline", "language")
_DATE_FILTERS = ("from", "to")


class PageQuery(BaseModel):
    """What the form sends. Fields left empty are not there; unknown ones do not matter."""

    model_config = ConfigDict(populate_by_name=True)

    q: str = ""
    mode: Mode = Mode.PLAIN
    cursor: str = ""
    outlet: list[str] = []
    byline: list[str] = []
    section: list[str] = []
    language: list[str] = []
    published_from: str = Field("", alias="from")
    published_to: str = Field("", alias="to")
    sort: Sort = Sort.RELEVANCE
    group: Group = Group.REPORT
    as_of: str = ""

    def values(self, parameter: str) -> list[str]:
        """What was given for a filter, without the empty ones."""
        name = f"published_{parameter}" if parameter in _DATE_FILTERS else parameter
        given: str | list[str] = getattr(self, name)
        listed = [given] if isinstance(given, str) else given
        return [value.strip() for value in listed if value.strip()]

    def filters(self) -> Filters:
        """The filters given; BadQueryError when one is none."""
        return Filters.parse(
            outlet=self.values("outlet"),
            byline=self.values("byline"),
            section=self.values("section"),
            language=self.values("language"),
            published_from=next(iter(self.values("from")), None),
            published_to=next(iter(self.values("to")), None),
        )


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter in force, and the same view without it."""

    label: str
    value: str
    url_without: str


@dataclass(frozen=True, slots=True)
class FacetLink:
    """A value of a facet, and the view narrowed to it."""

    label: str
    count: int
    url: str  # empty: it would narrow nothing


@dataclass(frozen=True, slots=True)
class FacetView:
    """A facet as the page shows it; all counts add up to the total."""

    label: str
    links: tuple[FacetLink, ...]
    other: int
    unknown: int


def build_search_page(archive: Archive, access: Access) -> APIRouter:
    """The route `/`."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    templates = Jinja2Templates(env=environment())
    searcher = archive.searcher

    @router.get("/")
    def search_page(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
        answer, error, status = None, None, 200
        if query.q.strip():
            try:
                answer = searcher.search(
                    query.q,
                    k=_HITS,
                    mode=query.mode,
                    filters=query.filters(),
                    sort=query.sort,
                    effort=Effort.THOROUGH,
                    group=query.group,
                    as_of=day_of("as_of", query.as_of.strip() or None),
                    cursor=query.cursor or None,
                    facets=True,
                )
            except NutgrafError as failure:
                error, status = str(failure), problem_of(failure).status
        context = {
            "query": query,
            "answer": answer,
            "error": error,
            "state": searcher.status(),
            "active": _active_filters(query),
            "fields": _FILTERS,
            "modes": list(Mode),
            "sorts": list(Sort),
            "groups": list(Group),
            "suggestions": [
                (suggestion.question, _asked_url(query, suggestion.question))
                for suggestion in (answer.suggestions if answer else ())
            ],
            "facets": facet_views(query, answer) if answer else [],
            "next_url": _page_url(query, answer.next_cursor) if answer else "",
            "previous_url": _page_url(query, answer.previous_cursor) if answer else "",
            "first_url": _url(_parameters(query, keep_filters=True)),
            "all_url": _url(_parameters(query, keep_filters=False)),
        }
        return templates.TemplateResponse(request, "search.html", context, status_code=status)

    return router


def _parameters(query: PageQuery, *, keep_filters: bool) -> list[tuple[str, str]]:
    pairs = [("q", query.q)]
    if keep_filters:
        pairs += [(name, value) for _, name in _FILTERS for value in query.values(name)]
    if query.mode is not Mode.PLAIN:
        pairs.append(("mode", query.mode.value))
    if query.sort is not Sort.RELEVANCE:
        pairs.append(("sort", query.sort.value))
    if query.group is not Group.REPORT:
        pairs.append(("group", query.group.value))
    if query.as_of.strip():
        pairs.append(("as_of", query.as_of.strip()))
    return pairs


def _url(parameters: Sequence[tuple[str, str]]) -> str:
    return f"/?{urlencode(parameters)}"


def _page_url(query: PageQuery, cursor: str | None) -> str:
    if cursor is None:
        return ""
    return _url([*_parameters(query, keep_filters=True), ("cursor", cursor)])


def _asked_url(query: PageQuery, question: str) -> str:
    """The view with another question and the same filters."""
    _, *others = _parameters(query, keep_filters=True)
    return _url([("q", question), *others])


def _active_filters(query: PageQuery) -> list[ActiveFilter]:
    pairs = _parameters(query, keep_filters=True)
    return [
        ActiveFilter(label, value, _url([pair for pair in pairs if pair != (name, value)]))
        for label, name in _FILTERS
        for value in query.values(name)
    ]


def facet_views(query: PageQuery, answer: Answer) -> list[FacetView]:
    """The facets that narrow, each with the links that do."""
    by_field = {facet.field: facet for facet in answer.facets}
    views = [_facet_view(query, by_field[field], answer.total) for field in _FACETS]
    return [view for view in views if any(link.url for link in view.links)]


def _facet_view(query: PageQuery, facet: Facet, total: int) -> FacetView:
    links = tuple(
        FacetLink(
            label=period_in_words(value.value) if facet.field == "month" else value.value,
            count=value.count,
            url=_narrowed_url(query, facet.field, value.value) if value.count < total else "",
        )
        for value in facet.values[:_LISTED]
    )
    other = facet.other + sum(value.count for value in facet.values[_LISTED:])
    return FacetView(facet.field.capitalize(), links, other, facet.unknown)


def _narrowed_url(query: PageQuery, field: str, value: str) -> str:
    """The view with this value alone in its field: beside another value it would widen."""
    if field in ("year", "month"):
        first, last = _ends_of_period(value)
        narrowed = [("from", first), ("to", last)]
    else:
        narrowed = [(field, value)]
    replaced = {name for name, _ in narrowed}
    kept = [pair for pair in _parameters(query, keep_filters=True) if pair[0] not in replaced]
    return _url([*kept, *narrowed])


def _ends_of_period(period: str) -> tuple[str, str]:
    """First and last day of a year or month, as YYYY-MM-DD."""
    year, _, month = period.partition("-")
    if not month:
        return f"{year}-01-01", f"{year}-12-31"
    days = monthrange(int(year), int(month))[1]
    return f"{period}-01", f"{period}-{days:02}"
