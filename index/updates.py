"""Whether an article is a later version of a piece that its outlet has sent before.

Wires say so in the headline ("UPDATE 2-", "CORRECTED-", "REFILE-", "RPT-"), in the first words
("(Recasts, adds quote)", "(Eds: Updates with ...)"), pages in a note before or after the text
("This story has been corrected"). An article that says nothing of the kind is an update only of one
that does: two reports of one outlet on one event are two reports.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from index.article import Published
from index.copies import overlap, words_of

# Versions of a piece follow within days: no wire's habit is slower, and a daily or weekly headline
# ("Results") comes again soon.
WINDOW_DAYS: Final = 3
# With another headline. In press-2012-2020 pages of one outlet share up to .67 around different
# reports of the same days; above, those that were read are one report written on.
_SHARED = 0.7
# With the same headline on another day: a table under a standing head shares its labels only.
_SHARED_WITH_HEADLINE = 0.3
# Shorter ones are standing heads: "Election update", "Letters".
_LEAST_HEADLINE_WORDS = 3
# Notes stand in the first or last lines: some 600 of the 700 in press-2012-2020 within these two.
_HEAD_CHARACTERS = 300
_TAIL_CHARACTERS = 600


class Mark(StrEnum):
    """What an article says that it is."""

    UPDATE = "update"
    CORRECTION = "correction"
    REPEAT = "repeat"  # sent again as it was, or with a slip of the sending mended


class Piece(Protocol):
    """What of an article tells whether it is an update."""

    @property
    def headline(self) -> str: ...
    @property
    def outlet(self) -> str: ...
    @property
    def published(self) -> Published | None: ...
    @property
    def text(self) -> str: ...


_UPDATE = r"(?:update|wrapup|write-?thr(?:u|ough)|recast)"
_CORRECTION = r"(?:corrected|correction|corrects|clarification|clarified)"
_REPEAT = r"(?:refiled?|rpt|repeat(?:ing|s)?|resending)"
_WORD = rf"(?:{_UPDATE}d?|{_CORRECTION}|{_REPEAT})"
_MARKS = rf"{_WORD}(?:[ -]?[0-9]+)?(?:/{_WORD})?"
# "CORRECTED-UPDATE 2-", "Correction:", "Updated - ". A mark before a bare dash is in capitals.
_PREFIX = re.compile(
    rf"\W*(?:(?-i:{_MARKS.upper()})[-–—]\s*|{_MARKS}(?:\s*:\s*|\s+[-–—]\s+))", re.IGNORECASE
)
_BRACKET = re.compile(
    rf"\s*[(\[]\s*(?:{_WORD}|recasts|updates|adds|refiles)\b[^)\]]{{0,120}}[)\]]\s*", re.IGNORECASE
)
_NUMBER = re.compile(rf"{_UPDATE}[ -]?(\d+)", re.IGNORECASE)
_HEAD = re.compile(
    r"\W*(?:eds:?\s*)?(?:(?P<correction>corrects|corrected|correction|clarifies)|"
    r"(?P<repeat>refiles|refiling|repeats|repeating)|"
    r"(?P<update>recasts|updates|adds|updated))\b"
)
_NOTE = re.compile(
    r"\b(?:this (?:story|article|report|post|piece|column|version)\b[^.]{0,60}?"
    r"|an earlier version of this (?:story|article|report|post|piece|column)\b[^.]{0,60}?)"
    r"\b(?:(?P<correction>corrected|incorrect\w*|misstated|misspelled|misidentified|"
    r"mischaracterized|clarif\w+)|(?P<update>updated))\b"
)


def mark_of(headline: str, text: str) -> Mark | None:
    """What the headline, else the first or last words say that the article is, if anything."""
    return _mark(headline, text[:_HEAD_CHARACTERS], text[-_TAIL_CHARACTERS:])


# Of two articles that are put in order each is looked at from both sides.
@lru_cache(maxsize=256)
def _mark(headline: str, head: str, tail: str) -> Mark | None:
    return (
        _mark_of_headline(headline)
        or _mark_of(_bracketed(head))
        or _mark_of(_NOTE.search(head.casefold()))
        or _mark_of(_NOTE.search(tail.casefold()))
    )


def plain_headline(headline: str) -> str:
    """The headline without the marks that say which version it is."""
    plain = _BRACKET.sub(" ", headline)
    while match := _PREFIX.match(plain):
        plain = plain[match.end() :]
    return plain.strip() or headline.strip()


def days_apart(a: Published | None, b: Published | None) -> int | None:
    """Days between two days of publication; None if one of them is not known to the day."""
    day, other = day_of(a), day_of(b)
    return None if day is None or other is None else abs(day - other)


def day_of(published: Published | None) -> int | None:
    """The day of publication as a proleptic ordinal; None if it is not known to the day."""
    if published is None or published.precision in ("year", "month"):
        return None
    return published.on.toordinal()


def supersedes(later: Piece, earlier: Piece) -> bool:
    """Whether `later` is a later version of the same outlet's same piece.

    At least one of the two says that it is a version. They have the same headline but for marks,
    and are of one day or share some text; or they share most of it.
    """
    if later.outlet.casefold() != earlier.outlet.casefold() or not _comes_after(later, earlier):
        return False
    days = days_apart(later.published, earlier.published)
    if days is not None and days > WINDOW_DAYS:
        return False
    if same_headline(later, earlier):
        return days == 0 or overlap(later.text, earlier.text) >= _SHARED_WITH_HEADLINE
    # Two unknown outlets may be two: then only the headline makes them one piece.
    return later.outlet != "" and overlap(later.text, earlier.text) >= _SHARED


def same_headline(a: Piece, b: Piece) -> bool:
    """Whether two headlines say the same but for marks, case and punctuation."""
    words = words_of(plain_headline(a.headline))
    return len(words) >= _LEAST_HEADLINE_WORDS and words == words_of(plain_headline(b.headline))


def _comes_after(later: Piece, earlier: Piece) -> bool:
    """By the number of the update where both have one; then by time, then by the mark."""
    marked = mark_of(later.headline, later.text) is not None
    was_marked = mark_of(earlier.headline, earlier.text) is not None
    if not (marked or was_marked):
        return False
    number, before = _number(later.headline), _number(earlier.headline)
    if number and before and number != before:
        return number > before
    if later.published and earlier.published:
        # A day alone does not tell what came first on it.
        timed = "day" not in (later.published.precision, earlier.published.precision)
        when, then = (
            (p.instant_s if timed else p.on.toordinal())
            for p in (later.published, earlier.published)
        )
        if when != then:
            return when > then
    return marked and not was_marked


def _number(headline: str) -> int:
    match = _NUMBER.search(headline) if _PREFIX.match(headline) else None
    return int(match[1]) if match else 0


def _mark_of_headline(headline: str) -> Mark | None:
    prefix = _PREFIX.match(headline)
    found = prefix[0] if prefix else "".join(_BRACKET.findall(headline))
    for mark, words in (
        (Mark.CORRECTION, _CORRECTION),
        (Mark.REPEAT, _REPEAT),
        (Mark.UPDATE, ""),
    ):
        if found and re.search(words, found, re.IGNORECASE):
            return mark
    return None


def _bracketed(head: str) -> re.Match[str] | None:
    """A note in brackets, or an editor's line, that the text begins with."""
    head = head.casefold().lstrip()
    return _HEAD.match(head) if head[:1] in "([" or head.startswith("eds") else None


def _mark_of(match: re.Match[str] | None) -> Mark | None:
    if match is None or match.lastgroup is None:
        return None
    return Mark(match.lastgroup)
