"""Where this archive shows what is cited."""

from urllib.parse import quote


def archive_url(base_url: str, article_id: str, passage_id: str | None = None) -> str:
    """The page of an article, at one of its passages if it is given.

    Args:
        base_url: of the server, with its last slash; empty: the archive is not served, and so is
            what is returned.
    """
    if not base_url:
        return ""
    page = f"{base_url}articles/{quote(article_id, safe='')}"
    return f"{page}#{quote(passage_id, safe='')}" if passage_id else page
