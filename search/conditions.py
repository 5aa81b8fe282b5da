"""What restricts a question, resolved on a snapshot: exactly which passages may be found.

The word index answers for words, phrases and prefixes, as they are written but for case and
accents, and for NEAR between words. What it cannot answer exactly it narrows down, and the texts of
the passages that are left decide. Either way all matches are found: as many as a scan of every text
finds.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from operator import and_, or_
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tantivy import Occur, Schema
from tantivy import Query as TextQuery

from index.chunking import sentences
from index.snapshot import Snapshot
from index.store import PassageRow
from index.words import EXACT, exact_words
from search.filters import matching_codes
from search.query import (
    And,
    Condition,
    Dated,
    FieldIs,
    InHeadline,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Together,
    Unit,
    Verbatim,
)

# NEAR between two words is two or three queries; of more pairs than this, the texts are read.
_MAX_PAIRS: Final = 100
# Texts of so many passages are in memory at once.
_READ_AT_ONCE: Final = 2_000
# tantivy refuses regular expressions of some thousand characters; this narrows down well enough.
_MAX_PATTERN_CHARS: Final = 30

_InText = Callable[[str, str], bool]  # text, language


@dataclass(frozen=True, slots=True)
class Matching:
    """A condition on one snapshot."""

    mask: NDArray[np.bool_]  # shape (passages,), True where a passage may be found
    complete: bool  # the mask is the result set; False: the arms propose what lies within it


def matching(condition: Condition, snapshot: Snapshot) -> Matching:
    """Which passages a condition lets through; equal to a scan of every text.

    The unit of a condition is the article with its headline. Found are those passages of matching
    articles that hold a term of the condition that is not excluded; where none does, because the
    term stands in the headline, the article's first.
    """
    resolver = Resolver(snapshot)
    articles = resolver.articles(condition)
    article = snapshot.columns.article
    terms = list(positive_terms(condition))
    if not terms:
        return Matching(articles[article], complete=False)
    mask = reduce(or_, (resolver.places(term).passages for term in terms)) & articles[article]
    articles[article[mask]] = False
    mask[resolver.first_passages(articles)] = True
    return Matching(mask, complete=True)


def loosened(query: Query) -> Query:
    """A question in plain words with quotations: these as words too.

    Who asks 'Which band sang "Yellow River"?' wants the band, whether or not the text that tells it
    has the title as it is quoted here. Of 38 such questions of news-qa nDCG@10 is .85 so, and .67
    where the quotation must stand. A search for a phrase, without a question mark or other words,
    stays one.
    """
    condition = query.condition
    quoted = condition.parts if isinstance(condition, And) else (condition,)
    if "?" not in query.text or not all(isinstance(part, Phrase) for part in quoted):
        return query
    held = {word for part in quoted if isinstance(part, Phrase) for word in exact_words(part.text)}
    if condition is None or set(exact_words(query.words)) <= held:
        return query
    return replace(query, words=query.text.strip(), condition=None, loose=condition)


def positive_terms(condition: Condition) -> Iterator[Condition]:
    """What must or may stand in a text: no fields and dates, and nothing that is excluded.

    Near and Together are one term each.
    """
    waiting = [(condition, False)]
    while waiting:
        part, excluded = waiting.pop()
        match part:
            case And(parts) | Or(parts):
                waiting.extend((inner, excluded) for inner in parts)
            case Not(inner):
                waiting.append((inner, not excluded))
            case FieldIs() | Dated():
                pass
            case _ if not excluded:
                yield part


@dataclass(frozen=True, slots=True)
class Places:
    """Where something stands."""

    passages: NDArray[np.bool_]  # shape (passages,)
    headlines: NDArray[np.bool_]  # shape (articles,)

    def __and__(self, other: "Places") -> "Places":
        return Places(self.passages & other.passages, self.headlines & other.headlines)

    def __or__(self, other: "Places") -> "Places":
        return Places(self.passages | other.passages, self.headlines | other.headlines)

    def __invert__(self) -> "Places":
        return Places(~self.passages, ~self.headlines)


class Resolver:
    """Resolves conditions on one snapshot, each once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._words, self._columns = snapshot.words, snapshot.columns
        self._known: dict[Condition, Places] = {}

    def articles(self, condition: Condition) -> NDArray[np.bool_]:
        """Which articles fulfil a condition, shape (articles,), bool; the caller's own array."""
        match condition:
            case And(parts):
                return reduce(and_, map(self.articles, parts))
            case Or(parts):
                return reduce(or_, map(self.articles, parts))
            case Not(part):
                return ~self.articles(part)
            case FieldIs(field, value):
                codes = matching_codes(field, (value,), self._columns.values[field])
                return np.isin(getattr(self._columns, field), codes)
            case Dated():
                first, last = (day.toordinal() for day in condition.days)
                return (self._columns.day >= first) & (self._columns.day <= last)
            case _:
                places = self.places(condition)
                articles = places.headlines.copy()
                articles[self._columns.article[places.passages]] = True
                return articles

    def places(self, term: Condition) -> Places:
        """In which passages and which headlines a term stands, all of it in each."""
        if term not in self._known:
            self._known[term] = self._places(term)
        return self._known[term]

    def first_passages(self, articles: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Positions of the first passages of these articles, shape (articles,), bool."""
        # Passages are numbered in the order of their text.
        article, first = np.unique(self._columns.article, return_index=True)
        return first[articles[article]]

    def _places(self, term: Condition) -> Places:
        match term:
            case Phrase(text):
                return self._found(lambda field: _phrase(self._schema, field, exact_words(text)))
            case Prefix(start):
                return self._found(lambda field: self._beginning(field, start))
            case InHeadline(part):
                return Places(self._nowhere().passages, self.places(part).headlines)
            case Near():
                return self._near(term)
            case Together(parts, unit):
                return self._in_a_sentence(parts) if unit is Unit.SENTENCE else self._all(parts)
            case Verbatim(text):
                return self._read(self._perhaps_verbatim(text), lambda read, _: text in read)
            case And(parts):
                return self._all(parts)
            case Or(parts):
                return reduce(or_, map(self.places, parts))
            case Not(part):
                return ~self.places(part)
            case FieldIs() | Dated():
                raise AssertionError(f"{term} stands in no text")

    def _all(self, parts: Sequence[Condition]) -> Places:
        return reduce(and_, map(self.places, parts))

    def _near(self, near: Near) -> Places:
        pairs = _pairs_of_words(near)
        if pairs is None:
            perhaps = self.places(near.left) & self.places(near.right)
            return self._read(perhaps, lambda text, _: _holds(near, exact_words(text)))
        return self._found(
            lambda field: _any_of(
                query
                for left, right in pairs
                for query in _two_words(self._schema, field, left, right, near.distance)
            )
        )

    def _in_a_sentence(self, parts: Sequence[Condition]) -> Places:
        """A headline is one sentence, so what it holds stands in it together."""

        def holds(text: str, language: str) -> bool:
            return any(
                all(_holds(part, words) for part in parts)
                for start, end in sentences(text, language)
                if (words := exact_words(text[start:end]))
            )

        perhaps = reduce(and_, map(self._perhaps_in_a_sentence, parts))
        nowhere = self._nowhere().headlines
        passages = self._read(Places(perhaps.passages, nowhere), holds).passages
        return Places(passages, self._all(parts).headlines)

    def _perhaps_in_a_sentence(self, part: Condition) -> Places:
        """Where a sentence may fulfil `part`: one without a word stands anywhere."""
        match part:
            case And(parts):
                return reduce(and_, map(self._perhaps_in_a_sentence, parts))
            case Or(parts):
                return reduce(or_, map(self._perhaps_in_a_sentence, parts))
            case Not():
                return ~self._nowhere()
            case _:
                return self.places(part)

    def _perhaps_verbatim(self, text: str) -> Places:
        """Where the words within `text` stand; its first and last may be parts of words."""
        words = exact_words(text)
        if not words:
            return ~self._nowhere()
        first = 1 if exact_words(text[0]) else 0
        last = len(words) - (1 if exact_words(text[-1]) else 0)
        if first < last:
            return self._found(lambda field: _phrase(self._schema, field, words[first:last]))
        ends = re.escape(words[0][-_MAX_PATTERN_CHARS:])
        begins = re.escape(words[-1][:_MAX_PATTERN_CHARS])
        patterns = [f".*{ends}.*"] if len(words) == 1 else [f".*{ends}", f"{begins}.*"]
        return reduce(and_, (self._found(self._regex(pattern)) for pattern in patterns))

    def _regex(self, pattern: str) -> Callable[[str], TextQuery]:
        return lambda field: TextQuery.regex_query(self._schema, field, pattern)

    def _beginning(self, field: str, start: str) -> TextQuery:
        (word,) = exact_words(start)
        terms = [term for term, _ in self._words.beginning(field, word)]
        return (
            TextQuery.term_set_query(self._schema, field, terms)
            if terms
            else TextQuery.empty_query()
        )

    @property
    def _schema(self) -> Schema:
        return self._words.schema

    def _nowhere(self) -> Places:
        return Places(
            np.zeros(len(self._columns.number), dtype=np.bool_),
            np.zeros(len(self._columns.article_id), dtype=np.bool_),
        )

    def _found(self, query: Callable[[str], TextQuery]) -> Places:
        """What the word index finds; `query` makes the query for a field."""
        places = self._nowhere()
        places.passages[self._positions(query(EXACT["body"]))] = True
        places.headlines[self._columns.article[self._positions(query(EXACT["headline"]))]] = True
        return places

    def _positions(self, query: TextQuery) -> NDArray[np.int64]:
        positions = self._snapshot.position_of(self._words.all_with(query))
        return positions[positions >= 0]

    def _read(self, perhaps: Places, holds: _InText) -> Places:
        """Those of `perhaps` whose text is such; damaged rows cannot be found."""
        places = self._nowhere()
        for position, row in self._rows(np.flatnonzero(perhaps.passages)):
            places.passages[position] = holds(row.text, row.article.language)
        for position, row in self._rows(self.first_passages(perhaps.headlines)):
            article = self._columns.article[position]
            places.headlines[article] = holds(row.article.headline, row.article.language)
        return places

    def _rows(self, positions: NDArray[np.int64]) -> Iterator[tuple[int, PassageRow]]:
        for at in range(0, len(positions), _READ_AT_ONCE):
            some = positions[at : at + _READ_AT_ONCE].tolist()
            yield from self._snapshot.passage_rows(some).items()


# ------------------------------------------------------------------------------------ queries


def _phrase(schema: Schema, field: str, words: Sequence[str]) -> TextQuery:
    if len(words) == 1:
        return TextQuery.term_query(schema, field, words[0])
    return TextQuery.phrase_query(schema, field, list(words))


def _pairs_of_words(near: Near) -> list[tuple[str, str]] | None:
    """All pairs of which one must stand near; None: not all are words, or there are too many."""
    sides = []
    for side in (near.left, near.right):
        phrases = side.parts if isinstance(side, Or) else (side,)
        words = [exact_words(part.text) for part in phrases if isinstance(part, Phrase)]
        if len(words) < len(phrases) or any(len(word) > 1 for word in words):
            return None
        sides.append({word for (word,) in words})
    pairs = sorted(product(*sides))
    return pairs if len(pairs) <= _MAX_PAIRS else None  # type: ignore[return-value]


def _two_words(
    schema: Schema, field: str, left: str, right: str, distance: int
) -> Iterator[TextQuery]:
    """Queries of which one finds the words within `distance`."""
    if left == right:  # with slop, a word would be near itself
        for offset in range(1, distance + 1):
            yield TextQuery.phrase_query(schema, field, [(0, left), (offset, left)])
        return
    # tantivy's slop is how far the second word may stand from the place behind the first, before
    # or after it; so one order alone would take less in the other.
    yield TextQuery.phrase_query(schema, field, [left, right], distance - 1)
    yield TextQuery.phrase_query(schema, field, [right, left], distance - 1)


def _any_of(queries: Iterable[TextQuery]) -> TextQuery:
    return TextQuery.boolean_query([(Occur.Should, query) for query in queries])


# -------------------------------------------------------------------------------------- texts


def _holds(condition: Condition, words: Sequence[str]) -> bool:
    """Whether a text of these words fulfils a condition, all of it in this text."""
    match condition:
        case And(parts):
            return all(_holds(part, words) for part in parts)
        case Or(parts):
            return any(_holds(part, words) for part in parts)
        case Not(part):
            return not _holds(part, words)
        case Near(left, right, distance):
            lefts, rights = list(_spans(left, words)), list(_spans(right, words))
            return any(_are_near(a, b, distance) for a, b in product(lefts, rights))
        case _:
            return any(True for _ in _spans(condition, words))


def _spans(condition: Condition, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last word, by number, of each place where a side of Near stands."""
    match condition:
        case Or(parts):
            for part in parts:
                yield from _spans(part, words)
        case Prefix(start):
            (start,) = exact_words(start)
            yield from ((at, at) for at, word in enumerate(words) if word.startswith(start))
        case Phrase(text):
            wanted = exact_words(text)
            for at, word in enumerate(words):
                if word == wanted[0] and list(words[at : at + len(wanted)]) == wanted:
                    yield at, at + len(wanted) - 1


def _are_near(one: tuple[int, int], other: tuple[int, int], distance: int) -> bool:
    (_, end), (start, _) = sorted((one, other))
    return 0 < start - end <= distance
