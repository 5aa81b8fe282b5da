"""Pages, style sheets and scripts travel compressed.

Each piece is flushed as it comes, so that a browser shows the beginning of a page while the rest of
it is still being worked out. What is under `/v1` is left as it is: exports and batches are streams
for programs, which take them row by row.
"""

import zlib
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TYPES: Final = ("text/html", "text/css", "text/javascript", "application/javascript")
_GZIP: Final = 31  # zlib's number for the format of gzip
_LEVEL: Final = 6  # a page of 60 kB takes 1 ms


class Compression:
    """Compresses the bodies of `_TYPES` for clients that take gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _takes_gzip(Headers(scope=scope)):
            await self._app(scope, receive, _Compressing(send))
        else:
            await self._app(scope, receive, send)


class _Compressing:
    """Sends the messages of one response, its body compressed if it is to be."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._compressor: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] not in (206, 304) and _is_compressible(headers):
                self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
                headers["Content-Encoding"] = "gzip"
                headers.add_vary_header("Accept-Encoding")
                del headers["Content-Length"]
                if "etag" in headers:  # byte for byte it is another body now
                    headers["ETag"] = f"W/{headers['etag'].removeprefix('W/')}"
        elif message["type"] == "http.response.body" and self._compressor:
            is_last = not message.get("more_body", False)
            body = self._compressor.compress(message.get("body", b""))
            body += self._compressor.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)
            message = {**message, "body": body}
        await self._send(message)


def _is_compressible(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0]
    return media_type in _TYPES and "content-encoding" not in headers


def _takes_gzip(headers: Headers) -> bool:
    offers = [offer.replace(" ", "") for offer in headers.get("accept-encoding", "").split(",")]
    return any(offer == "gzip" or offer.startswith("gzip;q=0.") for offer in offers) or (
        "gzip;q=1" in offers
    )
