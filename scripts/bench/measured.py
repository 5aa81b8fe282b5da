"""Child processes that are measured: how long they take, how soon they answer, what memory."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Container, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SAMPLED_EVERY_S = 0.05
START_S = 300  # the longest a server may take to its first answer
MEBI = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took that has ended well."""

    seconds: float
    peak_mb: float  # see `peak_mb`
    said_s: float  # until it said what was waited for, to `SAMPLED_EVERY_S`; else as `seconds`


def run(
    command: Sequence[str | Path], *, well: Container[int] = (0,), until_said: str = ""
) -> Cost:
    """Run a process to its end, and leave with the end of what it said if that is not well.

    Args:
        well: the exit statuses of a process that did what it was to do.
        until_said: what it says on its way.
    """
    said_s = 0.0
    with tempfile.TemporaryFile() as said:
        began, peak = time.perf_counter(), 0.0
        child = subprocess.Popen(list(map(str, command)), stdout=said, stderr=said)
        try:
            while child.poll() is None:
                peak = max(peak, peak_mb(child.pid))
                if not said_s and until_said and until_said in _said(said):
                    said_s = time.perf_counter() - began
                try:
                    child.wait(SAMPLED_EVERY_S)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            child.kill()
        seconds = time.perf_counter() - began
        if child.returncode not in well:
            _leave(command, child.returncode, said)
    return Cost(seconds, peak, said_s or seconds)


def peak_mb(pid: int) -> float:
    """MB of memory (resident) that a process and those below it held at most, each by itself."""
    total, waiting = 0.0, [pid]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        try:
            lines = (process / "status").read_text().splitlines()
            children = [path.read_text() for path in process.glob("task/*/children")]
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        total += sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
        waiting += [int(child) for line in children for child in line.split()]
    return total


def folder_mb(folder: Path) -> float:
    """MB of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEBI


class Server:
    """A child that answers over HTTP on a port of 127.0.0.1; a context manager.

    `{port}` in an argument of the command stands for `port`, on which it is to listen.
    """

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.port = _free_port()
        self._command = [str(part).replace("{port}", str(self.port)) for part in command]

    def __enter__(self) -> Self:
        self._said = tempfile.TemporaryFile()  # closed in __exit__
        self._began = time.perf_counter()
        self._child = subprocess.Popen(self._command, stdout=self._said, stderr=self._said)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._child.terminate()
        try:
            self._child.wait(30)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._said.close()

    def first_answer_s(self, path: str) -> float:
        """Seconds from its start until it first answered this question."""
        while time.perf_counter() - self._began < START_S:
            if self._child.poll() is not None:
                _leave(self._command, self._child.returncode, self._said)
            try:
                self.client().ask(path)
            except (ConnectionError, TimeoutError, http.client.HTTPException, NotAnswered):
                time.sleep(0.02)
            else:
                return time.perf_counter() - self._began
        raise SystemExit(f"{self._command[0]} gave no answer within {START_S} s")

    def client(self) -> "Client":
        """A connection of its own that is kept open."""
        return Client(self.port)

    def times_and_answers(self, paths: Iterable[str]) -> tuple[list[float], list[Any]]:
        """Milliseconds a question, asked one after another, and the JSON answers."""
        client, times, answers = self.client(), [], []
        for path in paths:
            began = time.perf_counter()
            answer = client.ask(path)
            times.append((time.perf_counter() - began) * 1000)
            answers.append(json.loads(answer))
        return times, answers

    def per_second(self, paths: Sequence[str], clients: int) -> float:
        """Questions answered a second, where so many clients each ask as soon as they can."""

        def asks(shares: Sequence[str]) -> None:
            client = self.client()
            for path in shares:
                client.ask(path)

        with ThreadPoolExecutor(clients) as pool:
            began = time.perf_counter()
            list(pool.map(asks, (paths[first::clients] for first in range(clients))))
            return len(paths) / (time.perf_counter() - began)

    def peak_mb(self) -> float:
        """As `peak_mb` of this server until now."""
        return peak_mb(self._child.pid)


class NotAnswered(Exception):
    """A status other than 200, with what the body says."""


class Client:
    """Asks with the least work of its own: it shares the cores with the server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path: str) -> bytes:
        """The body of the answer.

        Raises:
            NotAnswered: the status is not 200.
        """
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise NotAnswered(f"{path}: {response.status} {body[:500]!r}")
        return body


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _said(said: Any) -> str:
    """What a process wrote so far; where it goes on writing stays as it is."""
    length = os.fstat(said.fileno()).st_size
    return os.pread(said.fileno(), length, 0).decode("utf-8", "replace")


def _leave(command: Sequence[str | Path], status: int, said: Any) -> None:
    last = _said(said).strip().splitlines()[-15:]
    raise SystemExit(f"{' '.join(map(str, command))} ended with {status}:\n" + "\n".join(last))
