"""How fast articles become findable by words, how that grows, and what memory it takes.

Usage: python scripts/bench/ingest.py DATA [--articles N]
DATA is anything `nutgraf add` reads; without --articles all of it is added. SQLite FTS5 (one
transaction, the text alone, no cleaning, no store) takes the same articles in the same run, for a
ratio. Each row of the table is an eighth of the articles, with what is learned of recurring lines
on the way; the exponent is fitted to the time after each, 1: twice the articles take twice the
time. Press as a whole takes some minutes on two cores.
"""

import argparse
import itertools
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from header import header
from measured import peak_mb

from index.article import SourceRecord
from index.reading import read
from index.writer import Writer
from search.commands.adding import Tally, add_to_store

_PARTS = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the adding is: articles that can be found, and what they took, from the beginning."""

    articles: int
    seconds: float
    own_cpu_s: float  # of the process that writes, without its children


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", type=int, help="only so many, the first")
    arguments = parser.parse_args()
    print(header())
    print(f"data       {arguments.data.name}")
    with tempfile.TemporaryDirectory() as folder:
        marks, passages, learning_s, telling_s, peak = ingest(
            arguments.data, arguments.articles, Path(folder) / "store"
        )
    show(marks)
    last = marks[-1]
    ours = last.articles / last.seconds
    print(
        f"\nnutgraf    {last.articles:,} articles, {passages:,} passages in {last.seconds:.0f} s: "
        f"{ours:.0f} articles/s, found by words"
    )
    print(f"exponent   {exponent(marks):.2f}")
    print(f"learning   {learning_s:.1f} s afterwards, for the lines that recur")
    print(f"stories    {telling_s:.1f} s after that")
    print(f"memory     {peak:.0f} MB at most, of all processes")
    articles, seconds = fts5(arguments.data, arguments.articles)
    theirs = articles / seconds
    print(f"fts5       {theirs:.0f} articles/s (SQLite {sqlite3.sqlite_version}, text alone)")
    print(f"ratio      {ours / theirs:.2f}")


def records(data: Path, count: int | None) -> Iterator[SourceRecord]:
    return itertools.islice((r for r in read([data]) if isinstance(r, SourceRecord)), count)


def ingest(
    data: Path, count: int | None, store: Path
) -> tuple[list[Mark], int, float, float, float]:
    """Add as `nutgraf add --no-wait` does.

    Returns:
        A mark for each batch, how many passages there are, seconds for the lines that recur and
        for the stories, and MB of memory.
    """
    marks: list[Mark] = []
    peak = 0.0
    began, own_began = time.perf_counter(), time.process_time()

    def on_batch(tally: Tally) -> None:
        nonlocal peak
        peak = max(peak, peak_mb(os.getpid()))
        marks.append(
            Mark(tally.total, time.perf_counter() - began, time.process_time() - own_began)
        )

    with Writer(store) as writer:
        add_to_store(writer, records(data, count), Tally(), on_batch, lambda _: None)
        learning_s = time.perf_counter() - began - marks[-1].seconds
        telling_began = time.perf_counter()
        while writer.tell_stories():
            peak = max(peak, peak_mb(os.getpid()))
        telling_s = time.perf_counter() - telling_began
        passages = writer.pending()
    return marks, passages, learning_s, telling_s, peak


def show(marks: list[Mark]) -> None:
    """A table with a row for each eighth of the articles."""
    print("\n| articles | articles/s | CPU of the writing process, ms an article |")
    print("|---:|---:|---:|")
    before = Mark(0, 0.0, 0.0)
    ends = {len(marks) * part // _PARTS for part in range(1, _PARTS + 1)} - {0}
    for mark in (marks[end - 1] for end in sorted(ends)):
        articles = mark.articles - before.articles
        rate = articles / (mark.seconds - before.seconds)
        cpu_ms = (mark.own_cpu_s - before.own_cpu_s) / articles * 1000
        print(f"| {mark.articles:,} | {rate:.0f} | {cpu_ms:.1f} |")
        before = mark


def exponent(marks: list[Mark]) -> float:
    """Of the power of the number of articles that the time grows with; NaN of one batch."""
    if len(marks) < 2:
        return float("nan")
    articles, seconds = zip(*((mark.articles, mark.seconds) for mark in marks), strict=True)
    return float(np.polyfit(np.log(articles), np.log(seconds), 1)[0])


def fts5(data: Path, count: int | None) -> tuple[int, float]:
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
