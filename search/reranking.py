"""The learned ranker: the first candidates in a better order, from what their texts show.

    logit = fused * WEIGHTS.fused + about * WEIGHTS.about
          + window * WEIGHTS.window + length * WEIGHTS.length

`fused` is the fusion's score and `about` the mean cosine of the article's passages (search/fusion);
`window` is the greatest share of the question's words, rare ones counting more, within a few words
of each other: words that stand together say more than words strewn over a paragraph; `length` is
the logarithm of the passage's number of words, since a long passage holds words by chance.

A linear model of four numbers, because it is all that paid (docs/ranking.md has what did not).
The weights come from scripts/train/ranker.py, which started at the fusion and learned how far to
go from it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

# So many of the first are looked at; with 50 nDCG@10 of news-qa is the same to four decimals.
RERANKED: Final = 30
WINDOW: Final = 12  # terms, so about 20 words
# A passage of a few words is not better for being short.
_LEAST_TERMS: Final = 12


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature adds to the logit."""

    fused: float
    about: float
    window: float
    length: float


WEIGHTS: Final = Weights(
    **json.loads((Path(__file__).parent / "weights" / "ranker.json").read_text(encoding="utf-8"))
)


@dataclass(frozen=True, slots=True)
class Features:
    """What the ranker knows of some candidates; all of shape (n,), float64."""

    fused: NDArray[np.float64]
    about: NDArray[np.float64]
    window: NDArray[np.float64]
    length: NDArray[np.float64]

    def logits(self, weights: Weights = WEIGHTS) -> NDArray[np.float64]:
        """The ranker's score, shape (n,), float64; differences are log odds within one query."""
        return (
            weights.fused * self.fused
            + weights.about * self.about
            + weights.window * self.window
            + weights.length * self.length
        )


def text_features(
    texts: Sequence[Sequence[str]], weights: Mapping[str, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`window` and `length` of passages.

    Args:
        texts: of each passage its terms as they are indexed, in order.
        weights: of the question's terms, see `LexicalQuery.weights`.

    Returns:
        Two of shape (len(texts),), float64.
    """
    window = [_window_share(terms, weights) for terms in texts]
    length = [math.log(max(len(terms), _LEAST_TERMS)) for terms in texts]
    return np.array(window, dtype=np.float64), np.array(length, dtype=np.float64)


def _window_share(terms: Sequence[str], weights: Mapping[str, float]) -> float:
    total = sum(weights.values())
    if not total:
        return 0.0
    places = [(at, term) for at, term in enumerate(terms) if term in weights]
    best = 0.0
    for number, (start, _) in enumerate(places):
        inside = {term for at, term in places[number:] if at < start + WINDOW}
        best = max(best, sum(weights[term] for term in inside))
    return best / total
