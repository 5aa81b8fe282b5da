"""How many questions a second a server answers, over HTTP, to one, two, four and eight clients.

Usage: python scripts/bench/throughput.py STORE QUERIES [--clients 1 2 4 8] [--seconds 5]
Serves STORE with `nutgraf serve`, read-only, and asks the questions of QUERIES, a BEIR-layout
queries.jsonl: first each of them once, so that none is answered from what was kept, then ten of
them again and again. Each client asks its next question when the one before is answered. The
clients are on the same machine and take their share of it. The plain way that the ratio speaks of
is one client, one question after another. About a minute.
"""

import argparse
import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from header import header
from measured import Server

WARM_UP = 20
REPEATED = 10
SERVE = (sys.executable, "-m", "search", "serve", "--read-only", "--port", "{port}", "--store")


@dataclass(frozen=True, slots=True)
class Load:
    """What some clients were answered."""

    ms: list[float]  # of each answer
    seconds: float

    @property
    def a_second(self) -> float:
        return len(self.ms) / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    with arguments.queries.open(encoding="utf-8") as lines:
        questions = [json.loads(line)["text"] for line in lines]
    with Server((*SERVE, arguments.store)) as server:
        server.first_answer_s("/readyz")
        port = server.port
        asyncio.run(closed_loop(port, 2, 60, iter(questions[:WARM_UP])))
        once = iter(questions[WARM_UP:])
        distinct = {
            clients: asyncio.run(closed_loop(port, clients, arguments.seconds, once))
            for clients in arguments.clients
        }
        repeated = {
            clients: asyncio.run(
                closed_loop(port, clients, arguments.seconds, itertools.cycle(questions[:REPEATED]))
            )
            for clients in arguments.clients
        }
    print(header())
    print(f"store      {arguments.store.name}, questions of {arguments.queries.parent.name}\n")
    print("| questions | clients | answers/s | p50 ms | p95 ms | times one client |")
    print("|---|---|---|---|---|---|")
    for name, loads in (("distinct", distinct), ("repeated", repeated)):
        alone = next(iter(loads.values()))
        for clients, load in loads.items():
            p50, p95 = np.percentile(load.ms, [50, 95])
            print(
                f"| {name} | {clients} | {load.a_second:.0f} | {p50:.1f} | {p95:.1f} "
                f"| {load.a_second / alone.a_second:.2f} |"
            )


async def closed_loop(port: int, clients: int, seconds: float, questions: Iterator[str]) -> Load:
    """So many clients for so many seconds, or until there is no question left."""
    ms: list[float] = []
    began = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for question in questions:
            asked = time.perf_counter()
            if asked > began + seconds:
                break
            writer.write(
                f"GET /v1/search?q={quote(question)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            if not head.startswith(b"HTTP/1.1 200") or not length:
                raise RuntimeError(f"no answer: {head.decode()}")
            await reader.readexactly(int(length[1]))
            ms.append((time.perf_counter() - asked) * 1000)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    if not ms:
        raise SystemExit("there are fewer questions than were answered; ask for fewer --seconds")
    return Load(ms, time.perf_counter() - began)


if __name__ == "__main__":
    main()
