"""Copies made of an article by the edits that newsrooms make, each drawn by chance.

A copy keeps at least four fifths of the shorter text, so what is put into a text that was cut
before is kept short. Paraphrases can not be made by rules; judged pairs stand in for them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from random import Random

_DATELINE = re.compile(r"[A-Z][A-Z .,/'-]{3,40}(?:, [A-Z][\w. ]{1,20})? \([A-Z]\w+\) ?[-–—]+ ?")
_NEW_DATELINES = (
    "MILL QUAY (NCP) — ",
    "HARBOUR HILL, April 3 (Islander) - ",
    "SOUTH QUAY (NCP) – ",
)
_PARAGRAPHS = re.compile(r"\n+")
_WORD = re.compile(r"\w+")


class Edit(StrEnum):
    TRUNCATED = "truncated"
    HEADLINE = "headline"
    LOCAL_LEAD = "local lead"
    APPENDED = "appended"
    DATELINE = "dateline"
    CORRECTED = "corrected"


# Each alone, and any two of them.
PLANTED: tuple[tuple[Edit, ...], ...] = (
    *((edit,) for edit in Edit),
    *combinations(Edit, 2),
)


@dataclass(frozen=True)
class Story:
    """What of an article is edited."""

    headline: str
    text: str


def planted(edits: Sequence[Edit], story: Story, other: Story, chance: Random) -> Story:
    """A copy of `story`; new words, paragraphs and the headline are those of `other`."""
    headline, paragraphs = story.headline, _paragraphs(story.text)
    new_words = 0.15 if Edit.TRUNCATED in edits else 0.5  # of those that are there, at most
    if Edit.TRUNCATED in edits:
        paragraphs = _first_words(paragraphs, chance.uniform(0.3, 0.7))
    if Edit.CORRECTED in edits:
        paragraphs = _corrected(paragraphs, other, chance)
    if Edit.LOCAL_LEAD in edits:
        paragraphs = _with_lead(paragraphs, _some(other, paragraphs, new_words, chance))
    if Edit.APPENDED in edits:
        paragraphs = [*paragraphs, *_some(other, paragraphs, new_words, chance)]
    if Edit.DATELINE in edits:
        paragraphs[0] = chance.choice(_NEW_DATELINES) + _DATELINE.sub("", paragraphs[0], count=1)
    if Edit.HEADLINE in edits:
        headline = other.headline
    return Story(headline, "\n\n".join(paragraphs))


def _paragraphs(text: str) -> list[str]:
    return [part for part in _PARAGRAPHS.split(text) if part.strip()]


def _words(paragraphs: Sequence[str]) -> int:
    return sum(len(paragraph.split()) for paragraph in paragraphs)


def _first_words(paragraphs: Sequence[str], share: float) -> list[str]:
    """The first paragraphs with `share` of the words; the last of them may be cut."""
    left = max(1, round(share * _words(paragraphs)))
    kept = []
    for paragraph in paragraphs:
        words = paragraph.split()[:left]
        kept.append(" ".join(words))
        left -= len(words)
        if not left:
            break
    return kept


def _some(other: Story, beside: Sequence[str], share: float, chance: Random) -> list[str]:
    """One or two paragraphs from within another article, cut to `share` of the words beside."""
    there = _paragraphs(other.text)
    begin = chance.randrange(len(there))
    drawn = there[begin : begin + chance.randint(1, 2)]
    # A third of the other article at most: more would make the edited text its copy as well.
    most = min(share * _words(beside), _words(there) / 3)
    return _first_words(drawn, min(1.0, most / _words(drawn)))


def _with_lead(paragraphs: Sequence[str], lead: Sequence[str]) -> list[str]:
    """New paragraphs in front; a dateline stays in front of them."""
    dateline = _DATELINE.match(paragraphs[0])
    kept = dateline.group() if dateline else ""
    return [kept + lead[0], *lead[1:], paragraphs[0][len(kept) :], *paragraphs[1:]]


def _corrected(paragraphs: Sequence[str], other: Story, chance: Random) -> list[str]:
    """A word or number in eighty replaced, two at least."""
    text = "\n".join(paragraphs)
    places = list(_WORD.finditer(text))
    replacements = _WORD.findall(other.text)
    count = min(len(places), max(2, len(places) // 80))
    for place in sorted(chance.sample(places, count), key=lambda match: -match.start()):
        word = place.group()
        new = str(int(word) + 1) if word.isdecimal() else chance.choice(replacements)
        text = text[: place.start()] + new + text[place.end() :]
    return text.split("\n")
