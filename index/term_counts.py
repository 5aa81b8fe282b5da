"""How many of the archive's articles hold a term, and how rare it is by that.

Each report counts once, when it comes: neither its copies nor its later versions make its words
commoner. A small archive knows little yet; for English, the shares of a large sample of news count
as so many articles more.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.checksums import columns_of, crc_after, insert_into, sealed, sound
from index.term_vectors import Terms, TermVector, shares, weighed

_ALL: Final = -1  # stands for every article; a term is a CRC-32, never negative
# How soon an archive's own words count: with 300 to 1,000 the stories of events are as good, with
# more those of an agency's recurring tables grow.
_PRIOR_ARTICLES = 500
# Words of more articles than this say nothing. It keeps reports apart that are of one kind and
# share no other words: an item of company results in reuters-1987 was in a story of 15 such items
# on average, and is in one of 7.
_COMMON_SHARE = 0.135
_PRIOR_SAMPLE = 37_552  # articles that the shares were counted in


def count(truth: sqlite3.Connection, texts: Iterable[tuple[str, Terms]]) -> None:
    """Count the terms of articles that are new, each with its language."""
    counts: Counter[tuple[str, int]] = Counter()
    for language, terms in texts:
        counts.update((language, term) for term in (_ALL, *terms.terms.tolist()))
    more = "term_counts.articles + excluded.articles"
    truth.executemany(
        f"{insert_into('term_counts')} ON CONFLICT DO UPDATE "
        f"SET articles = {more}, crc = {crc_after('term_counts.articles', more)}",
        [
            sealed("term_counts", language, term, articles)
            for (language, term), articles in sorted(counts.items())
        ],
    )


def vector(truth: sqlite3.Connection, language: str, terms: Terms) -> TermVector:
    """The term vector of an article, as rare as its terms are by now."""
    return weighed(terms, _rarities(truth, language, terms.terms))


def _rarities(
    truth: sqlite3.Connection, language: str, terms: NDArray[np.uint32]
) -> NDArray[np.float32]:
    """How many times rarer than a common word each is, as ln, >= 0; shape (len(terms),)."""
    articles = _articles(truth, language, [_ALL])[0]
    holders = _articles(truth, language, terms.tolist())
    if language in ("", "en"):
        holders += np.maximum(shares(terms), 0.5 / _PRIOR_SAMPLE) * _PRIOR_ARTICLES
        articles += _PRIOR_ARTICLES
    else:
        holders += 0.5
        articles += 1
    rarities: NDArray[np.float32] = np.log(_COMMON_SHARE * articles / holders).astype(np.float32)
    return rarities.clip(0)


def _articles(truth: sqlite3.Connection, language: str, terms: list[int]) -> NDArray[np.float64]:
    rows = truth.execute(
        f"SELECT {columns_of('term_counts')} FROM term_counts WHERE language = ? "
        "AND term IN (SELECT value FROM json_each(?))",
        (language, json.dumps(terms)),
    )
    found = {term: articles for _, term, articles in sound("term_counts", rows)}
    return np.array([found.get(term, 0) for term in terms], dtype=np.float64)
