"""The sentence of a passage that answers a question.

What a question's words say of a sentence is seldom all: the sentence before may name who "he" is,
and the answer is what the question does not say, a number to "how many", a day to "when". So

    score = share of the question's words in the sentence
            + 0.4 * share only in the sentence before it + 0.2 * only in the one before that
            + 0.25 for a number, 0.15 for a date and 0.2 more for a year, up to 0.2 for names,
              0.1 for speech and 0.1 for a reason, each if the question asks for it

where a word counts by how rare it is among the sentences of the passage. On squad_dev the chosen
sentence holds an answer for .873 of the even-numbered questions, on which the weights were chosen,
and for .877 of the 5,285 odd-numbered ones; the first sentence for .365, the one with the largest
share of the words for .833. Tried and left: the words' rarity in the archive (the same), pairs of
neighbouring words, the sentence behind, a pronoun at the beginning, lengths.
"""

import math
import re
from collections.abc import Callable, Sequence, Set
from typing import Final, NamedTuple

from index.chunking import sentences

_BEFORE: Final = (0.4, 0.2)  # the share of the sentence before, and of the one before that
_NUMBER: Final = 0.25
_DATE: Final = 0.15
_YEAR: Final = 0.2
_NAMES: Final = 0.2
_ENOUGH_NAMES: Final = 4
_SPEECH: Final = 0.1
_REASON: Final = 0.1
# A sentence that only says again what the question says, as a question or a headline in the text.
_NOTHING_NEW: Final = -1.0

# Too common to say where the answer stands, besides the stop words that the analysis drops.
_FUNCTION_WORDS: Final = (
    "what which who whom whose when where why how do does did has have had been were being am "
    "he she his her him i me my we our us you your its them s t d ll re ve from about than so "
    "much many"
)
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|high|large|big|often|fast|deep|wide|\w+ percent)\b"
    r"|\b(?:what|which) (?:percent|percentage|number|share|proportion|amount|fraction)\b",
    re.IGNORECASE,
)
_ASKS_DATE = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|decade|century|time)\b|\bhow long ago\b",
    re.IGNORECASE,
)
_ASKS_NAME = re.compile(
    r"\bwho(?:m|se)?\b|\bwhere\b|\bnames? of\b|\b(?:what|which) (?:person|man|woman|president"
    r"|minister|actor|actress|author|player|king|queen|leader|general|scientist|team|company"
    r"|country|city|state|name)\b",
    re.IGNORECASE,
)
_ASKS_SPEECH = re.compile(
    r"\bwhat (?:did|does|do|has|had)\b.{0,60}\b(?:say|said|tell|told|call|called|claim|state|argue"
    r"|announce|warn|add)\b",
    re.IGNORECASE,
)
_ASKS_REASON = re.compile(r"\bwhy\b|\bwhat (?:caused|(?:was|is) the reason)\b", re.IGNORECASE)

_FIGURES = re.compile(
    r"\d+(?:[.,]\d+)*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?"
    r"|hundreds?|thousands?|millions?|billions?|half|third|quarter|twice|once|several|none|zero)\b",
    re.IGNORECASE,
)
_YEARS = re.compile(r"\b(?:1\d{3}|20\d\d)s?\b")
_DATES = re.compile(
    r"\b(?:1\d{3}|20\d\d)s?\b|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b"
    r"|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
    r"|\b(?:century|yesterday|today|tomorrow|week|month|year|decade|morning|night)s?\b"
)
_NAME = re.compile(r"(?<=\w )(?!\d)[^\W_a-z][\w’'-]+|(?<=[,;:—–] )(?!\d)[^\W_a-z][\w’'-]+")
_SPOKEN = re.compile(
    r"[“”\"]|\b(?:said|says|told|tells|added|according to|asked|called|stated|announced|claimed)\b",
    re.IGNORECASE,
)
_REASONS = re.compile(
    r"\b(?:because|since|due to|as a result|so that|in order to|to avoid|caused?|causes|reasons?"
    r"|owing|therefore|led to|for)\b",
    re.IGNORECASE,
)


class _Sentence(NamedTuple):
    text: str
    terms: Set[str]


class BestSentence:
    """Chooses the sentence of any passage that answers one question."""

    def __init__(self, question: str, analyze: Callable[[str], list[str]]) -> None:
        """`analyze`: the analysis that indexed the passages, `WordsView.analyze`."""
        self._analyze = analyze
        self._said = frozenset(analyze(question))
        self._terms = self._said - frozenset(analyze(_FUNCTION_WORDS))
        self._words = frozenset(word.lower() for word in re.findall(r"[\w’'-]+", question))
        self._figures = frozenset(_FIGURES.findall(question.lower()))
        self._number = bool(_ASKS_NUMBER.search(question))
        self._date = bool(_ASKS_DATE.search(question))
        self._name = bool(_ASKS_NAME.search(question))
        self._speech = bool(_ASKS_SPEECH.search(question))
        self._reason = bool(_ASKS_REASON.search(question))

    def span(self, text: str, language: str = "") -> tuple[int, int]:
        """Where the sentence stands in a passage: code points, end excluded.

        The earliest of equals; of a text without any sentence, (0, 0).
        """
        spans = list(sentences(text, language))
        if len(spans) <= 1:
            return spans[0] if spans else (0, 0)
        scores = self.scores([text[start:end] for start, end in spans])
        return spans[max(range(len(spans)), key=lambda number: scores[number])]

    def scores(self, texts: Sequence[str]) -> list[float]:
        """How much speaks for each sentence of a passage, given in their order.

        Comparable within a passage only; other evidence may be added to it.
        """
        passage = [_Sentence(text, frozenset(self._analyze(text))) for text in texts]
        weights = self._weights(passage)
        return [
            self._share(passage, number, weights) + self._evidence(passage[number])
            for number in range(len(passage))
        ]

    def _weights(self, passage: Sequence[_Sentence]) -> dict[str, float]:
        """Of the question's terms that stand in the passage; they sum up to 1."""
        having = {term: sum(term in sentence.terms for sentence in passage) for term in self._terms}
        weights = {
            term: math.log(1 + len(passage) / times) for term, times in having.items() if times
        }
        total = sum(weights.values())
        return {term: weight / total for term, weight in weights.items()}

    def _share(self, passage: Sequence[_Sentence], number: int, weights: dict[str, float]) -> float:
        """The share of the question in a sentence, and what those before it add."""
        missing = weights.keys() - passage[number].terms
        share = sum(weights.values()) - sum(weights[term] for term in missing)
        for back, weight in enumerate(_BEFORE, start=1):
            if back <= number:
                added = missing & passage[number - back].terms
                share += weight * sum(weights[term] for term in added)
                missing -= added
        return share

    def _evidence(self, sentence: _Sentence) -> float:
        """What the question asks for and does not say itself."""
        text, evidence = sentence.text, 0.0
        if sentence.terms <= self._said:
            evidence += _NOTHING_NEW
        if self._number and not self._figures.issuperset(_FIGURES.findall(text.lower())):
            evidence += _NUMBER
        if self._date and _DATES.search(text):
            evidence += _DATE
            evidence += _YEAR * (not self._words.issuperset(_YEARS.findall(text)))
        if self._name:
            names = {name for name in _NAME.findall(text) if name.lower() not in self._words}
            evidence += _NAMES * min(len(names), _ENOUGH_NAMES) / _ENOUGH_NAMES
        if self._speech and _SPOKEN.search(text):
            evidence += _SPEECH
        if self._reason and _REASONS.search(text):
            evidence += _REASON
        return evidence
