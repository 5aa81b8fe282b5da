"""Other coverage of an article: who else reported it, what came before and after, what was put
right.

`search.coverage.likeness` compares the article with the archive's reports. What is of another
story, and not like it by `LEAST_LIKENESS` or together with the neighbours by `LEAST_BY_WORDS`, is
unrelated, and not listed however few are left. Each article of the others has a role, the first of
these that holds:

- correction: it supersedes the article or is superseded by it, as one outlet's versions do
- copy: it is of the same report otherwise
- same event: it is of the same story and published within `NEAR_DAYS`, before or after, or one of
  the dates is unknown
- follow-up: it is later, and of the same story or so like the article and its neighbours
  (`CONTINUES`) that it would be, were it not for the time in between
- background: what is left, also what the same story had before

With `Group.REPORT` there is one article of each report, its first, and of the article's own report
only the newest version of its piece: what was put right.
"""

import time
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.article import Published
from index.columns import UNKNOWN_DAY, Columns, live_with
from index.errors import BadQueryError, ExpiredCursorError
from index.snapshot import Snapshot
from index.store import ArticleRow
from index.term_vectors import TermVector
from index.updates import day_of, supersedes
from search.coverage.agreement import nearest_pair, pair_by_words
from search.coverage.likeness import Likeness, likeness, place_of
from search.coverage.shared_names import Names, names_of, shared_names
from search.coverage.subject import Span, Subject, span_of, vectors_of
from search.cursors import (
    EXPIRED,
    Cursor,
    HeldSnapshots,
    digest,
    digest_of_set,
    neighbours,
    reached,
)
from search.facets import Facet
from search.facets import facets as facets_of
from search.filters import NO_FILTERS, Filters, matching_articles
from search.grouping import Group
from search.result_set import ResultSet, Sort, result_set

MAX_K: Final = 100
# Asked of an archive that cannot have their coverage (3,000 articles of press-2012-2020), of 200
# articles of reuters-1987 74 % get none, and all get .9 in the mean. With .08 and .20 it is 97 %
# and .1, but nDCG@10 on events falls from .964 to .952, since its own loosest coverage goes, too.
LEAST_LIKENESS: Final = 0.05
LEAST_BY_WORDS: Final = 0.10
CONTINUES: Final = 0.25  # half likeness, half neighbours: what joins reports in index/stories.py
# Of pairs of articles of one event in events whose days are known half are at most 1 day apart.
NEAR_DAYS: Final = 2
# What an article of the same story has more: nDCG@10 on the tuning half of events is .9745 with it,
# .9726 without, .9754 with twice as much.
STORY_WEIGHT: Final = 0.05
# What a date says: of the same day so much more, half of it a month apart. It decides between
# equals; few articles of events have a date to measure more by (+.0003 on the tuning half).
DATE_WEIGHT: Final = 0.02
_HALF_DAYS: Final = 30


class Role(StrEnum):
    """What an article is to the one that was asked about."""

    COPY = "copy"
    SAME_EVENT = "same event"
    FOLLOW_UP = "follow-up"
    BACKGROUND = "background"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Request:
    """What settles the coverage of an article, together with a snapshot."""

    filters: Filters = NO_FILTERS
    sort: Sort = Sort.RELEVANCE
    group: Group = Group.REPORT


@dataclass(frozen=True, slots=True)
class PassagePair:
    """The two passages that agree most."""

    mine: Span  # of the article that was asked about
    theirs: Span
    cosine: float | None  # None: chosen by the terms they share, for want of a vector


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two articles have to do with each other."""

    names: tuple[str, ...]  # people, places and organisations that both name, weightiest first
    passages: PassagePair | None  # None: no passages share a term
    days_later: int | None  # than the article asked about; negative: earlier; None: unknown


@dataclass(frozen=True, slots=True)
class RelatedArticle:
    """An article of the coverage."""

    rank: int  # from 1; that of one left out stays free
    score: float  # compares within one answer only
    role: Role
    article: ArticleRow
    evidence: Evidence
    others: int  # articles of its report beside it: copies, and versions


@dataclass(frozen=True, slots=True)
class Related:
    """All of an article's coverage, in one order.

    Each article stands there by its first passage. The set's `cosines` are how far passages agree.
    """

    results: ResultSet
    roles: tuple[Role, ...]  # in the same order


@dataclass(frozen=True, slots=True)
class RelatedPage:
    """A page of an article's coverage, and what it is a page of."""

    article: ArticleRow  # the one that was asked about
    request: Request
    k: int
    articles: tuple[RelatedArticle, ...]
    total: int  # articles of the coverage
    facets: tuple[Facet, ...]  # of all of it; none if they were not asked for
    next_cursor: str | None  # None: this is the last page
    previous_cursor: str | None  # None: this is the first
    snapshot: str
    omitted: int  # articles of this page left out because a stored row is damaged
    took_ms: float


def related_page(
    subject: Subject,
    request: Request,
    snapshot: Snapshot,
    held: HeldSnapshots,
    *,
    k: int,
    cursor: Cursor | None,
    facets: bool,
) -> RelatedPage:
    """The first `k` articles of a coverage, or the `k` that `cursor` leads to.

    Args:
        snapshot: the one that the cursor names, if it is still there.

    Raises:
        BadQueryError: `k` is not in 1..100, or the cursor belongs to another article or request.
        ExpiredCursorError: this is no longer the coverage that the cursor belongs to.
    """
    began = time.perf_counter()
    if not 1 <= k <= MAX_K:
        raise BadQueryError("k", f"{k} is not between 1 and {MAX_K}", "ask for fewer articles")
    asked = _digest(subject, request)
    if cursor and cursor.request != asked:
        raise BadQueryError(
            "cursor",
            "it belongs to another article, or to other filters, order or grouping",
            "send it with those it was given for, or leave it out",
        )
    if cursor and cursor.snapshot != snapshot.id:
        raise ExpiredCursorError(EXPIRED)
    found = related(subject, request, snapshot)
    results, total = found.results, len(found.results)
    first = Cursor(snapshot.id, date.min, asked, digest_of_set(results.positions, snapshot), 0)
    here = reached(first, cursor, total)
    last = min(here.offset + k, total)
    articles = _shown(subject, found, range(here.offset, last), snapshot)
    next_cursor, previous_cursor = neighbours(here, k, total)
    if next_cursor or previous_cursor:
        held.hold(snapshot)
    return RelatedPage(
        article=subject.article,
        request=request,
        k=k,
        articles=tuple(articles),
        total=total,
        facets=facets_of(results.positions, snapshot.columns) if facets else (),
        next_cursor=next_cursor,
        previous_cursor=previous_cursor,
        snapshot=snapshot.id,
        omitted=last - here.offset - len(articles),
        took_ms=(time.perf_counter() - began) * 1000,
    )


def related(subject: Subject, request: Request, snapshot: Snapshot) -> Related:
    """All coverage of an article that the filters let through, in the order asked for."""
    columns = snapshot.columns
    found = likeness(subject, request.filters, snapshot)
    story = _story(subject, found, columns)
    listed = (found.alike >= LEAST_LIKENESS) & (found.by_words() >= LEAST_BY_WORDS)
    listed |= found.stories == story
    articles = _articles(found.reports[listed], request, columns)
    own = _own_articles(subject, found.own, request, snapshot)
    every = np.concatenate([articles, list(own)]).astype(np.int64)
    at = np.searchsorted(found.reports, columns.report[articles])
    days = _days_later(subject, every, columns)
    same_story = columns.story[every] == story
    scores = np.concatenate([found.scores()[at], np.ones(len(own))])
    scores += STORY_WEIGHT * same_story + _date_bonus(days)
    passages = np.concatenate([found.passages[at], np.full(len(own), np.nan)])
    continues = np.concatenate([found.agreed[at] >= CONTINUES, np.ones(len(own), dtype=np.bool_)])
    roles = {
        int(article): own.get(int(article)) or _role(bool(same), bool(goes_on), float(later))
        for article, same, goes_on, later in zip(every, same_story, continues, days, strict=True)
    }
    results = result_set(_of_articles(every, scores, passages, columns), columns, complete=True)
    results = results.sorted(request.sort, columns)
    return Related(results, tuple(roles[at] for at in columns.article[results.positions].tolist()))


def _role(same_story: bool, continues: bool, days_later: float) -> Role:
    """Of an article of another report; `days_later` is NaN where a date is unknown."""
    if same_story and not abs(days_later) > NEAR_DAYS:
        return Role.SAME_EVENT
    if (same_story or continues) and days_later > NEAR_DAYS:
        return Role.FOLLOW_UP
    return Role.BACKGROUND


def _story(subject: Subject, found: Likeness, columns: Columns) -> int | None:
    """The story of an article; from outside, the one that it would belong to, if any."""
    place = place_of(subject, columns)
    if place is not None:
        return int(columns.story[place])
    if len(found.own):
        return int(columns.story[columns.report == found.own[0]][-1])
    stories, members = np.unique(found.stories, return_inverse=True)
    if not len(stories):
        return None
    means = np.bincount(members, found.agreed) / np.bincount(members)
    return int(stories[means.argmax()]) if means.max() >= CONTINUES else None


def _articles(reports: NDArray[np.int64], request: Request, columns: Columns) -> NDArray[np.int64]:
    """The articles of these reports that are listed, by their places in the columns."""
    articles = np.flatnonzero(
        matching_articles(request.filters, columns) & np.isin(columns.report, reports)
    )
    if request.group is Group.NONE:
        return articles
    # The first in time, which is the likely original; of unknown date only if all are.
    unknown = columns.day[articles] == UNKNOWN_DAY
    in_time = articles[np.lexsort((articles, columns.instant_s[articles], unknown))]
    _, first = np.unique(columns.report[in_time], return_index=True)
    return in_time[first]


def _own_articles(
    subject: Subject, own: NDArray[np.int64], request: Request, snapshot: Snapshot
) -> dict[int, Role]:
    """The articles of the article's own report that are listed, by place, with their roles."""
    columns = snapshot.columns
    allowed = matching_articles(request.filters, columns)
    copies: dict[int, Role] = {}
    versions: list[tuple[ArticleRow, int]] = []
    for row in (row for report in own.tolist() for row in snapshot.articles_of_report(report)):
        place = int(np.searchsorted(columns.article_number, row.number))
        if row.id == subject.article.id or not allowed[place]:
            continue
        if supersedes(row, subject.article) or supersedes(subject.article, row):
            versions.append((row, place))
        else:
            copies[place] = Role.COPY
    if request.group is Group.NONE:
        return copies | {place: Role.CORRECTION for _, place in versions}
    newest = [
        place for row, place in versions if not any(supersedes(other, row) for other, _ in versions)
    ]
    return dict.fromkeys(newest[-1:], Role.CORRECTION)


def _of_articles(
    articles: NDArray[np.int64],
    scores: NDArray[np.float64],
    passages: NDArray[np.float64],
    columns: Columns,
) -> ResultSet:
    """Articles as a result set of their first passages."""
    members = np.flatnonzero(np.isin(columns.article, articles))
    held, first = np.unique(columns.article[members], return_index=True)
    positions = members[first[np.searchsorted(held, articles)]]
    none = np.zeros(len(articles))
    return ResultSet(
        positions,
        scores.round(6),
        cosines=passages.astype(np.float32),
        bm25=none.astype(np.float32),
        probabilities=none,
        passages=np.ones(len(articles), dtype=np.int64),
    )


def _days_later(
    subject: Subject, articles: NDArray[np.int64], columns: Columns
) -> NDArray[np.float64]:
    """By how many days articles are later, shape (n,); NaN where that is not known to the day."""
    published = subject.article.published
    if published is None or published.precision in ("year", "month"):
        return np.full(len(articles), np.nan)
    days = columns.day[articles].astype(np.float64)
    return np.where(days == UNKNOWN_DAY, np.nan, days - published.on.toordinal())


def _date_bonus(days: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(DATE_WEIGHT * 0.5 ** (np.abs(days) / _HALF_DAYS))


# --------------------------------------------------------------------------------- what is shown


def _shown(
    subject: Subject, found: Related, places: range, snapshot: Snapshot
) -> list[RelatedArticle]:
    positions = found.results.positions[places.start : places.stop].tolist()
    rows = snapshot.passage_rows(positions)
    terms = snapshot.term_vectors([row.article.number for row in rows.values()])
    names = names_of(subject.article.text)
    others = _others(found.results.positions[places.start : places.stop], snapshot.columns)
    return [
        RelatedArticle(
            rank=place + 1,
            score=float(found.results.scores[place]),
            role=found.roles[place],
            article=row.article,
            evidence=_evidence(
                subject, names, row.article, terms.get(row.article.number), snapshot
            ),
            others=count,
        )
        for place, position, count in zip(places, positions, others, strict=True)
        if (row := rows.get(position))
    ]


def _others(positions: NDArray[np.int64], columns: Columns) -> list[int]:
    """How many other articles the report of each of these passages' articles has."""
    of_each = columns.report[columns.article[positions]]
    among = columns.report[live_with(columns.report, of_each, columns)]
    reports, counts = np.unique(among, return_counts=True)
    others: list[int] = (counts[np.searchsorted(reports, of_each)] - 1).tolist()
    return others


def _evidence(
    subject: Subject,
    names: Names,
    article: ArticleRow,
    terms: TermVector | None,
    snapshot: Snapshot,
) -> Evidence:
    terms = terms or snapshot.term_vector_of(article.headline, article.text, article.language)
    return Evidence(
        shared_names(names, names_of(article.text), subject.terms, terms),
        _passages(subject, article, terms, snapshot),
        _days_between(subject.article.published, article.published),
    )


def _passages(
    subject: Subject, article: ArticleRow, terms: TermVector, snapshot: Snapshot
) -> PassagePair | None:
    rows = snapshot.passages_of(article)
    nearest = nearest_pair(subject.vectors, vectors_of(rows, snapshot))
    if nearest:
        mine, theirs, cosine = nearest
        return PassagePair(subject.passages[mine], span_of(rows[theirs]), cosine)
    by_words = pair_by_words(
        [span.text for span in subject.passages], [row.text for row in rows], subject.terms, terms
    )
    if by_words is None:
        return None
    mine, theirs = by_words
    return PassagePair(subject.passages[mine], span_of(rows[theirs]), None)


def _days_between(earlier: Published | None, later: Published | None) -> int | None:
    """From one day of publication to the other; None if one is not known to the day."""
    day, other = day_of(earlier), day_of(later)
    return None if day is None or other is None else other - day


def _digest(subject: Subject, request: Request) -> str:
    article = subject.article
    return digest(repr(("related", article.id, article.headline, article.text, request)).encode())
