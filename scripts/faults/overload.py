"""Asks a real server for three times what it can do, and feeds it while somebody reads.

Usage: PYTHONPATH=. python scripts/faults/overload.py [--articles 1000] [--seconds 60] [--times 3]
A store of made-up articles is built and served by `nutgraf serve`, and its capacity is measured:
clients that ask one question after another. Then questions come at a steady rate, however many are
answered; then it is left alone, and then fed as fast as it takes articles while somebody asks ten
questions a second. Promised: at least 80 % of the capacity is answered, the rest is told so within
50 ms, all is as before within 5 s, and while it is fed the 95th percentile of what a reader waits
is at most half as much again. Exit 1 when a promise is broken. About 4 minutes.

The clients need a share of the processors, so on a small machine the server has less than that.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Final
from urllib.parse import quote

from index.article import SourceRecord
from index.default_model import tokenizer_file
from index.model import load_encoder
from index.writer import Writer
from search.http.bodies import read_ndjson

ROOT: Final = Path(__file__).resolve().parents[2]

GOODPUT: Final = 0.8  # of the capacity
SHED_MS: Final = 50.0
RECOVERED_S: Final = 5.0
FEEDING: Final = 1.5  # times the quiet percentile

_SHED_SHARE: Final = 0.99  # of what is sent away; the rest waited for the client's own processor
_FED_AT_ONCE: Final = 20
_READER_EVERY_S: Final = 0.1
_TURNS: Final = 5
_SERVE: Final = (sys.executable, "-m", "search", "serve", "--port", "0")


# ------------------------------------------------------------------------------- what is asked


class Press:
    """Articles and questions of random English words, rare ones rarely; a seed decides them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        words = json.loads(tokenizer_file())["model"]["vocab"]
        self._words = sorted(word for word in words if word.isalpha() and len(word) > 3)
        self._random.shuffle(self._words)
        self._weights = list(accumulate(1 / (rank + 5) for rank in range(len(self._words))))
        self._made = 0

    def article(self) -> dict[str, str]:
        """One of three paragraphs."""
        self._made += 1
        return {
            "id": f"made-{self._made}",
            "headline": self._sentence(7),
            "text": "\n\n".join(" ".join(self._sentence(14) for _ in range(4)) for _ in range(3)),
            "outlet": f"Outlet {self._made % 7}",
            "published": f"2025-{self._made % 12 + 1:02}-{self._made % 28 + 1:02}",
        }

    def question(self) -> str:
        """Hardly ever the same again, so that none is answered from what was kept."""
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=5))

    def _sentence(self, words: int) -> str:
        chosen = self._random.choices(self._words, cum_weights=self._weights, k=words)
        return f"{' '.join(chosen).capitalize()}."


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request."""

    status: int  # 0: no answer at all
    ms: float


class Clients:
    """Speaks HTTP/1.1 to one port, on as many connections as there are requests at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, question: str) -> Reply:
        return await self.send(f"GET /v1/search?q={quote(question)} HTTP/1.1", b"")

    async def feed(self, articles: Sequence[dict[str, str]]) -> Reply:
        return await self.send("POST /v1/articles HTTP/1.1", json.dumps(articles).encode())

    async def send(self, line: str, body: bytes) -> Reply:
        """`ms` counts from the moment the request was to be sent to the last byte."""
        began = time.perf_counter()
        status = 0
        with contextlib.suppress(OSError, EOFError):
            status = await self._sent(line, body)
        return Reply(status, (time.perf_counter() - began) * 1000)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _sent(self, line: str, body: bytes) -> int:
        while self._idle and self._idle[-1][0].at_eof():
            self._idle.pop()[1].close()
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(
                f"{line}\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            assert length, head
            await reader.readexactly(int(length[1]))
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return int(head.split()[1])


# ---------------------------------------------------------------------------------- the server


@contextlib.contextmanager
def served(articles: int, seed: int) -> Iterator[tuple[int, Press]]:
    """The port of a server over a new store of so many articles, all embedded, and its press."""
    press = Press(seed)
    folder = Path(tempfile.mkdtemp(prefix="overload-"))
    environment = {name: value for name, value in os.environ.items() if "NUTGRAF_" not in name}
    environment |= {"PYTHONPATH": str(ROOT), "NUTGRAF_RATE_PER_MINUTE": "0"}
    try:
        build(folder / "store", [press.article() for _ in range(articles)])
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*_SERVE, "--store", folder / "store"], stderr=log, env=environment
            )
        try:
            yield _port(folder / "log", server), press
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder)


def build(folder: Path, articles: Sequence[dict[str, str]]) -> None:
    """A store of these articles, all embedded."""
    lines = BytesIO("".join(f"{json.dumps(article)}\n" for article in articles).encode())
    with Writer(folder) as writer:
        writer.add([record for _, record in read_ndjson(lines) if isinstance(record, SourceRecord)])
        waiting = writer.waiting_texts(writer.waiting_order(-1))
        encoder = load_encoder(writer.model, threads=len(os.sched_getaffinity(0)))
        vectors = encoder.embed([item.text for item in waiting])
        writer.store_embeddings(waiting, vectors, writer.fingerprint)
        writer.publish()


def _port(log: Path, server: "subprocess.Popen[bytes]") -> int:
    while server.poll() is None:
        if found := re.search(r"answers at http://\S+?:(\d+)/", log.read_text()):
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"the server ended: {log.read_text()}")


# -------------------------------------------------------------------------------- what is measured


@dataclass
class Load:
    """What came of many requests in a stretch of time."""

    seconds: float
    replies: list[Reply] = field(default_factory=list)

    def of(self, *statuses: int) -> list[float]:
        """Milliseconds of those answered so, ascending."""
        return sorted(reply.ms for reply in self.replies if reply.status in statuses)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.of(200)) / self.seconds


async def closed_loop(clients: int, seconds: float, ask: Callable[[], Awaitable[Reply]]) -> Load:
    """So many clients, each with its next request when the one before is answered."""
    load = Load(seconds)
    until = time.perf_counter() + seconds

    async def one_after_another() -> None:
        while time.perf_counter() < until:
            load.replies.append(await ask())

    await asyncio.gather(*(one_after_another() for _ in range(clients)))
    return load


async def open_loop(a_second: float, seconds: float, ask: Callable[[], Awaitable[Reply]]) -> Load:
    """Requests at this rate, whatever becomes of those before."""
    load = Load(seconds)
    under_way: set[asyncio.Task[None]] = set()

    async def once() -> None:
        load.replies.append(await ask())

    began = time.perf_counter()
    for number in range(round(a_second * seconds)):
        await asyncio.sleep(began + number / a_second - time.perf_counter())
        task = asyncio.create_task(once())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return load


async def recovery_s(ask: Callable[[], Awaitable[Reply]], as_before_ms: float) -> float:
    """Seconds until ten questions in a row are answered as quickly as before."""
    began, in_a_row = time.perf_counter(), 0
    since = began
    while in_a_row < 10 and time.perf_counter() - began < 10 * RECOVERED_S:
        asked = time.perf_counter()
        reply = await ask()
        if reply.status == 200 and reply.ms <= as_before_ms:
            since = asked if in_a_row == 0 else since
            in_a_row += 1
        else:
            in_a_row = 0
    return (since if in_a_row else time.perf_counter()) - began


def percentile(ascending: Sequence[float], share: float) -> float:
    """NaN of nothing."""
    if not ascending:
        return float("nan")
    return ascending[min(int(share * len(ascending)), len(ascending) - 1)]


@dataclass(frozen=True, slots=True)
class Overload:
    """A server asked for more than it can do."""

    capacity: float  # answers a second
    offered: float  # questions a second
    goodput: float  # answers a second meanwhile
    answered_p95_ms: float
    shed: int
    shed_p50_ms: float
    shed_p99_ms: float
    shed_in_time: float  # share of them
    neither: int  # neither answered nor told to come again
    recovered_s: float

    @property
    def broken(self) -> list[str]:
        """The promises that were."""
        promises = {
            f"goodput >= {GOODPUT:.0%} of capacity": self.goodput >= GOODPUT * self.capacity,
            f"{_SHED_SHARE:.0%} of the rest told within {SHED_MS:.0f} ms": not self.shed
            or self.shed_in_time >= _SHED_SHARE,
            "everybody got an answer": not self.neither,
            f"as before within {RECOVERED_S:.0f} s": self.recovered_s <= RECOVERED_S,
        }
        return [promise for promise, is_kept in promises.items() if not is_kept]


async def overload(port: int, press: Press, *, seconds: float, times: float) -> Overload:
    """Measure the capacity of the server, then ask for `times` as much for so many seconds."""
    clients = Clients(port)

    def ask() -> Awaitable[Reply]:
        return clients.ask(press.question())

    at_once = 2 * len(os.sched_getaffinity(0))
    await closed_loop(at_once, 2, ask)  # first questions load what is loaded when needed
    quiet = await closed_loop(1, max(seconds / 10, 2), ask)
    capacity = (await closed_loop(at_once, max(seconds / 4, 5), ask)).rate
    load = await open_loop(times * capacity, seconds, ask)
    recovered_s = await recovery_s(ask, 2 * percentile(quiet.of(200), 0.95))
    clients.close()
    shed = load.of(503)
    answered = load.of(200)
    return Overload(
        capacity=capacity,
        offered=times * capacity,
        goodput=load.rate,
        answered_p95_ms=percentile(answered, 0.95),
        shed=len(shed),
        shed_p50_ms=percentile(shed, 0.5),
        shed_p99_ms=percentile(shed, 0.99),
        shed_in_time=sum(ms <= SHED_MS for ms in shed) / max(len(shed), 1),
        neither=len(load.replies) - len(shed) - len(answered),
        recovered_s=recovered_s,
    )


@dataclass(frozen=True, slots=True)
class Feeding:
    """What a reader waits while the archive is fed, and while it is not."""

    quiet_p50_ms: float
    quiet_p95_ms: float
    fed_p50_ms: float
    fed_p95_ms: float
    articles_a_second: float

    @property
    def broken(self) -> list[str]:
        """The promises that were."""
        is_kept = self.fed_p95_ms <= FEEDING * self.quiet_p95_ms
        return [] if is_kept else [f"read p95 while feeding <= {FEEDING} x quiet"]


async def feeding(port: int, press: Press, *, seconds: float) -> Feeding:
    """Read for so many seconds in quiet, and for as many while articles are fed, by turns.

    By turns, because other work on the machine would be measured as one or the other's.
    """
    clients = Clients(port)

    def ask() -> Awaitable[Reply]:
        return clients.ask(press.question())

    def feed() -> Awaitable[Reply]:
        return clients.feed([press.article() for _ in range(_FED_AT_ONCE)])

    await open_loop(1 / _READER_EVERY_S, 2, ask)
    quiet, read, fed = Load(seconds), Load(seconds), Load(seconds)
    for _ in range(_TURNS):
        turn = seconds / _TURNS
        quiet.replies += (await open_loop(1 / _READER_EVERY_S, turn, ask)).replies
        feeding, reading = await asyncio.gather(
            closed_loop(1, turn, feed), open_loop(1 / _READER_EVERY_S, turn, ask)
        )
        fed.replies += feeding.replies
        read.replies += reading.replies
    clients.close()
    quiet_ms, read_ms = quiet.of(200), read.of(200)
    return Feeding(
        quiet_p50_ms=percentile(quiet_ms, 0.5),
        quiet_p95_ms=percentile(quiet_ms, 0.95),
        fed_p50_ms=percentile(read_ms, 0.5),
        fed_p95_ms=percentile(read_ms, 0.95),
        articles_a_second=fed.rate * _FED_AT_ONCE,
    )


def show_overload(over: Overload, seconds: float) -> None:
    """Print what became of it, as a table."""
    print(f"capacity   {over.capacity:6.1f} answers/s")
    print(f"offered    {over.offered:6.1f} questions/s for {seconds:.0f} s")
    print(
        f"answered   {over.goodput:6.1f} /s ({over.goodput / over.capacity:.0%} of capacity), "
        f"p95 {over.answered_p95_ms:.0f} ms"
    )
    print(
        f"sent away  {over.shed:6} in p50 {over.shed_p50_ms:.1f} ms, "
        f"p99 {over.shed_p99_ms:.1f} ms, {over.shed_in_time:.2%} within {SHED_MS:.0f} ms"
    )
    print(f"neither    {over.neither:6}")
    print(f"as before  {over.recovered_s:6.2f} s after")


def show_feeding(fed: Feeding) -> None:
    """Print what a reader waited, as a table."""
    print(f"read quiet p50 {fed.quiet_p50_ms:.1f} ms   p95 {fed.quiet_p95_ms:.1f} ms")
    print(
        f"read fed   p50 {fed.fed_p50_ms:.1f} ms   p95 {fed.fed_p95_ms:.1f} ms   "
        f"({fed.fed_p95_ms / fed.quiet_p95_ms:.2f} times) at {fed.articles_a_second:.0f} articles/s"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with served(arguments.articles, arguments.seed) as (port, press):
        over = asyncio.run(overload(port, press, seconds=arguments.seconds, times=arguments.times))
        show_overload(over, arguments.seconds)
        fed = asyncio.run(feeding(port, press, seconds=arguments.seconds / 2))
        show_feeding(fed)
    broken = [*over.broken, *fed.broken]
    print(f"total      {len(broken)} promises broken{''.join(f'; {one}' for one in broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
