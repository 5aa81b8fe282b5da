"""Plain text: a file is an article, as it was copied from a page."""

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.formats.encoding import decode


def read_plain_text(data: bytes, origin: Origin) -> SourceRecord:
    """Take the whole text for the body: headline, date and byline are found by cleaning.

    Raises:
        BadArticleError: there is no text.
    """
    body = decode(data)
    if not body.strip():
        raise BadArticleError(origin.path, origin.line, "no text", "remove the file")
    return SourceRecord(origin=origin, raw=data, body=body, pasted=True)
