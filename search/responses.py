"""What the HTTP interface and `--json` answer: one shape for both.

Spans and highlights count code points, end excluded.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from index.article import Published
from index.store import ArticleRow, PassageRow
from search.coverage.lineage import Copies
from search.cursors import Cursor
from search.explain import ArmPlace, Explanation, Shown, in_words
from search.facets import Facet
from search.filters import Filters
from search.interpretation import Interpretation
from search.ranking import Parts
from search.result_set import Answer, Coverage, Export, Hit, Suggestion
from search.searcher import Status
from search.trace import Stage, Trace
from search.verdict import Verdict

if TYPE_CHECKING:  # a process that only answers does not import what writes
    from index.idempotency import Outcome

EXAMPLE_PASSAGE_ID = "harbour-041-0f6b2c9d1e5a"
EXAMPLE_TEXT = "“The ferry sails at dawn,” harbour master Ines Okoro told reporters on Friday."
EXAMPLE_CURSOR = Cursor(
    "42.7.412", date(2025, 3, 15), "0ca40c6cd0b4c3f9", "7c4e1fd2a9b05e66", 10
).encode()
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
    "highlights": [[5, 16]],
    "best_sentence": {
        "text": EXAMPLE_TEXT,
        "start": 0,
        "end": len(EXAMPLE_TEXT),
        "article_start": 118,
        "article_end": 118 + len(EXAMPLE_TEXT),
    },
    **_EXAMPLE_SOURCE,
    "dense": 0.655,
    "lexical": 9.31,
    "probability": 0.91,
    "passages": 2,
    "copies": {
        "count": 2,
        "outlets": ["Sound Radio", "The Islander"],
        "first": {"iso": "2025-03-14T20:05", "precision": "minute", "zone": None},
        "last": {"iso": "2025-03-15", "precision": "day", "zone": None},
        "original": "harbour-041",
        "reason": "published first",
    },
    "story": "s9",
}


_EXAMPLE_FACETS = {
    "outlet": {"values": [{"value": "Northport Courier", "count": 1}], "other": 0, "unknown": 0},
    "section": {"values": [{"value": "Local", "count": 1}], "other": 0, "unknown": 0},
    "byline": {"values": [{"value": "Tomas Lindqvist", "count": 1}], "other": 0, "unknown": 0},
    "year": {"values": [{"value": "2025", "count": 1}], "other": 0, "unknown": 0},
    "month": {"values": [{"value": "2025-03", "count": 1}], "other": 0, "unknown": 0},
    "language": {"values": [{"value": "en", "count": 1}], "other": 0, "unknown": 0},
}
_EXAMPLE_VERDICT = {"kind": "supported", "probability": 0.94}
_EXAMPLE_PARSE = {
    "words": "When does the ferry sail?",
    "condition": None,
    "complete": False,
    "terms": [
        {"text": "ferry", "role": "ranks", "passages": 31, "expansions": []},
        {"text": "sail", "role": "ranks", "passages": 12, "expansions": []},
    ],
    "time": [],
    "loose": None,
}
_EXAMPLE_FILTERS = {
    "outlet": ["Northport Courier"],
    "byline": [],
    "section": [],
    "language": [],
    "from": "2025-03-01",
    "to": None,
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
    rank: int = Field(description="Place in the result set, from 1.")
    score: float = Field(description="Compares within one answer only.")


class SentenceResponse(_Response):
    """The sentence of a passage that answers."""

    text: str
    start: int = Field(description="Span in the passage's `text`.")
    end: int
    article_start: int = Field(description="Span in the article's text.")
    article_end: int


class CopiesResponse(_Response):
    """The copies of an article: who else ran it, and when."""

    count: int = Field(description="Other articles with this text; its updates are not counted.")
    outlets: list[str]
    first: PublishedResponse | None = Field(description="When the first was published.")
    last: PublishedResponse | None
    original: str = Field(description="The article that they are likely copies of.")
    reason: str = Field(description="Why it is taken for the original.")

    @classmethod
    def of(cls, copies: Copies | None) -> Self | None:
        if copies is None:
            return None
        return cls(
            count=copies.count,
            outlets=list(copies.outlets),
            first=PublishedResponse.of(copies.first),
            last=PublishedResponse.of(copies.last),
            original=copies.original,
            reason=copies.reason,
        )


# The fields of the last base come first in the document.
class HitResponse(_Source, _PassageFields, _Rank):
    """A passage that answers, where it comes from and why it was chosen."""

    model_config = _with_example(_EXAMPLE_HIT)

    highlights: list[tuple[int, int]] = Field(description="Spans in `text` of the words asked for.")
    best_sentence: SentenceResponse
    dense: float | None = Field(description="Cosine to the question; null: not embedded yet.")
    lexical: float | None = Field(description="BM25; null: no word of the question is in it.")
    probability: float = Field(description="That the passage answers the question.")
    passages: int = Field(
        description="Of its report, so many passages of this set are folded into this hit, itself "
        "among them."
    )
    copies: CopiesResponse | None = Field(description="null: nobody else ran it.")
    story: str | None = Field(
        description="Id of the story that others report too; null: it is the only report."
    )

    @classmethod
    def of(cls, hit: Hit) -> Self:
        start, end = hit.best_sentence
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
            best_sentence=SentenceResponse(
                text=hit.text[start:end],
                start=start,
                end=end,
                article_start=hit.start + start,
                article_end=hit.start + end,
            ),
            headline=hit.headline,
            byline=hit.byline,
            outlet=hit.outlet,
            section=hit.section,
            language=hit.language,
            published=PublishedResponse.of(hit.published),
            url=hit.url,
            dense=hit.dense,
            lexical=hit.lexical,
            probability=hit.probability,
            passages=hit.passages,
            copies=CopiesResponse.of(hit.copies),
            story=hit.story,
        )


class FacetValueResponse(_Response):
    """A value, and how many hits of the result set stand in articles that have it."""

    value: str = Field(description="As a filter takes it; a year or month as 2022 or 2022-01.")
    count: int


class FacetResponse(_Response):
    """One field of the whole result set; all counts together are its total."""

    values: list[FacetValueResponse] = Field(
        description="The most frequent, at most 20; of years and months the newest first."
    )
    other: int = Field(description="Hits whose value is not listed.")
    unknown: int = Field(description="Hits whose article does not say.")

    @classmethod
    def of(cls, facet: Facet) -> Self:
        values = [FacetValueResponse(value=v.value, count=v.count) for v in facet.values]
        return cls(values=values, other=facet.other, unknown=facet.unknown)


class FacetsResponse(_Response):
    """What the whole result set is made of."""

    model_config = _with_example(_EXAMPLE_FACETS)

    outlet: FacetResponse
    section: FacetResponse
    byline: FacetResponse
    year: FacetResponse
    month: FacetResponse
    language: FacetResponse

    @classmethod
    def of(cls, facets: Sequence[Facet]) -> Self | None:
        if not facets:
            return None
        return cls(**{facet.field: FacetResponse.of(facet) for facet in facets})


class VerdictResponse(_Response):
    """Whether the archive answers the question; neither `k` nor the order plays a part."""

    model_config = _with_example(_EXAMPLE_VERDICT)

    kind: Literal["supported", "weak", "none"] = Field(
        description="none: nothing here answers it, and the hits are the nearest there are."
    )
    probability: float = Field(description="That one of the first passages answers.")

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        return cls(kind=verdict.kind.value, probability=verdict.probability)


class TermResponse(_Response):
    """A term of a question, and how many passages hold it, in their text or their headline."""

    text: str = Field(
        description='A word, "a phrase", a beginning*, or one of these after a field.'
    )
    role: Literal["ranks", "restricts", "excludes"]
    passages: int
    expansions: list[tuple[str, int]] = Field(
        description="Of a beginning the words it stands for, with their passages, at most 20."
    )


class TimeResponse(_Response):
    """A time that a question speaks of."""

    text: str
    span: tuple[int, int] = Field(description="In the question.")
    kind: Literal["range", "recency", "event"] = Field(
        description="recency: the newest is asked for; event: before or after something whose "
        "date is not known."
    )
    first: date | None = Field(description="First day; null: open.")
    last: date | None = Field(description="Last day; null: open.")


class ParseResponse(_Response):
    """How a question was understood."""

    model_config = _with_example(_EXAMPLE_PARSE)

    words: str = Field(description="What ranks.")
    condition: str | None = Field(
        description="What restricts, in the question language; null: nothing does."
    )
    complete: bool = Field(
        description="The result set is all that fulfils the condition, and nothing else."
    )
    terms: list[TermResponse]
    time: list[TimeResponse]
    loose: str | None = Field(
        description="Quotations of a question, which restrict nothing; null: there are none."
    )

    @classmethod
    def of(cls, interpretation: Interpretation) -> Self:
        return cls(
            words=interpretation.words,
            condition=interpretation.condition,
            complete=interpretation.complete,
            terms=[
                TermResponse(
                    text=term.text,
                    role=term.role.value,
                    passages=term.passages,
                    expansions=list(term.expansions),
                )
                for term in interpretation.terms
            ],
            time=[
                TimeResponse(
                    text=time.text,
                    span=time.span,
                    kind=time.kind,
                    first=time.first,
                    last=time.last,
                )
                for time in interpretation.time
            ],
            loose=interpretation.loose,
        )


class NearMissResponse(_Response):
    """A word of a question, and what the archive has in its place."""

    word: str
    variant: str
    passages: int = Field(description="How many have the variant.")


class SuggestionResponse(_Response):
    """A question that may be what was meant. It was not asked: that is for the reader to do."""

    question: str
    words: list[NearMissResponse]

    @classmethod
    def of(cls, suggestion: Suggestion) -> Self:
        return cls(
            question=suggestion.question,
            words=[
                NearMissResponse(word=miss.word, variant=miss.variant, passages=miss.passages)
                for miss in suggestion.misses
            ],
        )


class SearchResponse(_Response):
    """A page of the passages that answer a question, best first."""

    model_config = _with_example(
        {
            "query": "When does the ferry sail?",
            "mode": "plain",
            "parse": _EXAMPLE_PARSE,
            "verdict": _EXAMPLE_VERDICT,
            "suggestions": [],
            "k": 10,
            "sort": "relevance",
            "effort": "quick",
            "group": "report",
            "as_of": None,
            "total": 1,
            "hits": [_EXAMPLE_HIT],
            "next_cursor": None,
            "facets": _EXAMPLE_FACETS,
            "coverage": _EXAMPLE_COVERAGE,
            "snapshot": "42.7.412",
            "omitted": 0,
            "took_ms": 14.2,
            "trace": None,
        }
    )

    query: str
    mode: Literal["plain", "verbatim"]
    parse: ParseResponse
    verdict: VerdictResponse
    suggestions: list[SuggestionResponse] = Field(
        description="Where words look misspelt against this archive, the question as it has them."
    )
    k: int = Field(description="The number of hits asked for.")
    sort: Literal["relevance", "newest", "oldest"]
    effort: Literal["quick", "thorough"]
    group: Literal["report", "none"]
    as_of: date | None = Field(description="The day the archive is seen from; null: as it is.")
    total: int = Field(
        description="What the hits are a page of: reports, or with `group=none` passages."
    )
    hits: list[HitResponse]
    next_cursor: str | None = Field(
        description="Send it as `cursor`, with the same question, for the page that follows; "
        "null: this is the last."
    )
    facets: FacetsResponse | None = Field(description="null: not asked for.")
    coverage: CoverageResponse
    snapshot: str = Field(description="Names the view of the archive that answered.")
    omitted: int = Field(
        description="Passages of this page left out because their stored row is damaged."
    )
    took_ms: float = Field(
        description="What it took to find this; asked for again, it may come from what was kept."
    )
    trace: dict[Stage, float] | None = Field(
        description="Milliseconds by stage, in their order, of those that the question went "
        "through; null: not asked for."
    )

    @classmethod
    def of(cls, answer: Answer, *, traced: bool = False) -> Self:
        """`traced`: with the stages that the question has gone through by now."""
        return cls(
            query=answer.query,
            mode=answer.mode.value,
            parse=ParseResponse.of(answer.interpretation),
            verdict=VerdictResponse.of(answer.verdict),
            suggestions=[SuggestionResponse.of(each) for each in answer.suggestions],
            k=answer.k,
            sort=answer.sort.value,
            effort=answer.effort.value,
            group=answer.group.value,
            as_of=answer.as_of,
            total=answer.total,
            hits=[HitResponse.of(hit) for hit in answer.hits],
            next_cursor=answer.next_cursor,
            facets=FacetsResponse.of(answer.facets),
            coverage=CoverageResponse.of(answer.coverage),
            snapshot=answer.snapshot,
            omitted=answer.omitted,
            took_ms=round(answer.took_ms, 2),
            trace=rounded(answer.trace) if traced else None,
        )


def rounded(trace: Trace) -> dict[Stage, float]:
    """The milliseconds of a trace as they are shown."""
    return {stage: round(ms, 2) for stage, ms in trace.ms().items()}


class FiltersResponse(_Response):
    """The filters in force."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    outlet: list[str]
    byline: list[str]
    section: list[str]
    language: list[str]
    published_from: date | None = Field(alias="from")
    published_to: date | None = Field(alias="to")

    @classmethod
    def of(cls, filters: Filters) -> Self:
        return cls.model_validate(
            {
                "outlet": filters.outlet,
                "byline": filters.byline,
                "section": filters.section,
                "language": filters.language,
                "from": filters.published_from,
                "to": filters.published_to,
            }
        )


_EXAMPLE_EXPORT_HEADER = {
    "query": "When does the ferry sail?",
    "mode": "plain",
    "parse": _EXAMPLE_PARSE,
    "verdict": _EXAMPLE_VERDICT,
    "sort": "relevance",
    "effort": "quick",
    "group": "report",
    "filters": _EXAMPLE_FILTERS,
    "as_of": None,
    "total": 1,
    "coverage": _EXAMPLE_COVERAGE,
    "snapshot": "42.7.412",
    "exported_at": "2025-03-15T08:30:00Z",
}
EXAMPLE_EXPORT = "".join(
    f"{json.dumps(line, ensure_ascii=False)}\n" for line in (_EXAMPLE_EXPORT_HEADER, _EXAMPLE_HIT)
)


class ExportHeader(_Response):
    """The first line of an export; `total` lines follow, one for each place in the result set."""

    model_config = _with_example(_EXAMPLE_EXPORT_HEADER)

    query: str
    mode: Literal["plain", "verbatim"]
    parse: ParseResponse
    verdict: VerdictResponse
    sort: Literal["relevance", "newest", "oldest"]
    effort: Literal["quick", "thorough"]
    group: Literal["report", "none"]
    filters: FiltersResponse
    as_of: date | None
    total: int = Field(description="The lines that follow.")
    coverage: CoverageResponse
    snapshot: str
    exported_at: datetime

    @classmethod
    def of(cls, export: Export, exported_at: datetime) -> Self:
        return cls(
            query=export.query,
            mode=export.mode.value,
            parse=ParseResponse.of(export.interpretation),
            verdict=VerdictResponse.of(export.verdict),
            sort=export.sort.value,
            effort=export.effort.value,
            group=export.group.value,
            filters=FiltersResponse.of(export.filters),
            as_of=export.as_of,
            total=export.total,
            coverage=CoverageResponse.of(export.coverage),
            snapshot=export.snapshot,
            exported_at=exported_at.replace(microsecond=0),
        )


class DamagedResponse(_Response):
    """A line of an export in the place of a passage that cannot be shown."""

    rank: int
    omitted: Literal["the stored row is damaged"] = "the stored row is damaged"


class ArmPlaceResponse(_Response):
    """Where an arm has the passage; null: it does not have it."""

    rank: int | None = Field(
        description="From 1, among all that the filters and the condition let through."
    )
    score: float | None

    @classmethod
    def of(cls, place: ArmPlace) -> Self:
        return cls(rank=place.rank, score=place.score)


class PartsResponse(_Response):
    """What puts a passage where it is; see docs/ranking.md."""

    fused: float = Field(description="The fusion's score.")
    cosine: float
    about: float = Field(description="Mean cosine of the article's passages.")
    share: float = Field(description="Of the question's words, rare ones counting more.")
    window: float | None = Field(
        description="The greatest share within a few words; null, like the next two: not among the "
        "first passages, which alone are looked at."
    )
    length: float | None = Field(description="Logarithm of the number of words.")
    ranker: float | None = Field(description="The learned ranker's log odds.")

    @classmethod
    def of(cls, parts: Parts | None) -> Self | None:
        if parts is None:
            return None
        return cls(
            fused=parts.fused,
            cosine=parts.cosine,
            about=parts.about,
            share=parts.share,
            window=parts.window,
            length=parts.length,
            ranker=parts.ranker,
        )


class ShownResponse(_Response):
    """The hit that an article is folded under."""

    article_id: str
    rank: int = Field(description="Place in the result set, from 1.")

    @classmethod
    def of(cls, shown: Shown | None) -> Self | None:
        return None if shown is None else cls(article_id=shown.article_id, rank=shown.rank)


class ExplainResponse(_Response):
    """Why the best passage of an article is where it is in a result set, or not in it."""

    model_config = _with_example(
        {
            "query": "When does the ferry sail?",
            "article_id": "harbour-041",
            "headline": "Harbour reopens after the storm",
            "passage_id": EXAMPLE_PASSAGE_ID,
            "ordinal": 1,
            "reason": "found",
            "explanation": "Its best passage is number 1 of 12.",
            "left_out_by": [],
            "folded_under": None,
            "rank": 1,
            "total": 12,
            "score": 0.742,
            "best_score": 0.742,
            "dense": {"rank": 1, "score": 0.655},
            "lexical": {"rank": 2, "score": 9.31},
            "depth": 200,
            "parts": {
                "fused": 0.742,
                "cosine": 0.655,
                "about": 0.52,
                "share": 0.61,
                "window": 0.58,
                "length": 2.71,
                "ranker": 17.3,
            },
            "probability": 0.83,
            "verdict": {"kind": "supported", "probability": 0.91},
        }
    )

    query: str
    article_id: str
    headline: str
    passage_id: str | None = Field(description="null: its stored row is damaged.")
    ordinal: int
    reason: Literal[
        "found",
        "folded",
        "filtered",
        "condition",
        "below_least_share",
        "beyond_candidates",
        "in_no_arm",
    ]
    explanation: str = Field(description="The reason in words.")
    left_out_by: list[str] = Field(
        description="Names of the filters, or parts of the condition, that leave it out."
    )
    folded_under: ShownResponse | None = Field(
        description="The article that stands for its report; null: it is not folded."
    )
    rank: int | None = Field(description="Place in the result set; null: not in it.")
    total: int
    score: float | None = Field(description="null: not in the result set.")
    best_score: float | None = Field(description="Of the result set; null: it is empty.")
    dense: ArmPlaceResponse = Field(description="Cosine; null: not embedded yet.")
    lexical: ArmPlaceResponse = Field(description="BM25; null: no word of the question is in it.")
    depth: int = Field(description="How many candidates each arm proposes.")
    parts: PartsResponse | None = Field(description="null: not in the result set.")
    probability: float | None = Field(description="That the passage answers; null, likewise.")
    verdict: VerdictResponse

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        return cls(
            query=explanation.query,
            article_id=explanation.article_id,
            headline=explanation.headline,
            passage_id=explanation.passage_id,
            ordinal=explanation.ordinal,
            reason=explanation.reason.value,
            explanation=in_words(explanation),
            left_out_by=list(explanation.left_out_by),
            folded_under=ShownResponse.of(explanation.folded_under),
            rank=explanation.rank,
            total=explanation.total,
            score=explanation.score,
            best_score=explanation.best_score,
            dense=ArmPlaceResponse.of(explanation.dense),
            lexical=ArmPlaceResponse.of(explanation.lexical),
            depth=explanation.depth,
            parts=PartsResponse.of(explanation.parts),
            probability=explanation.probability,
            verdict=VerdictResponse.of(explanation.verdict),
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
            "story": "s9",
            **_EXAMPLE_SOURCE,
        }
    )

    text: str = Field(description="Cleaned; spans point into it.")
    passage_ids: list[str] = Field(description="In the order of the text.")
    story: str | None = Field(
        description="Id of the story that others report too; null: it is the only report."
    )

    @classmethod
    def of(cls, article: ArticleRow, passages: Sequence[PassageRow], story: str | None) -> Self:
        return cls(
            article_id=article.id,
            version=article.version,
            guid=article.guid,
            text=article.text,
            passage_ids=[passage.id for passage in passages],
            story=story,
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
            "rejected": 2,
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
    rejected: int = Field(description="Records not taken, of the last 10,000 such.")

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
            rejected=status.rejected,
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
