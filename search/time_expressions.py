"""Time in a question: "since 2018", "last week", "the latest on ...", and what dates that means.

A small grammar of English: a point of time ("May 2016", "last Tuesday", "the 1990s") with or
without a word before it that leads to it ("in", "since", "before"), or two points ("from March to
May 2015"). Relative ones count from the day of asking, which the caller states. What belongs to
the name of something is no time to search in: "the 2020 election", "the 1973 oil crisis". Nor is
a time to come, since nothing has been published in it yet.

A time that is not found costs little; one that is found wrongly pushes the right article down. So
in doubt nothing is found: of 1,959 news questions every expression was read for this.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

from search.time_points import (
    MONTH,
    NUMBERS,
    SEASON,
    WEEKDAY,
    Period,
    WrittenPoint,
    pattern_of,
    points_at,
)

Kind = Literal["range", "recency", "event"]


@dataclass(frozen=True, slots=True)
class TimeExpression:
    """A time that a question speaks of.

    `range`: from `first` to `last`, both included, None where it is open. `recency`: the newest is
    asked for. `event`: before or after something whose date is not known; no dates either.
    """

    text: str  # as written
    span: tuple[int, int]  # in the question, in code points, end excluded
    kind: Kind
    first: date | None = None
    last: date | None = None


def time_expressions(text: str, today: date) -> tuple[TimeExpression, ...]:
    """The times a question speaks of, in order; they do not overlap.

    What stands in double or typographic quotes is somebody's words and not looked at.
    """
    quoted = [quote.span() for quote in _QUOTED.finditer(text)]
    return tuple(
        replace(found, text=text[slice(*found.span)])
        for found in _expressions(text.translate(_OTHER_CASES), today)
        if not any(start < found.span[1] and found.span[0] < end for start, end in quoted)
    )


def _expressions(text: str, today: date) -> Iterator[TimeExpression]:
    behind = 0
    for word in _START.finditer(text):
        if word.start() < behind:
            continue
        found = _expression(text, word.start(), today)
        if found:
            behind = found.span[1]
            yield found


def _expression(text: str, at: int, today: date) -> TimeExpression | None:
    lead = _LEAD.match(text, at)
    if lead:
        word = " ".join(lead[1].lower().split())
        return _dated(text, at, lead.end(), word, today) or _of_event(text, at)
    return _recency(text, at) or _dated(text, at, at, "", today)


# --- words ---------------------------------------------------------------------------------------


# Letters outside ASCII that a pattern without regard to case takes for letters of English.
_OTHER_CASES: Final = str.maketrans("\u017f\u0131\u0130\u212a", "siIK")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|‘[^’]*’(?!\w)|«[^»]*»")
_WITHIN: Final = ("in", "on", "during", "throughout", "within", "over", "from", "for")
_SINCE, _AFTER = ("since", "starting in"), ("after", "later than")
_BEFORE = ("before", "prior to", "earlier than")
_UNTIL = ("until", "till", "up to", "through")
_OPEN: Final = (*_SINCE, *_AFTER, *_BEFORE, *_UNTIL)
_LEAD = pattern_of(rf"(between|{'|'.join((*_WITHIN, *_OPEN))}|following|ahead of)\b ")
_START = pattern_of(
    rf"(?<![\w$£€¥#.,-])(?:(?:between|{'|'.join(_WITHIN)}|since|starting|after|later|before|prior|earlier"
    r"|until|till|up|through|following|ahead|the|early|mid|late|beginning|start|middle|end"
    rf"|this|last|past|today|tonight|yesterday|latest|most|newest|recent|recently|lately|{SEASON}"
    rf"|first|second|third|fourth|[QH][1-4]|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})\b"
    rf"|{MONTH}|{WEEKDAY}|\d)"
)
_COVERING: Final = ("between", "in", "during", "throughout")
_TO = re.compile(r"\s+(?:to|until|till|through)\s+(?:the\s+)?|\s?[-–—]\s?", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+|\s?[-–—]\s?", re.IGNORECASE)
# "news from 2015", unlike "a card from 1952".
_OF_NEWS = re.compile(
    r"\b(?:articles?|reports?|stories|news|coverage|headlines) from $", re.IGNORECASE
)
_ONWARDS = re.compile(r"\s+on(?:wards?)?\b(?!\s+\w)|\s+onwards?\b", re.IGNORECASE)

# What the noun behind a year, or behind "before the", must be for both to name an event.
_EVENT_NOUN: Final = (
    r"(?:elections?|by-elections?|primar(?:y|ies)|caucus(?:es)?|referend(?:um|a)|vote|inauguration"
    r"|debates?|census|olympics?|games|world cup|super bowl|tournament|championships?"
    r"|finals?|season|draft|awards?|oscars|grammys|crash|accident|disaster|attacks?|bombings?"
    r"|shootings?|massacre|assassination|murders?|explosions?|blast|earthquake|quake|tsunami"
    r"|hurricane|cyclone|typhoon|storm|floods?|flooding|wildfires?|fires?|eruption|drought|spill"
    r"|collapse|famine|war|invasion|coup|revolution|uprising|revolt|riots?|protests?|strikes?"
    r"|siege|insurrection|genocide|crisis|recession|depression|pandemic|epidemic|outbreak"
    r"|lockdowns?|summit|conference|talks|negotiations|trial|verdict|ruling|impeachment"
    r"|scandal|resignation|death|funeral|coronation|wedding|merger|takeover|ceasefire|truce"
    r"|armistice|treaty|accords?|budget|brexit)\b"
)
_FUNCTION_WORD: Final = (
    r"(?:the|a|an|and|or|but|of|in|on|at|to|for|from|by|with|as|that|which|who|whom|whose|what|when"
    r"|where|why|how|is|are|was|were|be|been|did|do|does|has|have|had|will|would|can|could|should"
    r"|it|he|she|they|we|i|you|his|her|its|their|our|this|these|there|if|than|before"
    r"|after|since|until|during|while|not|no|so|about|against|between|into|over|under|said|says"
    r"|won|lost|became|made|went|left|came|began|rose|fell)\b"
)
_MODIFIERS: Final = rf"(?:(?!{_FUNCTION_WORD})[\w’'&.-]+ ){{0,3}}?"
_NAMES_EVENT = pattern_of(rf" {_MODIFIERS}{_EVENT_NOUN}", r"['’]s\b")
_EVENT = pattern_of(
    r"(?:before|after|since|until|till|prior to|following|during|ahead of) "
    r"(?:the|this|that|his|her|its|their|an?|(?:1[5-9]|20)\d\d|[\w.-]+['’]s?) "
    rf"{_MODIFIERS}{_EVENT_NOUN}"
)
_NOUN_FOLLOWS = pattern_of(rf"['’]s\b| (?!{_FUNCTION_WORD})[^\W\d]")
_LONGEST_DETERMINER: Final = 12
_DETERMINED = re.compile(r"(?:\b(?:the|an?|this|that|his|her|its|their)|['’]s?)\s+$", re.IGNORECASE)
_COUNTED = pattern_of(
    r" (?:people|persons|men|women|children|homes|houses|words|miles|kilomet(?:er|re)s|km|feet"
    r"|met(?:er|re)s|dollars|euros|pounds|points|votes|seats|jobs|cases|deaths|troops|soldiers"
    r"|workers|students|patients|villages|schools|shops|stores|times|years|million|billion)\b"
)
_PLURAL_FOLLOWS = re.compile(r"\s+(?!(?:was|is|does|has|as|its|this|versus)\b)[a-z]+s\b")
# What was read with the word before it and found to be no time is none without it.
_NOT_ALONE = re.compile(r"(?:\b(?:since|before|after|until|till)|\d)\s+$", re.IGNORECASE)
# USA Today, "the World Today"; a sentence may begin with it.
_IS_TITLE = re.compile(r"[\w,’'] (?:Today|Tonight|Yesterday)$")
# "the first time since 2017", "the largest crowd since 1990": news of now, not of all that time.
_SUPERLATIVE = re.compile(
    r"\b(?:first|only|last|most|least|not|worst"
    r"|(?!(?:prot|arr|requ|inter|cont|harv|for|inv|conqu|lat)est)\w{3,}est)\b[^,.;:?!]{0,60}$",
    re.IGNORECASE,
)
_LONGEST_SUPERLATIVE: Final = 80


# --- recency and events --------------------------------------------------------------------------

_RECENCY = pattern_of(
    # "the latest the election could be held" and "at the latest" speak of a time limit.
    r"(?:the )?(?:latest|newest)\b(?! (?:the|a|an|by|it|he|she|they|you|that|of these)\b)",
    r"(?:the )?most recent(?:ly)?\b",
    r"(?:the )?recent(?:ly)?\b(?! (?:memory|history)\b)",
    r"lately\b",
)
_AT = re.compile(r"\b(?:at|by)\s+(?:the\s+|its\s+)?$", re.IGNORECASE)


def _recency(text: str, at: int) -> TimeExpression | None:
    found = _RECENCY.match(text, at)
    if not found or _AT.search(text, max(0, at - 10), at):
        return None
    return TimeExpression(found[0], found.span(), "recency")


def _of_event(text: str, at: int) -> TimeExpression | None:
    found = _EVENT.match(text, at)
    return TimeExpression(found[0], found.span(), "event") if found else None


# --- dates ---------------------------------------------------------------------------------------

_Found = tuple[int, date | None, date | None]  # where it ends, its first and its last day


def _dated(text: str, at: int, start: int, lead: str, today: date) -> TimeExpression | None:
    """What stands at `start`, after the word `lead` at `at`; without one both are the same."""
    for point in points_at(text, start):
        found = _pair(text, point, lead, today) or _single(text, point, lead, today)
        if found:
            end, first, last = found
            return TimeExpression(text[at:end], (at, end), "range", first, last)
    return None


def _pair(text: str, begin: WrittenPoint, lead: str, today: date) -> _Found | None:
    """From one point to another."""
    if lead not in ("", "between", *_WITHIN):
        return None
    joint = None if lead == "between" else _TO.match(text, begin.end)
    if not joint and lead in _COVERING:
        joint = _AND.match(text, begin.end)
    if not joint:
        return None
    for end in points_at(text, joint.end()):
        period = _both(begin, end, today) if lead or end.alone else None
        if period and not _is_no_time(text, end, lead) and not _are_counts(begin, end):
            return (end.end, *period)
    return None


def _both(begin: WrittenPoint, end: WrittenPoint, today: date) -> Period | None:
    """A pair's days; a point that lacks its year has the other's."""
    if begin.has_year and not end.has_year:
        first = begin.period(today)
        last = end.period(first.first + timedelta(364)) if first else None
    else:
        last = end.period(today)
        first = begin.period(last.last) if last else None
    if not first or not last or min(first.first, last.first) > today:
        return None
    return Period(min(first.first, last.first), max(first.last, last.last))


def _single(text: str, point: WrittenPoint, lead: str, today: date) -> _Found | None:
    onwards = _ONWARDS.match(text, point.end) if lead == "from" else None
    if not onwards and not _leads_to(text, lead, point):
        return None
    if _is_no_time(text, point, lead) or _is_attribute(text, point, lead):
        return None
    period = point.period(today)
    if not period or period.first > today or (point.lacks_year and _is_far(period, today)):
        return None
    if onwards:
        return onwards.end(), period.first, None
    if lead in _UNTIL and period.last > today:
        return None
    return (point.end, *_bounds(lead, period))


def _leads_to(text: str, lead: str, point: WrittenPoint) -> bool:
    if not lead:
        before = max(0, point.start - 10)
        led = point.has_year and _NOT_ALONE.search(text, before, point.start)
        return not led and point.alone
    if lead == "from":
        return point.alone or bool(_OF_NEWS.search(text, max(0, point.start - 20), point.start))
    if lead in _BEFORE + _UNTIL and point.lacks_year:
        return False  # "until June" may well be the next one
    return lead in point.within or lead in _OPEN


def _is_far(period: Period, today: date) -> bool:
    """Whether the next "in March" or "on 3 May" is nearer than the last, and may be meant."""
    return (today - period.last).days > 183


def _bounds(lead: str, period: Period) -> tuple[date | None, date | None]:
    if lead in _SINCE:
        return period.first, None
    if lead in _AFTER:
        return period.last + timedelta(1), None
    if lead in _BEFORE:
        return None, period.first - timedelta(1)
    if lead in _UNTIL:
        return None, period.last
    return period


def _is_no_time(text: str, point: WrittenPoint, lead: str) -> bool:
    """Whether it looks like a time and is a number, a name, or part of an event's name."""
    if point.has_year and _NAMES_EVENT.match(text, point.end):
        return True
    if lead in _OPEN and text[point.end : point.end + 2] in _POSSESSIVE:
        return True  # "after last week's vote"
    if lead in _SINCE and _SUPERLATIVE.search(
        text, max(0, point.start - _LONGEST_SUPERLATIVE), point.start - len(lead) - 1
    ):
        return True
    if point.text == point.group("year"):
        hundreds = point.text.endswith("00") and _PLURAL_FOLLOWS.match(text, point.end)
        return bool(hundreds or _COUNTED.match(text, point.end))
    if _IS_TITLE.search(text, max(0, point.start - 12), point.end):
        return True
    return not point.has_year and _is_name(text, point, lead)


# Months that are also names or other words.
_NAMES: Final = ("may", "march", "april", "june", "august")
_POSSESSIVE: Final = ("'s", "’s")
_GOES_ON = pattern_of(
    r" ?(?:[?!.,;:)–—-]|$)",
    r" (?:the|a|which|what|who|how|when|where|did|does|do|of|in|and|or|this|to)\b",
)


def _is_name(text: str, point: WrittenPoint, lead: str) -> bool:
    """Whether a month without its year may be a person ("May resigned"), a verb or a march."""
    month, which = point.group("month"), point.group("which").lower()
    if point.group("day") or month.lower() not in _NAMES:
        return False
    if text[point.end : point.end + 2] in _POSSESSIVE:
        return True
    if which == "this":  # "this may", "THIS MARCH"
        return not month.istitle()
    if which == "last":
        return _determined(text, point.start)
    return lead not in ("in", "during", "throughout") and not _GOES_ON.match(text, point.end)


def _determined(text: str, at: int) -> bool:
    return bool(_DETERMINED.search(text, max(0, at - _LONGEST_DETERMINER), at))


def _is_attribute(text: str, point: WrittenPoint, lead: str) -> bool:
    """Whether a point with its year belongs to a noun: "the May 2016 bombing", "a 1990s band"."""
    if not point.alone or not (point.has_year or point.group("decade")):
        return False
    noun = _NOUN_FOLLOWS.match(text, point.end)
    if not noun or not lead:
        return bool(noun)
    article = point.text[:4].lower() == "the " and " of " not in point.text
    return article and not noun[0][-1].isupper()


def _are_counts(begin: WrittenPoint, end: WrittenPoint) -> bool:
    """ "between 1500 and 2000" says how many rather than when."""
    return all(point.text[0].isdigit() and point.text.endswith("00") for point in (begin, end))
