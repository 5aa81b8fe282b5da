"""Facets: exact counts over a whole result set."""

from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_result_set import columns

from index.columns import Columns
from search.facets import FACET_FIELDS, MOST_VALUES, Facet, FacetValue, facets
from search.filters import Filters

# Spellings that a filter takes for the same, and values that no filter finds.
BYLINES = [
    "",
    "Ana Duarte",
    "ANA DUARTE",
    "Duarte, Ana",
    "Jon Weiss",
    "Ana Duarte and Jon Weiss",
    "—",
]
OUTLETS = ["", "Le Phare", "le  phare", "Le Pháre", "Courier"]
DATES = [None, "1963", "2022-01", "2022-01-31", "2022-12-31T23:59", "0001-01-01"]


def archive(articles: list[tuple[int, int, int]]) -> Columns:
    """An archive of one-passage articles, each with an outlet, a byline and a date."""
    base = columns([DATES[when] for _, _, when in articles])
    return replace(
        base,
        outlet=np.array([outlet for outlet, _, _ in articles], np.int32),
        byline=np.array([byline for _, byline, _ in articles], np.int32),
        values={**base.values, "outlet": OUTLETS, "byline": BYLINES},
    )


def by_field(found: tuple[Facet, ...]) -> dict[str, Facet]:
    return {facet.field: facet for facet in found}


_ARTICLES = st.lists(
    st.tuples(
        st.integers(0, len(OUTLETS) - 1),
        st.integers(0, len(BYLINES) - 1),
        st.integers(0, len(DATES) - 1),
    ),
    max_size=40,
)


@given(articles=_ARTICLES, data=st.data())
def test_the_counts_of_each_facet_add_up_to_the_result_set(
    articles: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    places = list(range(len(articles)))
    chosen = data.draw(st.lists(st.sampled_from(places), unique=True) if places else st.just([]))
    found = facets(np.array(chosen, np.int64), archive(articles))
    assert tuple(facet.field for facet in found) == FACET_FIELDS
    for facet in found:
        listed = sum(value.count for value in facet.values)
        assert listed + facet.other + facet.unknown == len(chosen)
        assert all(value.count > 0 for value in facet.values)
        assert len({value.value for value in facet.values}) == len(facet.values)


@given(articles=_ARTICLES)
def test_a_filter_by_an_outlet_finds_as_many_as_the_facet_counts(
    articles: list[tuple[int, int, int]],
) -> None:
    held = archive(articles)
    facet = by_field(facets(np.arange(len(articles)), held))["outlet"]
    for value in facet.values:
        resolved = Filters.parse(outlet=[value.value]).resolve(held)
        assert resolved
        assert int(resolved.mask().sum()) == value.count


@given(articles=_ARTICLES)
def test_a_filter_by_a_year_or_month_finds_as_many_as_the_facet_counts(
    articles: list[tuple[int, int, int]],
) -> None:
    held = archive(articles)
    found = by_field(facets(np.arange(len(articles)), held))
    for field, start, end in (("year", "-01-01", "-12-31"), ("month", "-01", "-31")):
        for value in found[field].values:
            first, last = f"{value.value}{start}", f"{value.value}{end}"
            resolved = Filters.parse(published_from=first, published_to=last).resolve(held)
            assert resolved
            assert int(resolved.mask().sum()) == value.count


def test_spellings_that_a_filter_cannot_tell_apart_are_one_value_in_the_most_frequent() -> None:
    held = archive([(1, 1, 0), (1, 2, 0), (2, 2, 0), (3, 3, 0), (4, 5, 0), (0, 4, 0)])
    found = by_field(facets(np.arange(6), held))
    assert found["outlet"].values == (FacetValue("Le Phare", 4), FacetValue("Courier", 1))
    assert found["byline"].values == (
        FacetValue("ANA DUARTE", 4),
        FacetValue("Ana Duarte and Jon Weiss", 1),
        FacetValue("Jon Weiss", 1),
    )


def test_what_is_not_said_and_what_no_filter_finds_is_unknown() -> None:
    found = by_field(facets(np.arange(3), archive([(0, 0, 0), (0, 6, 0), (4, 1, 1)])))
    assert [found[field].unknown for field in ("outlet", "byline", "year", "month")] == [2, 2, 2, 2]
    assert found["section"] == Facet("section", (), 0, 3)


def test_years_and_months_are_those_the_sources_wrote_newest_first() -> None:
    found = by_field(facets(np.arange(6), archive([(0, 0, when) for when in range(6)])))
    assert [value.value for value in found["year"].values] == ["2022", "1963", "0001"]
    assert [value.value for value in found["month"].values] == [
        "2022-12",
        "2022-01",
        "1963-01",
        "0001-01",
    ]
    assert found["month"].values[1].count == 2


def test_beyond_the_most_frequent_the_rest_is_counted_together() -> None:
    base = columns([None] * 60)
    names = [f"Paper {number:02}" for number in range(MOST_VALUES + 5)]
    codes = [number % len(names) for number in range(60)]
    held = replace(base, outlet=np.array(codes, np.int32), values={**base.values, "outlet": names})
    facet = by_field(facets(np.arange(60), held))["outlet"]
    counts = Counter(names[code] for code in codes)
    expected = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_VALUES]
    assert [value.value for value in facet.values] == expected
    assert facet.other == 60 - sum(counts[name] for name in expected)


def test_of_many_months_the_most_frequent_are_listed_in_the_order_of_time() -> None:
    # Every month of three years once, the last day of two of them twice more.
    days = [date(year, month, 1) for year in (2020, 2021, 2022) for month in range(1, 13)]
    days += [date(2020, 5, 31), date(2021, 7, 31)] * 2
    held = columns([day.isoformat() for day in days])
    facet = by_field(facets(np.arange(len(days)), held))["month"]
    values = [value.value for value in facet.values]
    assert values == sorted(values, reverse=True)
    assert len(values) == MOST_VALUES
    assert {value.value for value in facet.values if value.count == 3} == {"2020-05", "2021-07"}
    assert facet.other == 36 - MOST_VALUES


@pytest.mark.parametrize("field", FACET_FIELDS)
def test_an_empty_set_has_facets_without_values(field: str) -> None:
    empty = by_field(facets(np.empty(0, np.int64), columns([])))
    assert empty[field] == Facet(field, (), 0, 0)
