"""Shared fixtures: a small archive, and the real command and the real server over it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"

# A shell that runs the tests in the background ignores Ctrl-C for all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Each is awkward in one way, said behind it.
ARTICLES: list[dict[str, object]] = [
    {
        "id": "harbour-041",
        "headline": "Harbour reopens after the storm",
        "text": "Northport harbour opened again on Friday, nine days after the storm closed it.\n\n"
        "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters.\n\n"
        "Fishing boats must wait until divers have looked at the outer mole.",
        "outlet": "Northport Courier",
        "byline": "Tomas Lindqvist",
        "section": "Local",
        "url": "https://courier.example/2025/03/harbour?from=front&id=41",  # a query in the URL
        "published": "2025-03-14T19:12",  # a time without a zone
    },
    {
        "id": "council-007",
        "headline": "Council <b>votes</b> on trams",  # HTML, in the text too
        "text": "The council voted for the tram line. <script>alert('tram')</script>\n\n"
        "Mayor Liv Aasen said 3 < 4 & that the first tram would run in May.",
        "outlet": "Northport Courier",
        "byline": "Ana Duarte",
        "section": "Politics",
        "published": "2025-02-01",
    },
    {
        "id": "museum-3",
        "headline": "Museum shows the lost map",
        "text": "The island museum shows the map of 1702 that divers found in a wreck.\n\n"
        "Curator Jon Weiss called it the oldest chart of the sound.",
        "outlet": "The Islander",
        # no byline, no date
    },
    {
        "guid": "tag:islander.example,2024:9",  # an id that is no path segment
        "headline": "Ferry fares rise",
        "text": "Fares of the island ferry rise by 4 % in January, the company said on Monday.",
        "outlet": "The Islander",
        "byline": "Tomas Berg",
        "section": "Local",
        "published": "2024-12",  # only the month
    },
]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**more: str) -> dict[str, str]:
    """The environment without our settings, so that tests see none but their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUTGRAF_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("NUTGRAF_") and name != "NUTGRAF_DATA":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def nutgraf() -> Run:
    """Runs the command line in a process of its own."""

    def run(
        *arguments: object, stdin: str = "", cwd: Path = ROOT, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "search", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment(**variables),
            timeout=300,
        )

    return run


@pytest.fixture(scope="session")
def harbour(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Path:
    """A store with four articles, all embedded. Not to be changed: see `harbour_copy`."""
    folder = tmp_path_factory.mktemp("harbour") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES)
    added = nutgraf("add", "-", "--store", folder, stdin=lines)
    assert added.returncode == 0, added.stderr
    return folder


@pytest.fixture
def harbour_copy(harbour: Path, tmp_path: Path) -> Path:
    """A copy of `harbour` that a test may change."""
    return Path(shutil.copytree(harbour, tmp_path / "store"))


class Server:
    """`nutgraf serve` in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.log: list[str] = []
        found = threading.Event()

        def follow() -> None:
            assert process.stderr
            for line in process.stderr:
                self.log.append(line)
                if "answers at" in line:
                    found.set()
            found.set()
            process.stderr.close()

        self._thread = threading.Thread(target=follow, daemon=True)
        self._thread.start()
        assert found.wait(60), "".join(self.log)
        match = re.search(r"http://(\S+?):(\d+)/", "".join(self.log))
        assert match, "".join(self.log)
        self.port = int(match[2])
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._thread.join(10)
        return code


@contextmanager
def serving(store: Path, *arguments: str, **variables: str) -> Iterator[Server]:
    """A running server over `store`; it must end well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "search", "serve", "--port", "0", "--store", store, *arguments],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(**variables),
    )
    try:
        server = Server(process)
        yield server
        if process.poll() is None:
            assert server.stop() == 0, "".join(server.log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="session")
def harbour_url(harbour: Path) -> Iterator[str]:
    """A server that only answers questions, over `harbour`."""
    with serving(harbour, "--read-only") as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, the one that is installed."""
    if not shutil.which(CHROMIUM):
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()
