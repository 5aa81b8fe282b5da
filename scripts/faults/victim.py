"""The servers that are attacked, and a client beside that must not notice."""

import contextlib
import hashlib
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import httpx  # noqa: E402
from conftest import Server, serving  # noqa: E402

# The longest the client beside waits for an answer, refusals and new tries included.
LONGEST_S = 5.0
# As `nutgraf key` makes them, but the same in each run.
READ_KEY, FEED_KEY = f"ng_{'R' * 43}", f"ng_{'F' * 43}"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_QUESTION = "When must fishing boats wait for divers?"


@dataclass(frozen=True, slots=True)
class Victim:
    """A server without keys on loopback, and one with keys that listens to all."""

    open: Server
    keyed: Server

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, **params: str
    ) -> httpx.Response:
        """Ask the open server."""
        return httpx.get(self.open.url + path, params=params or None, headers=headers, timeout=60)

    def post(self, path: str, body: bytes, media_type: str, **headers: str) -> httpx.Response:
        """Send a body to the open server."""
        named = {"Content-Type": media_type, **headers}
        return httpx.post(self.open.url + path, content=body, headers=named, timeout=60)

    def raw(self, data: bytes, *, patience_s: float = 20.0) -> bytes:
        """Send bytes as they are; what comes back until the server closes or is silent."""
        with self.connection(patience_s) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            return received(connection)

    def connection(self, patience_s: float = 20.0) -> socket.socket:
        """A connection to the open server."""
        return socket.create_connection(("127.0.0.1", self.open.port), timeout=patience_s)


def received(connection: socket.socket) -> bytes:
    """All that comes until the other side closes, resets or is silent for the timeout."""
    pieces = []
    with contextlib.suppress(OSError):
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def statuses(reply: bytes) -> list[int]:
    """The status of each response in what came back."""
    return [int(status) for status in _STATUS.findall(reply)]


@contextmanager
def victims(store: Path, other: Path) -> Iterator[Victim]:
    """Both servers, over two stores with the articles of the tests."""
    hashes = {key: hashlib.sha256(key.encode()).hexdigest() for key in (READ_KEY, FEED_KEY)}
    entries = f"read:{hashes[READ_KEY]},feed:{hashes[FEED_KEY]}"
    with (
        serving(store, NUTGRAF_RATE_PER_MINUTE="0") as first,
        serving(other, "--host", "0.0.0.0", NUTGRAF_API_KEYS=entries) as second,
    ):
        yield Victim(first, second)


@dataclass(slots=True)
class Bystander:
    """A client that asks the same question again and again, and knows the answer."""

    victim: Victim
    answered: int = 0
    longest_s: float = 0.0
    faults: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Ask in a thread of its own for as long as the block runs."""
        thread = threading.Thread(target=self._ask_on)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def take_faults(self) -> list[str]:
        """What went wrong since this was last asked."""
        taken, self.faults[:] = list(self.faults), []
        return taken

    def _ask_on(self) -> None:
        with httpx.Client(base_url=self.victim.open.url, timeout=LONGEST_S) as client:
            while not self._stop.wait(0.05):
                began = time.monotonic()
                fault = self._ask(client, until=began + LONGEST_S)
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.answered += 1
                if fault:
                    self.faults.append(f"the client beside {fault}")

    def _ask(self, client: httpx.Client, until: float) -> str:
        while True:
            try:
                response = client.get("/v1/search", params={"q": _QUESTION, "k": 1})
            except httpx.HTTPError as error:
                refusal = f"got {error!r}"
            else:
                if response.status_code == 200:
                    hits = response.json()["hits"]
                    right = hits and hits[0]["article_id"] == "harbour-041"
                    return "" if right else f"was answered {response.text[:200]}"
                refusal = f"was refused with {response.status_code}"
                if response.status_code != 503:
                    return refusal
            if time.monotonic() > until:
                return f"{refusal} for {LONGEST_S:.0f} s"
            time.sleep(0.1)


Attack = Callable[[Victim], str]  # what went wrong; empty: the attack came to nothing
