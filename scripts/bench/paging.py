"""Whether pages, facets and export are one result set while the archive changes, and what it takes.

Usage: python scripts/bench/paging.py STORE [--questions N] [--changed SHARE]
Works on a copy of STORE. Random questions, each with a random filter, order and page size, and with
copies folded or not, are paged to their end, several at a time in turns, while another process
removes, replaces and adds articles. Every set's pages must be its export, its facets must add up to
it, and no place may be missing or come twice. Exit 1 when one does not.
"""

import argparse
import multiprocessing
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from header import header

from index.article import ArticleId, Origin, SourceRecord
from index.columns import FILTER_FIELDS
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search.filters import NO_FILTERS, Filters
from search.grouping import Group
from search.result_set import Answer, Export, Hit, Sort
from search.searcher import Searcher

AT_ONCE = 8  # questions that are paged in turns
COMMITS = 100
RESTRICTED = 0.3  # share of the questions whose result set is all that has a word
_WORD = re.compile(r"[^\W\d_]{4,}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--changed", type=float, default=0.05, help="share of the articles")
    arguments = parser.parse_args()
    print(header())
    with tempfile.TemporaryDirectory() as folder:
        store = Path(shutil.copytree(arguments.store, Path(folder) / "store"))
        figures, changed = run(store, arguments.questions, arguments.changed)
    print(
        f"archive    {figures.articles} articles, {changed} changed in {COMMITS} commits meanwhile"
    )
    print(
        f"questions  {figures.questions}, {figures.hits} hits on {len(figures.next_ms)} next pages"
    )
    print(f"snapshots  {len(figures.snapshots)}")
    for name, taken in (
        ("first page", figures.first_ms),
        ("next page", figures.next_ms),
        ("export", figures.export_ms),
    ):
        p50, p95 = np.percentile(taken or [0.0], [50, 95])
        print(f"{name:10} p50 {p50:6.2f} ms   p95 {p95:6.2f} ms")
    for failure in figures.failures[:20]:
        print(f"failure    {failure}")
    print(f"failures   {len(figures.failures)}")
    return 1 if figures.failures else 0


@dataclass
class Figures:
    """What was seen."""

    articles: int
    questions: int = 0
    hits: int = 0
    first_ms: list[float] = field(default_factory=list)
    next_ms: list[float] = field(default_factory=list)
    export_ms: list[float] = field(default_factory=list)
    snapshots: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


@dataclass
class Reading:
    """One question that is paged to its end."""

    first: Answer
    last: Answer
    export: Export
    hits: list[Hit]


def run(store: Path, questions: int, share: float) -> tuple[Figures, int]:
    chosen = random.Random(1)
    with closing(SnapshotReader(store)) as reader:
        snapshot = reader.latest()
        asked = [ask(snapshot, chosen) for _ in range(questions)]
        articles = snapshot.articles
        names = [snapshot.columns.article_id[at] for at in np.unique(snapshot.columns.article)]
    changes = max(round(articles * share), 1)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    changing = multiprocessing.get_context("spawn").Process(
        target=change, args=(store, chosen.sample(names, changes), theirs)
    )
    changing.start()
    ours.recv()  # the store is open for writing
    figures = Figures(articles)
    with closing(Searcher(store)) as searcher:
        searcher.search("a question that loads the model")
        readings: list[Reading] = []
        commits = 0
        while asked or readings:
            while asked and len(readings) < AT_ONCE:
                readings.append(begin(searcher, asked.pop(), figures))
            reading = chosen.choice(readings)
            if go_on(searcher, reading, figures):
                readings.remove(reading)
                check(reading, figures)
            while commits < COMMITS * figures.questions / questions:
                ours.send(True)
                commits += 1
    ours.send(False)
    changed = ours.recv()
    changing.join()
    return figures, changed


@dataclass(frozen=True)
class Asked:
    """A question and how it is asked."""

    question: str
    filters: Filters
    sort: Sort
    group: Group
    k: int


def ask(snapshot: Snapshot, chosen: random.Random) -> Asked:
    """A question of words that stand in a passage, with a filter that lets the passage through."""
    row = None
    while row is None:
        row = next(
            iter(snapshot.passage_rows([chosen.randrange(snapshot.passages)]).values()), None
        )
    words = _WORD.findall(row.text) or ["nothing"]
    at = chosen.randrange(len(words))
    question = " ".join(words[at : at + chosen.randint(1, 5)])
    if chosen.random() < RESTRICTED:
        question = f"{max(words, key=len)}* {question}"
    filters = NO_FILTERS
    name = chosen.choice([*FILTER_FIELDS, "from", "to", "", ""])
    if name in FILTER_FIELDS and re.search(r"\w", getattr(row.article, name)):
        filters = Filters.parse(**{name: [getattr(row.article, name)]})
    elif name in ("from", "to") and row.article.published:
        filters = Filters.parse(**{f"published_{name}": row.article.published.on.isoformat()})
    sort, group = chosen.choice(list(Sort)), chosen.choice(list(Group))
    return Asked(question, filters, sort, group, chosen.randint(1, 100))


def begin(searcher: Searcher, asked: Asked, figures: Figures) -> Reading:
    """The first page, and an export that is taken from the same snapshot."""
    question, filters, sort, group = asked.question, asked.filters, asked.sort, asked.group
    while True:
        began = time.perf_counter()
        answer = searcher.search(
            question, k=asked.k, filters=filters, sort=sort, group=group, facets=True
        )
        figures.first_ms.append((time.perf_counter() - began) * 1000)
        export = searcher.export(question, filters=filters, sort=sort, group=group)
        if export.snapshot == answer.snapshot:
            figures.snapshots.add(answer.snapshot)
            return Reading(answer, answer, export, list(answer.hits))


def go_on(searcher: Searcher, reading: Reading, figures: Figures) -> bool:
    """Take the next page; whether there was none."""
    last = reading.last
    if last.next_cursor is None:
        return True
    began = time.perf_counter()
    reading.last = searcher.search(
        last.query,
        k=last.k,
        filters=last.filters,
        sort=last.sort,
        group=last.group,
        cursor=last.next_cursor,
    )
    figures.next_ms.append((time.perf_counter() - began) * 1000)
    reading.hits += reading.last.hits
    return False


def check(reading: Reading, figures: Figures) -> None:
    began = time.perf_counter()
    exported = [hit for hit in reading.export.hits if isinstance(hit, Hit)]
    figures.export_ms.append((time.perf_counter() - began) * 1000)
    figures.questions += 1
    figures.hits += len(reading.hits)
    for failure in _failures(reading, exported):
        first = reading.first
        figures.failures.append(
            f"{failure}: {first.query!r}, {first.filters}, {first.sort}, {first.group}"
        )


def _failures(reading: Reading, exported: list[Hit]) -> Iterator[str]:
    total = reading.first.total
    if reading.hits != exported:
        yield "the pages are not the export"
    if [hit.rank for hit in reading.hits] != list(range(1, total + 1)):
        yield "a place is missing or comes twice"
    if not len({hit.passage_id for hit in reading.hits}) == total == reading.export.total:
        yield "the total is another"
    folded = sum(hit.passages for hit in reading.hits)
    if folded < total or (reading.first.group is Group.NONE and folded != total):
        yield f"{folded} passages are folded into {total} hits"
    for facet in reading.first.facets:
        counted = sum(value.count for value in facet.values) + facet.other + facet.unknown
        if counted != total:
            yield f"the facet {facet.field} counts {counted} of {total}"


def change(store: Path, names: list[str], told: Connection) -> None:
    """Remove, replace or add an article for each of `names`, some each time it is told to."""
    chosen = random.Random(2)
    changed = 0
    with Writer(store) as writer, closing(SnapshotReader(store)) as reader:
        told.send(True)
        parts = iter([names[at::COMMITS] for at in range(COMMITS)])
        while told.recv():
            removed, records = [], []
            for name in next(parts):
                kind = chosen.choice(("remove", "replace", "add"))
                article = reader.latest().article(name)
                if article is None or kind == "remove":
                    removed.append(ArticleId(name))
                    continue
                records.append(
                    SourceRecord(
                        Origin("paging", 1),
                        b"",
                        f"{article.text}\n\nChanged for the {changed + len(records)}th time.",
                        headline=article.headline,
                        outlet=article.outlet,
                        byline=article.byline,
                        section=article.section,
                        language=article.language,
                        published=article.published,
                        own_id=name if kind == "replace" else f"{name[:90]}-again",
                    )
                )
            writer.remove(removed)
            writer.add(records)
            changed += len(removed) + len(records)
    told.send(changed)


if __name__ == "__main__":
    sys.exit(main())
