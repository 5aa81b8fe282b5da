"""Kills a real server with SIGKILL at random moments while four clients are at work.

The clients add with idempotency keys, replace, remove, mark, save searches and ask; each keeps a
ledger of what it was answered. After each kill the server starts again on the same store, and the
store must show what the ledgers say, in every arm: a request that was under way is wholly there
or not.

How long reopening takes is what a start takes longer than one on an empty store, which is what the
interpreter, its imports and the model need.

    python scripts/faults/kill_server.py [--kills N]
"""

import argparse
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

from kill_points import REOPENING_S, folder_in_memory  # noqa: E402
from oracle import Shown, shown  # noqa: E402
from server_clients import Client  # noqa: E402

from index import collections, saved_searches, store_folder  # noqa: E402
from index.model import Encoder, load_encoder  # noqa: E402
from index.snapshot import Snapshot, SnapshotReader  # noqa: E402

CLIENTS: Final = 4
_MOST_ANSWERED: Final = 60  # requests between a start and the next kill
_AFTER_THAT_S: Final = 0.1
_STARTS: Final = 3  # on an empty store, to see what a start takes by itself
_SHARES: Final = 2  # stores, and servers, side by side
_KILLED_WHILE_STARTING: Final = 10  # one in so many


class Server:
    """`nutgraf serve` over a store, in a process of its own."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._began_s = time.monotonic()
        self._log = log
        with log.open("w") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "search", "serve", "--port", "0", "--store", str(folder)],
                cwd=HERE.parents[1],
                stdin=subprocess.DEVNULL,
                stderr=said,
                env=_environment(),
            )

    def ready_s(self) -> float:
        """Wait until questions are answered; seconds since the start of the process."""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", self._log.read_text())):
            if self._process.poll() is not None:
                status, said = self._process.returncode, self._log.read_text()
                raise AssertionError(f"the server does not start (status {status}): {said}")
            time.sleep(0.01)
        self.port = int(found[1])
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz") as answer:
            assert answer.status == 200
        return time.monotonic() - self._began_s

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """Ask it to end, as an operator does; its exit status."""
        self._process.terminate()
        return self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _environment() -> dict[str, str]:
    """Ours without Nutgraf's settings; four clients ask for all that they can, without a limit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUTGRAF_")}
    return {**kept, "NUTGRAF_RATE_PER_MINUTE": "0"}


@dataclass(slots=True)
class Tally:
    """What became of the kills of one store."""

    kills: int = 0
    cut_off: int = 0  # requests that were under way
    acknowledged: Counter[str] = field(default_factory=Counter)
    start_s: float = 0.0  # on an empty store
    reopened_s: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def kill_many(kills: int, seed: int) -> Tally:
    """Kill a server again and again on one store; judge the store after each kill."""
    tally = Tally()
    chance = random.Random(seed)
    with folder_in_memory() as parent:
        tally.start_s = _start_s(parent)
        folder = parent / "store"
        clients = [Client(f"c{n}", seed + n) for n in range(CLIENTS)]
        while tally.kills < kills and not tally.broken:
            if chance.randrange(_KILLED_WHILE_STARTING) == 0:
                with Server(folder, parent / "log"):
                    time.sleep(chance.random() * tally.start_s)
                tally.kills += 1
            _one_life(folder, parent / "log", clients, chance, tally)
            tally.broken += [line for client in clients for line in client.broken]
        with Server(folder, parent / "log") as server:
            _reopen(server, folder, clients, tally)
        tally.acknowledged.update(
            {
                what: sum(client.acknowledged.get(what, 0) for client in clients)
                for what in {what for client in clients for what in client.acknowledged}
            }
        )
    return tally


def _start_s(parent: Path) -> float:
    starts = []
    for n in range(_STARTS):
        with Server(parent / f"empty-{n}", parent / "log") as server:
            starts.append(server.ready_s())
        shutil.rmtree(parent / f"empty-{n}")
    return statistics.median(starts)


def _one_life(
    folder: Path, log: Path, clients: list[Client], chance: random.Random, tally: Tally
) -> None:
    """A server from its start to its death, its clients at work; and what it left before judged.

    It dies at random, but not before some requests were answered, however slow the machine is.
    """
    with Server(folder, log) as server:
        _reopen(server, folder, clients, tally)
        if tally.broken:
            return
        last = _answered(clients) + chance.randrange(_MOST_ANSWERED)
        threads = [threading.Thread(target=client.work, args=(server.port,)) for client in clients]
        for thread in threads:
            thread.start()
        while _answered(clients) < last and all(thread.is_alive() for thread in threads):
            time.sleep(0.001)
        time.sleep(chance.random() * _AFTER_THAT_S)
    for thread in threads:
        thread.join()
    tally.kills += 1
    tally.cut_off += sum(client.perhaps is not None for client in clients)


def _answered(clients: list[Client]) -> int:
    return sum(sum(client.acknowledged.values()) for client in clients)


def _reopen(server: Server, folder: Path, clients: list[Client], tally: Tally) -> None:
    """Wait for a server that starts again, and hold the store against its clients' ledgers."""
    tally.reopened_s.append(max(0.0, server.ready_s() - tally.start_s))
    reader = SnapshotReader(folder)
    with closing(reader), closing(store_folder.open_readonly(folder)) as truth:
        snapshot = reader.latest()
        try:
            seen = shown(snapshot, embedding)
            strangers = {key for key in seen if _owner(key) not in {c.name for c in clients}}
            assert not strangers, f"nobody's articles: {strangers}"
            searches = {row.name for row in saved_searches.searches(truth)}
            for client in clients:
                _settle(client, snapshot, seen, _marks_of(truth, client.name), searches)
        except AssertionError as error:
            tally.broken.append(f"after {tally.kills} kills: {error or 'two arms disagree'}")


def _settle(
    client: Client, snapshot: Snapshot, seen: Shown, marks: dict[str, str], searches: set[str]
) -> None:
    client.settle(
        {key: article for key, article in seen.items() if _owner(key) == client.name},
        marks,
        {name for name in searches if name.split()[0] == client.name},
    )
    wrong = client.sure.model.former_differs_from(snapshot)
    assert not wrong, wrong


def _marks_of(truth: sqlite3.Connection, name: str) -> dict[str, str]:
    """The notes in the collection of this name, by the id of the article that is marked."""
    found = collections.named(truth, name)
    marks, damaged = collections.marks(truth, found.id) if found else ([], 0)
    assert not damaged
    return {str(mark.marked.article_id): mark.note for mark in marks}


def _owner(article: str) -> str:
    return article.partition("-")[0]


@cache
def _encoder() -> Encoder:
    return load_encoder()


@cache
def embedding(text: str) -> NDArray[np.float32]:
    return _encoder().embed([text])[0]


# ------------------------------------------------------------------ by hand


def main() -> int:
    """Print what became of all kills; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="of the server [200]")
    kills = parser.parse_args().kills
    began_s = time.monotonic()
    with ProcessPoolExecutor(_SHARES, mp_context=get_context("spawn")) as pool:
        runs = [
            pool.submit(kill_many, (kills + share) // _SHARES, 1000 * share)
            for share in range(_SHARES)
        ]
        tallies = [run.result() for run in runs]
    return _print(tallies, time.monotonic() - began_s)


def _print(tallies: list[Tally], seconds: float) -> int:
    acknowledged: Counter[str] = Counter()
    for tally in tallies:
        acknowledged += tally.acknowledged
    for what, count in sorted(acknowledged.items()):
        print(f"{what:12} {count:7} acknowledged")
    reopened = sorted(second for tally in tallies for second in tally.reopened_s)
    broken = [line for tally in tallies for line in tally.broken]
    for line in broken:
        print(f"BROKEN {line}")
    print(
        f"{sum(t.kills for t in tallies)} kills, {sum(t.cut_off for t in tallies)} requests cut "
        f"off; {len(broken)} promises broken; reopening {reopened[len(reopened) // 2]:.2f} s in "
        f"the middle, {reopened[-1]:.2f} s at most, beside "
        f"{max(t.start_s for t in tallies):.2f} s of every start; {seconds:.0f} s"
    )
    return int(bool(broken) or reopened[-1] > REOPENING_S)


if __name__ == "__main__":
    import kill_server

    sys.exit(kill_server.main())
