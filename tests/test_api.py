import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from api_keys import API_KEYS, FEED_KEY, READ_KEY
from conftest import ARTICLES, Run, Server, serving
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from search.api import build_app
from search.http.access import Access
from search.http.archive import Archive

NDJSON = {"Content-Type": "application/x-ndjson"}
TUNNEL = {"id": "tunnel-1", "headline": "Tunnel", "text": "The tunnel under the sound leaks."}


@pytest.fixture
def writable(harbour_copy: Path) -> Iterator[Server]:
    """A server that takes articles, over a copy."""
    with serving(harbour_copy) as server:
        yield server


@pytest.fixture
def keyed(harbour_copy: Path) -> Iterator[Server]:
    """A server bound beyond loopback, with keys."""
    with serving(harbour_copy, "--host", "0.0.0.0", NUTGRAF_API_KEYS=API_KEYS) as server:
        yield server


def _problem(response: httpx.Response, status: int, kind: str) -> str:
    """Sees that `response` is this problem; its detail."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert (response.status_code, problem["status"]) == (status, status), response.text
    assert problem["type"] in (f"urn:nutgraf:problem:{kind}", kind)
    assert problem["title"]
    return str(problem["detail"])


def _ndjson(*records: object) -> bytes:
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def _ids(url: str, question: str) -> list[str]:
    answer = httpx.get(f"{url}/v1/search", params={"q": question}).json()
    return [hit["article_id"] for hit in answer["hits"]]


def _wait_until_embedded(url: str) -> None:
    deadline = time.monotonic() + 60
    while httpx.get(f"{url}/v1/status").json()["pending"]:
        assert time.monotonic() < deadline, "the backlog is not embedded"
        time.sleep(0.1)


# ------------------------------------------------------------------------- reading


def test_a_question_gets_the_passage_with_its_source(harbour_url: str) -> None:
    answer = httpx.get(f"{harbour_url}/v1/search", params={"q": "When does the ferry sail?"}).json()
    hit = answer["hits"][0]
    assert "“The ferry sails at dawn on Saturday,”" in hit["text"]
    assert hit["headline"] == "Harbour reopens after the storm"
    assert hit["published"] == {"iso": "2025-03-14T19:12", "precision": "minute", "zone": None}
    assert hit["url"] == "https://courier.example/2025/03/harbour?from=front&id=41"
    marked = " ".join(hit["text"][start:end].lower() for start, end in hit["highlights"])
    assert "ferry" in marked
    assert "sails" in marked


def test_every_answer_says_how_much_of_the_archive_it_drew_on(harbour_url: str) -> None:
    answer = httpx.get(f"{harbour_url}/v1/search", params={"q": "tram"}).json()
    coverage = answer["coverage"]
    assert coverage["articles"] == len(ARTICLES)
    assert coverage["embedded"] == coverage["passages"] >= len(ARTICLES)


def test_filters_are_applied_and_combined(harbour_url: str) -> None:
    filters = {"q": "ferry", "outlet": ["the islander", "nobody"], "from": "2024-12-01"}
    answer = httpx.get(f"{harbour_url}/v1/search", params=filters).json()
    assert {hit["headline"] for hit in answer["hits"]} == {"Ferry fares rise"}


def test_a_hit_leads_to_its_passage_and_that_to_its_article(harbour_url: str) -> None:
    hit = httpx.get(f"{harbour_url}/v1/search", params={"q": "oldest chart"}).json()["hits"][0]
    passage = httpx.get(f"{harbour_url}/v1/passages/{hit['passage_id']}").json()
    assert passage["text"] == hit["text"]
    article = httpx.get(f"{harbour_url}/v1/articles/{hit['article_id']}").json()
    assert article["text"][passage["start"] : passage["end"]] == passage["text"]
    sentence = hit["best_sentence"]
    assert "oldest chart" in sentence["text"]
    assert hit["text"][sentence["start"] : sentence["end"]] == sentence["text"]
    in_article = article["text"][sentence["article_start"] : sentence["article_end"]]
    assert in_article == sentence["text"]
    assert hit["passage_id"] in article["passage_ids"]


@pytest.mark.parametrize(
    "name",
    [
        "harbour-041",
        "https://courier.example/2025/03/harbour?from=front&id=41",
        "tag:islander.example,2024:9",
    ],
)
def test_an_article_is_found_by_id_url_or_guid(name: str, harbour_url: str) -> None:
    response = httpx.get(f"{harbour_url}/v1/articles/{quote(name, safe='')}")
    article = response.json()
    assert name in (article["article_id"], article["url"], article["guid"])


def test_the_same_archive_gives_the_same_etag_and_304(harbour_url: str) -> None:
    first = httpx.get(f"{harbour_url}/v1/search", params={"q": "tram"})
    etag = first.headers["etag"]
    assert etag.startswith('W/"')
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (etag, f'"other", {etag}', "*"):
        again = httpx.get(
            f"{harbour_url}/v1/search", params={"q": "tram"}, headers={"If-None-Match": known}
        )
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    other = httpx.get(
        f"{harbour_url}/v1/search", params={"q": "tram"}, headers={"If-None-Match": 'W/"other"'}
    )
    assert other.status_code == 200


def test_alive_and_ready_are_two_questions(harbour_url: str) -> None:
    assert httpx.get(f"{harbour_url}/healthz").json() == {"status": "alive"}
    ready = httpx.get(f"{harbour_url}/readyz").json()
    answer = httpx.get(f"{harbour_url}/v1/search", params={"q": "tram"}).json()
    assert ready == {"status": "ready", "snapshot": answer["snapshot"]}


# ------------------------------------------------------------- pages, facets, export


def _pages(url: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
    """Every page of a question, by the header Link."""
    response = httpx.get(f"{url}/v1/search", params=parameters)
    yield response.raise_for_status().json()
    while link := response.links.get("next"):
        response = httpx.get(f"{url}{link['url']}")
        yield response.raise_for_status().json()


def _export(url: str, **parameters: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The header of an export, and its hits."""
    response = httpx.get(f"{url}/v1/export", params=parameters).raise_for_status()
    assert response.headers["content-type"].startswith("application/x-ndjson")
    header, *hits = (json.loads(line) for line in response.text.splitlines())
    return header, hits


def test_pages_by_link_and_by_cursor_are_the_export(harbour_url: str) -> None:
    header, hits = _export(harbour_url, q="ferry harbour museum", sort="newest")
    by_link = list(_pages(harbour_url, q="ferry harbour museum", sort="newest", k=1))
    assert len(by_link) > 2
    assert [hit for page in by_link for hit in page["hits"]] == hits
    assert header["total"] == len(hits) == by_link[0]["total"]
    assert header["snapshot"] == by_link[0]["snapshot"]
    query = {"q": "ferry harbour museum", "sort": "newest", "k": "3"}
    cursor = by_link[0]["next_cursor"]
    page = httpx.get(f"{harbour_url}/v1/search", params={**query, "cursor": cursor}).json()
    assert page["hits"] == hits[1:4]
    assert by_link[-1]["next_cursor"] is None


def test_the_link_to_the_next_page_keeps_every_parameter(harbour_url: str) -> None:
    asked = {"q": "ferry & tram «№1»", "k": "1", "outlet": ["The Islander", "Northport Courier"]}
    response = httpx.get(f"{harbour_url}/v1/search", params=asked)
    link = httpx.URL(response.links["next"]["url"])
    assert response.headers["link"].endswith('>; rel="next"')
    assert link.path == "/v1/search"
    assert link.params.get_list("outlet") == asked["outlet"]
    assert (link.params["q"], link.params["k"]) == (asked["q"], "1")
    assert link.params["cursor"] == response.json()["next_cursor"]


def test_facets_count_the_whole_result_set_and_come_with_every_page(harbour_url: str) -> None:
    pages = list(_pages(harbour_url, q="ferry harbour tram", k=2))
    _, hits = _export(harbour_url, q="ferry harbour tram")
    facets = pages[0]["facets"]
    assert all(page["facets"] == facets for page in pages)
    outlets = Counter(hit["outlet"] for hit in hits)
    assert {v["value"]: v["count"] for v in facets["outlet"]["values"]} == outlets
    assert facets["byline"]["unknown"] == sum(not hit["byline"] for hit in hits)
    assert list(facets) == ["outlet", "section", "byline", "year", "month", "language"]
    for facet in facets.values():
        counts = [value["count"] for value in facet["values"]]
        assert sum(counts) + facet["other"] + facet["unknown"] == pages[0]["total"]
    without = httpx.get(f"{harbour_url}/v1/search", params={"q": "ferry", "facets": "false"}).json()
    assert without["facets"] is None


def test_copies_are_one_hit_unless_all_are_asked_for(writable: Server) -> None:
    url = writable.url
    text = (
        "The ferry sails at dawn on Saturday, harbour master Ines Okoro told reporters beside the "
        "broken crane, which stays where it fell until a bigger one comes from the mainland."
    )
    copies = [{"id": f"c-{n}", "text": text, "outlet": f"Outlet {n}"} for n in range(3)]
    httpx.post(f"{url}/v1/articles", content=_ndjson(*copies), headers=NDJSON).raise_for_status()
    asked = {"q": '"broken crane"'}
    folded = httpx.get(f"{url}/v1/search", params=asked).json()
    assert (folded["group"], folded["total"]) == ("report", 1)
    (hit,) = folded["hits"]
    assert (hit["passages"], hit["copies"]["count"]) == (3, 2)
    assert hit["copies"]["outlets"] == ["Outlet 0", "Outlet 1", "Outlet 2"]
    every = httpx.get(f"{url}/v1/search", params={**asked, "group": "none"}).json()
    assert (every["group"], every["total"]) == ("none", 3)
    for group, total in (("report", 1), ("none", 3)):
        header, hits = _export(url, **asked, group=group)
        assert (header["group"], header["total"], len(hits)) == (group, total, total)
    (other, *_) = {f"c-{n}" for n in range(3)} - {hit["article_id"]}
    explained = httpx.get(f"{url}/v1/explain", params={**asked, "article": other}).json()
    assert explained["reason"] == "folded"
    assert explained["folded_under"] == {"article_id": hit["article_id"], "rank": 1}


def test_pages_stay_whole_while_articles_are_added_replaced_and_removed(writable: Server) -> None:
    url = writable.url
    many = [{"id": f"n-{n}", "text": f"The ferry made trip {n}."} for n in range(30)]
    httpx.post(f"{url}/v1/articles", content=_ndjson(*many), headers=NDJSON).raise_for_status()
    _, expected = _export(url, q="ferry trip")
    hits = []
    for number, page in enumerate(_pages(url, q="ferry trip", k=3)):
        hits += page["hits"]
        gone = expected[-1 - number]["article_id"]
        assert httpx.delete(f"{url}/v1/articles/{gone}").status_code in (200, 404)
        changed = {"id": f"n-{number}", "text": "No word of it."}
        for article in (
            changed,
            {"id": f"new-{number}", "text": f"The ferry trip, ferry trip {number}."},
        ):
            httpx.post(f"{url}/v1/articles", json=article).raise_for_status()
        assert f"new-{number}" in _ids(url, "ferry trip")
    assert number > 8
    assert hits == expected


def test_a_cursor_whose_view_is_gone_is_a_problem_that_says_what_to_do(
    harbour_copy: Path, harbour_url: str
) -> None:
    query = {"q": "ferry", "k": "1"}
    with serving(harbour_copy) as server:
        answer = httpx.get(f"{server.url}/v1/search", params=query).json()
        httpx.post(f"{server.url}/v1/articles", json=TUNNEL).raise_for_status()
        query["cursor"] = answer["next_cursor"]
        assert httpx.get(f"{server.url}/v1/search", params=query).status_code == 200
    with serving(harbour_copy, "--read-only") as server:
        response = httpx.get(f"{server.url}/v1/search", params=query)
        assert "ask again without a cursor" in _problem(response, 410, "cursor-expired")


def test_an_etag_does_not_revive_an_expired_cursor(harbour_url: str) -> None:
    answer = httpx.get(f"{harbour_url}/v1/search", params={"q": "ferry", "k": 1})
    params = {"q": "ferry", "k": "1", "cursor": "rubbish"}
    known = {"If-None-Match": answer.headers["etag"]}
    response = httpx.get(f"{harbour_url}/v1/search", params=params, headers=known)
    _problem(response, 422, "bad-query")


def test_a_cursor_of_another_question_is_a_problem(harbour_url: str) -> None:
    cursor = httpx.get(f"{harbour_url}/v1/search", params={"q": "ferry", "k": 1}).json()[
        "next_cursor"
    ]
    others: list[dict[str, str]] = [
        {"q": "tram"},
        {"q": "ferry", "outlet": "The Islander"},
        {"q": "ferry", "sort": "newest"},
        {"q": "ferry", "mode": "verbatim"},
        {"q": "ferry", "effort": "thorough"},
    ]
    for other in others:
        response = httpx.get(f"{harbour_url}/v1/search", params={**other, "cursor": cursor})
        assert "another question" in _problem(response, 422, "bad-query")
        assert response.json()["errors"][0]["field"] == "cursor"


def test_an_export_is_refused_whole_or_begun(harbour_url: str) -> None:
    for parameters in ({"q": "ferry", "from": "31/02/2019"}, {"q": " "}):
        response = httpx.get(f"{harbour_url}/v1/export", params=parameters)
        _problem(response, 422, "bad-query")
    response = httpx.get(f"{harbour_url}/v1/export", params={"q": "ferry", "k": "3"})
    _problem(response, 422, "invalid-request")


def test_an_answer_says_how_the_question_was_understood(harbour_url: str) -> None:
    question = '"outer mole" fish* -tram'
    parse = httpx.get(f"{harbour_url}/v1/search", params={"q": question}).json()["parse"]
    assert parse["condition"] == '"outer mole" AND fish* AND NOT "tram"'
    assert parse["complete"] is True
    terms = {term["text"]: term for term in parse["terms"]}
    assert (terms['"tram"']["role"], terms['"tram"']["passages"]) == ("excludes", 1)
    assert terms["fish*"]["expansions"] == [["fishing", 1]]


def test_the_verdict_is_about_the_archive_whatever_page_or_order_is_asked_for(
    harbour_url: str,
) -> None:
    def asked(question: str, **more: str | int) -> dict[str, Any]:
        return dict(httpx.get(f"{harbour_url}/v1/search", params={"q": question, **more}).json())

    answered = "Who called the map the oldest chart of the sound?"
    verdict = asked(answered)["verdict"]
    assert verdict["kind"] in ("supported", "weak")
    for more in ({"k": 1}, {"k": 50}, {"sort": "oldest"}):
        assert asked(answered, **more)["verdict"] == verdict
    elsewhere = asked("Who won the cricket world cup?", effort="thorough")
    assert elsewhere["verdict"]["kind"] == "none"
    assert elsewhere["verdict"]["probability"] < verdict["probability"]
    assert elsewhere["effort"] == "thorough"
    assert all(0 <= hit["probability"] <= 1 for hit in elsewhere["hits"])
    assert asked("zeppelin", outlet="Nobody")["verdict"] == {"kind": "none", "probability": 0.0}


def test_a_word_that_looks_misspelt_is_offered_as_the_archive_has_it(harbour_url: str) -> None:
    answer = httpx.get(f"{harbour_url}/v1/search", params={"q": "curatorr -ferry"}).json()
    assert answer["suggestions"] == [
        {
            "question": "Curator -ferry",
            "words": [{"word": "curatorr", "variant": "Curator", "passages": 1}],
        }
    ]


def test_why_an_article_is_where_it_is_can_be_asked(harbour_url: str) -> None:
    query = {"q": "ferry", "article": "harbour-041"}
    explained = httpx.get(f"{harbour_url}/v1/explain", params=query).json()
    hits = httpx.get(f"{harbour_url}/v1/search", params={"q": "ferry"}).json()["hits"]
    hit = next(hit for hit in hits if hit["article_id"] == "harbour-041")
    assert (explained["reason"], explained["rank"]) == ("found", hit["rank"])
    assert explained["dense"]["score"] == hit["dense"]
    query["from"] = "2025-04-01"
    left_out = httpx.get(f"{harbour_url}/v1/explain", params=query).json()
    assert (left_out["reason"], left_out["left_out_by"]) == ("filtered", ["from"])
    absent = httpx.get(f"{harbour_url}/v1/explain", params={"q": "ferry", "article": "absent"})
    _problem(absent, 404, "not-found")


# ------------------------------------------------------------------------ problems


@pytest.mark.parametrize(
    ("path", "status", "kind", "said"),
    [
        ("/v1/search", 422, "invalid-request", "q: Field required"),
        ("/v1/search?q=", 422, "invalid-request", "q: "),
        ("/v1/search?q=%20", 422, "bad-query", "q"),
        ("/v1/search?q=a&k=0", 422, "invalid-request", "k: "),
        ("/v1/search?q=a&k=ten", 422, "invalid-request", "k: "),
        ("/v1/search?q=a&sort=best", 422, "invalid-request", "sort: "),
        ("/v1/search?q=a&cursor=rubbish", 422, "bad-query", "cursor"),
        ("/v1/search?q=a&outlets=x", 422, "invalid-request", "outlets: "),
        ("/v1/search?q=a&from=31/02/2019", 422, "bad-query", "31/02/2019"),
        (f"/v1/search?q={'a' * 2001}", 422, "invalid-request", "q: "),
        ("/v1/articles/absent", 404, "not-found", "absent"),
        ("/v1/passages/absent", 404, "not-found", "absent"),
        ("/v1/nothing", 404, "about:blank", "/openapi.json"),
        ("/nothing", 404, "about:blank", "/openapi.json"),
        ("/static/nothing.css", 404, "about:blank", "/openapi.json"),
    ],
)
def test_every_error_is_a_problem_that_says_what_is_wrong(
    path: str, status: int, kind: str, said: str, harbour_url: str
) -> None:
    assert said in _problem(httpx.get(f"{harbour_url}{path}"), status, kind)


def test_a_mistake_in_the_question_is_told_with_its_place(harbour_url: str) -> None:
    for path in ("search", "export", "explain"):
        query = {"q": "ferry AND (tram", **({"article": "x"} if path == "explain" else {})}
        response = httpx.get(f"{harbour_url}/v1/{path}", params=query)
        _problem(response, 422, "bad-query")
        assert response.json()["position"] == 10


def test_a_wrong_method_is_a_problem_that_says_which_are_right(harbour_url: str) -> None:
    response = httpx.put(f"{harbour_url}/v1/search?q=a")
    _problem(response, 405, "about:blank")
    assert "GET" in response.headers["allow"]


def test_a_server_for_questions_only_takes_no_articles(harbour_url: str) -> None:
    for response in (
        httpx.post(f"{harbour_url}/v1/articles", json=TUNNEL),
        httpx.delete(f"{harbour_url}/v1/articles/harbour-041"),
    ):
        assert "--read-only" in _problem(response, 503, "store-read-only")


def test_an_unexpected_fault_tells_nothing_of_our_insides(harbour_copy: Path) -> None:
    with serving(harbour_copy, "--read-only") as server:
        assert httpx.get(f"{server.url}/v1/search?q=tram").status_code == 200
        # Not foreseen by anyone: the truth is gone under a running reader.
        for file in harbour_copy.glob("nutgraf.db*"):
            file.write_bytes(b"\0" * 100)
        response = httpx.get(f"{server.url}/v1/articles/harbour-041?x={time.time()}")
        if response.status_code != 200:
            assert response.headers["content-type"] == "application/problem+json"
            assert "Traceback" not in response.text
            assert "sqlite3" not in response.text


# ------------------------------------------------------------------------- writing


def test_an_added_article_is_found_by_its_words_when_the_answer_comes(writable: Server) -> None:
    response = httpx.post(f"{writable.url}/v1/articles", json=TUNNEL)
    assert response.json()["results"] == [
        {
            "line": 1,
            "status": "added",
            "article_id": "tunnel-1",
            "version": 1,
            "reason": None,
            "advice": None,
        }
    ]
    assert _ids(writable.url, "tunnel leaks")[0] == "tunnel-1"
    _wait_until_embedded(writable.url)
    answer = httpx.get(f"{writable.url}/v1/search", params={"q": "tunnel leaks"}).json()
    assert answer["hits"][0]["dense"] is not None


def test_json_is_an_object_a_list_or_articles(writable: Server) -> None:
    for body in (TUNNEL, [TUNNEL], {"articles": [TUNNEL]}):
        response = httpx.post(f"{writable.url}/v1/articles", json=body)
        assert [result["article_id"] for result in response.json()["results"]] == ["tunnel-1"]


def test_of_ndjson_each_line_counts_on_its_own(writable: Server) -> None:
    changed = {**TUNNEL, "text": "The tunnel is dry again."}
    body = b"".join(
        (
            _ndjson(TUNNEL),
            b"\n{not json}\n",
            _ndjson({"id": "empty"}, changed, ["no object"]),
            '{"text": "Größe"}\n'.encode("latin-1"),
            _ndjson(TUNNEL | {"published": "31/02/2019"})[:-1],  # no newline at the end
        )
    )
    answer = httpx.post(f"{writable.url}/v1/articles", content=body, headers=NDJSON).json()
    assert [(r["line"], r["status"]) for r in answer["results"]] == [
        (1, "added"),
        (3, "rejected"),
        (4, "rejected"),
        (5, "replaced"),
        (6, "rejected"),
        (7, "rejected"),
        (8, "rejected"),
    ]
    assert (answer["added"], answer["replaced"], answer["rejected"]) == (1, 1, 5)
    assert all(r["reason"] and r["advice"] for r in answer["results"] if r["status"] == "rejected")
    assert httpx.get(f"{writable.url}/v1/articles/tunnel-1").json()["version"] == 2


def test_a_pasted_text_gives_its_headline_and_date(writable: Server) -> None:
    text = "Bridge closed for a week\n\n21 January 2022, 07:12 PM\n\nThe bridge is closed again."
    added = httpx.post(f"{writable.url}/v1/articles", json={"text": text, "pasted": True}).json()
    article = httpx.get(f"{writable.url}/v1/articles/{added['results'][0]['article_id']}").json()
    assert article["headline"] == "Bridge closed for a week"
    assert article["published"] == {"iso": "2022-01-21T19:12", "precision": "minute", "zone": None}


def test_a_removed_article_is_gone_from_every_arm(writable: Server) -> None:
    removed = httpx.delete(f"{writable.url}/v1/articles/harbour-041")
    assert removed.json() == {"article_id": "harbour-041", "removed": True}
    assert "harbour-041" not in _ids(writable.url, "When does the ferry sail?")
    again = httpx.delete(f"{writable.url}/v1/articles/harbour-041")
    _problem(again, 404, "not-found")


def test_an_article_is_removed_by_its_url(writable: Server) -> None:
    url = "https://courier.example/2025/03/harbour?from=front&id=41"
    removed = httpx.delete(f"{writable.url}/v1/articles/{quote(url, safe='')}")
    assert removed.json()["article_id"] == "harbour-041"


def test_the_same_key_gives_the_same_answer_and_no_second_change(writable: Server) -> None:
    headers = {"Idempotency-Key": "monday", **NDJSON}
    body = _ndjson(TUNNEL, {"id": "empty"})
    first = httpx.post(f"{writable.url}/v1/articles", content=body, headers=headers).json()
    httpx.delete(f"{writable.url}/v1/articles/tunnel-1")
    again = httpx.post(f"{writable.url}/v1/articles", content=body, headers=headers).json()
    assert again["results"] == first["results"]
    assert httpx.get(f"{writable.url}/v1/articles/tunnel-1").status_code == 404


def test_a_key_used_for_other_content_is_a_problem(writable: Server) -> None:
    headers = {"Idempotency-Key": "monday"}
    httpx.post(f"{writable.url}/v1/articles", json=TUNNEL, headers=headers)
    other = TUNNEL | {"text": "Something else."}
    response = httpx.post(f"{writable.url}/v1/articles", json=other, headers=headers)
    _problem(response, 422, "idempotency-key-reused")
    for key in ("", "two words", "x" * 201):
        response = httpx.post(
            f"{writable.url}/v1/articles", json=TUNNEL, headers={"Idempotency-Key": key}
        )
        _problem(response, 422, "idempotency-key")


def test_a_body_that_is_no_json_is_a_problem(writable: Server) -> None:
    for body in (b"{", b"", b"3", b'"text"', b"[" * 100_000, b"\xff"):
        response = httpx.post(
            f"{writable.url}/v1/articles",
            content=body,
            headers={"Content-Type": "application/json"},
        )
        _problem(response, 400, "bad-json")


def test_another_type_of_body_is_a_problem(writable: Server) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = httpx.post(
            f"{writable.url}/v1/articles", content=b"{}", headers={"Content-Type": media_type}
        )
        assert "application/x-ndjson" in _problem(response, 415, "media-type")


def test_a_body_over_the_limit_is_refused_whole_with_and_without_a_length(
    harbour_copy: Path,
) -> None:
    line = _ndjson(TUNNEL | {"id": "big", "text": "word " * 20_000})
    body = line * (1 + (1 << 20) // len(line))

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(body), 50_000):
            yield body[at : at + 50_000]

    with serving(harbour_copy, NUTGRAF_MAX_BODY_MB="1") as server:
        for content in (body, chunks()):
            try:
                response = httpx.post(f"{server.url}/v1/articles", content=content, headers=NDJSON)
            except httpx.WriteError:  # answered and closed while we were still sending
                continue
            assert "1 MiB" in _problem(response, 413, "too-large")
        assert httpx.get(f"{server.url}/v1/articles/big").status_code == 404
        assert httpx.post(f"{server.url}/v1/articles", json=TUNNEL).json()["added"] == 1


# ---------------------------------------------------------------------------- keys


def test_beyond_loopback_nothing_is_answered_without_a_key(keyed: Server) -> None:
    for path in (
        "/v1/search?q=tram",
        "/v1/status",
        "/v1/articles/harbour-041",
        "/v1/rejections",
        "/",
        "/articles/x",
        "/openapi.json",
        "/metrics",
    ):
        response = httpx.get(f"{keyed.url}{path}")
        assert "Bearer" in _problem(response, 401, "unauthorized")
        assert "Basic" in response.headers["www-authenticate"]
        for wrong_key in (
            f"Bearer {READ_KEY[:-1]}",
            f"Bearer {READ_KEY}x",
            "Bearer",
            "Bearer é",
            READ_KEY,
        ):
            wrong = {"Authorization": wrong_key.encode()}
            assert httpx.get(f"{keyed.url}{path}", headers=wrong).status_code == 401
    assert httpx.get(f"{keyed.url}/healthz").status_code == 200
    assert httpx.get(f"{keyed.url}/readyz").status_code == 200


def test_a_browser_reads_with_the_key_as_password_but_does_not_write(keyed: Server) -> None:
    assert httpx.get(f"{keyed.url}/", auth=("anyone", READ_KEY)).status_code == 200
    assert httpx.get(f"{keyed.url}/", auth=("anyone", "wrong")).status_code == 401
    response = httpx.post(f"{keyed.url}/v1/articles", json=TUNNEL, auth=("anyone", FEED_KEY))
    _problem(response, 401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


def test_the_key_lets_write_from_anywhere(keyed: Server) -> None:
    bearer = {"Authorization": f"Bearer {FEED_KEY}", "Host": "archive.example"}
    response = httpx.post(f"{keyed.url}/v1/articles", json=TUNNEL, headers=bearer)
    assert response.json()["added"] == 1
    assert httpx.post(f"{keyed.url}/v1/articles", json=TUNNEL).status_code == 401
    assert httpx.delete(f"{keyed.url}/v1/articles/tunnel-1").status_code == 401


FOREIGN_HEADERS = (
    {"Host": "evil.example"},  # another site's name that points here
    {"Host": "evil.example:8000"},
    {"Host": "localhost.evil.example"},
    {"X-Forwarded-For": "203.0.113.9"},  # a proxy on this machine
    {"X-Forwarded-For": "127.0.0.1"},
    {"Forwarded": "for=203.0.113.9"},
    {"Via": "1.1 proxy"},
)


def test_without_a_key_only_this_machine_under_its_own_name_may_write(writable: Server) -> None:
    url = f"{writable.url}/v1/articles"
    for headers in FOREIGN_HEADERS:
        for response in (
            httpx.post(url, json=TUNNEL, headers=headers),
            httpx.delete(f"{url}/harbour-041", headers=headers),
        ):
            assert "NUTGRAF_API_KEYS" in _problem(response, 403, "forbidden"), headers
        assert httpx.get(f"{writable.url}/v1/status", headers=headers).status_code == 200
    own = {"Host": f"localhost:{writable.port}"}
    assert httpx.post(url, json=TUNNEL, headers=own).json()["added"] == 1


def test_a_server_without_a_key_does_not_listen_beyond_loopback(
    harbour: Path, nutgraf: Run
) -> None:
    refused = nutgraf("serve", "--host", "0.0.0.0", "--port", "0", "--store", harbour)
    assert refused.returncode == 2
    assert "NUTGRAF_API_KEYS" in refused.stderr
    assert "Traceback" not in refused.stderr


# -------------------------------------------------------------------------- process


def test_a_server_told_to_stop_as_soon_as_it_says_that_it_answers_ends_well(harbour: Path) -> None:
    for _ in range(3):
        with serving(harbour, "--read-only") as server:
            assert server.stop() == 0, "".join(server.log)


def test_a_request_under_way_is_finished_when_the_server_is_told_to_stop(
    harbour_copy: Path, nutgraf: Run
) -> None:
    articles = [{"id": f"a-{n}", "text": f"Article number {n} of the strike."} for n in range(1000)]
    answers: list[httpx.Response] = []
    with serving(harbour_copy) as server:
        sending = threading.Thread(
            target=lambda: answers.append(
                httpx.post(
                    f"{server.url}/v1/articles",
                    content=_ndjson(*articles),
                    headers=NDJSON,
                    timeout=60,
                )
            )
        )
        sending.start()
        time.sleep(0.3)
        assert server.stop() == 0
        sending.join()
    assert answers[0].json()["added"] == 1000
    found = json.loads(nutgraf("status", "--json", "--store", harbour_copy).stdout)
    assert found["articles"] == len(ARTICLES) + 1000


def test_while_a_server_holds_the_store_others_read_and_none_writes(
    writable: Server, harbour_copy: Path, nutgraf: Run
) -> None:
    locked = nutgraf("add", "--store", harbour_copy)
    assert locked.returncode == 75
    assert str(writable.process.pid) in locked.stderr
    assert nutgraf("serve", "--port", "0", "--store", harbour_copy).returncode == 75
    asked = nutgraf("search", "ferry", "--store", harbour_copy, "--json")
    assert json.loads(asked.stdout)["hits"]
    with serving(harbour_copy, "--read-only") as second:
        assert _ids(second.url, "ferry")


def test_a_port_that_is_taken_is_said_in_one_line(harbour: Path, nutgraf: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = nutgraf("serve", "--read-only", "--port", port, "--store", harbour)
    assert refused.returncode == 2
    assert f"port {port}: Address already in use" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_many_ask_while_articles_come(writable: Server) -> None:
    failures: list[str] = []

    def ask() -> None:
        for _ in range(20):
            response = httpx.get(f"{writable.url}/v1/search", params={"q": "ferry"})
            if response.status_code != 200 or not response.json()["hits"]:
                failures.append(response.text)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for thread in askers:
        thread.start()
    for number in range(10):
        article = {"id": f"more-{number}", "text": f"The ferry made trip {number}."}
        assert httpx.post(f"{writable.url}/v1/articles", json=article).status_code == 200
    for thread in askers:
        thread.join()
    assert failures == []


# ------------------------------------------------------------------------- OpenAPI


@pytest.fixture(scope="module")
def schema_url(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("openapi") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    with serving(folder) as server:
        yield f"{server.url}/openapi.json"


def test_every_operation_has_examples_and_declares_its_problems(schema_url: str) -> None:
    schema = httpx.get(schema_url).json()
    schemas = schema["components"]["schemas"]
    operations = [
        (path, operation)
        for path, methods in schema["paths"].items()
        for operation in methods.values()
    ]
    assert len(operations) == 38
    for path, operation in operations:
        content = operation["responses"]["200"]["content"]
        for media_type, reply in content.items():
            name = reply["schema"].get("$ref", "").rpartition("/")[2]
            is_binary = reply["schema"].get("format") == "binary"
            assert is_binary or reply.get("example") or schemas[name]["example"], (path, media_type)
        for parameter in operation.get("parameters", []):
            shape = parameter["schema"]
            optional = parameter["in"] == "header" and parameter["name"] == "if-none-match"
            assert optional or shape.get("examples") or parameter.get("example"), parameter
        for body in operation.get("requestBody", {"content": {}})["content"].values():
            assert body["example"], path
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"]["application/problem+json"]["example"], (path, status)
        if path.startswith("/v1"):
            assert {"401", "422", "503"} <= set(operation["responses"])
            assert operation["security"]


# As the server sends it, but known before one runs: the tests below are made from it.
DESCRIBED = build_app(
    cast(Archive, SimpleNamespace(searcher=None, questions=None)),
    Access("127.0.0.1"),
    max_body_bytes=1,
).openapi()


def test_many_who_ask_at_once_how_the_server_is_used_are_told() -> None:
    archive = cast(Archive, SimpleNamespace(searcher=None, questions=None))
    app = build_app(archive, Access("127.0.0.1"), max_body_bytes=1)
    with ThreadPoolExecutor(10) as pool:
        described = [each.result() for each in [pool.submit(app.openapi) for _ in range(10)]]
    assert described == [DESCRIBED] * 10


def test_the_server_describes_itself(schema_url: str) -> None:
    assert httpx.get(schema_url).json() == json.loads(json.dumps(DESCRIBED))


@schemathesis.serializer("application/x-ndjson")
def _as_it_stands(_: object, value: object) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


@schemathesis.openapi.from_dict(DESCRIBED).parametrize()
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_is_answered_as_the_schema_says(case: Case, schema_url: str) -> None:
    case.call_and_validate(
        base_url=schema_url.removesuffix("/openapi.json"),
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
