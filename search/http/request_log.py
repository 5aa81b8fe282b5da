"""One line in the log for each request, and its time among the metrics.

    request method=GET route=/v1/search status=200 ms=12 bytes=4711 key=1f3a77c0 id=9d2e…

A line names the template of the route and not the path, the first digits of a key's hash and not
the key. What was asked is not in it unless `log_queries` is set; headers and bodies never are. A
request that is sent away because there is too much to do is only counted: lines would add to it.
"""

import json
import logging
import re
import secrets
import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.http.access import Access
from search.http.admission import OVERLOADED
from search.http.metrics import Metrics
from search.http.problems import noted_problem

REQUEST_ID: Final = "X-Request-Id"

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What the counter of refused requests calls a problem.
_REFUSALS: Final = {"unauthorized": "key", "scope": "scope", "forbidden": "place"}
# nginx's number for a client that went away before it was answered; it is never sent.
_CLIENT_GONE: Final = 499

logger = logging.getLogger(__name__)


class RequestLog:
    """Logs and measures each request, and gives it an id: the client's own `X-Request-Id`, if fit.

    The outermost of our layers, so that what others refuse is seen as well.
    """

    def __init__(
        self, app: ASGIApp, access: Access, metrics: Metrics, *, log_queries: bool
    ) -> None:
        self._app = app
        self._access = access
        self._metrics = metrics
        self._log_queries = log_queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request = HTTPConnection(scope)
        request_id = _request_id(request)
        status, size_bytes = _CLIENT_GONE, 0

        async def send_and_note(message: Message) -> None:
            nonlocal status, size_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            elif message["type"] == "http.response.body":
                size_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            status = 500  # Starlette answers it, outside of all layers
            raise
        finally:
            elapsed_s = time.perf_counter() - began
            route = _route(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.seconds.labels(route, method, str(status)).observe(elapsed_s)
            problem = noted_problem(scope)
            if problem in _REFUSALS:
                self._metrics.refused.labels(_REFUSALS[problem]).inc()
            if problem != OVERLOADED:
                key = self._access.key_of(request)
                logger.info(
                    "request method=%s route=%s status=%d ms=%.0f bytes=%d key=%s id=%s%s",
                    method,
                    route,
                    status,
                    elapsed_s * 1000,
                    size_bytes,
                    key.name if key else "-",
                    request_id,
                    f" target={_target(scope)}" if self._log_queries else "",
                )


def _route(scope: Scope) -> str:
    """The template of the route, `-` where none was reached; never what a client made up."""
    # Below a mount there is no route; the mount's own path is what stands for it.
    return str(getattr(scope.get("route"), "path", scope.get("root_path") or "-"))


def _request_id(request: HTTPConnection) -> str:
    sent = request.headers.get(REQUEST_ID, "")
    return sent if _ID.fullmatch(sent) else secrets.token_hex(8)


def _target(scope: Scope) -> str:
    # Quoted as JSON, so that no line break and no control character gets into the log.
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    return json.dumps((raw + (b"?" + query if query else b"")).decode("latin-1"))
