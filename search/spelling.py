"""Near misses: words of a question that this archive writes otherwise.

A word is suspicious when no passage has it, nor another form of it, and the embedding model's
vocabulary, which holds the commonest 20,000 English words and names, does not either; or when a
passage or two have it and a near neighbour is a hundred times as frequent. Its variants are the
archive's own words at a Damerau-Levenshtein distance of 1, or 2 for words of eight letters.

Names that an archive does not know are as near to its words as misspelt ones: Sunak to sunk,
Parler to Parker. So a variant must be vouched for, by one of these:
- context: it stands in one of the best passages for the rest of the question, or is rare and
  stands in one of the better ones, or its neighbour in the question is its neighbour there;
- frequency: a common word of the language, and one that a hundredth of the passages have, or
  eight letters long;
- sound: both are ways to write one name, as Lavrow and Lavrov are;
- there is no other word in the question, so that nothing but the offer can help.

On news-qa's 1,959 questions, asked of their own archive of 4,991 passages, that offers four
corrections, all right (fightng, seasona, continuins, Bennet). With one random edit in one of the
capitalised words of a question (1,511 of them) 63 % are offered the word as it was and .4 %
another one. Asked of 41,223 passages of the years before, eight are offered something, Rayner
wrongly Ratner.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tantivy import Occur, Query

from index.model import tokens_of_word
from index.snapshot import Snapshot
from index.words import EXACT, WordsView, exact_words

SHORTEST: Final = 4
TWO_EDITS_FROM: Final = 8
# Misspelt words in one question; each may cost some 10 ms.
MOST_SUSPECTS: Final = 3

_BODY: Final = EXACT["body"]
# What follows was chosen on the 881 unknown words in news-qa's questions, asked of both archives
# named above, and on 1,439 words with one edit: the fewest false offers first. Shorter words or a
# lower share of passages bring 2 to 6 % more of the edits back, and Ronald for Ronaldo.
_RARE: Final = 2  # passages that may have the word, if it has _LONG letters ...
_RARE_RATIO: Final = 100  # ... and the variant stands in so many times as many
_LONG: Final = 6
# Among so many passages for the rest of the question the variant must stand: with the same first
# letter; with another one, or two edits away; and if that would hardly happen by chance.
_CONTEXT_RANK: Final = 20
_CLOSE_RANK: Final = 3
_FAR_RANK: Final = 100
_CHANCE: Final = 0.02
_FREQUENT_SHARE: Final = 0.01
_FREQUENT: Final = 5
_COMMON_NEIGHBOUR_SHARE: Final = 0.05  # a word that so many passages have is anybody's neighbour
_REST_TERMS: Final = 16
# Variants are read from passages, some at a time, until no passage has another one.
_ROWS: Final = 8
_ROUNDS: Final = 10

# Not in an address, a hashtag or a number, nor what the question language gives another meaning:
# `headline:word`, `-word`, `word*`. "Zelenskiy's" is looked at without its ending.
_WORD = re.compile(r"(?<![\w@#/.&:])(?<!\s-)(?<!^-)[^\W\d_]{4,40}(?![\w@/&*:]|\.\w)")
_ANY_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”")
_LONGEST_ACRONYM: Final = 5


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A word of a question, and what the archive has in its place."""

    word: str  # as typed
    span: tuple[int, int]  # in the question, in code points, end excluded
    variant: str  # as the archive writes it most often
    passages: int  # how many have the variant


class _Suspect(NamedTuple):
    word: str
    start: int
    folded: str
    passages: int
    cased: bool  # whether its capitals say anything

    @property
    def initial(self) -> str:
        return self.folded[0]


class _Variant(NamedTuple):
    folded: str
    written: Counter[str]
    passages: int
    distance: int

    @property
    def initial(self) -> str:
        return self.folded[0]


def near_misses(words: str, snapshot: Snapshot) -> tuple[NearMiss, ...]:
    """The words that look misspelt against this archive, each with its likeliest variant.

    Numbers, words under four letters, acronyms and what stands in double quotes are left alone.
    The offer is never forced: the question itself stays as it is, and the terms of the variants
    (`snapshot.words.analyze(miss.variant)`) may be looked for beside it.
    """
    suspects = list(islice(_suspects(words, snapshot.words), MOST_SUSPECTS))
    if not suspects:
        return ()
    context = _Context(words, suspects, snapshot.words)
    found = (_near_miss(suspect, context, snapshot) for suspect in suspects)
    return tuple(miss for miss in found if miss)


def corrected(question: str, misses: Sequence[NearMiss]) -> str:
    """The question with each word replaced by its variant; capitals as they were typed.

    Args:
        misses: of this question, in any order.
    """
    for miss in sorted(misses, key=lambda miss: -miss.span[0]):
        start, end = miss.span
        question = question[:start] + _as_typed(miss) + question[end:]
    return question


def _as_typed(miss: NearMiss) -> str:
    if miss.word.isupper():
        return miss.variant.upper()
    if miss.word[0].isupper():
        return miss.variant[0].upper() + miss.variant[1:]
    return miss.variant


# --- suspicious words ----------------------------------------------------------------------------


def _suspects(words: str, view: WordsView) -> Iterator[_Suspect]:
    quoted = [quote.span() for quote in _QUOTED.finditer(words)]
    shouted = words.isupper()
    cased = not shouted and not words.islower()
    for match in _WORD.finditer(words):
        word, start = match[0], match.start()
        if any(begin <= start < end for begin, end in quoted) or _is_peculiar(word, shouted):
            continue
        folded = exact_words(word)
        if len(folded) == 1 and len(folded[0]) >= SHORTEST:
            having = _passages(folded[0], view)
            rare = having <= (_RARE if len(folded[0]) >= _LONG else 0)
            if rare and not _is_a_word(folded[0], having, view):
                yield _Suspect(word, start, folded[0], having, cased and start > 0)


def _is_peculiar(word: str, shouted: bool) -> bool:
    """Acronyms and names written like McVie or EastEnders."""
    if shouted or word.islower() or word.istitle():
        return False
    return not word.isupper() or len(word) <= _LONGEST_ACRONYM


def _passages(folded: str, view: WordsView) -> int:
    return max(view.passages_with(field, folded) for field in EXACT.values())


def _is_a_word(folded: str, having: int, view: WordsView) -> bool:
    """Whether the language has it, or the archive has it in another form ("ferries")."""
    if tokens_of_word(folded) == 1:
        return True
    for stem in view.analyze(folded):
        if len(stem) >= SHORTEST and tokens_of_word(stem) == 1:
            return True
        if not having and any(view.passages_with(field, stem) for field in EXACT):
            return True
    return not view.analyze(folded)


# --- variants ------------------------------------------------------------------------------------


def _variants(suspect: _Suspect, distance: int, snapshot: Snapshot) -> Iterator[_Variant]:
    """The archive's words at this distance from a suspicious one."""
    view = snapshot.words
    near = Query.fuzzy_term_query(view.schema, _BODY, suspect.folded, distance=distance)
    found: dict[str, Counter[str]] = {}
    for _ in range(_ROUNDS):
        others = [_term(word, view) for word in (suspect.folded, *found)]
        query = [(Occur.Must, near), *((Occur.MustNot, other) for other in others)]
        numbers, _scores = view.search(Query.boolean_query(query), _ROWS)
        seen = len(found)
        for text in _texts(numbers, snapshot):
            _collect(text, suspect.folded, distance, found)
        if len(found) == seen:
            break
    for folded, written in found.items():
        if edit_distance(suspect.folded, folded) == distance:
            yield _Variant(folded, written, view.passages_with(_BODY, folded), distance)


def _texts(numbers: NDArray[np.int64], snapshot: Snapshot) -> list[str]:
    positions = [int(position) for position in snapshot.position_of(numbers) if position >= 0]
    return [row.text for row in snapshot.passage_rows(positions).values()]


def _collect(text: str, wanted: str, distance: int, found: dict[str, Counter[str]]) -> None:
    letters = set(wanted)
    for match in _ANY_WORD.finditer(text):
        word = match[0]
        if abs(len(word) - len(wanted)) > distance:
            continue
        # An edit takes away one letter at most and brings another: quick, and seldom enough wrong.
        if word.isascii() and len(letters ^ set(word.lower())) > 2 * distance:
            continue
        for folded in exact_words(word):
            if folded in found or 0 < edit_distance(wanted, folded) <= distance:
                found.setdefault(folded, Counter())[word] += 1


def _term(word: str, view: WordsView) -> Query:
    return Query.term_query(view.schema, _BODY, word)


def edit_distance(a: str, b: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours that make `a` of `b`.

    The restricted Damerau-Levenshtein distance, as tantivy's fuzzy queries count it.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, char in enumerate(a, start=1):
        row = [i]
        for j, other in enumerate(b, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


# --- what vouches for a variant ------------------------------------------------------------------


class _Context:
    """The rest of a question: which passages it finds by itself."""

    def __init__(self, words: str, suspects: Sequence[_Suspect], view: WordsView) -> None:
        self._view = view
        self._words = [
            (match.start(), folded)
            for match in _ANY_WORD.finditer(words)
            for folded in exact_words(match[0])
        ]
        suspicious = {suspect.folded for suspect in suspects}
        rest = (word for _, word in self._words if word not in suspicious)
        terms = {term: 0 for word in rest for term in view.analyze(word)}
        terms = {term: having for term in terms if (having := view.passages_with("body", term))}
        rarest = sorted(terms, key=lambda term: terms[term])[:_REST_TERMS]
        self._rest = Query.boolean_query(
            [(Occur.Should, Query.term_query(view.schema, "body", term)) for term in rarest]
        )
        self.is_empty = not rarest
        _, self._scores = view.search(self._rest, _FAR_RANK)

    def rank(self, word: str) -> int:
        """How many passages the rest of the question finds before the first with `word`.

        _FAR_RANK: so many or more.
        """
        having = Query.const_score_query(_term(word, self._view), 0.0)
        both = Query.boolean_query([(Occur.Must, self._rest), (Occur.Must, having)])
        _, scores = self._view.search(both, 1)
        if not len(scores):
            return _FAR_RANK
        return int(np.count_nonzero(self._scores > scores[0]))

    def has_neighbour(self, suspect: _Suspect, variant: str, passages: int) -> bool:
        """Whether two passages have the variant beside a word that is its neighbour here."""
        at = [start for start, _ in self._words].index(suspect.start)
        pairs = []
        if at > 0:
            pairs.append((self._words[at - 1][1], variant))
        if at + 1 < len(self._words):
            pairs.append((variant, self._words[at + 1][1]))
        return any(
            self._says_something(pair[0] if pair[1] == variant else pair[1], passages)
            and self._stands(pair)
            for pair in pairs
        )

    def _says_something(self, neighbour: str, passages: int) -> bool:
        return bool(self._view.analyze(neighbour)) and (
            self._view.passages_with(_BODY, neighbour) < passages * _COMMON_NEIGHBOUR_SHARE
        )

    def _stands(self, pair: tuple[str, str]) -> bool:
        phrase = Query.phrase_query(self._view.schema, _BODY, list(pair))
        return len(self._view.search(phrase, 2)[0]) == 2


def _near_miss(suspect: _Suspect, context: _Context, snapshot: Snapshot) -> NearMiss | None:
    for distance in (1, 2) if len(suspect.folded) >= TWO_EDITS_FROM else (1,):
        variants = _variants(suspect, distance, snapshot)
        likely = [
            (order, variant)
            for variant in variants
            if (order := _likelihood(suspect, variant, context, snapshot.passages))
        ]
        if likely:
            _, variant = max(likely, key=lambda item: (*item[0], item[1].folded))
            end = suspect.start + len(suspect.word)
            written = max(variant.written.items(), key=lambda item: (item[1], item[0]))[0]
            return NearMiss(suspect.word, (suspect.start, end), written, variant.passages)
    return None


def _likelihood(
    suspect: _Suspect, variant: _Variant, context: _Context, passages: int
) -> tuple[bool, bool, int, int] | None:
    """Orders the variants of a word; None: nothing vouches for this one."""
    if not _may_replace(suspect, variant):
        return None
    rank = _FAR_RANK if context.is_empty else context.rank(variant.folded)
    near = _is_near(suspect, variant, rank, context, passages)
    if not near and not _is_common(suspect, variant, context, passages):
        return None
    return near, suspect.initial == variant.initial, -min(rank, _CONTEXT_RANK), variant.passages


def _may_replace(suspect: _Suspect, variant: _Variant) -> bool:
    """A word in small letters is no name; a word that the archive has must be far rarer."""
    if variant.passages < suspect.passages * _RARE_RATIO:
        return False
    return not (suspect.cased and suspect.word.islower() and not _written_small(variant))


def _is_near(
    suspect: _Suspect, variant: _Variant, rank: int, context: _Context, passages: int
) -> bool:
    initial = suspect.initial == variant.initial
    if variant.distance > 1:
        return rank < _CLOSE_RANK and initial
    long = len(suspect.folded) >= _LONG
    if not long and not _agrees(suspect, variant):
        return False
    if rank < (_CONTEXT_RANK if initial else _CLOSE_RANK):
        return True
    by_chance = (rank + 1) * variant.passages / passages
    if long and initial and rank < _FAR_RANK and by_chance < _CHANCE:
        return True
    capital = suspect.word[0].isupper()
    return (long or capital) and context.has_neighbour(suspect, variant.folded, passages)


def _is_common(suspect: _Suspect, variant: _Variant, context: _Context, passages: int) -> bool:
    """Whether the variant is likely without regard to the rest of the question."""
    length = len(suspect.folded)
    if variant.distance > 1 or suspect.initial != variant.initial:
        return False
    if context.is_empty:
        return length >= _LONG and _agrees(suspect, variant)
    if variant.passages < _FREQUENT:
        return False
    if _sound(suspect.folded) == _sound(variant.folded) and _agrees(suspect, variant):
        return True
    if tokens_of_word(variant.folded) != 1:
        return False
    small = suspect.word.islower()
    if length >= TWO_EDITS_FROM and 2 * _written_small(variant) >= variant.written.total():
        return True
    return length >= (TWO_EDITS_FROM if small else _LONG) and (
        variant.passages >= _FREQUENT_SHARE * passages
    )


_ALIKE: Final = (
    *(("ph", "f"), ("ck", "k"), ("kh", "h"), ("ue", "u"), ("oe", "o"), ("ae", "a")),
    *(("w", "v"), ("y", "i"), ("j", "i"), ("c", "k"), ("z", "s")),
)
_DOUBLED = re.compile(r"(.)\1+")


def _sound(folded: str) -> str:
    """Equal where one name is written in two ways: Lavrov, Lavrow; Zelensky, Zelenskij; Genève."""
    for written, sound in _ALIKE:
        folded = folded.replace(written, sound)
    return _DOUBLED.sub(r"\1", folded).rstrip("ae")


def _agrees(suspect: _Suspect, variant: _Variant) -> bool:
    """Whether the archive mostly writes the variant as the word is written: small or not."""
    if not suspect.cased:
        return True
    small = 2 * _written_small(variant)
    total = variant.written.total()
    return small <= total if suspect.word[0].isupper() else small >= total


def _written_small(variant: _Variant) -> int:
    return sum(times for written, times in variant.written.items() if written[0].islower())
