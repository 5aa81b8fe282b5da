"""The commands that tell of the coverage around an article."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import BadArticleError, NotFoundError
from search.commands.command import (
    Byline,
    From,
    GroupName,
    Json,
    Language,
    Model,
    Order,
    Outlet,
    Section,
    Store,
    To,
    app,
    filters_of,
    group_named,
    open_searcher,
    order_named,
    print_model,
    settings_of,
    stdout,
)

if TYPE_CHECKING:
    from index.article import SourceRecord


@app.command()
def copies(
    ctx: typer.Context,
    article: Annotated[str, typer.Argument(help="An article id, or its guid or URL.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Tell who ran an article's report.

    Prints the original and why it is taken for that, and of each copy and update what was cut (-),
    added (+) and moved (~), with the spans of both texts.
    """
    with open_searcher(settings_of(ctx, store=store)) as searcher:
        lineage = searcher.lineage(article)
    if as_json:
        from search.http.related_responses import LineageResponse

        print_model(LineageResponse.of(lineage))
    else:
        from search.commands.related_terminal import print_lineage

        print_lineage(stdout(), lineage)


@app.command()
def related(
    ctx: typer.Context,
    article: Annotated[
        str, typer.Argument(help="An article id, or its guid or URL; or a file with an article.")
    ],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Number of articles.")] = 10,
    cursor: Annotated[
        str | None, typer.Option(help="The next_cursor of the page before, as --json gives it.")
    ] = None,
    outlet: Outlet = None,
    byline: Byline = None,
    section: Section = None,
    language: Language = None,
    published_from: From = None,
    published_to: To = None,
    sort: Order = "relevance",
    group: GroupName = "report",
    model: Model = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """List other coverage of an article.

    Best first, each as a copy, the same event, a follow-up, background or a correction, and why.
    The article need not be in the archive: the first one of a file is taken.
    """
    filters = filters_of(outlet, byline, section, language, published_from, published_to)
    with open_searcher(settings_of(ctx, store=store, model=model)) as searcher:
        try:
            subject: str | SourceRecord = searcher.article(article).id
        except NotFoundError as error:
            subject = _first_article(article, error)
        page = searcher.related(
            subject,
            k=k,
            filters=filters,
            sort=order_named(sort),
            group=group_named(group),
            cursor=cursor,
            facets=as_json,
        )
    if as_json:
        from search.http.related_responses import RelatedResponse

        print_model(RelatedResponse.of(page))
    else:
        from search.commands.related_terminal import print_related

        print_related(stdout(), page)


def _first_article(name: str, not_found: NotFoundError) -> "SourceRecord":
    """The first article of a file; `not_found` if there is no such file."""
    path = Path(name)
    if not path.is_file():
        raise NotFoundError(f"{not_found}, and there is no such file") from not_found
    from index.reading import read

    first = next(read([path]), None)
    if first is None:
        raise BadArticleError(name, 1, "there is no article in it", "name a file that holds one")
    if isinstance(first, BadArticleError):
        raise first
    return first
