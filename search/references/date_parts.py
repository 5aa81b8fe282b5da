"""The date of a reference."""

from typing import Final

from index.article import Published

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def date_parts(published: Published | None) -> tuple[int, ...]:
    """Year, month and day, as many of them as are known, as the outlet wrote them; none: ()."""
    if published is None:
        return ()
    return tuple(int(part) for part in published.iso[:10].split("-"))
