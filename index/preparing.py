"""From a source record to an article ready to be stored, one record at a time."""

import re
import unicodedata
from collections.abc import Container

from index.article import Article, PreparedArticle, SourceRecord, article_id
from index.chunking import chunk
from index.cleaning import clean
from index.errors import BadArticleError
from index.head import plain_byline
from index.language import detect, normalise
from index.paragraphs import collapse

_FLASH_BODY = re.compile(r"\s*[*.\-–—_=+#~]+(?:\s+[*.\-–—_=+#~]+)*\s*")


def prepare(record: SourceRecord, *, recurring: Container[bytes] = frozenset()) -> PreparedArticle:
    """Clean a record, tell its language and its id, and divide it into passages.

    Headline, outlet, byline, section, URL and guid are on one line, without control characters
    and in Unicode's form NFC, so that a filter finds what looks the same. The text keeps its
    code points: spans and runs count in them. A language that the record states wins over the
    one that the text shows.

    Args:
        record: as a reader gave it.
        recurring: hashes of the outlet's recurring lines, see `index.recurring`.

    Raises:
        BadArticleError: nothing of the body is a report, and there is no headline.
    """
    cleaned = clean(record, recurring)
    headline = _plain(cleaned.headline)
    text = cleaned.text or (headline if _is_flash(record.body) else "")
    if not text:
        raise BadArticleError(
            record.origin.path,
            record.origin.line,
            "the article has no text"
            if not record.body.strip()
            else "no text is left of the page's promo lines",
            "give its report as text, or leave the record out",
        )
    article = Article(
        id=article_id(record),
        headline=headline,
        text=text,
        outlet=_plain(record.outlet),
        byline=plain_byline(_plain(cleaned.byline)),
        section=_plain(cleaned.section),
        language=normalise(record.language) or detect(text),
        url=_plain(record.url),
        guid=_plain(record.guid),
        published=cleaned.published,
    )
    return PreparedArticle(article, chunk(article), record, cleaned.runs, cleaned.lines)


def _is_flash(body: str) -> bool:
    """Whether a wire sent a headline alone, with a row of asterisks or dashes for a text."""
    return bool(_FLASH_BODY.fullmatch(body))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", collapse(text))
