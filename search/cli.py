"""The command `nutgraf`.

Each command imports what it needs inside itself: `nutgraf --help` must not wait for NumPy, nor a
question for the libraries that read articles.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from index.errors import NutgrafError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from index.backlog import Progress
    from index.writer import Writer
    from search.adding import Tally
    from search.archive import Archive
    from search.cross_encoder import Effort
    from search.filters import Filters
    from search.grouping import Group
    from search.query import Mode
    from search.result_set import Sort
    from search.searcher import Searcher
    from search.settings import Settings

_Choice = TypeVar("_Choice", bound=StrEnum)

INTERRUPTED = 130
SOME_REJECTED = 3


class _Commands(TyperGroup):
    """What is raised on purpose becomes one message on stderr and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except NutgrafError as error:
            typer.echo(f"nutgraf: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            typer.echo("nutgraf: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="nutgraf",
    cls=_Commands,
    help="Search for a news archive: ask in plain words, get the right passage and its source.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts four times as fast
    pretty_exceptions_enable=False,
)

Store = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="DIR", help="The store's folder [NUTGRAF_STORE; ./nutgraf-store]."
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME_OR_FOLDER", help="Embedding model [NUTGRAF_MODEL]."),
]
Question = Annotated[
    str, typer.Argument(help='The question, in plain words or with "phrases", AND, -without …')
]
ModeName = Annotated[
    str,
    typer.Option("--mode", help="plain, or verbatim: find the question itself, to the last comma."),
]
Outlet = Annotated[list[str] | None, typer.Option(help="Only this outlet; repeatable.")]
Byline = Annotated[
    list[str] | None, typer.Option(help="Only with these words in the byline; repeatable.")
]
Section = Annotated[list[str] | None, typer.Option(help="Only this section; repeatable.")]
Language = Annotated[list[str] | None, typer.Option(help="Only this language; repeatable.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="This day or later.")
]
To = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="This day or earlier.")]
Order = Annotated[str, typer.Option("--sort", help="relevance, newest or oldest.")]
EffortName = Annotated[
    str,
    typer.Option("--effort", help="quick, or thorough: a second look at the first passages."),
]

GroupName = Annotated[
    str,
    typer.Option("--group", help="report: copies and updates are one hit; none: every passage is."),
]


@dataclass(frozen=True)
class _Global:
    """The options before the command's name."""

    store: Path | None
    config: Path | None


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    app(prog_name="nutgraf")


def _print_version(wanted: bool) -> None:
    if wanted:
        from search.version import VERSION

        typer.echo(f"nutgraf {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    store: Store = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="A TOML file of settings [NUTGRAF_CONFIG]."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    ctx.obj = _Global(store, config)


@app.command()
def add(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files and folders; - is stdin. None: embed what waits."),
    ] = None,
    field_map: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OURS=THEIRS", help="Name of a field, as headline=title."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Keep the list of rejected records."),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Return when all is found by words; embed later.")
    ] = False,
    model: Model = None,
    server: Annotated[
        str | None,
        typer.Option("--server", metavar="URL", help="Send the articles to a running server."),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Add articles to the store.

    They are found by their words at once, by their meaning when they are embedded.
    """
    sources = paths or []
    names = _parsed_map(field_map or [])
    if server and not sources:
        raise typer.BadParameter("name the files to send", param_hint="PATHS")
    if server and model:
        raise typer.BadParameter("the server has its own model", param_hint="--model")
    settings = _settings(ctx, store=store, model=model)
    with _report(report) as write:
        if server:
            key = next(iter(settings.keys), None)
            _add_to_server(server, key, sources, names, write, as_json)
        else:
            _add_here(settings, sources, names, write, not no_wait, as_json)


def _add_here(
    settings: "Settings",
    sources: list[str],
    field_map: dict[str, str],
    report: Callable[[str], object] | None,
    wait: bool,
    as_json: bool,
) -> None:
    from index.writer import Writer
    from search import adding, terminal

    console = _stderr()
    rejections = terminal.Rejections(console, report)
    tally = adding.Tally()
    with Writer(settings.store, model=settings.model) as writer:
        if sources:
            with (
                _resumable(_reading_interrupted(tally)),
                terminal.reading_progress(console) as show,
            ):
                records = adding.read_sources(sources, field_map)
                adding.add_to_store(
                    writer, records, tally, lambda now: show(now.total), rejections.add
                )
            _say_found_by_words(console, tally)
        embedded = _embed(writer, console) if wait else 0
        pending = writer.pending()
    if not wait and pending:
        console.print(f"{pending:,} passages wait for their embedding; go on with: nutgraf add")
    if as_json:
        _print_added(tally, embedded=embedded, pending=pending)
    _exit_if_rejected(tally)


def _add_to_server(
    url: str,
    key: str | None,
    sources: list[str],
    field_map: dict[str, str],
    report: Callable[[str], object] | None,
    as_json: bool,
) -> None:
    from search import adding, terminal

    console = _stderr()
    rejections = terminal.Rejections(console, report)
    tally = adding.Tally()
    with _resumable(_reading_interrupted(tally)), terminal.reading_progress(console) as show:
        pending = adding.add_to_server(
            url,
            key,
            adding.read_sources(sources, field_map),
            tally,
            lambda now: show(now.total),
            rejections.add,
        )
    _say_found_by_words(console, tally)
    if pending:
        console.print(f"The server embeds {pending:,} passages now.")
    if as_json:
        _print_added(tally, embedded=0, pending=pending)
    _exit_if_rejected(tally)


@app.command()
def remove(
    ctx: typer.Context,
    ids: Annotated[list[str], typer.Argument(help="Article ids, or their guids or URLs.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Remove articles.

    They are gone from every arm. Exit 1 when one of them is not there.
    """
    from index.snapshot import SnapshotReader
    from index.writer import Writer

    settings = _settings(ctx, store=store)
    _require_store(settings.store)
    removed, absent = [], []
    with Writer(settings.store) as writer:
        reader = SnapshotReader(settings.store)
        try:
            for id in ids:
                article = reader.latest().article(id)
                if article and writer.remove([article.id]) == [True]:
                    removed.append(article.id)
                else:
                    absent.append(id)
        finally:
            reader.close()
    for id in absent:
        typer.echo(f"nutgraf: no article has the id, guid or URL {id}", err=True)
    if as_json:
        _print_json({"removed": removed, "absent": absent})
    else:
        typer.echo(f"{len(removed)} removed")
    if absent:
        raise typer.Exit(1)


@app.command()
def reembed(
    ctx: typer.Context,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME_OR_FOLDER", help="The new embedding model.")
    ],
    store: Store = None,
) -> None:
    """Embed all with another model.

    The old vectors answer until all is done; interrupted, it goes on where it was.
    """
    from index.backlog import reembed as embed_anew
    from index.writer import Writer
    from search.terminal import embedding_progress

    settings = _settings(ctx, store=store)
    _require_store(settings.store)
    console = _stderr()
    goes_on = f"what is done is kept; go on with: nutgraf reembed --model {model}"
    with (
        Writer(settings.store) as writer,
        _resumable(lambda: goes_on),
        embedding_progress(console) as show,
    ):
        embed_anew(writer, model, progress=show)
    console.print(f"All passages are embedded by {model}.")


@app.command()
def search(
    ctx: typer.Context,
    question: Question,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of hits.")] = 10,
    cursor: Annotated[
        str | None, typer.Option(help="The next_cursor of the page before, as --json gives it.")
    ] = None,
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
    model: Model = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Ask a question.

    Prints the passages that answer it, best first, with their sources.
    """
    filters = _filters(outlet, byline, section, language, published_from, published_to)
    order = _order(sort)
    with _searcher(_settings(ctx, store=store, model=model)) as searcher:
        answer = searcher.search(
            question,
            k=k,
            mode=_mode(mode),
            filters=filters,
            sort=order,
            effort=_effort(effort),
            group=_group(group),
            cursor=cursor,
            facets=as_json,
        )
    if as_json:
        from search.responses import SearchResponse

        _print_model(SearchResponse.of(answer))
    else:
        from search.terminal import print_answer

        print_answer(_stdout(), answer)


@app.command()
def export(
    ctx: typer.Context,
    question: Question,
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
    model: Model = None,
    store: Store = None,
) -> None:
    """Print all that answers a question, as JSON Lines.

    A header comes first; it says how many lines follow.
    """
    filters = _filters(outlet, byline, section, language, published_from, published_to)
    order = _order(sort)
    with _searcher(_settings(ctx, store=store, model=model)) as searcher:
        from search.export import export_lines

        whole = searcher.export(
            question,
            mode=_mode(mode),
            filters=filters,
            sort=order,
            effort=_effort(effort),
            group=_group(group),
        )
        for line in export_lines(whole):
            typer.echo(line, nl=False)


@app.command()
def explain(
    ctx: typer.Context,
    question: Question,
    article: Annotated[str, typer.Argument(help="An article id, or its guid or URL.")],
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
    model: Model = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Tell why an article is found where it is, or not."""
    filters = _filters(outlet, byline, section, language, published_from, published_to)
    order = _order(sort)
    with _searcher(_settings(ctx, store=store, model=model)) as searcher:
        explanation = searcher.explain(
            question,
            article,
            mode=_mode(mode),
            filters=filters,
            sort=order,
            effort=_effort(effort),
            group=_group(group),
        )
    if as_json:
        from search.responses import ExplainResponse

        _print_model(ExplainResponse.of(explanation))
    else:
        from search.terminal import print_explanation

        print_explanation(_stdout(), explanation)


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address [NUTGRAF_HOST; 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port [NUTGRAF_PORT; 8000]; 0: any.")] = None,
    read_only: Annotated[
        bool | None, typer.Option("--read-only", help="Answer questions, take no articles.")
    ] = None,
    model: Model = None,
    store: Store = None,
) -> None:
    """Answer over HTTP.

    There is a page for readers at /, and JSON under /v1, where articles are taken as well.
    """
    settings = _settings(ctx, store=store, model=model, host=host, port=port, read_only=read_only)
    _one_native_thread()
    from search import serving
    from search.access import Access
    from search.api import build_app
    from search.archive import Archive

    access = Access(settings.host, settings.keys)
    with (
        Archive(settings.store, model=settings.model, read_only=settings.read_only) as archive,
        serving.listen(settings.host, settings.port) as listening,
    ):
        _warm_up(archive)
        application = build_app(archive, access, max_body_bytes=settings.max_body_mb << 20)
        typer.echo(
            f"Nutgraf answers at {serving.url_of(listening)} from {settings.store}; "
            "stop it with Ctrl-C",
            err=True,
        )
        serving.run(application, listening)


def _warm_up(archive: "Archive") -> None:
    # The first question loads the models; better now than while somebody waits.
    from search.cross_encoder import Effort

    try:
        archive.ready()
        archive.searcher.search("ready", k=1, effort=Effort.THOROUGH)
    except NutgrafError as error:
        typer.echo(f"nutgraf: no question can be answered yet: {error}", err=True)


@app.command()
def status(ctx: typer.Context, store: Store = None, as_json: Json = False) -> None:
    """Tell what the store holds."""
    settings = _settings(ctx, store=store)
    _one_native_thread()
    from search.responses import StatusResponse
    from search.searcher import Searcher
    from search.terminal import status_rows, table

    with closing(Searcher(settings.store)) as searcher:
        now = searcher.status()
    if as_json:
        _print_model(StatusResponse.of(now))
    else:
        _stdout().print(table(status_rows(now)), soft_wrap=True)


@app.command()
def evaluate(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="A collection in BEIR's layout: corpus, queries, qrels.")
    ],
    per_query: Annotated[
        bool, typer.Option("--per-query", help="Print what each question scored, too.")
    ] = False,
    effort: EffortName = "thorough",
    half: Annotated[
        str | None,
        typer.Option(
            "--half", help="Only the half that weights were tuned on: tuning; or held-out."
        ),
    ] = None,
    model: Model = None,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", metavar="DIR", help="Keep the collections' stores here [the user's cache]."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure on judged questions.

    Builds a store of the collection (once), asks every judged question, and prints how good and
    how quick the answers are.
    """
    settings = _settings(ctx, model=model)
    _one_native_thread()
    from index.model import DEFAULT_MODEL
    from search import terminal
    from search.evaluate import Half
    from search.evaluate import evaluate as measure

    cache = _evaluation_cache(store or ctx.obj.store)
    console = _stderr()
    again = "what was built is kept; run the same command again"
    with _resumable(lambda: again), terminal.evaluation_progress(console) as show:
        evaluation = measure(
            folder,
            cache_dir=cache,
            model=settings.model or DEFAULT_MODEL,
            effort=_effort(effort),
            half=None if half is None else _chosen(Half, half, "--half"),
            progress=show,
        )
    if as_json:
        each = {"per_query": terminal.scores_of_each(evaluation)} if per_query else {}
        _print_json({**evaluation.as_json(), **each})
    else:
        _stdout().print(terminal.evaluation_text(evaluation, per_query=per_query), soft_wrap=True)


def _evaluation_cache(named: Path | None) -> Path:
    from index import store

    if named is None:
        import platformdirs

        return Path(platformdirs.user_cache_dir("nutgraf")) / "evaluate"
    if (named / store.DATABASE).exists():
        raise typer.BadParameter(
            f"{named} is a store itself; name a folder for the stores that are made here",
            param_hint="--store",
        )
    return named


@app.command()
def doctor(ctx: typer.Context, store: Store = None, as_json: Json = False) -> None:
    """Look whether all is in order.

    Exit 1 when something is not; each line says what to do.
    """
    from search.doctor import examine
    from search.terminal import findings_text

    settings = _settings(ctx, store=store)
    findings = examine(settings.store)
    if as_json:
        _print_json(
            [{"name": f.name, "ok": f.ok, "found": f.found, "advice": f.advice} for f in findings]
        )
    else:
        _stdout().print(findings_text(findings), soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


# ------------------------------------------------------------------------ the pieces


def _settings(ctx: typer.Context, **given: object) -> "Settings":
    from search.settings import load_settings

    before: _Global = ctx.obj
    store = given.pop("store", None) or before.store
    return load_settings(before.config, store=store, **given)


def _filters(
    outlet: list[str] | None,
    byline: list[str] | None,
    section: list[str] | None,
    language: list[str] | None,
    published_from: str | None,
    published_to: str | None,
) -> "Filters":
    _one_native_thread()
    from search.filters import Filters

    return Filters.parse(
        outlet=outlet or [],
        byline=byline or [],
        section=section or [],
        language=language or [],
        published_from=published_from,
        published_to=published_to,
    )


def _mode(name: str) -> "Mode":
    from search.query import Mode

    return _chosen(Mode, name, "--mode")


def _effort(name: str) -> "Effort":
    from search.cross_encoder import Effort

    return _chosen(Effort, name, "--effort")


def _group(name: str) -> "Group":
    from search.grouping import Group

    return _chosen(Group, name, "--group")


def _order(name: str) -> "Sort":
    from search.result_set import Sort

    return _chosen(Sort, name, "--sort")


def _chosen(choices: type[_Choice], name: str, option: str) -> _Choice:
    try:
        return choices(name)
    except ValueError:
        *others, last = (choice.value for choice in choices)
        advice = f"use {', '.join(others)} or {last}"
        raise typer.BadParameter(advice, param_hint=option) from None


def _searcher(settings: "Settings") -> "closing[Searcher]":
    _one_native_thread()
    from search.searcher import Searcher

    return closing(Searcher(settings.store, model=settings.model))


def _parsed_map(pairs: list[str]) -> dict[str, str]:
    from index.formats.fields import check_field_map

    named = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise typer.BadParameter(f"{pair!r} is not OURS=THEIRS", param_hint="--map")
        named[ours.strip()] = theirs.strip()
    try:
        check_field_map(named)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None
    return named


def _require_store(folder: Path) -> None:
    # A writer would make a store where there is none; what removes or re-embeds must not.
    from index import store

    store.open_readonly(folder).close()


@contextmanager
def _report(path: Path | None) -> Iterator[Callable[[str], object] | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8", errors="backslashreplace", buffering=1)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--report") from None
    with file:
        yield file.write


@contextmanager
def _resumable(advice: Callable[[], str]) -> Iterator[None]:
    """Ctrl-C inside says what is kept and how to go on, and exits with 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"nutgraf: interrupted; {advice()}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _reading_interrupted(tally: "Tally") -> Callable[[], str]:
    return lambda: (
        f"{tally.stored:,} articles are safe and found by their words; run the same command "
        "again, it takes only what is missing"
    )


def _embed(writer: "Writer", console: "Console") -> int:
    from index.backlog import embed_backlog
    from search.terminal import embedding_progress

    last: list[Progress] = []

    def advice() -> str:
        done = last[-1].done if last else 0
        return f"{done:,} passages were embedded and are kept; go on with: nutgraf add"

    with _resumable(advice), embedding_progress(console) as show:

        def progress(state: "Progress") -> None:
            last[:] = [state]
            show(state)

        embedded = embed_backlog(writer, progress=progress)
    if embedded:
        console.print(f"{embedded:,} passages embedded, {last[-1].passages_per_s:,.0f}/s.")
    return embedded


def _say_found_by_words(console: "Console", tally: "Tally") -> None:
    parts = [
        f"{count:,} {name}"
        for name in ("added", "replaced", "unchanged", "rejected")
        if (count := getattr(tally, name))
    ]
    rate = tally.total / max(tally.seconds, 1e-3)
    console.print(
        f"{', '.join(parts) or 'nothing read'}; found by words after {tally.seconds:.1f} s, "
        f"{rate:,.0f} articles/s."
    )


def _exit_if_rejected(tally: "Tally") -> None:
    if tally.rejected:
        raise typer.Exit(SOME_REJECTED)


def _print_added(tally: "Tally", *, embedded: int, pending: int) -> None:
    _print_json(
        {
            "added": tally.added,
            "replaced": tally.replaced,
            "unchanged": tally.unchanged,
            "rejected": tally.rejected,
            "seconds": round(tally.seconds, 3),
            "embedded": embedded,
            "pending": pending,
        }
    )


def _print_json(document: object) -> None:
    import json

    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _print_model(model: "BaseModel") -> None:
    typer.echo(model.model_dump_json(indent=2))


def _stdout() -> "Console":
    from rich.console import Console

    return Console(highlight=False)


def _stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def _one_native_thread() -> None:
    # FAISS starts a thread for each core on every query otherwise, which costs more than it gains.
    # It is read once, when NumPy and FAISS are imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


# More commands, which are made of the pieces above.
from search import related_commands, story_commands  # noqa: E402, F401
