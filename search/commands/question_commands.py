"""The commands that ask: search, export, explain."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from search.commands.command import (
    AsOf,
    Byline,
    EffortName,
    From,
    GroupName,
    Json,
    Language,
    Model,
    ModeName,
    Order,
    Outlet,
    Question,
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
    print_model,
    settings_of,
    stdout,
)


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
    as_of: AsOf = None,
    trace: Annotated[bool, typer.Option("--trace", help="Say how long each stage took.")] = False,
    model: Model = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Ask a question.

    Prints the passages that answer it, best first, with their sources.
    """
    filters = filters_of(outlet, byline, section, language, published_from, published_to)
    order = order_named(sort)
    with open_searcher(settings_of(ctx, store=store, model=model)) as searcher:
        searcher.warm_up()
        answer = searcher.search(
            question,
            k=k,
            mode=mode_named(mode),
            filters=filters,
            sort=order,
            effort=effort_named(effort),
            group=group_named(group),
            as_of=day_named(as_of, "--as-of"),
            cursor=cursor,
            facets=as_json,
        )
    if as_json:
        from search.responses import SearchResponse
        from search.trace import Stage

        with answer.trace.stage(Stage.SERIALISE):
            document = SearchResponse.of(answer)
        print_model(SearchResponse.of(answer, traced=True) if trace else document)
    else:
        from search.commands.terminal import print_answer, print_trace

        print_answer(stdout(), answer)
        if trace:
            print_trace(stdout(), answer.trace)


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
    as_of: AsOf = None,
    format: Annotated[
        str,
        typer.Option("--format", help="jsonl, ris, bibtex, csl-json, csv or parquet."),
    ] = "jsonl",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write this file, whole or not at all."),
    ] = None,
    model: Model = None,
    store: Store = None,
) -> None:
    """Print all that answers a question, or write it to a file.

    As JSON Lines, references (ris, bibtex, csl-json), or a table (csv, parquet).
    """
    if format == "parquet" and out is None and sys.stdout.isatty():
        raise typer.BadParameter("parquet is no text; name a file", param_hint="--out")
    filters = filters_of(outlet, byline, section, language, published_from, published_to)
    order = order_named(sort)
    with open_searcher(settings_of(ctx, store=store, model=model)) as searcher:
        from search.exports.export import ExportFormat, exported, require
        from search.exports.provenance import Provenance
        from search.exports.whole_file import whole_file

        wanted = chosen(ExportFormat, format, "--format")
        require(wanted)
        whole = searcher.export(
            question,
            mode=mode_named(mode),
            filters=filters,
            sort=order,
            effort=effort_named(effort),
            group=group_named(group),
            as_of=day_named(as_of, "--as-of"),
        )
        chunks = exported(whole, wanted, Provenance.of(whole, datetime.now(UTC)))
        if out is None:
            for chunk in chunks:
                typer.echo(chunk, nl=False)
            return
        with whole_file(out) as file:
            file.writelines(chunks)


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
    as_of: AsOf = None,
    model: Model = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Tell why an article is found where it is, or not."""
    filters = filters_of(outlet, byline, section, language, published_from, published_to)
    order = order_named(sort)
    with open_searcher(settings_of(ctx, store=store, model=model)) as searcher:
        explanation = searcher.explain(
            question,
            article,
            mode=mode_named(mode),
            filters=filters,
            sort=order,
            effort=effort_named(effort),
            group=group_named(group),
            as_of=day_named(as_of, "--as-of"),
        )
    if as_json:
        from search.responses import ExplainResponse

        print_model(ExplainResponse.of(explanation))
    else:
        from search.commands.terminal import print_explanation

        print_explanation(stdout(), explanation)
