"""The pages of the stories."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import Run, serving
from playwright.sync_api import Browser, Page
from two_stories import ARTICLES

HOSTILE: list[dict[str, str]] = [
    {
        "id": f"hostile-{number}",
        "headline": "<script>alert('lighthouse')</script> Gull Rock lighthouse goes dark",
        "outlet": outlet,
        "published": "2025-03-16",
        "text": text,
    }
    for number, (outlet, text) in enumerate(
        [
            (
                "Coast Wire",
                "The Gull Rock lighthouse went dark on Sunday for <b>the first time</b> since "
                "1911, keeper Ada Moen said.",
            ),
            (
                "The <Islander>",
                "No light came from the Gull Rock lighthouse on Sunday, where keeper Ada Moen "
                "looked for a broken cable & found <i>none</i>.",
            ),
        ]
    )
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("pages") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in [*ARTICLES, *HOSTILE])
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    with serving(folder, "--read-only") as server:
        yield server.url


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_context(java_script_enabled=False).new_page()


def test_a_reader_goes_from_the_head_to_the_week_to_a_story_to_an_article_and_back(
    page: Page, url: str
) -> None:
    page.goto(f"{url}/")
    page.get_by_role("link", name="Stories").click()
    assert page.get_by_role("heading", level=1).inner_text() == (
        "Stories, 10 March 2025 to 16 March 2025"
    )
    page.get_by_role("link", name="Ferry Petrel catches fire").click()
    quotes = page.locator(".timeline blockquote").all_inner_texts()
    assert [quote.split()[:3] for quote in quotes] == [
        ["The", "ferry", "Petrel"],
        ["The", "owner", "of"],
    ]
    assert "first by 2 hours" in page.locator(".facts").inner_text()
    page.locator(".timeline").get_by_role("link").last.click()
    assert "ignored two written warnings" in page.locator(".passage:target").inner_text()
    page.get_by_role("link", name="The whole story").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("Ferry Petrel")


def test_days_are_chosen_by_the_form_and_by_the_links_to_earlier_and_later(
    page: Page, url: str
) -> None:
    page.goto(f"{url}/stories")
    page.get_by_label("From").fill("2025-03-10")
    page.get_by_label("To").fill("2025-03-11")
    page.get_by_role("button", name="Show").click()
    assert page.locator(".hit h2").count() == 1
    assert page.get_by_label("From").input_value() == "2025-03-10"
    page.get_by_role("link", name="Later days").click()
    assert page.get_by_role("heading", level=1).inner_text() == (
        "Stories, 12 March 2025 to 13 March 2025"
    )
    page.get_by_role("link", name="Earlier days").click()
    assert page.get_by_label("To").input_value() == "2025-03-11"


def test_without_bounds_the_stories_of_all_days_are_shown(url: str) -> None:
    html = httpx.get(f"{url}/stories", params={"from": "", "to": ""}).text
    assert "3 stories, most reports first" in html
    assert '<h1 class="front">Stories</h1>' in html


def test_an_article_that_nobody_else_reported_has_no_link_to_a_story(url: str) -> None:
    assert "The whole story" not in httpx.get(f"{url}/articles/museum-3").text


def test_whatever_an_article_holds_is_shown_as_text(url: str) -> None:
    listed = httpx.get(f"{url}/stories").text
    id = listed.partition("lighthouse goes dark")[0].rpartition("/stories/")[2].partition('"')[0]
    story = httpx.get(f"{url}/stories/{id}").text
    for html in (listed, story):
        assert "&lt;script&gt;alert" in html
        assert "<script>" not in html
        assert "The &lt;Islander&gt;" in html
    assert "&lt;b&gt;the first time&lt;/b&gt;" in story


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/stories/s999", 404, "This story is not in the archive"),
        ("/stories?from=31/02/2025", 422, "That could not be answered"),
        ("/stories?from=2025-03-12&to=2025-03-11", 422, "That could not be answered"),
        ("/stories?cursor=none", 422, "That could not be answered"),
        ("/stories?from=1999-01-01&to=1999-01-07", 200, "No story found"),
    ],
)
def test_what_is_not_there_or_not_asked_rightly_is_said(
    url: str, path: str, status: int, text: str
) -> None:
    response = httpx.get(f"{url}{path}")
    assert response.status_code == status
    assert text in response.text


def test_nothing_is_wider_than_a_narrow_screen(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{url}/stories")
    story = page.locator(".hit h2 a").first.get_attribute("href")
    for path in ("/stories", story):
        page.goto(f"{url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
