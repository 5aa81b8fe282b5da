"""Many questions in one request."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from search.http.batch_api import MAX_QUESTIONS

CSV = "text/csv"
LIST = "text/plain"
JSON_LINES = "application/x-ndjson"


@pytest.fixture(scope="module")
def client(harbour_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{harbour_url}/v1") as client:
        yield client


def ask(client: httpx.Client, body: str, media_type: str, **parameters: Any) -> httpx.Response:
    return client.post(
        "/batch",
        content=body.encode(),
        params=parameters,
        headers={"Content-Type": f"{media_type}; charset=utf-8"},
    )


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (CSV, "id;question\r\n1;When does the ferry sail?\r\n2;headline:zeppelin\r\n"),
        (LIST, "When does the ferry sail?\nheadline:zeppelin\n"),
        (JSON_LINES, '{"q": "When does the ferry sail?", "id": 1}\n{"q": "headline:zeppelin"}\n'),
    ],
)
def test_each_layout_is_asked_and_each_hit_is_a_row(
    media_type: str, body: str, client: httpx.Client
) -> None:
    response = ask(client, body, media_type, k=2, format="jsonl")
    assert response.headers["content-type"] == JSON_LINES
    first, second, none = map(json.loads, response.text.splitlines())
    answer = client.get("/search", params={"q": "When does the ferry sail?", "k": 2}).json()
    assert [row["passage_id"] for row in (first, second)] == [
        hit["passage_id"] for hit in answer["hits"]
    ]
    assert first["quote"] == answer["hits"][0]["text"]
    assert first["archive_url"].startswith(str(client.base_url.copy_with(path="/articles/")))
    assert (first["total"], first["snapshot"]) == (answer["total"], answer["snapshot"])
    assert (none["question"], none["verdict"], none["rank"]) == (
        "headline:zeppelin",
        "none",
        None,
    )


def test_csv_is_a_file_to_be_saved(client: httpx.Client) -> None:
    response = ask(client, "ferry\n", LIST)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="nutgraf-batch.csv"' in response.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))
    assert {row["question"] for row in rows} == {"ferry"}


def test_filters_of_the_request_hold_unless_a_question_has_its_own(client: httpx.Client) -> None:
    body = '{"q": "ferry"}\n{"q": "ferry", "outlet": "Northport Courier"}\n'
    answered = ask(client, body, JSON_LINES, format="jsonl", outlet="The Islander").text
    by_line: dict[int, set[str]] = {}
    for row in map(json.loads, answered.splitlines()):
        by_line.setdefault(row["line"], set()).add(row["outlet"])
    assert by_line == {1: {"The Islander"}, 2: {"Northport Courier"}}


def test_bad_lines_become_rows_that_say_so(client: httpx.Client) -> None:
    answered = ask(client, "q,mode\nferry,loud\ntram,\n", CSV, format="jsonl", k=1).text
    bad, good = map(json.loads, answered.splitlines())
    assert bad["problem"] == 'mode: "loud" is none; use plain or verbatim'
    assert (bad["question"], bad["verdict"]) == ("ferry", None)
    assert (good["problem"], good["article_id"]) == (None, "council-007")


def test_no_questions_are_a_table_without_rows(client: httpx.Client) -> None:
    assert ask(client, "", LIST, format="jsonl").text == ""
    assert ask(client, "question\n", CSV).text.count("\n") == 1


@pytest.mark.parametrize(
    ("body", "media_type", "parameters", "status", "said"),
    [
        ("x\n" * (MAX_QUESTIONS + 1), LIST, {}, 413, "more than 1,000 questions; send them in"),
        ("person\nInes\n", CSV, {}, 422, "body:1: no column for the question"),
        ("ferry", "application/json", {}, 415, "send text/csv, text/plain or application/x-ndjson"),
        ("ferry", LIST, {"from": "31/02"}, 422, "from: '31/02' is no day"),
        ("ferry", LIST, {"k": 101}, 422, "k: "),
        ("ferry", LIST, {"q": "ferry"}, 422, "q: "),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    client: httpx.Client,
    body: str,
    media_type: str,
    parameters: dict[str, Any],
    status: int,
    said: str,
) -> None:
    response = ask(client, body, media_type, **parameters)
    assert response.status_code == response.json()["status"] == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert said in response.json()["detail"]
