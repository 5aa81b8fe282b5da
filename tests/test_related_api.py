"""HTTP for the coverage around an article."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from conftest import Run, serving

from search.http.related_responses import LineageResponse

LEAD = (
    "The harbour opened again on Friday, nine days after the storm closed it. Until then the mail, "
    "the milk and the doctor had come by helicopter, on the few mornings when the wind allowed it."
)
FERRY = (
    "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters at the quay, "
    "where a crowd had gathered to see the first boats leave."
)
BOATS = (
    "Fishing boats must wait until divers have looked at the outer mole, which lost forty metres "
    "of stone in the night of the storm."
)
STORES = "The island lived from its stores."

ARTICLES: list[dict[str, str]] = [
    {
        "url": "https://wire.example/2025/harbour/copies",  # ends as the route does
        "headline": "Northport harbour reopens",
        "outlet": "Coast Wire",
        "published": "2025-03-14T16:05",
        "text": f"{LEAD}\n\n{FERRY}\n\n{BOATS}",
    },
    {
        "id": "courier-1",
        "url": "https://courier.example/a?b=1&c=2",
        "headline": "Harbour <b>open</b>",
        "outlet": "Northport Courier",
        "byline": "Tomas Lindqvist",
        "published": "2025-03-14T19:12",
        "text": f"{LEAD}\n\n{FERRY}\n\n{STORES}\n\nCoast Wire contributed to this report.",
    },
    {"id": "museum-3", "headline": "Museum shows the lost map", "text": "The map is of 1702."},
]
WIRE = "https://wire.example/2025/harbour/copies"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("related") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    with serving(folder, "--read-only") as server:
        yield server.url


def _get(url: str, key: str, ending: str = "/copies") -> httpx.Response:
    return httpx.get(f"{url}/v1/articles/{quote(key, safe='')}{ending}")


@pytest.mark.parametrize("key", ["courier-1", "https://courier.example/a?b=1&c=2", WIRE])
def test_an_article_by_any_of_its_names_leads_to_its_lineage(key: str, url: str) -> None:
    answer = _get(url, key).json()
    wire, courier = answer["versions"]
    assert (wire["part"], courier["part"]) == ("original", "copy")
    assert (wire["outlet"], courier["outlet"]) == ("Coast Wire", "Northport Courier")
    assert answer["original"] == {"article_id": wire["article_id"], "version": 1}
    assert answer["reason"] == "the outlet the others credit"
    assert (answer["copies"], answer["outlets"]) == (1, ["Coast Wire", "Northport Courier"])
    assert (wire["changes"], wire["derives_from"]) == (None, None)
    assert courier["derives_from"] == answer["original"]
    assert courier["changes"]["headline"] == "Northport harbour reopens"


def test_spans_and_their_texts_are_those_of_the_articles(url: str) -> None:
    wire, courier = _get(url, "courier-1").json()["versions"]
    original, copy = (
        _get(url, version["article_id"], "").json()["text"] for version in (wire, courier)
    )
    edits = courier["changes"]["edits"]
    assert edits
    for edit in edits:
        for side, text in ((edit["original"], original), (edit["copy"], copy)):
            assert text[side["start"] : side["end"]] == side["text"]
    (edit,) = edits
    assert edit["original"]["text"] == BOATS[:-1]  # the full stop is the same
    assert edit["copy"]["text"].startswith(STORES)


def test_an_article_without_copies_is_a_lineage_of_one(url: str) -> None:
    answer = _get(url, "museum-3").json()
    assert [version["part"] for version in answer["versions"]] == ["original"]
    assert (answer["copies"], answer["outlets"]) == (0, [])


def test_an_encoded_id_that_ends_as_the_route_does_is_still_an_article(url: str) -> None:
    article = _get(url, WIRE, "")
    assert article.json()["url"] == WIRE
    assert "versions" not in article.json()


@pytest.mark.parametrize("key", ["nobody", "https://wire.example/2025/harbour", "%00", "\udc80"])
def test_an_unknown_article_is_a_problem(key: str, url: str) -> None:
    escaped = quote(key.encode("utf-8", "surrogateescape"), safe="")
    response = httpx.get(f"{url}/v1/articles/{escaped}/copies")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code == 404


def test_the_example_is_one_that_could_be_answered() -> None:
    example = LineageResponse.model_json_schema()["example"]
    answer = LineageResponse.model_validate(example)
    assert answer.model_dump(mode="json", by_alias=True) == example


# ------------------------------------------------------------------------ the page


def test_the_page_of_an_article_lists_who_ran_it_and_what_changed(url: str) -> None:
    html = httpx.get(f"{url}/articles/courier-1").text
    assert "Who ran this report" in html
    assert "1 copy of one original: Coast Wire, the outlet the others credit." in html
    assert ">Northport harbour reopens</a>" in html
    assert "Harbour &lt;b&gt;open&lt;/b&gt;" in html
    assert "(this article)" in html
    assert "keeps 7" in html


def test_a_page_without_copies_says_nothing_of_them(url: str) -> None:
    assert "Who ran this report" not in httpx.get(f"{url}/articles/museum-3").text
