"""Whether conditions find exactly what a scan of all texts finds, over real articles, and how fast.

Usage: python scripts/bench/exactness.py STORE|FILE [--questions N] [--articles N]
STORE is a folder that `nutgraf add` made; of a FILE with articles the first --articles are added to
a store that lasts as long as the run. The questions are made of words that the articles hold, as
many of each kind as of another; the scan is that of the tests.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np
from header import header

from index.article import SourceRecord
from index.reading import read
from index.snapshot import Snapshot, SnapshotReader
from index.store_folder import DATABASE
from index.writer import Writer
from search.conditions import matching
from search.query import parse

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from scan import found, mode_of, questions, scanned, written_by_chance


@dataclass
class Tally:
    """What came of the questions of one kind."""

    expected: int = 0  # passages, over all questions
    hits: int = 0
    right: int = 0
    times_ms: list[float] = field(default_factory=list)

    def line(self, kind: str) -> str:
        p50, p95 = np.percentile(self.times_ms, [50, 95])
        precision = self.right / self.hits if self.hits else 1.0
        recall = self.right / self.expected if self.expected else 1.0
        return (
            f"{kind:12}{len(self.times_ms):10}{self.expected:11}{precision:11.4f}{recall:9.4f}"
            f"{p50:9.2f}{p95:9.2f}{max(self.times_ms):9.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--articles", type=int, default=2_500)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        store = arguments.source
        if not (store / DATABASE).exists():
            store = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            add(arguments.source, store, arguments.articles)
        reader = SnapshotReader(store)
        stack.callback(reader.close)
        snapshot = reader.latest()
        tallies = measure(snapshot, arguments.questions)
    print(header())
    print(f"archive    {snapshot.articles} articles, {snapshot.passages} passages")
    print("kind       questions  to find  precision   recall   p50 ms   p95 ms   max ms")
    for kind, tally in tallies.items():
        print(tally.line(kind))


def add(source: Path, store: Path, articles: int) -> None:
    """Articles of a file, found by their words alone."""
    records = (record for record in read([source]) if isinstance(record, SourceRecord))
    with Writer(store) as writer:
        writer.add(list(islice(records, articles)))


def measure(snapshot: Snapshot, count: int) -> dict[str, Tally]:
    """A tally for each kind of question, and one for all."""
    columns, articles = snapshot.columns, scanned(snapshot)
    tallies: dict[str, Tally] = defaultdict(Tally)
    for number, (kind, asked) in enumerate(questions(articles, count, seed=1)):
        text = written_by_chance(asked, seed=number)
        began = time.perf_counter()
        condition = parse(text, mode=mode_of(asked), today=date.today()).condition
        assert condition is not None, text
        mask = matching(condition, snapshot).mask
        took_ms = (time.perf_counter() - began) * 1000
        positions = np.flatnonzero(mask)
        hits = set(
            zip(
                columns.article[positions].tolist(),
                columns.ordinal[positions].tolist(),
                strict=True,
            )
        )
        expected = found(asked, articles)
        for name in (kind, "all"):
            tally = tallies[name]
            tally.expected += len(expected)
            tally.hits += len(hits)
            tally.right += len(hits & expected)
            tally.times_ms.append(took_ms)
    everything = tallies.pop("all")
    return {**tallies, "all": everything}


if __name__ == "__main__":
    main()
