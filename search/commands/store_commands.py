"""The commands that change a store: add, remove, reembed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from index.backlog import Progress
    from index.writer import Writer
    from search.commands.adding import Tally
    from search.settings import Settings

from search.commands.command import (
    SOME_REJECTED,
    Json,
    Model,
    Store,
    app,
    one_native_thread,
    print_json,
    require_store,
    resumable,
    settings_of,
    stderr,
)


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

    They are found by their words at once; then stories are told, and they are embedded to be found
    by their meaning.
    """
    sources = paths or []
    names = _parsed_map(field_map or [])
    if server and not sources:
        raise typer.BadParameter("name the files to send", param_hint="PATHS")
    if server and model:
        raise typer.BadParameter("the server has its own model", param_hint="--model")
    settings = settings_of(ctx, store=store, model=model)
    with _report(report) as write:
        if server:
            key = settings.key_to_send
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
    one_native_thread()
    from index.writer import Writer
    from search.commands import adding, terminal

    console = stderr()
    rejections = terminal.Rejections(console, report)
    tally = adding.Tally()
    with Writer(settings.store, model=settings.model) as writer:
        if sources:
            with (
                resumable(_reading_interrupted(tally)),
                terminal.counting_progress(console, "Reading") as show,
            ):
                records = adding.read_sources(sources, field_map)
                adding.add_to_store(
                    writer,
                    records,
                    tally,
                    lambda now: show(now.total),
                    rejections.add,
                    lambda: _say_found_by_words(console, tally),
                )
        _tell_stories(writer, console)
        embedded = _embed(writer, settings.device, console) if wait else 0
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
    from search.commands import adding, sending, terminal

    console = stderr()
    rejections = terminal.Rejections(console, report)
    tally = adding.Tally()
    with (
        resumable(_reading_interrupted(tally)),
        terminal.counting_progress(console, "Reading") as show,
    ):
        pending = sending.add_to_server(
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
    one_native_thread()
    from index.snapshot import SnapshotReader
    from index.writer import Writer

    settings = settings_of(ctx, store=store)
    require_store(settings.store)
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
        print_json({"removed": removed, "absent": absent})
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
    from search.commands.terminal import embedding_progress

    settings = settings_of(ctx, store=store)
    require_store(settings.store)
    console = stderr()
    goes_on = f"what is done is kept; go on with: nutgraf reembed --model {model}"
    with (
        Writer(settings.store) as writer,
        resumable(lambda: goes_on),
        embedding_progress(console) as show,
    ):
        embed_anew(writer, model, device=settings.device, progress=show)
    console.print(f"All passages are embedded by {model}.")


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


def _reading_interrupted(tally: "Tally") -> Callable[[], str]:
    return lambda: (
        f"{tally.stored:,} articles are safe and found by their words; run the same command "
        "again, it takes only what is missing"
    )


def _tell_stories(writer: "Writer", console: "Console") -> None:
    """Of what was added, and of what an interrupted run left."""
    from search.commands.terminal import counting_progress

    told = 0
    with (
        resumable(lambda: f"{told:,} stories were told and are kept; go on with: nutgraf add"),
        counting_progress(console, "Stories") as show,
    ):
        while some := writer.tell_stories():
            told += some
            show(told)


def _embed(writer: "Writer", device: str, console: "Console") -> int:
    from index.backlog import embed_backlog
    from search.commands.terminal import embedding_progress

    last: list[Progress] = []

    def advice() -> str:
        done = last[-1].done if last else 0
        return f"{done:,} passages were embedded and are kept; go on with: nutgraf add"

    with resumable(advice), embedding_progress(console) as show:

        def progress(state: "Progress") -> None:
            last[:] = [state]
            show(state)

        embedded = embed_backlog(writer, device=device, progress=progress)
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
    print_json(
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
