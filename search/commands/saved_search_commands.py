"""The commands that keep searches and tell what came in for them: save, searches, forget, alerts.

With `--server URL` a running server does it, which holds the store's lock.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from search.commands.command import (
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
    effort_named,
    group_named,
    mode_named,
    one_native_thread,
    open_searcher,
    order_named,
    print_model,
    require_store,
    settings_of,
    stdout,
)

if TYPE_CHECKING:
    import httpx

    from search.desk.saved_search import Desk
    from search.http.saved_search_responses import AlertsResponse
    from search.searcher import Searcher
    from search.settings import Settings

Server = Annotated[
    str | None, typer.Option("--server", metavar="URL", help="Have a running server do it.")
]
_JSON = {"Content-Type": "application/json"}


@app.command()
def save(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call the search.")],
    question: Question,
    mode: ModeName = "plain",
    outlet: Outlet = None,
    byline: Byline = None,
    section: Section = None,
    language: Language = None,
    published_from: From = None,
    published_to: To = None,
    sort: Order = "relevance",
    effort: EffortName = "quick",
    group: GroupName = "report",
    model: Model = None,
    server: Server = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Save a search.

    From now on `nutgraf alerts` and its feed tell which reports come in for it.
    """
    one_native_thread()
    from index.model import encodable
    from search.http.saved_search_responses import SavedSearchResponse, SaveRequest

    _refuse_model(model, server)
    request = SaveRequest.checked(
        name=encodable(name),
        q=encodable(question),
        mode=mode_named(mode),
        outlet=[encodable(value) for value in outlet or []],
        byline=[encodable(value) for value in byline or []],
        section=[encodable(value) for value in section or []],
        language=[encodable(value) for value in language or []],
        published_from=published_from,
        published_to=published_to,
        sort=order_named(sort),
        effort=effort_named(effort),
        group=group_named(group),
    )
    settings = settings_of(ctx, store=store, model=model)
    if server:
        with _connected(server, settings) as client:
            body = request.model_dump_json(by_alias=True, exclude_defaults=True)
            saved = SavedSearchResponse.model_validate_json(
                _sent(client, "POST", "/v1/searches", body)
            )
    else:
        from search.desk import alerts, saved_search

        with _open(settings) as desk:
            search, is_new = saved_search.save(
                desk.searcher, desk.commit, request.name, request.question()
            )
            saved = (
                SavedSearchResponse.saved(search)
                if is_new
                else SavedSearchResponse.of(alerts.watch(desk.searcher, search.id))
            )
    if as_json:
        print_model(saved)
    else:
        typer.echo(f"{saved.id} saved; its feed is {saved.feed}")


@app.command()
def searches(
    ctx: typer.Context,
    model: Model = None,
    server: Server = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """List the saved searches.

    Each with its id, its question, and how many reports came in for it.
    """
    _refuse_model(model, server)
    settings = settings_of(ctx, store=store, model=model)
    one_native_thread()
    from search.http.saved_search_responses import SavedSearchesResponse

    if server:
        with _connected(server, settings) as client:
            listed = SavedSearchesResponse.model_validate_json(_sent(client, "GET", "/v1/searches"))
    else:
        with open_searcher(settings) as searcher:
            from search.desk import alerts

            listed = SavedSearchesResponse.of(alerts.watch_all(searcher))
    if as_json:
        print_model(listed)
    else:
        from search.commands.saved_search_terminal import print_searches

        print_searches(stdout(), listed)


@app.command()
def forget(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(help="A saved search's id, as `searches` prints it.")],
    server: Server = None,
    store: Store = None,
) -> None:
    """Forget a saved search.

    Its feed goes with it.
    """
    settings = settings_of(ctx, store=store)
    one_native_thread()
    if server:
        from urllib.parse import quote

        with _connected(server, settings) as client:
            _sent(client, "DELETE", f"/v1/searches/{quote(id, safe='')}")
    else:
        from search.desk import saved_search

        with _open(settings) as desk:
            saved_search.forget(desk.commit, id)
    typer.echo(f"{id} forgotten")


@app.command()
def alerts(
    ctx: typer.Context,
    model: Model = None,
    server: Server = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Tell what is new for the saved searches.

    Prints what came in since it was run last, and nothing at all when nothing did.
    """
    _refuse_model(model, server)
    settings = settings_of(ctx, store=store, model=model)
    one_native_thread()
    from search.http.saved_search_responses import AlertsResponse

    if server:
        with _connected(server, settings) as client:
            told = AlertsResponse.model_validate_json(_sent(client, "POST", "/v1/alerts"))
            _print_alerts(told, as_json)
            if told.alerts:
                body = f'{{"until": {told.until}}}'
                _sent(client, "POST", "/v1/alerts/delivered", body)
        return
    from search.desk import alerts as watching

    with _open(settings) as desk:
        watching.record(desk.searcher, desk.commit)
        found, until = watching.undelivered(desk.searcher)
        told = AlertsResponse.of(found, until)
        _print_alerts(told, as_json)
        if told.alerts:
            watching.delivered(desk.commit, until)


def _print_alerts(told: "AlertsResponse", as_json: bool) -> None:
    if as_json:
        print_model(told)
    elif told.alerts:
        from search.commands.saved_search_terminal import print_alerts

        print_alerts(stdout(), told)
    # Only what reached its reader is delivered; a pipe that is closed says so here.
    sys.stdout.flush()


@dataclass(frozen=True)
class _OpenDesk:
    """A store that is open for answers and for what its users keep."""

    searcher: "Searcher"
    commit: "Desk"


@contextmanager
def _open(settings: "Settings") -> Iterator[_OpenDesk]:
    from index.errors import StoreLockedError
    from index.writer import Writer

    require_store(settings.store)
    try:
        writer = Writer(settings.store, model=settings.model)
    except StoreLockedError as error:
        raise StoreLockedError(
            f"{settings.store}: {error.holder} is writing to this store; wait for it, or if it is "
            "a server have it do this with --server URL",
            error.holder,
        ) from None
    with writer, open_searcher(settings) as searcher:
        yield _OpenDesk(searcher, writer.desk)


@contextmanager
def _connected(url: str, settings: "Settings") -> "Iterator[httpx.Client]":
    from search.commands.client import connection

    with connection(url, settings.key_to_send) as client:
        yield client


def _sent(client: "httpx.Client", method: str, path: str, body: str = "") -> bytes:
    from search.commands.client import send

    headers = _JSON if body else {}
    return send(client, method, path, content=body.encode(), headers=headers).content


def _refuse_model(model: str | None, server: str | None) -> None:
    if model and server:
        raise typer.BadParameter("the server has its own model", param_hint="--model")
