"""CSL-JSON, what citation processors read: an item of a citation.

Source: Citation Style Language schema, csl-data.json, version 1.0.2.
"""

from collections.abc import Sequence

from search.references.citation import Citation
from search.references.date_parts import date_parts
from search.references.names_of_byline import Name, names_of


def item(citation: Citation, notes: Sequence[str] = ()) -> dict[str, object]:
    """The item, for `json.dumps`; a document is a list of them. What is not known is left out.

    The quote is the `abstract` too, where reference managers show it; `custom` has it, its span
    and its ids for programs. `note` has a note a line.
    """
    parts = date_parts(citation.published)
    accessed = citation.accessed
    known: dict[str, object] = {
        "id": citation.id,
        "type": "article-newspaper",
        "author": [_author(name) for name in names_of(citation.byline, citation.outlet)],
        "title": citation.headline,
        "container-title": citation.outlet,
        "section": citation.section,
        "language": citation.language,
        "issued": {"date-parts": [list(parts)]} if parts else None,
        "accessed": {"date-parts": [[accessed.year, accessed.month, accessed.day]]},
        "URL": citation.url,
        "archive": "Nutgraf",
        "archive_location": citation.id,
        "abstract": citation.quote,
        "note": "\n".join(notes),
        "custom": {
            "quote": citation.quote,
            "start": citation.start,
            "end": citation.end,
            "article_id": citation.article_id,
            "passage_id": citation.passage_id,
            "archive_url": citation.archive_url,
        },
    }
    return {name: value for name, value in known.items() if value}


def _author(name: Name) -> dict[str, str]:
    if name.is_literal:
        return {"literal": name.family}
    known = {"family": name.family, "given": name.given, "suffix": name.suffix}
    return {part: text for part, text in known.items() if text}
