"""RIS, the exchange format of reference managers: a record of a citation.

    TY  - NEWS          AU  names         TI  headline      T2  outlet
    DA, PY  published   SE  section       LA  language      UR  the outlet's URL
    L2  our own page    Y2  accessed      DB  Nutgraf       AN, ID  `Citation.id`
    AB  the quote       N1  where it stands (`search.references.locator`), then a note each

AB holds the quote, because it is the one long text that all readers keep, and show with the
reference. What is not known has no line. Lines end as the specification says, in CR LF.
Source: Reference Manager (RIS) format specifications, Thomson Reuters, 2011.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from search.references.citation import Citation
from search.references.date_parts import date_parts
from search.references.locator import locator
from search.references.names_of_byline import Name, names_of
from search.references.one_line import one_line, with_pilcrows


def record(citation: Citation, notes: Sequence[str] = ()) -> str:
    """The record, from TY to ER; records stand one behind the other in a file.

    No text can end it early, or begin another: each value is one line, without control
    characters. Two paragraphs of a quote are set apart by ` ¶ `.
    """
    return "".join(f"{tag}  - {value}\r\n" for tag, value in _lines(citation, notes))


def _lines(citation: Citation, notes: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "TY", "NEWS"
    for name in names_of(citation.byline, citation.outlet):
        yield "AU", _author(name)
    parts = date_parts(citation.published)
    optional = {
        "TI": citation.headline,
        "T2": citation.outlet,
        "PY": f"{parts[0]:04}" if parts else "",
        "DA": _date(parts) if parts else "",
        "SE": citation.section,
        "LA": citation.language,
        # More than one URL may be given, with semicolons between them.
        "UR": citation.url.replace(";", "%3B"),
        "L2": citation.archive_url,
        "Y2": _date(_day_parts(citation.accessed)),
        "DB": "Nutgraf",
        "AN": citation.id,
        "ID": citation.id,
        "AB": with_pilcrows(citation.quote),
    }
    for tag, text in optional.items():
        if value := one_line(text):
            yield tag, value
    for note in (locator(citation), *notes):
        yield "N1", with_pilcrows(note)
    yield "ER", ""


def _day_parts(day: date) -> tuple[int, ...]:
    return day.year, day.month, day.day


def _author(name: Name) -> str:
    return ", ".join(filter(None, (name.family, name.given, name.suffix)))


def _date(parts: tuple[int, ...]) -> str:
    """YYYY/MM/DD/ and nothing between the slashes that is not known."""
    year, month, day = (*parts, None, None)[:3]
    return "/".join((f"{year:04}", _two(month), _two(day), ""))


def _two(number: int | None) -> str:
    return "" if number is None else f"{number:02}"
