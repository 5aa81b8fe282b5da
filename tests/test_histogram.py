"""The histogram of a result set against counting day by day."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.histogram import MOST_BARS, Unit, histogram

UNKNOWN = -1
DAYS = st.one_of(st.dates(), st.dates(date(2024, 1, 1), date(2024, 12, 31)))


def _ordinals(days: list[date]) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.array([day.toordinal() for day in days], np.int32)


@given(days=st.lists(DAYS, min_size=1, max_size=30), unknown=st.integers(0, 3))
def test_every_known_day_is_counted_in_the_one_bar_that_holds_it(
    days: list[date], unknown: int
) -> None:
    found = histogram(np.append(_ordinals(days), np.full(unknown, UNKNOWN, np.int32)))
    for bar in found.bars:
        assert bar.count == sum(bar.first <= day <= bar.last for day in days)
    assert sum(bar.count for bar in found.bars) == len(days)


@given(days=st.lists(DAYS, min_size=1, max_size=30))
def test_bars_follow_each_other_without_a_gap_from_the_first_hit_to_the_last(
    days: list[date],
) -> None:
    bars = histogram(_ordinals(days)).bars
    for bar, following in pairwise(bars):
        assert following.first == bar.last + timedelta(days=1)
    assert bars[0].count
    assert bars[-1].count
    assert len(bars) <= MOST_BARS or histogram(_ordinals(days)).unit is Unit.CENTURY


@pytest.mark.parametrize(
    ("first", "last", "unit"),
    [
        (date(2024, 3, 1), date(2024, 3, 1), Unit.DAY),
        (date(2024, 3, 1), date(2024, 4, 9), Unit.DAY),
        (date(2024, 3, 1), date(2024, 4, 10), Unit.WEEK),
        (date(1987, 2, 26), date(1987, 10, 20), Unit.WEEK),
        (date(2023, 1, 1), date(2025, 1, 1), Unit.MONTH),
        (date(2012, 1, 1), date(2020, 12, 31), Unit.QUARTER),
        (date(1985, 1, 1), date(2024, 12, 31), Unit.YEAR),
        (date(1900, 1, 1), date(2024, 12, 31), Unit.DECADE),
        (date.min, date.max, Unit.CENTURY),
    ],
)
def test_periods_are_as_short_as_the_number_of_bars_allows(
    first: date, last: date, unit: Unit
) -> None:
    found = histogram(_ordinals([first, last]))
    assert found.unit is unit
    assert found.bars[0].first <= first
    assert found.bars[-1].last >= last


def test_a_week_begins_on_monday() -> None:
    found = histogram(_ordinals([date(2024, 3, 1), date(2024, 5, 1)]))
    assert {bar.first.weekday() for bar in found.bars} == {0}


def test_without_a_known_day_there_are_no_bars() -> None:
    found = histogram(np.full(3, UNKNOWN, np.int32))
    assert not found.bars
    assert found.highest == 0
