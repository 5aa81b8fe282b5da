"""Limits of the whole application, asked in this process from made-up addresses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from api_keys import FEED_KEY, KEYS, READ_KEY, UNKNOWN_KEY
from fastapi import FastAPI
from fastapi.testclient import TestClient

from search.api import build_app
from search.http.access import Access
from search.http.archive import Archive
from search.http.rate_limit import RateLimit
from search.http.request_limits import UNKNOWN_KEYS_PER_MINUTE

PER_MINUTE = 5
ELSEWHERE = "203.0.113.9"


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, nothing of an allowance is restored."""
    monkeypatch.setitem(RateLimit.__init__.__kwdefaults__, "clock", lambda: 1_000.0)


@pytest.fixture
def app(harbour: Path) -> Iterator[FastAPI]:
    with served(harbour) as app:
        yield app


@contextmanager
def served(harbour: Path, host: str = "0.0.0.0", per_minute: int = PER_MINUTE) -> Iterator[FastAPI]:
    with Archive(harbour, read_only=True) as archive:
        yield build_app(
            archive, Access(host, KEYS), max_body_bytes=1 << 20, rate_per_minute=per_minute
        )


def _from(app: FastAPI, address: str, key: str | None = None, **headers: str) -> TestClient:
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return TestClient(
        app, base_url="http://news.example", client=(address, 50_000), headers=headers
    )


def _statuses(client: TestClient, times: int, path: str = "/v1/status") -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def _count(app: FastAPI, name: str, **labels: str) -> float:
    return app.state.metrics.registry.get_sample_value(name, labels) or 0.0


def test_a_key_has_its_allowance_wherever_it_is_used_from(app: FastAPI) -> None:
    statuses = [
        status
        for address in (ELSEWHERE, "198.51.100.1", "127.0.0.1")
        for status in _statuses(_from(app, address, READ_KEY), 2)
    ]
    assert statuses == [200] * PER_MINUTE + [429]
    assert _statuses(_from(app, ELSEWHERE, FEED_KEY), 1) == [200]
    assert _count(app, "nutgraf_rate_limited_total", by="key") == 1


def test_without_a_key_an_address_has_one_allowance(harbour: Path) -> None:
    with served(harbour) as app:
        assert _statuses(_from(app, ELSEWHERE), 6, "/healthz") == [200] * PER_MINUTE + [429]
        assert _statuses(_from(app, "198.51.100.1"), 1, "/healthz") == [200]
        assert _count(app, "nutgraf_rate_limited_total", by="address") == 1


def test_an_ipv6_network_counts_as_one_address_and_a_mapped_one_as_itself(app: FastAPI) -> None:
    for number in range(PER_MINUTE):
        assert _statuses(_from(app, f"2001:db8::{number:x}"), 1, "/healthz") == [200]
    assert _statuses(_from(app, "2001:db8::ffff:1"), 1, "/healthz") == [429]
    assert _statuses(_from(app, "2001:db8:0:1::1"), 1, "/healthz") == [200]
    assert _statuses(_from(app, f"::ffff:{ELSEWHERE}"), 5, "/healthz") == [200] * 5
    assert _statuses(_from(app, ELSEWHERE), 1, "/healthz") == [429]


def test_this_machine_is_not_counted_without_a_key(harbour: Path) -> None:
    with served(harbour, "127.0.0.1") as app:
        for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
            assert _statuses(_from(app, address), 20) == [200] * 20


def test_whom_a_request_was_forwarded_for_is_believed_of_nobody(app: FastAPI) -> None:
    statuses = [
        status
        for number in range(6)
        for status in _statuses(
            _from(app, ELSEWHERE, **{"X-Forwarded-For": f"10.0.0.{number}"}), 1, "/healthz"
        )
    ]
    assert statuses == [200] * PER_MINUTE + [429]


def test_zero_is_no_limit(harbour: Path) -> None:
    with served(harbour, per_minute=0) as app:
        client = _from(app, ELSEWHERE, READ_KEY)
        assert _statuses(client, 30) == [200] * 30
        assert "ratelimit" not in client.get("/v1/status").headers


def test_each_answer_says_what_is_left_and_a_refusal_when_to_come_again(app: FastAPI) -> None:
    client = _from(app, ELSEWHERE, READ_KEY)
    left = [client.get("/v1/status").headers for _ in range(PER_MINUTE)]
    assert [each["ratelimit"] for each in left] == [f'"key";r={n}' for n in (4, 3, 2, 1, 0)]
    assert left[0]["ratelimit-policy"] == '"key";q=5;w=60'
    refused = client.get("/v1/status")
    problem = refused.json()
    assert (refused.status_code, problem["status"]) == (429, 429)
    assert refused.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:nutgraf:problem:too-many-requests"
    wait_s = int(refused.headers["retry-after"])
    assert wait_s == 60 / PER_MINUTE
    assert refused.headers["ratelimit"] == f'"key";r=0;t={wait_s}'
    assert f"wait {wait_s} s" in problem["detail"]
    assert refused.headers["x-request-id"]


def test_unknown_keys_are_limited_per_address_and_known_ones_go_on(
    harbour: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with served(harbour, per_minute=0) as app:
        guessing = _from(app, ELSEWHERE, UNKNOWN_KEY)
        statuses = _statuses(guessing, UNKNOWN_KEYS_PER_MINUTE + 3)
        assert statuses == [401] * UNKNOWN_KEYS_PER_MINUTE + [429] * 3
        assert "retry-after" in guessing.get("/").headers
        assert _statuses(_from(app, ELSEWHERE, READ_KEY), 1) == [200]
        assert _statuses(_from(app, "127.0.0.1", UNKNOWN_KEY), 1) == [401]
        assert _count(app, "nutgraf_rate_limited_total", by="unknown_key") == 4
        unknown_keys = UNKNOWN_KEYS_PER_MINUTE + 1.0
        assert _count(app, "nutgraf_requests_refused_total", reason="key") == unknown_keys
    said = [record.getMessage() for record in caplog.records if "unknown keys" in record.message]
    assert said == [f"many unknown keys address={ELSEWHERE}"]
