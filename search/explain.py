"""Explain: why an article's best passage stands where it stands, or why it is not found.

The answer follows the way of a question: filters, condition, candidates of either arm, the least
share of the best score, folding, place in the result set. What stopped the article is the reason;
the ranks in both arms are told in any case, and exactly, however far down they are.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.columns import Columns
from index.snapshot import Snapshot
from index.store import ArticleRow
from search.conditions import Resolver
from search.filters import NO_FILTERS, Filters
from search.lexical import lexical_query
from search.query import And, Query
from search.ranking import Looked, Parts, allowed_passages
from search.result_set import CANDIDATES, ResultSet
from search.verdict import Verdict

_PARAMETERS: Final = {"published_from": "from", "published_to": "to"}


class Reason(StrEnum):
    """What settled where the article is."""

    FOUND = "found"  # it is in the result set
    FOLDED = "folded"  # another article of its report is
    FILTERED = "filtered"  # a filter leaves it out
    CONDITION = "condition"  # it does not fulfil a part of the question that restricts
    BELOW_LEAST_SHARE = "below_least_share"  # a candidate, but far below the best
    BEYOND_CANDIDATES = "beyond_candidates"  # each arm has enough that are better
    IN_NO_ARM = "in_no_arm"  # no word of the question is in it, and no embedding yet


@dataclass(frozen=True, slots=True)
class ArmPlace:
    """Where an arm has the passage, among all that the filters and the condition let through.

    Both are None where the arm does not have it: no embedding yet, no word of the question in it.
    """

    rank: int | None  # from 1
    score: float | None  # cosine or BM25


@dataclass(frozen=True, slots=True)
class Shown:
    """The hit that an article is folded under."""

    article_id: str
    rank: int  # place in the result set, from 1


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the best passage of an article is where it is."""

    query: str
    article_id: str
    headline: str
    passage_id: str | None  # None: its stored row is damaged
    ordinal: int
    reason: Reason
    left_out_by: tuple[str, ...]  # names of filters, or parts of the condition
    folded_under: Shown | None  # None: it is not folded
    rank: int | None  # place in the result set, from 1
    total: int
    score: float | None
    best_score: float | None  # of the whole result set
    dense: ArmPlace
    lexical: ArmPlace
    depth: int  # how many candidates each arm proposes
    parts: Parts | None  # what its score is made of; None: it is not in the result set
    probability: float | None  # that it answers, likewise
    verdict: Verdict  # on the whole query


def explained(
    query: Query,
    variants: Sequence[str],
    filters: Filters,
    results: ResultSet,
    looked: Looked | None,
    verdict: Verdict,
    embedding: NDArray[np.float32] | None,
    article: ArticleRow,
    snapshot: Snapshot,
) -> Explanation:
    """Why `article` is where it is in `results`, the result set of `query` with `filters`.

    Args:
        variants: words that were looked for besides.
        looked: how the set came about; None: nothing may be found.
        embedding: of the question, shape (dim,), float32; None: nothing is embedded yet.
    """
    columns = snapshot.columns
    own = np.flatnonzero(columns.article_number[columns.article] == article.number)
    allowed, _ = allowed_passages(query, filters, snapshot)
    if allowed is None:
        allowed = np.ones(snapshot.passages, dtype=np.bool_)
    dense = _places(_cosines(embedding, snapshot), own, allowed)
    lexical = _places(_bm25(query, variants, snapshot), own, allowed)
    found = np.flatnonzero(np.isin(results.positions, own))
    rank = int(found[0]) + 1 if len(found) else None
    best = (
        int(np.flatnonzero(own == results.positions[found[0]])[0])
        if len(found)
        else min(range(len(own)), key=lambda at: _best_rank(dense[at], lexical[at]))
    )
    folded_under = None
    reason, left_out_by = _reason(query, filters, int(own[best]), snapshot)
    if rank:
        reason, left_out_by = Reason.FOUND, ()
    elif looked and np.isin(own, looked.before).any():
        folded_under = _shown(int(own[best]), results, columns)
        reason = Reason.FOLDED
    elif reason is None:
        reason = _not_proposed(dense[best], lexical[best])
    row = snapshot.passage_rows([int(own[best])]).get(int(own[best]))
    return Explanation(
        query=query.text,
        article_id=article.id,
        headline=article.headline,
        passage_id=row.id if row else None,
        ordinal=int(columns.ordinal[own[best]]),
        reason=reason,
        left_out_by=left_out_by,
        folded_under=folded_under,
        rank=rank,
        total=len(results),
        score=float(results.scores[rank - 1]) if rank else None,
        best_score=float(results.scores.max()) if len(results) else None,
        dense=dense[best],
        lexical=lexical[best],
        depth=CANDIDATES,
        parts=looked.parts(int(own[best])) if looked and rank else None,
        probability=round(float(results.probabilities[rank - 1]), 4) if rank else None,
        verdict=verdict,
    )


def in_words(explanation: Explanation) -> str:
    """The reason in one or two sentences."""
    left_out_by = ", ".join(explanation.left_out_by)
    under = explanation.folded_under
    sentences = {
        Reason.FOUND: f"Its best passage is number {explanation.rank} of {explanation.total:,}.",
        Reason.FOLDED: (
            f"It is folded under {under.article_id}, which holds the same report and is number "
            f"{under.rank} of {explanation.total:,}."
            if under
            else ""
        ),
        Reason.FILTERED: f"It is left out by the filter: {left_out_by}.",
        Reason.CONDITION: f"It does not fulfil what the question asks for: {left_out_by}.",
        Reason.BELOW_LEAST_SHARE: "It was looked at and scored too far below the best to be shown.",
        Reason.BEYOND_CANDIDATES: (
            f"Each arm proposes its {explanation.depth} best, and has enough that are better."
        ),
        Reason.IN_NO_ARM: "No word of the question is in it.",
    }
    waits = explanation.dense.rank is None and explanation.reason is not Reason.FILTERED
    waiting = " It waits for its embedding: until then only its words can find it."
    return sentences[explanation.reason] + (waiting if waits else "")


def _shown(position: int, results: ResultSet, columns: Columns) -> Shown:
    """The hit of the report that a passage's article belongs to."""
    articles = columns.article[results.positions]
    report = columns.report[columns.article[position]]
    at = int(np.flatnonzero(columns.report[articles] == report)[0])
    return Shown(columns.article_id[articles[at]], at + 1)


def _reason(
    query: Query, filters: Filters, position: int, snapshot: Snapshot
) -> tuple[Reason | None, tuple[str, ...]]:
    """What leaves the article of a passage out before anything is ranked, if anything does."""
    by_filters = tuple(_failing_filters(filters, position, snapshot.columns))
    if by_filters:
        return Reason.FILTERED, by_filters
    by_condition = tuple(_failing_parts(query, position, snapshot))
    return (Reason.CONDITION, by_condition) if by_condition else (None, ())


def _failing_filters(filters: Filters, position: int, columns: Columns) -> Iterator[str]:
    for field in fields(filters):
        alone = replace(NO_FILTERS, **{field.name: getattr(filters, field.name)})
        resolved = alone.resolve(columns)
        if resolved and not resolved.mask()[position]:
            yield _PARAMETERS.get(field.name, field.name)


def _failing_parts(query: Query, position: int, snapshot: Snapshot) -> Iterator[str]:
    """Of the parts of a condition that must all be fulfilled, those that the article does not."""
    if query.condition is None:
        return
    parts = query.condition.parts if isinstance(query.condition, And) else (query.condition,)
    resolver = Resolver(snapshot)
    article = snapshot.columns.article[position]
    for part in parts:
        if not resolver.articles(part)[article]:
            yield str(part)


def _not_proposed(dense: ArmPlace, lexical: ArmPlace) -> Reason:
    if dense.rank is None and lexical.rank is None:
        return Reason.IN_NO_ARM
    if _best_rank(dense, lexical) <= CANDIDATES:
        return Reason.BELOW_LEAST_SHARE
    return Reason.BEYOND_CANDIDATES


def _best_rank(dense: ArmPlace, lexical: ArmPlace) -> float:
    return min(place.rank or math.inf for place in (dense, lexical))


def _cosines(embedding: NDArray[np.float32] | None, snapshot: Snapshot) -> NDArray[np.float32]:
    """Of every passage, shape (passages,); NaN where it waits for its embedding."""
    if embedding is None:
        return np.full(snapshot.passages, np.nan, dtype=np.float32)
    return snapshot.vectors.cosines(embedding, np.arange(snapshot.passages))


def _bm25(query: Query, variants: Sequence[str], snapshot: Snapshot) -> NDArray[np.float32]:
    """Of every passage, shape (passages,); NaN where no word of the question is in it."""
    words = lexical_query(snapshot.words, query.words, snapshot.passages, [], variants)
    numbers, found = words.candidates(max(snapshot.passages, 1))
    positions = snapshot.position_of(numbers)
    scores = np.full(snapshot.passages, np.nan, dtype=np.float32)
    scores[positions[positions >= 0]] = found[positions >= 0]
    return scores


def _places(
    scores: NDArray[np.float32], own: NDArray[np.int64], allowed: NDArray[np.bool_]
) -> list[ArmPlace]:
    """The places of the passages `own` among those allowed; equals share the better place."""
    others = np.sort(scores[allowed & ~np.isnan(scores)])
    places = []
    for score in scores[own].tolist():
        better = len(others) - int(np.searchsorted(others, np.float32(score), side="right"))
        waits = math.isnan(score)
        places.append(ArmPlace(None, None) if waits else ArmPlace(better + 1, score))
    return places
