"""As many as the server can work for are let in; the rest are told at once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.types import Message, Scope

from index import deadline
from index.precedence import Precedence
from search.http import problems
from search.http.admission import Admission, Gate, Kind, Places
from search.http.metrics import Metrics

ONE = Places(questions=1, questions_waiting=1, feeds=1, feeds_waiting=0)


class Asked:
    """One request to an application, as a server makes it; it goes on until it is read."""

    def __init__(
        self, app: Any, method: str, path: str, body: bytes | None = None, *, reads: bool = True
    ) -> None:
        self.gone, self.is_read, self.whole = asyncio.Event(), asyncio.Event(), asyncio.Event()
        if reads:
            self.is_read.set()
        self.status, self.headers, self.body = 0, dict[str, str](), b""
        self._to_send = body
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [] if body is None else [(b"content-length", b"%d" % len(body))],
            "http_version": "1.1",
            "scheme": "http",
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def answered(self) -> int:
        await asyncio.wait_for(self.task, 10)
        return self.status

    async def _receive(self) -> Message:
        if self._to_send is not None:
            await self.whole.wait()
            body, self._to_send = self._to_send, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            await self.is_read.wait()
            self.body += message.get("body", b"")


class Service:
    """An application whose questions take as long as they are told to."""

    def __init__(self, places: Places, deadline_s: float = 10) -> None:
        self.metrics, self.done = Metrics(), asyncio.Event()
        self.questions = Precedence()
        self.at_work, self.pieces, self.stopped = 0, 0, ""
        self.app = FastAPI()
        problems.install(self.app)
        self.app.add_middleware(
            Admission,
            metrics=self.metrics,
            questions=self.questions,
            deadline_s=deadline_s,
            places=places,
        )

        @self.app.get("/v1/search")
        async def question() -> str:
            self.at_work += 1
            await self.done.wait()
            self.at_work -= 1
            return "answer"

        @self.app.get("/v1/slow")
        def slow() -> str:
            self.at_work += 1
            try:
                while True:
                    time.sleep(0.005)
                    deadline.check()
            except deadline.DeadlineError as error:
                self.stopped = str(error)
                raise
            finally:
                self.at_work -= 1

        @self.app.get("/v1/export")
        def export() -> StreamingResponse:
            return StreamingResponse(pieces())

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(3):
                self.pieces += 1
                yield b"piece"
                deadline.check()

        @self.app.post("/v1/articles")
        async def add(request: Request) -> int:
            body = await request.body()
            self.at_work += 1
            await self.done.wait()
            self.at_work -= 1
            return len(body)

        @self.app.get("/healthz")
        def health() -> str:
            return "ok"

    def ask(self, path: str = "/v1/search", *, reads: bool = True) -> Asked:
        return Asked(self.app, "GET", path, reads=reads)

    def feed(self, body: bytes = b"articles") -> Asked:
        return Asked(self.app, "POST", "/v1/articles", body)

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"nutgraf_{name}", labels) or 0.0


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.002)


def _run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/", Kind.QUESTION),
        ("GET", "/v1/status", Kind.QUESTION),
        ("POST", "/v1/batch", Kind.QUESTION),
        ("POST", "/v1/related", Kind.QUESTION),
        ("POST", "/v1/articles", Kind.FEED),
        ("DELETE", "/v1/articles/a", Kind.FEED),
        ("PATCH", "/v1/searches/1", Kind.FEED),
        ("GET", "/healthz", Kind.LIGHT),
        ("GET", "/metrics", Kind.LIGHT),
        ("GET", "/static/page.css", Kind.LIGHT),
        ("GET", "/statics", Kind.QUESTION),
    ],
)
def test_a_request_is_of_the_kind_of_work_it_makes(method: str, path: str, kind: Kind) -> None:
    assert Kind.of(method, path) is kind


def test_who_waits_longest_is_next_and_who_gives_up_takes_no_place() -> None:
    async def scenario() -> None:
        gate = Gate(1, 5)
        order: list[int] = []
        first = gate.ticket()
        tickets = [gate.ticket() for _ in range(4)]

        async def visit(number: int) -> None:
            await gate.entered(tickets[number], None)
            order.append(number)
            gate.leave()

        visits = [asyncio.create_task(visit(number)) for number in range(4)]
        await asyncio.sleep(0)
        visits[1].cancel()
        tickets[2].cancel()
        await gate.entered(first, None)
        gate.leave()
        await asyncio.gather(*visits, return_exceptions=True)
        assert order == [0, 3]
        assert not gate.waiting
        await gate.entered(gate.ticket(), 0.1)  # the place is free again
        with pytest.raises(TimeoutError):
            await gate.entered(gate.ticket(), 0.01)
        assert not gate.waiting

    _run(scenario)


def test_beyond_the_queue_a_question_is_sent_away_at_once_and_others_are_answered() -> None:
    async def scenario() -> None:
        service = Service(ONE)
        first, second = service.ask(), service.ask()
        await _until(lambda: service.at_work == 1)
        third = service.ask()
        assert await third.answered() == 503
        assert third.headers["Retry-After".lower()] == "1"
        assert json.loads(third.body)["type"] == "urn:nutgraf:problem:overloaded"
        assert service.counted("requests_shed_total", reason="question") == 1
        assert service.counted("requests_waiting") == 1
        assert await service.ask("/healthz").answered() == 200
        service.done.set()
        assert [await first.answered(), await second.answered()] == [200, 200]
        assert service.counted("requests_in_flight", kind="question") == 0
        assert await service.ask().answered() == 200

    _run(scenario)


def test_articles_have_places_of_their_own() -> None:
    async def scenario() -> None:
        service = Service(ONE)
        question, waiting, feed = service.ask(), service.ask(), service.feed()
        feed.whole.set()
        await _until(lambda: service.at_work == 2)
        refused = service.feed()
        refused.whole.set()
        assert await refused.answered() == 503
        service.done.set()
        assert [await each.answered() for each in (question, waiting, feed)] == [200] * 3

    _run(scenario)


def test_a_slow_sender_has_no_place_until_its_body_is_there() -> None:
    async def scenario() -> None:
        service = Service(ONE)
        service.done.set()
        slow = service.feed(b"slowly")
        await asyncio.sleep(0.01)
        quick = service.feed()
        quick.whole.set()
        assert await quick.answered() == 200
        slow.whole.set()
        assert await slow.answered() == 200
        assert slow.body == b"6"

    _run(scenario)


def test_a_slow_reader_gives_its_place_up_while_it_reads() -> None:
    async def scenario() -> None:
        service = Service(ONE)
        service.done.set()
        export = service.ask("/v1/export", reads=False)
        await _until(lambda: service.pieces == 1)
        assert await service.ask().answered() == 200
        assert service.pieces == 1
        export.is_read.set()
        assert await export.answered() == 200
        assert export.body == b"piece" * 3
        assert await service.ask().answered() == 200

    _run(scenario)


def test_a_question_over_its_time_is_a_problem_and_its_thread_is_free_again() -> None:
    async def scenario() -> None:
        service = Service(ONE, deadline_s=0.05)
        slow = service.ask("/v1/slow")
        assert await slow.answered() == 503
        assert json.loads(slow.body)["type"] == "urn:nutgraf:problem:timeout"
        assert service.at_work == 0
        assert service.counted("deadline_exceeded_total") == 1
        service.done.set()
        assert await service.ask().answered() == 200

    _run(scenario)


def test_waiting_counts_to_a_questions_time() -> None:
    async def scenario() -> None:
        service = Service(ONE, deadline_s=0.05)
        first = service.ask()
        await _until(lambda: service.at_work == 1)
        second = service.ask()
        assert await second.answered() == 503
        assert json.loads(second.body)["type"] == "urn:nutgraf:problem:timeout"
        service.done.set()
        assert await first.answered() == 200

    _run(scenario)


@pytest.mark.parametrize("is_waiting", [False, True])
def test_when_the_client_is_gone_the_work_stops(is_waiting: bool) -> None:
    async def scenario() -> None:
        service = Service(ONE)
        first = service.ask("/v1/slow")
        await _until(lambda: service.at_work == 1)
        if is_waiting:
            second = service.ask("/v1/slow")
            await asyncio.sleep(0.01)
            second.gone.set()
            await asyncio.wait_for(second.task, 1)
            assert service.at_work == 1
        first.gone.set()
        await asyncio.wait_for(first.task, 1)
        assert service.at_work == 0
        assert "nobody waits" in service.stopped
        assert service.counted("deadline_exceeded_total") == 0
        service.done.set()
        assert await service.ask().answered() == 200

    _run(scenario)


def test_each_piece_of_a_long_answer_has_the_time_again() -> None:
    async def scenario() -> None:
        service = Service(ONE, deadline_s=0.2)
        export = service.ask("/v1/export", reads=False)
        await asyncio.sleep(0.3)  # read slowly; that is no work of ours
        export.is_read.set()
        assert await export.answered() == 200
        assert export.body == b"piece" * 3

    _run(scenario)
