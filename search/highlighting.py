"""Highlights: which words of a hit are the question's."""

import re
from collections.abc import Callable, Iterator, Sequence

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
    """Finds a question's words in texts, by the same analysis that indexed them."""

    def __init__(self, question: str, analyze: Callable[[str], list[str]]) -> None:
        self._analyze = analyze
        self._terms = frozenset(analyze(question)) - frozenset(analyze(_FUNCTION_WORDS))
        self._asked: dict[str, bool] = {}

    def spans(self, text: str) -> tuple[Span, ...]:
        """Where the question's words stand in `text`, in order, adjacent ones merged.

        Spans are in code points, end excluded; they begin and end with a word.
        """
        if not self._terms:
            return ()
        return tuple(_merged(text, list(self._words(text))))

    def _words(self, text: str) -> Iterator[Span]:
        for match in _WORD.finditer(text):
            if self._is_asked(match.group()):
                yield match.span()

    def _is_asked(self, word: str) -> bool:
        asked = self._asked.get(word)
        if asked is None:
            asked = not self._terms.isdisjoint(self._analyze(word))
            self._asked[word] = asked
        return asked


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
