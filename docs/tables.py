"""The tables in README.md, made from the code: `python -m cogapp -r README.md` renews them."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import typer
from pydantic_core import PydanticUndefined

from index import errors
from search.api import build_app
from search.cli import app
from search.commands.command import INTERRUPTED, SOME_REJECTED
from search.http.access import Access
from search.http.archive import Archive
from search.settings import CONFIG_VARIABLE, ENV_PREFIX, Settings


def commands() -> str:
    """Every command with its options."""
    group = cast(Any, typer.main.get_command(app))
    return _table(
        ("command", "what it does"),
        (
            (f"`{' '.join((name, *_usage(command)))}`", _sentence(command.help))
            for name, command in group.commands.items()
        ),
    )


def settings() -> str:
    """Every setting, where it comes from, its default and what it does."""
    rows = [
        (f"`{ENV_PREFIX}{name.upper()}`", f"`{name}`", _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    config = (f"`{CONFIG_VARIABLE}`", "", "not set", "The TOML file, as `--config FILE`.")
    return _table(("variable", "in the file", "default", "what it does"), [*rows, config])


def routes() -> str:
    """Every HTTP route that the OpenAPI document describes, and the page's."""
    schema = _openapi()
    rows = [
        (f"`{method.upper()} {path}`", operation["summary"])
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    own = [
        ("`GET /openapi.json`", "This interface, for programs"),
        ("`GET /`", "The page for readers"),
        ("`GET /articles/{id}`", "An article on a page, its passages to be linked to"),
        ("`GET /articles/{id}/cite`", "How a passage or a marked stretch is cited, on a page"),
        ("`GET /stories`", "The biggest stories of a week on a page"),
        ("`GET /stories/{id}`", "A story on a page: what happened, and who was first to report"),
        ("`GET /collections`", "What was marked, on pages"),
        ("`GET /searches`", "The saved searches on a page"),
        ("`GET /archive`", "What the archive holds, on a page"),
    ]
    return _table(("route", "what it is"), [*rows, *own])


def parameters() -> str:
    """The parameters of a question over HTTP, what must be given first."""
    search = _openapi()["paths"]["/v1/search"]["get"]
    return _table(
        ("parameter", "what it does"),
        (
            (f"`{parameter['name']}`", parameter["description"])
            for parameter in sorted(search["parameters"], key=lambda each: not each.get("required"))
            if parameter["in"] == "query"
        ),
    )


def exit_codes() -> str:
    """What the command ends with."""
    return _table(
        ("exit code", "meaning"),
        (
            ("0", "done"),
            (str(errors.NutgrafError.exit_code), "failed; the message says why and what to do"),
            (str(errors.BadQueryError.exit_code), "wrong usage: an option, a filter, a setting"),
            (str(SOME_REJECTED), "some records were rejected, all others are in"),
            (
                str(errors.StoreLockedError.exit_code),
                "another process writes to the store; the message says which",
            ),
            (str(INTERRUPTED), "interrupted with Ctrl-C; what was done is kept"),
        ),
    )


def _openapi() -> dict[str, Any]:
    # The routes do not touch the archive before they are asked.
    archive = cast(Archive, SimpleNamespace(searcher=None, questions=None))
    return build_app(archive, Access("127.0.0.1"), max_body_bytes=1).openapi()


def _usage(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.name == "help":
            continue
        if parameter.param_type_name == "argument":
            name = parameter.name.upper()
            many = "…" if parameter.nargs != 1 else ""
            yield f"{name}{many}" if parameter.required else f"[{name}{many}]"
        elif parameter.is_flag:
            yield f"[{parameter.opts[0]}]"
        else:
            value = parameter.metavar or parameter.name.upper()
            option = f"{parameter.opts[0]} {value}"
            yield option if parameter.required else f"[{option}]"


def _sentence(help_text: str) -> str:
    return " ".join(help_text.split())


def _default(field: Any) -> str:
    if field.default in (None, (), PydanticUndefined):
        return "not set"
    return f"`{str(field.default).lower() if field.default is False else field.default}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )
