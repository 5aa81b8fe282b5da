"""A hit as a row of a table: what CSV and Parquet have in common."""

from typing import Final

from search.references.archive_url import archive_url
from search.responses import DamagedResponse
from search.result_set import Damaged, Hit

Cell = str | int | float | None

# The columns, in order, each with the type of its cells. Any cell but a rank may be unknown: None.
COLUMNS: Final[dict[str, type[str] | type[int] | type[float]]] = {
    "rank": int,
    "passage_id": str,
    "article_id": str,
    "headline": str,
    "outlet": str,
    "byline": str,
    "section": str,
    "language": str,
    "published": str,  # ISO 8601, as precise as it is known
    "url": str,
    "archive_url": str,
    "quote": str,
    "start": int,  # span of the quote in the article's text, in code points, end excluded
    "end": int,
    "best_sentence": str,
    "score": float,
    "probability": float,
    "dense": float,
    "lexical": float,
    "passages": int,
    "copies": int,  # other articles with this text
    "story": str,
    "omitted": str,  # why the hit cannot be shown
}


def row(hit: Hit | Damaged, base_url: str) -> dict[str, Cell]:
    """The cells of a hit by column; of a damaged one, its rank and `omitted` alone."""
    unknown: dict[str, Cell] = dict.fromkeys(COLUMNS)
    if isinstance(hit, Damaged):
        return {**unknown, **DamagedResponse(rank=hit.rank).model_dump()}
    first, last = hit.best_sentence
    return {
        **unknown,
        "rank": hit.rank,
        "passage_id": hit.passage_id,
        "article_id": hit.article_id,
        "headline": hit.headline,
        "outlet": hit.outlet,
        "byline": hit.byline,
        "section": hit.section,
        "language": hit.language,
        "published": hit.published.iso if hit.published else None,
        "url": hit.url,
        "archive_url": archive_url(base_url, hit.article_id, hit.passage_id),
        "quote": hit.text,
        "start": hit.start,
        "end": hit.end,
        "best_sentence": hit.text[first:last],
        "score": hit.score,
        "probability": hit.probability,
        "dense": hit.dense,
        "lexical": hit.lexical,
        "passages": hit.passages,
        "copies": hit.copies.count if hit.copies else 0,
        "story": hit.story,
    }
