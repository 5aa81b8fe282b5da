"""What the HTTP interface and `--json` answer: one shape for both.

Spans and highlights count code points, end excluded.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from index.article import Published
from index.store import ArticleRow, PassageRow
from search.result_set import Answer, Coverage, Hit
from search.searcher import Status

if TYPE_CHECKING:  # a process that only answers does not import what writes
    from index.idempotency import Outcome

EXAMPLE_PASSAGE_ID = "harbour-041-0f6b2c9d1e5a"
EXAMPLE_TEXT = "“The ferry sails at dawn,” harbour master Ines Okoro told reporters on Friday."
_EXAMPLE_PUBLISHED = {"iso": "2025-03-14T19:12", "precision": "minute", "zone": None}
_EXAMPLE_SOURCE = {
    "headline": "Harbour reopens after the storm",
    "byline": "Tomas Lindqvist",
    "outlet": "Northport Courier",
    "section": "Local",
    "language": "en",
    "published": _EXAMPLE_PUBLISHED,
    "url": "https://courier.example/2025/03/harbour-reopens",
}
_EXAMPLE_COVERAGE = {"articles": 64, "passages": 412, "embedded": 412}
_EXAMPLE_HIT = {
    "rank": 1,
    "score": 0.742,
    "passage_id": EXAMPLE_PASSAGE_ID,
    "article_id": "harbour-041",
    "ordinal": 1,
    "text": EXAMPLE_TEXT,
    "start": 118,
    "end": 118 + len(EXAMPLE_TEXT),
    "highlights": [[5, 10], [20, 24]],
    **_EXAMPLE_SOURCE,
    "dense": 0.655,
    "lexical": 9.31,
}


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _with_example(example: Mapping[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": dict(example)})


class PublishedResponse(_Response):
    """When an article was published, as precise as its source says."""

    model_config = _with_example(_EXAMPLE_PUBLISHED)

    iso: str = Field(description="ISO 8601, reduced to what is known: `2022`, `2022-01-21T19:12`.")
    precision: Literal["year", "month", "day", "minute", "second"]
    zone: str | None = Field(description="`Z` or `+02:00`; null: the source does not say.")

    @classmethod
    def of(cls, published: Published | None) -> Self | None:
        if published is None:
            return None
        return cls.model_validate(
            {"iso": published.iso, "precision": published.precision, "zone": published.zone}
        )


class CoverageResponse(_Response):
    """How much of the archive an answer could draw on."""

    model_config = _with_example(_EXAMPLE_COVERAGE)

    articles: int
    passages: int = Field(description="All of them are found by their words.")
    embedded: int = Field(description="So many of the passages are found by their meaning too.")

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        return cls(
            articles=coverage.articles, passages=coverage.passages, embedded=coverage.embedded
        )


class _Source(_Response):
    headline: str
    byline: str = Field(description="Empty: unknown; the same for outlet to url.")
    outlet: str
    section: str
    language: str = Field(description="ISO 639-1.")
    published: PublishedResponse | None = Field(description="null: unknown.")
    url: str


class _PassageFields(_Response):
    passage_id: str
    article_id: str
    ordinal: int = Field(description="Number of the passage in its article, from 0.")
    text: str
    start: int = Field(description="Span of the passage in the article's text.")
    end: int


class _Rank(_Response):
    rank: int = Field(description="From 1.")
    score: float = Field(description="Compares within one answer only.")


# The fields of the last base come first in the document.
class HitResponse(_Source, _PassageFields, _Rank):
    """A passage that answers, where it comes from and why it was chosen."""

    model_config = _with_example(_EXAMPLE_HIT)

    highlights: list[tuple[int, int]] = Field(description="Spans in `text` of the words asked for.")
    dense: float | None = Field(description="Cosine to the question; null: not embedded yet.")
    lexical: float | None = Field(description="BM25; null: no word of the question is in it.")

    @classmethod
    def of(cls, hit: Hit) -> Self:
        return cls(
            rank=hit.rank,
            score=hit.score,
            passage_id=hit.passage_id,
            article_id=hit.article_id,
            ordinal=hit.ordinal,
            text=hit.text,
            start=hit.start,
            end=hit.end,
            highlights=list(hit.highlights),
            headline=hit.headline,
            byline=hit.byline,
            outlet=hit.outlet,
            section=hit.section,
            language=hit.language,
            published=PublishedResponse.of(hit.published),
            url=hit.url,
            dense=hit.dense,
            lexical=hit.lexical,
        )


class SearchResponse(_Response):
    """The passages that answer a question, best first."""

    model_config = _with_example(
        {
            "query": "When does the ferry sail?",
            "k": 10,
            "sort": "relevance",
            "total": 1,
            "hits": [_EXAMPLE_HIT],
            "coverage": _EXAMPLE_COVERAGE,
            "snapshot": "42.7.412",
            "omitted": 0,
            "took_ms": 14.2,
        }
    )

    query: str
    k: int = Field(description="The number of hits asked for.")
    sort: Literal["relevance", "newest", "oldest"]
    total: int = Field(description="Passages in the result set that the hits are the best of.")
    hits: list[HitResponse]
    coverage: CoverageResponse
    snapshot: str = Field(description="Names the view of the archive that answered.")
    omitted: int = Field(description="Passages left out because their stored row is damaged.")
    took_ms: float

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls(
            query=answer.query,
            k=answer.k,
            sort=answer.sort.value,
            total=answer.total,
            hits=[HitResponse.of(hit) for hit in answer.hits],
            coverage=CoverageResponse.of(answer.coverage),
            snapshot=answer.snapshot,
            omitted=answer.omitted,
            took_ms=round(answer.took_ms, 2),
        )


class PassageResponse(_Source, _PassageFields):
    """One passage and where it comes from."""

    model_config = _with_example(
        {
            "passage_id": EXAMPLE_PASSAGE_ID,
            "article_id": "harbour-041",
            "ordinal": 1,
            "text": EXAMPLE_TEXT,
            "start": 118,
            "end": 118 + len(EXAMPLE_TEXT),
            **_EXAMPLE_SOURCE,
        }
    )

    @classmethod
    def of(cls, passage: PassageRow) -> Self:
        article = passage.article
        return cls(
            passage_id=passage.id,
            article_id=article.id,
            ordinal=passage.ordinal,
            text=passage.text,
            start=passage.start,
            end=passage.end,
            headline=article.headline,
            byline=article.byline,
            outlet=article.outlet,
            section=article.section,
            language=article.language,
            published=PublishedResponse.of(article.published),
            url=article.url,
        )


class _ArticleFields(_Response):
    article_id: str
    version: int = Field(description="From 1; one more each time the article was replaced.")
    guid: str


class ArticleResponse(_Source, _ArticleFields):
    """One article as it is stored now."""

    model_config = _with_example(
        {
            "article_id": "harbour-041",
            "version": 1,
            "guid": "",
            "text": f"Northport harbour opened again on Friday.\n\n{EXAMPLE_TEXT}",
            "passage_ids": ["harbour-041-77aa01c2b3d4", EXAMPLE_PASSAGE_ID],
            **_EXAMPLE_SOURCE,
        }
    )

    text: str = Field(description="Cleaned; spans point into it.")
    passage_ids: list[str] = Field(description="In the order of the text.")

    @classmethod
    def of(cls, article: ArticleRow, passages: Sequence[PassageRow]) -> Self:
        return cls(
            article_id=article.id,
            version=article.version,
            guid=article.guid,
            text=article.text,
            passage_ids=[passage.id for passage in passages],
            headline=article.headline,
            byline=article.byline,
            outlet=article.outlet,
            section=article.section,
            language=article.language,
            published=PublishedResponse.of(article.published),
            url=article.url,
        )


class RemovedResponse(_Response):
    """The article is gone from every arm."""

    model_config = _with_example({"article_id": "harbour-041", "removed": True})

    article_id: str
    removed: Literal[True] = True


class RecordResponse(_Response):
    """What became of one record of a request."""

    line: int = Field(description="Of NDJSON the line, of JSON the place in the list; from 1.")
    status: Literal["added", "replaced", "unchanged", "rejected"]
    article_id: str | None = Field(description="null: rejected.")
    version: int = Field(description="0: rejected.")
    reason: str | None = Field(None, description="Why it was rejected.")
    advice: str | None = Field(None, description="What to do about it.")

    @classmethod
    def of(cls, line: int, outcome: "Outcome") -> Self:
        error = outcome.error
        return cls(
            line=line,
            status=outcome.status,
            article_id=outcome.article_id,
            version=outcome.version,
            reason=error.reason if error else None,
            advice=error.advice if error else None,
        )


class AddedResponse(_Response):
    """One result for each record, in the order sent; the counts add up to their number.

    Articles are found by their words as soon as this arrives; `pending` passages wait for their
    embedding.
    """

    model_config = _with_example(
        {
            "added": 1,
            "replaced": 0,
            "unchanged": 0,
            "rejected": 1,
            "pending": 6,
            "results": [
                {
                    "line": 1,
                    "status": "added",
                    "article_id": "harbour-041",
                    "version": 1,
                    "reason": None,
                    "advice": None,
                },
                {
                    "line": 2,
                    "status": "rejected",
                    "article_id": None,
                    "version": 0,
                    "reason": "the article has no text",
                    "advice": "give its body in the field text",
                },
            ],
        }
    )

    added: int
    replaced: int
    unchanged: int
    rejected: int
    pending: int
    results: list[RecordResponse]

    @classmethod
    def of(cls, results: Sequence[RecordResponse], *, pending: int) -> Self:
        counts = dict.fromkeys(("added", "replaced", "unchanged", "rejected"), 0)
        for result in results:
            counts[result.status] += 1
        return cls(**counts, pending=pending, results=list(results))


class StatusResponse(_Response):
    """What the store holds and how far it is embedded."""

    model_config = _with_example(
        {
            "articles": 64,
            "passages": 412,
            "embedded": 400,
            "pending": 12,
            "outlets": 5,
            "oldest": {"iso": "2024-11-02", "precision": "day", "zone": None},
            "newest": _EXAMPLE_PUBLISHED,
            "model": "all-MiniLM-L6-v2",
            "fingerprint": "0123456789abcdef",
            "snapshot": "42.7.412",
            "segments": 1,
            "size_bytes": 3_145_728,
        }
    )

    articles: int
    passages: int
    embedded: int = Field(description="Passages that are found by their meaning too.")
    pending: int = Field(description="Passages that wait for their embedding.")
    outlets: int
    oldest: PublishedResponse | None = Field(description="null: no date is known.")
    newest: PublishedResponse | None
    model: str
    fingerprint: str = Field(description="Tells vectors of one model from those of another.")
    snapshot: str
    segments: int
    size_bytes: int

    @classmethod
    def of(cls, status: Status) -> Self:
        return cls(
            articles=status.articles,
            passages=status.passages,
            embedded=status.embedded,
            pending=status.pending,
            outlets=status.outlets,
            oldest=PublishedResponse.of(status.oldest),
            newest=PublishedResponse.of(status.newest),
            model=status.model,
            fingerprint=status.fingerprint,
            snapshot=status.snapshot,
            segments=status.segments,
            size_bytes=status.size_bytes,
        )


class HealthResponse(_Response):
    """The process is alive."""

    model_config = _with_example({"status": "alive"})

    status: Literal["alive"] = "alive"


class ReadyResponse(_Response):
    """Questions are answered."""

    model_config = _with_example({"status": "ready", "snapshot": "42.7.412"})

    status: Literal["ready"] = "ready"
    snapshot: str
