"""How right stories are, beside a plain baseline, and what telling them costs.

Usage: python scripts/bench/stories.py CORPUS.jsonl [--orders N] [--archive FILE]
The lines of CORPUS say in `metadata` which `cluster` (event) and `topic` an article belongs to. Its
articles are added to a new store in random orders, one by one, fifty at a time and all at once. The
baseline is TF-IDF over the whole corpus in a single pass: an article joins the story that it is
nearest to on average, if that is near enough, else it begins one; its threshold is the best for the
topics of the tuning half. Those of `index/stories.py` were chosen with both halves in sight: the
other half is no unseen one for them. With --archive, all articles of FILE are added to
another store, and the time that stories took is given at 5,000 articles and at the end.
"""

import argparse
import itertools
import json
import math
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from header import header
from numpy.typing import NDArray

from index import stories
from index.article import SourceRecord
from index.reading import read
from index.snapshot import SnapshotReader
from index.term_vectors import words_of
from index.writer import Writer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from b_cubed import b_cubed

HALVES = ("tuning half", "other half", "all")
BATCHES = {"one by one": 1, "fifty at a time": 50, "all at once": 1_000_000}
BASELINE_THRESHOLDS = [round(0.02 * step, 2) for step in range(2, 26)]
SMALL, NEW = 5_000, 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--archive", type=Path)
    arguments = parser.parse_args()
    records = [record for record in read([arguments.corpus]) if isinstance(record, SourceRecord)]
    events, halves = labels(arguments.corpus)
    orders = [random.Random(seed).sample(records, len(records)) for seed in range(arguments.orders)]
    print(header())
    print(
        f"data       {arguments.corpus.parent.name}, {len(records)} articles, "
        f"{len(set(events.values()))} events, {len(orders)} random orders; B-cubed P / R / F1"
    )
    print(f"{'':27}{''.join(f'{half:>23}' for half in HALVES)}")
    for name, batch in BATCHES.items():
        found = [told(order, batch) for order in orders]
        print(f"{'stories, ' + name:27}{table(found, events, halves)}")
    alike = tf_idf(records)
    ids = [record.own_id for record in records]
    passes = {
        least: [single_pass(alike, ids, order, least) for order in orders]
        for least in BASELINE_THRESHOLDS
    }
    best = max(
        passes, key=lambda least: np.mean([f1(p, events, halves, HALVES[0]) for p in passes[least]])
    )
    name = f"TF-IDF single pass, {best:.2f}"
    print(f"{name:27}{table(passes[best], events, halves)}")
    if arguments.archive:
        cost(arguments.archive)


def labels(corpus: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The event of each article, and which half its topic is in."""
    with corpus.open() as lines:
        rows = [json.loads(line) for line in lines]
    return (
        {row["_id"]: row["metadata"]["cluster"] for row in rows},
        {row["_id"]: HALVES[zlib.crc32(row["metadata"]["topic"].encode()) % 2] for row in rows},
    )


def told(order: Sequence[SourceRecord], batch: int) -> dict[str, int]:
    """The story of each article once all were added in this order."""
    with tempfile.TemporaryDirectory() as folder:
        with Writer(Path(folder)) as writer:
            for at in range(0, len(order), batch):
                writer.add(order[at : at + batch])
        columns = SnapshotReader(Path(folder)).latest().columns
    return dict(zip(columns.article_id, columns.story.tolist(), strict=True))


def tf_idf(records: Sequence[SourceRecord]) -> NDArray[np.float32]:
    """Cosines of (1 + ln tf) ln(N / df) over the words of headline and text, each with each."""
    counts = [Counter(map(str.lower, words_of(f"{r.headline}\n{r.body}"))) for r in records]
    holders = Counter(word for count in counts for word in count)
    column = {word: at for at, word in enumerate(holders)}
    matrix = np.zeros((len(records), len(column)), dtype=np.float32)
    for row, count in zip(matrix, counts, strict=True):
        for word, times in count.items():
            row[column[word]] = (1 + math.log(times)) * math.log(len(records) / holders[word])
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix @ matrix.T


def single_pass(
    alike: NDArray[np.float32], ids: Sequence[str], order: Sequence[SourceRecord], least: float
) -> dict[str, int]:
    row = {own_id: at for at, own_id in enumerate(ids)}
    groups: list[list[int]] = []
    for record in order:
        at = row[record.own_id]
        means = [float(alike[at, group].mean()) for group in groups]
        if means and max(means) >= least:
            groups[int(np.argmax(means))].append(at)
        else:
            groups.append([at])
    return {ids[at]: number for number, group in enumerate(groups) for at in group}


def f1(
    found: Mapping[str, int], events: Mapping[str, str], halves: Mapping[str, str], half: str
) -> float:
    ids = [i for i in found if half in (HALVES[2], halves[i])]
    return b_cubed({i: found[i] for i in ids}, {i: events[i] for i in ids}).f1


def table(
    found: Sequence[Mapping[str, int]], events: Mapping[str, str], halves: Mapping[str, str]
) -> str:
    """Precision, recall and F1 of each half, as means over the orders."""
    cells = []
    for half in HALVES:
        agreements = [
            b_cubed({i: one[i] for i in ids}, {i: events[i] for i in ids})
            for one in found
            for ids in [[i for i in one if half in (HALVES[2], halves[i])]]
        ]
        means = np.mean([(a.precision, a.recall, a.f1) for a in agreements], axis=0)
        cells.append("   " + " / ".join(f"{mean:.3f}".lstrip("0") for mean in means))
    return "".join(f"{cell:>23}" for cell in cells)


def cost(archive: Path) -> None:
    """What stories took of adding, over the articles up to SMALL and over the last ones."""
    count = sum(isinstance(record, SourceRecord) for record in read([archive]))
    source = (record for record in read([archive]) if isinstance(record, SourceRecord))
    with tempfile.TemporaryDirectory() as folder, Writer(Path(folder)) as writer:
        added = 0
        for upto in (SMALL, count):
            _added_and_timed(writer, itertools.islice(source, upto - NEW - added))
            wall_s, cpu_s = _added_and_timed(writer, itertools.islice(source, NEW))
            added = upto
            print(
                f"cost       the articles up to {upto}: {1e3 * wall_s / NEW:.1f} ms each "
                f"({1e3 * cpu_s / NEW:.1f} ms of processor time)"
            )
        columns = SnapshotReader(Path(folder)).latest().columns
        story_of = dict(zip(columns.report.tolist(), columns.story.tolist(), strict=True))
    sizes = Counter(story_of.values()).most_common(5)
    print(f"largest    stories of {', '.join(str(size) for _, size in sizes)} reports")


def _added_and_timed(
    writer: Writer, records: "itertools.islice[SourceRecord]"
) -> tuple[float, float]:
    retell: Callable[..., None] = stories.retell
    wall_s = cpu_s = 0.0

    def timed(*arguments: Any, **options: Any) -> None:
        nonlocal wall_s, cpu_s
        wall, cpu = time.perf_counter(), time.process_time()
        retell(*arguments, **options)
        wall_s += time.perf_counter() - wall
        cpu_s += time.process_time() - cpu

    with patch.object(stories, "retell", timed):
        while batch := list(itertools.islice(records, 250)):
            writer.add(batch)
    return wall_s, cpu_s


if __name__ == "__main__":
    main()
