"""A collection in the formats of those who cite: a record for each mark, in their order.

The marks' notes go along. So does what has become of an article that was edited, or is not here:
the reference stays what it was on the day it was marked.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from index.article import Published
from search.desk.collection import StandingMark, WholeCollection, citation_of
from search.desk.collection_file import CollectionFile
from search.exports.csv_cells import safe
from search.references import bibtex, csl_json, reference_styles, ris
from search.references.citation import Citation
from search.references.cite import Status
from search.references.reference_styles import Style
from search.wording import date_in_words


class CollectionFormat(StrEnum):
    """How a collection may be written."""

    JSON = "json"  # all of it: what can be taken in again
    RIS = "ris"
    BIBTEX = "bibtex"
    CSL_JSON = "csl-json"
    CSV = "csv"
    APA = "apa"
    ISO690 = "iso690"
    CHICAGO = "chicago"
    MLA = "mla"


MEDIA_TYPES: Final = {
    CollectionFormat.JSON: "application/json",
    CollectionFormat.RIS: "application/x-research-info-systems",
    CollectionFormat.BIBTEX: "application/x-bibtex",
    CollectionFormat.CSL_JSON: "application/vnd.citationstyles.csl+json",
    CollectionFormat.CSV: "text/csv",
    **dict.fromkeys(map(CollectionFormat, Style), "text/plain"),
}
SUFFIXES: Final = {
    CollectionFormat.JSON: "json",
    CollectionFormat.RIS: "ris",
    CollectionFormat.BIBTEX: "bib",
    CollectionFormat.CSL_JSON: "csl.json",
    CollectionFormat.CSV: "csv",
    **dict.fromkeys(map(CollectionFormat, Style), "txt"),
}


@dataclass(frozen=True, slots=True)
class _Record:
    """A mark as all formats need it."""

    standing: StandingMark
    citation: Citation
    notes: tuple[str, ...]


def exported(whole: WholeCollection, format: CollectionFormat, base_url: str = "") -> str:
    """The collection in `format`. `base_url`: of the server, with its last slash; empty: none."""
    if format is CollectionFormat.JSON:
        return f"{CollectionFile.of(whole).model_dump_json(indent=2)}\n"
    records = [_record(standing, base_url) for standing in whole.marks]
    return _WRITERS[format](records)


def _record(standing: StandingMark, base_url: str) -> _Record:
    notes = (standing.mark.note, _what_became_of(standing))
    return _Record(standing, citation_of(standing, base_url), tuple(note for note in notes if note))


def _what_became_of(standing: StandingMark) -> str:
    """For people; empty: the archive still says it."""
    day = date_in_words(Published(standing.mark.marked_at.date().isoformat()))
    return {
        Status.UNCHANGED: "",
        Status.EDITED: f"Edited since it was marked on {day}.",
        Status.WITHDRAWN: f"The archive does not have the article; cited as it was on {day}.",
    }[standing.standing.status]


def _ris(records: Sequence[_Record]) -> str:
    return "".join(ris.record(record.citation, record.notes) for record in records)


def _bibtex(records: Sequence[_Record]) -> str:
    keys = _told_apart([bibtex.key_of(record.citation) for record in records])
    entries = zip(records, keys, strict=True)
    return "\n".join(bibtex.entry(record.citation, key, record.notes) for record, key in entries)


def _csl_json(records: Sequence[_Record]) -> str:
    items = [csl_json.item(record.citation, record.notes) for record in records]
    # Programs that cite know an item by its id: several stretches of a passage need one each.
    ids = _told_apart([str(item["id"]) for item in items])
    told_apart = [{**item, "id": id} for item, id in zip(items, ids, strict=True)]
    return f"{json.dumps(told_apart, ensure_ascii=False, indent=2)}\n"


def _csv(records: Sequence[_Record]) -> str:
    out = io.StringIO()
    out.write("\ufeff")  # without it Excel takes UTF-8 for an older encoding
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(_COLUMNS)
    for record in records:
        cells = [column(record) for column in _COLUMNS.values()]
        rows.writerow([safe(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()


def _styled(style: Style) -> Callable[[Sequence[_Record]], str]:
    """Writes each article's reference once, and under it what is quoted of it, with the notes."""

    def write(records: Sequence[_Record]) -> str:
        by_article: dict[Citation, list[_Record]] = {}
        for record in records:
            by_article.setdefault(_of_article(record.citation), []).append(record)
        return "\n".join(
            f"{reference_styles.formatted(quoted[0].citation, style)}\n"
            f"{''.join(map(_quoted, quoted))}"
            for quoted in by_article.values()
        )

    return write


def _of_article(citation: Citation) -> Citation:
    """The same for all that is cited of an article, whenever it was."""
    return replace(
        citation, passage_id=None, quote="", start=0, end=0, accessed=date.min, archive_url=""
    )


def _quoted(record: _Record) -> str:
    """The quote as a block, without marks of ours around those it may have."""
    lines = [record.citation.quote, *(f"Note: {note}" for note in record.notes)]
    return "".join(f"    {' '.join(line.split())}\n" for line in lines if line)


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names in order; one that came before has a number behind it: `a`, `b`, `a-2`."""
    taken, seen, apart = set(names), set(), list[str]()
    for name in names:
        own, number = name, 2
        while name in seen and own in taken:
            own, number = f"{name}-{number}", number + 1
        seen.add(name)
        taken.add(own)
        apart.append(own)
    return apart


def _iso(published: Published | None) -> str | None:
    return published.iso if published else None


_Cell = str | int | None
_COLUMNS: Final[dict[str, Callable[[_Record], _Cell]]] = {
    "number": lambda record: record.standing.mark.number,
    "marked_at": lambda record: f"{record.standing.mark.marked_at:%Y-%m-%dT%H:%M:%SZ}",
    "status": lambda record: record.standing.standing.status.value,
    "note": lambda record: record.standing.mark.note,
    "passage_id": lambda record: record.citation.passage_id,
    "article_id": lambda record: record.citation.article_id,
    "headline": lambda record: record.citation.headline,
    "outlet": lambda record: record.citation.outlet,
    "byline": lambda record: record.citation.byline,
    "section": lambda record: record.citation.section,
    "language": lambda record: record.citation.language,
    "published": lambda record: _iso(record.citation.published),
    "url": lambda record: record.citation.url,
    "archive_url": lambda record: record.citation.archive_url,
    "quote": lambda record: record.citation.quote,
    "start": lambda record: record.citation.start,
    "end": lambda record: record.citation.end,
}
_WRITERS: Final[dict[CollectionFormat, Callable[[Sequence[_Record]], str]]] = {
    CollectionFormat.RIS: _ris,
    CollectionFormat.BIBTEX: _bibtex,
    CollectionFormat.CSL_JSON: _csl_json,
    CollectionFormat.CSV: _csv,
    **{CollectionFormat(style): _styled(style) for style in Style},
}
