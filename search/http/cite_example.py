"""An edited passage, made up for the OpenAPI document: what it is answered with is really made."""

from datetime import UTC, date, datetime
from typing import Final

from index.article import ArticleId, PassageId, Published
from index.former_passages import FormerText
from index.store import ArticleRow, PassageRow
from search.coverage.alignment import align
from search.references.cite import Cited, Edited, Standing, Status
from search.responses import EXAMPLE_PASSAGE_ID, EXAMPLE_TEXT

ACCESSED: Final = date(2025, 3, 20)
BASE_URL: Final = "https://archive.example/"
_OPENING: Final = (
    "Northport harbour opened again on Friday, nine days after the storm closed it.\n\n"
)
_SAID: Final = FormerText(1, 1, len(_OPENING), EXAMPLE_TEXT.replace("dawn", "noon"))
_ARTICLE: Final = ArticleRow(
    number=2,
    id=ArticleId("harbour-041"),
    version=2,
    added_seq=2,
    headline="Harbour reopens after the storm",
    outlet="Northport Courier",
    byline="Tomas Lindqvist",
    section="Local",
    language="en",
    url="https://courier.example/2025/03/harbour-reopens",
    guid="",
    published=Published("2025-03-14T19:12"),
    text=f"{_OPENING}{EXAMPLE_TEXT}",
)
_PASSAGE: Final = PassageRow(
    9, PassageId(EXAMPLE_PASSAGE_ID), 1, len(_OPENING), len(_ARTICLE.text), _ARTICLE
)
NOW: Final = Standing(_ARTICLE, _PASSAGE, _PASSAGE.start, _PASSAGE.end)
EXAMPLE: Final = Cited(
    id="harbour-041-41c6d0b7e2f8",
    status=Status.EDITED,
    article_id=_ARTICLE.id,
    since=datetime(2025, 3, 15, 8, 30, tzinfo=UTC),
    now=NOW,
    edited=Edited(_SAID, align(_SAID.text, EXAMPLE_TEXT)),
)
