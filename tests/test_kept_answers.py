"""An answer that is kept is the one that would be found, and nobody sees it who may not."""

from pathlib import Path

import pytest
from api_keys import KEYS, READ_KEY
from fastapi.testclient import TestClient
from starlette.responses import Response

from index.article import Origin, SourceRecord
from search.api import build_app
from search.http import kept_answers
from search.http.access import Access
from search.http.archive import Archive
from search.http.kept_answers import KeptAnswers

ASKED = "/v1/search?q=When+does+the+ferry+sail%3F"
BOAT = SourceRecord(Origin("t", 1), b"", "The ferry sails at noon now.", own_id="noon")


def _client(archive: Archive, access: Access | None = None) -> TestClient:
    app = build_app(archive, access or Access("127.0.0.1"), max_body_bytes=1 << 20)
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))


def _repeated(client: TestClient) -> float:
    metrics = client.app.state.metrics  # type: ignore[attr-defined]
    return metrics.registry.get_sample_value("nutgraf_repeated_answers_total") or 0.0


def test_the_same_question_is_answered_with_the_same_bytes(harbour: Path) -> None:
    with Archive(harbour, read_only=True) as archive:
        client = _client(archive)
        first, again = client.get(ASKED), client.get(ASKED)
        assert _repeated(client) == 1
        assert again.content == first.content
        for name in ("etag", "content-type", "cache-control", "content-security-policy"):
            assert again.headers[name] == first.headers[name]
        known = client.get(ASKED, headers={"If-None-Match": first.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
        assert client.get(f"{ASKED}&k=1").json()["k"] == 1
        assert _repeated(client) == 2


def test_what_was_added_since_is_found(harbour_copy: Path) -> None:
    with Archive(harbour_copy) as archive:
        client = _client(archive)
        before = client.get(ASKED).json()
        archive.add([BOAT])
        after = client.get(ASKED).json()
    assert before["snapshot"] != after["snapshot"]
    assert "noon" in {hit["article_id"] for hit in after["hits"]}


def test_without_a_key_where_one_is_needed_nothing_is_shown(harbour: Path) -> None:
    with Archive(harbour, read_only=True) as archive:
        client = _client(archive, Access("0.0.0.0", KEYS))
        key = {"Authorization": f"Bearer {READ_KEY}"}
        assert client.get(ASKED, headers=key).status_code == 200
        assert client.get(ASKED).status_code == 401
        assert client.get(ASKED, headers=key).status_code == 200
        assert _repeated(client) == 1


def test_errors_and_traces_are_not_kept(harbour: Path) -> None:
    with Archive(harbour, read_only=True) as archive:
        client = _client(archive)
        for target in ("/v1/search?q=", f"{ASKED}&trace=true"):
            assert client.get(target).status_code == client.get(target).status_code
        assert _repeated(client) == 0


def test_those_not_asked_for_longest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "_MOST_BYTES", 25)
    monkeypatch.setattr(kept_answers, "_LARGEST_BYTES", 20)
    monkeypatch.setattr(kept_answers, "_BESIDE_BODY_BYTES", 0)
    kept = KeptAnswers()
    assert kept.get("tag", b"a") is None
    for name in ("a", "b"):
        kept.put("tag", name.encode(), Response("x" * 10))
    assert kept.get("tag", b"a")
    kept.put("tag", b"c", Response("x" * 10))
    kept.put("tag", b"large", Response("x" * 16))
    assert [bool(kept.get("tag", asked)) for asked in (b"a", b"b", b"c", b"large")] == [
        True,
        False,
        True,
        False,
    ]


def test_when_the_archive_has_changed_older_answers_are_let_go_and_not_taken_any_more() -> None:
    kept = KeptAnswers()
    assert kept.get("first", b"a") is None
    kept.put("first", b"a", Response("x"))
    assert kept.get("second", b"a") is None
    kept.put("first", b"a", Response("x"))  # it was asked before
    assert kept.get("second", b"a") is None
    assert kept.get("first", b"a") is None
