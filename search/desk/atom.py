"""A page of a feed as Atom, RFC 4287; further pages as in RFC 5005.

Written by an XML library from texts that no one vouches for: nothing in them can end an element.
"""

import re
from datetime import datetime
from typing import Final

from lxml import etree

from search.desk.alerts import Item
from search.desk.feeds import MEDIA_TYPES, FeedFormat, FeedPage, entered_at, exact_time, source_line
from search.web_url import web_url

_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
# What XML 1.0 cannot hold, written in whatever way.
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)


def atom(page: FeedPage) -> bytes:
    """The document, UTF-8."""
    feed = etree.Element(f"{{{_NAMESPACE}}}feed", nsmap={None: _NAMESPACE})
    _text(feed, "id", page.id)
    _text(feed, "title", page.title)
    _text(feed, "subtitle", page.search.question.q)
    _text(feed, "updated", _instant(page.updated))
    _text(feed, "generator", "Nutgraf")
    _link(feed, "self", page.url(page.until), MEDIA_TYPES[FeedFormat.ATOM])
    _link(feed, "alternate", page.home_url, "text/html")
    _link(feed, "first", page.url(None), MEDIA_TYPES[FeedFormat.ATOM])
    if page.next_until is not None:
        _link(feed, "next", page.url(page.next_until), MEDIA_TYPES[FeedFormat.ATOM])
    for item in page.items:
        _entry(feed, item, page)
    document: bytes = etree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _entry(feed: etree._Element, item: Item, page: FeedPage) -> None:
    article = item.article
    entry = etree.SubElement(feed, f"{{{_NAMESPACE}}}entry")
    if _LANGUAGE_TAG.fullmatch(article.language):
        entry.set(_LANGUAGE, article.language)
    _text(entry, "id", page.entry_id(item))
    _text(entry, "title", article.headline or "(no headline)")
    _text(entry, "updated", _instant(entered_at(item)))
    if published := exact_time(article.published):
        _text(entry, "published", published)
    author = etree.SubElement(entry, f"{{{_NAMESPACE}}}author")
    _text(author, "name", article.byline or article.outlet or "unknown")
    if article.section:
        etree.SubElement(entry, f"{{{_NAMESPACE}}}category", term=_clean(article.section))
    _link(entry, "alternate", page.entry_url(item), "text/html")
    if url := web_url(article.url):
        _link(entry, "via", url, "text/html")
    _text(entry, "summary", source_line(item))
    _text(entry, "content", item.passage.text)


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}").text = _clean(text)


def _link(parent: etree._Element, rel: str, href: str, media_type: str) -> None:
    etree.SubElement(parent, f"{{{_NAMESPACE}}}link", rel=rel, href=_clean(href), type=media_type)


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
