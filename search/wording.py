"""Figures and dates in words, as the page and the command line say them."""

from index.article import Published

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def date_in_words(published: Published | None) -> str:
    """`21 January 2022, 19:12 (time zone unknown)`, as precise as the source and no more."""
    if published is None:
        return "date unknown"
    day = published.on
    if published.precision == "year":
        return str(day.year)
    month = f"{_MONTHS[day.month - 1]} {day.year}"
    if published.precision == "month":
        return month
    date = f"{day.day} {month}"
    if published.precision == "day":
        return date
    return f"{date}, {_clock(published)} {_zone(published.zone)}"


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
