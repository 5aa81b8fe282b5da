"""RSS 0.9 to 2.0 and Atom: a site's feed, each entry read on its own.

The feed is cut into its entries, and feedparser is given one at a time, inside the feed's own
root element: a broken entry leaves the others be, and each has its line. A feed that declares
entities is refused (one of a few lines can swell to gigabytes); what feedparser sees has no
DOCTYPE, and comes from memory, so that nothing is ever fetched.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import feedparser

from index.article import Origin, Published, SourceRecord
from index.errors import BadArticleError
from index.formats.encoding import decode_only, mend
from index.formats.fields import one_line, usable_url
from index.formats.fragment import fragment_text
from index.formats.json_feed import published_or_unknown
from index.formats.limits import MIB, Limits
from index.formats.streams import too_large

_DECLARED_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding=[\"']([\w.-]{1,40})[\"']")
_FIRST_ELEMENT = re.compile(rb"<[A-Za-z]")
_START_TAG = re.compile(
    rb"<(?P<name>(?:[\w.-]+:)?(?P<local>[\w.-]+))(?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+>"
)
_CHANNEL = re.compile(rb"\s*+<channel\b[^>]*+>")
_LANDMARK = re.compile(
    rb"<!\[CDATA\[|<!--|<(?P<end>/?)(?P<name>(?:[\w.-]+:)?(?:item|entry))(?=[\s/>])[^>]*+>"
)
_HEAD_BYTES = 2**18  # a feed says its title in its first lines
# feedparser takes up to 7 microseconds for a byte of hostile markup.
_MAX_ENTRY_BYTES = 4 * MIB
_CUT_SHORT, _AGAIN = "is cut short", "fetch it again"

Result = SourceRecord | BadArticleError


@dataclass(frozen=True, slots=True)
class _Feed:
    """What an entry needs of the feed it is in."""

    prefix: bytes  # the start tags around every entry
    suffix: bytes  # and their end tags
    title: str
    language: str
    author: str


def read_xml_feed(data: bytes, path: str, limits: Limits) -> Iterator[Result]:
    """Read the entries of a feed. An unreadable date or address is unknown, not an error."""
    data = _as_utf8(data)
    first = _FIRST_ELEMENT.search(data)
    root = _START_TAG.match(data, first.start()) if first else None
    if root is None:
        yield BadArticleError(path, 1, "broken XML: no root element", _AGAIN)
        return
    if b"<!ENTITY" in data[: root.start()]:
        reason, advice = "the feed declares entities", "remove its DOCTYPE"
        yield BadArticleError(path, 1, reason, advice)
        return
    yield from _read_entries(data, root, path, limits)


def _as_utf8(data: bytes) -> bytes:
    """The feed in UTF-8, without its mark; not decoded if it is, as text takes up to four times."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(data), MIB):
            decoder.decode(data[at : at + MIB], final=at + MIB >= len(data))
        if b"\0" not in data:
            return data.removeprefix(codecs.BOM_UTF8)
    except UnicodeDecodeError:
        pass
    declared = _DECLARED_ENCODING.search(data[:512])
    text = decode_only(data, declared[1].decode("ascii") if declared else None)
    return text.encode("utf-8", "replace")


def _read_entries(
    data: bytes, root: re.Match[bytes], path: str, limits: Limits
) -> Iterator[Result]:
    spans = list(_entry_spans(data, root.end()))
    try:
        feed = _feed(data, root, spans, Origin(path, 1))
    except BadArticleError as error:
        yield error
        return
    line, counted = 1, 0
    for start, end in spans:
        line += data.count(b"\n", counted, start)
        counted = start
        yield _read_entry(data[start : abs(end)], feed, Origin(path, line), limits, end < 0)
    if b"</" + root["name"] not in data[abs(spans[-1][1]) if spans else 0 :]:
        line += data.count(b"\n", counted)
        yield BadArticleError(path, line, f"{_CUT_SHORT}: the feed is not closed", _AGAIN)


def _entry_spans(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Start and end of each entry; the end of one that is not closed is negative."""
    start: int | None = None
    while match := _LANDMARK.search(data, at):
        at = match.end()
        if match["name"] is None:
            closing = b"]]>" if match[0] == b"<![CDATA[" else b"-->"
            at = data.find(closing, at)
            if at < 0:
                break
        elif match["end"]:
            if start is not None:
                yield start, at
            start = None
        else:
            if start is not None:
                yield start, -match.start()
            start = match.start()
            if match[0].endswith(b"/>"):
                yield start, at
                start = None
    if start is not None:
        yield start, -len(data)


def _feed(
    data: bytes, root: re.Match[bytes], spans: list[tuple[int, int]], origin: Origin
) -> _Feed:
    is_rss = root["local"].lower() == b"rss"
    channel = _CHANNEL.match(data, root.end()) if is_rss else None
    prefix = root[0] + (channel[0] if channel else b"")
    suffix = (b"</channel>" if channel else b"") + b"</" + root["name"] + b">"
    # Of the channel, what comes before its entries and, in some feeds, after them.
    head_end = spans[0][0] if spans else len(data)
    head = data[root.end() : head_end][:_HEAD_BYTES]
    tail = data[abs(spans[-1][1]) :][:_HEAD_BYTES] if spans else b""
    about = _parse(root[0] + head + tail + suffix, origin).feed
    return _Feed(
        prefix=prefix,
        suffix=suffix,
        title=_flat(about, "title"),
        language=_string(about, "language"),
        # Atom gives an entry without an author the feed's; RSS names an editor there.
        author="" if is_rss else _authors(about),
    )


def _read_entry(raw: bytes, feed: _Feed, origin: Origin, limits: Limits, is_open: bool) -> Result:
    max_bytes = min(_MAX_ENTRY_BYTES, limits.max_record_bytes)
    if len(raw) > max_bytes:
        error = too_large(max_bytes, "an entry of more than")
        return BadArticleError(origin.path, origin.line, error.reason, error.advice)
    if is_open:
        return BadArticleError(origin.path, origin.line, "the entry is not closed", _AGAIN)
    try:
        entries = _parse(feed.prefix + raw + feed.suffix, origin).entries
    except BadArticleError as error:
        return error
    body = _body(entries[0]) if entries else ""
    if not body.strip():
        reason = "no text: the entry has neither content nor summary"
        return BadArticleError(origin.path, origin.line, reason, "nothing to do")
    return _record(entries[0], body, feed, origin, raw)


def _record(
    entry: feedparser.FeedParserDict, body: str, feed: _Feed, origin: Origin, raw: bytes
) -> SourceRecord:
    source = entry.get("source")
    tags = _parts(entry, "tags") or [{}]
    return SourceRecord(
        origin=origin,
        raw=raw,
        body=body,
        headline=_flat(entry, "title"),
        outlet=(_flat(source, "title") if isinstance(source, dict) else "") or feed.title,
        byline=_authors(entry) or feed.author,
        section=one_line(_string(tags[0], "term")),
        language=feed.language[:2].lower() if feed.language[:2].isalpha() else "",
        url=usable_url(_string(entry, "link")),
        guid=one_line(_string(entry, "id")),
        published=_published(entry),
    )


def _parse(document: bytes, origin: Origin) -> feedparser.FeedParserDict:
    """What feedparser makes of it. BadArticleError: nothing, at `origin`."""
    try:
        # A stream, as bytes alone would be tried as the name of a file first. Sanitizing is for
        # pages that show the HTML; we keep its text only.
        return feedparser.parse(
            io.BytesIO(document),
            sanitize_html=False,
            resolve_relative_uris=False,
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )
    except Exception as error:  # whatever its parts stumble over: KeyError, IndexError, ...
        reason = f"broken feed: the parser stumbles over it ({type(error).__name__})"
        raise BadArticleError(origin.path, origin.line, reason, "correct or drop it") from error


def _body(entry: feedparser.FeedParserDict) -> str:
    """The text of the fullest content, else of the summary."""
    texts = [_text(content) for content in _parts(entry, "content")]
    detail = dict.get(entry, "summary_detail")
    summary = _text(detail) if isinstance(detail, dict) else ""
    return mend(max(texts, key=len, default="") or summary)


def _text(content: dict[str, object]) -> str:
    value = _string(content, "value")
    return value if content.get("type") == "text/plain" else fragment_text(value)


def _flat(holder: feedparser.FeedParserDict, name: str) -> str:
    return one_line(fragment_text(_string(holder, name)))


def _authors(holder: feedparser.FeedParserDict) -> str:
    names = [_string(author, "name") for author in _parts(holder, "authors")]
    return one_line(", ".join(filter(None, names)) or _string(holder, "author"))


def _published(entry: feedparser.FeedParserDict) -> Published | None:
    stated = (_string(entry, name) for name in ("published", "updated", "created"))
    return published_or_unknown(next(filter(None, stated), ""))


def _parts(holder: dict[str, object], name: str) -> list[dict[str, object]]:
    # An element of this name, which no feed has by its standard, takes the place of the list.
    value = dict.get(holder, name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _string(holder: dict[str, object], name: str) -> str:
    # dict.get, as feedparser's own answers for a missing date with another one, and a warning.
    value = dict.get(holder, name)
    return value if isinstance(value, str) else ""
