"""What the HTTP interface and `--json` answer about the coverage around an article.

Spans count code points, end excluded.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from search.coverage.alignment import Edit
from search.coverage.lineage import Lineage, Version
from search.coverage.related import Evidence, PassagePair, RelatedArticle, RelatedPage
from search.coverage.subject import Span
from search.responses import FacetsResponse, FiltersResponse, PublishedResponse
from search.wording import evidence_in_words

_EXAMPLE_ORIGINAL = "Northport harbour opened again on Friday. The ferry sails at dawn."
_EXAMPLE_COPY = "The harbour opened again on Friday. The ferry sails at dawn. Fares stay."
_EXAMPLE_EDITS = [
    {
        "op": "changed",
        "original": {"start": 0, "end": 9, "text": "Northport"},
        "copy": {"start": 0, "end": 3, "text": "The"},
    },
    {
        "op": "added",
        "original": {"start": 66, "end": 66, "text": ""},
        "copy": {"start": 61, "end": 72, "text": "Fares stay."},
    },
]
_EXAMPLE_WIRE: Mapping[str, Any] = {
    "part": "original",
    "article_id": "coast-wire-9",
    "version": 1,
    "superseded": False,
    "derives_from": None,
    "headline": "Northport harbour reopens",
    "byline": "",
    "outlet": "Coast Wire",
    "url": "https://wire.example/9",
    "published": {"iso": "2025-03-14T16:05", "precision": "minute", "zone": None},
    "credits": [],
    "words": 11,
    "text": None,
    "changes": None,
}
_EXAMPLE_COURIER: Mapping[str, Any] = {
    "part": "copy",
    "article_id": "harbour-041",
    "version": 1,
    "superseded": False,
    "derives_from": {"article_id": "coast-wire-9", "version": 1},
    "headline": "Harbour reopens after the storm",
    "byline": "Tomas Lindqvist",
    "outlet": "Northport Courier",
    "url": "https://courier.example/2025/03/harbour-reopens",
    "published": {"iso": "2025-03-14T19:12", "precision": "minute", "zone": None},
    "credits": [],
    "words": 13,
    "text": None,
    "changes": {
        "kept": 0.9091,
        "cut": 0,
        "added": 2,
        "changed": 1,
        "moved": 0,
        "headline": "Northport harbour reopens",
        "edits": _EXAMPLE_EDITS,
    },
}


_EXAMPLE_LINEAGE: dict[str, Any] = {
    "article_id": "harbour-041",
    "original": {"article_id": "coast-wire-9", "version": 1},
    "reason": "earliest, by 3 hours, time zone unknown",
    "copies": 1,
    "outlets": ["Coast Wire", "Northport Courier"],
    "versions": [_EXAMPLE_WIRE, _EXAMPLE_COURIER],
}


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StretchResponse(_Response):
    """A stretch of an article's text."""

    start: int
    end: int
    text: str

    @classmethod
    def of(cls, text: str, span: tuple[int, int]) -> Self:
        start, end = span
        return cls(start=start, end=end, text=text[start:end])


class EditResponse(_Response):
    """One difference between a version and its source; an empty span says where."""

    op: Literal["cut", "added", "changed", "moved"]
    original: StretchResponse = Field(description="Of the source's text.")
    copy_: StretchResponse = Field(alias="copy", description="Of this version's text.")

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    @classmethod
    def of(cls, edit: Edit, source: Version, version: Version) -> Self:
        return cls.model_validate(
            {
                "op": edit.op.value,
                "original": StretchResponse.of(source.text, edit.original),
                "copy": StretchResponse.of(version.text, edit.copy),
            }
        )


class ChangesResponse(_Response):
    """What a version made of its source, word by word.

    Neither spacing nor the shape of quotation marks and dashes counts.
    """

    kept: float = Field(description="Share of the source's words, in their place or moved.")
    cut: int = Field(description="Words; likewise the next three.")
    added: int
    changed: int
    moved: int
    headline: str | None = Field(description="The source's; null: this version has the same.")
    edits: list[EditResponse] = Field(
        description="In the order of this version's text; done to the source's text they give it."
    )

    @classmethod
    def of(cls, version: Version) -> Self | None:
        source, alignment = version.derives_from, version.alignment
        if source is None or alignment is None:
            return None
        return cls(
            kept=round(alignment.share_kept, 4),
            cut=alignment.cut,
            added=alignment.added,
            changed=alignment.changed,
            moved=alignment.moved,
            headline=None if source.headline == version.headline else source.headline,
            edits=[EditResponse.of(edit, source, version) for edit in alignment.edits],
        )


class VersionRef(_Response):
    """Another version in the same lineage."""

    article_id: str
    version: int

    @classmethod
    def of(cls, version: Version) -> Self:
        return cls(article_id=version.article_id, version=version.version)


class VersionResponse(_Response):
    """An article of a report, or what stood under its id before."""

    part: Literal["original", "copy", "update", "correction"]
    article_id: str
    version: int
    superseded: bool = Field(description="Its outlet has sent a later version.")
    derives_from: VersionRef | None = Field(
        description="What it derives from: of an update the version before, of a copy that version "
        "of the original which it is nearest to; null: it is the original."
    )
    headline: str
    byline: str = Field(description="Empty: unknown; the same for outlet and url.")
    outlet: str
    url: str
    published: PublishedResponse | None = Field(description="null: unknown.")
    credits: list[str] = Field(description="Agencies that it names in byline, dateline or end.")
    words: int
    text: str | None = Field(
        description="Of a version that another one has replaced under its id; null: the article is "
        "found under its id."
    )
    changes: ChangesResponse | None = Field(description="null: it is the original.")

    @classmethod
    def of(cls, version: Version) -> Self:
        source = version.derives_from
        return cls(
            part=version.part.value,
            article_id=version.article_id,
            version=version.version,
            superseded=version.superseded,
            derives_from=VersionRef.of(source) if source else None,
            headline=version.headline,
            byline=version.byline,
            outlet=version.outlet,
            url=version.url,
            published=PublishedResponse.of(version.published),
            credits=list(version.credits),
            words=version.words,
            text=None if version.is_stored else version.text,
            changes=ChangesResponse.of(version),
        )


class LineageResponse(_Response):
    """A report: who ran it, when, and what each made of it."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE_LINEAGE})

    article_id: str = Field(description="Of the article that was asked about.")
    original: VersionRef
    reason: str = Field(description="Why it is taken for the original, in words.")
    copies: int = Field(description="Copies of the original; an outlet's versions count once.")
    outlets: list[str] = Field(description="Who ran it, in the order of time.")
    versions: list[VersionResponse] = Field(description="In the order of time.")

    @classmethod
    def of(cls, lineage: Lineage) -> Self:
        return cls(
            article_id=lineage.article_id,
            original=VersionRef.of(lineage.original),
            reason=lineage.reason,
            copies=lineage.copies,
            outlets=list(lineage.outlets),
            versions=[VersionResponse.of(version) for version in lineage.versions],
        )


# ------------------------------------------------------------------- related articles


_EXAMPLE_RELATED: dict[str, Any] = {
    "article_id": "harbour-041",
    "headline": "Harbour reopens after the storm",
    "published": {"iso": "2025-03-14T19:12", "precision": "minute", "zone": None},
    "k": 10,
    "sort": "relevance",
    "group": "report",
    "filters": {
        "outlet": [],
        "byline": [],
        "section": [],
        "language": [],
        "from": None,
        "to": None,
    },
    "total": 1,
    "articles": [
        {
            "rank": 1,
            "score": 0.5312,
            "role": "follow-up",
            "article_id": "islander-77",
            "headline": "Divers look at the outer mole",
            "byline": "Tomas Berg",
            "outlet": "The Islander",
            "section": "Local",
            "language": "en",
            "published": {"iso": "2025-03-18", "precision": "day", "zone": None},
            "url": "https://islander.example/77",
            "reason": "Both name Ines Okoro and Northport; 4 days later.",
            "evidence": {
                "names": ["Ines Okoro", "Northport"],
                "days_later": 4,
                "passages": {
                    "cosine": 0.81,
                    "mine": {
                        "passage_id": "harbour-041-0b9f4c1d2e3a",
                        "start": 0,
                        "end": 41,
                        "text": "Divers must first look at the outer mole.",
                    },
                    "theirs": {
                        "passage_id": "islander-77-5d1c7a90be42",
                        "start": 0,
                        "end": 45,
                        "text": "Divers looked at the outer mole for two days.",
                    },
                },
            },
            "others": 2,
        }
    ],
    "next_cursor": None,
    "facets": None,
    "snapshot": "42.7.412",
    "omitted": 0,
    "took_ms": 41.7,
}


class SpanResponse(_Response):
    """A passage of one of the two articles."""

    passage_id: str
    start: int = Field(description="In the article's text.")
    end: int
    text: str

    @classmethod
    def of(cls, span: Span) -> Self:
        return cls(passage_id=span.passage_id, start=span.start, end=span.end, text=span.text)


class PassagePairResponse(_Response):
    """The two passages that agree most."""

    cosine: float | None = Field(
        description="Of their meaning; null: one waits for its embedding, and they are those that "
        "share the weightiest words."
    )
    mine: SpanResponse = Field(description="Of the article that was asked about.")
    theirs: SpanResponse

    @classmethod
    def of(cls, pair: PassagePair | None) -> Self | None:
        if pair is None:
            return None
        return cls(
            cosine=None if pair.cosine is None else round(pair.cosine, 4),
            mine=SpanResponse.of(pair.mine),
            theirs=SpanResponse.of(pair.theirs),
        )


class EvidenceResponse(_Response):
    """What two articles have to do with each other."""

    names: list[str] = Field(
        description="People, places and organisations that both name, rare ones first, at most 5."
    )
    days_later: int | None = Field(
        description="Than the article that was asked about; negative: earlier; null: a day is "
        "not known."
    )
    passages: PassagePairResponse | None = Field(description="null: they share no weighty word.")

    @classmethod
    def of(cls, evidence: Evidence) -> Self:
        return cls(
            names=list(evidence.names),
            days_later=evidence.days_later,
            passages=PassagePairResponse.of(evidence.passages),
        )


class RelatedArticleResponse(_Response):
    """An article of the coverage, and what it is to the one that was asked about."""

    rank: int
    score: float = Field(description="Compares within one answer only.")
    role: Literal["copy", "same event", "follow-up", "background", "correction"]
    article_id: str
    headline: str
    byline: str = Field(description="Empty: unknown; the same for the next three and the URL.")
    outlet: str
    section: str
    language: str
    published: PublishedResponse | None = Field(description="null: unknown.")
    url: str
    reason: str = Field(description="The evidence in one line.")
    evidence: EvidenceResponse
    others: int = Field(description="Other articles of its report: copies and versions of it.")

    @classmethod
    def of(cls, related: RelatedArticle) -> Self:
        article = related.article
        return cls(
            rank=related.rank,
            score=round(related.score, 4),
            role=related.role.value,
            article_id=article.id,
            headline=article.headline,
            byline=article.byline,
            outlet=article.outlet,
            section=article.section,
            language=article.language,
            published=PublishedResponse.of(article.published),
            url=article.url,
            reason=evidence_in_words(related.evidence),
            evidence=EvidenceResponse.of(related.evidence),
            others=related.others,
        )


class RelatedResponse(_Response):
    """A page of the articles related to one, best first."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE_RELATED})

    article_id: str = Field(description="Of the article that was asked about.")
    headline: str
    published: PublishedResponse | None
    k: int
    sort: Literal["relevance", "newest", "oldest"]
    group: Literal["report", "none"]
    filters: FiltersResponse
    total: int = Field(description="Articles of the coverage that this is a page of.")
    articles: list[RelatedArticleResponse]
    next_cursor: str | None = Field(
        description="Send it as `cursor`, with the rest as it was, for the page that follows; "
        "null: this is the last."
    )
    facets: FacetsResponse | None = Field(
        description="Of all the coverage, counting articles; null: not asked for."
    )
    snapshot: str
    omitted: int = Field(description="Articles left out because their stored row is damaged.")
    took_ms: float

    @classmethod
    def of(cls, page: RelatedPage) -> Self:
        request = page.request
        return cls(
            article_id=page.article.id,
            headline=page.article.headline,
            published=PublishedResponse.of(page.article.published),
            k=page.k,
            sort=request.sort.value,
            group=request.group.value,
            filters=FiltersResponse.of(request.filters),
            total=page.total,
            articles=[RelatedArticleResponse.of(article) for article in page.articles],
            next_cursor=page.next_cursor,
            facets=FacetsResponse.of(page.facets),
            snapshot=page.snapshot,
            omitted=page.omitted,
            took_ms=round(page.took_ms, 2),
        )
