"""What the commands share: the command itself, their options, and what these mean.

A command imports what it needs inside itself: `nutgraf --help` must not wait for NumPy, nor a
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
    from datetime import date

    from pydantic import BaseModel
    from rich.console import Console

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

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="YYYY-MM-DD", help="As the archive stood then, by date of publication."
    ),
]


@dataclass(frozen=True)
class _Global:
    """The options before the command's name."""

    store: Path | None
    config: Path | None


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


def settings_of(ctx: typer.Context, **given: object) -> "Settings":
    from search.settings import load_settings

    before: _Global = ctx.obj
    store = given.pop("store", None) or before.store
    return load_settings(before.config, store=store, **given)


def filters_of(
    outlet: list[str] | None,
    byline: list[str] | None,
    section: list[str] | None,
    language: list[str] | None,
    published_from: str | None,
    published_to: str | None,
) -> "Filters":
    one_native_thread()
    from search.filters import Filters

    return Filters.parse(
        outlet=outlet or [],
        byline=byline or [],
        section=section or [],
        language=language or [],
        published_from=published_from,
        published_to=published_to,
    )


def day_named(text: str | None, option: str) -> "date | None":
    from search.filters import day_of

    return day_of(option.lstrip("-"), text)


def mode_named(name: str) -> "Mode":
    from search.query import Mode

    return chosen(Mode, name, "--mode")


def effort_named(name: str) -> "Effort":
    from search.cross_encoder import Effort

    return chosen(Effort, name, "--effort")


def group_named(name: str) -> "Group":
    from search.grouping import Group

    return chosen(Group, name, "--group")


def order_named(name: str) -> "Sort":
    from search.result_set import Sort

    return chosen(Sort, name, "--sort")


def chosen(choices: type[_Choice], name: str, option: str) -> _Choice:
    try:
        return choices(name)
    except ValueError:
        *others, last = (choice.value for choice in choices)
        advice = f"use {', '.join(others)} or {last}"
        raise typer.BadParameter(advice, param_hint=option) from None


def open_searcher(settings: "Settings") -> "closing[Searcher]":
    one_native_thread()
    from search.searcher import Searcher

    return closing(
        Searcher(settings.store, model=settings.model, mapped_vectors=settings.mapped_vectors)
    )


def require_store(folder: Path) -> None:
    # A writer would make a store where there is none; what removes or re-embeds must not.
    from index import store_folder

    store_folder.open_readonly(folder, any_format=True).close()


@contextmanager
def resumable(advice: Callable[[], str]) -> Iterator[None]:
    """Ctrl-C inside says what is kept and how to go on, and exits with 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"nutgraf: interrupted; {advice()}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def print_json(document: object) -> None:
    import json

    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def print_model(model: "BaseModel") -> None:
    typer.echo(model.model_dump_json(indent=2))


def stdout() -> "Console":
    from rich.console import Console

    return Console(highlight=False)


def stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def one_native_thread() -> None:
    # FAISS and BLAS start a thread for each core on every query otherwise, which costs more than it
    # gains. It is read once, when NumPy and FAISS are imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
