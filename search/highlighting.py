"""Highlights: which words of a hit are the question's."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import compress

from index.words import exact_words
from search.conditions import positive_terms
from search.query import Condition, Near, Phrase, Prefix, Query, Together, Verbatim

Span = tuple[int, int]

# A word, as tantivy's simple tokenizer divides text.
_WORD = re.compile(r"[^\W_]+")
# Words asked for one after the other are marked as one: "Lavrov's", "U.S.", "New York".
_BETWEEN = re.compile(r"[ \-.'’]{1,2}")
# Too common to be worth a mark, besides the stop words that the analysis drops. They do count in
# ranking: news-qa's nDCG@10 falls by .002 to .004 without them.
_FUNCTION_WORDS = (
    "what which who whom whose when where why how do does did has have had been were being am "
    "he she his her him i me my we our us you your its them s t d ll re ve from about than so"
)


class Highlighter:
    """Finds a question's words in texts, by the same analyses that indexed them.

    Plain words are marked in all their forms; what restricts the question as it must be written:
    phrases word by word, words that begin so, or the literal text.
    """

    def __init__(self, query: Query, analyze: Callable[[str], list[str]]) -> None:
        """`analyze`: the terms of a text as the words that rank are indexed."""
        self._analyze = analyze
        terms = list(_terms(query.condition)) if query.condition else []
        self._verbatim = [term.text for term in terms if isinstance(term, Verbatim)]
        phrases = (exact_words(term.text) for term in terms if isinstance(term, Phrase))
        self._phrases = [phrase for phrase in phrases if phrase]
        self._starts = tuple(
            start for term in terms if isinstance(term, Prefix) for start in exact_words(term.start)
        )
        self._asked = frozenset(analyze(query.words)) - frozenset(analyze(_FUNCTION_WORDS))
        self._known: dict[str, bool] = {}

    def spans(self, text: str) -> tuple[Span, ...]:
        """Where the question's words stand in `text`, in order, adjacent ones merged.

        Spans are in code points, end excluded; they begin and end with a word, those of a verbatim
        question with its text.
        """
        if self._verbatim:
            return tuple(_occurrences(self._verbatim, text))
        if not (self._asked or self._phrases or self._starts):
            return ()
        return tuple(_merged(text, self._words(text)))

    def _words(self, text: str) -> list[Span]:
        matches = list(_WORD.finditer(text))
        words = [match.group() for match in matches]
        for word in set(words) - self._known.keys():
            self._known[word] = not self._asked.isdisjoint(self._analyze(word)) or (
                bool(self._starts) and self._begins_so(word)
            )
        marked = set(compress(range(len(words)), map(self._known.__getitem__, words)))
        if self._phrases:
            marked |= self._in_phrases(words)
        return [matches[at].span() for at in sorted(marked)]

    def _begins_so(self, word: str) -> bool:
        return any(form.startswith(self._starts) for form in exact_words(word))

    def _in_phrases(self, words: Sequence[str]) -> set[int]:
        """Places of the words that stand in one of the phrases."""
        folded = ["".join(exact_words(word)) for word in words]
        return {
            at + inside
            for phrase in self._phrases
            for at in range(len(folded) - len(phrase) + 1)
            if folded[at] == phrase[0] and folded[at : at + len(phrase)] == phrase
            for inside in range(len(phrase))
        }


def _terms(condition: Condition) -> Iterator[Condition]:
    """Phrases, prefixes and literal texts that must or may stand in a text."""
    for term in positive_terms(condition):
        match term:
            case Near(left, right):
                yield from _terms(left)
                yield from _terms(right)
            case Together(parts):
                for part in parts:
                    yield from _terms(part)
            case _:
                yield term


def _occurrences(texts: Sequence[str], text: str) -> Iterator[Span]:
    pattern = "|".join(re.escape(wanted) for wanted in texts)
    for match in re.finditer(pattern, text):
        yield match.span()


def _merged(text: str, words: Sequence[Span]) -> Iterator[Span]:
    start = end = -1
    for word_start, word_end in words:
        if end >= 0 and _BETWEEN.fullmatch(text, end, word_start):
            end = word_end
            continue
        if end >= 0:
            yield start, end
        start, end = word_start, word_end
    if end >= 0:
        yield start, end
