"""A piece of HTML, as feeds carry it, to text with paragraphs on lines of their own."""

import html
import re

import lxml.etree
import lxml.html

_TAG = re.compile(r"<[A-Za-z/!]")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
# Elements that begin and end a line; all others, unknown ones too, flow with the text.
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd"),
        *("details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend", "li", "main", "nav"),
        *("ol", "option", "p", "pre", "section", "summary", "table", "td", "th", "tr", "ul"),
    )
)
_NOT_TEXT = frozenset(
    ("script", "style", "noscript", "template", "iframe", "object", "svg", "math", "button")
)


def fragment_text(fragment: str) -> str:
    """The text of a piece of HTML; of text without tags, that text with its entities resolved.

    Linear, for any nesting: the tree is walked, not descended into. Nothing is fetched.
    """
    if not _TAG.search(fragment):
        return html.unescape(fragment)
    parser = lxml.html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    data = fragment.replace("\0", "").encode("utf-8", "replace")
    try:
        root = lxml.html.document_fromstring(data, parser=parser)
    except lxml.etree.ParserError:  # there is nothing in it
        return ""
    return _joined(_pieces(root))


def _pieces(root: lxml.html.HtmlElement) -> list[str]:
    """Texts in order, with a newline wherever a line begins or ends."""
    pieces: list[str] = []
    hidden = 0
    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        if element.tag in _BLOCKS:
            pieces.append("\n")
        if event == "start":
            hidden += element.tag in _NOT_TEXT
            text = element.text
        else:
            hidden -= element.tag in _NOT_TEXT
            text = element.tail
        if text and not hidden:
            pieces.append(_SPACE.sub(" ", text))
    return pieces


def _joined(pieces: list[str]) -> str:
    lines = "".join(pieces).split("\n")
    return "\n".join(stripped for line in lines if (stripped := line.strip(" ")))
