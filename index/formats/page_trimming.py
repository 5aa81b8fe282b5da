"""Parts of a news page that are not the report, cut out of its tree before the text is taken.

Names of classes say what an element is ("newsletter-signup", "photo-credit"), and so does a list
that is all links. No element that holds a good part of the page's paragraphs is cut, whatever
its name: one paper's "sidebar_content" is where its articles stand.
"""

import re
from dataclasses import dataclass

import lxml.etree
import lxml.html

from index.paragraphs import collapse, ends_sentence

# An element with more than this share of the page's text outside links holds the report.
LARGEST_SHARE = 0.3
# Of a list's or paragraph's text: this much in links makes it a list of links.
LINKED_SHARE = 0.6
ALL_LINKED_SHARE = 0.8
LONGEST_CAPTION = 600

_DROPPED_TAGS = frozenset(
    (
        *(
            "script",
            "style",
            "noscript",
            "template",
            "iframe",
            "object",
            "embed",
            "svg",
            "math",
            "form",
        ),
        *(
            "button",
            "select",
            "input",
            "textarea",
            "nav",
            "footer",
            "aside",
            "figcaption",
            "dialog",
        ),
        *("menu", "audio", "video", "canvas", "label"),
    )
)
_HIDDEN_TAGS = frozenset((*("script", "style", "noscript", "template", "svg", "title", "head"),))
_LONGEST_NAMES = 500
_NAMES = re.compile(
    r"(?:^|\s)(?:[\w-]*[-_])?(?:"
    r"widget(?:[-_]\w+)*|newsletters?|newslettersignup|signup|sign-up|subscribe|subscription|subscriptions|paywall|"
    r"regwall|restriction-message|memberships?|promo|promos|promotion|promobox|advert|adverts|advertisement|"
    r"advertising|sponsor|sponsored|outbrain|taboola|related|recirc|recirculation|readmore|read-more|"
    r"recommended|recommendations|trending|most-read|mostread|most-popular|popular-posts|"
    r"share|sharing|sharebar|share-tools|social|socialshare|follow-us|"
    r"comments?|comment-list|disqus|respond|breadcrumbs?|pagination|"
    r"captions?|credits?|photocredit|image-credit|copyright|gallery|slideshow|carousel|"
    r"cookie|cookies|consent|donate|donation|author-bio|authorbio|about-author|"
    r"abouttheauthor|article-tags|tags|tag-list|inline-connection|correction-form|print-only|"
    r"masthead|site-header|header-top|top-header|topbar|top-bar|navbar|navigation|menu|"
    r"toolbar|skip-link|screen-reader-text|visually-hidden|sr-only"
    r")(?:[-_](?:box|block|container|wrapper|list|links?|module|section|area|inline|embed|bar|"
    r"widget|items?|stories|story|articles?|content|posts?|text|form|message|unit|label|"
    r"placeholder|button|buttons|btn|icons?|title|large|small|\d+))*(?=\s|$)",
    re.IGNORECASE,
)
_PICTURE = re.compile(
    r"(?:^|\s)(?:[\w-]*[-_])?(?:image|photo|picture|figure|media|img|video|player)(?:[-_]\w+)*(?=\s|$)",
    re.IGNORECASE,
)


def trim(root: lxml.html.HtmlElement) -> None:
    """Cut what is not the report, in place. Linear in the size of the tree."""
    sizes = _sizes(root)
    largest = LARGEST_SHARE * sizes[root].unlinked
    for element, size in sizes.items():
        if size.unlinked <= largest and element is not root and _is_cut(element, size):
            element.drop_tree()


def is_list_of_links(root: lxml.html.HtmlElement) -> bool:
    """Is hardly any of the page's text outside links: a front page, a map of the site?"""
    size = _sizes(root)[root]
    return size.linked >= ALL_LINKED_SHARE * size.text


@dataclass(slots=True)
class _Size:
    """Characters of text in an element, whitespace aside."""

    linked: int = 0
    unlinked: int = 0
    pictures: int = 0

    @property
    def text(self) -> int:
        return self.linked + self.unlinked


def _sizes(root: lxml.html.HtmlElement) -> dict[lxml.html.HtmlElement, _Size]:
    """The size of each element, in document order."""
    sizes: dict[lxml.html.HtmlElement, _Size] = {}
    open_sizes: list[_Size] = []
    links = hidden = 0
    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        step = 1 if event == "start" else -1
        links += step * (element.tag == "a")
        hidden += step * (element.tag in _HIDDEN_TAGS)
        if event == "start":
            sizes[element] = _Size(pictures=element.tag in ("img", "picture", "amp-img"))
            open_sizes.append(sizes[element])
            text = element.text
        else:
            closed = open_sizes.pop()
            if open_sizes:
                _add(open_sizes[-1], closed)
            text = element.tail
        if text and open_sizes and not hidden:
            length = len(text.strip())
            _add(open_sizes[-1], _Size(linked=length) if links else _Size(unlinked=length))
    return sizes


def _add(size: _Size, part: _Size) -> None:
    size.linked += part.linked
    size.unlinked += part.unlinked
    size.pictures += part.pictures


def _is_cut(element: lxml.html.HtmlElement, size: _Size) -> bool:
    tag = element.tag
    if tag in _DROPPED_TAGS:
        return True
    if tag in (
        "html",
        "head",
        "body",
        "main",
        "article",
        "h1",
        "title",
        "time",
        "meta",
        "link",
        "br",
    ):
        return False
    names = f"{element.get('class', '')} {element.get('id', '')}"
    if len(names) > 1 and len(names) <= _LONGEST_NAMES:
        if _NAMES.search(names):
            return True
        if size.pictures and size.text <= LONGEST_CAPTION and _PICTURE.search(names):
            return True
    if tag in ("ul", "ol"):
        return _is_link_list(element, size)
    return tag == "p" and _is_link(element, size)


def _is_link_list(element: lxml.html.HtmlElement, size: _Size) -> bool:
    items = [item for item in element if item.tag == "li"]
    return (
        len(items) > 1
        and size.linked >= LINKED_SHARE * size.text
        and all(next(item.iter("a"), None) is not None for item in items)
    )


def _is_link(element: lxml.html.HtmlElement, size: _Size) -> bool:
    """A headline of another article, not a sentence."""
    return (
        size.linked > 0
        and size.unlinked == 0
        and not ends_sentence(collapse("".join(element.itertext())))
    )
