"""The result set: the passages that answer a question, all of them, in one order.

With `Group.REPORT` it holds the best passage of each report; see `search.grouping`.

It is settled by a `Request` and a snapshot. Hits, their total, facets, pages and the export are
all taken from it, so that they cannot disagree.

It holds the candidates of both arms (the `CANDIDATES` best of each, after the filters, and more
where copies crowd out other reports) whose score is at least `LEAST_SHARE` of the best one's. It
does not depend on `k` or on the order asked for: the first ten of a hundred hits are the hits one
gets when asking for ten, and the newest hit is the newest of the passages that answer, not of all
that were looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.article import ArticleId, PassageId, Published
from index.columns import Columns
from search.coverage.lineage import Copies
from search.cross_encoder import Effort
from search.facets import Facet
from search.filters import Filters
from search.grouping import Group
from search.histogram import Histogram
from search.interpretation import Interpretation
from search.query import Mode, Query
from search.spelling import NearMiss
from search.trace import Trace
from search.verdict import Verdict

# Per arm. With 200 to 1,000 nDCG@10 is the same; with 100 it is .004 lower on time.
CANDIDATES: Final = 200
# Without a least share every set is full, and "newest" finds whatever was published last.
# R@100 and the median size of the set, without: .911 of 487 on time; with 0.25, .902 of 362; with
# 0.33, .899 of 199; with 0.4, .876 of 98.
LEAST_SHARE: Final = 0.35


class Sort(StrEnum):
    """The order of the hits."""

    RELEVANCE = "relevance"
    NEWEST = "newest"  # articles of unknown date last
    OLDEST = "oldest"  # likewise


@dataclass(frozen=True, slots=True)
class Request:
    """What settles a result set, together with a snapshot."""

    question: str
    mode: Mode
    filters: Filters
    sort: Sort
    effort: Effort
    group: Group
    as_of: date | None  # the day the archive is seen from; None: as it is
    today: date  # what "yesterday" in the question is seen from


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers, with its rank, its source, and what each arm said of it."""

    rank: int  # place in the result set, from 1; that of a hit left out stays free
    score: float  # compares within one answer only
    passage_id: PassageId
    article_id: ArticleId
    ordinal: int  # number of the passage in its article, from 0
    text: str
    start: int  # span in the article's text, in code points, end excluded
    end: int
    highlights: tuple[tuple[int, int], ...]  # spans in `text`, likewise
    best_sentence: tuple[int, int]  # span in `text` of the sentence that answers, likewise
    headline: str
    byline: str
    outlet: str
    section: str
    language: str
    published: Published | None
    url: str
    dense: float | None  # cosine; None: not embedded yet
    lexical: float | None  # BM25; None: no word of the question is in it
    probability: float  # that the passage answers
    passages: int  # of its report that this hit stands for, itself among them
    copies: Copies | None  # of its article; None: there are none
    story: str | None  # the id of its article's story; None: it is the only report


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the archive an answer could draw on: `embedded` of its passages in both arms."""

    articles: int
    passages: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that may be what was meant: the same with the archive's spelling of some words."""

    question: str
    misses: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of a query's result set, and what it is a page of."""

    query: str
    mode: Mode
    interpretation: Interpretation
    suggestions: tuple[Suggestion, ...]
    verdict: Verdict  # on the whole result set
    k: int
    sort: Sort
    effort: Effort
    group: Group
    filters: Filters
    as_of: date | None
    hits: tuple[Hit, ...]
    total: int  # in the result set: reports, or passages where nothing is folded
    facets: tuple[Facet, ...]  # of the whole result set; none if they were not asked for
    histogram: Histogram | None  # likewise
    next_cursor: str | None  # of the page that follows; None: this is the last
    previous_cursor: str | None  # of the page before; None: this is the first
    snapshot: str  # names the view of the archive that answered
    coverage: Coverage
    omitted: int  # hits of this page left out because the stored row is damaged
    took_ms: float
    trace: Trace  # where the time went


@dataclass(frozen=True, slots=True)
class Damaged:
    """A place in the result set whose passage cannot be shown: its stored row is damaged."""

    rank: int


@dataclass(frozen=True, slots=True)
class Export:
    """A whole result set, one hit after another; they are read from the store as they are taken."""

    query: str
    mode: Mode
    interpretation: Interpretation
    verdict: Verdict
    sort: Sort
    effort: Effort
    group: Group
    filters: Filters
    as_of: date | None
    total: int  # as many as `hits` yields
    snapshot: str
    coverage: Coverage
    hits: Iterator[Hit | Damaged]


@dataclass(frozen=True, slots=True)
class ResultSet:
    """Positions in the snapshot's columns with scores and what each arm gave, best first.

    All have shape (n,): int64, float64, float32 (NaN: not embedded yet), float32 (0: no word),
    float64 and int64.
    """

    positions: NDArray[np.int64]
    scores: NDArray[np.float64]
    cosines: NDArray[np.float32]
    bm25: NDArray[np.float32]
    probabilities: NDArray[np.float64]  # that the passage answers
    passages: NDArray[np.int64]  # of its report that each stands for

    @classmethod
    def of(
        cls,
        positions: NDArray[np.int64],
        scores: NDArray[np.float64],
        cosines: NDArray[np.float32],
        bm25: NDArray[np.float32],
    ) -> "ResultSet":
        """Passages that each stand for themselves, with probabilities yet to be known."""
        count = len(positions)
        return cls(positions, scores, cosines, bm25, np.zeros(count), np.ones(count, np.int64))

    @classmethod
    def empty(cls) -> "ResultSet":
        """The set of nothing."""
        singles = np.empty(0, np.float32)
        return cls.of(np.empty(0, np.int64), np.empty(0, np.float64), singles, singles)

    def __len__(self) -> int:
        return len(self.positions)

    def sorted(self, sort: Sort, columns: Columns) -> "ResultSet":
        """The same set in the order asked for; what is of one instant stays best first."""
        if sort is Sort.RELEVANCE:
            return self
        instants = columns.instant_s[columns.article[self.positions]]
        unknown = columns.day[columns.article[self.positions]] < 0
        key = ~instants if sort is Sort.NEWEST else instants
        return self.taken(np.lexsort((key, unknown)))

    def taken(self, order: NDArray[np.int64]) -> "ResultSet":
        """Those at these places of the set, in that order."""
        return ResultSet(
            self.positions[order],
            self.scores[order],
            self.cosines[order],
            self.bm25[order],
            self.probabilities[order],
            self.passages[order],
        )

    def with_first(self, order: NDArray[np.int64]) -> "ResultSet":
        """The same set with its first `len(order)` in this order.

        Scores stay with the places: they fall from the first to the last as before.
        """
        whole = np.concatenate([order, np.arange(len(order), len(self))])
        return replace(self.taken(whole), scores=self.scores)


@dataclass(frozen=True, slots=True)
class Found:
    """The result set of a request on one snapshot, in the order asked for."""

    query: Query
    interpretation: Interpretation
    suggestions: tuple[Suggestion, ...]
    verdict: Verdict
    results: ResultSet


def result_set(candidates: ResultSet, columns: Columns, *, complete: bool = False) -> ResultSet:
    """The result set of some candidates, in any order.

    With `complete` each of them is in it, however low its score.

    The order is total: score, then the newer article, then the lower article id, then the order of
    the text, so that the same query on the same snapshot gives the same bytes.
    """
    scores = candidates.scores
    if not len(scores):
        return candidates
    kept = np.flatnonzero(scores >= LEAST_SHARE * max(scores.max(), 0.0))
    if complete or scores.max() <= 0:
        kept = np.arange(len(scores))
    chosen = candidates.taken(kept)
    articles = columns.article[chosen.positions]
    ids = np.array([columns.article_id[article] for article in articles], dtype=np.str_)
    ordinals = columns.ordinal[chosen.positions]
    # ~instant is newest first, with an unknown date (the least integer) last, and cannot overflow.
    order = np.lexsort((ordinals, ids, ~columns.instant_s[articles], -chosen.scores))
    return chosen.taken(order)
