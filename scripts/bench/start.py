"""How soon a store answers: `nutgraf search` from nothing, and `nutgraf serve` until it is ready.

Usage: python scripts/bench/start.py STORE [--question TEXT] [--rounds N]

Beside them, by turns in the same run, a Python that only imports the libraries both need: what no
design of ours could do without. The files are in the system's cache, but for the first round.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from header import header
from measured import Server, run

_LIBRARIES = "typer, pydantic_settings, numpy, faiss, onnxruntime, tokenizers, tantivy"
_IMPORTED = [sys.executable, "-c", f"import {_LIBRARIES}"]
_NUTGRAF = [sys.executable, "-m", "search"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--question", default="Who will meet in Paris on currencies?")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    store, question = arguments.store, arguments.question
    measured: dict[str, Callable[[], float]] = {
        "the libraries, imported": lambda: (
            run([sys.executable, "-c", f"import {_LIBRARIES}"]).seconds
        ),
        "nutgraf search": lambda: run([*_NUTGRAF, "search", question, "--store", store]).seconds,
        "nutgraf serve, ready": lambda: _ready_s(store),
    }
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(arguments.rounds):
        for name, measure in measured.items():
            times[name].append(measure())
    print(header())
    print(f"store  {store}")
    print("|  | first s | median s | of the libraries |\n|---|---|---|---|")
    floor = statistics.median(next(iter(times.values())))
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"| {name} | {taken[0]:.2f} | {median:.2f} | {median / floor:.1f} |")


def _ready_s(store: Path) -> float:
    """Until it says that it can answer: not before a whole question was answered."""
    with Server([*_NUTGRAF, "serve", "--port", "{port}", "--store", store]) as server:
        return server.first_answer_s("/readyz")


if __name__ == "__main__":
    main()
