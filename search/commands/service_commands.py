"""The commands that serve and that look after it: serve, status, evaluate, doctor."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import NutgrafError

if TYPE_CHECKING:
    from search.http.archive import Archive

from search.commands.command import (
    EffortName,
    Json,
    Model,
    Store,
    app,
    chosen,
    effort_named,
    one_native_thread,
    print_json,
    print_model,
    resumable,
    settings_of,
    stderr,
    stdout,
)


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
    settings = settings_of(ctx, store=store, model=model, host=host, port=port, read_only=read_only)
    one_native_thread()
    from search.http import freed_memory

    freed_memory.begin_without_thread_caches()
    from search.api import build_app
    from search.http import serving
    from search.http.access import Access
    from search.http.archive import Archive

    freed_memory.share_one_heap()
    access = Access(settings.host, settings.keys)
    with (
        Archive(
            settings.store,
            model=settings.model,
            device=settings.device,
            read_only=settings.read_only,
            mapped_vectors=settings.mapped_vectors,
        ) as archive,
        serving.listen(settings.host, settings.port) as listening,
    ):
        _warm_up(archive)
        application = build_app(
            archive,
            access,
            max_body_bytes=settings.max_body_mb << 20,
            rate_per_minute=settings.rate_per_minute,
            cors_origins=settings.cors_origins,
            log_queries=settings.log_queries,
            deadline_s=settings.deadline_s,
        )
        serving.settle()
        announcement = (
            f"Nutgraf answers at {serving.url_of(listening)} from {settings.store}; "
            "stop it with Ctrl-C"
        )
        serving.run(application, listening, lambda: typer.echo(announcement, err=True))


def _warm_up(archive: "Archive") -> None:
    # The first question loads the models; better now than while somebody waits.
    from search.cross_encoder import Effort

    try:
        archive.searcher.warm_up()
        archive.ready()
        archive.searcher.search("ready", k=1, effort=Effort.THOROUGH)
    except NutgrafError as error:
        typer.echo(f"nutgraf: no question can be answered yet: {error}", err=True)


@app.command()
def status(ctx: typer.Context, store: Store = None, as_json: Json = False) -> None:
    """Tell what the store holds."""
    settings = settings_of(ctx, store=store)
    one_native_thread()
    from search.commands.terminal import status_rows, table
    from search.responses import StatusResponse
    from search.searcher import Searcher

    with closing(Searcher(settings.store)) as searcher:
        now = searcher.status()
    if as_json:
        print_model(StatusResponse.of(now))
    else:
        stdout().print(table(status_rows(now)), soft_wrap=True)


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
    settings = settings_of(ctx, model=model)
    one_native_thread()
    from index.model import DEFAULT_MODEL
    from search.commands import terminal
    from search.evaluate import Half
    from search.evaluate import evaluate as measure

    cache = _evaluation_cache(store or ctx.obj.store)
    console = stderr()
    again = "what was built is kept; run the same command again"
    with resumable(lambda: again), terminal.evaluation_progress(console) as show:
        evaluation = measure(
            folder,
            cache_dir=cache,
            model=settings.model or DEFAULT_MODEL,
            device=settings.device,
            effort=effort_named(effort),
            half=None if half is None else chosen(Half, half, "--half"),
            progress=show,
        )
    if as_json:
        each = {"per_query": terminal.scores_of_each(evaluation)} if per_query else {}
        print_json({**evaluation.as_json(), **each})
    else:
        stdout().print(terminal.evaluation_text(evaluation, per_query=per_query), soft_wrap=True)


def _evaluation_cache(named: Path | None) -> Path:
    from index import store_folder

    if named is None:
        import platformdirs

        return Path(platformdirs.user_cache_dir("nutgraf")) / "evaluate"
    if (named / store_folder.DATABASE).exists():
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
    from search.commands.doctor import examine
    from search.commands.terminal import findings_text

    settings = settings_of(ctx, store=store)
    findings = examine(settings.store)
    if as_json:
        print_json(
            [{"name": f.name, "ok": f.ok, "found": f.found, "advice": f.advice} for f in findings]
        )
    else:
        stdout().print(findings_text(findings), soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
