"""The meta tags by which reference managers and Google Scholar read an article's page.

Zotero's Embedded Metadata translator takes tags named citation_… first, and those with the prefix
of a vocabulary as RDF: `z` is its own, and says that this is a newspaper's. There is no
citation_journal_title, for with one it would be a journal's whatever else is said.
Source: https://github.com/zotero/translators, Embedded Metadata.js and RDF.js, as of June 2026.
"""

from typing import Final

from index.store import ArticleRow
from search.references.names_of_byline import Name, names_of

_DATES: Final = {"year": 4, "month": 7}  # so much of an ISO date is known; else 10


def tags(article: ArticleRow) -> list[tuple[str, str]]:
    """Name and content of each, in the order of the page; what is unknown has none."""
    names = names_of(article.byline, article.outlet)
    day = _day(article)
    pairs = [
        ("z:itemType", "newspaperArticle"),
        ("citation_title", article.headline),
        *(("citation_author", _divided(name, alone=len(names) == 1)) for name in names),
        ("citation_publication_date", day.replace("-", "/")),
        ("citation_language", article.language),
        ("citation_public_url", article.url),
        ("prism.publicationName", article.outlet),
        ("article:section", article.section),
        ("DC.title", article.headline),
        *(("DC.creator", _in_order(name)) for name in names),
        ("DC.date", day),
        ("DC.language", article.language),
        ("DC.source", article.outlet),
        ("DC.identifier", article.url),
        ("z:archive", "Nutgraf"),
        ("z:archiveLocation", article.id),
    ]
    return [(name, content) for name, content in pairs if content]


def _day(article: ArticleRow) -> str:
    published = article.published
    return published.iso[: _DATES.get(published.precision, 10)] if published else ""


def _divided(name: Name, *, alone: bool) -> str:
    # A name without a comma is divided at its last space. One behind the whole name keeps an
    # agency's together: nothing follows that would be a given name.
    if name.is_literal:
        return f"{name.family},"
    written = _in_order(name)
    # "de la Cruz, Maria Elena" would be taken for two authors if there is no other: a semicolon
    # says where an author ends.
    both_have_spaces = " " in name.family and " " in name.given
    return f"{written};" if alone and both_have_spaces else written


def _in_order(name: Name) -> str:
    if name.is_literal:
        return name.family
    return f"{name.family}, {name.given} {name.suffix}".rstrip()
