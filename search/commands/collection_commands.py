"""The commands that keep collections: what a reader marked, with notes."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import BadQueryError, NotFoundError, NutgrafError
from search.commands.command import (
    Json,
    Store,
    app,
    chosen,
    one_native_thread,
    print_json,
    print_model,
    settings_of,
    stderr,
    stdout,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from search.commands.collection_places import Collections
    from search.http.collection_responses import CollectionResponse

_ID = re.compile(r"c[0-9a-f]{8}", re.ASCII)

_Server = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="Those of a running server, not of the store."),
]
_Collection = Annotated[str, typer.Argument(help="A collection's id or name.")]


@app.command()
def collections(
    ctx: typer.Context, server: _Server = None, store: Store = None, as_json: Json = False
) -> None:
    """List the collections.

    A collection holds marked passages, each with a note and its source.
    """
    with _opened(ctx, server, store) as place:
        listed = place.listed()
    if as_json:
        print_model(listed)
    else:
        from search.commands.collection_terminal import print_collections

        print_collections(stdout(), listed)


@app.command()
def collection(
    ctx: typer.Context,
    collection: _Collection,
    format: Annotated[
        str | None,
        typer.Option(
            help="Write it as json (what collection-import reads), ris, bibtex, csl-json, csv, "
            "apa, iso690, chicago or mla."
        ),
    ] = None,
    server: _Server = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show a collection, or write it for a reference manager.

    Tells of each mark whether the archive still says what it quotes.
    """
    with _opened(ctx, server, store) as place:
        id = _chosen(place, collection).id
        if format is not None:
            from search.desk.collection_export import CollectionFormat

            text = place.exported(id, chosen(CollectionFormat, format, "--format"))
            typer.echo(text, nl=False)
            return
        whole = place.whole(id)
    if as_json:
        print_model(whole)
    else:
        from search.commands.collection_terminal import print_collection

        print_collection(stdout(), whole)


@app.command()
def collect(
    ctx: typer.Context,
    collection: Annotated[
        str, typer.Argument(help="A collection's id or name; a new name begins a new one.")
    ],
    id: Annotated[str, typer.Argument(help="A passage id; or an article's id, guid or URL.")],
    note: Annotated[
        str | None, typer.Option(help="What to say beside it; replaces the note it has.")
    ] = None,
    start: Annotated[
        int | None, typer.Option(help="Mark the article's text from here, in code points,")
    ] = None,
    end: Annotated[int | None, typer.Option(help="to here, excluded.")] = None,
    server: _Server = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Mark a passage, a stretch of text or an article.

    The same stretch is marked once in a collection.
    """
    with _opened(ctx, server, store) as place:
        into, is_new_collection = _chosen_or_new(place, collection)
        try:
            mark, is_new = place.mark(into.id, id, start, end, note)
        except NutgrafError:
            if is_new_collection:
                place.remove(into.id)
            raise
    if is_new_collection:
        stderr().print(f"New collection {into.id}.", markup=False)
    if as_json:
        print_model(mark)
    else:
        known = "" if is_new else ", which was there already"
        typer.echo(f"Mark {mark.number} in {into.name}{known}.")


@app.command()
def uncollect(
    ctx: typer.Context,
    collection: _Collection,
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Numbers of marks, as `collection` prints them.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Remove the collection and all its marks.")
    ] = False,
    server: _Server = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Remove marks from a collection, or all of it."""
    if whole == bool(numbers):
        raise typer.BadParameter("name marks by their numbers, or say --all", param_hint="NUMBERS")
    with _opened(ctx, server, store) as place:
        chosen = _chosen(place, collection)
        if whole:
            place.remove(chosen.id)
        for number in numbers or []:
            place.unmark(chosen.id, number)
    if as_json:
        print_json({"id": chosen.id, "removed": numbers or "all"})


@app.command()
def collection_import(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `collection --format json` wrote.")],
    server: _Server = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Take in a collection from a file.

    Its marks are added to the collection of its name: all of them, or none.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadQueryError(str(file), reason, "name a file that can be read") from None
    with _opened(ctx, server, store) as place:
        taken = place.take_in(data, str(file))
    if as_json:
        print_model(taken)
    else:
        from search.wording import count_in_words

        added = count_in_words(taken.added, "mark")
        typer.echo(
            f"{added} added to {taken.name} ({taken.id}); {taken.known:,} were there already."
        )


def _opened(
    ctx: typer.Context, server: str | None, store: Path | None
) -> "AbstractContextManager[Collections]":
    one_native_thread()
    from search.commands.collection_places import opened

    return opened(settings_of(ctx, store=store), server)


def _chosen(place: "Collections", wanted: str) -> "CollectionResponse":
    from search.commands.collection_places import chosen

    return chosen(place, wanted)


def _chosen_or_new(place: "Collections", wanted: str) -> "tuple[CollectionResponse, bool]":
    try:
        return _chosen(place, wanted), False
    except NotFoundError:
        if _ID.fullmatch(wanted):
            raise
        return place.make(wanted)
