"""Which sites' scripts a browser lets read what we answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from api_keys import KEYS, READ_KEY
from fastapi.testclient import TestClient

from search.api import build_app
from search.http.access import Access
from search.http.archive import Archive

OURS, ANOTHER = "https://desk.example", "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}


@contextmanager
def asked(
    harbour: Path, origins: tuple[str, ...], access: Access | None = None
) -> Iterator[TestClient]:
    with Archive(harbour, read_only=True) as archive:
        app = build_app(
            archive,
            access or Access("0.0.0.0", KEYS),
            max_body_bytes=1 << 20,
            rate_per_minute=2,
            cors_origins=origins,
        )
        yield TestClient(app, base_url="http://news.example", client=("203.0.113.9", 50_000))


@pytest.mark.parametrize("origin", [OURS, ANOTHER, "null"])
def test_unless_it_is_set_no_other_site_may_read(origin: str, harbour: Path) -> None:
    with asked(harbour, ()) as client:
        bearer = {"Origin": origin, "Authorization": f"Bearer {READ_KEY}"}
        assert not _permissions(client.get("/v1/status", headers=bearer).headers)
        preflight = client.options("/v1/status", headers={"Origin": origin, **PREFLIGHT})
        assert preflight.status_code == 405
        assert not _permissions(preflight.headers)


def test_a_site_that_is_set_may_read_with_a_key_and_sees_what_it_needs(harbour: Path) -> None:
    with asked(harbour, (OURS,)) as client:
        preflight = client.options("/v1/status", headers={"Origin": OURS, **PREFLIGHT})
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == OURS
        assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
        bearer = {"Origin": OURS, "Authorization": f"Bearer {READ_KEY}"}
        answers = [client.get("/v1/status", headers=bearer) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        for answer in (*answers, client.get("/v1/status", headers={"Origin": OURS})):
            assert answer.headers["access-control-allow-origin"] == OURS
            assert "Retry-After" in answer.headers["access-control-expose-headers"]
            # A browser adds neither a password nor a cookie by itself.
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [ANOTHER, "null", f"{OURS}.evil.example", f"{OURS}:444"])
def test_other_sites_still_may_not(origin: str, harbour: Path) -> None:
    with asked(harbour, (OURS,)) as client:
        preflight = client.options("/v1/status", headers={"Origin": origin, **PREFLIGHT})
        assert preflight.status_code == 400
        bearer = {"Origin": origin, "Authorization": f"Bearer {READ_KEY}"}
        for answer in (preflight, client.get("/v1/status", headers=bearer)):
            assert "access-control-allow-origin" not in answer.headers


def test_without_a_key_not_even_a_site_that_is_set_may_write(harbour: Path) -> None:
    with asked(harbour, (OURS,), Access("127.0.0.1")) as client:
        for fetched in ({}, {"Sec-Fetch-Site": "cross-site"}):
            headers = {"Origin": OURS, "Host": "localhost", **fetched}
            assert client.post("/v1/articles", json={}, headers=headers).status_code == 403


def _permissions(headers: object) -> list[str]:
    return [name for name in dict(headers) if name.startswith("access-control")]  # type: ignore[call-overload]
