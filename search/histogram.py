"""When the hits of a result set were published: a bar for each period, with none left out.

Periods are as short as they can be with no more than `MOST_BARS` of them. An article of which only
the year or month is known counts as of its first day, as it does for the filters.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

# In 15 rem, which is what the page has beside the hits, each is then 6 pixels wide.
MOST_BARS: Final = 40
_A_DAY: Final = timedelta(days=1)


class Unit(StrEnum):
    """How long the periods are."""

    DAY = "day"
    WEEK = "week"  # from Monday to Sunday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    DECADE = "decade"
    CENTURY = "century"


@dataclass(frozen=True, slots=True)
class Bar:
    """A period, and how many hits stand in articles that were published in it."""

    first: date
    last: date  # included
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars of one unit, the earliest first, each beginning where the one before ends."""

    unit: Unit
    bars: tuple[Bar, ...]  # none where no date is known

    @property
    def highest(self) -> int:
        """The greatest count; 0: there are no bars."""
        return max((bar.count for bar in self.bars), default=0)


def histogram(days: NDArray[np.int32]) -> Histogram:
    """The histogram of a result set; what is of unknown date is in no bar.

    Args:
        days: when each hit's article was published, shape (n,), int32, proleptic ordinals, below 0
            where it is unknown; in any order.
    """
    distinct, counts = np.unique(days[days >= 0], return_counts=True)
    if not len(distinct):
        return Histogram(Unit.DAY, ())
    first, last = (date.fromordinal(int(distinct[at])) for at in (0, -1))
    unit = next(
        unit
        for unit in Unit
        if unit is Unit.CENTURY or _period(unit, last) - _period(unit, first) < MOST_BARS
    )
    by_period: Counter[int] = Counter()
    for day, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        by_period[_period(unit, date.fromordinal(day))] += count
    periods = range(_period(unit, first), _period(unit, last) + 1)
    return Histogram(
        unit,
        tuple(
            Bar(_first_day(unit, period), _last_day(unit, period), by_period[period])
            for period in periods
        ),
    )


_YEARS: Final = {Unit.YEAR: 1, Unit.DECADE: 10, Unit.CENTURY: 100}
_MONTHS: Final = {Unit.MONTH: 1, Unit.QUARTER: 3}
_PERIODS: Final[dict[Unit, Callable[[date], int]]] = {
    Unit.DAY: date.toordinal,
    Unit.WEEK: lambda day: (day.toordinal() - 1) // 7,  # 1 January of year 1 is a Monday
}


def _period(unit: Unit, day: date) -> int:
    """The number of the period that `day` lies in; the next one has the next number."""
    if unit in _YEARS:
        return day.year // _YEARS[unit]
    if unit in _MONTHS:
        return (12 * day.year + day.month - 1) // _MONTHS[unit]
    return _PERIODS[unit](day)


def _first_day(unit: Unit, period: int) -> date:
    if unit in _YEARS:
        return date(max(period * _YEARS[unit], date.min.year), 1, 1)
    if unit in _MONTHS:
        year, month = divmod(period * _MONTHS[unit], 12)
        return date(year, month + 1, 1)
    return date.fromordinal(period if unit is Unit.DAY else 7 * period + 1)


def _last_day(unit: Unit, period: int) -> date:
    try:
        return _first_day(unit, period + 1) - _A_DAY
    except (ValueError, OverflowError):
        return date.max
