"""How a question was understood: what its terms find, and in which way each of them counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from index.snapshot import Snapshot
from index.words import EXACT, exact_words
from search.conditions import Resolver, positive_terms
from search.query import (
    And,
    Condition,
    InHeadline,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Together,
    Verbatim,
)
from search.time_expressions import TimeExpression

MAX_EXPANSIONS: Final = 20  # of a prefix
MAX_RANKING_WORDS: Final = 32  # as many as the lexical arm asks for


class Role(StrEnum):
    """What a term does to the result set."""

    RANKS = "ranks"
    RESTRICTS = "restricts"
    EXCLUDES = "excludes"


@dataclass(frozen=True, slots=True)
class TermHits:
    """A term of a question, and how many passages hold it in their text or their headline.

    Words that only rank count in all their forms (`sail` with `sails`), the others as written.
    """

    text: str  # word, "a phrase", start*, headline:"a phrase"
    role: Role
    passages: int
    expansions: tuple[
        tuple[str, int], ...
    ] = ()  # of a prefix: words and their passages, most first


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How a question was understood, for the person who asked it."""

    words: str
    condition: str | None  # canonical form; parsed again it is the same
    complete: bool  # all that fulfils the condition is found, and nothing else
    terms: tuple[TermHits, ...]
    time: tuple[TimeExpression, ...]
    loose: str | None  # quotations of a question, which restrict nothing


def described(query: Query, snapshot: Snapshot) -> Interpretation:
    """How a question is understood, with what its terms find in this snapshot."""
    condition = query.condition
    leaves = dict.fromkeys(_leaves(condition)) if condition else {}
    return Interpretation(
        words=query.words,
        condition=str(condition) if condition else None,
        complete=condition is not None and any(True for _ in positive_terms(condition)),
        terms=(
            *_restricting(leaves, snapshot),
            *_ranking(query.words, leaves, snapshot),
        ),
        time=query.time,
        loose=str(query.loose) if query.loose else None,
    )


_Leaf = Phrase | Prefix | InHeadline | Verbatim


def _leaves(condition: Condition, excluded: bool = False) -> Iterator[tuple[_Leaf, bool]]:
    """Each with whether it is excluded, in the order of the question."""
    match condition:
        case Not(part):
            yield from _leaves(part, not excluded)
        case And(parts) | Or(parts) | Together(parts):
            for part in parts:
                yield from _leaves(part, excluded)
        case Near(left, right):
            yield from _leaves(left, excluded)
            yield from _leaves(right, excluded)
        case Phrase() | Prefix() | InHeadline() | Verbatim():
            yield condition, excluded


def _restricting(leaves: dict[tuple[_Leaf, bool], None], snapshot: Snapshot) -> Iterator[TermHits]:
    resolver = Resolver(snapshot)
    for leaf, excluded in leaves:
        places = resolver.places(leaf)
        passages = places.passages | places.headlines[snapshot.columns.article]
        yield TermHits(
            str(leaf),
            Role.EXCLUDES if excluded else Role.RESTRICTS,
            int(np.count_nonzero(passages)),
            _expansions(leaf, snapshot),
        )


def _expansions(leaf: _Leaf, snapshot: Snapshot) -> tuple[tuple[str, int], ...]:
    field = EXACT["headline" if isinstance(leaf, InHeadline) else "body"]
    prefix = leaf.part if isinstance(leaf, InHeadline) else leaf
    if not isinstance(prefix, Prefix):
        return ()
    (start,) = exact_words(prefix.start)
    return tuple(snapshot.words.beginning(field, start, MAX_EXPANSIONS))


def _ranking(
    words: str, leaves: dict[tuple[_Leaf, bool], None], snapshot: Snapshot
) -> Iterator[TermHits]:
    """The words that both arms look for and no condition holds; without stop words."""
    restricting = {word for leaf, _ in leaves for word in exact_words(str(leaf))}
    view = snapshot.words
    stem_of = {word: view.analyze(word) for word in dict.fromkeys(exact_words(words))}
    ranking = [word for word, stems in stem_of.items() if stems and word not in restricting]
    for word in ranking[:MAX_RANKING_WORDS]:
        yield TermHits(word, Role.RANKS, view.passages_found_by(stem_of[word][0]))
