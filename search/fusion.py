"""Fusion: one score for each candidate from what both arms say of it and of its article.

    share = BM25 / bound                      the share of the question's words, see lexical.py
    meaning = 0.8 * cosine + 0.2 * the mean cosine of the article's passages
    fused = 0.45 * meaning + 0.55 * share
    score = fused + 0.5 * max(0, second - floor)      for the best passage of an article

Cosine and share keep their scale: a convex combination of a cosine and a score divided by its
theoretical maximum (Bruch, Gai, Ingber, TOIS 2023, doi:10.1145/3596512). An article that is about
the question, or answers in two places, is a better answer than one that touches it: `second` is
its second best passage, `floor` the 200th best candidate.

nDCG@10 of all questions (even/odd-numbered ones). The weights are a round point of a flat top;
both halves were seen in choosing it, so neither is a figure for unseen questions:

                                        news-qa, 1,959 questions   time, 82 topics
    0.7 * cosine + 0.3 * BM25 / best    .718 (.728/.708)           .669 (.640/.699)
    0.45 * cosine + 0.55 * share        .731 (.741/.721)           .680 (.664/.696)
    ... and the second passage          the same: its articles     .695 (.673/.717)
    ... and the article's mean          have one passage each      .716 (.691/.741)

On squad_dev, 48 long articles with a question to each paragraph, the last two cost .004 and .003
of .900. Tried and left: min-max, z-scores and square roots as norms; BM25 of whole articles (+.003
to +.008 on time, for an index of their own); an article's mean vector, its lead, neighbouring
passages, sums and p-norms over its passages; phrases of two words; a pseudo-relevant query vector;
leaving out words like "what".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT: Final = 0.45
ARTICLE_WEIGHT: Final = 0.2
SECOND_WEIGHT: Final = 0.5
FLOOR_RANK: Final = 200
# What the cosine of a passage that waits for its embedding is taken to be: from its share of the
# question's words; were it 0, every passage that has one would come first. Of the words those count
# too that nothing in the archive has: else a passage with "who" in it would seem to answer a
# question for somebody that no article knows. scripts/bench/lead_first.py shows what comes of it.
_EXPECTED_COSINE: Final = 0.3
_EXPECTED_RISE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Fused:
    """What is known of some candidates; all of shape (n,), float64."""

    scores: NDArray[np.float64]
    share: NDArray[np.float64]  # of the question's words
    cosine: NDArray[np.float64]  # guessed from the share where a passage waits for its embedding
    about: NDArray[np.float64]  # the mean cosine of the article's passages, likewise

    def taken(self, at: NDArray[np.int64]) -> "Fused":
        """Those of the candidates `at`, in that order."""
        return Fused(self.scores[at], self.share[at], self.cosine[at], self.about[at])


def fused_scores(
    cosines: NDArray[np.float32],
    article_cosines: NDArray[np.float32],
    bm25: NDArray[np.float32],
    bound: float,
    known: float,
    articles: NDArray[np.int32],
) -> "Fused":
    """The score of each candidate; scores compare within one query only.

    With no cosine at all the order is BM25's; with a bound of 0 (no word to look for), the
    cosines'.

    Args:
        cosines: shape (n,), float32; NaN where a passage waits for its embedding.
        article_cosines: shape (n,), float32; the mean cosine of the passages of its article that
            have an embedding, NaN where none has.
        bm25: shape (n,), float32; 0 where no word of the question is found.
        bound: what no passage's BM25 can reach; see `LexicalQuery.bound`.
        known: how much of the question the archive's words make up; see `LexicalQuery.known`.
        articles: shape (n,), int32, the article each passage stands in.

    Returns:
        Scores rounded to 6 decimals: the last bits of a cosine depend on how many were computed
        together, and must not decide an order.
    """
    share = bm25.astype(np.float64) / bound if bound else np.zeros(len(bm25))
    waiting = np.isnan(cosines)
    expected = np.minimum(_EXPECTED_COSINE + _EXPECTED_RISE * known * share, 1.0)
    cosine = np.where(waiting, expected, cosines).astype(np.float64)
    about = np.where(np.isnan(article_cosines), cosine, article_cosines).astype(np.float64)
    if not bound:
        return Fused(np.nan_to_num(cosines).astype(np.float64).round(6), share, cosine, about)
    meaning = (1 - ARTICLE_WEIGHT) * cosine + ARTICLE_WEIGHT * about
    fused = DENSE_WEIGHT * meaning + (1 - DENSE_WEIGHT) * share
    if not waiting.all():
        fused = _with_second_passage(fused, articles)
    return Fused(fused.round(6), share, cosine, about)


def _with_second_passage(
    fused: NDArray[np.float64], articles: NDArray[np.int32]
) -> NDArray[np.float64]:
    floor = -np.sort(-fused)[min(FLOOR_RANK, len(fused)) - 1]
    order = np.lexsort((-fused, articles))  # equals stay in the order given
    grouped = articles[order]
    has_second = np.flatnonzero(grouped[1:] == grouped[:-1])
    # Of those, the first of each article: the passage before it is another article's, or none.
    best = has_second[(has_second == 0) | (grouped[has_second - 1] != grouped[has_second])]
    scores = fused.copy()
    scores[order[best]] += SECOND_WEIGHT * (fused[order[best + 1]] - floor).clip(min=0)
    return scores
