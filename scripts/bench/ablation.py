"""What each part of the ranking gives: nDCG@10 with it and without, and what it costs.

Usage: python scripts/bench/ablation.py --cache DIR COLLECTION [--half held-out] [--read N ...]

COLLECTION is a folder as `nutgraf evaluate` takes it; its store is kept in DIR. Each row is the
whole ranking with one thing changed, and its difference to the row it is compared with; p is that
of a paired randomisation test over the questions (Smucker, Allan, Carterette, CIKM 2007).
With --read the second look at so many passages is measured too.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from header import header
from numpy.typing import NDArray

from index.model import DEFAULT_MODEL
from index.snapshot import Snapshot, SnapshotReader
from search import dense, fusion, ranking, reranking
from search.cross_encoder import Effort
from search.dense import QuestionEncoder
from search.evaluate import Half, Question, judged_questions, store_of
from search.filters import NO_FILTERS
from search.grouping import Group
from search.query import Query

TRIALS = 10_000


class Variant:
    """The ranking with some things replaced."""

    def __init__(self, name: str, *patches: tuple[object, str, object], thorough: bool = False):
        self.name = name
        self.patches = patches
        self.effort = Effort.THOROUGH if thorough else Effort.QUICK


def without(**weights: float) -> tuple[object, str, object]:
    """The learned ranker with other weights."""
    changed = replace(reranking.WEIGHTS, **weights)
    logits = reranking.Features.logits
    return reranking.Features, "logits", lambda features: logits(features, changed)


PLAIN = (dense, "adapted", lambda embedding, _: embedding)
FUSION_ONLY = without(about=0.0, window=0.0, length=0.0)
VARIANTS = (
    Variant("words alone", PLAIN, FUSION_ONLY, (fusion, "DENSE_WEIGHT", 0.0)),
    Variant("meaning alone", PLAIN, FUSION_ONLY, (fusion, "DENSE_WEIGHT", 1.0)),
    Variant("fusion", PLAIN, FUSION_ONLY),
    Variant("quick"),
    Variant("quick, no adapter", PLAIN),
    Variant("quick, no learned ranker", FUSION_ONLY),
    Variant("quick, no window", without(window=0.0)),
    Variant("quick, no length", without(length=0.0)),
    Variant("quick, no more of the article", without(about=0.0)),
    Variant("quick, no second passage", (fusion, "SECOND_WEIGHT", 0.0)),
)


def thorough(depth: int) -> Variant:
    return Variant(f"thorough, {depth} read", (ranking, "SECOND_LOOK", depth), thorough=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--half", choices=list(Half), type=Half, default=Half.HELD_OUT)
    parser.add_argument("--read", type=int, nargs="*", default=[])
    options = parser.parse_args()
    snapshot = SnapshotReader(store_of(options.collection, options.cache)).latest()
    questions = [q for q in judged_questions(options.collection) if q.half is options.half]
    print(header())
    print(f"questions  {len(questions)} of {options.collection.name}, {options.half}")
    print("| variant | nDCG@10 | Success@1 | against quick | p | ms p50 | ms p95 |")
    print("|---|---|---|---|---|---|---|")
    variants = (*VARIANTS, *map(thorough, options.read))
    measured = {variant.name: asked(variant, questions, snapshot) for variant in variants}
    quick = measured["quick"][:, 0]
    for name, rows in measured.items():
        difference = rows[:, 0] - quick
        p50, p95 = np.percentile(rows[:, 2], [50, 95])
        print(
            f"| {name} | {rows[:, 0].mean():.4f} | {rows[:, 1].mean():.3f} "
            f"| {difference.mean():+.4f} | {p_value(difference):.4f} | {p50:.1f} | {p95:.1f} |"
        )


def asked(variant: Variant, questions: list[Question], snapshot: Snapshot) -> NDArray[np.float64]:
    """nDCG@10, Success@1 and ms of each question, (questions, 3)."""
    ranker = ranking.Ranker(QuestionEncoder(DEFAULT_MODEL))
    with ExitStack() as stack:
        for target, name, value in variant.patches:
            stack.enter_context(patch.object(target, name, value))
        return np.array(list(scored(ranker, variant.effort, questions, snapshot)))


def scored(
    ranker: ranking.Ranker, effort: Effort, questions: list[Question], snapshot: Snapshot
) -> Iterator[tuple[float, float, float]]:
    columns = snapshot.columns
    ranker.rank(Query("warm up", "warm up", None, ()), NO_FILTERS, effort, Group.REPORT, snapshot)
    for question in questions:
        began = time.perf_counter()
        query = Query(question.text, question.text, None, ())
        results = ranker.rank(query, NO_FILTERS, effort, Group.REPORT, snapshot).results
        ms = (time.perf_counter() - began) * 1000
        ids = (columns.article_id[article] for article in columns.article[results.positions])
        ranked = list(dict.fromkeys(ids))[:10]
        gains = np.array([question.grades.get(article_id, 0) for article_id in ranked])
        ideal = np.sort(list(question.grades.values()))[::-1][:10]
        yield dcg(gains) / dcg(ideal), float(gains[:1].sum() > 0), ms


def dcg(gains: NDArray[np.int64]) -> float:
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


def p_value(differences: NDArray[np.float64]) -> float:
    """Two-sided: how often signs given by chance make a mean as far from 0."""
    chance = np.random.default_rng(0)
    signs = chance.choice([-1.0, 1.0], size=(TRIALS, len(differences)))
    means = np.abs(signs @ differences) / len(differences)
    return float((1 + (means >= abs(differences.mean()) - 1e-12).sum()) / (TRIALS + 1))


if __name__ == "__main__":
    main()
