"""Which candidates make the result set, and in which order."""

import numpy as np
import pytest

from index.article import Published
from index.columns import UNKNOWN_DAY, UNKNOWN_INSTANT, Columns
from search.result_set import LEAST_SHARE, ResultSet, Sort, result_set


def columns(published: list[str | None], ids: list[str] | None = None) -> Columns:
    """An archive of one-passage articles."""
    dates = [Published(iso) if iso else None for iso in published]
    count = len(dates)
    codes = np.zeros(count, np.int32)
    return Columns(
        number=np.arange(1, count + 1),
        ordinal=codes,
        article=np.arange(count, dtype=np.int32),
        article_number=np.arange(1, count + 1),
        report=np.arange(1, count + 1),
        story=np.arange(1, count + 1),
        article_id=ids or [f"a{number}" for number in range(count)],
        day=np.array([d.on.toordinal() if d else UNKNOWN_DAY for d in dates], np.int32),
        instant_s=np.array([d.instant_s if d else UNKNOWN_INSTANT for d in dates], np.int64),
        outlet=codes,
        byline=codes,
        section=codes,
        language=codes,
        values={"outlet": [""], "byline": [""], "section": [""], "language": [""]},
    )


def candidates(scores: list[float]) -> ResultSet:
    zeros = np.zeros(len(scores), np.float32)
    return ResultSet.of(np.arange(len(scores)), np.array(scores, np.float64), zeros, zeros)


def test_the_best_come_first_and_equals_by_date_then_id() -> None:
    archive = columns(
        ["2020-01-01", "2021-01-01", None, "2021-01-01", "2019-01-01"], ["a", "d", "b", "c", "e"]
    )
    found = result_set(candidates([0.5, 0.5, 0.5, 0.5, 0.9]), archive)
    # The best; then the two of 2021 by their ids c and d; 2020; the unknown date.
    assert found.positions.tolist() == [4, 3, 1, 0, 2]


def test_candidates_far_below_the_best_are_not_in_the_set() -> None:
    found = result_set(
        candidates([1.0, LEAST_SHARE + 0.01, LEAST_SHARE - 0.01]), columns([None] * 3)
    )
    assert found.positions.tolist() == [0, 1]


def test_where_nothing_is_any_good_nothing_is_left_out() -> None:
    assert len(result_set(candidates([-0.1, -0.3]), columns([None, None]))) == 2
    assert len(result_set(candidates([]), columns([]))) == 0


@pytest.mark.parametrize(
    ("sort", "expected"), [(Sort.NEWEST, [2, 0, 3, 1]), (Sort.OLDEST, [0, 3, 2, 1])]
)
def test_sorting_by_date_reorders_the_same_set_with_unknown_dates_last(
    sort: Sort, expected: list[int]
) -> None:
    archive = columns(["2020-01-01", None, "2021-06-01T10:00", "2020-01-01"])
    found = result_set(candidates([0.9, 0.8, 0.7, 0.6]), archive).sorted(sort, archive)
    assert found.positions.tolist() == expected


def test_dates_before_1970_are_in_order_too() -> None:
    archive = columns(["1963-05-01", "1969-12-31", "0001-01-01", None])
    found = result_set(candidates([0.5] * 4), archive).sorted(Sort.OLDEST, archive)
    assert found.positions.tolist() == [2, 0, 1, 3]
