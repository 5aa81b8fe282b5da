"""The commands that copy a store and make one from the copy: backup, restore."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from index.backup import Manifest

from search.commands.command import Store, app, one_native_thread, settings_of, stderr


@app.command()
def backup(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where it goes: a new or an empty folder.")
    ],
    store: Store = None,
) -> None:
    """Copy the store as it stands at one commit, while others read and write.

    The folder appears whole or not at all. `nutgraf restore` makes a store from it.
    """
    one_native_thread()
    from index.backup import back_up

    source = settings_of(ctx, store=store).store
    stderr().print(f"{source} is backed up in {folder}: {_held(back_up(source, folder))}.")


@app.command()
def restore(
    ctx: typer.Context,
    backup: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="A folder that `nutgraf backup` made.")
    ],
    store: Store = None,
) -> None:
    """Make the store anew from a backup, in a folder that is absent or empty.

    Every file is held against its digest first; the folder appears whole or not at all.
    """
    one_native_thread()
    from index.restore import restore as make_anew

    target = settings_of(ctx, store=store).store
    stderr().print(f"{target} is restored from {backup}: {_held(make_anew(backup, target))}.")


def _held(manifest: "Manifest") -> str:
    return (
        f"{manifest.articles:,} articles, {manifest.passages:,} passages of commit "
        f"{manifest.seq:,}, {manifest.bytes / 1e6:,.1f} MB"
    )
