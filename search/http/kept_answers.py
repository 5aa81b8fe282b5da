"""Answers to questions, kept as they travelled, for who asks the same again.

An ETag names the snapshot, the version and the day, and a query string all that was asked; so what
is kept under both is what would be found. It is looked for before a request needs a place: it
takes a millisecond, when a page of hits that is only read and marked again takes ten.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import NutgrafError
from search.http.access import Access
from search.http.etags import etag_of, is_known
from search.http.metrics import Metrics
from search.searcher import Searcher

# An answer of ten hits is 15 kB.
_MOST_BYTES: Final = 32 << 20
_LARGEST_BYTES: Final = 1 << 20
_BESIDE_BODY_BYTES: Final = 2 << 10  # the response, its headers, and the entry


class KeptAnswers:
    """Whole responses under the newest ETag; those not asked for longest make room.

    Safe for many threads.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._etag = ""  # none has been seen
        self._kept: OrderedDict[bytes, Response] = OrderedDict()
        self._bytes = 0

    def get(self, etag: str, asked: bytes) -> Response | None:
        """The answer with this ETag to the query string `asked`.

        `etag` is the newest: nobody can be given an answer with another any more, so they go.
        """
        with self._guard:
            if etag != self._etag:
                self._etag, self._bytes = etag, 0
                self._kept.clear()
            response = self._kept.get(asked)
            if response is not None:
                self._kept.move_to_end(asked)
            return response

    def put(self, etag: str, asked: bytes, response: Response) -> None:
        """Keep `response`, which must have its whole body; what is too large or old is not kept."""
        size = _size(asked, response)
        if size > _LARGEST_BYTES:
            return
        with self._guard:
            self._etag = self._etag or etag
            if etag != self._etag:
                return
            before = self._kept.pop(asked, None)
            self._bytes += size - (_size(asked, before) if before else 0)
            self._kept[asked] = response
            while self._bytes > _MOST_BYTES:
                asked, let_go = self._kept.popitem(last=False)
                self._bytes -= _size(asked, let_go)


def _size(asked: bytes, response: Response) -> int:
    return len(asked) + len(response.body) + _BESIDE_BODY_BYTES


@dataclass(frozen=True, slots=True)
class _Reached:
    """Stands for the route where the log looks for one."""

    path: str


class RepeatedQuestions:
    """Answers a GET of `path` with what is kept; all else, and all errors, are the application's.

    Only while the newest snapshot is at hand: nobody waits here.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        path: str,
        answers: KeptAnswers,
        searcher: Searcher,
        access: Access,
        metrics: Metrics,
    ) -> None:
        self._app, self._route, self._answers = app, _Reached(path), answers
        self._searcher, self._access, self._metrics = searcher, access, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = self._answer(scope) if self._is_asked(scope) else None
        if kept is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        self._metrics.repeated.inc()
        await kept(scope, receive, send)

    def _is_asked(self, scope: Scope) -> bool:
        return bool(
            scope["type"] == "http"
            and scope["method"] == "GET"
            and scope["path"] == self._route.path
        )

    def _answer(self, scope: Scope) -> Response | None:
        request = HTTPConnection(scope)
        try:
            snapshot_id = self._searcher.snapshot_id_at_hand()
        except NutgrafError:
            return None
        if snapshot_id is None or not self._access.lets_read(request):
            return None
        etag = etag_of(snapshot_id)
        kept = self._answers.get(etag, scope["query_string"])
        if kept and is_known(etag, request.headers.get("if-none-match")):
            return Response(status_code=304, headers={"ETag": etag})
        return kept
