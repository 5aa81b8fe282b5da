"""Citations for tests: one with everything known, and any at all."""

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from index.article import ArticleId, PassageId, Published
from search.references.citation import Citation

QUOTE = "Northport harbour opened again on Friday, nine days after the storm closed it."
HARBOUR = Citation(
    article_id=ArticleId("harbour-041"),
    passage_id=PassageId("harbour-041-0123456789ab"),
    headline="Harbour reopens after the storm",
    outlet="Northport Courier",
    byline="By Tomas Lindqvist",
    section="Local",
    language="en",
    published=Published("2025-03-14T19:12"),
    url="https://courier.example/2025/03/harbour?from=front&id=41",
    quote=QUOTE,
    start=0,
    end=len(QUOTE),
    accessed=date(2025, 6, 1),
    archive_url="http://archive.example/articles/harbour-041#harbour-041-0123456789ab",
)


def harbour(**changes: object) -> Citation:
    """`HARBOUR`, but for what is given."""
    return replace(HARBOUR, **changes)  # type: ignore[arg-type]  # each field has its own type


# What formats are made of, so that texts hold it often.
_MARKS = (
    *("{", "}", "\\", "\\}", "%", "$", "&", "#", "_", "~", "^", '"', ",", ";", "@article{x,"),
    *("--", "''", "``", "?`", "<<", "ER", "TY", "and", "-", "é", "日本", "🐨", "word", "Word"),
)
_SPACES = (
    "\nER  - ",
    "\r\nTY  - BOOK",
    "\n\n",
    "\r",
    "\t",
    "\u2028",
    "\x85",
    "\xa0",
    " and ",
    " ¶ ",
)


def texts() -> st.SearchStrategy[str]:
    """Any text that UTF-8 can write."""
    characters = st.characters(exclude_categories=["Cs"])
    parts = st.sampled_from((*_MARKS, *_SPACES)) | st.text(characters, max_size=4)
    return st.lists(parts, max_size=6).map("".join)


def article_texts() -> st.SearchStrategy[str]:
    """Texts as cleaning leaves them: paragraphs, and words with single spaces between them."""
    characters = st.characters(exclude_categories=["C", "Z"], exclude_characters="¶")
    word = st.sampled_from(_MARKS) | st.text(characters, min_size=1, max_size=4)
    line = st.lists(word, min_size=1, max_size=6).map(" ".join)
    return st.lists(line, min_size=1, max_size=3).map("\n\n".join)


def citations(quotes: st.SearchStrategy[str]) -> st.SearchStrategy[Citation]:
    """Any citation of what `quotes` gives."""
    return st.builds(
        lambda quote, start, **known: harbour(
            quote=quote, start=start, end=start + len(quote), **known
        ),
        quotes,
        st.integers(0, 10_000),
        passage_id=st.sampled_from([None, HARBOUR.passage_id]),
        headline=texts(),
        outlet=texts(),
        byline=texts(),
        section=texts(),
        published=st.sampled_from([None, *map(Published, ("1963", "2024-12", "2025-03-14"))]),
        url=st.sampled_from(["", HARBOUR.url, "https://courier.example/a;b?c={d}&e=%20f"]),
    )
