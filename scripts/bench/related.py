"""How well related coverage is found, beside what is simpler, and how long it takes.

    python scripts/bench/related.py events --cache DIR [--store STORE]

A collection whose corpus says of each article `metadata.cluster` (the event) and `metadata.topic`.
Each article is a question; those of its event are relevant. Topics are divided in halves by the
CRC-32 of their names: weights and floors were chosen on the tuning half (even).

Two ways to count. Articles: nothing folded (`group=none`), every article of the event is relevant.
Reports: copies folded (`group=report`), every other report of the event is relevant. The baselines
rank all articles, from the same store's vectors and words, and are folded alike. `copies`: how many
of the first ten are of the article's own report or of one that came before, in all folded lists;
of ours those in the role of a correction are not copies.

With --store the time of 300 questions to another store is taken besides, embedded or not.
"""

import argparse
import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from header import header
from numpy.typing import NDArray

from index.model import DEFAULT_MODEL
from index.snapshot import Snapshot, SnapshotReader
from search.coverage.related import Role
from search.evaluate import store_of
from search.grouping import Group
from search.searcher import Searcher

DEPTH = 10
MOST = 100  # articles of a page
K1, B = 1.2, 0.75
ASKED = 300
HALVES = ("tuning", "held-out", "all")
COLUMNS = (*(f"{what}, {half}" for what in ("articles", "reports") for half in HALVES), "copies")


@dataclass(frozen=True)
class Events:
    """The articles of a collection: ids, and the event, topic and report of each."""

    ids: list[str]
    event: Mapping[str, str]
    topic: Mapping[str, str]
    report: Mapping[str, int]

    def is_tuning(self, article: str) -> bool:
        return zlib.crc32(self.topic[article].encode()) % 2 == 0

    def others(self, article: str) -> list[str]:
        event = self.event[article]
        return [other for other in self.ids if other != article and self.event[other] == event]

    def folded(self, article: str, ranked: Sequence[str]) -> list[str]:
        """The first of each other report."""
        kept: dict[int, str] = {}
        for other in ranked:
            kept.setdefault(self.report[other], other)
        kept.pop(self.report[article], None)
        return list(kept.values())


@dataclass(frozen=True)
class Answers:
    """What a system lists for each article, as it is and folded; and what is in it of copies."""

    plain: Mapping[str, Sequence[str]]
    folded: Mapping[str, Sequence[str]]
    copies: int
    ms: Sequence[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    store = store_of(options.collection, options.cache)
    snapshot = SnapshotReader(store).latest()
    events = read_events(options.collection, snapshot)
    print(header())
    print(f"model      {DEFAULT_MODEL}")
    reports = len(set(events.report.values()))
    print(f"articles   {len(events.ids)}, {reports} reports, {snapshot.passages:,} passages")
    print(
        "| system | articles: tuning | held-out | all | reports: tuning | held-out | all | copies |"
    )
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, scores in baselines(snapshot, events).items():
        print_row(name, ranked_by(scores, events), events)
    searcher = Searcher(store)
    ours = asked_of(searcher, events)
    print_row("**related**", ours, events)
    print_times(f"{options.collection.name}, all embedded", ours.ms)
    if options.store:
        print_times(*times_of(options.store))


def read_events(collection: Path, snapshot: Snapshot) -> Events:
    lines = (collection / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    metadata = {record["_id"]: record["metadata"] for record in map(json.loads, lines)}
    columns = snapshot.columns
    live = np.unique(columns.article)
    ids = [columns.article_id[at] for at in live]
    return Events(
        ids,
        {id: metadata[id]["cluster"] for id in ids},
        {id: metadata[id]["topic"] for id in ids},
        dict(zip(ids, columns.report[live].tolist(), strict=True)),
    )


# ------------------------------------------------------------------------------------- systems


def baselines(snapshot: Snapshot, events: Events) -> dict[str, NDArray[np.float64]]:
    """Scores of each article for each, shape (articles, articles)."""
    columns = snapshot.columns
    vectors = snapshot.vectors.at(np.arange(len(columns.number)))
    live, owner = np.unique(columns.article, return_inverse=True)
    leads = vectors[np.unique(owner, return_index=True)[1]]
    sums = np.zeros((len(live), vectors.shape[1]))
    np.add.at(sums, owner, vectors)
    means = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    words = bm25(snapshot, events.ids)
    best = words - np.diag(np.diag(words))
    return {
        "embedding of headline and lead": leads @ leads.T,
        "mean of the passages' embeddings": means @ means.T,
        "BM25 by the whole text": words,
        "mean and BM25, half and half": means @ means.T + best / best.max(axis=1, keepdims=True),
    }


def bm25(snapshot: Snapshot, ids: Sequence[str]) -> NDArray[np.float64]:
    """BM25 of each article (columns) for each article's whole text as a query (rows)."""
    rows = [snapshot.article(id) for id in ids]
    counts = [
        Counter(snapshot.words.analyze(f"{row.headline}\n{row.text}")) if row else Counter()
        for row in rows
    ]
    terms = {term: at for at, term in enumerate(sorted({t for each in counts for t in each}))}
    times = np.zeros((len(ids), len(terms)))
    for at, each in enumerate(counts):
        times[at, [terms[term] for term in each]] = list(each.values())
    having = np.count_nonzero(times, axis=0)
    rarity = np.log(1 + (len(ids) - having + 0.5) / (having + 0.5))
    lengths = times.sum(axis=1, keepdims=True)
    weights = times * (K1 + 1) / (times + K1 * (1 - B + B * lengths / lengths.mean())) * rarity
    return times @ weights.T


def ranked_by(scores: NDArray[np.float64], events: Events) -> Answers:
    plain, folded = {}, {}
    for at, article in enumerate(events.ids):
        order = [other for other in np.argsort(-scores[at], kind="stable") if other != at]
        plain[article] = [events.ids[other] for other in order]
        folded[article] = events.folded(article, plain[article])
    return Answers(plain, folded, copies_in(events, plain, dict.fromkeys(events.ids, ())), [])


def asked_of(searcher: Searcher, events: Events) -> Answers:
    searcher.related(events.ids[0])
    plain, folded, corrections, ms = {}, {}, {}, []
    for article in events.ids:
        plain[article] = [
            each.article.id for each in searcher.related(article, k=MOST, group=Group.NONE).articles
        ]
        began = time.perf_counter()
        page = searcher.related(article, k=DEPTH)
        ms.append((time.perf_counter() - began) * 1000)
        folded[article] = [each.article.id for each in page.articles]
        corrections[article] = [
            each.article.id for each in page.articles if each.role is Role.CORRECTION
        ]
    return Answers(plain, folded, copies_in(events, folded, corrections), ms)


def copies_in(
    events: Events,
    ranked: Mapping[str, Sequence[str]],
    corrections: Mapping[str, Sequence[str]],
) -> int:
    """How many of the first ten tell what the article or one before them tells."""
    copies = 0
    for article, others in ranked.items():
        told = {events.report[article]}
        for other in others[:DEPTH]:
            copies += events.report[other] in told and other not in corrections[article]
            told.add(events.report[other])
    return copies


# ------------------------------------------------------------------------------------- figures


def print_row(name: str, answers: Answers, events: Events) -> None:
    halves: list[Callable[[str], bool]] = [
        events.is_tuning,
        lambda article: not events.is_tuning(article),
        lambda _: True,
    ]
    figures = []
    for folded in (False, True):
        scores = {article: ndcg(article, answers, events, folded) for article in events.ids}
        figures += [
            float(np.nanmean([scores[article] for article in events.ids if half(article)]))
            for half in halves
        ]
    print(f"| {name} | {' | '.join(f'{figure:.4f}' for figure in figures)} | {answers.copies} |")


def ndcg(article: str, answers: Answers, events: Events, folded: bool) -> float:
    """NaN: nothing is relevant."""
    if folded:
        relevant = {events.report[other] for other in events.others(article)}
        relevant.discard(events.report[article])
        ranked = [events.report[other] for other in answers.folded[article]]
    else:
        names = {id: at for at, id in enumerate(events.ids)}
        relevant = {names[other] for other in events.others(article)}
        ranked = [names[other] for other in answers.plain[article]]
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    gains = np.array([other in relevant for other in ranked[:DEPTH]], dtype=np.float64)
    ideal = discounts[: len(relevant)].sum()
    return float(gains @ discounts[: len(gains)] / ideal) if relevant else float("nan")


def times_of(store: Path) -> tuple[str, list[float]]:
    """What the store is, and how long articles spread over it take."""
    searcher = Searcher(store)
    status = searcher.status()
    ids = SnapshotReader(store).latest().columns.article_id
    ms = []
    for article in ids[:: max(len(ids) // ASKED, 1)]:
        began = time.perf_counter()
        searcher.related(article)
        ms.append((time.perf_counter() - began) * 1000)
    share = f"{status.embedded:,} of {status.passages:,} passages embedded"
    return f"{status.articles:,} articles, {share}", ms


def print_times(name: str, ms: Sequence[float]) -> None:
    p50, p95 = np.percentile(ms, [50, 95])
    print(f"{len(ms)} articles of {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")


if __name__ == "__main__":
    main()
