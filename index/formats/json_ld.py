"""What a page states about its article in JSON-LD, the form search engines ask news sites for.

Broken scripts are passed over: templates write JSON by hand, and a page is readable without it.
"""

import html
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.article import Published
from index.dates import parse_published
from index.head import plain_byline
from index.paragraphs import collapse

# Bounds on hostile pages; news pages hold a few kilobytes and some dozens of nodes.
MAX_SCRIPT_CHARS = 4 * 2**20
MAX_NODES = 20_000

_Node = dict[str, object]

_PAGE_TYPES = frozenset(("WebPage", "ItemPage"))
_ARTICLE_TYPES = frozenset(
    ("Article", "BlogPosting", "LiveBlogPosting", "Report", "Review", "SocialMediaPosting")
)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
# What content systems write where nobody signed.
_NOBODY = frozenset(
    (
        *(
            "no author",
            "admin",
            "administrator",
            "editor",
            "author",
            "unknown",
            "anonymous",
            "guest",
        ),
        *(
            "webmaster",
            "none",
            "null",
            "undefined",
            "web admin",
            "web desk",
            "website",
            "n/a",
            "user",
        ),
        *("staff",),
    )
)


@dataclass(frozen=True, slots=True)
class StatedArticle:
    """An article's metadata as its page states it; empty or None: not stated."""

    headline: str = ""
    byline: str = ""
    outlet: str = ""
    section: str = ""
    language: str = ""
    url: str = ""
    published: Published | None = None
    signed: bool = False  # somebody is named as author, if only the outlet itself


def read_json_ld(scripts: Iterable[str]) -> StatedArticle:
    """Read a page's JSON-LD scripts: an article node anywhere in them, else the page's own."""
    nodes = [node for script in scripts for node in _nodes(_parse(script))][:MAX_NODES]
    by_id = {
        key: node
        for node in reversed(nodes)
        if isinstance(key := node.get("@id"), str) and len(node) > 1
    }
    articles = [
        node
        for node in nodes
        if _is_article(node) and (node.get("headline") or node.get("datePublished"))
    ]
    pages = [node for node in nodes if _types(node) & _PAGE_TYPES]
    article = articles[0] if articles else pages[0] if pages else {}
    # Yoast and others name the author and the language on the page's node only.
    page = pages[0] if articles and pages else {}
    outlet = _name(article.get("publisher"), by_id) or _name(
        article.get("sourceOrganization"), by_id
    )
    authors = _authors(article, by_id) or _authors(page, by_id)
    named = [author for author in authors if author.casefold() != outlet.casefold()]
    return StatedArticle(
        headline=_text(article.get("headline")) if articles else "",
        byline=", ".join(named),
        outlet=outlet,
        section=_text(article.get("articleSection")),
        language=_language(article) or _language(page),
        url=_url(article),
        published=_date(article) or _date(page),
        signed=bool(authors),
    )


def is_nobody(name: str) -> bool:
    """Is it what a content system writes where nobody signed?"""
    return name.casefold().strip(" .") in _NOBODY


def _parse(script: str) -> object:
    text = script[:MAX_SCRIPT_CHARS].strip().removeprefix("<!--").removesuffix("-->")
    text = text.replace("<![CDATA[", "").replace("]]>", "").strip(" \t\r\n;/*")
    for attempt in (text, _TRAILING_COMMA.sub("", text)):
        try:
            parsed: object = json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
        return parsed
    return None


def _nodes(value: object) -> Iterator[_Node]:
    """Every object in a parsed script, outermost first."""
    waiting = deque([value])
    for _ in range(MAX_NODES):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _types(node: _Node) -> set[str]:
    kind = node.get("@type")
    names = kind if isinstance(kind, list) else [kind]
    return {name.rsplit("/", 1)[-1] for name in names if isinstance(name, str)}


def _is_article(node: _Node) -> bool:
    return any(kind.endswith("NewsArticle") or kind in _ARTICLE_TYPES for kind in _types(node))


def _text(value: object) -> str:
    """A string on one line; of several the first."""
    if isinstance(value, list):
        return next((text for item in value if (text := _text(item))), "")
    return collapse(html.unescape(value)) if isinstance(value, str) else ""


def _name(value: object, by_id: dict[str, _Node]) -> str:
    """The name of a person or organisation: written out, as an object, or by reference."""
    if isinstance(value, list):
        return next((name for item in value if (name := _name(item, by_id))), "")
    if isinstance(value, dict):
        key = value.get("@id")
        referred = by_id.get(key, {}) if isinstance(key, str) else {}
        return _text(value.get("name")) or _text(referred.get("name"))
    return _text(value)


def _authors(node: _Node, by_id: dict[str, _Node]) -> list[str]:
    for key in ("author", "creator"):
        value = node.get(key)
        names = [_name(item, by_id) for item in (value if isinstance(value, list) else [value])]
        plain = [plain_byline(name) for name in names if name and "://" not in name]
        signed = [name for name in dict.fromkeys(plain) if not is_nobody(name)]
        if signed:
            return signed
    return []


def _language(node: _Node) -> str:
    value = node.get("inLanguage")
    if isinstance(value, dict):
        return _text(value.get("alternateName")) or _text(value.get("name"))
    return _text(value)


def _url(node: _Node) -> str:
    for key in ("url", "mainEntityOfPage", "@id"):
        value = node.get(key)
        text = (
            _text(value.get("@id") or value.get("url")) if isinstance(value, dict) else _text(value)
        )
        if text.startswith(("http://", "https://")):
            return text
    return ""


def _date(node: _Node) -> Published | None:
    for key in ("datePublished", "dateCreated", "uploadDate"):
        try:
            return parse_published(_text(node.get(key)))
        except ValueError:
            continue
    return None
