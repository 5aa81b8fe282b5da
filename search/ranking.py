"""Ranking: from a question to its result set, on one snapshot."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.snapshot import Snapshot
from search.dense import QuestionEncoder, cosines_in_articles
from search.filters import Filters, ResolvedFilters
from search.fusion import fused_scores
from search.lexical import LexicalQuery, lexical_query
from search.result_set import CANDIDATES, ResultSet, result_set


class Ranker:
    """Ranks the passages of a snapshot by what both arms say of them. Safe for many threads."""

    def __init__(self, encoder: QuestionEncoder) -> None:
        self._encoder = encoder

    def rank(self, question: str, filters: Filters, snapshot: Snapshot) -> ResultSet:
        """The result set of a question, best first.

        Raises:
            ModelMismatchError: the store's vectors come from another model than the one asked for.
            ModelError: the model cannot be loaded.
        """
        resolved = filters.resolve(snapshot.columns)
        allowed = resolved.mask() if resolved else None
        if allowed is not None and not allowed.any():
            return _NOTHING
        embedding = self._encoder.embed(question, snapshot) if snapshot.embedded else None
        words = _lexical_query(question, resolved, snapshot)
        positions, bm25 = _in_order(*_candidates(embedding, words, allowed, snapshot))
        return result_set(_scored(positions, bm25, embedding, words, snapshot), snapshot.columns)


_NOTHING: Final = ResultSet(
    np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.float32), np.empty(0, np.float32)
)


def _lexical_query(
    question: str, resolved: ResolvedFilters | None, snapshot: Snapshot
) -> LexicalQuery:
    clauses = resolved.clauses(snapshot.words.schema) if resolved else []
    return lexical_query(snapshot.words, question, snapshot.passages, clauses)


def _candidates(
    embedding: NDArray[np.float32] | None,
    words: LexicalQuery,
    allowed: NDArray[np.bool_] | None,
    snapshot: Snapshot,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """What either arm proposes: positions, shape (n,), int64, and their BM25, float32."""
    numbers, bm25 = words.candidates(CANDIDATES)
    lexical = snapshot.position_of(numbers)
    lexical, bm25 = lexical[lexical >= 0], bm25[lexical >= 0]
    if embedding is None:
        return lexical, bm25
    dense, _ = snapshot.vectors.search(embedding, CANDIDATES, allowed)
    others = np.setdiff1d(dense, lexical)
    others_bm25 = words.scores(snapshot.columns.number[others])
    return np.concatenate([lexical, others]), np.concatenate([bm25, others_bm25])


def _in_order(
    positions: NDArray[np.int64], bm25: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """By position: equal BM25 comes in an order that changes when the word index merges."""
    order = np.argsort(positions)
    return positions[order], bm25[order]


def _scored(
    positions: NDArray[np.int64],
    bm25: NDArray[np.float32],
    embedding: NDArray[np.float32] | None,
    words: LexicalQuery,
    snapshot: Snapshot,
) -> ResultSet:
    if embedding is None:
        cosines = of_article = np.full(len(positions), np.nan, dtype=np.float32)
    else:
        cosines, of_article = cosines_in_articles(embedding, positions, snapshot)
    articles = snapshot.columns.article[positions]
    scores = fused_scores(cosines, of_article, bm25, words.bound, articles)
    return ResultSet(positions, scores, cosines, bm25)
