"""The lexical arm: which passages hold the question's words.

Queries are built from the question's analysed terms, never by a query parser from what the user
wrote, so there is no question that is no query.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tantivy import Occur, Query

from index.words import WordsView

# Of a long question the rarest words count. news-qa and time keep their nDCG@10 with 16 already
# (with 8 it falls by .009 on news-qa); a pasted paragraph then costs no more than a question.
MAX_TERMS = 32
# So that an article is found by its headline: a word there says something about each passage, but
# less than a word of the passage itself. On squad_dev with its titles as headlines nDCG@10 of both
# arms is .9005 with 0, .9000 with 0.3 and .8996 with 0.5; the other judged sets have no headlines.
HEADLINE_WEIGHT = 0.3
# Above so many passages it is quicker to score all than to name those wanted.
_MANY = 1_000
_K1 = 1.2  # tantivy's BM25 parameter; not to be chosen there
_NO_HITS = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class LexicalQuery:
    """A question as the lexical arm asks it: `weights` of its terms as indexed, rarest first.

    A weight is the term's inverse document frequency. `bound` is the BM25 that no passage's own
    words can reach: each weight times k1 + 1. A score divided by it says which share of the
    question a passage holds, rare words counting more; unlike a score divided by the best
    candidate's it does not call a poor match perfect for being the best there is. `known` is the
    share of the question that words of the archive make up, weighed likewise, from 0 to 1: names
    that it does not have are no part of `weights`.
    """

    words: WordsView
    weights: Mapping[str, float]
    bound: float
    known: float
    filters: tuple[Query, ...]
    passages: int  # of the archive

    def candidates(self, depth: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The best passages by BM25, best first.

        Returns:
            Passage numbers, shape (n,), int64, and scores, shape (n,), float32; n <= depth.
        """
        return self._search(self.filters, depth)

    def scores(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """BM25 of these passages, shape (len(numbers),), float32; 0 where no word matches."""
        scores = np.zeros(len(numbers), dtype=np.float32)
        if not len(numbers):
            return scores
        found, found_scores = self._all_of(numbers)
        order = np.argsort(numbers)
        at = np.minimum(np.searchsorted(numbers, found, sorter=order), len(numbers) - 1)
        wanted = numbers[order[at]] == found
        scores[order[at[wanted]]] = found_scores[wanted]
        return scores

    def _all_of(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """What has a score among these passages, and perhaps others."""
        if len(numbers) > _MANY:
            return self._search([], self.passages)
        # A term set on numbers walks the whole dictionary: 5 ms for 500 of 80,000; this takes 2.
        chosen = _any_of([self._term("number", int(number)) for number in numbers])
        return self._search([Query.const_score_query(chosen, 0.0)], len(numbers))

    def _search(
        self, required: Sequence[Query], limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        if not self.weights:
            return _NO_HITS
        asked = _any_of(
            [query for term in self.weights for query in self._in_body_or_headline(term)]
        )
        if required:
            asked = Query.boolean_query([(Occur.Must, part) for part in (asked, *required)])
        return self.words.search(asked, limit)

    def _in_body_or_headline(self, term: str) -> tuple[Query, Query]:
        return (
            self._term("body", term),
            Query.boost_query(self._term("headline", term), HEADLINE_WEIGHT),
        )

    def _term(self, field: str, value: str | int) -> Query:
        return Query.term_query(self.words.schema, field, value)


def lexical_query(
    words: WordsView,
    question: str,
    passages: int,
    filters: Sequence[Query],
    variants: Sequence[str] = (),
) -> LexicalQuery:
    """The lexical arm's query for a question in plain words.

    Args:
        variants: words to look for as well: how the archive writes what seems misspelt.
        passages: how many the archive has, for the inverse document frequencies.
        filters: clauses that must all match; see `ResolvedFilters.clauses`.
    """
    terms = dict.fromkeys(words.analyze(" ".join([question, *variants])))
    weights = {
        term: _inverse_document_frequency(having, passages)
        for term in terms
        if (having := words.passages_with("body", term)) or words.passages_with("headline", term)
    }
    rarest = dict(sorted(weights.items(), key=lambda item: -item[1])[:MAX_TERMS])
    bound = (_K1 + 1) * sum(rarest.values())
    # A variant stands for a word that is unknown.
    unknown = max(len(terms) - len(weights) - len(variants), 0)
    of_known = sum(weights.values())
    of_all = of_known + unknown * _inverse_document_frequency(0, passages)
    known = of_known / of_all if of_all else 0.0
    return LexicalQuery(words, rarest, bound, known, tuple(filters), passages)


def _inverse_document_frequency(having: int, passages: int) -> float:
    """As in tantivy (and Lucene): ln(1 + (N - n + 0.5) / (n + 0.5))."""
    return math.log(1 + (max(passages, having) - having + 0.5) / (having + 0.5))


def _any_of(queries: Sequence[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, query) for query in queries])
