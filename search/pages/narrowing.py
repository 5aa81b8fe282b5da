"""The links of the search page that narrow a result set, and those that widen it again."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from index.article import Published
from search.facets import Facet
from search.histogram import Bar, Histogram, Unit
from search.pages.page_query import AS_OF, FILTERS, PageQuery, url_of
from search.result_set import Answer
from search.wording import date_in_words, days_in_words, period_in_words

_LISTED: Final = 8  # values of a facet; more would push the other facets out of sight
# In the order of the page: bylines can be long.
_FACETS: Final = ("outlet", "section", "year", "month", "byline", "language")


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


@dataclass(frozen=True, slots=True)
class BarView:
    """A bar of the histogram, and the view narrowed to its days."""

    first: date
    last: date
    days: str  # the same in words
    count: int
    share: float  # of the highest bar, in [0, 1]
    url: str  # empty: it would narrow nothing, or leave nothing


@dataclass(frozen=True, slots=True)
class HistogramView:
    """The histogram as the page shows it."""

    unit: str
    bars: tuple[BarView, ...]
    begin: str  # the first and the last period, as short as they can be said
    end: str


def active_filters(query: PageQuery) -> list[ActiveFilter]:
    """The filters in force, in the order of the form."""
    pairs = query.parameters()
    return [
        ActiveFilter(label, value, url_of([pair for pair in pairs if pair != (name, value)]))
        for label, name in (*FILTERS, AS_OF)
        for value in query.values(name)
    ]


def facet_views(query: PageQuery, answer: Answer) -> list[FacetView]:
    """The facets that narrow, each with the links that do; the histogram shows what they do not."""
    by_field = {facet.field: facet for facet in answer.facets}
    shown = histogram_view(query, answer)
    views = [
        _facet_view(query, by_field[field], answer.total)
        for field in _FACETS
        if not (shown and shown.unit == field)
    ]
    return [view for view in views if any(link.url for link in view.links)]


def histogram_view(query: PageQuery, answer: Answer) -> HistogramView | None:
    """The histogram of an answer; None: all is of one period, or no date is known."""
    histogram = answer.histogram
    if not histogram or len(histogram.bars) < 2:
        return None
    return HistogramView(
        unit=histogram.unit.value,
        bars=tuple(_bar_view(query, bar, histogram) for bar in histogram.bars),
        begin=_day_in_short(histogram.bars[0].first, histogram.unit),
        end=_day_in_short(histogram.bars[-1].last, histogram.unit),
    )


def _bar_view(query: PageQuery, bar: Bar, histogram: Histogram) -> BarView:
    return BarView(
        first=bar.first,
        last=bar.last,
        days=days_in_words(bar.first, bar.last),
        count=bar.count,
        share=bar.count / histogram.highest,
        url=_narrowed_to_days(query, bar.first, bar.last) if bar.count else "",
    )


def _day_in_short(day: date, unit: Unit) -> str:
    if unit in (Unit.YEAR, Unit.DECADE, Unit.CENTURY):
        return str(day.year)
    iso = day.isoformat()
    return date_in_words(Published(iso if unit in (Unit.DAY, Unit.WEEK) else iso[:7]))


def _facet_view(query: PageQuery, facet: Facet, total: int) -> FacetView:
    links = tuple(
        FacetLink(
            label=period_in_words(value.value) if facet.field == "month" else value.value,
            count=value.count,
            url=_narrowed(query, facet.field, value.value) if value.count < total else "",
        )
        for value in facet.values[:_LISTED]
    )
    other = facet.other + sum(value.count for value in facet.values[_LISTED:])
    return FacetView(facet.field.capitalize(), links, other, facet.unknown)


def _narrowed(query: PageQuery, field: str, value: str) -> str:
    """The view with this value alone in its field: beside another value it would widen."""
    if field in ("year", "month"):
        return _narrowed_to_days(query, *_ends_of_period(value))
    return url_of([*query.without([field]), (field, value)])


def _narrowed_to_days(query: PageQuery, first: date, last: date) -> str:
    days = [("from", first.isoformat()), ("to", last.isoformat())]
    return url_of([*query.without(["from", "to"]), *days])


def _ends_of_period(period: str) -> tuple[date, date]:
    """First and last day of a year, `2022`, or month, `2022-01`."""
    year, _, month = period.partition("-")
    if not month:
        return date(int(year), 1, 1), date(int(year), 12, 31)
    days = monthrange(int(year), int(month))[1]
    return date(int(year), int(month), 1), date(int(year), int(month), days)
