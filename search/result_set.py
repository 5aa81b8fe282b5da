"""The result set: the passages that answer a question, of which the hits are the first.

It holds the candidates of both arms (the `CANDIDATES` best of each, after the filters) whose score
is at least `LEAST_SHARE` of the best one's. It does not depend on `k` or on the order asked for:
the first ten of a hundred hits are the hits one gets when asking for ten, and the newest hit is
the newest of the passages that answer, not of all that were looked at.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.article import ArticleId, PassageId, Published
from index.snapshot import Columns
from search.filters import Filters

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
class Hit:
    """A passage that answers, with its rank, its source, and what each arm said of it."""

    rank: int  # from 1
    score: float  # compares within one answer only
    passage_id: PassageId
    article_id: ArticleId
    ordinal: int  # number of the passage in its article, from 0
    text: str
    start: int  # span in the article's text, in code points, end excluded
    end: int
    highlights: tuple[tuple[int, int], ...]  # spans in `text`, likewise
    headline: str
    byline: str
    outlet: str
    section: str
    language: str
    published: Published | None
    url: str
    dense: float | None  # cosine; None: not embedded yet
    lexical: float | None  # BM25; None: no word of the question is in it


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the archive an answer could draw on: `embedded` of its passages in both arms."""

    articles: int
    passages: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of one query, and what they are the first of."""

    query: str
    k: int
    sort: Sort
    filters: Filters
    hits: tuple[Hit, ...]
    total: int  # passages in the result set
    snapshot: str  # names the view of the archive that answered
    coverage: Coverage
    omitted: int  # hits left out because the stored row is damaged
    took_ms: float


@dataclass(frozen=True, slots=True)
class ResultSet:
    """Positions in the snapshot's columns with scores and what each arm gave, best first.

    All have shape (n,): int64, float64, float32 (NaN: not embedded yet) and float32 (0: no word).
    """

    positions: NDArray[np.int64]
    scores: NDArray[np.float64]
    cosines: NDArray[np.float32]
    bm25: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.positions)

    def sorted(self, sort: Sort, columns: Columns) -> "ResultSet":
        """The same set in the order asked for; what is of one instant stays best first."""
        if sort is Sort.RELEVANCE:
            return self
        instants = columns.instant_s[columns.article[self.positions]]
        unknown = columns.day[columns.article[self.positions]] < 0
        key = ~instants if sort is Sort.NEWEST else instants
        return self._taken(np.lexsort((key, unknown)))

    def _taken(self, order: NDArray[np.int64]) -> "ResultSet":
        return ResultSet(
            self.positions[order], self.scores[order], self.cosines[order], self.bm25[order]
        )


def result_set(candidates: ResultSet, columns: Columns) -> ResultSet:
    """The result set of some candidates, in any order.

    The order is total: score, then the newer article, then the lower article id, then the order of
    the text, so that the same query on the same snapshot gives the same bytes.
    """
    scores = candidates.scores
    if not len(scores):
        return candidates
    kept = np.flatnonzero(scores >= LEAST_SHARE * max(scores.max(), 0.0))
    if scores.max() <= 0:
        kept = np.arange(len(scores))
    chosen = candidates._taken(kept)
    articles = columns.article[chosen.positions]
    ids = np.array([columns.article_id[article] for article in articles], dtype=np.str_)
    ordinals = columns.ordinal[chosen.positions]
    # ~instant is newest first, with an unknown date (the least integer) last, and cannot overflow.
    order = np.lexsort((ordinals, ids, ~columns.instant_s[articles], -chosen.scores))
    return chosen._taken(order)
