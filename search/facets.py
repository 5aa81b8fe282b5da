"""Facets: what a result set is made of, counted over all of it and not over a page.

A value stands for all spellings that a filter takes for the same, and is written as most of its
passages have it; so what is counted as one value is found by that value's filter. Where reports are
folded the filter may find more: it applies before, and the copy that an outlet ran is a hit then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.columns import Columns
from search.filters import filter_key

FACET_FIELDS: Final = ("outlet", "section", "byline", "year", "month", "language")
MOST_VALUES: Final = 20  # listed of a facet; what lies beyond is counted together
_NO_SPELLING: Final = (1, "")
_EPOCH: Final = 719_163  # the proleptic ordinal of 1970-01-01


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value that articles have, and how many passages of the set stand in such articles."""

    value: str  # of a year or month ISO 8601: 2022, 2022-01
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The counts of one field: those of `values`, `other` and `unknown` add up to the total."""

    field: str
    values: tuple[FacetValue, ...]  # the most frequent; years and months with the newest first
    other: int  # passages whose value is not listed
    unknown: int  # passages whose article does not say


def facets(positions: NDArray[np.int64], columns: Columns) -> tuple[Facet, ...]:
    """The facets of a result set, in the order of `FACET_FIELDS`.

    An article of which only the year or month is known counts as of its first day, as it does for
    the filters.

    Args:
        positions: of the set's passages in `columns`, shape (n,), int64, in any order.
    """
    articles = columns.article[positions]
    return tuple(
        _of_dates(field, columns.day[articles])
        if field in ("year", "month")
        else _of_values(field, getattr(columns, field)[articles], columns.values[field])
        for field in FACET_FIELDS
    )


def _of_values(field: str, codes: NDArray[np.int32], values: list[str]) -> Facet:
    counts = np.bincount(codes, minlength=1)
    occurring = np.flatnonzero(counts)
    counted = counts[occurring].tolist()
    spellings = [values[code] for code in occurring.tolist()]
    keys = [filter_key(field, value) for value in spellings]
    together = dict.fromkeys(keys, 0)
    for key, count in zip(keys, counted, strict=True):
        together[key] += count
    unknown = sum(together.pop(nothing, 0) for nothing in ("", frozenset[str]()))
    least = min(nlargest(MOST_VALUES, together.values()), default=0)
    spelled: dict[str | frozenset[str], tuple[int, str]] = {}  # the most frequent, then the first
    for key, count, value in zip(keys, counted, spellings, strict=True):
        if key and together[key] >= least:
            this = (-count, value)
            if this < spelled.get(key, _NO_SPELLING):
                spelled[key] = this
    listed = sorted(
        (FacetValue(value, together[key]) for key, (_, value) in spelled.items()),
        key=lambda value: (-value.count, value.value),
    )[:MOST_VALUES]
    return Facet(field, tuple(listed), len(codes) - unknown - _sum(listed), unknown)


def _of_dates(field: str, days: NDArray[np.int32]) -> Facet:
    known = days[days >= 0].astype(np.int64) - _EPOCH
    months = known.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    periods = months if field == "month" else months // 12
    first = int(periods.min()) if len(periods) else 0
    counts = np.bincount(periods - first)
    occurring = np.flatnonzero(counts)
    most = occurring[np.argsort(-counts[occurring], kind="stable")[:MOST_VALUES]]
    listed = [
        FacetValue(_period(field, first + period), int(counts[period]))
        for period in sorted(most.tolist(), reverse=True)
    ]
    return Facet(field, tuple(listed), len(known) - _sum(listed), len(days) - len(known))


def _period(field: str, since_1970: int) -> str:
    if field == "year":
        return f"{1970 + since_1970:04}"
    return f"{1970 + since_1970 // 12:04}-{since_1970 % 12 + 1:02}"


def _sum(listed: Sequence[FacetValue]) -> int:
    return sum(value.count for value in listed)
