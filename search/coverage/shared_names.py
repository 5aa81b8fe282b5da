"""The people, places and organisations that two articles both name.

A name is a run of words with capitals of which one at least is a name's by itself: written with a
capital within sentences, and seldom without. What it weighs is what its words weigh in both term
vectors, so a rare name comes before a country's.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from index.term_vectors import TermVector, term_of

MOST_NAMES: Final = 5
_LONGEST: Final = 6  # words of a name
# Of a text, so that a book's length does not matter; who matters is named by then.
_READ_CHARS: Final = 5_000
_WORD: Final = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
# What stands before a sentence, a line or a quotation, where every word begins with a capital.
_BEGINNING: Final = re.compile(r"(?:^|[.!?…\n•*(\[\"“‘–—-])[\"”’')\]\s]*\Z")
_BEFORE_CHARS: Final = 6
# What stands between two words of one name.
_WITHIN: Final = re.compile(
    r"\.?[ \u00a0](?:(?:&|of|the|and|for|de|del|la|le|du|da|dos|di|von|van)[ \u00a0]){0,2}"
)
# Written with a capital, and no name.
_DATES: Final = frozenset(
    (
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("january", "february", "march", "april", "may", "june", "july", "august"),
        *("september", "october", "november", "december", "mon", "tue", "wed", "thu", "fri"),
        *("sat", "sun", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct"),
        *("nov", "dec"),
    )
)
# Where so many words have one, as in an upper-case text, capitals say nothing.
_CAPITALS: Final = 0.5

_Folded = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a text."""

    written: dict[_Folded, str]  # each, and what is part of one, as it is written
    whole: frozenset[_Folded]


@dataclass(frozen=True, slots=True)
class _Capitalised:
    """A word with a capital."""

    start: int
    end: int
    folded: str
    begins: bool  # where a capital says nothing


def names_of(text: str) -> Names:
    """The names of a text, as far as it is read for them."""
    text = text[:_READ_CHARS]
    written: dict[_Folded, str] = {}
    whole = set()
    for run in _runs(text):
        folded = tuple(word.folded for word in run)
        whole.add(folded[:_LONGEST])
        for first in range(len(run)):
            for last in range(first, min(len(run), first + _LONGEST)):
                name = text[run[first].start : run[last].end]
                written.setdefault(folded[first : last + 1], _without_s(name))
    return Names(written, frozenset(whole))


def shared_names(
    mine: Names, theirs: Names, my_vector: TermVector, their_vector: TermVector
) -> tuple[str, ...]:
    """Names that both hold, the weightiest first; MOST_NAMES at most.

    Of names within each other the longest is taken, as it is written in `mine`.
    """
    weights = _shared_weights(my_vector, their_vector)
    # Whole in one text at least: "United" is no name that two articles share.
    shared = (mine.written.keys() & theirs.whole) | (mine.whole & theirs.written.keys())
    weighed = sorted(
        (-_weight(name, weights), -len(name), name) for name in shared & mine.written.keys()
    )
    chosen: list[_Folded] = []
    for weight, _, name in weighed:
        held = {word for other in chosen for word in other}
        if weight < 0 and not held.issuperset(name) and len(chosen) < MOST_NAMES:
            chosen.append(name)
    return tuple(mine.written[name] for name in chosen)


def _shared_weights(mine: TermVector, theirs: TermVector) -> dict[int, float]:
    terms, at, there = np.intersect1d(
        mine.terms, theirs.terms, assume_unique=True, return_indices=True
    )
    products = mine.weights[at] * theirs.weights[there]
    return dict(zip(terms.tolist(), products.tolist(), strict=True))


def _weight(name: _Folded, weights: Mapping[int, float]) -> float:
    return sum(weights.get(term_of(word), 0.0) for word in name)


def _runs(text: str) -> Iterator[list[_Capitalised]]:
    words, names = _capitalised(text)
    run: list[_Capitalised] = []
    for word in words:
        if run and _WITHIN.fullmatch(text, run[-1].end, word.start):
            run.append(word)
            continue
        if any(each.folded in names for each in run):
            yield run
        run = [word] if word.folded in names or not word.begins else []
    if any(each.folded in names for each in run):
        yield run


def _capitalised(text: str) -> tuple[list[_Capitalised], frozenset[str]]:
    """The words with a capital, but for dates; and which of them are names by themselves."""
    words, small = [], []
    for match in _WORD.finditer(text):
        word, start = match[0], match.start()
        folded = _without_s(word.lower())
        if not word[0].isupper():
            small.append(folded)
        elif folded not in _DATES:
            before = text[max(start - _BEFORE_CHARS, 0) : start]
            begins = start == 0 or _BEGINNING.search(before) is not None
            words.append(_Capitalised(start, match.end(), folded, begins))
    if len(words) > _CAPITALS * (len(words) + len(small)):
        return [], frozenset()
    times_small = Counter(small)
    times = Counter(word.folded for word in words if not word.begins)
    return words, frozenset(word for word in times if times[word] > times_small[word])


def _without_s(word: str) -> str:
    return word[:-2] if word[-2:] in ("'s", "’s") else word
