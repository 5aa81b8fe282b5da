"""Saved searches, their feeds and alerts over HTTP."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import feedparser
import httpx
import pytest
from api_keys import FEED, FEED_KEY
from conftest import Run, Server, serving
from two_stories import ARTICLES

from index import saved_searches, store_folder
from search.http.saved_search_responses import (
    AlertsResponse,
    SavedSearchesResponse,
    SavedSearchResponse,
)

FERRIES = ARTICLES[:3]  # a report, its copy, another report


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Path:
    """A store without ferries; not to be changed."""
    folder = tmp_path_factory.mktemp("saved") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES[4:])
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    return folder


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[Server]:
    with serving(store) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """Without ferries and saved searches, as each test finds it."""
    with httpx.Client(base_url=f"{server.url}/v1", timeout=30) as client:
        yield client
        for search in client.get("/searches").json()["searches"]:
            client.delete(f"/searches/{search['id']}")
        for article in FERRIES:
            client.delete(f"/articles/{article['id']}")


def _save(client: httpx.Client, q: str, **fields: object) -> str:
    response = client.post("/searches", json={"name": f"On {q}", "q": q, **fields})
    assert response.status_code == 201, response.text
    return SavedSearchResponse.model_validate(response.json()).id


def _add(client: httpx.Client, *articles: dict[str, str]) -> None:
    assert client.post("/articles", json=list(articles)).status_code == 200


def _entries(client: httpx.Client, id: str) -> list[str]:
    feed = feedparser.parse(client.get(f"/searches/{id}/feed").content)
    return sorted(entry.id.rpartition(":")[2] for entry in feed.entries)


def test_a_saved_search_is_listed_renamed_and_forgotten(client: httpx.Client) -> None:
    id = _save(client, "tram", outlet=["Coast Wire"], sort="newest", **{"from": "2025-03-01"})
    search = client.get(f"/searches/{id}").json()
    assert (search["q"], search["sort"], search["entries"]) == ("tram", "newest", 0)
    assert (search["filters"]["outlet"], search["filters"]["from"]) == (
        ["Coast Wire"],
        "2025-03-01",
    )
    assert client.patch(f"/searches/{id}", json={"name": "Trams"}).json()["name"] == "Trams"
    listed = SavedSearchesResponse.model_validate(client.get("/searches").json())
    assert [(each.id, each.name) for each in listed.searches] == [(id, "Trams")]
    assert client.delete(f"/searches/{id}").json() == {"id": id}
    for path in (f"/searches/{id}", f"/searches/{id}/feed"):
        assert client.get(path).status_code == 404
    assert client.delete(f"/searches/{id}").status_code == 404


def test_the_same_search_is_kept_once(client: httpx.Client) -> None:
    id = _save(client, "tram")
    again = client.post("/searches", json={"name": "On tram", "q": "tram"})
    assert (again.status_code, again.json()["id"]) == (200, id)


@pytest.mark.parametrize(
    "fields",
    [
        {"q": "(ferry AND"},
        {"q": ""},
        {"q": " "},
        {"q": "ferry", "from": "31/02/2025"},
        {"q": "ferry", "as_of": "2025-03-01"},
        {"q": "ferry", "mode": "loud"},
        {"q": "ferry", "name": "  "},
        {"q": "ferry", "name": "x" * 201},
        {"q": "\ud800"},
    ],
)
def test_a_bad_question_is_refused_when_it_is_saved(
    client: httpx.Client, fields: dict[str, str]
) -> None:
    body = json.dumps({"name": "On", **fields})
    response = client.post("/searches", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == response.json()["status"] == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert client.get("/searches").json() == {"searches": []}


def test_the_feed_has_what_was_added_as_soon_as_it_is_found(client: httpx.Client) -> None:
    id = _save(client, "petrel AND island")
    assert _entries(client, id) == []
    for article, entries in zip(
        FERRIES, (["wire-1"], ["wire-1"], ["islander-1", "wire-1"]), strict=True
    ):
        _add(client, article)
        assert _entries(client, id) == entries


def test_the_server_records_what_came_in_by_itself(client: httpx.Client, store: Path) -> None:
    id = _save(client, "petrel")
    _add(client, *FERRIES)
    deadline = time.monotonic() + 30
    with closing(store_folder.open_readonly(store)) as truth:
        while saved_searches.count_entries(truth, id) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert _entries(client, id) == ["islander-1", "wire-1"]


def test_a_feed_is_atom_or_json_as_the_client_likes(client: httpx.Client) -> None:
    id = _save(client, "petrel")
    _add(client, FERRIES[0])
    path = f"/searches/{id}/feed"
    as_json = {"Accept": "application/feed+json, application/json;q=0.9"}
    for response in (
        client.get(path, params={"format": "json"}),
        client.get(path, headers=as_json),
    ):
        assert response.headers["content-type"] == "application/feed+json"
        assert response.json()["items"][0]["_nutgraf"]["article_id"] == "wire-1"
    for response in (
        client.get(path),
        client.get(path, params={"format": "atom"}, headers=as_json),
        client.get(path, headers={"Accept": "application/atom+xml, application/json"}),
    ):
        assert response.headers["content-type"] == "application/atom+xml"
        assert response.headers["vary"] == "Accept"
    assert client.get(path, params={"format": "rss"}).status_code == 422


def test_a_feed_that_did_not_change_is_not_sent_again(client: httpx.Client) -> None:
    id = _save(client, "petrel")
    _wait_until_quiet(client)
    path = f"/searches/{id}/feed"
    etag = client.get(path).headers["etag"]
    known = {"If-None-Match": etag}
    assert client.get(path, headers=known).status_code == 304
    assert client.get(path, params={"format": "json"}, headers=known).status_code == 200
    client.patch(f"/searches/{id}", json={"name": "Another"})
    assert client.get(path, headers=known).status_code == 200
    _add(client, FERRIES[0])
    assert client.get(path, headers=known).status_code == 200


def _wait_until_quiet(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while client.get("/status").json()["pending"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_alerts_come_until_they_are_delivered(client: httpx.Client) -> None:
    id = _save(client, "petrel")
    _add(client, *FERRIES)
    for _ in range(2):
        told = AlertsResponse.model_validate(client.post("/alerts").json())
        (alert,) = told.alerts
        assert (alert.search, alert.name) == (id, "On petrel")
        assert sorted(entry.article_id for entry in alert.entries) == ["islander-1", "wire-1"]
    assert client.get(f"/searches/{id}").json()["new"] == 2
    response = client.post("/alerts/delivered", json={"until": told.until})
    assert response.json() == {"until": told.until}
    assert client.post("/alerts").json()["alerts"] == []
    assert (client.get(f"/searches/{id}").json()["new"], _entries(client, id)) == (
        0,
        ["islander-1", "wire-1"],
    )


def test_whoever_may_not_write_may_not_save(harbour_url: str, harbour_copy: Path) -> None:
    body = {"name": "Ferry", "q": "ferry"}
    assert httpx.post(f"{harbour_url}/v1/searches", json=body).status_code == 503  # only reads
    assert httpx.get(f"{harbour_url}/v1/searches").json() == {"searches": []}
    with serving(harbour_copy, "--host", "0.0.0.0", NUTGRAF_API_KEYS=FEED.entry) as keyed:
        url, own = f"{keyed.url}/v1", {"Authorization": f"Bearer {FEED_KEY}"}
        for path in ("/searches", "/alerts", "/alerts/delivered"):
            assert httpx.post(f"{url}{path}", json=body).status_code == 401
        id = httpx.post(f"{url}/searches", json=body, headers=own).json()["id"]
        assert httpx.get(f"{url}/searches/{id}/feed").status_code == 401
        # A feed reader sends a name and a password.
        assert httpx.get(f"{url}/searches/{id}/feed", auth=("me", FEED_KEY)).status_code == 200
