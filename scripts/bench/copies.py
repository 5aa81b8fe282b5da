"""What grouping copies costs, whether that grows with the archive, and how right the groups are.

Usage: python scripts/bench/copies.py FILE [--small N] [--new N] [--embedded N]
All articles of FILE but the last --new are added to a store that lasts as long as the run; then
those are added, on top of all. Grouping is timed over --new articles twice: those that make the
archive --small articles large, and the last. Of the last ones --embedded are embedded, too: what
grouping costs stands beside that. The judged pairs of the tests are told from the groups as far as
FILE holds their articles; only the half that no threshold was tuned on.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Self
from unittest.mock import patch

import numpy as np
from header import header

from index import reports
from index.article import SourceRecord, embedding_text
from index.copies import fingerprints
from index.model import load_encoder
from index.preparing import prepare
from index.reading import read
from index.snapshot import SnapshotReader
from index.writer import Writer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from b_cubed import b_cubed
from press_copies import articles_of, judged_pairs, right_reports

BATCH_ARTICLES = 250


@dataclass
class Cost:
    """Time that passed, and that of it in which this process worked."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __enter__(self) -> Self:
        self.wall_s -= time.perf_counter()
        self.cpu_s -= time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s += time.perf_counter()
        self.cpu_s += time.process_time()

    def line(self, articles: int) -> str:
        return f"{1000 * self.wall_s / articles:8.2f} {1000 * self.cpu_s / articles:8.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--small", type=int, default=5_000)
    parser.add_argument("--new", type=int, default=1_000)
    parser.add_argument("--embedded", type=int, default=20)
    arguments = parser.parse_args()
    small, new = arguments.small, arguments.new
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        count = sum(1 for _ in records(arguments.file))
        last = list(itertools.islice(records(arguments.file), count - new, None))
        source = records(arguments.file)
        with Writer(store) as writer:
            add(writer, itertools.islice(source, small - new))
            at_small, _ = add(writer, itertools.islice(source, new))
            add(writer, itertools.islice(source, count - new - small))
            at_large, adding = add(writer, iter(last))
        found = labels(store)
    signature = signatures(last)
    embedding = embedded(last[: arguments.embedded])
    print(header())
    print(f"data       {arguments.file.name}, {count} articles; {new} timed, the last of each size")
    print("ms an article, of which processor")
    print(f"signature            {signature.line(new)}")
    print(f"grouping at {small:7,}  {at_small.line(new)}")
    print(f"grouping at {count:7,}  {at_large.line(new)}")
    print(f"all of add           {adding.line(new)}")
    print(f"embedding            {embedding.line(arguments.embedded)}")
    print(
        f"growth     {at_large.cpu_s / at_small.cpu_s:.2f} times the processor's work "
        f"in {count / small:.1f} times the archive"
    )
    print(
        f"{new} new  {at_large.wall_s:.1f} s of grouping, "
        f"{embedding.wall_s * new / arguments.embedded:.0f} s of embedding"
    )
    tell_groups(found)


def records(file: Path) -> Iterator[SourceRecord]:
    return (record for record in read([file]) if isinstance(record, SourceRecord))


def add(writer: Writer, source: Iterator[SourceRecord]) -> tuple[Cost, Cost]:
    """What grouping them took, and adding them in all."""
    grouping, adding = Cost(), Cost()
    regroup = reports.regroup

    def timed(truth: Connection, seq: int) -> None:
        with grouping:
            regroup(truth, seq)

    with patch.object(reports, "regroup", timed):
        while batch := list(itertools.islice(source, BATCH_ARTICLES)):
            with adding:
                writer.add(batch)
    return grouping, adding


def labels(store: Path) -> dict[str, int]:
    reader = SnapshotReader(store)
    columns = reader.latest().columns
    reader.close()
    return dict(zip(columns.article_id, columns.report.tolist(), strict=True))


def signatures(articles: Sequence[SourceRecord]) -> Cost:
    cost = Cost()
    with cost:
        for record in articles:
            fingerprints(record.body)
    return cost


def embedded(articles: Sequence[SourceRecord]) -> Cost:
    """All passages of some articles, as the backlog embeds them."""
    encoder = load_encoder(threads=len(os.sched_getaffinity(0)))
    texts = [
        embedding_text(prepared.article.headline, passage.text)
        for prepared in map(prepare, articles)
        for passage in prepared.passages
    ]
    encoder.embed(texts[:16])
    cost = Cost()
    with cost:
        encoder.embed(texts)
    return cost


def tell_groups(found: dict[str, int]) -> None:
    sizes = np.array(list(Counter(found.values()).values()))
    print(
        f"reports    {len(sizes)}, {(sizes > 1).sum()} of them of several articles "
        f"({sizes[sizes > 1].sum()} articles), the largest of {sizes.max()}"
    )
    pairs = [pair for pair in judged_pairs() if pair.a in found and pair.b in found]
    right = right_reports(pairs)
    held_out = [pair for pair in pairs if pair.is_held_out]
    if not held_out:
        return
    articles = articles_of(held_out)
    agreement = b_cubed({a: found[a] for a in articles}, {a: right[a] for a in articles})
    joined = Counter((pair.label, found[pair.a] == found[pair.b]) for pair in held_out)
    print(f"judged     {len(held_out)} pairs held out, {len(articles)} articles")
    print(
        f"B-cubed    precision {agreement.precision:.4f}, recall {agreement.recall:.4f}, "
        f"F1 {agreement.f1:.4f}"
    )
    for label in ("copy", "update", "different"):
        together, apart = joined[label, True], joined[label, False]
        print(f"{label:10} {together} of {together + apart} pairs in one report")


if __name__ == "__main__":
    main()
