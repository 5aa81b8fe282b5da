"""The names in a byline: persons, divided as references need them, and agencies, desks and staff.

A byline is written for readers. "By Tomas Lindqvist in Berlin and Ana Duarte, political editor" is
two persons; "Staff and agencies" is none, and goes into references as it stands. What is doubtful
goes in as it stands too: no one's name is then turned around wrongly.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from search.coverage.credits import agency_of
from search.references.one_line import one_line


@dataclass(frozen=True, slots=True)
class Name:
    """A person, or a name that is not to be divided: then `given` and `suffix` are empty."""

    family: str  # with its particles: van Beethoven, de la Cruz
    given: str = ""
    suffix: str = ""  # Jr., III

    @property
    def is_literal(self) -> bool:
        """Whether this is an agency, a desk or anything else that is not divided."""
        return not self.given


_PARTICLE: Final = re.compile(
    r"abu|af|al|av|bin|d[aeiou]|del|dell[aei]|de[nr]|dos|el|ibn|l[ae]|las|los|ó|st\.?|te[nr]?|van|vom|"
    r"von|zu[mr]?",
    re.IGNORECASE,
)
_JOINT: Final = re.compile(r"[eiy]")  # between two family names
_TITLE: Final = re.compile(
    r"(?:capt|col|dame|dr|gen|gov|governor|hon|judge|lord|lt|maj|miss|mrs?|ms|prof(?:essor)?|rabbi|"
    r"rep|rev|sen|sgt|sir)\.?",
    re.IGNORECASE,
)
_SUFFIX: Final = re.compile(r"(?:jr|sr|ii|iii|iv|ph\.?d|m\.?d|esq)\.?", re.IGNORECASE)

# A part of a byline with one of these says what a person is, or is signed by an office.
_ROLES: Final = re.compile(
    r"\b(?:analyst|anchor|author|biographer|blogger|chief|columnist|commentator|contributor|"
    r"contributing|co-?founder|correspondents?|critic|director|editors?|fellow|founder|host|"
    r"intern|journalist|korrespondent(?:in)?|lecturer|manager|minister|officials?|photographer|"
    r"president|producer|reporters?|redakteur(?:in)?|secretary|senator|special to|writers?)\b",
    re.IGNORECASE,
)
# A part with one of these is no person.
_COLLECTIVES: Final = re.compile(
    r"\b(?:agenc(?:y|ies|e|ia)|agentur(?:en)?|association|board|bureau|business|centre|center|"
    r"channel|commission|committee|company|council|courier|daily|desk|dispatch|editorial|"
    r"foundation|gazette|gmbh|group|guardian|herald|inc|institute?|ltd|magazine|media|ministry|"
    r"network|news|newspapers?|newsroom|observer|office|online|party|press association|project|"
    r"r[ée]daction|redacci[óo]n|redaktion|redazione|sentinel|services?|staff|team|telegraph|times|"
    r"today|tribune|university|wires?)\b",
    re.IGNORECASE,
)
_GENERIC: Final = re.compile(
    r"(?:other )?(?:news )?(?:agenc(?:y|ies)|wires?|wire services?|staff)", re.IGNORECASE
)
# Places of two words and more; one word behind a name is taken for a place as well.
_PLACE: Final = re.compile(
    r"abu dhabi|buenos aires|cape town|hong kong|kuala lumpur|los angeles|mexico city|new delhi|"
    r"new orleans|new york|rio de janeiro|san diego|san francisco|são paulo|st\.? louis|"
    r"st\.? petersburg|tel aviv|the hague|washington d\.?c\.?|white house",
    re.IGNORECASE,
)
# "By ", "Reporting by ", "Analysis: "; in other languages only before two words.
_BY: Final = re.compile(
    r"(?:\w+ )?by(?:[: ]\s*|$)"
    r"|(?:analysis|commentary|exclusive|opinion|words)(?:[:|]\s*| (?=\S+ \S))"
    r"|(?:door|par|por|text|texte|texto|von)[: ](?=\s*\S+ \S)",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_ADDRESS: Final = re.compile(
    r"\S*@\S+|\S*://\S+|(?:\S+ )?\b[\w.-]+\.(?:com|org|net|co\.uk)\b", re.I
)
_AND: Final = re.compile(
    r"\s*[;|•·]\s*|\s+(?:[–—/-]+|&)\s+|(?:^|\s+)(?:and|with|und|och|og|et)\s+"
    r"|(?<=\w\w)\s+(?:e|y)\s+(?=\w+\s+\w)",
    re.IGNORECASE,
)
# "in Berlin", "reports from Paris"
_WHENCE: Final = re.compile(r"\s+(?:in|at|for|from|reporting|reports|IN|AT|FOR|FROM)\s.*")
_NO_PERSON: Final = re.compile(r"[\d_@#/:\"“”]|^(?:the|our|an?)\s|\sof\s", re.IGNORECASE)
_PERSON_WORDS: Final = range(2, 7)
_LONGEST_BYLINE: Final = 1_000  # characters; what is longer is none, and not to be looked into


@lru_cache(maxsize=4096)
def names_of(byline: str, outlet: str = "") -> tuple[Name, ...]:
    """The names in a byline, in its order, each once; of an empty one none.

    `outlet` is who published the article: what is signed with its name, no person wrote.
    """
    if len(byline) > _LONGEST_BYLINE:
        return (Name(one_line(byline)),)
    names: list[Name] = []
    for part, after_comma in _parts(byline):
        last = names[-1] if names else None
        if last and after_comma and not last.is_literal and _SUFFIX.fullmatch(part):
            names[-1] = replace(last, suffix=part)
        elif last and last.is_literal and _GENERIC.fullmatch(part):
            names[-1] = Name(f"{last.family} and {part}")
        elif not (last and after_comma and _describes(part)):
            names.append(_name(part, outlet))
    return tuple(dict.fromkeys(names))


def _parts(byline: str) -> Iterator[tuple[str, bool]]:
    """What stands between the commas and the "and"s, and whether a comma was before it."""
    text = one_line(_ASIDE.sub(r"; \1; ", _ADDRESS.sub(" ", one_line(byline))))
    for piece in _AND.split(_BY.sub("", text, count=1) if _BY.match(text) else text):
        parts = [part for each in piece.split(",") if (part := each.strip(' :-–—"“”'))]
        if _is_turned_around(parts):
            parts = [f"{parts[1]} {parts[0]}"]
        for number, part in enumerate(parts):
            yield part, number > 0


def _is_turned_around(parts: list[str]) -> bool:
    """Whether these are a family name and given names: "Lindqvist, Tomas"."""
    return (
        len(parts) == 2
        and " " not in parts[0]
        and not _SUFFIX.fullmatch(parts[1])
        and not _PLACE.fullmatch(parts[1])
        and not any(map(_is_collective, parts))
    )


def _describes(part: str) -> bool:
    """Whether this, behind a name and a comma, says who or where that is."""
    return (
        bool(_ROLES.search(part))
        or bool(_PLACE.fullmatch(part))
        or not (" " in part or agency_of(part) or _is_collective(part))
    )


@lru_cache(maxsize=8192)
def _is_collective(part: str) -> bool:
    return bool(agency_of(part) or _COLLECTIVES.search(part) or _ROLES.search(part))


def _name(part: str, outlet: str) -> Name:
    person = _WHENCE.sub("", part)
    words = person.split()
    while words and _TITLE.fullmatch(words[0]):
        words = words[1:]
    if (
        len(words) not in _PERSON_WORDS
        or _NO_PERSON.search(person)
        or _is_collective(person)
        or _same(part, outlet)
        or words[0][0].islower()
    ):
        return Name(part)
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    if person.isupper():
        words = [_small_capitals(word) for word in words]
    start = _start_of_family(words)
    return Name(" ".join(words[start:]), " ".join(words[:start]), suffix)


def _same(part: str, outlet: str) -> bool:
    return part.casefold().removeprefix("the ") == outlet.casefold().removeprefix("the ")


def _start_of_family(words: list[str]) -> int:
    """The index of the word that the family name begins with, at least 1."""
    for index, word in enumerate(words[1:-1], start=1):
        if _PARTICLE.fullmatch(word):
            return index
    joint = len(words) - 2
    return joint - 1 if joint > 1 and _JOINT.fullmatch(words[joint]) else len(words) - 1


def _small_capitals(word: str) -> str:
    """A word of a name in capitals, as it is written elsewhere: de, O'Brien, McDonald, J.K."""
    if _PARTICLE.fullmatch(word):
        return word.lower()
    if "." in word or len(word) == 1:
        return word
    return re.sub(r"\bMc(\w)", lambda match: f"Mc{match[1].upper()}", word.title())
