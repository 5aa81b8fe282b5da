"""What is new in a story: a sentence for each development, in the order of time.

Each version of each report is read as far as its news goes, its first sentences. A sentence tells
news by the share of its words, rare ones counting more, that stood in nothing reported before; a
word that no other report takes up counts half. Of a report's sentences the one is chosen that also
names most of what the story is about, stands first, and says when. A report whose best sentence is
mostly known makes no entry; it takes less on a day that has none yet, since what happened is often
foretold in the same words.

Chosen by reading stories of press (September 2016, October 2018) entry by entry. Tried and left:
all of a text as known from then on (what was merely demanded hides that it happened), pairs of
neighbouring words (another wording looks like news), the square root of how much a sentence names.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import log2
from typing import Final

from index.chunking import sentences
from index.store import ArticleRow, PassageRow

MOST_ENTRIES: Final = 12
# Sentences of a text that count as told, and those of them that may be quoted.
LEAD_SENTENCES: Final = 8
_QUOTED: Final = 6
_WORDS: Final = range(6, 61)  # of a sentence that can stand alone
# The news that it takes to make an entry: on a day without one, and on a day that has one.
_NEW_DAY: Final = 0.1
_SAME_DAY: Final = 0.25
_ONLY_HERE: Final = 0.5  # what a word counts that no other report has
_SUBJECT_WORDS: Final = 40  # the words that say what a story is about
_LATER: Final = 0.8  # for each sentence before it
_NO_ANTECEDENT: Final = 0.7
_SAYS_WHEN: Final = 1.25
_TAKEN_UP: Final = 0.5  # share of a sentence's news that another report must have

_LEANS_ON = re.compile(
    r"[“\"'‘]|(?:He|She|They|It|That|This|These|Those|But|And|His|Her|Their|We|I|You)\b"
)
_WHEN = re.compile(
    r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\b(?:today|yesterday|overnight|tonight)\b"
)
_CAPTION = re.compile(
    r"\||^(?:FILE\b|Image\b|Photo|Pictured|Split screen|Watch\b|Click\b|Read more|Follow\b|Editor)"
    r"|Getty Images|AP Photo|REUTERS/|\bfile photo\b",
)
_ENDS = (*".!?", *".”", *".’", '"', "'")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; `start` and `end` are its span in the article's text."""

    passage: PassageRow
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.article.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Telling:
    """A version of a report as far as its news goes."""

    article: ArticleRow
    day: str  # empty: unknown
    words: AbstractSet[str]  # of headline and first sentences
    quotable: Sequence[tuple[Sentence, AbstractSet[str]]]  # with their words


@dataclass(frozen=True, slots=True)
class Development:
    """What a report was the first to tell."""

    sentence: Sentence
    news: float  # share of the sentence that is new, by the weight of its words
    taken_up: int  # later versions and reports that tell it too

    @property
    def article(self) -> ArticleRow:
        return self.sentence.passage.article


def lead_of(passages: Sequence[PassageRow]) -> list[Sentence]:
    """The first sentences of an article, from its passages in their order."""
    found: list[Sentence] = []
    for passage in passages:
        text, start = passage.text, passage.start
        for first, end in sentences(text, passage.article.language):
            if len(found) == LEAD_SENTENCES:
                return found
            if _stands_alone(text[first:end]):
                found.append(Sentence(passage, start + first, start + end))
    return found


def _stands_alone(sentence: str) -> bool:
    return (
        len(sentence.split()) in _WORDS
        and sentence.endswith(_ENDS)
        and not _CAPTION.search(sentence)
    )


def developments(
    tellings: Sequence[Telling], weights: Mapping[str, float]
) -> tuple[Development, ...]:
    """The entries of a timeline, at most `MOST_ENTRIES`.

    Args:
        tellings: in the order of time. The first that has a sentence always makes an entry.
        weights: of every word in them, more for a rarer one.
    """
    having = Counter(word for telling in tellings for word in telling.words)
    subject = _subject(having, weights)
    known: set[str] = set()
    found: list[_Found] = []
    for at, telling in enumerate(tellings):
        best = _best(telling, known, having, subject, weights)
        known |= telling.words
        if best is None:
            continue
        score, news, sentence, new = best
        opens_day = telling.day not in {each.day for each in found}
        if not found or news >= (_NEW_DAY if opens_day else _SAME_DAY):
            taken_up = sum(_has(later.words, new, weights) for later in tellings[at + 1 :])
            development = Development(sentence, news, taken_up)
            found.append(_Found(telling.day, score * log2(2 + taken_up), development))
    return tuple(each.development for each in _kept(found))


@dataclass(frozen=True, slots=True)
class _Found:
    day: str
    score: float
    development: Development


def _kept(found: Sequence[_Found]) -> list[_Found]:
    """The first, then the best of each day, then the best of the rest; in the order of time.

    Not simply the best: the longer a story goes on, the fewer of its words are new.
    """
    places = sorted(range(1, len(found)), key=lambda at: (-found[at].score, at))
    days = {found[0].day} if found else set()
    first_of_day: list[int] = []
    others: list[int] = []
    for at in places:
        (others if found[at].day in days else first_of_day).append(at)
        days.add(found[at].day)
    chosen = [0, *first_of_day, *others][:MOST_ENTRIES] if found else []
    return [found[at] for at in sorted(chosen)]


def _subject(having: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, float]:
    """The words that say what a story is about, their weights adding up to 1."""
    shared = {word: weights[word] * count for word, count in having.items() if count > 1}
    chosen = sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))[:_SUBJECT_WORDS]
    total = sum(weight for _, weight in chosen)
    return {word: weight / total for word, weight in chosen}


def _best(
    telling: Telling,
    known: AbstractSet[str],
    having: Mapping[str, int],
    subject: Mapping[str, float],
    weights: Mapping[str, float],
) -> tuple[float, float, Sentence, AbstractSet[str]] | None:
    """Score, news, sentence and its new words; the earliest of equals."""
    best = None
    for place, (sentence, words) in enumerate(telling.quotable[:_QUOTED]):
        new = words - known
        whole = sum(weights[word] for word in words)
        told = sum(weights[word] * (1 if having[word] > 1 else _ONLY_HERE) for word in new)
        news = told / whole if whole else 0.0
        about = sum(subject.get(word, 0.0) for word in words)
        # Of the first report all is new: what tells most of the story is wanted.
        score = (news if known else 1.0) * about * _standing(sentence.text, place)
        if best is None or score > best[0]:
            best = score, news, sentence, new
    return best


def _standing(sentence: str, place: int) -> float:
    """How well a sentence stands alone, by its place and its wording."""
    standing: float = _LATER**place
    if _LEANS_ON.match(sentence):
        standing *= _NO_ANTECEDENT
    if _WHEN.search(sentence):
        standing *= _SAYS_WHEN
    return standing


def _has(words: AbstractSet[str], new: AbstractSet[str], weights: Mapping[str, float]) -> bool:
    whole = sum(weights[word] for word in new)
    return whole > 0 and sum(weights[word] for word in new & words) >= _TAKEN_UP * whole
