"""References in words, as four styles set those of newspaper articles.

    apa      APA, 7th edition
    iso690   ISO 690, numeric system, in English
    chicago  The Chicago Manual of Style, 17th edition, bibliography of the notes system
    mla      MLA, 9th edition

They are plain text: what a style sets in italics, the outlet, is to be set so by who uses it.
Headlines keep their capitals: which words are names, a program cannot say for certain.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from search.references.citation import Citation
from search.references.date_parts import MONTHS, date_parts
from search.references.names_of_byline import Name, names_of
from search.references.one_line import one_line

_MLA_MONTHS: Final = tuple(
    month if len(month) <= 4 else f"{month[: 4 if month == 'September' else 3]}."
    for month in MONTHS
)
_ENDS: Final = (".", "?", "!", "…", ".”", "?”", "!”", "…”")


class Style(StrEnum):
    """How a reference is set."""

    APA = "apa"
    ISO690 = "iso690"
    CHICAGO = "chicago"
    MLA = "mla"


def formatted(citation: Citation, style: Style) -> str:
    """The reference to the article, on one line; the quote is none of its parts."""
    match style:
        case Style.APA:
            return _apa(citation)
        case Style.ISO690:
            return _iso690(citation)
        case Style.CHICAGO:
            return _chicago(citation)
        case Style.MLA:
            return _mla(citation)


def _apa(citation: Citation) -> str:
    """The American Psychological Association's Publication Manual, 10.1, newspaper article."""
    names = [_apa_name(name) for name in _names(citation)]
    if len(names) > 20:
        names = [*names[:19], f"… {names[-1]}"]
        who = ", ".join(names)
    else:
        who = _listed(names, ", & ")
    match date_parts(citation.published):
        case ():
            when = "(n.d.)"
        case (year,):
            when = f"({year})"
        case (year, month):
            when = f"({year}, {MONTHS[month - 1]})"
        case (year, month, day):
            when = f"({year}, {MONTHS[month - 1]} {day})"
    what = one_line(citation.headline) or "[Newspaper article]"
    url = one_line(citation.url)
    if url and not citation.published:
        accessed = citation.accessed
        retrieved = f"{MONTHS[accessed.month - 1]} {accessed.day}, {accessed.year}"
        url = f"Retrieved {retrieved}, from {url}"
    first = (who, when, what) if who else (what, when)
    return _joined(*map(_sentence, (*first, one_line(citation.outlet))), url)


def _iso690(citation: Citation) -> str:
    """ISO 690, without the number."""
    who = _listed([_iso_name(name) for name in _names(citation)], " and ")
    url = one_line(citation.url)
    return _joined(
        _sentence(who),
        _sentence(one_line(citation.headline) or "[Untitled]"),
        _sentence(one_line(citation.outlet)),
        "Online." if url else "",
        _sentence(_day_month_year(date_parts(citation.published), MONTHS)),
        f"[Accessed {_accessed(citation)}]. Available from: {url}" if url else "",
    )


def _chicago(citation: Citation) -> str:
    """The Chicago Manual of Style, 14.191 to 14.200; an unsigned article goes by its outlet."""
    outlet, section = one_line(citation.outlet), one_line(citation.section)
    names = [*map(_inverted, _names(citation)[:1]), *map(_straight, _names(citation)[1:])]
    who = ", ".join([*names[:7], "et al."]) if len(names) > 10 else _listed(names, ", and ")
    parts = date_parts(citation.published)
    match parts:
        case (year, month, day):
            when = f"{MONTHS[month - 1]} {day}, {year}"
        case _:
            when = _day_month_year(parts, MONTHS) or "n.d."
    where = ", ".join(filter(None, (outlet if who else "", when)))
    url = one_line(citation.url)
    return _joined(
        _sentence(who or outlet),
        _quoted(citation.headline),
        _sentence(section),
        _sentence(where),
        f"Accessed {MONTHS[citation.accessed.month - 1]} {citation.accessed.day}, "
        f"{citation.accessed.year}."
        if url and not parts
        else "",
        _sentence(url),
    )


def _mla(citation: Citation) -> str:
    """The MLA Handbook: author, title, container with its date and location, what else helps."""
    names = _names(citation)
    who = _inverted(names[0]) if names else ""
    if len(names) == 2:
        who = f"{who}, and {_straight(names[1])}"
    elif names[2:]:
        who = f"{who}, et al."
    parts = date_parts(citation.published)
    container = (
        one_line(citation.outlet),
        _day_month_year(parts, _MLA_MONTHS),
        one_line(citation.url),
    )
    return _joined(
        _sentence(who),
        _quoted(citation.headline),
        _sentence(", ".join(filter(None, container))),
        _sentence(one_line(citation.section)),
        "" if parts else f"Accessed {_accessed(citation, _MLA_MONTHS)}.",
    )


def _names(citation: Citation) -> tuple[Name, ...]:
    return names_of(citation.byline, citation.outlet)


def _apa_name(name: Name) -> str:
    """Family name and initials: King, M. L., Jr."""
    given = " ".join(
        "-".join(f"{part[0]}." for part in word.split("-") if part)
        for word in name.given.replace(".", ". ").split()
        for word in [word.strip(".")]
        if word
    )
    return ", ".join(filter(None, (name.family, given, name.suffix)))


def _iso_name(name: Name) -> str:
    return ", ".join(filter(None, (name.family.upper(), name.given, name.suffix)))


def _inverted(name: Name) -> str:
    return ", ".join(filter(None, (name.family, name.given, name.suffix)))


def _straight(name: Name) -> str:
    return " ".join(filter(None, (name.given, name.family, name.suffix)))


def _listed(names: Sequence[str], last: str) -> str:
    """`a, b, c`, with `last` before the last of them."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])}{last}{names[-1]}"


def _day_month_year(parts: tuple[int, ...], months: Sequence[str]) -> str:
    """14 March 2025, as much of it as is known."""
    year, month, day = (*parts, 0, 0, 0)[:3]
    known = (str(day or ""), months[month - 1] if month else "", f"{year or ''}")
    return " ".join(filter(None, known))


def _accessed(citation: Citation, months: Sequence[str] = MONTHS) -> str:
    day = citation.accessed
    return _day_month_year((day.year, day.month, day.day), months)


def _sentence(text: str) -> str:
    """`text` with a stop at its end, unless it has one; of nothing nothing."""
    return text if not text or text.endswith(_ENDS) else f"{text}."


def _quoted(headline: str) -> str:
    """A headline in double quotation marks, its own quotations in single ones."""
    title = one_line(headline)
    if not title:
        return "Untitled article."
    inner = re.sub(r'["“]([^"“”]*)["”]', r"‘\1’", title)
    if inner.endswith("’") and title[-1] in '"”':
        return f"“{_sentence(inner[:-1])}’”"
    return f"“{_sentence(inner)}”"


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
