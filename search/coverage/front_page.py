"""The biggest stories of a day, a week, or of all time: by distinct reports, not by copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.columns import Columns
from index.errors import BadQueryError
from index.snapshot import Snapshot
from search.coverage.story import Summary, reports_of, summary_of
from search.cursors import Cursor, HeldSnapshots, digest, neighbours, reached
from search.filters import Filters, matching_articles

MAX_STORIES: Final = 100


@dataclass(frozen=True, slots=True)
class ListedStory:
    """A story of a front page; the figures count what the filters let through."""

    summary: Summary  # of the whole story
    reports: int
    articles: int  # copies and versions among them
    outlets: tuple[str, ...]  # those with most articles first; ties by name


@dataclass(frozen=True, slots=True)
class FrontPage:
    """A page of the biggest stories."""

    stories: tuple[ListedStory, ...]  # most reports first, then newest, then lowest number
    rank: int  # of the first one, from 1
    total: int
    filters: Filters
    min_reports: int
    next_cursor: str | None
    previous_cursor: str | None
    snapshot: str
    omitted: int  # stories of this page none of whose rows is sound


@dataclass(frozen=True, slots=True)
class Ranked:
    """All stories that count, biggest first; both arrays have shape (n,), int64."""

    numbers: NDArray[np.int64]
    reports: NDArray[np.int64]


def front_page(
    latest: Snapshot,
    held: HeldSnapshots,
    *,
    k: int,
    filters: Filters,
    min_reports: int,
    cursor: str | None,
) -> FrontPage:
    """The first `k` stories of those that count, or the `k` that `cursor` leads to.

    A report counts if the filters let one of its articles through, and a story if it has
    `min_reports` that count. Pages of whatever `k` follow each other without a gap.

    Raises:
        BadQueryError: `k` is not in 1..100, or the cursor is none or belongs to other filters.
        ExpiredCursorError: the snapshot that the cursor belongs to is no longer held.
    """
    held.let_go()
    if not 1 <= k <= MAX_STORIES:
        raise BadQueryError("k", f"{k} is not between 1 and {MAX_STORIES}", "ask for fewer stories")
    asked = digest(repr(("stories", filters, min_reports)).encode())
    begin = _begin(asked, cursor)
    snapshot = latest if begin is None else held.get(begin.snapshot) or latest
    matching = matching_articles(filters, snapshot.columns)
    ranked = biggest(snapshot.columns, matching, min_reports)
    total = len(ranked.numbers)
    first = Cursor(snapshot.id, date.min, asked, digest(ranked.numbers.tobytes()), 0)
    here = reached(first, begin, total)
    shown = slice(here.offset, here.offset + k)
    listed = [
        _listed(int(number), int(reports), matching, snapshot)
        for number, reports in zip(ranked.numbers[shown], ranked.reports[shown], strict=True)
    ]
    sound = tuple(story for story in listed if story)
    next_cursor, previous_cursor = neighbours(here, k, total)
    if next_cursor or previous_cursor:
        held.hold(snapshot)
    return FrontPage(
        stories=sound,
        rank=here.offset + 1,
        total=total,
        filters=filters,
        min_reports=min_reports,
        next_cursor=next_cursor,
        previous_cursor=previous_cursor,
        snapshot=snapshot.id,
        omitted=len(listed) - len(sound),
    )


def biggest(columns: Columns, matching: NDArray[np.bool_], min_reports: int) -> Ranked:
    """The stories of the matching articles, by how many reports these belong to.

    Of equally many the one with the newest of these articles comes first, then the lower number.
    """
    at = np.flatnonzero(matching & (columns.story > 0))  # below: it is told later, or damaged
    at = at[np.lexsort((columns.report[at], columns.story[at]))]
    story, report = columns.story[at], columns.report[at]
    another_story = np.diff(story, prepend=story[:1] - 1) != 0
    another_report = another_story | (np.diff(report, prepend=report[:1] - 1) != 0)
    begins = np.flatnonzero(another_story)
    if not len(begins):
        return Ranked(story, report)
    reports = np.add.reduceat(another_report.astype(np.int64), begins)
    newest = np.maximum.reduceat(columns.instant_s[at], begins)
    numbers = story[begins]
    order = np.lexsort((numbers, -newest.astype(np.float64), -reports))
    order = order[reports[order] >= min_reports]
    return Ranked(numbers[order], reports[order])


def _begin(asked: str, cursor: str | None) -> Cursor | None:
    """The place a cursor leads to, checked against what is asked for."""
    if cursor is None:
        return None
    begin = Cursor.decode(cursor)
    if begin.request != asked:
        raise BadQueryError(
            "cursor",
            "it belongs to another time, or to other filters",
            "send it with those it was given for, or leave it out",
        )
    return begin


def _listed(
    number: int, reports: int, matching: NDArray[np.bool_], snapshot: Snapshot
) -> ListedStory | None:
    """None: none of its rows is sound."""
    members = snapshot.articles_of_story(number)
    if not members:
        return None
    columns = snapshot.columns
    counted = np.flatnonzero(matching & (columns.story == number))
    return ListedStory(
        summary=summary_of(number, members, reports_of(members, columns)),
        reports=reports,
        articles=len(counted),
        outlets=_outlets(columns.outlet[counted], columns.values["outlet"]),
    )


def _outlets(codes: NDArray[np.int32], names: Sequence[str]) -> tuple[str, ...]:
    having, times = np.unique(codes, return_counts=True)
    named = sorted(
        (-count, names[code]) for code, count in zip(having.tolist(), times.tolist(), strict=True)
    )
    return tuple(name for _, name in named if name)
