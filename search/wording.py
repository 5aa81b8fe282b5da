"""Figures and dates in words, as the page and the command line say them."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from index.article import Published

if TYPE_CHECKING:
    from search.coverage.related import Evidence
    from search.grouping import Group
    from search.result_set import Answer, Hit

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_VERDICTS = {
    "supported": "The archive supports this.",
    "weak": "Weak: the archive may support this, or only touches it.",
    "none": "Nothing in this archive answers that. The nearest passages:",
}

_HITS = {"report": ("report", "reports"), "none": ("passage", "passages")}
_OUTLETS = 3  # named of those that ran a copy


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


def moment_in_words(moment: datetime) -> str:
    """`21 January 2022, 19:12 UTC`, of a moment in UTC."""
    return date_in_words(Published(f"{moment:%Y-%m-%dT%H:%MZ}"))


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


def span_in_words(first: Published | None, last: Published | None) -> str:
    """`21 January 2022 to 3 February 2022` by their days; `21 January 2022` when that is all."""
    if first is None or last is None:
        return date_in_words(None)
    begin, end = _day_of(first), _day_of(last)
    return begin if begin == end else f"{begin} to {end}"


def _day_of(published: Published) -> str:
    return date_in_words(Published(published.iso[:10]))


def count_in_words(count: int, noun: str) -> str:
    """`1 story`, `2 stories`, `1,200 reports`."""
    if count == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{count:,} {plural}"


def outlets_in_words(outlets: Sequence[str], listed: int = 4) -> str:
    """`Coast Wire, The Islander and 3 more outlets`; so many are named as `listed` says."""
    if not outlets:
        return "outlet unknown"
    if len(outlets) <= listed + 1:
        *others, last = outlets
        return f"{', '.join(others)} and {last}" if others else last
    return f"{', '.join(outlets[:listed])} and {len(outlets) - listed} more outlets"


def evidence_in_words(evidence: "Evidence") -> str:
    """`Both name Ines Okoro and Northport; 4 days later.`"""
    *others, last = evidence.names or ("",)
    names = f"{', '.join(others)} and {last}" if others else last
    parts = [f"both name {names}" if names else "", _later_in_words(evidence.days_later)]
    said = "; ".join(part for part in parts if part) or "passages agree"
    return f"{said[0].upper()}{said[1:]}."


def others_in_words(others: int) -> str:
    """`also in 3 copies or versions`."""
    return f"also in {others:,} {'copy or version' if others == 1 else 'copies or versions'}"


def _later_in_words(days: int | None) -> str:
    if days is None:
        return ""
    if days == 0:
        return "the same day"
    return f"{count_in_words(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"


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


def hits_in_words(count: int, group: "Group") -> str:
    """`report`, `passages`: what so many hits are."""
    one, more = _HITS[group]
    return one if count == 1 else more


def place_in_words(first: int, last: int, total: int, group: "Group") -> str:
    """`1 report`, `312 passages`, `reports 11 to 20 of 312`."""
    if last - first + 1 == total:
        return f"{total:,} {hits_in_words(total, group)}"
    if first == last:
        return f"{hits_in_words(1, group)} {first:,} of {total:,}"
    return f"{hits_in_words(2, group)} {first:,} to {last:,} of {total:,}"


def copies_in_words(hit: "Hit") -> str:
    """`Also in 5 other outlets: The Islander, Sound Radio, Le Phare …`; empty: nowhere else."""
    if hit.copies is None:
        return ""
    others = [outlet for outlet in hit.copies.outlets if outlet != hit.outlet]
    if not others:
        return count_in_words(hit.copies.count, "copy")
    named = ", ".join(others[:_OUTLETS])
    outlets = count_in_words(len(others), "other outlet")
    return f"Also in {outlets}: {named}{' …' if others[_OUTLETS:] else ''}"


def passages_in_words(hit: "Hit") -> str:
    """`3 more passages in this article`, or of copies too `6 passages in all`; empty: only one."""
    if hit.passages == 1:
        return ""
    if hit.copies:
        return f"{count_in_words(hit.passages, 'passage')} in all"
    return f"{count_in_words(hit.passages - 1, 'more passage')} in this article"


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
