"""Connections that nobody holds by being slow, and of which there are never too many.

uvicorn waits for as long as a client likes: for the rest of a request's head, for the next byte of
its body, for it to read the answer. Each connection here is looked at every few seconds and is cut
when it made no progress worth its place. When all places are taken, a newcomer gets that of the
connection that has been without a request for longest; only if all are at work is it sent away.
"""

import asyncio
import logging
import resource
import time
from collections.abc import Callable
from typing import Any, Final, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from search.http.metrics import Metrics
from search.http.problems import MEDIA_TYPE, ProblemError

# A head is one packet or a few. The looks at a connection are this far apart, so one that sends
# nothing is cut after once to twice as long.
LOOK_EVERY_S: Final = 5.0
# Less than that is a client that wants to be slow: the slowest modem made 3,000 bytes a second.
LEAST_BYTES_PER_S: Final = 1_000
MOST_CONNECTIONS: Final = 1_000
# Kept for the store's own files: each snapshot that is held has a database and its words open.
_OTHER_FILES: Final = 512

logger = logging.getLogger(__name__)


def connection_factory(
    metrics: Metrics, *, look_every_s: float = LOOK_EVERY_S, most: int = MOST_CONNECTIONS
) -> type[asyncio.Protocol]:
    """What uvicorn takes for `http`: a protocol whose connections are watched.

    Args:
        look_every_s: seconds between two looks at a connection.
        most: connections at once, at most; fewer where the system allows fewer open files.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != resource.RLIM_INFINITY:
        most = min(most, max(allowed - _OTHER_FILES, allowed // 2))

    class Watched(_Connection):
        _metrics, _look_every_s, _most = metrics, look_every_s, most

    return Watched


class _Connection(H11Protocol):
    """One connection. What it is waiting for is told by h11's two states, and by the flow."""

    _metrics: Metrics
    _look_every_s: float
    _most: int

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._look: asyncio.TimerHandle | None = None
        # Not the loop's time: of those that uvloop takes in one round it is the same.
        self._idle_since = time.monotonic()
        self._began: float | None = self._idle_since  # a request; None: no byte of the next came
        self._received = 0  # bytes since the last look
        self._was_drained = False  # since the last look
        self._unsent = 0  # bytes at the last look, while nothing was added

    # ------------------------------------------------------- what asyncio and uvicorn call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > self._most and not self._make_room():
            self._metrics.shed.labels("connections").inc()
            self._refuse(503, "overloaded", "The server has as many connections as it can")
            return
        self._look = self.loop.call_later(self._look_every_s, self._look_at_it)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self.conn.their_state is h11.IDLE and self._began is None:
            self._began = time.monotonic()
        if not self.transport.is_closing():
            super().data_received(data)

    def resume_writing(self) -> None:
        self._was_drained = True
        super().resume_writing()

    def on_response_complete(self) -> None:
        self._idle_since, self._began = time.monotonic(), None
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:  # the next head had come before
            self._began = self._idle_since

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad-http", "This is no HTTP request")

    # ------------------------------------------------------------------------- what we do

    def _look_at_it(self) -> None:
        self._look = self.loop.call_later(self._look_every_s, self._look_at_it)
        enough = LEAST_BYTES_PER_S * self._look_every_s
        received, self._received = self._received, 0
        if not self._is_read(enough):
            self._cut("slow_reader")
            self.transport.abort()
        elif self._waits_for_head:
            self._cut("slow_head")
            self._refuse(408, "slow", "The request did not come in time")
        elif self._sends_what_nobody_reads:
            self._cut("refused_body")
            self.transport.abort()
        elif self._waits_for_body and received < enough:
            self._cut("slow_body")
            self._refuse(408, "slow", "The request did not come in time")

    @property
    def _waits_for_head(self) -> bool:
        """Longer than it should. Where no byte of one came, uvicorn closes a connection itself."""
        return self.conn.their_state is h11.IDLE and self._has_had_time

    @property
    def _waits_for_body(self) -> bool:
        wants_more = not self.flow.read_paused
        return self.conn.their_state is h11.SEND_BODY and wants_more and self._has_had_time

    @property
    def _has_had_time(self) -> bool:
        """Whether a request has been coming for as long as looks are apart.

        One whose first bytes came just before a look has had no time to be slow.
        """
        return self._began is not None and time.monotonic() - self._began >= self._look_every_s

    def _is_read(self, enough: float) -> bool:
        """Whether the client took what there was to read, or a good part of it."""
        unsent = self.transport.get_write_buffer_size()
        before, self._unsent = self._unsent, unsent
        was_drained, self._was_drained = self._was_drained, False
        if not unsent or not before or was_drained:
            return True
        # While an answer is under way and the buffer is not full, more may have come into it.
        is_added_to = not self.flow.write_paused and not self._is_idle
        return is_added_to or before - unsent >= min(enough, before)

    @property
    def _sends_what_nobody_reads(self) -> bool:
        """A body whose request is answered, such as one too large: it would be read for ever."""
        return self.conn.their_state is h11.SEND_BODY and self._is_idle and self.cycle is not None

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _make_room(self) -> bool:
        """Cut the connection that is without a request for longest, if there is one."""
        others = [
            connection
            for connection in self.connections
            if isinstance(connection, _Connection)
            and connection is not self
            and connection._is_idle
            and not connection.transport.is_closing()
        ]
        if not others:
            return False
        oldest = min(others, key=lambda connection: connection._idle_since)
        self._metrics.shed.labels("idle_connection").inc()
        oldest.transport.abort()
        return True

    def _cut(self, reason: str) -> None:
        self._metrics.shed.labels(reason).inc()
        logger.info("connection cut reason=%s", reason)

    def _refuse(self, status: int, kind: str, title: str) -> None:
        """Answer with a problem if an answer can still be given, and close."""
        if self.transport.is_closing():
            return
        can_answer = self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE)
        if not can_answer or (self.cycle and self.cycle.response_started and not self._is_idle):
            self.transport.abort()
            return
        error = ProblemError(status, kind, title, _DETAILS[status])
        body = error.problem.model_dump_json(exclude_none=True).encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        send: Callable[..., bytes | None] = self.conn.send
        events = (
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(send(event) or b"" for event in events))
        if self.cycle and not self._is_idle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


_DETAILS: Final = {
    400: "what came is not as RFC 9112 has it; use a library that speaks HTTP/1.1",
    408: f"send at least {LEAST_BYTES_PER_S:,} bytes a second, and the head at once",
    503: "nothing was done for this request; send it again in a moment",
}
