"""How time and memory grow with the archive, by the exponent that fits them.

Usage: python scripts/bench/growth.py PRESS.jsonl.zst [--passages N ...] [--questions N]
The store grows from one size to the next by `nutgraf add --no-wait`, cut where the passages of the
articles before come to N, by the mean of the first thousand. At each size it is served, and the
headlines of --questions of its articles are asked, after as many others. Vectors are made, since
embedding takes the same for every passage: of each text one direction drawn at random.
"""

import argparse
import io
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import zstandard
from header import header
from measured import Client, Server, folder_mb, run
from numpy.typing import NDArray

from index.default_model import DIM
from index.writer import Writer
from search.commands.command import SOME_REJECTED
from search.trace import Stage

SIZES = (5_000, 20_000, 80_000, 320_000)
PASSAGES_AN_ARTICLE = 10.5  # of press-2012-2020
GROUP_PASSAGES = 5_000  # a commit of vectors
COLUMNS = (
    "articles",
    "adding, s in all",
    "last articles/s",
    "adding, MB",
    "on disk, MB",
    "ready, s",
    "p50 ms",
    "p95 ms",
    "p95 ms of the words",
    "serving, MB",
)
FITTED = (1, 3, 4, 5, 6, 7, 8, 9)  # of the columns; the others follow from them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("press", type=Path)
    parser.add_argument("--passages", type=int, nargs="+", default=SIZES)
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    if not options.press.is_file():
        raise SystemExit(f"{options.press} is missing; name a file of articles, .jsonl.zst")
    print(header())
    print(f"data       {options.press.name}, added without embedding; vectors are made")
    print(f"questions  {options.questions} headlines of the archive, quick, one at a time")
    print(f"| passages | {' | '.join(COLUMNS)} |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    passages, rows = grown(options.press, options.passages, options.questions)
    cells = [exponent(passages, column) if n in FITTED else "" for n, column in enumerate(rows.T)]
    print(f"| exponent | {' | '.join(cells)} |")


def grown(
    press: Path, sizes: Sequence[int], questions: int
) -> tuple[list[int], NDArray[np.float64]]:
    """Passages at each size, and the figures, (sizes, COLUMNS)."""
    lines = articles(press)
    added, adding_s, passages, rows, headlines = 0, 0.0, [], [], []
    with tempfile.TemporaryDirectory() as folder:
        store, part = Path(folder, "store"), Path(folder, "part.jsonl")
        for size in sizes:
            new = list(itertools.islice(lines, round(size / PASSAGES_AN_ARTICLE) - added))
            part.write_text("".join(new), encoding="utf-8")
            headlines += [json.loads(line)["title"] for line in new]
            added += len(new)
            cost = run(
                [sys.executable, "-m", "search", "add", "--no-wait", "--store", store, part],
                well=(0, SOME_REJECTED),
            )
            adding_s += cost.seconds
            make_vectors(store)
            count, served = asked(store, headlines, questions)
            speed = len(new) / cost.seconds
            row = [added, adding_s, speed, cost.peak_mb, folder_mb(store), *served]
            print(f"| {count:,} | {' | '.join(f'{figure:,.1f}' for figure in row)} |", flush=True)
            passages.append(count)
            rows.append(row)
    return passages, np.array(rows)


def articles(press: Path) -> Iterator[str]:
    with press.open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file)
        yield from io.TextIOWrapper(stream, encoding="utf-8")


def make_vectors(store: Path) -> None:
    """Give every passage that waits a vector of norm 1, and publish."""
    directions = np.random.default_rng(0)
    with Writer(store) as writer:
        order = writer.waiting_order(-1)
        for first in range(0, len(order), GROUP_PASSAGES):
            waiting = writer.waiting_texts(order[first : first + GROUP_PASSAGES])
            vectors = directions.standard_normal((len(waiting), DIM), np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            writer.store_embeddings(waiting, vectors, writer.fingerprint)
        writer.publish()


def asked(store: Path, headlines: Sequence[str], questions: int) -> tuple[int, list[float]]:
    """Passages of the store, and the figures of what is served.

    Seconds to the first answer, p50 and p95 in ms, p95 of the stage of the words, MB of the server.
    """
    chosen = random.Random(0).sample(headlines, min(2 * questions, len(headlines)))
    paths = [
        "/v1/search?" + urlencode({"q": headline, "trace": True}) for headline in chosen if headline
    ]
    command = [sys.executable, "-m", "search", "serve", "--read-only", "--store", store]
    with Server([*command, "--port", "{port}"]) as server:
        ready_s = server.first_answer_s(paths[0])
        half = len(paths) // 2
        server.times_and_answers(paths[:half])
        times, answers = server.times_and_answers(paths[half:])
        words = [answer["trace"].get(Stage.WORDS, 0.0) for answer in answers]
        figures = [*np.percentile(times, [50, 95]), np.percentile(words, 95)]
        count = passages_of(server.client())
        return count, [ready_s, *map(float, figures), server.peak_mb()]


def passages_of(client: Client) -> int:
    return int(json.loads(client.ask("/v1/status"))["passages"])


def exponent(passages: Sequence[int], figures: Sequence[float]) -> str:
    """Of the power of the number of passages that fits best, by least squares of logarithms."""
    slope, _ = np.polyfit(np.log(passages), np.log(figures), 1)
    return f"{slope:.2f}"


if __name__ == "__main__":
    main()
