"""The command that tells how something is cited."""

from typing import Annotated

import typer

from search.commands.command import (
    Json,
    Store,
    app,
    chosen,
    open_searcher,
    print_model,
    settings_of,
    stdout,
)


@app.command()
def cite(
    ctx: typer.Context,
    id: Annotated[
        str, typer.Argument(help="A passage id, of now or before; or an article id, guid or URL.")
    ],
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="The reference alone, as ris, bibtex, csl-json, apa, iso690, chicago or mla.",
        ),
    ] = None,
    start: Annotated[
        int | None, typer.Option(help="Cite the article's text from here, in code points …")
    ] = None,
    end: Annotated[int | None, typer.Option(help="… to here, end excluded.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Cite a passage or an article.

    Tells whether what is cited is unchanged, was edited, or was withdrawn; of an edited passage
    what was cut (-) and added (+). Then the reference, in four styles.
    """
    settings = settings_of(ctx, store=store)
    with open_searcher(settings) as searcher:
        from datetime import date

        from search.references.cite import span_of
        from search.references.reference_formats import Format, references

        wanted = None if format is None else chosen(Format, format, "--format")
        cited = searcher.cited(id, span_of(start, end))
    if wanted is not None:
        citation = cited.standing().citation(date.today())
        typer.echo(references([citation], wanted), nl=False)
    elif as_json:
        from search.http.cite_responses import CiteResponse

        print_model(CiteResponse.of(cited, date.today()))
    else:
        from search.commands.cite_terminal import print_cited

        print_cited(stdout(), cited, date.today())
