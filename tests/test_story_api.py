"""Stories over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import Run, serving
from two_stories import ARTICLES

from search.http.story_responses import StoriesResponse, StoryResponse


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("stories") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    with serving(folder, "--read-only") as server:
        yield f"{server.url}/v1"


def test_the_biggest_stories_are_listed_with_who_was_first(url: str) -> None:
    page = StoriesResponse.model_validate(httpx.get(f"{url}/stories").json())
    ferry, tram = page.stories
    assert (ferry.reports, ferry.articles) == (3, 4)
    assert ferry.outlets == ["Northport Courier", "Coast Wire", "The Islander"]
    assert ferry.first.article is not None
    assert ferry.first.article.article_id == "wire-1"
    assert tram.first.article is None
    assert (page.total, page.rank, page.min_reports) == (2, 1, 2)


def test_a_week_is_asked_for_by_its_days(url: str) -> None:
    week = {"from": "2025-03-11", "to": "2025-03-17"}
    page = httpx.get(f"{url}/stories", params=week).json()
    assert [(story["reports"], story["articles"]) for story in page["stories"]] == [(2, 2)]
    assert {name: page["filters"][name] for name in week} == week


def test_links_lead_from_page_to_page_and_keep_the_parameters(url: str) -> None:
    response = httpx.get(f"{url}/stories", params={"k": 1, "min_reports": 1})
    seen = [story["story"] for story in response.json()["stories"]]
    while "next" in response.links:
        assert "min_reports=1" in response.links["next"]["url"]
        response = httpx.get(httpx.URL(url).join(response.links["next"]["url"]))
        seen += [story["story"] for story in response.json()["stories"]]
    whole = httpx.get(f"{url}/stories", params={"min_reports": 1}).json()
    assert seen == [story["story"] for story in whole["stories"]]
    assert len(seen) == 3


def test_a_story_cites_its_timeline(url: str) -> None:
    id = httpx.get(f"{url}/stories").json()["stories"][0]["story"]
    story = StoryResponse.model_validate(httpx.get(f"{url}/stories/{id}").json())
    assert [entry.article_id for entry in story.timeline] == ["wire-1", "courier-2"]
    for entry in story.timeline:
        article = httpx.get(f"{url}/articles/{entry.article_id}").json()
        assert article["text"][entry.start : entry.end] == entry.quote
        assert article["story"] == story.story == id
        passage = httpx.get(f"{url}/passages/{entry.passage_id}").json()
        assert passage["start"] <= entry.start < entry.end <= passage["end"]
    assert [(report.article_id, report.copies) for report in story.coverage] == [
        ("wire-1", 1),
        ("islander-1", 0),
        ("courier-2", 0),
    ]
    assert story.merged_from is None


def test_a_hit_names_the_story_of_its_article(url: str) -> None:
    ferry, tram = (story["story"] for story in httpx.get(f"{url}/stories").json()["stories"])
    hits = httpx.get(f"{url}/search", params={"q": "ferry OR tram OR map", "k": 50}).json()["hits"]
    named = {hit["article_id"]: hit["story"] for hit in hits}
    assert named["islander-1"] == named["courier-2"] == ferry
    assert named["council-1"] == tram
    assert named["museum-3"] is None


def test_an_article_that_nobody_else_reported_names_no_story(url: str) -> None:
    assert httpx.get(f"{url}/articles/museum-3").json()["story"] is None


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("stories/s999", {}, 404),
        ("stories/ferry", {}, 404),
        ("stories", {"from": "31/02/2025"}, 422),
        ("stories", {"from": "2025-03-12", "to": "2025-03-11"}, 422),
        ("stories", {"min_reports": "0"}, 422),
        ("stories", {"k": "101"}, 422),
        ("stories", {"cursor": "none"}, 422),
        ("stories", {"since": "2025-03-11"}, 422),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    url: str, path: str, parameters: dict[str, str], status: int
) -> None:
    response = httpx.get(f"{url}/{path}", params=parameters)
    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
