"""The meta tags of an article's page, as Zotero's Embedded Metadata translator reads them."""

import re
from dataclasses import dataclass, field

import pytest

from index.article import ArticleId, Published
from index.store import ArticleRow
from search.references.scholar_tags import tags

ARTICLE = ArticleRow(
    number=1,
    id=ArticleId("harbour-041"),
    version=1,
    added_seq=1,
    headline="Harbour reopens after the storm",
    outlet="Northport Courier",
    byline="By Tomas Lindqvist and Ana Duarte",
    section="Local",
    language="en",
    url="https://courier.example/2025/03/harbour?from=front&id=41",
    guid="",
    published=Published("2025-03-14T19:12"),
    text="Northport harbour opened again on Friday.",
)


@dataclass
class Item:
    """What Zotero makes of a page."""

    type: str = "webpage"
    fields: dict[str, str] = field(default_factory=dict)
    creators: list[tuple[str, str]] = field(default_factory=list)  # family, given; whole, ""


_HIGHWIRE = {
    "citation_title": "title",
    "citation_publication_date": "date",
    "citation_journal_title": "publicationTitle",
    "citation_public_url": "url",
    "citation_language": "language",
}
# Of each field the properties that RDF.js looks at, in its order.
_RDF = {
    "title": ("dc:title",),
    "publicationTitle": ("prism:publicationName", "dc:source"),
    "section": ("article:section",),
    "date": ("prism:publicationDate", "dc:date"),
    "language": ("dc:language",),
    "archive": ("z:archive",),
    "archiveLocation": ("z:archiveLocation",),
}


def as_zotero_reads(pairs: list[tuple[str, str]]) -> Item:
    """What Embedded Metadata.js does: RDF first, then tags named citation_… over it."""
    item = Item()
    rdf: dict[str, str] = {}
    for name, content in pairs:
        prefix, _, rest = re.sub(r"[.:_]", ":", name, count=1).partition(":")
        rdf.setdefault(f"{prefix.lower()}:{rest[:1].lower()}{rest[1:]}", content)
    names = [name for name, _ in pairs]
    item.type = rdf.get("z:itemType") or ("journalArticle" if "citation_title" in names else "")
    for wanted, properties in _RDF.items():
        if found := next((rdf[name] for name in properties if name in rdf), ""):
            item.fields[wanted] = found
    for name, content in pairs:
        if name in _HIGHWIRE:
            item.fields[_HIGHWIRE[name]] = " ".join(content.split())
    if "citation_journal_title" in names:
        item.type = "journalArticle"
    item.creators = _creators([content for name, content in pairs if name == "citation_author"])
    return item


def _creators(nodes: list[str]) -> list[tuple[str, str]]:
    found = []
    for node in nodes:
        creators = re.split(r"\s*;\s*", node)
        if len(creators) == len(nodes) == 1:
            parts = re.split(r"\s*,\s*", creators[0])
            if len(parts) > 1 and " " in parts[0] and " " in parts[1]:
                creators = parts
        found += [_clean(creator) for creator in creators if re.search(r"[^\s,-.;]", creator)]
    return found


def _clean(creator: str) -> tuple[str, str]:
    """`cleanAuthor` of Zotero's utilities."""
    stripped = re.sub(r"[\s.,/\[\]:]+$", "", creator)
    if "," in creator:
        family, _, rest = stripped.partition(", ")
        return family, rest.split(", ")[0]
    given, _, family = stripped.rpartition(" ")
    return family, given


def article(**changed: object) -> ArticleRow:
    fields = {name: getattr(ARTICLE, name) for name in ARTICLE.__slots__}
    return ArticleRow(**{**fields, **changed})  # type: ignore[arg-type]


def test_a_page_is_read_as_an_article_of_its_outlet() -> None:
    item = as_zotero_reads(tags(ARTICLE))
    assert item.type == "newspaperArticle"
    assert item.fields == {
        "title": "Harbour reopens after the storm",
        "publicationTitle": "Northport Courier",
        "section": "Local",
        "date": "2025/03/14",
        "language": "en",
        "url": "https://courier.example/2025/03/harbour?from=front&id=41",
        "archive": "Nutgraf",
        "archiveLocation": "harbour-041",
    }
    assert item.creators == [("Lindqvist", "Tomas"), ("Duarte", "Ana")]


@pytest.mark.parametrize(
    ("byline", "creators"),
    [
        ("", []),
        ("Reuters", [("Reuters", "")]),
        ("Coast Wire Agency", [("Coast Wire Agency", "")]),  # not Coast Wire, A.
        ("Maria Elena de la Cruz", [("de la Cruz", "Maria Elena")]),  # one person, not two
        ("Ludwig van Beethoven, Berlin correspondent", [("van Beethoven", "Ludwig")]),
    ],
)
def test_persons_are_divided_and_agencies_are_not(
    byline: str, creators: list[tuple[str, str]]
) -> None:
    assert as_zotero_reads(tags(article(byline=byline))).creators == creators


@pytest.mark.parametrize(
    ("iso", "date"),
    [("2025", "2025"), ("2025-03", "2025/03"), ("2025-03-14", "2025/03/14"), (None, None)],
)
def test_the_date_is_as_precise_as_it_is_known(iso: str | None, date: str | None) -> None:
    dated = article(published=Published(iso) if iso else None)
    assert as_zotero_reads(tags(dated)).fields.get("date") == date


def test_what_is_unknown_has_no_tag() -> None:
    bare = article(
        headline="", outlet="", byline="", section="", language="", url="", published=None
    )
    assert dict(tags(bare)) == {
        "z:itemType": "newspaperArticle",
        "z:archive": "Nutgraf",
        "z:archiveLocation": "harbour-041",
    }
