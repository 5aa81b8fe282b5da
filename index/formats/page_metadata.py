"""What a news page's head and markup say about its article, where JSON-LD does not."""

import html
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from urllib.parse import urljoin, urlsplit

import lxml.html

from index.article import Published
from index.dates import find_date_line, parse_published
from index.formats.json_ld import is_nobody
from index.head import LONE_NAME, plain_byline
from index.paragraphs import collapse

# In order of trust: what says "published" before what only says "date".
_DATE_KEYS = (
    *(
        "article:published_time",
        "article:published",
        "og:article:published_time",
        "og:published_time",
    ),
    *("datepublished", "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date.created"),
    *(
        "dc.date",
        "dcterms.date",
        "parsely-pub-date",
        "sailthru.date",
        "publish-date",
        "publishdate",
    ),
    *(
        "publish_date",
        "published_date",
        "publication_date",
        "pubdate",
        "published",
        "published-date",
    ),
    *("cxenseparse:recs:publishtime", "article.published", "displaydate", "date"),
)
_BYLINE_KEYS = (
    *("author", "byl", "article:author_name", "parsely-author", "sailthru.author", "dc.creator"),
    *("dcterms.creator", "article:author", "cxenseparse:author", "creator"),
)
_SECTION_KEYS = (
    "article:section",
    "parsely-section",
    "dc.subject.section",
    "section",
    "cxenseparse:category",
)
_TITLE_SPLIT = re.compile(r"\s+[|–—·•»:-]\s+|\s*[|»]\s*")
_AUTHOR_NAME = re.compile(
    r"(?:^|[\s_-])(?:byline|author|authors|reporter)(?:$|[\s_-])", re.IGNORECASE
)
_NOT_AUTHOR = re.compile(
    r"comment|avatar|bio|image|photo|thumb|social|related|email|title", re.IGNORECASE
)
_LEADING_LABEL = re.compile(
    r"(?:article |story |written |reported |posted )?by\b[: ]*", re.IGNORECASE
)
_FIRST = re.compile(r"publish|entry-date|created", re.IGNORECASE)
_UPDATED = re.compile(r"updat|modif", re.IGNORECASE)
LONGEST_BYLINE = 120
LONGEST_TITLE = 500
# Pieces of text in an element that names an author.
MAX_TEXTS = 20
# Headings and moments that are looked at.
FIRST = 20


def meta_tags(root: lxml.html.HtmlElement) -> dict[str, str]:
    """The page's meta tags, by name in lower case; of several of one name the first."""
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        content = collapse(html.unescape(meta.get("content") or ""))
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def page_headline(
    root: lxml.html.HtmlElement, stated: str, meta: Mapping[str, str], outlet: str
) -> str:
    """The headline as a reader of the page sees it.

    Search engines and social networks are told other headlines than readers are. The first h1
    counts where one of the others shares its words: some pages have their logo in it.
    """
    title = _title(root)
    social = without_outlet(meta.get("og:title") or meta.get("twitter:title") or "", outlet)
    others = [text for text in (stated, social, title) if text]
    shown = _shown(root)
    for text in shown:
        if any(_share_words(text, other) for other in others):
            return text
    if others[:1] == [title]:
        return without_outlet(title, outlet)
    return others[0] if others else next(iter(shown), "")


def page_outlet(root: lxml.html.HtmlElement, meta: Mapping[str, str], url: str) -> str:
    """The outlet's name: stated, else at the end of the page's title, else its host name."""
    named = meta.get("og:site_name") or meta.get("application-name") or meta.get("dc.publisher")
    if named:
        return named
    host = ((urlsplit(url).hostname or "") if url else "").removeprefix("www.")
    title = _title(root)
    social = meta.get("og:title", "")
    for headline in [text for text in (social, *_shown(root)) if text]:
        rest = title[len(headline) :] if title.startswith(headline) else ""
        parts = [part for part in _TITLE_SPLIT.split(rest) if part.strip(" -–—|")]
        parts = [part for part in parts if part.casefold() != host] or parts
        if len(parts) == 1 and len(parts[0]) <= 40:
            return parts[0].strip(" -–—|")
    return host


def page_url(root: lxml.html.HtmlElement, meta: Mapping[str, str]) -> str:
    """The canonical URL; empty when the page has none that is absolute."""
    base = meta.get("og:url", "")
    for link in root.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            url = _absolute(link.get("href") or "", base)
            if url:
                return url
    return _absolute(base, "")


def page_published(root: lxml.html.HtmlElement, meta: Mapping[str, str]) -> Published | None:
    """The publication date: of a meta tag, else of the first time element not of an update."""
    for key in _DATE_KEYS:
        if published := _published(meta.get(key, "")):
            return published
    return next((moment for moment, _ in _times(root)), None)


def in_local_time(published: Published, root: lxml.html.HtmlElement) -> Published:
    """The same instant in the outlet's own zone, where the page shows it in that.

    Content systems state UTC; `22:30-05:00` says the day that stood in the paper.
    """
    if published.zone not in ("Z", "+00:00"):
        return published
    for moment, _ in _times(root):
        if moment.zone and moment.zone not in ("Z", "+00:00"):
            same = moment.instant_s // 60 == published.instant_s // 60
            if same:
                return moment
    return published


def page_byline(root: lxml.html.HtmlElement, meta: Mapping[str, str], outlet: str) -> str:
    """Who signed: a meta tag, else the first element that is marked as author or byline."""
    for key in _BYLINE_KEYS:
        name = _signature(meta.get(key, ""), outlet)
        if name:
            return name
    for element in root.iter():
        if isinstance(element.tag, str) and _marks_author(element):
            texts = list(islice(element.itertext(), MAX_TEXTS))
            for text in ("".join(texts), *texts):
                name = _signature(collapse(text[: 2 * LONGEST_BYLINE]), outlet)
                if name and LONE_NAME.fullmatch(name):
                    return name
    return ""


def page_section(meta: Mapping[str, str]) -> str:
    """The section, of a meta tag."""
    return next((meta[key] for key in _SECTION_KEYS if meta.get(key)), "")


def without_outlet(title: str, outlet: str) -> str:
    """A page's title without the outlet's name at its end."""
    parts = _TITLE_SPLIT.split(title)
    if (
        len(parts) > 1
        and outlet
        and _letters(parts[-1]) in (_letters(outlet), _letters(outlet.split(".")[0]))
    ):
        return title[: title.rindex(parts[-1])].rstrip(" |–—·•»:-")
    return title


def _title(root: lxml.html.HtmlElement) -> str:
    title = collapse(root.findtext(".//title") or "")
    return title if len(title) <= LONGEST_TITLE else ""


def _shown(root: lxml.html.HtmlElement) -> list[str]:
    """The texts of the first h1 elements."""
    texts = [
        collapse("".join(islice(element.itertext(), MAX_TEXTS)))
        for element in islice(root.iter("h1"), FIRST)
    ]
    return [text for text in texts if text and len(text) <= LONGEST_TITLE]


def _signature(text: str, outlet: str) -> str:
    if not text or len(text) > LONGEST_BYLINE or "://" in text or "@" in text:
        return ""
    name = plain_byline(_LEADING_LABEL.sub("", text) or text)
    nobody = (
        is_nobody(name) or name.casefold() == outlet.casefold() or not any(map(str.isalpha, name))
    )
    return "" if nobody or find_date_line(name) else name


def _marks_author(element: lxml.html.HtmlElement) -> bool:
    if element.get("rel") == "author" or element.get("itemprop") == "author":
        return True
    names = f"{element.get('class', '')} {element.get('data-testid', '')}"[:200]
    return bool(_AUTHOR_NAME.search(names)) and not _NOT_AUTHOR.search(names)


def _times(root: lxml.html.HtmlElement) -> Iterator[tuple[Published, lxml.html.HtmlElement]]:
    for element in islice(root.iter("time"), FIRST):
        moment = _published(element.get("datetime") or "")
        kind = element.get("class") or ""
        if moment and (_FIRST.search(kind) or not _UPDATED.search(kind)):
            yield moment, element


def _published(text: str) -> Published | None:
    try:
        return parse_published(text)
    except ValueError:
        return None


def _absolute(url: str, base: str) -> str:
    try:
        joined = urljoin(base, url.strip())
        return joined if urlsplit(joined).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _share_words(one: str, other: str) -> bool:
    """Do half of the shorter text's words stand in the other?"""
    words, others = (set(re.findall(r"\w+", text.casefold())) for text in (one, other))
    fewest = min(len(words), len(others))
    return fewest > 1 and 2 * len(words & others) > fewest and len(words) > 2


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
