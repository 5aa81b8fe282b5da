"""No client holds a connection by being slow, and there are never too many."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from search.http import problems
from search.http.connections import LEAST_BYTES_PER_S, connection_factory
from search.http.metrics import Metrics

LOOK_S = 0.2
LARGE = 64 << 20


class Running:
    """A small application on a port, whose connections are looked at every `LOOK_S`."""

    def __init__(self, port: int, metrics: Metrics) -> None:
        self.port, self._metrics = port, metrics

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def cut(self, reason: str) -> float:
        labels = {"reason": reason}
        counted = self._metrics.registry.get_sample_value("nutgraf_requests_shed_total", labels)
        return counted or 0.0

    def answers(self) -> bool:
        with self.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return rest_of(client).startswith(b"HTTP/1.1 200")


@contextmanager
def running(most: int = 100, look_every_s: float = LOOK_S) -> Iterator[Running]:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def root() -> str:
        return "ok"

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.get("/large")
    def large() -> StreamingResponse:
        return StreamingResponse(iter([b"x" * (1 << 20)] * (LARGE >> 20)))

    metrics = Metrics()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=connection_factory(metrics, look_every_s=look_every_s, most=most),
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=2,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield Running(listening.getsockname()[1], metrics)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as server:
        yield server


def rest_of(client: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    received = b""
    try:
        while piece := client.recv(1 << 16):
            received += piece
    except ConnectionResetError:
        pass
    return received


def trickle(client: socket.socket, byte: bytes) -> bytes:
    """Send a byte ten times a second for ever; what came when the connection ended."""
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.1):
            try:
                client.sendall(byte)
            except OSError:
                return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        return rest_of(client)
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "slow_head"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-", "slow_head"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", "slow_body"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n", "slow_body"),
    ],
    ids=["no head", "half a head", "body", "chunked body"],
)
def test_who_sends_too_slowly_is_told_and_cut(server: Running, start: bytes, reason: str) -> None:
    before = server.cut(reason)
    with server.connect() as client:
        client.sendall(start)
        began = time.monotonic()
        answer = trickle(client, b"a")
        assert time.monotonic() - began < 20 * LOOK_S
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert b"urn:nutgraf:problem:slow" in answer
    assert server.cut(reason) == before + 1
    assert server.answers()


def test_half_a_second_head_is_cut_though_the_first_was_answered(server: Running) -> None:
    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
        answers = trickle(client, b"a")
    assert answers.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in answers


def test_a_client_that_thinks_before_its_next_request_is_not_slow(server: Running) -> None:
    with server.connect() as client:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while not answer.endswith(b'"ok"'):
                answer += client.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(3 * LOOK_S)


def test_a_body_that_begins_just_before_a_look_is_not_slow(server: Running) -> None:
    head, body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", b"abc"
    with server.connect() as client:
        for _ in range(12):  # the looks come in turn between the two
            client.sendall(head)
            time.sleep(LOOK_S / 2)
            client.sendall(body)
            answer = client.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 200"), answer


def test_a_body_that_comes_steadily_is_taken_however_long_it_is(server: Running) -> None:
    piece = b"x" * int(2 * LEAST_BYTES_PER_S * LOOK_S)
    pieces = 8
    with server.connect() as client:
        head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {pieces * len(piece)}\r\n\r\n"
        client.sendall(head.encode())
        for _ in range(pieces):
            client.sendall(piece)
            time.sleep(LOOK_S / 2)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert rest_of(client).count(b"HTTP/1.1 200") == 2


def test_who_does_not_read_the_answer_is_cut(server: Running) -> None:
    before = server.cut("slow_reader")
    with server.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        _until(lambda: server.cut("slow_reader") == before + 1)
        assert len(rest_of(client)) < LARGE


def test_who_reads_slowly_but_steadily_gets_the_whole_answer(server: Running) -> None:
    with server.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = 0
        while piece := client.recv(1 << 20):
            received += len(piece)
            time.sleep(0.02)
    assert received > LARGE


def test_what_is_no_http_is_told_so_as_a_problem(server: Running) -> None:
    with server.connect() as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        answer = rest_of(client)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"urn:nutgraf:problem:bad-http" in answer


def test_a_newcomer_gets_the_place_of_who_is_idle_for_longest() -> None:
    with running(most=5, look_every_s=60) as server, ExitStack() as stack:
        idle = [stack.enter_context(server.connect()) for _ in range(5)]
        time.sleep(LOOK_S / 4)
        assert server.answers()
        assert server.cut("idle_connection") >= 1
        assert rest_of(idle[0]) == b""


def test_when_all_are_at_work_a_newcomer_is_sent_away() -> None:
    with running(most=3, look_every_s=60) as server, ExitStack() as stack:
        for _ in range(3):
            busy = stack.enter_context(server.connect())
            busy.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        time.sleep(LOOK_S / 4)
        with server.connect() as newcomer:
            assert rest_of(newcomer).startswith(b"HTTP/1.1 503")
        assert server.cut("connections") == 1


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)
