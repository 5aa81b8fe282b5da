"""Citing over HTTP and on the command line, and unAPI, on a server that also writes."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pybtex.database
import pytest
import rispy
from conftest import Run, serving
from test_cite import DIVERS, FERRY, FERRY_LATER, OPENING

from search.http.cite_responses import CiteResponse

SOURCE = {
    "headline": "Harbour reopens after the storm",
    "outlet": "Northport Courier",
    "byline": "Tomas Lindqvist",
    "section": "Local",
    "published": "2025-03-14T19:12",
}
URL = "https://courier.example/2025/03/harbour/cite"  # ends as the route does
EDITED = {"id": "edited-1", "text": f"{OPENING}\n\n{FERRY}", "url": URL, **SOURCE}
WITHDRAWN = {"id": "withdrawn-1", "text": DIVERS, **SOURCE}


class Site:
    """A running server, its store, and the passages that were there at first by their text."""

    def __init__(self, url: str, store: Path) -> None:
        self.url, self.store = url, store
        self.ids: dict[str, str] = {}

    def get(self, path: str, **parameters: object) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", params=parameters)  # type: ignore[arg-type]

    def cite(self, text: str, **parameters: object) -> CiteResponse:
        response = self.get(f"/v1/cite/{self.ids[text]}", **parameters)
        assert response.status_code == 200, response.text
        return CiteResponse.model_validate(response.json())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    store = tmp_path_factory.mktemp("cite") / "store"
    with serving(store) as server:
        site = Site(server.url, store)
        for article in (EDITED, WITHDRAWN):
            httpx.post(f"{site.url}/v1/articles", json=article, timeout=60).raise_for_status()
            stored = site.get(f"/v1/articles/{article['id']}").json()
            paragraphs = stored["text"].split("\n\n")
            site.ids.update(zip(paragraphs, stored["passage_ids"], strict=True))
        later = {**EDITED, "text": f"{OPENING}\n\n{FERRY_LATER}"}
        httpx.post(f"{site.url}/v1/articles", json=later, timeout=60).raise_for_status()
        httpx.delete(f"{site.url}/v1/articles/withdrawn-1", timeout=60).raise_for_status()
        yield site


def test_an_unchanged_passage_is_cited_in_every_format(site: Site) -> None:
    answer = site.cite(OPENING)
    assert (answer.status, answer.since, answer.edited) == ("unchanged", None, None)
    citation = answer.citation
    assert citation is not None
    assert (citation.quote, citation.start, citation.end) == (OPENING, 0, len(OPENING))
    assert citation.accessed == date.today()
    assert citation.archive_url == f"{site.url}/articles/edited-1#{site.ids[OPENING]}"
    assert citation.live_url.startswith(f"{URL}#:~:text=Northport%20harbour%20opened")
    assert [selector["type"] for selector in citation.selectors] == [
        "TextQuoteSelector",
        "TextPositionSelector",
    ]
    assert citation.styles.apa.startswith("Lindqvist, T. (2025, March 14). Harbour reopens")
    assert rispy.loads(citation.formats.ris)[0]["title"] == SOURCE["headline"]
    assert len(pybtex.database.parse_string(citation.formats.bibtex, "bibtex").entries) == 1
    assert citation.formats.csl_json["custom"]["quote"] == OPENING


def test_an_edited_passage_is_told_with_what_changed(site: Site) -> None:
    answer = site.cite(FERRY)
    assert answer.status == "edited"
    assert answer.since is not None
    assert (answer.citation and answer.citation.quote) == FERRY_LATER
    assert answer.citation is not None
    assert answer.citation.version == 2
    edited = answer.edited
    assert edited is not None
    assert (edited.text, edited.version) == (FERRY, 1)
    assert edited.changes is not None
    for change in edited.changes:
        assert FERRY[change.before.start : change.before.end] == change.before.text
        assert FERRY_LATER[change.now.start : change.now.end] == change.now.text
    assert [(each.before.text, each.now.text) for each in edited.changes] == [
        ("dawn on Saturday", "noon on Sunday")
    ]


def test_of_a_withdrawn_passage_no_word_is_shown(site: Site) -> None:
    response = site.get(f"/v1/cite/{site.ids[DIVERS]}")
    answer = CiteResponse.model_validate(response.json())
    assert (answer.status, answer.article_id) == ("withdrawn", "withdrawn-1")
    assert answer.since is not None
    assert (answer.citation, answer.edited) == (None, None)
    assert "divers" not in response.text
    reference = site.get(f"/v1/cite/{site.ids[DIVERS]}", format="ris")
    assert reference.status_code == 404
    assert "withdrawn on" in reference.json()["detail"]


@pytest.mark.parametrize(
    ("format", "media_type", "begins"),
    [
        ("ris", "application/x-research-info-systems", "TY  - NEWS"),
        ("bibtex", "application/x-bibtex", "@article{"),
        ("csl-json", "application/vnd.citationstyles.csl+json", "["),
        ("apa", "text/plain; charset=utf-8", "Lindqvist, T."),
        ("iso690", "text/plain; charset=utf-8", "LINDQVIST, Tomas"),
        ("chicago", "text/plain; charset=utf-8", "Lindqvist, Tomas."),
        ("mla", "text/plain; charset=utf-8", "Lindqvist, Tomas."),
    ],
)
def test_a_format_is_given_alone(site: Site, format: str, media_type: str, begins: str) -> None:
    for path in (f"/v1/cite/{site.ids[OPENING]}", "/v1/articles/edited-1/cite"):
        response = site.get(path, format=format)
        assert response.headers["content-type"] == media_type
        assert response.text.startswith(begins)
        saved = response.headers.get("content-disposition", "")
        assert saved.startswith("attachment") == (media_type.split(";")[0] != "text/plain")


def test_an_article_is_cited_by_its_id_or_url_whole_or_in_part(site: Site) -> None:
    whole = site.get("/v1/articles/edited-1/cite").json()
    assert (whole["citation"]["quote"], whole["citation"]["passage_id"]) == ("", None)
    escaped = URL.replace("/", "%2F").replace(":", "%3A")
    assert site.get(f"/v1/articles/{escaped}").json()["article_id"] == "edited-1"
    part = site.get(f"/v1/articles/{escaped}/cite", start=10, end=17).json()
    assert part["citation"]["quote"] == "harbour"
    assert part["citation"]["passage_id"] == site.ids[OPENING]
    assert part["citation"]["archive_url"].endswith(
        f"/articles/edited-1?start=10&end=17#{site.ids[OPENING]}"
    )
    assert site.cite(OPENING, start=10, end=17).citation == CiteResponse(**part).citation


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("/v1/cite/edited-1-000000000000", {}, 404),
        ("/v1/articles/never-was/cite", {}, 404),
        ("/v1/articles/withdrawn-1/cite", {"format": "apa"}, 404),
        ("/v1/articles/edited-1/cite", {"start": 3}, 422),
        ("/v1/articles/edited-1/cite", {"start": 3, "end": 3}, 422),
        ("/v1/articles/edited-1/cite", {"start": 3, "end": 10**9}, 422),
        ("/v1/articles/edited-1/cite", {"format": "endnote"}, 422),
        ("/v1/articles/edited-1/cite", {"style": "apa"}, 422),
        ("/unapi", {"id": "never-was"}, 404),
        ("/unapi", {"id": "withdrawn-1"}, 404),
        ("/unapi", {"id": "edited-1", "format": "mods"}, 406),
        ("/unapi", {"format": "ris"}, 422),
    ],
)
def test_what_cannot_be_cited_is_a_problem(
    site: Site, path: str, parameters: dict[str, str], status: int
) -> None:
    response = site.get(path, **parameters)
    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == "application/problem+json"


def test_unapi_lists_its_formats_and_gives_references(site: Site) -> None:
    listed = site.get("/unapi")
    assert (listed.status_code, listed.headers["content-type"]) == (200, "application/xml")
    root = ElementTree.fromstring(listed.text)
    assert (root.tag, root.attrib) == ("formats", {})
    names = [format.attrib["name"] for format in root]
    assert names == ["ris", "bibtex", "csl-json"]
    passage = site.ids[OPENING]
    of_passage = site.get("/unapi", id=passage)
    assert of_passage.status_code == 300
    root = ElementTree.fromstring(of_passage.text)
    assert root.attrib == {"id": passage}
    for format in root:
        assert format.tag == "format"
        answer = site.get("/unapi", id=passage, format=format.attrib["name"])
        assert answer.headers["content-type"] == format.attrib["type"]
        assert passage in answer.text


def test_the_command_tells_the_same(site: Site, nutgraf: Run) -> None:
    told = nutgraf("cite", site.ids[FERRY], "--store", site.store)
    assert told.returncode == 0, told.stderr
    first = told.stdout.splitlines()[0]
    assert first.startswith("Edited on ")
    assert "version 1" in first
    assert "- dawn on Saturday" in told.stdout
    assert "+ noon on Sunday" in told.stdout
    document = nutgraf("cite", site.ids[OPENING], "--store", site.store, "--json").stdout
    offline = CiteResponse.model_validate_json(document)
    online = site.cite(OPENING)
    assert offline.citation is not None
    assert online.citation is not None
    assert offline.citation.archive_url == ""
    assert offline.citation.styles == online.citation.styles
    ris = nutgraf(
        *("cite", "edited-1", "--start", 10, "--end", 17, "--format", "csl-json"),
        *("--store", site.store),
    )
    assert json.loads(ris.stdout)[0]["custom"]["quote"] == "harbour"
    gone = nutgraf("cite", site.ids[DIVERS], "--store", site.store)
    assert gone.stdout.startswith("Withdrawn on ")
    assert nutgraf("cite", "never-was", "--store", site.store).returncode == 1
    assert nutgraf("cite", "edited-1", "--format", "x", "--store", site.store).returncode == 2
