"""How fast articles become findable by words, and what memory that takes.

Usage: python scripts/bench/ingest.py DATA [--articles N] [--peer]
DATA is anything `nutgraf add` reads. With --peer, SQLite FTS5 (one transaction, the text alone, no
cleaning, no store) takes the same articles in the same run, for a ratio.
"""

import argparse
import itertools
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from header import header

from index.article import SourceRecord
from index.reading import read
from index.writer import Writer

BATCH_ARTICLES = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--peer", action="store_true", help="measure SQLite FTS5 in the same run")
    arguments = parser.parse_args()
    print(header())
    print(f"data      {arguments.data.name}, first {arguments.articles} articles")
    with tempfile.TemporaryDirectory() as folder:
        articles, seconds = ingest(arguments.data, arguments.articles, Path(folder) / "store")
    ours = articles / seconds
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"nutgraf   {articles} articles in {seconds:.1f} s: {ours:.0f} articles/s, found by words"
    )
    print(f"memory    {peak_mib:.0f} MiB peak")
    if arguments.peer:
        articles, seconds = fts5(arguments.data, arguments.articles)
        theirs = articles / seconds
        print(f"fts5      {theirs:.0f} articles/s (SQLite {sqlite3.sqlite_version}, text alone)")
        print(f"ratio     {ours / theirs:.2f}")


def records(data: Path, count: int) -> Iterator[SourceRecord]:
    return itertools.islice((r for r in read([data]) if isinstance(r, SourceRecord)), count)


def ingest(data: Path, count: int, store: Path) -> tuple[int, float]:
    """Reading, cleaning, chunking and both commits, as `nutgraf add --no-wait` does them."""
    began, articles = time.perf_counter(), 0
    with Writer(store) as writer:
        source = records(data, count)
        while batch := list(itertools.islice(source, BATCH_ARTICLES)):
            writer.add(batch)
            articles += len(batch)
        seconds = time.perf_counter() - began
        writer.finish()
    print(f"learning  {time.perf_counter() - began - seconds:.1f} s for the lines that recur")
    return articles, seconds


def fts5(data: Path, count: int) -> tuple[int, float]:
    began, articles = time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "fts5.db")
        database.execute("CREATE VIRTUAL TABLE articles USING fts5 (headline, text)")
        for record in records(data, count):
            database.execute("INSERT INTO articles VALUES (?, ?)", (record.headline, record.body))
            articles += 1
        database.commit()
        database.close()
    return articles, time.perf_counter() - began


if __name__ == "__main__":
    main()
