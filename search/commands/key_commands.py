"""The command that makes a key for a server: key."""

from typing import Annotated

import typer

from search.commands.command import Json, app, chosen, print_json


@app.command()
def key(
    scope: Annotated[
        str,
        typer.Option(
            help="read: ask; feed: also add, remove and save; admin: also metrics and rejections."
        ),
    ] = "read",
    as_json: Json = False,
) -> None:
    """Make an API key for a server.

    The key is shown once and kept nowhere; the server is told its hash only.
    """
    from search.keys import Scope, new_key

    secret, made = new_key(chosen(Scope, scope, "--scope"))
    if as_json:
        print_json({"key": secret, "entry": made.entry})
        return
    typer.echo(f"{secret}\n")
    typer.echo("That is the key, shown once: for who asks the server, as NUTGRAF_KEY or as")
    typer.echo("Authorization: Bearer KEY. The server gets its hash, beside those of other keys:")
    typer.echo(f"\nNUTGRAF_API_KEYS={made.entry}")
