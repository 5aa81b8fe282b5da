"""The passages that questions read last: ready to show, checked and decompressed.

A passage's row never changes under its number, nor does its article's, so they serve each snapshot
in which the number is live; whether it is, the snapshot's columns say.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.store import ArticleRow, PassageRow
from index.vectors import positions_in

# Of news this is about 400 articles, in 2 MB (6 MB of a script beyond Latin-1). Eight times as many
# gave eight clients with distinct questions to 3,000 articles 1 % fewer answers and 7 % more, in
# two turns.
_MOST_CHARS: Final = 2_000_000
_BESIDE_TEXT_CHARS: Final = 300  # what a row takes without its article, as if it were text
# A question reads thirty to rank and ten to show. Who reads more is going through the archive, and
# would push out what is asked for again and again.
_MOST_AT_ONCE: Final = 50


class KeptRows:
    """Rows by passage number; those not asked for longest make room. Safe for many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._rows: OrderedDict[int, PassageRow] = OrderedDict()
        self._articles: dict[int, ArticleRow] = {}  # one for all their rows
        self._rows_of: Counter[int] = Counter()  # by article
        self._chars = 0

    def get(self, numbers: Iterable[int]) -> dict[int, PassageRow]:
        """Those of these passages that are kept."""
        found = {}
        with self._guard:
            for number in numbers:
                row = self._rows.get(number)
                if row is not None:
                    self._rows.move_to_end(number)
                    found[number] = row
        return found

    def keep_live(self, numbers: NDArray[np.int64]) -> None:
        """Let go of rows that are not among these, shape (n,), int64, ascending."""
        with self._guard:
            kept = np.fromiter(self._rows, np.int64, len(self._rows))
            for number in kept[positions_in(numbers, kept) < 0].tolist():
                self._let_go(self._rows.pop(number))

    def put(self, rows: Mapping[int, PassageRow]) -> None:
        """Keep what one reading of the store gave."""
        if len(rows) > _MOST_AT_ONCE:
            return
        with self._guard:
            for number, row in rows.items():
                if number not in self._rows:
                    self._rows[number] = self._taken(row)
            while self._chars > _MOST_CHARS:
                _, oldest = self._rows.popitem(last=False)
                self._let_go(oldest)

    def _taken(self, row: PassageRow) -> PassageRow:
        article = self._articles.setdefault(row.article.number, row.article)
        if not self._rows_of[article.number]:
            self._chars += len(article.text)
        self._rows_of[article.number] += 1
        self._chars += _BESIDE_TEXT_CHARS
        return replace(row, article=article)

    def _let_go(self, row: PassageRow) -> None:
        number = row.article.number
        self._chars -= _BESIDE_TEXT_CHARS
        self._rows_of[number] -= 1
        if not self._rows_of[number]:
            self._chars -= len(row.article.text)
            del self._rows_of[number], self._articles[number]
