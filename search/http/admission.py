"""Who is let to work, who waits, and who is sent away, before any work was done for them.

More questions at once than there are processors do not come sooner, and each of them later. So a
few are at work, a few wait in the order they came, and what comes beyond that is told at once to
come again (503, `Retry-After`): the rest is served as fast as ever. Articles and what the desk
keeps have places of their own, for there is one writer. How the server is, and its static files,
anybody is told at any time.

A body is taken in before its request asks for a place, and a client that reads slowly gives its
place up meanwhile: nobody keeps others from working by being slow.

A question has a deadline, `index.deadline`: in time, or when its client is gone. Once the answer
has begun, each piece of it has that time again. What changes the archive is finished.
"""

import asyncio
import logging
import os
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.deadline import Deadline, within
from index.errors import DeadlineError
from index.precedence import Precedence
from search.http.metrics import Metrics
from search.http.problems import ProblemError, note_problem, problem_of, problem_response

# Half of a question's time is Python, of which one thread at a time is run: more at once come no
# sooner, and keep waiting who is told so.
_QUESTIONS_PER_CORE: Final = 1
_WAITING_PER_PLACE: Final = 4
# One commits, one is read and prepared; who waits has sent its whole body, at most a large file.
_FEEDS: Final = 2
_FEEDS_WAITING: Final = 16
# What a client takes longer to read than this is read at its own pace, not at ours.
_SLOW_TO_READ_S: Final = 0.05
_RETRY_AFTER_S: Final = "1"

_ALWAYS: Final = ("/healthz", "/readyz", "/metrics", "/openapi.json")
_STATIC: Final = "/static/"
_ASKING_BY_POST: Final = ("/v1/batch", "/v1/related")
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_WITH_BODY: Final = ("POST", "PUT", "PATCH")  # of others nobody reads it

logger = logging.getLogger(__name__)


class _OverloadedError(Exception):
    """Whoever asks should come again."""


OVERLOADED: Final = "overloaded"  # the kind of problem that it is to be sent away
_OVERLOADED: Final = ProblemError(
    503,
    OVERLOADED,
    "The server has as much to do as it can",
    "nothing was done for this request; send it again in a moment",
).problem
# Made once, and sent to whoever comes when there is no place.
_SENT_AWAY: Final = problem_response(_OVERLOADED, {"Retry-After": _RETRY_AFTER_S})


async def _send_away(scope: Scope, receive: Receive, send: Send) -> None:
    note_problem(scope, _OVERLOADED)
    await _SENT_AWAY(scope, receive, send)


class Kind(Enum):
    """Kinds of requests; each has places of its own, but what is light needs none."""

    QUESTION = "question"
    FEED = "feed"
    LIGHT = "light"

    @classmethod
    def of(cls, method: str, path: str) -> "Kind":
        if path in _ALWAYS or path.startswith(_STATIC):
            return cls.LIGHT
        return cls.QUESTION if method in _SAFE or path in _ASKING_BY_POST else cls.FEED


class Gate:
    """Places at work and a queue for them. For one event loop."""

    def __init__(self, places: int, waiting: int) -> None:
        self._free, self._most_waiting = places, waiting
        self._tickets: deque[asyncio.Future[None]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now would find no place, and none in the queue."""
        return not self._free and len(self._tickets) >= self._most_waiting

    @property
    def waiting(self) -> int:
        return len(self._tickets)

    def ticket(self) -> "asyncio.Future[None]":
        """Done as soon as its holder has a place; it is for `entered` to wait for."""
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._free:
            self._free -= 1
            ticket.set_result(None)
        else:
            self._tickets.append(ticket)
        return ticket

    async def entered(self, ticket: "asyncio.Future[None]", within_s: float | None) -> None:
        """Wait for a place; a ticket that somebody cancels is given back.

        Raises:
            TimeoutError: there was none in `within_s` seconds; None: as long as it takes.
            asyncio.CancelledError: the ticket was cancelled, or the waiting.
        """
        try:
            async with asyncio.timeout(within_s):
                await ticket
        except BaseException:
            if ticket in self._tickets:
                self._tickets.remove(ticket)
            elif not ticket.cancelled():
                self.leave()  # it came in the moment it was given up
            raise

    def leave(self) -> None:
        """Hand a place on to who waits longest."""
        while self._tickets:
            ticket = self._tickets.popleft()
            if not ticket.done():
                ticket.set_result(None)
                return
        self._free += 1


@dataclass(frozen=True, slots=True)
class Places:
    """How many are at work at once, and how many wait for that."""

    questions: int
    questions_waiting: int
    feeds: int = _FEEDS
    feeds_waiting: int = _FEEDS_WAITING

    @classmethod
    def of_this_machine(cls) -> "Places":
        questions = _QUESTIONS_PER_CORE * len(os.sched_getaffinity(0))
        return cls(questions, _WAITING_PER_PLACE * questions)


class Admission:
    """Lets requests to the application as far as it can work for them."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        questions: Precedence,
        deadline_s: float,
        places: Places | None = None,
    ) -> None:
        """The gates are those of one application.

        Args:
            questions: is told when questions are at work.
            deadline_s: how long a question may take.
            places: None: as many as the machine has cores for.
        """
        self._questions = questions
        self._app, self._metrics, self._deadline_s = app, metrics, deadline_s
        places = places or Places.of_this_machine()
        self._gates = {
            Kind.QUESTION: Gate(places.questions, places.questions_waiting),
            Kind.FEED: Gate(places.feeds, places.feeds_waiting),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = Kind.of(scope["method"], scope["path"])
        if kind is Kind.LIGHT:
            with self._metrics.in_flight.labels(kind.value).track_inprogress():
                await self._app(scope, receive, send)
            return
        if self._gates[kind].is_full:
            # Most of an overload ends here: nothing was made for it that would cost the others.
            self._metrics.shed.labels(kind.value).inc()
            await _send_away(scope, receive, send)
            return
        deadline = Deadline(self._deadline_s) if kind is Kind.QUESTION else None
        questions = self._questions if kind is Kind.QUESTION else None
        visit = _Visit(kind, self._gates[kind], deadline, questions, self._metrics, receive, send)
        try:
            await self._admitted(visit, scope)
        except ClientDisconnect:
            pass  # in the midst of its body
        except _OverloadedError:
            await _send_away(scope, receive, send)
        except ProblemError as error:
            await problem_response(error.problem, error.headers)(scope, receive, send)
        except DeadlineError as error:
            await problem_response(problem_of(error))(scope, receive, send)
        finally:
            visit.end()

    async def _admitted(self, visit: "_Visit", scope: Scope) -> None:
        if not (scope["method"] in _WITH_BODY and _has_body(scope)):
            visit.listen()
            if not await visit.enter():
                return
        deadline = visit.deadline
        try:
            with within(deadline) if deadline else nullcontext():
                await self._app(scope, visit.receive, visit.send)
        except Exception:
            if not (visit.has_begun and deadline and deadline.is_over):
                raise
            # Its status is sent, so the connection is cut, and the client sees that it was.
            logger.info("answer cut short reason=%s", "time" if deadline.has_passed else "gone")


class _Visit:
    """One request on its way: waits for its place, gives it up, and sees its client go."""

    def __init__(
        self,
        kind: Kind,
        gate: Gate,
        deadline: Deadline | None,
        questions: Precedence | None,
        metrics: Metrics,
        receive: Receive,
        send: Send,
    ) -> None:
        self.deadline, self.has_begun = deadline, False
        self._kind, self._gate, self._questions, self._metrics = kind, gate, questions, metrics
        self._receive, self._send = receive, send
        self._has_place = False
        self._ticket: asyncio.Future[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._is_told_of_body = False

    async def receive(self) -> Message:
        """As the application receives; the end of its body waits for a place."""
        if self._listening is not None:
            if not self._is_told_of_body:
                self._is_told_of_body = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._is_told_of_body = True
            self.listen()
            if not await self.enter():
                return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        """As the application sends; while a client is slow to read, another one is served."""
        self.has_begun = True
        if not message.get("more_body", False):
            await self._send(message)
        else:
            await self._send_a_piece(message)
        if self.deadline:
            self.deadline.renew()

    async def _send_a_piece(self, message: Message) -> None:
        sending = asyncio.ensure_future(self._send(message))
        try:
            await asyncio.wait([sending], timeout=_SLOW_TO_READ_S)
            if not sending.done():
                self._leave()
            await sending
        finally:
            sending.cancel()
        if not (self._has_place or self._gone.is_set()):
            await self._place_unless_gone(None)

    def listen(self) -> None:
        """See the client go from now on; what is left of a body is of no interest."""
        self._listening = asyncio.create_task(self._listen())

    def turn_away_if_full(self) -> None:
        """_OverloadedError when there is no place, and none in the queue."""
        if self._gate.is_full:
            self._metrics.shed.labels(self._kind.value).inc()
            raise _OverloadedError

    async def enter(self) -> bool:
        """Wait for a place; False: the client went away.

        Raises:
            _OverloadedError: there is none, and none in the queue.
            DeadlineError: there was none in time.
        """
        self.turn_away_if_full()
        try:
            return await self._place_unless_gone(
                self.deadline.remaining_s() if self.deadline else None
            )
        except TimeoutError:
            assert self.deadline  # nothing else bounds the waiting
            raise self.deadline.exceeded() from None

    def end(self) -> None:
        """It is answered, or was not."""
        self._leave()
        if self._listening:
            self._listening.cancel()
        if self.deadline and self.deadline.was_exceeded:
            self._metrics.deadline_exceeded.inc()

    async def _place_unless_gone(self, within_s: float | None) -> bool:
        self._ticket = self._gate.ticket()
        if not self._ticket.done():
            try:
                with self._metrics.waiting.track_inprogress():
                    await self._gate.entered(self._ticket, within_s)
            except asyncio.CancelledError:
                if not self._gone.is_set():
                    raise
                return False
        self._has_place = True
        if self._questions:
            self._questions.begin()
        self._metrics.in_flight.labels(self._kind.value).inc()
        return True

    def _leave(self) -> None:
        if self._has_place:
            self._has_place = False
            if self._questions:
                self._questions.end()
            self._gate.leave()
            self._metrics.in_flight.labels(self._kind.value).dec()

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()
        if self.deadline:
            self.deadline.cancel()
        if self._ticket:
            self._ticket.cancel()


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )
