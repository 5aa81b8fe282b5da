"""The command that asks many questions: batch."""

import hashlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from search.desk.batch import Asking
    from search.desk.batch_questions import BadLine, Question
    from search.desk.batch_table import Format
    from search.desk.resumable_output import ResumableOutput
    from search.searcher import Searcher
    from search.settings import Settings

from search.commands.command import (
    SOME_REJECTED,
    AsOf,
    Byline,
    EffortName,
    From,
    GroupName,
    Language,
    Model,
    ModeName,
    Order,
    Outlet,
    Section,
    Store,
    To,
    app,
    chosen,
    day_named,
    effort_named,
    filters_of,
    group_named,
    mode_named,
    open_searcher,
    order_named,
    resumable,
    settings_of,
    stderr,
)

_STDIN = "-"


@app.command()
def batch(
    ctx: typer.Context,
    questions: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="CSV with a column question, JSON Lines, or a list; - is stdin."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write this file; interrupted, it goes on where it was."
        ),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl [by the name of --out; csv].")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Hits for each question.")] = 10,
    mode: ModeName = "plain",
    outlet: Outlet = None,
    byline: Byline = None,
    section: Section = None,
    language: Language = None,
    published_from: From = None,
    published_to: To = None,
    sort: Order = "relevance",
    effort: EffortName = "thorough",
    group: GroupName = "report",
    as_of: AsOf = None,
    model: Model = None,
    store: Store = None,
) -> None:
    """Ask many questions, and make a table of the hits.

    A question without hits has one row, which says so. The columns id, from, to, outlet, byline,
    section, language and mode hold for their own row. Exit 3 when a line could not be asked.
    """
    filters = filters_of(outlet, byline, section, language, published_from, published_to)
    settings = settings_of(ctx, store=store, model=model)
    from search.desk.batch import Asking

    asking = Asking(
        k=k,
        mode=mode_named(mode),
        filters=filters,
        sort=order_named(sort),
        effort=effort_named(effort),
        group=group_named(group),
        as_of=day_named(as_of, "--as-of"),
    )
    wanted = _format(format, out)
    asked = _read(questions, out)
    with (
        open_searcher(settings) as searcher,
        _output(out, wanted, _run(asked, asking, wanted, settings)) as output,
    ):
        _ask(asked, asking, searcher, output, wanted)
    if output.bad:
        raise typer.Exit(SOME_REJECTED)


def _read(path: str, out: Path | None) -> "_Questions":
    if path == _STDIN:
        return _Questions("<stdin>", sys.stdin.buffer.read())
    if out and out.resolve() == Path(path).resolve():
        raise typer.BadParameter("it would replace the questions", param_hint="--out")
    try:
        return _Questions(path, Path(path).read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="FILE") from None


def _format(name: str | None, out: Path | None) -> "Format":
    from search.desk.batch_table import Format

    if name is None:
        suffix = out.suffix.lower() if out else ""
        return Format.JSON_LINES if suffix in (".jsonl", ".ndjson") else Format.CSV
    return chosen(Format, name, "--format")


class _Questions:
    """The questions of a file.

    Raises:
        BadQueryError: it has a header without a column for the question.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data
        self.digest = hashlib.sha256(data).hexdigest()
        self.total = sum(1 for _ in self.after(0))

    def after(self, done: int) -> "Iterator[Question | BadLine]":
        """All but the first `done`."""
        from search.desk.batch_questions import read_questions

        return islice(read_questions(io.BytesIO(self._data), self.name), done, None)


def _run(
    questions: _Questions, asking: "Asking", format: "Format", settings: "Settings"
) -> dict[str, object]:
    """All that decides what is written, by the names of the options."""
    from search.version import VERSION

    return {
        "questions": questions.digest,
        **{name.replace("_", "-"): str(value) for name, value in asdict(asking).items()},
        "format": format.value,
        "store": str(settings.store.resolve()),
        "model": str(settings.model),
        "version": VERSION,
    }


class _Stdout:
    """Takes what a run writes and prints it; nothing of it is kept."""

    def __init__(self, head: bytes) -> None:
        self.done = self.bad = 0
        typer.echo(head, nl=False)

    def append(self, data: bytes, *, bad: bool) -> None:
        """Print what belongs to the next question."""
        self.done += 1
        self.bad += bad
        typer.echo(data, nl=False)


@contextmanager
def _output(
    out: Path | None, format: "Format", run: dict[str, object]
) -> "Iterator[ResumableOutput | _Stdout]":
    from search.desk.batch_table import head
    from search.desk.resumable_output import ResumableOutput

    if out is None:
        yield _Stdout(head(format))
        return
    with ResumableOutput(out, run, head(format)) as output:
        yield output
        output.finish()


def _ask(
    questions: _Questions,
    asking: "Asking",
    searcher: "Searcher",
    output: "ResumableOutput | _Stdout",
    format: "Format",
) -> None:
    from search.commands.terminal import batch_progress
    from search.desk.batch import is_bad, rows_of
    from search.desk.batch_table import encoded
    from search.wording import count_in_words

    def advice() -> str:
        if isinstance(output, _Stdout):
            return "with --out FILE it could go on where it was"
        return (
            f"{output.done:,} of {questions.total:,} questions are answered and kept; "
            "go on with the same command"
        )

    console = stderr()
    with resumable(advice), batch_progress(console, questions.total) as show:
        show(output.done)
        for question in questions.after(output.done):
            rows = rows_of(question, asking, searcher)
            output.append(encoded(rows, format), bad=is_bad(rows))
            if is_bad(rows):
                problem = f"{questions.name}:{question.line}: {rows[0]['problem']}"
                console.print(problem, markup=False)
            show(output.done)
    answered = count_in_words(output.done - output.bad, "question")
    bad = count_in_words(output.bad, "line")
    console.print(f"{answered} answered, {bad} could not be asked.")
