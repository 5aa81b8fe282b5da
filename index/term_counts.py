"""How many of the archive's articles hold a term, and how rare it is by that.

Each report counts once, when it comes: neither its copies nor its later versions make its words
commoner. A small archive knows little yet; for English, the shares of a large sample of news count
as so many articles more.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.checksums import columns_of, crc_after, insert_into, sealed, sound
from index.precedence import give_way
from index.term_vectors import Terms, TermVector, shares, weighed

_ALL: Final = -1  # stands for every article; a term is a CRC-32, never negative
# How soon an archive's own words count: with 300 to 1,000 the stories of events are as good, with
# more those of an agency's recurring tables grow.
_PRIOR_ARTICLES = 500
# Words of more articles than this say nothing. It keeps reports apart that are of one kind and
# share no other words: an item of company results in reuters-1987 was in a story of 15 such items
# on average, and is in one of 7.
_COMMON_SHARE = 0.135
_TERMS_A_STEP = 200  # some 5 ms
_PRIOR_SAMPLE = 37_552  # articles that the shares were counted in


def count(truth: sqlite3.Connection, texts: Iterable[tuple[str, Terms]]) -> None:
    """Count the terms of articles that are new, each with its language."""
    TermCounts(truth).count(texts)


def vector(truth: sqlite3.Connection, language: str, terms: Terms) -> TermVector:
    """The term vector of an article, as rare as its terms are by now."""
    return TermCounts(truth).vector(language, terms)


class TermCounts:
    """The counts as one transaction finds them and changes them; a row is read once, and checked.

    It remembers the terms that it was asked about: make one for some articles, not for all.
    """

    def __init__(self, truth: sqlite3.Connection) -> None:
        self._truth = truth
        self._articles: defaultdict[str, dict[int, int]] = defaultdict(dict)  # by language
        self._damaged: defaultdict[str, set[int]] = defaultdict(set)  # they count as none

    def count(self, texts: Iterable[tuple[str, Terms]]) -> None:
        """Count the terms of articles that are new, each with its language."""
        more: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for language, terms in texts:
            more[language].update((_ALL, *terms.terms.tolist()))
        for language, times in sorted(more.items()):
            self._add(language, times)

    def vector(self, language: str, terms: Terms) -> TermVector:
        """The term vector of an article, as rare as its terms are by now."""
        return weighed(terms, self._rarities(language, terms.terms))

    def _add(self, language: str, times: Mapping[int, int]) -> None:
        known = self._read(language, times)
        damaged = times.keys() & self._damaged[language]
        known.update({term: known[term] + times[term] for term in times.keys() - damaged})
        for some in _steps(sorted(times.keys() - damaged)):
            self._truth.executemany(
                f"{insert_into('term_counts')} ON CONFLICT DO UPDATE "
                "SET articles = excluded.articles, crc = excluded.crc",
                [sealed("term_counts", language, term, known[term]) for term in some],
            )
        self._truth.executemany(  # so that they stay damaged
            "UPDATE term_counts SET articles = articles + :times, "
            f"crc = {crc_after('articles', 'articles + :times')} "
            "WHERE language = :language AND term = :term",
            [
                {"language": language, "term": term, "times": times[term]}
                for term in sorted(damaged)
            ],
        )

    def _rarities(self, language: str, terms: NDArray[np.uint32]) -> NDArray[np.float32]:
        """How many times rarer than a common word each is, as ln, >= 0; shape (len(terms),)."""
        numbers = terms.tolist()
        known = self._read(language, (_ALL, *numbers))
        articles = known[_ALL]
        holders = np.fromiter(map(known.__getitem__, numbers), np.float64, len(numbers))
        if language in ("", "en"):
            holders += np.maximum(shares(terms), 0.5 / _PRIOR_SAMPLE) * _PRIOR_ARTICLES
            articles += _PRIOR_ARTICLES
        else:
            holders += 0.5
            articles += 1
        rarities: NDArray[np.float32] = np.log(_COMMON_SHARE * articles / holders).astype(
            np.float32
        )
        return rarities.clip(0)

    def _read(self, language: str, terms: Iterable[int]) -> dict[int, int]:
        """The counts of a language, those of `terms` among them; 0: no article has the term."""
        known = self._articles[language]
        # Not as a difference of sets, which would go through all that is known.
        for unread in _steps([term for term in set(terms) if term not in known]):
            known.update(dict.fromkeys(unread, 0))
            rows = self._truth.execute(
                f"SELECT {columns_of('term_counts')} FROM term_counts WHERE language = ? "
                "AND term IN (SELECT value FROM json_each(?))",
                (language, json.dumps(unread)),
            ).fetchall()
            intact = {term: articles for _, term, articles in sound("term_counts", rows)}
            known.update(intact)
            self._damaged[language].update(row[1] for row in rows if row[1] not in intact)
        return known


def _steps(terms: Sequence[int]) -> Iterator[Sequence[int]]:
    """Some of them at a time, and questions before each."""
    for at in range(0, len(terms), _TERMS_A_STEP):
        give_way()
        yield terms[at : at + _TERMS_A_STEP]
