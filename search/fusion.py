"""Fusion: one score for each candidate from what both arms say of it.

    share = BM25 / bound                          the share of the question's words, see lexical.py
    fused = 0.45 * cosine + 0.55 * share
    score = fused + 0.6 * max(0, second - floor)  for the best passage of an article

Both parts of `fused` keep their scale (a convex combination of a cosine and a score divided by
its theoretical maximum, "TM2C2" without its minimum: Bruch, Gai, Ingber, TOIS 2023,
doi:10.1145/3596512). `second` is the article's second best passage, `floor` the 200th best
candidate: an article that answers in two places is a better answer than one that does in one.

nDCG@10 with exact BM25, tuned on the even-numbered questions:

                                       news-qa (even/odd of 1,959)   time (even/odd of 82)
    0.7 * cosine + 0.3 * BM25 / best       .7176 (.728/.708)         .6774 (.646/.709)
    0.45 * cosine + 0.55 * share           .7309 (.741/.721)         .6870 (.660/.714)
    ... and the second passage             .7309, single passages    .7107 (.686/.736)

Tried and left: min-max, z-scores and square roots as norms; BM25 of whole articles in a field of
their own (+.003 on time for a third more index); the mean of an article's vectors; neighbouring
passages; phrases of two words; a pseudo-relevant query vector; dropping question words.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT: Final = 0.45
SECOND_WEIGHT: Final = 0.6
FLOOR_RANK: Final = 200
# What the cosine of a passage that waits for its embedding is taken to be: from its share of the
# question's words. With half of news-qa embedded nDCG@10 is then .645; were the cosine taken as
# 0 it would be .410, since every passage that has one would come first.
_EXPECTED_COSINE: Final = 0.3
_EXPECTED_RISE: Final = 0.8


def fused_scores(
    cosines: NDArray[np.float32],
    bm25: NDArray[np.float32],
    bound: float,
    articles: NDArray[np.int32],
) -> NDArray[np.float64]:
    """The score of each candidate; scores compare within one query only.

    With no cosine at all the order is BM25's; with a bound of 0 (no word to look for), the
    cosines'.

    Args:
        cosines: shape (n,), float32; NaN where a passage waits for its embedding.
        bm25: shape (n,), float32; 0 where no word of the question is found.
        bound: what no passage's BM25 can reach; see `LexicalQuery.bound`.
        articles: shape (n,), int32, the article each passage stands in.

    Returns:
        Shape (n,), float64, rounded to 6 decimals: the last bits of a cosine depend on how many
        were computed together, and must not decide an order.
    """
    if not bound:
        return np.nan_to_num(cosines).astype(np.float64).round(6)
    share = bm25.astype(np.float64) / bound
    waiting = np.isnan(cosines)
    expected = np.minimum(_EXPECTED_COSINE + _EXPECTED_RISE * share, 1.0)
    cosine = np.where(waiting, expected, cosines)
    fused = DENSE_WEIGHT * cosine + (1 - DENSE_WEIGHT) * share
    if not waiting.all():
        fused = _with_second_passage(fused, articles)
    return fused.round(6)


def _with_second_passage(
    fused: NDArray[np.float64], articles: NDArray[np.int32]
) -> NDArray[np.float64]:
    floor = -np.sort(-fused)[min(FLOOR_RANK, len(fused)) - 1]
    order = np.lexsort((-fused, articles))
    grouped = articles[order]
    has_second = np.flatnonzero(grouped[1:] == grouped[:-1])
    # Of those, the first of each article: the passage before it is another article's, or none.
    best = has_second[(has_second == 0) | (grouped[has_second - 1] != grouped[has_second])]
    scores = fused.copy()
    scores[order[best]] += SECOND_WEIGHT * (fused[order[best + 1]] - floor).clip(min=0)
    return scores
