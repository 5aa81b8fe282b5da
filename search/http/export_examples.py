"""What an export looks like in each format, for the OpenAPI document: as it is really written."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from index.article import ArticleId, PassageId, Published
from search.cross_encoder import Effort
from search.exports.export import ExportFormat, exported
from search.exports.provenance import Provenance
from search.filters import NO_FILTERS
from search.grouping import Group
from search.interpretation import Interpretation
from search.query import Mode
from search.responses import EXAMPLE_EXPORT, EXAMPLE_PASSAGE_ID, EXAMPLE_TEXT
from search.result_set import Coverage, Export, Hit, Sort
from search.verdict import Kind, Verdict

_QUESTION: Final = "When does the ferry sail?"
_EXPORTED_AT: Final = datetime(2025, 3, 15, 8, 30, tzinfo=UTC)
_TEXT: Final = {"type": "string"}
_ITEMS: Final = {"type": "array", "items": {"type": "object"}}
_BYTES: Final = {"type": "string", "format": "binary"}


def content() -> dict[str, Any]:
    """By media type, as the `content` of a response."""
    text = {
        format.media_type: {"schema": _TEXT, "example": _example(format)}
        for format in (ExportFormat.RIS, ExportFormat.BIBTEX, ExportFormat.CSV)
    }
    return {
        ExportFormat.JSONL.media_type: {"schema": _TEXT, "example": EXAMPLE_EXPORT},
        **text,
        ExportFormat.CSL_JSON.media_type: {
            "schema": _ITEMS,
            "example": json.loads(_example(ExportFormat.CSL_JSON)),
        },
        ExportFormat.PARQUET.media_type: {"schema": _BYTES},
    }


def _example(format: ExportFormat) -> str:
    export = _export()
    provenance = Provenance.of(export, _EXPORTED_AT)
    return b"".join(exported(export, format, provenance, "https://archive.example/")).decode()


def _export() -> Export:
    return Export(
        query=_QUESTION,
        mode=Mode.PLAIN,
        interpretation=Interpretation(_QUESTION, None, False, (), (), None),
        verdict=Verdict(Kind.SUPPORTED, 0.94),
        sort=Sort.RELEVANCE,
        effort=Effort.QUICK,
        group=Group.REPORT,
        filters=NO_FILTERS,
        as_of=None,
        total=1,
        snapshot="42.7.412",
        coverage=Coverage(64, 412, 412),
        hits=iter([_HIT]),
    )


_HIT: Final = Hit(
    rank=1,
    score=0.742,
    passage_id=PassageId(EXAMPLE_PASSAGE_ID),
    article_id=ArticleId("harbour-041"),
    ordinal=1,
    text=EXAMPLE_TEXT,
    start=118,
    end=118 + len(EXAMPLE_TEXT),
    highlights=((5, 16),),
    best_sentence=(0, len(EXAMPLE_TEXT)),
    headline="Harbour reopens after the storm",
    byline="Tomas Lindqvist",
    outlet="Northport Courier",
    section="Local",
    language="en",
    published=Published("2025-03-14T19:12"),
    url="https://courier.example/2025/03/harbour-reopens",
    dense=0.655,
    lexical=9.31,
    probability=0.91,
    passages=2,
    copies=None,
    story="s9",
)
