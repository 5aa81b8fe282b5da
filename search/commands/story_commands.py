"""The commands that tell stories."""

from typing import Annotated

import typer

from search.commands.command import (
    Byline,
    From,
    Json,
    Language,
    Outlet,
    Section,
    Store,
    To,
    app,
    filters_of,
    open_searcher,
    print_model,
    settings_of,
    stdout,
)


@app.command()
def stories(
    ctx: typer.Context,
    k: Annotated[int, typer.Option("-k", "--k", min=1, max=100, help="Number of stories.")] = 10,
    cursor: Annotated[
        str | None, typer.Option(help="The next_cursor of the page before, as --json gives it.")
    ] = None,
    min_reports: Annotated[
        int, typer.Option(min=1, help="Leave out stories of fewer reports.")
    ] = 2,
    outlet: Outlet = None,
    byline: Byline = None,
    section: Section = None,
    language: Language = None,
    published_from: From = None,
    published_to: To = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """List the biggest stories.

    Of a day, a week or all time, by distinct reports, not by copies.
    """
    filters = filters_of(outlet, byline, section, language, published_from, published_to)
    with open_searcher(settings_of(ctx, store=store)) as searcher:
        page = searcher.stories(k=k, filters=filters, min_reports=min_reports, cursor=cursor)
    if as_json:
        from search.http.story_responses import StoriesResponse

        print_model(StoriesResponse.of(page))
    else:
        from search.commands.story_terminal import print_front_page

        print_front_page(stdout(), page)


@app.command()
def story(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(help="A story's id, as `stories` prints it.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Tell a story.

    Prints what happened when, each development in the words of the report that had it first.
    """
    with open_searcher(settings_of(ctx, store=store)) as searcher:
        told = searcher.story(id)
    if as_json:
        from search.http.story_responses import StoryResponse

        print_model(StoryResponse.of(told))
    else:
        from search.commands.story_terminal import print_story

        print_story(stdout(), told)
