"""Figures and dates in words, as the page and the command line say them."""

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING

from index.article import Published

if TYPE_CHECKING:
    from search.result_set import Answer

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_VERDICTS = {
    "supported": "The archive supports this.",
    "weak": "Weak: the archive may support this, or only touches it.",
    "none": "Nothing in this archive answers that. The nearest passages:",
}


def date_in_words(published: Published | None) -> str:
    """`21 January 2022, 19:12 (time zone unknown)`, as precise as the source and no more."""
    if published is None:
        return "date unknown"
    day = published.on
    if published.precision == "year":
        return str(day.year)
    month = f"{MONTHS[day.month - 1]} {day.year}"
    if published.precision == "month":
        return month
    date = f"{day.day} {month}"
    if published.precision == "day":
        return date
    return f"{date}, {_clock(published)} {_zone(published.zone)}"


def period_in_words(period: str) -> str:
    """`January 2022` for 2022-01, `2022` for 2022."""
    return date_in_words(Published(period))


def days_in_words(first: date | None, last: date | None) -> str:
    """`1 March 2025 to 7 March 2025`, `since 3 May 2016`; whole years and months by name."""
    if first and last:
        whole = _whole_period(first, last)
        return whole or f"{_day_in_words(first)} to {_day_in_words(last)}"
    if first:
        return f"since {_day_in_words(first)}"
    return f"until {_day_in_words(last)}" if last else ""


def _whole_period(first: date, last: date) -> str:
    if first == last:
        return _day_in_words(first)
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return str(first.year) if first.year == last.year else f"{first.year} to {last.year}"
    days = monthrange(first.year, first.month)[1]
    if (first.day, last) == (1, first.replace(day=days)):
        return period_in_words(first.isoformat()[:7])
    return ""


def _day_in_words(day: date) -> str:
    return date_in_words(Published(day.isoformat()))


def share_in_words(part: int, whole: int) -> str:
    """`38 %`; `100 %` and `0 %` are said only when they are exactly so."""
    if part >= whole:
        return "100 %"
    if part == 0:
        return "0 %"
    return f"{min(max(round(100 * part / whole), 1), 99)} %"


def coverage_in_words(passages: int, embedded: int) -> str:
    """What is not yet found by meaning; empty when all of it is."""
    if embedded >= passages:
        return ""
    return (
        f"{share_in_words(embedded, passages)} of the archive is embedded so far "
        f"({embedded:,} of {passages:,} passages); the rest is found by its words only."
    )


def verdict_in_words(answer: "Answer") -> str:
    """What the archive has to say; empty where the question only asks for what holds some text."""
    interpretation = answer.interpretation
    ranks = any(term.role == "ranks" for term in interpretation.terms)
    if not answer.total or (interpretation.condition and not ranks):
        return ""
    return _VERDICTS[answer.verdict.kind]


def place_in_words(first: int, last: int, total: int) -> str:
    """`1 passage`, `312 passages`, `passages 11 to 20 of 312`."""
    if last - first + 1 == total:
        return f"{total:,} {'passage' if total == 1 else 'passages'}"
    if first == last:
        return f"passage {first:,} of {total:,}"
    return f"passages {first:,} to {last:,} of {total:,}"


def duration_in_words(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 60:
        return f"{max(round(seconds), 0)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def size_in_words(size_bytes: int) -> str:
    """`812 kB`, `3.4 GB`; decimal units."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _clock(published: Published) -> str:
    seconds = published.iso[16:19] if published.precision == "second" else ""
    return published.iso[11:16] + ("" if seconds == ":00" else seconds)


def _zone(zone: str | None) -> str:
    if zone is None:
        return "(time zone unknown)"
    return "UTC" if zone in ("Z", "+00:00") else f"UTC{zone}"
