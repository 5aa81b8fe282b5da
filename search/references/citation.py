"""What is cited, and everything a reference to it needs."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from index.article import ArticleId, PassageId, Published
from index.store import ArticleRow, PassageRow
from search.result_set import Hit


@dataclass(frozen=True, slots=True)
class Citation:
    """An article, one of its passages, or a stretch of its text, as someone cites it.

    `article.text[start:end] == quote`; of a whole article the quote is empty, and so is the span.
    """

    article_id: ArticleId
    passage_id: PassageId | None  # None: the whole article, or a stretch over several passages
    headline: str
    outlet: str
    byline: str
    section: str
    language: str
    published: Published | None
    url: str  # of the outlet
    quote: str
    start: int  # in code points, end excluded
    end: int
    accessed: date
    archive_url: str  # of our own page; empty: the archive is not served

    @property
    def id(self) -> str:
        """Names what is cited for good: the passage if it is in one, else the article."""
        return self.passage_id or self.article_id

    @classmethod
    def of_stretch(
        cls,
        article: ArticleRow,
        passage: PassageRow | None,
        start: int,
        end: int,
        accessed: date,
        archive_url: str = "",
    ) -> Self:
        """The text from `start` to `end`, which lies in `passage`; None: in several."""
        return cls(
            article_id=article.id,
            passage_id=passage.id if passage else None,
            headline=article.headline,
            outlet=article.outlet,
            byline=article.byline,
            section=article.section,
            language=article.language,
            published=article.published,
            url=article.url,
            quote=article.text[start:end],
            start=start,
            end=end,
            accessed=accessed,
            archive_url=archive_url,
        )

    @classmethod
    def of_hit(cls, hit: Hit, accessed: date, archive_url: str = "") -> Self:
        """The passage that a hit is."""
        return cls(
            article_id=hit.article_id,
            passage_id=hit.passage_id,
            headline=hit.headline,
            outlet=hit.outlet,
            byline=hit.byline,
            section=hit.section,
            language=hit.language,
            published=hit.published,
            url=hit.url,
            quote=hit.text,
            start=hit.start,
            end=hit.end,
            accessed=accessed,
            archive_url=archive_url,
        )
