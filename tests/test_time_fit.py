"""How the day of an article is held against the time in a question."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from index.columns import UNKNOWN_DAY
from search.time_expressions import time_expressions
from search.time_fit import time_fit

TODAY = date(2020, 6, 17)


def fit(question: str, *days: date | None) -> NDArray[np.float64]:
    ordinals = [day.toordinal() if day else UNKNOWN_DAY for day in days]
    return time_fit(time_expressions(question, TODAY), np.array(ordinals, dtype=np.int32))


def test_inside_a_range_the_fit_is_1_and_outside_it_falls_with_the_distance() -> None:
    inside, first, last, day_after, month_after, years_after = fit(
        "strikes in 2015",
        *(date(2015, 5, 1), date(2015, 1, 1), date(2015, 12, 31)),
        *(date(2016, 1, 1), date(2016, 2, 1), date(2019, 1, 1)),
    )
    assert inside == first == last == 1.0
    assert 1.0 > day_after > month_after > 0.4
    assert years_after < 1e-6


def test_an_open_range_fits_on_its_open_side_for_ever() -> None:
    long_before, before, after, long_after = fit(
        "crime since 2018", date(1990, 1, 1), date(2017, 12, 1), date(2018, 1, 1), date(2030, 1, 1)
    )
    assert long_before < 1e-6 < before < after == long_after == 1.0


def test_of_two_ranges_either_fits() -> None:
    assert list(fit("floods last week or in 2014?", date(2020, 6, 10), date(2014, 3, 1))) == [1, 1]


def test_recency_is_relative_to_the_newest_candidate_and_not_to_today() -> None:
    newest, quarter_older, decade_older = fit(
        "the latest on the merger", date(2013, 5, 1), date(2013, 1, 31), date(2003, 5, 1)
    )
    assert newest == 1.0
    assert quarter_older == 0.5
    assert 0.0 < decade_older < 0.1


def test_the_newest_within_a_range_is_the_newest_of_the_range() -> None:
    later, newest, older = fit(
        "latest poll in 2015", date(2019, 1, 1), date(2015, 12, 1), date(2015, 2, 1)
    )
    assert later < older < newest == 1.0


def test_an_unknown_day_fits_nothing() -> None:
    assert list(fit("strikes in 2015", None, date(2015, 5, 1))) == [0, 1]
    assert list(fit("the latest", None, None)) == [0, 0]


def test_without_a_time_or_with_an_event_only_nothing_is_preferred() -> None:
    assert list(fit("who won?", date(2015, 5, 1))) == [0]
    assert list(fit("polls before the election", date(2015, 5, 1))) == [0]
    assert fit("the latest").shape == (0,)
