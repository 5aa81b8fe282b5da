"""A real server under more load than it can bear, and told to stop in the midst of it."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import serving

from scripts.faults.overload import feeding, overload, served
from search.searcher import Searcher


@pytest.mark.slow
def test_told_to_stop_a_server_finishes_what_it_began_and_takes_no_more(
    harbour_copy: Path,
) -> None:
    added: list[str] = []
    asked: list[int] = []
    broken: list[str] = []

    def one_after_another(once: Callable[[http.client.HTTPConnection, int], None]) -> None:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        with closing(client):
            for number in range(10_000):
                try:
                    once(client, number)
                except http.client.IncompleteRead as error:  # begun, and not finished
                    broken.append(repr(error))
                    return
                except (OSError, http.client.HTTPException):
                    return  # refused, or closed before an answer began

    def feed(connection: http.client.HTTPConnection, number: int) -> None:
        name = f"{threading.get_ident()}-{number}"
        body = json.dumps({"id": name, "text": f"The ferry number {number} sailed at dawn."})
        connection.request("POST", "/v1/articles", body, {"Content-Type": "application/json"})
        if _ok(connection):
            added.append(name)

    def ask(connection: http.client.HTTPConnection, number: int) -> None:
        connection.request("GET", f"/v1/search?q={quote(f'ferry {number} storm')}")
        if _ok(connection):
            asked.append(number)

    with serving(harbour_copy, NUTGRAF_RATE_PER_MINUTE="0") as server:
        threads = [
            threading.Thread(target=one_after_another, args=(once,))
            for once in (feed, feed, ask, ask, ask)
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 60
        while len(added) < 5 or len(asked) < 5:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert server.stop() == 0
        for thread in threads:
            thread.join()
    assert not broken
    searcher = Searcher(harbour_copy)
    try:
        for name in added:
            assert searcher.article(name)
    finally:
        searcher.close()


def _ok(connection: http.client.HTTPConnection) -> bool:
    response = connection.getresponse()
    response.read()
    return response.status == 200


@pytest.mark.slow
def test_asked_for_three_times_what_it_can_do_a_server_answers_or_sends_away() -> None:
    with served(articles=60, seed=1) as (port, press):
        over = asyncio.run(overload(port, press, seconds=10, times=3))
        fed = asyncio.run(feeding(port, press, seconds=10))
    # How many and how fast is promised of a machine that does nothing else, and told by
    # scripts/faults/overload.py.
    assert over.shed > 0
    assert over.neither == 0, over
    assert fed.articles_a_second > 0, fed
