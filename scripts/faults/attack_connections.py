"""Attacks by connections: too slow, too many, given up halfway."""

import contextlib
import json
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from victim import Attack, Victim, received, statuses

# Slow senders are looked at every five seconds and have to the second look.
CUT_WITHIN_S = 20.0
_SLOW = 40
_POST = b"POST /v1/articles HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
_ASK = b"GET /v1/search?q=ferry HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_LONG = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def _dripping(head: bytes, drop: bytes) -> Attack:
    """Many connections that say little and often: each is cut, for all its little."""

    def attack(victim: Victim) -> str:
        began = time.monotonic()
        with ExitStack() as stack:
            slow = [stack.enter_context(victim.connection(1.0)) for _ in range(_SLOW)]
            for connection in slow:
                connection.sendall(head)
            while slow and time.monotonic() - began < CUT_WITHIN_S:
                time.sleep(0.5)
                slow = [each for each in slow if not _is_cut(each, drop)]
        return f"{len(slow)} of {_SLOW} still hold on" if slow else ""

    return attack


def _is_cut(connection: socket.socket, drop: bytes) -> bool:
    try:
        connection.sendall(drop)
        connection.settimeout(0.01)
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def _silent(victim: Victim) -> str:
    """Connections that say nothing at all do not stay for good, nor keep others out."""
    with ExitStack() as stack:
        silent = [stack.enter_context(victim.connection(CUT_WITHIN_S)) for _ in range(_SLOW)]
        began = time.monotonic()
        received(silent[-1])
        waited_s = time.monotonic() - began
    return "" if waited_s < CUT_WITHIN_S else "a silent connection was kept"


def _slow_reading(victim: Victim) -> str:
    """Answers that nobody takes: the connection is cut, and works for nobody."""
    with ExitStack() as stack:
        slow = []
        for _ in range(10):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.settimeout(CUT_WITHIN_S)
            connection.connect(("127.0.0.1", victim.open.port))
            # Together more than the system holds for the server: it has to wait for us.
            with contextlib.suppress(OSError):
                connection.settimeout(0.5)
                for _ in range(200):
                    connection.sendall(_LONG)
            slow.append(connection)
        time.sleep(CUT_WITHIN_S * 0.8)
        still = sum(not _is_reset(each) for each in slow)
    return f"{still} of 10 still hold on" if still else ""


def _is_reset(connection: socket.socket) -> bool:
    try:
        connection.settimeout(0.2)
        for _ in range(100):
            connection.sendall(_ASK * 10)
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def _flood(victim: Victim) -> str:
    """More connections than are taken; afterwards there is room as before."""
    with ExitStack() as stack:
        for _ in range(1500):
            with contextlib.suppress(OSError):
                stack.enter_context(victim.connection(5.0))
    return _is_well(victim)


def _pipelined(victim: Victim) -> str:
    """A thousand requests at once on one connection: in order, all or up to a refusal."""
    last = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    found = statuses(victim.raw(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 999 + last))
    return "" if set(found) <= {200, 503} and found else f"answered {len(found)}: {set(found)}"


def _given_up(make: Callable[[Victim], bytes], times: int) -> Attack:
    """Requests whose client resets the connection at once, or after the first bytes came."""

    def attack(victim: Victim) -> str:
        request = make(victim)
        for number in range(times):
            with victim.connection(5.0) as connection:
                connection.sendall(request)
                if number % 2:
                    connection.settimeout(0.2)
                    with contextlib.suppress(OSError):
                        connection.recv(64)
                # Nothing is taken back: the other side sees a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return _is_well(victim)

    return attack


def _half_a_body(victim: Victim) -> bytes:
    return _POST + b'Content-Length: 100\r\n\r\n{"id": "never", "text": "Not a'


def _an_export(victim: Victim) -> bytes:
    articles = [
        {"id": f"long-{number}", "text": f"Bandicoot number {number} was counted. " * 20}
        for number in range(300)
    ]
    body = "\n".join(map(json.dumps, articles)).encode()
    victim.post("/v1/articles", body, "application/x-ndjson")
    return b"GET /v1/export?q=bandicoot&group=none&format=jsonl HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def _never_added(victim: Victim) -> str:
    """Of a body that breaks off nothing is added."""
    fault = _given_up(_half_a_body, 20)(victim)
    return fault or (
        "" if victim.get("/v1/articles/never").status_code == 404 else "half a body was added"
    )


def _endless_chunks(victim: Victim) -> str:
    """Chunks without end: refused at the limit of a body, and cut when they go on all the same."""
    began = time.monotonic()
    with victim.connection(CUT_WITHIN_S) as connection, contextlib.suppress(OSError):
        connection.sendall(_POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in _chunks():
            connection.sendall(piece)
            if time.monotonic() - began > CUT_WITHIN_S:
                return "it is still taken"
            time.sleep(0.02)
    return _is_well(victim)


def _chunks() -> Iterator[bytes]:
    piece = b"a" * 2**20
    while True:
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def _tiny_chunks(victim: Victim) -> str:
    """A body in a hundred thousand chunks of one byte."""
    chunks = b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n"
    head = _POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    found = statuses(victim.raw(head + chunks))
    return "" if set(found) <= {400, 408, 413} else f"answered {found}"


def _is_well(victim: Victim) -> str:
    for _ in range(50):
        with contextlib.suppress(OSError):
            reply = victim.raw(
                b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            )
            if statuses(reply) == [200]:
                return ""
        time.sleep(0.1)
    return "it does not answer any more"


QUICK: Mapping[str, Attack] = {
    "a thousand requests at once": _pipelined,
    "questions given up": _given_up(lambda _: _ASK, 100),
    "bodies given up": _never_added,
    "exports given up halfway": _given_up(_an_export, 20),
    "chunks without end": _endless_chunks,
    "a hundred thousand chunks": _tiny_chunks,
}
# Each takes as long as a slow client is borne with, or a thousand connections.
SLOW: Mapping[str, Attack] = {
    "heads byte by byte": _dripping(b"GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: a\r\n"),
    "bodies byte by byte": _dripping(_POST + b"Content-Length: 100000\r\n\r\n", b"a"),
    "chunks byte by byte": _dripping(_POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "connections that say nothing": _silent,
    "answers that nobody reads": _slow_reading,
    "a flood of connections": _flood,
}
