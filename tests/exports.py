"""Exports to write in one format or another, of hits whose texts are as awkward as texts get."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from index.article import ArticleId, PassageId, Published
from search.coverage.lineage import Copies
from search.cross_encoder import Effort
from search.exports.provenance import Provenance
from search.filters import NO_FILTERS, Filters
from search.grouping import Group
from search.interpretation import Interpretation
from search.query import Mode
from search.result_set import Coverage, Damaged, Export, Hit, Sort
from search.verdict import Kind, Verdict

BASE_URL = "http://archive.example/"
EXPORTED_AT = datetime(2025, 3, 15, 8, 30, 0, 123456, tzinfo=UTC)

# What has a meaning in one of the formats, and characters of all kinds.
_AWKWARD = "=+-@'\"\\{},;%$&#_~^\r\n\t \u00a0\u2028\x00\x1a\ufeff“–é🚢हि"
texts = st.one_of(
    st.text(st.one_of(st.sampled_from(_AWKWARD), st.characters(codec="utf-8")), max_size=40),
    st.sampled_from(["ER  - \r\nTY  - NEWS", "@article{x, title={", "}{", "\n\n", "=1+1", "'=1"]),
)


def hit(rank: int, text: str = "The ferry sails at dawn.", **given: object) -> Hit:
    """A hit of this rank; `given`: fields that matter."""
    fields: dict[str, object] = {
        "rank": rank,
        "score": 0.742 / rank,
        "passage_id": PassageId(f"harbour-{rank}-0f6b2c9d1e5a"),
        "article_id": ArticleId(f"harbour-{rank}"),
        "ordinal": 1,
        "text": text,
        "start": 118,
        "end": 118 + len(text),
        "highlights": (),
        "best_sentence": (0, len(text)),
        "headline": "Harbour reopens after the storm",
        "byline": "Tomas Lindqvist",
        "outlet": "Northport Courier",
        "section": "Local",
        "language": "en",
        "published": Published("2025-03-14T19:12"),
        "url": "https://courier.example/2025/03/harbour-reopens",
        "dense": 0.655,
        "lexical": None,
        "probability": 0.91,
        "passages": 2,
        "copies": None,
        "story": None,
        **given,
    }
    return Hit(**fields)  # type: ignore[arg-type]


def export_of(
    hits: Iterable[Hit | Damaged],
    total: int,
    *,
    query: str = "ferry",
    filters: Filters = NO_FILTERS,
    as_of: date | None = None,
) -> Export:
    """An export of hits that are taken one at a time."""
    return Export(
        query=query,
        mode=Mode.PLAIN,
        interpretation=Interpretation(query, None, False, (), (), None),
        verdict=Verdict(Kind.SUPPORTED, 0.94),
        sort=Sort.RELEVANCE,
        effort=Effort.QUICK,
        group=Group.REPORT,
        filters=filters,
        as_of=as_of,
        total=total,
        snapshot="42.7.412",
        coverage=Coverage(64, 412, 412),
        hits=iter(hits),
    )


def provenance_of(export: Export) -> Provenance:
    return Provenance.of(export, EXPORTED_AT)


def copies(count: int) -> Copies:
    return Copies(count, ("Sound Radio",), None, None, "harbour-1", "published first")


@st.composite
def hits(draw: st.DrawFn) -> list[Hit | Damaged]:
    """Up to four hits of one result set, each with whatever text, or damaged."""
    return [
        Damaged(rank)
        if draw(st.integers(0, 5)) == 0
        else hit(
            rank,
            draw(texts),
            headline=draw(texts),
            byline=draw(texts),
            outlet=draw(texts),
            section=draw(texts),
            published=draw(
                st.sampled_from([None, "1963", "2025-03", "2025-03-14T19:12Z"]).map(
                    lambda iso: iso and Published(iso)
                )
            ),
        )
        for rank in range(1, draw(st.integers(0, 4)) + 1)
    ]
