"""What embedding the leads first gives: nDCG@10 by the share of passages that are embedded.

Usage: python scripts/bench/lead_first.py COLLECTION [--half held-out] [--shares PERCENT ...]
COLLECTION is a folder as `nutgraf evaluate` takes it. One store for each order is embedded further
and further: in the order that `nutgraf add` keeps (the leads of the newest articles first) and in
that of the file. All questions of the half are asked at each share. Every text is embedded once.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ablation import dcg
from header import header
from numpy.typing import NDArray

from index.article import SourceRecord
from index.errors import NutgrafError
from index.model import Encoder, load_encoder
from index.reading import read
from index.writer import Writer
from search.cross_encoder import Effort
from search.evaluate import Half, Question, judged_questions
from search.searcher import Searcher

FILE_ORDER = "file order"
ORDERS = ("lead first", FILE_ORDER)
SHARES = (0, 5, 10, 25, 50, 100)
GROUP_PASSAGES = 192  # embedded at a time
HITS = 50  # ten articles, where several passages of one are hits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--half", choices=list(Half), type=Half, default=Half.HELD_OUT)
    parser.add_argument("--shares", type=int, nargs="+", default=SHARES)
    options = parser.parse_args()
    try:
        questions = [q for q in judged_questions(options.collection) if q.half is options.half]
    except NutgrafError as error:
        raise SystemExit(str(error)) from error
    known = Known(load_encoder(threads=len(os.sched_getaffinity(0))))
    scores: dict[str, list[float]] = {}
    passages = 0
    for name in ORDERS:
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder)
            passages = add(store, options.collection / "corpus.jsonl")
            scores[name] = []
            for share in embedded_by_share(store, name, known, options.shares):
                scores[name].append(ndcg(store, questions))
                print(f"{name}, {share} % embedded: {scores[name][-1]:.4f}", file=sys.stderr)
    print(header())
    print(
        f"data       {options.collection.name}: {passages:,} passages, {len(questions)} questions "
        f"of the {options.half} half, quick"
    )
    print(f"| embedded, % | {' | '.join(ORDERS)} | difference |")
    print("|---|---|---|---|")
    for share, first, file in zip(options.shares, *scores.values(), strict=True):
        print(f"| {share} | {first:.4f} | {file:.4f} | {first - file:+.4f} |")


class Known:
    """The embeddings of all texts that were asked for, kept."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self._vectors = encoder, dict[str, NDArray[np.float32]]()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors |= zip(new, self._encoder.embed(new), strict=True)
        return np.stack([self._vectors[text] for text in texts])


def add(store: Path, corpus: Path) -> int:
    """Make the articles found by their words; how many passages they have."""
    with Writer(store) as writer:
        writer.add([record for record in read([corpus]) if isinstance(record, SourceRecord)])
        writer.finish()
        return writer.pending()


def embedded_by_share(
    store: Path, order_name: str, known: Known, shares: Sequence[int]
) -> Iterator[int]:
    """Embed up to each share of the passages in turn, and stop there."""
    with Writer(store) as writer:
        order = writer.waiting_order(-1)
        if order_name == FILE_ORDER:
            order.sort()  # passages are numbered as they came
        done = 0
        for share in shares:
            upto = round(len(order) * share / 100)
            for first in range(done, upto, GROUP_PASSAGES):
                waiting = writer.waiting_texts(order[first : min(first + GROUP_PASSAGES, upto)])
                if waiting:
                    vectors = known.embed([item.text for item in waiting])
                    writer.store_embeddings(waiting, vectors, writer.fingerprint)
            done = upto
            writer.publish()
            yield share


def ndcg(store: Path, questions: Sequence[Question]) -> float:
    """Its mean over the questions, articles standing where their best passage stands."""
    searcher = Searcher(store)
    try:
        return float(np.mean([one_ndcg(searcher, question) for question in questions]))
    finally:
        searcher.close()


def one_ndcg(searcher: Searcher, question: Question) -> float:
    answer = searcher.search(question.text, k=HITS, effort=Effort.QUICK)
    ranked = list(dict.fromkeys(hit.article_id for hit in answer.hits))[:10]
    gains = np.array([question.grades.get(article_id, 0) for article_id in ranked])
    ideal = np.sort(list(question.grades.values()))[::-1][:10]
    return float(dcg(gains) / dcg(ideal))


if __name__ == "__main__":
    main()
