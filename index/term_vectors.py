"""What an article is about, as its weightiest words.

Two articles of one event share names and rare words, and name them early. A term vector keeps the
64 words that weigh most; the product of two vectors says how alike the articles are.
"""

import re
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.word_memo import WordMemo

# nDCG@10 of an event's other articles (events, 482 articles): with 32 terms less, with all no more;
# without the weights for first lines and for names less.
TERMS: Final = 64
_LEAD_WORDS = 60
_CAPITAL = 1.6
# 79,000 different words stand in 5,000 press articles, and take 9 MB.
_REMEMBERED = 200_000

# Two characters or more; with what follows an apostrophe, but for a possessive s.
_WORD = re.compile(r"[^\W_]{2,}(?:['’](?![sS]\b)[^\W\d_]+)?")
_SHARES = Path(__file__).parent / "term_shares.npy"


@dataclass(frozen=True, slots=True)
class TermVector:
    """The weightiest terms of a text; both arrays have shape (n,), n <= TERMS."""

    terms: NDArray[np.uint32]  # ascending; see `term_of`
    weights: NDArray[np.float32]  # L2 norm 1; none: no words

    def similarity(self, other: "TermVector") -> float:
        """The inner product: 0 (nothing shared) to 1."""
        _, mine, theirs = np.intersect1d(
            self.terms, other.terms, assume_unique=True, return_indices=True
        )
        return float(self.weights[mine] @ other.weights[theirs])


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a text, and how much each stands out in it; both of shape (n,)."""

    terms: NDArray[np.uint32]  # ascending
    factors: NDArray[np.float32]


def words_of(text: str) -> list[str]:
    """The words of a text as they are written, in order, without a possessive 's."""
    found: list[str] = _WORD.findall(text)
    return found


def term_of(word: str) -> int:
    """The number that stands for a word, whatever its case: its CRC-32."""
    return zlib.crc32(word.lower().encode("utf-8", "surrogatepass"))


def terms_of(headline: str, text: str) -> Terms:
    """Count the words of an article: those of its first lines twice, names for more."""
    words = words_of(f"{headline}\n{text}")
    counted = Counter(words)
    codes = np.fromiter(map(_CODES.__getitem__, counted), np.int64, len(counted))
    times = np.fromiter(counted.values(), np.int64, len(counted))
    terms, at = np.unique(codes >> 1, return_inverse=True)
    counts = np.bincount(at, times, len(terms))
    capitals = np.bincount(at, times * (codes & 1), len(terms))
    first = words[:_LEAD_WORDS]
    lead = np.fromiter(map(_CODES.__getitem__, first), np.int64, len(first)) >> 1
    leads = np.bincount(np.searchsorted(terms, lead), minlength=len(terms))
    names = np.where(2 * capitals >= counts, _CAPITAL, 1)
    factors = (1 + np.log(counts + leads)) * names
    return Terms(terms.astype(np.uint32), factors.astype(np.float32))


def _code(written: str) -> int:
    """Of a word as it is written: twice its term, and 1 more with a capital."""
    return 2 * term_of(written) + written[0].isupper()


_CODES: Final = WordMemo(_code, most=_REMEMBERED)


def weighed(terms: Terms, rarities: NDArray[np.float32]) -> TermVector:
    """The vector of a text whose terms are as rare as `rarities`, shape (n,), say."""
    weights = terms.factors * rarities
    kept = np.sort(np.argsort(-weights, kind="stable")[:TERMS])
    kept = kept[weights[kept] > 0]
    norm = float(np.linalg.norm(weights[kept])) or 1.0
    return TermVector(terms.terms[kept], (weights[kept] / norm).astype(np.float32))


def packed(vector: TermVector) -> bytes:
    """A vector in 6 bytes a term."""
    return vector.terms.astype("<u4").tobytes() + vector.weights.astype("<f2").tobytes()


def unpacked(data: bytes) -> TermVector:
    count = len(data) // 6
    return TermVector(
        np.frombuffer(data, "<u4", count),
        np.frombuffer(data, "<f2", count, 4 * count).astype(np.float32),
    )


def shares(terms: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Which share of English news articles has each term, shape (len(terms),); 0: unknown."""
    known = _shares()
    at = np.minimum(np.searchsorted(known["term"], terms), len(known) - 1)
    return np.where(known["term"][at] == terms, known["share"][at].astype(np.float64), 0.0)


@cache
def _shares() -> NDArray[np.void]:
    found: NDArray[np.void] = np.load(_SHARES)
    return found
