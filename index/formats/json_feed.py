"""JSON Feed 1.0 and 1.1 (jsonfeed.org): the items of a site's feed."""

from collections.abc import Mapping

from index.article import Origin, Published, SourceRecord
from index.dates import parse_published
from index.errors import BadArticleError
from index.formats.encoding import mend
from index.formats.fields import one_line, usable_url
from index.formats.fragment import fragment_text

_LANGUAGE_CHARS = 2


def is_json_feed(document: Mapping[str, object]) -> bool:
    """Whether an object says that it is a JSON Feed."""
    version = document.get("version")
    return isinstance(version, str) and "jsonfeed.org/version" in version


def record_from_item(
    item: Mapping[str, object], feed: Mapping[str, object], *, origin: Origin, raw: bytes
) -> SourceRecord:
    """Make a source record of one item. An unreadable date or address is unknown.

    Raises:
        BadArticleError: it has neither content nor summary.
    """
    body = _body(item)
    if not body.strip():
        reason = "no text: the item has neither content nor summary"
        raise BadArticleError(origin.path, origin.line, reason, "nothing to do")
    return SourceRecord(
        origin=origin,
        raw=raw,
        body=body,
        headline=one_line(_string(item, "title")),
        outlet=one_line(_string(feed, "title")),
        byline=_authors(item) or _authors(feed),
        section=_first_tag(item),
        language=(_string(item, "language") or _string(feed, "language"))[:_LANGUAGE_CHARS].lower(),
        url=usable_url(_string(item, "url")) or usable_url(_string(item, "external_url")),
        guid=one_line(_string(item, "id")),
        published=published_or_unknown(_string(item, "date_published")),
    )


def published_or_unknown(text: str) -> Published | None:
    """A feed's date; None if it is none, as feeds are not ours to correct."""
    try:
        return parse_published(text)
    except ValueError:
        return None


def _body(item: Mapping[str, object]) -> str:
    text = _string(item, "content_text")
    html = _string(item, "content_html")
    return mend(text or fragment_text(html) or _string(item, "summary"))


def _authors(holder: Mapping[str, object]) -> str:
    authors = holder.get("authors")
    several = authors if isinstance(authors, list) else [holder.get("author")]
    names = [_string(author, "name") for author in several if isinstance(author, Mapping)]
    return one_line(", ".join(filter(None, names)))


def _first_tag(item: Mapping[str, object]) -> str:
    tags = item.get("tags")
    first = tags[0] if isinstance(tags, list) and tags else ""
    return one_line(first) if isinstance(first, str) else ""


def _string(holder: Mapping[str, object], name: str) -> str:
    value = holder.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and name == "id":
        return str(value)
    return value if isinstance(value, str) else ""
