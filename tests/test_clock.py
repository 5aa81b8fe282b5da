"""The clock on the wall jumps: what was committed, its order and its answers stay as they are."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import feedparser
import httpx
import pytest
from conftest import Server, serving
from oracle import record, shown

from index.snapshot import SnapshotReader
from index.writer import Writer

sys.path.append(str(Path(__file__).resolve().parent.parent / "scripts" / "faults"))
from failing_calls import FailingCalls, build, compiler

DAY_S = 24 * 3600
YEAR_S = 365 * DAY_S


class Clock:
    """What `time.time` says, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._real, self.ahead_s = time.time, 0
        monkeypatch.setattr(time, "time", lambda: self._real() + self.ahead_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _add(folder: Path, key: str) -> tuple[str, int]:
    with Writer(folder) as writer:
        (outcome,) = writer.add([record(key, "weir")], idempotency_key=key)
    return outcome.status, outcome.version


def test_commits_keep_their_order_whatever_the_clock_says(tmp_path: Path, clock: Clock) -> None:
    with Writer(tmp_path / "store") as writer:
        reader = SnapshotReader(tmp_path / "store")
        for number, clock.ahead_s in enumerate((0, YEAR_S, -YEAR_S, 0)):
            before = reader.latest()
            writer.add([record("flood", f"tok{number}")])
            after = reader.latest()
            assert after.seq > before.seq
            seen = shown(after)["flood"]
            assert (seen.version, [n for n, *_ in seen.earlier]) == (
                number + 1,
                list(range(1, number + 1)),
            )
        reader.close()


@pytest.mark.parametrize("jump_s", [YEAR_S, -YEAR_S])
def test_a_key_is_known_after_the_clock_jumped_between_two_starts(
    tmp_path: Path, clock: Clock, jump_s: int
) -> None:
    """Else a request sent again would undo what was changed since."""
    folder = tmp_path / "store"
    assert _add(folder, "flood") == ("added", 1)
    clock.ahead_s = jump_s
    assert _add(folder, "flood") == ("added", 1)
    clock.ahead_s = 0
    assert _add(folder, "flood") == ("added", 1)


def test_a_key_is_forgotten_when_a_month_of_commits_has_passed(
    tmp_path: Path, clock: Clock
) -> None:
    folder = tmp_path / "store"
    assert _add(folder, "flood") == ("added", 1)
    clock.ahead_s = 31 * DAY_S
    assert _add(folder, "fire") == ("added", 1)
    assert _add(folder, "flood") == ("unchanged", 1)


# ------------------------------------------------------------------ a server


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if compiler() is None:
        pytest.skip("no C compiler here: install cc, gcc or clang")
    return build(tmp_path_factory.mktemp("library"))


@pytest.fixture
def calls(tmp_path: Path) -> FailingCalls:
    return FailingCalls(tmp_path / "control")


@pytest.fixture
def server(harbour_copy: Path, library: Path, calls: FailingCalls) -> Iterator[Server]:
    with serving(harbour_copy, **calls.environment(library)) as running:
        yield running


# No two of them one report.
PETRELS = (
    "A ranger saw a petrel on the island on Monday, before the rain came.",
    "The museum was given a stuffed petrel by the widow of a whaler.",
    "Fishermen who feed a petrel in the harbour are to pay a fine.",
    "Scientists followed one petrel across two oceans by satellite.",
    "The football club chose a petrel for its new badge.",
    "An oil spill killed at least one petrel, the coast guard said.",
    "The poet read from a book in which a petrel speaks.",
)


def _send(server: Server, number: int) -> None:
    article = {"id": f"wire-{number}", "headline": f"Bird {number}", "text": PETRELS[number]}
    httpx.post(f"{server.url}/v1/articles", json=[article], timeout=30).raise_for_status()


def _feed(server: Server, id_: str) -> list[str]:
    content = httpx.get(f"{server.url}/v1/searches/{id_}/feed").content
    return [entry.id.rpartition(":")[2] for entry in feedparser.parse(content).entries]


def test_a_server_whose_clock_jumps_answers_pages_and_feeds_as_before(
    server: Server, calls: FailingCalls
) -> None:
    search = {"name": "Petrels", "q": "petrel"}
    id_ = httpx.post(f"{server.url}/v1/searches", json=search).json()["id"]
    for number in range(4):
        _send(server, number)
    query = {"q": '"petrel"', "k": "2"}
    for number, ahead_s in enumerate((YEAR_S, -2 * YEAR_S, 0), 4):
        calls.set_clock(0)
        first = httpx.get(f"{server.url}/v1/search", params=query).json()
        calls.set_clock(ahead_s)
        _send(server, number)
        cursor = {**query, "cursor": first["next_cursor"]}
        second = httpx.get(f"{server.url}/v1/search", params=cursor).json()
        pages = [hit["article_id"] for hit in (*first["hits"], *second["hits"])]
        assert len(set(pages)) == 4
        assert second["total"] == first["total"]
        # Each article once, the newest first, whatever time its entry bears.
        assert _feed(server, id_) == [f"wire-{n}" for n in range(number, -1, -1)]
