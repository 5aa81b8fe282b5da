"""Whether exports are the result set in every format, read back by programs that are not ours.

Usage: python scripts/bench/exports.py STORE [--questions N]
Random questions, each with a random filter, order and page size, and with copies folded or not, are
paged to their end and exported in every format; those of over 1,000 hits in one, by turns, since a
hit takes a millisecond to read from the store and more to read back. Each export is read back with
the csv module, rispy, pybtex, the json module or pyarrow: its records must be the pages' hits, in
their order, with their quotes and spans, as many as the total says. Exit 1 when one is not.
"""

import argparse
import csv
import io
import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet
import rispy
from header import header
from paging import Asked, ask
from pybtex.database import parse_string

from index.snapshot import SnapshotReader
from search.exports.csv_cells import original
from search.exports.export import ExportFormat, exported
from search.exports.provenance import Provenance
from search.result_set import Export, Hit
from search.searcher import Searcher

LARGE = 1000  # hits
_BASE_URL = "http://archive.example/"
_SPAN = re.compile(r"#char=(\d+),(\d+), passage (\S+)")
_BIBTEX = {
    r"\textbackslash{}": "\\",
    r"\textbraceleft{}": "{",
    r"\textbraceright{}": "}",
    r"\~{}": "~",
    r"\^{}": "^",
    **{f"\\{sign}": sign for sign in "#$%&_{}"},
    "{}": "",  # between two signs that TeX would set as one
}
_ESCAPE = re.compile("|".join(map(re.escape, _BIBTEX)))


class Record(NamedTuple):
    """What every format has of a hit."""

    passage_id: str
    quote: str
    start: int
    end: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--questions", type=int, default=1000)
    arguments = parser.parse_args()
    print(header())
    figures = run(arguments.store, arguments.questions)
    print(f"archive    {figures.passages} passages")
    print(
        f"questions  {figures.questions}, {figures.hits} hits; "
        f"{figures.empty} without any, {figures.large} with over {LARGE}"
    )
    for format, written in figures.written.items():
        p50, p95 = np.percentile([each.ms for each in written] or [0.0], [50, 95])
        hits = sum(each.hits for each in written)
        size = sum(each.size for each in written) / max(hits, 1)
        print(
            f"{format:10} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms   {hits} hits of {size:.0f} bytes"
        )
    for failure in figures.failures[:20]:
        print(f"failure    {failure}")
    print(f"failures   {len(figures.failures)}")
    return 1 if figures.failures else 0


class Written(NamedTuple):
    """An export."""

    ms: float
    hits: int
    size: int  # bytes


@dataclass
class Figures:
    """What was seen."""

    passages: int
    questions: int = 0
    hits: int = 0
    empty: int = 0
    large: int = 0
    written: dict[ExportFormat, list[Written]] = field(
        default_factory=lambda: {format: [] for format in ExportFormat}
    )
    failures: list[str] = field(default_factory=list)


def run(store: Path, questions: int) -> Figures:
    chosen = random.Random(1)
    with closing(SnapshotReader(store)) as reader:
        snapshot = reader.latest()
        asked = [ask(snapshot, chosen) for _ in range(questions)]
        figures = Figures(snapshot.passages)
    with closing(Searcher(store)) as searcher:
        searcher.search("a question that loads the model")
        for each in asked:
            check(searcher, each, figures)
    return figures


def check(searcher: Searcher, asked: Asked, figures: Figures) -> None:
    """Compare a question's pages with its exports."""
    total, hits = pages(searcher, asked)
    expected = [Record(hit.passage_id, hit.text, hit.start, hit.end) for hit in hits]
    figures.questions += 1
    figures.hits += total
    figures.empty += total == 0
    figures.large += total > LARGE
    formats = list(ExportFormat)
    if total > LARGE:
        formats = [formats[figures.questions % len(formats)]]
    for format in formats:
        export = searcher.export(
            asked.question, filters=asked.filters, sort=asked.sort, group=asked.group
        )
        document = write(export, format, figures)
        found = list(READERS[format](document))
        if not len(found) == total == export.total:
            failure = f"{len(found)} records of {total}"
        elif found != [as_written(record, format) for record in expected]:
            failure = "the records are not the pages' hits"
        else:
            continue
        figures.failures.append(f"{format}, {failure}: {asked}")


def pages(searcher: Searcher, asked: Asked) -> tuple[int, list[Hit]]:
    """The total, and the hits of all pages together."""
    hits: list[Hit] = []
    cursor = None
    while True:
        answer = searcher.search(
            asked.question,
            k=asked.k,
            filters=asked.filters,
            sort=asked.sort,
            group=asked.group,
            cursor=cursor,
        )
        hits += answer.hits
        cursor = answer.next_cursor
        if cursor is None:
            return answer.total, hits


def write(export: Export, format: ExportFormat, figures: Figures) -> bytes:
    began = time.perf_counter()
    provenance = Provenance.of(export, datetime.now(UTC))
    document = b"".join(exported(export, format, provenance, _BASE_URL))
    taken_ms = (time.perf_counter() - began) * 1000
    figures.written[format].append(Written(taken_ms, export.total, len(document)))
    return document


def as_written(record: Record, format: ExportFormat) -> Record:
    """RIS and BibTeX set two paragraphs apart by a sign, since a value of theirs is one line."""
    if format in (ExportFormat.RIS, ExportFormat.BIBTEX):
        return record._replace(quote=re.sub(r"\s*\n\s*", " ¶ ", record.quote))
    return record


def read_jsonl(document: bytes) -> Iterator[Record]:
    for line in document.splitlines()[1:]:
        hit = json.loads(line)
        yield Record(hit["passage_id"], hit["text"], hit["start"], hit["end"])


def read_csv(document: bytes) -> Iterator[Record]:
    for row in csv.DictReader(io.StringIO(document.decode("utf-8-sig"), newline="")):
        span = int(row["start"]), int(row["end"])
        yield Record(row["passage_id"], original(row["quote"]), *span)


def read_parquet(document: bytes) -> Iterator[Record]:
    for row in pyarrow.parquet.read_table(io.BytesIO(document)).to_pylist():
        yield Record(row["passage_id"], row["quote"], row["start"], row["end"])


def read_csl_json(document: bytes) -> Iterator[Record]:
    for item in json.loads(document):
        custom = item["custom"]
        yield Record(item["id"], custom["quote"], custom["start"], custom["end"])


def read_ris(document: bytes) -> Iterator[Record]:
    for record in rispy.loads(document.decode()):
        yield _placed(" ".join(record["notes"]), record["abstract"])


def read_bibtex(document: bytes) -> Iterator[Record]:
    for entry in parse_string(document.decode(), "bibtex").entries.values():
        annote, abstract = (_unescaped(entry.fields[name]) for name in ("annote", "abstract"))
        yield _placed(annote, abstract)


def _placed(locator: str, quote: str) -> Record:
    place = _SPAN.search(locator)
    assert place, locator
    return Record(place[3], quote, int(place[1]), int(place[2]))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda escape: _BIBTEX[escape[0]], text)


READERS: dict[ExportFormat, Callable[[bytes], Iterator[Record]]] = {
    ExportFormat.JSONL: read_jsonl,
    ExportFormat.RIS: read_ris,
    ExportFormat.BIBTEX: read_bibtex,
    ExportFormat.CSL_JSON: read_csl_json,
    ExportFormat.CSV: read_csv,
    ExportFormat.PARQUET: read_parquet,
}


if __name__ == "__main__":
    sys.exit(main())
