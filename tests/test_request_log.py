"""The log of a real server, as it stands on stderr."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest
from api_keys import API_KEYS, FEED, FEED_KEY, READ_KEY
from conftest import Server, serving
from prometheus_client import generate_latest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from search.http.access import Access
from search.http.metrics import Metrics
from search.http.problems import ProblemError, note_problem, problem_response
from search.http.request_log import RequestLog

SECRETS = ("zebra", "giraffe", "okapi", "tunnel", "harbour-041", READ_KEY, FEED_KEY)
LINE = re.compile(
    r" INFO search\.http\.request_log request method=\S+ route=\S+ status=\d{3} ms=\d+ bytes=\d+ "
    r"key=(-|[0-9a-f]{8}) id=[A-Za-z0-9._-]{1,64}\n"
)


def _talk(server: Server) -> None:
    """Says something secret in every way there is."""
    read, feed = ({"Authorization": f"Bearer {key}"} for key in (READ_KEY, FEED_KEY))
    article = {"id": "okapi", "headline": "Okapi", "text": "The okapi met the giraffe."}
    with httpx.Client(base_url=server.url, headers={"User-Agent": "zebra"}) as client:
        client.get("/v1/search", params={"q": "zebra crossing"}, headers=read)
        client.get("/", params={"q": "giraffe"}, auth=("zebra", READ_KEY))
        client.get("/v1/articles/harbour-041", headers={**read, "Cookie": "zebra=1"})
        client.get("/v1/zebra")
        client.get("/static/zebra.css")
        client.post("/v1/articles", json=article, headers={**feed, "Idempotency-Key": "zebra"})
        client.post("/v1/articles", content=b"zebra", headers=read)
        client.post("/v1/batch", content=b"zebra", headers={**read, "Content-Type": "text/plain"})
        client.post("/v1/searches", json={"name": "zebra", "q": "giraffe ("}, headers=feed)
        client.post("/v1/searches", json={"name": "zebra", "q": "giraffe"}, headers=feed)
        client.request("ZEBRA", "/v1/search", headers=read)
    time.sleep(1.5)  # what goes on in the background may log as well


def test_the_log_says_what_happened_and_never_what_was_asked_or_sent(harbour_copy: Path) -> None:
    with serving(harbour_copy, "--host", "0.0.0.0", NUTGRAF_API_KEYS=API_KEYS) as server:
        _talk(server)
        server.stop()
    log = "".join(server.log)
    assert not [secret for secret in SECRETS if secret.lower() in log.lower()], log
    requests = [line for line in server.log if " request " in line]
    assert len(requests) == 11
    assert all(LINE.search(line) for line in requests), requests
    assert re.search(
        r"method=GET route=/v1/articles/\{id:path\} status=200 ms=\d+ bytes=\d{3}", log
    )
    assert "method=GET route=- status=404" in log
    assert "method=other route=" in log
    assert "route=/v1/articles status=200 ms=" in log
    assert f"key={FEED.name}" in log


def test_with_log_queries_the_log_says_what_was_asked_and_still_no_header_or_body(
    harbour_copy: Path,
) -> None:
    with serving(
        harbour_copy, "--host", "0.0.0.0", NUTGRAF_API_KEYS=API_KEYS, NUTGRAF_LOG_QUERIES="true"
    ) as server:
        _talk(server)
        httpx.get(f'{server.url}/v1/search?q="x%0aERROR y')
        server.stop()
    log = "".join(server.log)
    assert 'target="/v1/search?q=zebra+crossing"' in log
    assert 'target="/v1/articles/harbour-041"' in log
    for secret in (READ_KEY, FEED_KEY, "okapi", "User-Agent", "Cookie"):
        assert secret not in log
    (line,) = (line for line in server.log if "ERROR" in line)
    assert json.loads(line.partition(" target=")[2]) == "/v1/search?q=%22x%0aERROR%20y"


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [("feed-2025.03_14", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)],
)
def test_a_request_has_the_id_that_it_was_sent_with_if_that_fits(
    sent: str, echoed: bool, harbour_url: str
) -> None:
    answers = [httpx.get(f"{harbour_url}{path}", headers={"X-Request-Id": sent}) for path in PATHS]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert (set(ids) == {sent}) is echoed
    assert echoed or len(set(ids)) == len(PATHS)


PATHS = ("/healthz", "/v1/search?q=ferry", "/v1/search", "/nowhere", "/static/nowhere.css")


@pytest.mark.parametrize(("problem", "lines"), [("overloaded", 0), ("timeout", 1)])
def test_who_is_sent_away_under_overload_is_counted_and_has_no_line(
    problem: str, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ProblemError(503, problem, "Not now", "ask again").problem
    metrics = Metrics()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        note_problem(scope, answer)
        await problem_response(answer)(scope, receive, send)

    log = RequestLog(application, Access("127.0.0.1", ()), metrics, log_queries=False)
    caplog.set_level("INFO", "search.http.request_log")
    assert TestClient(log).get("/v1/search").status_code == 503
    assert len(caplog.records) == lines
    assert 'status="503"' in generate_latest(metrics.registry).decode()
