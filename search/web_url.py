"""Which addresses a browser may be sent to."""

from urllib.parse import urlsplit


def web_url(url: str) -> str:
    """`url` if a browser may be sent there, else nothing: `javascript:` and the like are not."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""
