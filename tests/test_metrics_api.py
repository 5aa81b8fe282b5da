"""Metrics of the whole application, asked in this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from api_keys import ADMIN_KEY, FEED_KEY, KEYS, READ_KEY
from conftest import ARTICLES
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from index.errors import StoreCorruptError
from search.api import build_app
from search.http.access import Access
from search.http.archive import Archive
from search.http.scrub import Scrubbed


@contextmanager
def asked(folder: Path, access: Access, **options: bool) -> Iterator[tuple[TestClient, Archive]]:
    with Archive(folder, **options) as archive:
        app = build_app(archive, access, max_body_bytes=1 << 20)
        yield (
            TestClient(
                app,
                base_url="http://127.0.0.1",
                client=("127.0.0.1", 50_000),
                raise_server_exceptions=False,
            ),
            archive,
        )


def _samples(client: TestClient) -> dict[str, float]:
    """Each sample by its name with its labels, as it is written."""
    response = client.get("/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/plain")
    list(text_string_to_metric_families(response.text))  # Prometheus can read it
    lines = [line for line in response.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_what_the_store_holds_is_among_the_metrics(harbour: Path) -> None:
    with asked(harbour, Access("127.0.0.1"), read_only=True) as (client, archive):
        samples = _samples(client)
        status = archive.searcher.status()
    assert samples["nutgraf_store_readable"] == 1
    assert samples["nutgraf_store_articles"] == len(ARTICLES)
    assert samples["nutgraf_store_embedded"] == samples["nutgraf_store_passages"] > 0
    assert samples["nutgraf_store_pending"] == samples["nutgraf_store_bad_rows"] == 0
    assert samples["nutgraf_snapshot_seq"] == status.seq >= 1
    sizes = [value for name, value in samples.items() if name.startswith("nutgraf_store_bytes")]
    assert len(sizes) == 4
    assert 0 < sum(sizes) <= status.size_bytes
    assert samples["process_resident_memory_bytes"] > 1 << 20


def test_the_scrub_tells_what_it_read_and_found(
    harbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked(harbour, Access("127.0.0.1"), read_only=True) as (client, _):
        assert "nutgraf_scrub_finished_seconds" not in _samples(client)
        done = Scrubbed(rounds=2, rows=300, bytes=4096, damaged=1, finished_s=1_700_000_000.0)
        monkeypatch.setattr(Archive, "scrubbed", property(lambda _: done))
        samples = _samples(client)
    scrub = {name: value for name, value in samples.items() if "scrub" in name}
    assert scrub == {
        "nutgraf_scrub_rounds_total": 2,
        "nutgraf_scrub_rows_total": 300,
        "nutgraf_scrub_bytes_total": 4096,
        "nutgraf_scrub_damaged": 1,
        "nutgraf_scrub_finished_seconds": 1_700_000_000,
    }


def test_requests_are_counted_by_the_template_of_their_route(harbour: Path) -> None:
    with asked(harbour, Access("127.0.0.1"), read_only=True) as (client, _):
        for number in range(30):
            client.get(f"/v1/articles/{number}")
            client.get(f"/nowhere/{number}")
            client.get(f"/static/{number}.css")
            client.request(f"M{number}", f"/v1/articles/{number}")
        before = _samples(client)
        after = _samples(client)
    counted = 'nutgraf_request_seconds_count{method="GET",route="%s",status="404"}'
    for route in ("/v1/articles/{id:path}", "-", "/static"):
        assert before[counted % route] == 30, route
    metrics = 'nutgraf_request_seconds_count{method="GET",route="/metrics",status="200"}'
    assert after[metrics] == 1
    routes = {match[1] for name in after if (match := re.search(r'route="([^"]*)"', name))}
    assert not [route for route in routes if re.search(r"\d{1,2}$", route)]
    assert {m[1] for name in after if (m := re.search(r'method="([^"]*)"', name))} <= {
        "GET",
        "other",
    }


def test_articles_are_counted_by_what_became_of_them(harbour_copy: Path) -> None:
    feed = {"Content-Type": "application/x-ndjson"}
    first = b'{"id": "t-1", "text": "The tunnel leaks."}\n{"id": "t-2"}\n'
    with asked(harbour_copy, Access("127.0.0.1")) as (client, _):
        client.post("/v1/articles", content=first, headers=feed)
        client.post("/v1/articles", content=first.replace(b"leaks", b"is dry"), headers=feed)
        client.delete("/v1/articles/t-1")
        client.delete("/v1/articles/t-1")
        samples = _samples(client)
    counts = {
        outcome: samples.get(f'nutgraf_articles_total{{outcome="{outcome}"}}')
        for outcome in ("added", "replaced", "unchanged", "removed", "rejected")
    }
    assert counts == {"added": 1, "replaced": 1, "unchanged": None, "removed": 1, "rejected": 2}


def test_beyond_loopback_the_metrics_and_the_rejections_need_an_admins_key(harbour: Path) -> None:
    with asked(harbour, Access("0.0.0.0", KEYS), read_only=True) as (client, _):
        for path in ("/metrics", "/v1/rejections"):
            assert client.get(path).status_code == 401
            for key, status in ((READ_KEY, 403), (FEED_KEY, 403), (ADMIN_KEY, 200)):
                bearer = {"Authorization": f"Bearer {key}"}
                assert client.get(path, headers=bearer).status_code == status
                assert client.get(path, auth=("prometheus", key)).status_code == status
        client.post("/v1/articles", headers={"Authorization": f"Bearer {READ_KEY}"})
        client.headers["Authorization"] = f"Bearer {ADMIN_KEY}"
        samples = _samples(client)
    assert samples['nutgraf_requests_refused_total{reason="key"}'] == 2
    assert samples['nutgraf_requests_refused_total{reason="scope"}'] == 9


def test_a_store_that_cannot_be_read_does_not_hide_the_other_metrics(
    harbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged() -> None:
        raise StoreCorruptError("the store is damaged; repair it")

    with asked(harbour, Access("127.0.0.1"), read_only=True) as (client, archive):
        client.get("/healthz")
        monkeypatch.setattr(archive.searcher, "status", damaged)
        samples = _samples(client)
    assert samples["nutgraf_store_readable"] == 0
    assert samples['nutgraf_request_seconds_count{method="GET",route="/healthz",status="200"}'] == 1
    assert "nutgraf_store_articles" not in samples


def test_two_applications_count_apart(harbour: Path) -> None:
    with asked(harbour, Access("127.0.0.1"), read_only=True) as (one, _):
        one.get("/healthz")
        with asked(harbour, Access("127.0.0.1"), read_only=True) as (other, _):
            assert not [name for name in _samples(other) if "/healthz" in name]
