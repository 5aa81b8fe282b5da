"""Where the collections are that a command is about: in a store here, or at a running server."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Protocol
from urllib.parse import quote

import httpx

from index import collections
from index.errors import NotFoundError, ServerError
from search.commands.client import connection, send
from search.desk import collection, collection_file
from search.desk.collection_export import CollectionFormat, exported
from search.http.collection_responses import (
    CollectionResponse,
    CollectionsResponse,
    MarkResponse,
    TakenInResponse,
    WholeCollectionResponse,
)
from search.searcher import Searcher
from search.settings import Settings

_PATH = "/v1/collections"


class Collections(Protocol):
    """What commands do with collections; both places answer and refuse alike.

    All raise NotFoundError or BadQueryError here and ServerError there, with the same message.
    """

    def listed(self) -> CollectionsResponse: ...

    def whole(self, id: str) -> WholeCollectionResponse: ...

    def exported(self, id: str, format: CollectionFormat) -> str: ...

    def make(self, name: str) -> tuple[CollectionResponse, bool]:
        """The collection of this name, and whether it is new."""
        ...

    def mark(
        self, id: str, cited: str, start: int | None, end: int | None, note: str | None
    ) -> tuple[MarkResponse, bool]:
        """The mark of `cited`, a passage or an article, and whether it is new."""
        ...

    def unmark(self, id: str, number: int) -> None: ...

    def remove(self, id: str) -> None: ...

    def take_in(self, data: bytes, path: str) -> TakenInResponse:
        """Add the marks of the file `path`, which holds `data`."""
        ...


@contextmanager
def opened(settings: Settings, server: str | None) -> Iterator[Collections]:
    """The collections of the server at this URL; None: of the store."""
    if server:
        with connection(server, settings.key_to_send) as client:
            yield _There(client)
    else:
        with closing(Searcher(settings.store)) as searcher:
            yield _Here(searcher)


def chosen(place: Collections, wanted: str) -> CollectionResponse:
    """The collection with this id or name.

    Raises:
        NotFoundError: there is none.
    """
    listed = place.listed().collections
    for field in ("id", "name"):
        for each in listed:
            if getattr(each, field) == wanted:
                return each
    raise NotFoundError(
        f"no collection has the id or name {wanted!r}; `nutgraf collections` lists them"
    )


class _Here:
    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def listed(self) -> CollectionsResponse:
        return CollectionsResponse.of(collection.listed(self._searcher))

    def whole(self, id: str) -> WholeCollectionResponse:
        return WholeCollectionResponse.of(collection.whole(self._searcher, id))

    def exported(self, id: str, format: CollectionFormat) -> str:
        return exported(collection.whole(self._searcher, id), format)

    def make(self, name: str) -> tuple[CollectionResponse, bool]:
        with self._desk() as truth:
            made, is_new = collections.make(truth, name)
            marks, _ = collections.marks(truth, made.id)
        return CollectionResponse.of(made, len(marks)), is_new

    def mark(
        self, id: str, cited: str, start: int | None, end: int | None, note: str | None
    ) -> tuple[MarkResponse, bool]:
        stretch = collection.named(self._searcher, cited, start=start, end=end)
        with self._desk() as truth:
            made, is_new = collections.put(truth, id, stretch, note)
        return MarkResponse.of(collection.standing(self._searcher, made)), is_new

    def unmark(self, id: str, number: int) -> None:
        with self._desk() as truth:
            collections.unmark(truth, id, number)

    def remove(self, id: str) -> None:
        with self._desk() as truth:
            collections.remove(truth, id)

    def take_in(self, data: bytes, path: str) -> TakenInResponse:
        file = collection_file.parsed(data, path)
        with self._desk() as truth:
            into, _, added = collection_file.take_in(truth, file)
        return TakenInResponse.of(into, added, len(file.marks) - added)

    @contextmanager
    def _desk(self) -> Iterator[sqlite3.Connection]:
        # A process that only reads does not import what writes, nor lock the store.
        from index.writer import Writer

        with Writer(self._searcher.folder) as writer, writer.desk() as truth:
            yield truth


class _There:
    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def listed(self) -> CollectionsResponse:
        return CollectionsResponse.model_validate_json(self._asked("GET", _PATH).content)

    def whole(self, id: str) -> WholeCollectionResponse:
        answer = self._asked("GET", _path(id))
        return WholeCollectionResponse.model_validate_json(answer.content)

    def exported(self, id: str, format: CollectionFormat) -> str:
        answer = self._asked("GET", f"{_path(id)}/export?format={format.value}")
        return answer.content.decode()

    def make(self, name: str) -> tuple[CollectionResponse, bool]:
        answer = self._asked("POST", _PATH, {"name": name})
        return CollectionResponse.model_validate_json(answer.content), answer.status_code == 201

    def mark(
        self, id: str, cited: str, start: int | None, end: int | None, note: str | None
    ) -> tuple[MarkResponse, bool]:
        asked = {self._kind_of(cited): cited, "start": start, "end": end, "note": note}
        answer = self._asked("POST", f"{_path(id)}/marks", asked)
        return MarkResponse.model_validate_json(answer.content), answer.status_code == 201

    def unmark(self, id: str, number: int) -> None:
        self._asked("DELETE", f"{_path(id)}/marks/{number}")

    def remove(self, id: str) -> None:
        self._asked("DELETE", _path(id))

    def take_in(self, data: bytes, path: str) -> TakenInResponse:
        collection_file.parsed(data, path)  # the server does not know the file's name
        answer = send(
            self._client,
            "POST",
            f"{_PATH}/import",
            content=data,
            headers={"Content-Type": "application/json"},
        )
        return TakenInResponse.model_validate_json(answer.content)

    def _kind_of(self, cited: str) -> str:
        try:
            self._asked("GET", f"/v1/passages/{quote(cited, safe='', errors='replace')}")
        except ServerError:
            return "article"
        return "passage"

    def _asked(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response:
        if body is None:
            return send(self._client, method, path)
        content = json.dumps(dict(body)).encode()
        return send(
            self._client,
            method,
            path,
            content=content,
            headers={"Content-Type": "application/json"},
        )


def _path(id: str) -> str:
    return f"{_PATH}/{quote(id, safe='')}"
