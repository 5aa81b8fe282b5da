"""How fast the nearest of a million vectors are found, or of ten, how surely, and what it takes.

The nearest hundred, and the nearest two hundred, which is what a question asks for.

Usage: python scripts/bench/vectors.py STORE... [--queries QUERIES] [--passages N]
                                       [--questions N] [--folder DIR]
STOREs have been embedded; QUERIES is a BEIR-layout queries.jsonl. Half of what is asked are its
questions, the other half vectors of the stores that had no part in what follows.

The vectors are real ones, moved: a stored vector, plus 0.4 times the difference of two others of
its own cluster (512 of k-means), at length one. So they lie where real ones lie, and spread as
their neighbourhood does. The first table holds made ones against real ones, as many of either, made
from the other half: how near the neighbours are, and how many of them a fixed index finds. Below it
stands how many of the real ones a segment of codes finds that is made of them alone.

Segments are made as a store makes them, on both cores, and asked with one thread beside an exact
search of the same vectors. A twentieth of the passages is deleted. Filters let through passages by
chance ("any"), or those made from a share of the clusters ("near": what an outlet or a year holds
is alike). Readers ask with a filter more than once: so each is asked with by all questions, and
what the first with a filter takes stands beside it.
"""

import argparse
import gc
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import faiss
import numpy as np
from header import header
from numpy.typing import NDArray

from index import segments, store_folder
from index.model import DEFAULT_MODEL, load_encoder, model_fingerprint
from index.segments import SegmentInfo
from index.tail import NO_TAIL
from index.vectors import VectorsView
from search.question_adapter import adapted
from search.result_set import CANDIDATES

DEPTHS = (100, CANDIDATES)  # the second is what a question asks for
CLUSTERS = 512
MOVED = 0.4
DELETED = 0.05
EXACT_QUESTIONS = 20
NEW_FILTERS = 20  # of each width
PIECE = 50_000
FILTERS = [("any", 0.5), ("any", 0.1), ("any", 0.05), ("any", 0.01), ("any", 0.001), ("near", 0.1)]

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Base:
    """Real vectors, shape (n, dim), by cluster: those of cluster c are starts[c] to starts[c+1]."""

    vectors: Vectors
    cluster: NDArray[np.int64]
    starts: NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """One segment, and the nearest of its vectors to each question, for each filter."""

    info: SegmentInfo
    seconds: float
    peak_mb: float
    nearest: list[tuple[NDArray[np.int64], Vectors]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="+", type=Path)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="of the segments; they are deleted at the end")
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    real = np.random.default_rng(0).permutation(stored_vectors(options.stores))
    held_out, real = np.split(real, [options.questions // 2])
    asked = np.concatenate([questions(options.queries, options.questions // 2), held_out])
    print(header())
    print(f"faiss      {faiss.__version__}, {faiss.get_compile_options().strip()}")
    print(f"vectors    {options.passages:,} made of {len(real):,} stored in {len(options.stores)}")
    print(f"questions  {len(asked)}, half of {options.queries.parent.name}, half stored vectors\n")
    compare_made_with_real(real, asked)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), real, asked, options.passages)


# ------------------------------------------------------------------ what is asked, and of what


def stored_vectors(stores: Sequence[Path]) -> Vectors:
    """Every vector of these stores once, shape (n, dim)."""
    found: dict[bytes, bytes] = {}
    for folder in stores:
        with closing(store_folder.open_readonly(folder, any_format=True)) as truth:
            found.update(truth.execute("SELECT embedding, vector FROM vectors"))
    return np.stack([np.frombuffer(data, "<f2") for data in found.values()]).astype(np.float32)


def questions(path: Path, count: int) -> Vectors:
    """What the dense arm asks with, shape (count, dim)."""
    with path.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][:count]
    fingerprint = model_fingerprint(DEFAULT_MODEL)
    embedded = load_encoder(DEFAULT_MODEL, threads=2).embed(texts)
    return np.stack([adapted(row, fingerprint) for row in embedded]).astype(np.float32)


def clustered(vectors: Vectors) -> Base:
    means = faiss.Kmeans(vectors.shape[1], CLUSTERS, niter=6, spherical=True, seed=1)
    means.train(vectors)
    assert means.index is not None
    cluster = means.index.search(vectors, 1)[1][:, 0]
    order = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[order], np.arange(CLUSTERS + 1))
    return Base(vectors[order], cluster[order], starts)


def made(base: Base, count: int, seed: int) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """Vectors as the head of this file says, shape (count, dim), and the cluster of each."""
    random = np.random.default_rng(seed)
    vectors = np.empty((count, base.vectors.shape[1]), np.float16)
    clusters = np.empty(count, np.int64)
    for first in range(0, count, PIECE):
        some = random.integers(0, len(base.vectors), min(PIECE, count - first))
        cluster = base.cluster[some]
        size = base.starts[cluster + 1] - base.starts[cluster]
        one, other = (
            base.vectors[base.starts[cluster] + (random.random(len(some)) * size).astype(int)]
            for _ in range(2)
        )
        moved = base.vectors[some] + MOVED * (one - other)
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        vectors[first : first + PIECE], clusters[first : first + PIECE] = moved, cluster
    return vectors, clusters


def compare_made_with_real(real: Vectors, asked: Vectors) -> None:
    half = clustered(real[: len(real) // 2])
    print("| vectors | nearest | 10th | 100th | found in 8 of 256 lists | in 32 |")
    print("|---|---|---|---|---|---|")
    for name, vectors in (
        ("real", real),
        ("made", made(half, len(real), seed=3)[0].astype(np.float32)),
    ):
        cosines = asked @ vectors.T
        rows = np.argsort(-cosines, axis=1)[:, : DEPTHS[0]]
        near = np.median(np.take_along_axis(cosines, rows, 1), axis=0)
        index = faiss.index_factory(vectors.shape[1], "IVF256,Flat", faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.add(vectors)
        shares = []
        for lists in (8, 32):
            faiss.extract_index_ivf(index).nprobe = lists
            shares.append(recall(list(index.search(asked, DEPTHS[0])[1]), list(rows)))
        print(
            f"| {name} | {near[0]:.3f} | {near[9]:.3f} | {near[-1]:.3f} "
            f"| {shares[0]:.3f} | {shares[1]:.3f} |"
        )
    print(f"\nof the real ones, in a segment of codes: {found_among(real, asked)}\n")


def found_among(real: Vectors, asked: Vectors) -> str:
    """Which share of their nearest the questions find, for each of DEPTHS."""
    stored = real.astype(np.float16)
    view = coded_view(stored)
    best = np.argsort(-(asked @ stored.astype(np.float32).T), axis=1)
    shares = []
    for depth in DEPTHS:
        found = [view.search(question, depth, None)[0] for question in asked]
        shares.append(f"recall@{depth} {recall(found, list(best[:, :depth])):.4f}")
    return ", ".join(shares)


# ----------------------------------------------------------------------- segments, and truth


def filters(clusters: NDArray[np.int64], seed: int) -> list[NDArray[np.bool_]]:
    """What is live, and what of it each filter lets through; each of shape (n,), bool."""
    random = np.random.default_rng(seed)
    live = random.random(len(clusters)) >= DELETED
    order = np.random.default_rng(1).permutation(CLUSTERS)
    masks = [live]
    for kind, share in FILTERS:
        if kind == "any":
            masks.append(live & (random.random(len(clusters)) < share))
        else:
            masks.append(live & np.isin(clusters, order[: int(share * CLUSTERS)]))
    return masks


def make_part(folder: Path, base: Base, asked: Vectors, first: int, count: int) -> Part:
    """Write a segment of passages `first` and after, and search it by hand."""
    vectors, clusters = made(base, count, seed=first + 10)
    began = time.perf_counter()
    numbers = np.arange(first, first + count)
    info = segments.write_segment(folder, f"{first:012d}.seg", numbers, vectors, "made")
    seconds = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    masks = filters(clusters, seed=first)
    np.save(folder / f"{first:012d}.npy", np.stack(masks))
    return Part(info, seconds, peak_mb, [nearest(vectors, asked, mask, first) for mask in masks])


def nearest(
    vectors: NDArray[np.float16], asked: Vectors, mask: NDArray[np.bool_], first: int
) -> tuple[NDArray[np.int64], Vectors]:
    """Numbers and cosines of the best for each question, as `best_of`."""
    rows = np.flatnonzero(mask)
    numbers, cosines = np.empty((len(asked), 0), np.int64), np.empty((len(asked), 0), np.float32)
    for at in range(0, len(rows), PIECE):
        some = rows[at : at + PIECE]
        numbers = np.concatenate([numbers, np.tile(some + first, (len(asked), 1))], axis=1)
        cosines = np.concatenate([cosines, asked @ vectors[some].astype(np.float32).T], axis=1)
        numbers, cosines = best_of(numbers, cosines)
    return numbers, cosines


def best_of(numbers: NDArray[np.int64], cosines: Vectors) -> tuple[NDArray[np.int64], Vectors]:
    """Those of the last of DEPTHS, in any order; both of shape (questions, n)."""
    most = DEPTHS[-1]
    if numbers.shape[1] > most:
        best = np.argpartition(-cosines, most, axis=1)[:, :most]
        numbers, cosines = (np.take_along_axis(each, best, 1) for each in (numbers, cosines))
    return numbers, cosines


# --------------------------------------------------------------------------------- measured


def measure(folder: Path, real: Vectors, asked: Vectors, passages: int) -> None:
    base = clustered(real)
    firsts = range(0, passages, segments.MOST_PASSAGES)
    counts = [min(segments.MOST_PASSAGES, passages - first) for first in firsts]
    began = time.perf_counter()
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        parts = list(processes.map(partial(make_part, folder, base, asked), firsts, counts))
    print(
        f"built in {sum(part.seconds for part in parts):,.0f} s of one core "
        f"({time.perf_counter() - began:,.0f} s in all, with making the vectors and searching "
        f"them by hand); a process took {max(part.peak_mb for part in parts):,.0f} MB"
    )
    masks = [np.load(folder / f"{first:012d}.npy") for first in firsts]
    live, *allowed = np.concatenate(masks, axis=1)
    numbers = np.flatnonzero(live)
    before = memory_mb()
    began = time.perf_counter()
    loaded = [segments.read_segment(folder, part.info, mapped=True) for part in parts]
    view = VectorsView(numbers, loaded, NO_TAIL)
    gc.collect()
    print(
        f"opened in {time.perf_counter() - began:.1f} s; "
        f"{memory_mb() - before:,.0f} MB, and {view.embedded * real.shape[1] * 2 / 2**20:,.0f} MB "
        "of vectors in the files\n"
    )
    exact_ms = exact_times(loaded[0].vectors, asked) * passages / len(loaded[0].numbers)
    columns = " | ".join(f"recall@{depth} | p50 ms | p95 ms" for depth in DEPTHS)
    print(f"| filter | passages | {columns} | new filter, p50 ms |")
    print("|---" * (3 + 3 * len(DEPTHS)) + "|")
    for at, mask in enumerate([None, *allowed]):
        name = "none" if mask is None else f"{FILTERS[at - 1][1]:.1%}, {FILTERS[at - 1][0]}"
        let_through = None if mask is None else mask[numbers]
        if let_through is not None:
            let_through.flags.writeable = False  # as a filter's is that readers ask with
        truth, cosines = best_of(
            np.concatenate([part.nearest[at][0] for part in parts], axis=1),
            np.concatenate([part.nearest[at][1] for part in parts], axis=1),
        )
        best_first = np.take_along_axis(truth, np.argsort(-cosines, axis=1), 1)
        count = len(numbers) if let_through is None else np.count_nonzero(let_through)
        cells = [name, f"{count:,}"]
        for depth in DEPTHS:
            found, times = timed(
                partial(view.search, depth=depth, allowed=let_through), list(asked), asked[::10]
            )
            reached = recall([numbers[some] for some in found], list(best_first[:, :depth]))
            p50, p95 = np.percentile(times, [50, 95])
            cells += [f"{reached:.4f}", f"{p50:.1f}", f"{p95:.1f}"]
        new_ms = None if let_through is None else new_filter_ms(view, let_through, asked)
        cells.append("" if new_ms is None else f"{new_ms:.1f}")
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\nexact, unfiltered: {exact_ms:,.0f} ms (of one segment, times their number)")
    print("\n| passages | exact p50 ms | coded p50 ms |")
    print("|---|---|---|")
    for count in (25_000, 50_000, 100_000, 200_000, 400_000):
        if count <= len(loaded[0].numbers):
            print(break_even(loaded[0].vectors[:count], asked))


def timed(
    search: Callable[[Vectors], tuple[NDArray[np.int64], Vectors]],
    asked: Sequence[Vectors],
    warm: Sequence[Vectors] | Vectors,
) -> tuple[list[NDArray[np.int64]], list[float]]:
    """What each question finds, and milliseconds."""
    for query in warm:
        search(query)
    found, times = [], []
    for query in asked:
        began = time.perf_counter()
        found.append(search(query)[0])
        times.append((time.perf_counter() - began) * 1000)
    return found, times


def new_filter_ms(view: VectorsView, let_through: NDArray[np.bool_], asked: Vectors) -> float:
    """Median milliseconds of a question whose filter was not asked with before."""
    times = []
    for query in asked[:: len(asked) // NEW_FILTERS]:
        as_new = let_through.copy()
        began = time.perf_counter()
        view.search(query, DEPTHS[0], as_new)
        times.append((time.perf_counter() - began) * 1000)
    return float(np.median(times))


def exact_times(vectors: NDArray[np.float16], asked: Vectors) -> float:
    """Median milliseconds of FAISS over all of these vectors."""
    index = faiss.IndexScalarQuantizer(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors[:1].astype(np.float32))
    for at in range(0, len(vectors), PIECE):
        index.add(vectors[at : at + PIECE].astype(np.float32))

    def search(query: Vectors) -> tuple[NDArray[np.int64], Vectors]:
        cosines, rows = index.search(query[None, :], DEPTHS[0])
        return rows[0], cosines[0]

    return float(np.median(timed(search, list(asked[:EXACT_QUESTIONS]), asked[:2])[1]))


def break_even(vectors: NDArray[np.float16], asked: Vectors) -> str:
    """A row of the last table: the same vectors in a segment of either kind."""
    view = coded_view(vectors)
    _, times = timed(partial(view.search, depth=DEPTHS[0], allowed=None), list(asked), asked[:5])
    return f"| {len(vectors):,} | {exact_times(vectors, asked):.1f} | {np.median(times):.1f} |"


def coded_view(vectors: NDArray[np.float16]) -> VectorsView:
    """Of one segment with codes, however few these vectors are."""
    lists = segments.coded_lists.load(segments.coded_lists.build(vectors))
    segment = segments.Segment("made", np.arange(len(vectors)), vectors, None, lists)
    return VectorsView(segment.numbers, [segment], NO_TAIL)


def recall(found: Sequence[NDArray[np.int64]], truth: Sequence[NDArray[np.int64]]) -> float:
    """Mean share of the true ones that were found."""
    return float(
        np.mean([np.isin(true, some).mean() for some, true in zip(found, truth, strict=True)])
    )


def memory_mb() -> float:
    """Memory of this process that is in no file."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
