"""Saved news pages: JSON-LD and meta tags for what is stated, trafilatura for the text."""

import re
from collections.abc import Mapping

import htmldate
import lxml.etree
import lxml.html
import trafilatura

from index.article import Origin, Published, SourceRecord
from index.dates import find_date_line, parse_published
from index.errors import BadArticleError
from index.formats.encoding import decode
from index.formats.fragment import fragment_text
from index.formats.json_ld import StatedArticle, read_json_ld
from index.formats.limits import MIB
from index.formats.page_metadata import (
    in_local_time,
    meta_tags,
    page_byline,
    page_headline,
    page_outlet,
    page_published,
    page_section,
    page_url,
)
from index.formats.page_trimming import is_list_of_links, trim
from index.paragraphs import ends_sentence

# News pages have up to 2 MiB, 10,000 elements some 25 deep, 60 at most. trafilatura descends into
# the tree and looks at the links below each element anew: at these limits a page takes 20 s.
MAX_PAGE_BYTES = 8 * MIB
MAX_ELEMENTS = 50_000
MAX_DEPTH = 250
MAX_DEPTHS = 1_000_000  # of all elements together
# Pictures in the page and generated styles; no text and no name is so long.
MAX_ATTRIBUTE_CHARS = 4_000
# News pages have no control characters; of other files this share is one.
MAX_CONTROLS = 0.02
# Below this trafilatura is asked again, to take what it is less sure of.
FEW_CHARS = 250
# A date can stand above the text only.
DATE_LINES = 6

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_ENCODING = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
_TAG = re.compile(r"<[A-Za-z!/]")
# Characters that lxml reads, also as "&#1;", and refuses to write.
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_HOSTILE = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
    lxml.etree.LxmlError,
)
_ADVICE = "save the page of one article, or paste its text into a .txt file"


def read_html_page(data: bytes, origin: Origin) -> SourceRecord:
    """Read one saved page: its article's text, and what it states about it.

    JSON-LD counts first, then meta tags, then the page's markup. Entities and addresses are
    never followed, and scripts never run.

    Raises:
        BadArticleError: it is no HTML, has no text, or is too large for a news page (8 MiB,
            50,000 elements, nested 250 deep).
    """
    if len(data) > MAX_PAGE_BYTES:
        raise _bad(origin, f"the page has more than {MAX_PAGE_BYTES // MIB} MiB")
    root = _parse(data, origin)
    _bound(root, origin)
    meta = meta_tags(root)
    stated = read_json_ld(
        script.text or ""
        for script in root.iter("script")
        if "ld+json" in (script.get("type") or "").lower()
    )
    url = page_url(root, meta) or stated.url
    outlet = stated.outlet or page_outlet(root, meta, url)
    headline = page_headline(root, stated.headline, meta, outlet)
    published = stated.published or page_published(root, meta)
    if published:
        published = in_local_time(published, root)
    undated = None if published else lxml.html.tostring(root, encoding="unicode")
    trim(root)
    body = _body(root)
    if not body:
        raise _bad(origin, "no text of an article in this page")
    return SourceRecord(
        origin=origin,
        raw=data,
        body=body,
        headline=headline,
        outlet=outlet,
        byline=_byline(root, stated, meta, outlet),
        section=stated.section or page_section(meta),
        language=stated.language or meta.get("content-language") or root.get("lang") or "",
        url=url,
        published=published or _shown_date(undated or "", body, url),
        # An old page without a title shows its headline in its first lines only.
        pasted=not headline,
    )


def _parse(data: bytes, origin: Origin) -> lxml.html.HtmlElement:
    declared = _DECLARED.search(data[:4096])
    text = decode(data, declared[1].decode("ascii", "replace") if declared else None)
    if not _TAG.search(text) or _is_binary(text):
        raise _bad(origin, "no HTML in this file")
    text = _ENCODING.sub("", text.replace("\0", ""), count=1)
    parser = lxml.html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        return lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except lxml.etree.LxmlError as error:
        raise _bad(origin, "no HTML in this file") from error


def _bound(root: lxml.html.HtmlElement, origin: Origin) -> None:
    """Refuse what would take too long; drop attributes too long, and characters none may write."""
    elements = depth = depths = 0
    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        elements += 1
        depth += 1
        depths += depth
        if depth > MAX_DEPTH:
            raise _bad(origin, f"elements are nested more than {MAX_DEPTH} deep")
        if elements > MAX_ELEMENTS or depths > MAX_DEPTHS:
            raise _bad(origin, "the page has more elements than a news page")
        for name, value in element.attrib.items():
            if len(value) > MAX_ATTRIBUTE_CHARS:
                del element.attrib[name]
        if element.text and _NOT_IN_XML.search(element.text):
            element.text = _NOT_IN_XML.sub("", element.text)
        if element.tail and _NOT_IN_XML.search(element.tail):
            element.tail = _NOT_IN_XML.sub("", element.tail)


def _is_binary(text: str) -> bool:
    beginning = text[:4096]
    controls = sum(character < " " and not character.isspace() for character in beginning)
    return controls > MAX_CONTROLS * len(beginning)


def _body(root: lxml.html.HtmlElement) -> str:
    """The text, one paragraph a line; empty: the page has none."""
    if is_list_of_links(root):
        return ""
    text = _extract(root, favor_recall=False)
    if len(text) < FEW_CHARS:
        text = max(text, _extract(root, favor_recall=True), key=len)
    if len(text) < FEW_CHARS:
        # Pages of a few lines, and pages that are laid out with line breaks or in tables.
        whole = fragment_text(lxml.html.tostring(_body_element(root), encoding="unicode"))
        text = max(text, _sentences(whole), key=len)
    return text


def _extract(root: lxml.html.HtmlElement, *, favor_recall: bool) -> str:
    try:
        document = trafilatura.bare_extraction(
            root,
            include_comments=False,
            include_tables=False,
            with_metadata=False,
            favor_recall=favor_recall,
        )
    except _HOSTILE:  # a page that trafilatura stumbles over is read without it
        return ""
    return (getattr(document, "text", "") or "").strip()


def _body_element(root: lxml.html.HtmlElement) -> lxml.html.HtmlElement:
    body = root.find("body")
    return root if body is None else body


def _sentences(text: str) -> str:
    """The text if there is a sentence in it, else nothing: a page of labels and links."""
    return text if any(ends_sentence(line) for line in text.splitlines()) else ""


def _byline(
    root: lxml.html.HtmlElement, stated: StatedArticle, meta: Mapping[str, str], outlet: str
) -> str:
    if stated.signed:
        return stated.byline
    return page_byline(root, meta, outlet)


def _shown_date(page: str, body: str, url: str) -> Published | None:
    """The day htmldate finds on the page; None where the text says it itself, for cleaning."""
    if not page or any(find_date_line(line) for line in body.splitlines()[:DATE_LINES]):
        return None
    try:
        found = htmldate.find_date(
            page, extensive_search=False, original_date=True, url=url or None
        )
        return parse_published(found or "")
    except _HOSTILE:
        return None


def _bad(origin: Origin, reason: str) -> BadArticleError:
    return BadArticleError(origin.path, origin.line, reason, _ADVICE)
