"""Compression of pages: which responses, and each piece of one as it comes."""

import asyncio
import gzip
import zlib
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from search.http.compression import Compression

PIECES = (b"<!doctype html><title>Asked</title>", b"<p>answered</p>" * 100, b"")


def _sent(
    accepts: str, content_type: str = "text/html; charset=utf-8", status: int = 200, **more: str
) -> list[Message]:
    """The messages of one response of `PIECES`, in order."""
    headers = {"content-type": content_type, "content-length": "1535", **more}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for at, piece in enumerate(PIECES):
            more_body = at < len(PIECES) - 1
            await send({"type": "http.response.body", "body": piece, "more_body": more_body})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope: Scope = {"type": "http", "headers": [(b"accept-encoding", accepts.encode())]}
    asyncio.run(Compression(app)(scope, receive, send))
    return sent


def _headers(sent: list[Message]) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}


def _bodies(sent: list[Message]) -> Iterator[bytes]:
    return (message["body"] for message in sent[1:])


@pytest.mark.parametrize("accepts", ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.8", "gzip;q=1"])
def test_a_page_is_compressed_for_who_takes_gzip(accepts: str) -> None:
    sent = _sent(accepts, etag='"a"')
    headers = _headers(sent)
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert headers["etag"] == 'W/"a"'
    assert "content-length" not in headers
    assert gzip.decompress(b"".join(_bodies(sent))) == b"".join(PIECES)


def test_each_piece_can_be_read_when_it_is_there() -> None:
    reader = zlib.decompressobj(31)
    for sent, piece in zip(_bodies(_sent("gzip")), PIECES, strict=True):
        assert reader.decompress(sent) == piece


@pytest.mark.parametrize("accepts", ["", "br", "gzip;q=0", "identity", "xgzip"])
def test_who_does_not_take_gzip_gets_the_page_as_it_is(accepts: str) -> None:
    sent = _sent(accepts)
    assert tuple(_bodies(sent)) == PIECES
    assert _headers(sent)["content-length"] == "1535"


@pytest.mark.parametrize(
    ("content_type", "status", "encoding"),
    [
        ("application/x-ndjson", 200, None),  # exports and batches
        ("text/csv", 200, None),
        ("application/json", 200, None),
        ("text/html", 206, None),
        ("text/html", 304, None),
        ("text/html", 200, "br"),
    ],
)
def test_nothing_else_is_compressed(content_type: str, status: int, encoding: str | None) -> None:
    more = {"content-encoding": encoding} if encoding else {}
    sent = _sent("gzip", content_type, status, **more)
    assert tuple(_bodies(sent)) == PIECES
