"""The ETag of an answer: the same as long as the same question is answered the same. RFC 9110."""

from datetime import date

from search.version import VERSION


def etag_of(*parts: object) -> str:
    """The tag of what follows from these parts, which need no quoting: a snapshot's id, say."""
    # Weak: took_ms differs from answer to answer. Another version may rank otherwise, and "last
    # week" is another one tomorrow.
    return f'W/"{"-".join(map(str, (VERSION, *parts, date.today())))}"'


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether the header If-None-Match names `etag`; weak and strong ones compare alike."""
    if if_none_match is None:
        return False
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in known or etag.removeprefix("W/") in known
