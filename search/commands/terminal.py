"""How the command line speaks: answers on stdout, progress and complaints on stderr."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from index.errors import BadArticleError
from search.wording import (
    copies_in_words,
    count_in_words,
    coverage_in_words,
    date_in_words,
    duration_in_words,
    passages_in_words,
    place_in_words,
    share_in_words,
    size_in_words,
    verdict_in_words,
)

if TYPE_CHECKING:
    from index.backlog import Progress as EmbeddingProgress
    from search.commands.doctor import Finding
    from search.evaluate import Evaluation, Step
    from search.explain import ArmPlace, Explanation
    from search.result_set import Answer, Hit
    from search.searcher import Status
    from search.trace import Trace

# How often a log that is no terminal gets a line.
PLAIN_INTERVAL_S = 10.0
LISTED_REJECTIONS = 20
_INDENT = 4


def print_answer(console: Console, answer: "Answer") -> None:
    """The hits of `answer`, each with its source, and what of the archive could not be asked."""
    if not answer.hits:
        console.print("No passage found. Try other words, or fewer filters.")
    for suggestion in answer.suggestions:
        console.print(Text(f"Did you mean: {suggestion.question}", style="dim"))
    if verdict := verdict_in_words(answer):
        console.print(Text(verdict))
        console.print()
    for hit in answer.hits:
        console.print(_heading(hit))
        for part in (_source(hit), _marked(hit), _elsewhere(hit), _links(hit)):
            if part:
                _print_indented(console, part)
        console.print()
    if answer.hits and len(answer.hits) < answer.total:
        place = place_in_words(
            answer.hits[0].rank, answer.hits[-1].rank, answer.total, answer.group
        )
        console.print(Text(f"{place}.", style="dim"))
    coverage = coverage_in_words(answer.coverage.passages, answer.coverage.embedded)
    if coverage:
        console.print(Text(coverage, style="dim"))
    if answer.omitted:
        console.print(f"{answer.omitted} passages are left out: their stored rows are damaged.")


def print_trace(console: Console, trace: "Trace") -> None:
    """How long each stage took that the question went through."""
    rows = [(stage.value, f"{ms:7.2f} ms") for stage, ms in trace.ms().items()]
    console.print(table(rows), soft_wrap=True)


def print_explanation(console: Console, explanation: "Explanation") -> None:
    """Why an article is where it is, then the figures."""
    from search.explain import in_words

    console.print(Text(explanation.headline or "(no headline)", style="bold cyan"))
    console.print(Text(in_words(explanation)))
    console.print()
    rows = [
        ("passage", explanation.passage_id or "its stored row is damaged"),
        ("by meaning", _place(explanation.dense, "cosine")),
        ("by words", _place(explanation.lexical, "BM25")),
    ]
    if explanation.score is not None:
        rows.append(("score", f"{explanation.score:.3f}, the best {explanation.best_score:.3f}"))
    if explanation.parts is not None:
        given = asdict(explanation.parts).items()
        rows += [(f"  {name}", f"{value:.3f}") for name, value in given if value is not None]
    if explanation.probability is not None:
        rows.append(("answers", f"with probability {explanation.probability:.2f}"))
    verdict = explanation.verdict
    rows.append(("verdict", f"{verdict.kind.value}, probability {verdict.probability:.2f}"))
    console.print(table(rows), soft_wrap=True)


def _place(place: "ArmPlace", name: str) -> str:
    if place.rank is None:
        return "not at all"
    return f"number {place.rank:,}, {name} {place.score:.3f}"


def _print_indented(console: Console, text: Text) -> None:
    # rich's Padding would fill every line with spaces up to the right edge.
    for line in text.wrap(console, max(console.width - _INDENT, 20)):
        line.rstrip()
        if line:
            line.pad_left(_INDENT)
        console.print(line, soft_wrap=True)


def _heading(hit: "Hit") -> Text:
    return Text.assemble(
        (f"{hit.rank:>2}. ", "dim"), (hit.headline or "(no headline)", "bold cyan")
    )


def _source(hit: "Hit") -> Text:
    parts = (hit.outlet, hit.byline, date_in_words(hit.published))
    return Text(" · ".join(part for part in parts if part), style="dim")


def _marked(hit: "Hit") -> Text:
    text = Text(hit.text)
    start, end = hit.best_sentence
    if (start, end) != (0, len(hit.text)):
        text.stylize("underline", start, end)
    for start, end in hit.highlights:
        text.stylize("bold", start, end)
    return text


def _elsewhere(hit: "Hit") -> Text:
    parts = (copies_in_words(hit), passages_in_words(hit))
    return Text(" · ".join(part for part in parts if part), style="dim")


def _links(hit: "Hit") -> Text:
    return Text("\n".join(part for part in (hit.url, hit.passage_id) if part), style="dim")


class Rejections:
    """Tells of rejected records as they come: the first 20 on stderr, all in `report`."""

    def __init__(self, console: Console, report: Callable[[str], object] | None) -> None:
        self._console, self._report = console, report
        self.count = 0

    def add(self, error: BadArticleError) -> None:
        """One more."""
        self.count += 1
        if self._report:
            self._report(f"{error}\n")
        if self.count <= LISTED_REJECTIONS:
            self._console.print(Text(f"rejected {error}"))
        elif self.count == LISTED_REJECTIONS + 1:
            self._console.print("more are rejected; they are counted" + self._where())

    def _where(self) -> str:
        return " and kept in the report" if self._report else "; --report FILE keeps them all"


@contextmanager
def counting_progress(console: Console, name: str) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with the number of articles that are done."""
    start = time.monotonic()

    def figures(count: int) -> str:
        rate = count / max(time.monotonic() - start, 1e-3)
        return f"{count:,} articles, {rate:,.0f}/s"

    with _progress(console, name, total=None) as show:
        yield lambda count: show(figures(count), None)


@contextmanager
def embedding_progress(console: Console) -> Iterator[Callable[["EmbeddingProgress"], None]]:
    """Gives a function to call with the progress of the embedding."""

    def figures(state: "EmbeddingProgress") -> str:
        return (
            f"{state.done:,} of {state.total:,} passages, {state.passages_per_s:,.0f}/s, "
            f"{duration_in_words(state.eta_s)} left"
        )

    with _progress(console, "Embedding", total=1.0) as show:
        yield lambda state: show(figures(state), state.done / max(state.total, 1))


@contextmanager
def evaluation_progress(console: Console) -> Iterator[Callable[["Step"], None]]:
    """Gives a function to call with the progress of an evaluation."""

    def figures(step: "Step") -> str:
        of_all = f" of {step.total:,}" if step.total else ""
        return f"{step.name} {step.done:,}{of_all}"

    with _progress(console, "Evaluating", total=1.0) as show:
        yield lambda step: show(figures(step), step.done / step.total if step.total else 0.0)


@contextmanager
def batch_progress(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with how many of `total` questions have been answered.

    The first call tells where the run begins: rate and time left are those from there on.
    """
    begun: list[tuple[int, float]] = []

    def figures(done: int) -> str:
        begun[:] = begun or [(done, time.monotonic())]
        before, start = begun[0]
        said = f"{done:,} of {total:,} questions"
        if done == before:
            return said
        rate = (done - before) / max(time.monotonic() - start, 1e-3)
        return f"{said}, {rate:,.1f}/s, {duration_in_words((total - done) / rate)} left"

    with _progress(console, "Asking", total=1.0) as show:
        yield lambda done: show(figures(done), done / max(total, 1))


_Show = Callable[[str, float | None], None]


@contextmanager
def _progress(console: Console, label: str, *, total: float | None) -> Iterator[_Show]:
    if not console.is_terminal:
        yield _plain_lines(console, label)
        return
    columns = (
        SpinnerColumn(),
        TextColumn(label),
        *((BarColumn(),) if total else ()),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total, figures="")
        yield lambda figures, done: bar.update(task, figures=figures, completed=done)


def _plain_lines(console: Console, label: str) -> _Show:
    last = -math.inf  # the first figures at once

    def show(figures: str, _: float | None) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_INTERVAL_S:
            last = time.monotonic()
            console.print(f"{label}: {figures}")

    return show


def table(rows: Sequence[tuple[str, str]]) -> Text:
    """Two columns, the first padded."""
    width = max((len(name) for name, _ in rows), default=0)
    return Text("\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def status_rows(status: "Status") -> list[tuple[str, str]]:
    """What `nutgraf status` says, line by line."""
    share = share_in_words(status.embedded, status.passages)
    return [
        ("store", str(status.store)),
        ("articles", f"{status.articles:,}, from {status.outlets:,} outlets"),
        ("published", f"{date_in_words(status.oldest)} to {date_in_words(status.newest)}"),
        ("passages", f"{status.passages:,}, {share} embedded"),
        ("waiting", f"{status.pending:,} passages"),
        ("rejected", count_in_words(status.rejected, "record")),
        ("model", status.model),
        ("segments", f"{status.segments:,}"),
        ("size", size_in_words(status.size_bytes)),
        ("snapshot", status.snapshot),
    ]


def findings_text(findings: Sequence["Finding"]) -> Text:
    """A line for each finding: ok or problem, what was found, what to do."""
    text = Text()
    for finding in findings:
        mark = ("ok      ", "green") if finding.ok else ("problem ", "bold red")
        text.append_text(Text.assemble(mark, (finding.name, "bold"), f": {finding.found}"))
        text.append(f"\n        {finding.advice}\n" if finding.advice else "\n")
    text.rstrip()
    return text


def scores_of_each(evaluation: "Evaluation") -> list[dict[str, str | float]]:
    """What each question scored, under the measures' names in the field."""
    return [
        {
            "id": scores.id,
            "question": scores.question,
            "nDCG@10": round(scores.ndcg_10, 4),
            "RR@10": round(scores.rr_10, 4),
            "Success@1": round(scores.success_1, 4),
            "R@100": round(scores.r_100, 4),
            "ms": round(scores.ms, 2),
        }
        for scores in evaluation.per_query
    ]


def evaluation_text(evaluation: "Evaluation", *, per_query: bool) -> Text:
    """The means, after what each question scored if that was asked for."""
    lines = []
    if per_query:
        lines = ["nDCG@10  RR@10  Success@1  R@100      ms  question"]
        lines += [
            f"{scores.ndcg_10:7.4f} {scores.rr_10:6.4f} {scores.success_1:10.4f} "
            f"{scores.r_100:6.4f} {scores.ms:7.1f}  {scores.id}: {scores.question}"
            for scores in evaluation.per_query
        ]
        lines.append("")
    means = evaluation.as_json()
    return Text("\n".join(lines)) + table([(name, str(mean)) for name, mean in means.items()])
