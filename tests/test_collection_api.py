"""Collections over HTTP."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_keys import FEED, FEED_KEY
from collected import BOATS, FERRY, LEAD, desk
from conftest import Server, serving
from fastapi.testclient import TestClient

from search.api import build_app
from search.desk.collection_export import MEDIA_TYPES, CollectionFormat
from search.http.access import Access
from search.http.archive import Archive
from search.http.collection_responses import WholeCollectionResponse


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an article, found by its words."""
    folder = tmp_path_factory.mktemp("collections") / "store"
    with desk(folder) as opened:
        opened.add("harbour-041", LEAD, FERRY, BOATS)
    return folder


@pytest.fixture(scope="module")
def server(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes changes; each test works in collections of its own."""
    folder = tmp_path_factory.mktemp("served") / "store"
    shutil.copytree(store, folder)
    with serving(folder) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/v1", timeout=60) as opened:
        yield opened


@pytest.fixture
def passage(client: httpx.Client) -> dict[str, Any]:
    """A hit that is marked in the tests."""
    found: dict[str, Any] = client.get("/search", params={"q": "ferry sails dawn"}).json()
    hit: dict[str, Any] = found["hits"][0]
    return hit


def made(client: httpx.Client, name: str) -> str:
    response = client.post("/collections", json={"name": name})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def test_a_collection_is_made_listed_renamed_and_removed(client: httpx.Client) -> None:
    id = made(client, "Harbour")
    again = client.post("/collections", json={"name": "Harbour"})
    assert (again.status_code, again.json()["id"]) == (200, id)
    renamed = client.patch(f"/collections/{id}", json={"name": "Pier"}).json()
    assert renamed in client.get("/collections").json()["collections"]
    assert renamed["name"] == "Pier"
    assert client.delete(f"/collections/{id}").json() == {"id": id, "removed": True}
    assert client.get(f"/collections/{id}").status_code == 404
    assert client.delete(f"/collections/{id}").status_code == 404


def test_marks_are_made_noted_and_removed(client: httpx.Client, passage: dict[str, Any]) -> None:
    id = made(client, "Marks")
    marks = f"/collections/{id}/marks"
    first = client.post(marks, json={"passage": passage["passage_id"], "note": "one"})
    assert (first.status_code, first.json()["quote"]) == (201, passage["text"])
    start = passage["text"].index("ferry") + passage["start"]
    asked = {"article": passage["article_id"], "start": start, "end": start + 5}
    second = client.post(marks, json=asked).json()
    assert (second["quote"], second["passage_id"]) == ("ferry", passage["passage_id"])
    again = client.post(marks, json=asked)
    assert (again.status_code, again.json()) == (200, second)
    number = second["number"]
    noted = client.patch(f"{marks}/{number}", json={"note": "two"}).json()
    assert noted == {**second, "note": "two"}
    whole = WholeCollectionResponse.model_validate(client.get(f"/collections/{id}").json())
    assert [mark.note for mark in whole.marks] == ["one", "two"]
    for mark in whole.marks:
        assert mark.status == "unchanged"
        assert mark.now
        assert (mark.now.start, mark.now.end) == (mark.start, mark.end)
    removed = client.delete(f"{marks}/{number}")
    assert removed.json() == {"id": id, "number": number, "removed": True}
    assert client.delete(f"{marks}/{number}").status_code == 404
    assert len(client.get(f"/collections/{id}").json()["marks"]) == 1


def test_what_becomes_of_an_article_is_told(client: httpx.Client) -> None:
    id = made(client, "Told")
    lines = {"id": "told-1", "text": "The mole is whole again.\n\nDivers said so."}
    client.post("/articles", json=lines)
    asked = {"article": "told-1", "start": 4, "end": 8}
    mark = client.post(f"/collections/{id}/marks", json=asked).json()
    assert (mark["quote"], mark["status"]) == ("mole", "unchanged")

    def status() -> str:
        [told] = client.get(f"/collections/{id}").json()["marks"]
        assert told["quote"] == "mole"
        return str(told["status"])

    client.post("/articles", json={**lines, "text": "The pier is whole again."})
    assert status() == "edited"
    client.delete("/articles/told-1")
    assert status() == "withdrawn"


def test_every_format_is_a_download_of_its_media_type(
    client: httpx.Client, passage: dict[str, Any]
) -> None:
    id = made(client, "Formats")
    client.post(f"/collections/{id}/marks", json={"passage": passage["passage_id"]})
    for format in CollectionFormat:
        sent = client.get(f"/collections/{id}/export", params={"format": format.value})
        assert sent.status_code == 200
        assert sent.headers["content-type"].partition(";")[0] == MEDIA_TYPES[format]
        assert sent.headers["content-disposition"].startswith(
            f'attachment; filename="collection-{id}.'
        )
        assert passage["headline"] in sent.text
    ris = client.get(f"/collections/{id}/export", params={"format": "ris"}).text
    assert f"{client.base_url.copy_with(path='/')}articles/{passage['article_id']}" in ris


def test_an_export_is_taken_in_again_all_of_it_or_nothing(
    client: httpx.Client, passage: dict[str, Any]
) -> None:
    id = made(client, "Again")
    client.post(f"/collections/{id}/marks", json={"passage": passage["passage_id"], "note": "kept"})
    document = client.get(f"/collections/{id}/export").json()
    client.delete(f"/collections/{id}")
    broken = json.loads(json.dumps(document))
    broken["marks"].append({**broken["marks"][0], "start": 7})
    refused = client.post("/collections/import", json=broken)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "marks[1]"
    assert "Again" not in client.get("/collections").text
    taken = client.post("/collections/import", json=document)
    assert (taken.status_code, taken.json()["added"], taken.json()["known"]) == (201, 1, 0)
    again = client.post("/collections/import", json=document)
    assert (again.status_code, again.json()["added"], again.json()["known"]) == (200, 0, 1)
    assert client.get(f"/collections/{taken.json()['id']}/export").json() == document


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "none", None, 404),
        ("GET", "none/export", None, 404),
        ("GET", "none/export?format=docx", None, 422),
        ("PATCH", "none", {"name": "x"}, 404),
        ("POST", "none/marks", {"article": "harbour-041"}, 404),
        ("POST", "ID/marks", {"article": "nobody"}, 404),
        ("POST", "ID/marks", {"passage": "nobody"}, 404),
        ("POST", "ID/marks", {}, 422),
        ("POST", "ID/marks", {"article": "harbour-041", "start": 3}, 422),
        ("POST", "ID/marks", {"article": "harbour-041", "start": 3, "end": 3}, 422),
        ("POST", "ID/marks", {"article": "harbour-041", "start": 10**40, "end": 10**41}, 422),
        ("POST", "ID/marks", {"article": "harbour-041", "note": "x" * 10_001}, 422),
        ("POST", "ID/marks", {"article": "harbour-041", "colour": "red"}, 422),
        ("PATCH", "ID/marks/9999", {"note": ""}, 404),
        ("PATCH", "ID/marks/0", {"note": ""}, 422),
        ("PATCH", f"ID/marks/{2**63}", {"note": ""}, 422),
        ("PATCH", "ID", {"name": " "}, 422),
        ("POST", "", {"name": ""}, 422),
        ("POST", "import", {"name": "x"}, 422),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    client: httpx.Client, method: str, path: str, body: object, status: int
) -> None:
    id = client.post("/collections", json={"name": "Problems"}).json()["id"]
    place = f"/collections/{path.replace('ID', id)}".rstrip("/")
    response = client.request(method, place, json=body)
    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == "application/problem+json"


def test_a_page_of_another_site_cannot_write(client: httpx.Client) -> None:
    # What a form or a simple request of another site can send, a browser sends without asking.
    for headers in ({"Content-Type": "text/plain"}, {}):
        sent = client.post("/collections", content=b'{"name": "Foreign"}', headers=headers)
        assert sent.status_code == 415
    assert "Foreign" not in client.get("/collections").text


@contextmanager
def within(folder: Path, access: Access, *, read_only: bool = False) -> Iterator[TestClient]:
    """The application in this process, asked from this machine."""
    with Archive(folder, read_only=read_only) as archive:
        app = build_app(archive, access, max_body_bytes=1 << 20)
        yield TestClient(app, base_url="http://127.0.0.1/v1", client=("127.0.0.1", 50_000))


def test_writing_needs_the_key_and_reading_as_elsewhere(store: Path, tmp_path: Path) -> None:
    bearer = {"Authorization": f"Bearer {FEED_KEY}"}
    folder = Path(shutil.copytree(store, tmp_path / "store"))
    with within(folder, Access("0.0.0.0", (FEED,))) as client:
        assert client.get("/collections").status_code == 401
        assert client.post("/collections", json={"name": "x"}).status_code == 401
        basic = client.post("/collections", json={"name": "x"}, auth=("any", FEED_KEY))
        assert basic.status_code == 401
        written = client.post("/collections", json={"name": "x"}, headers=bearer)
        assert written.status_code == 201
        read = client.get("/collections", auth=("any", FEED_KEY)).json()
        assert [each["name"] for each in read["collections"]] == ["x"]


def test_a_server_that_only_reads_shows_collections_and_takes_none(store: Path) -> None:
    with within(store, Access("127.0.0.1"), read_only=True) as client:
        assert client.get("/collections").json() == {"collections": []}
        for sent in (
            client.post("/collections", json={"name": "x"}),
            client.post("/collections/none/marks", json={"article": "harbour-041"}),
            client.delete("/collections/none"),
        ):
            assert sent.status_code == 503
            assert "--read-only" in sent.json()["detail"]
