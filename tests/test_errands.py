"""Whole errands of a reader on the page, each by the keyboard alone and in a real browser."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import feedparser
import httpx
import pytest
from accessibility import assert_accessible
from conftest import ROOT, Run, Server, serving
from playwright.sync_api import Browser, Download, Page, expect

_MOST_TABS = 150
# What a screen reader would say of the element in focus, more or less.
_FOCUSED = """() => {
    const at = document.activeElement;
    return (at.getAttribute("aria-label") || at.labels?.[0]?.textContent || at.textContent).trim();
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[Server]:
    """A server over `sample/`, found by words."""
    folder = tmp_path_factory.mktemp("errands") / "store"
    added = nutgraf("add", ROOT / "sample", "--no-wait", "--store", folder)
    assert added.returncode == 0, added.stderr
    with serving(folder) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Policy" in said.text else None)
    yield page
    context.close()
    assert not problems


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is in focus begins with `name`, as a reader would who sees the focus."""
    wanted = re.compile(name)
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.match(page.evaluate(_FOCUSED)):
            return
    raise AssertionError(f"{name!r} is not within {_MOST_TABS} tabs on {page.url}")


def enter(page: Page) -> None:
    """Press Enter on what leads to another page, and wait for all of it."""
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")


def ask(page: Page, question: str) -> None:
    page.goto("/")
    page.keyboard.type(question)  # the box has the focus
    enter(page)


def test_ask_and_cite(page: Page) -> None:
    ask(page, "How did the dockers' strike in Skarnmouth end?")
    expect(page.locator(".verdict")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("j")
    headline = page.evaluate(_FOCUSED)
    enter(page)
    assert page.get_by_role("heading", level=1).inner_text() == headline
    tab_to(page, "Cite passage 1")
    enter(page)
    assert "word for word" in page.locator(".standing").inner_text()
    assert_accessible(page)
    tab_to(page, "Copy APA")
    page.keyboard.press("Enter")
    expect(page.locator("[data-copy=ref-apa]")).to_have_text("Copied")
    reference = page.evaluate("navigator.clipboard.readText()")
    assert headline in reference
    assert re.search(r"\(20\d\d, \w+ \d+\)\.", reference), reference
    tab_to(page, "Download RIS")
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    assert f"TI  - {headline}" in _text(downloading.value)


def test_narrow_page_to_the_end_and_export(page: Page) -> None:
    ask(page, "Skarnmouth")
    everything = page.locator(".count").inner_text()
    tab_to(page, "Skarnmouth Gazette$")  # among the outlets
    enter(page)
    assert page.locator(".count").inner_text() != everything
    seen: list[str] = []
    while True:
        assert set(page.locator(".hit .outlet").all_inner_texts()) == {"Skarnmouth Gazette"}
        seen += page.locator(".hit .links code").all_inner_texts()
        if not page.locator(".pages a[rel=next]").count():
            break
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press("n")
    assert len(seen) > 10
    assert_accessible(page)
    tab_to(page, "Export")
    page.keyboard.press("Enter")
    tab_to(page, "CSV table")
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    rows = list(csv.DictReader(io.StringIO(_text(downloading.value), newline="")))
    assert [row["passage_id"] for row in rows] == seen
    assert {row["total"] for row in rows} == {str(len(seen))}


def test_read_and_follow_related_coverage(page: Page) -> None:
    ask(page, "port strike")
    page.keyboard.press("j")
    enter(page)
    first = page.get_by_role("heading", level=1).inner_text()
    expect(page.locator("figure svg, svg.picture, .picture svg").first).to_be_visible()
    related = page.locator(".related li a").first.inner_text()
    assert_accessible(page)
    tab_to(page, "The whole story")
    enter(page)
    assert page.locator(".timeline li").count() >= 1
    assert_accessible(page)
    page.go_back()
    page.wait_for_load_state()
    tab_to(page, re.escape(related))
    enter(page)
    assert page.get_by_role("heading", level=1).inner_text() not in ("", first)


def test_save_a_search_and_receive_an_alert_once(
    page: Page, server: Server, nutgraf: Run, tmp_path: Path
) -> None:
    ask(page, "lighthouse AND keeper")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    tab_to(page, "Save this search as")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Keepers")
    enter(page)
    assert page.url.endswith("/searches") or "/searches" in page.url
    assert_accessible(page)
    text = (
        "The last lighthouse keeper of Orm leaves the tower on Friday, forty years after he first "
        "lit the lamp, and nobody will follow him, the coast guard said in a statement on Monday."
    )
    for outlet in ("Sound Wire", "The Islander", "Le Phare"):  # one wire story, three papers
        article = {"id": f"keeper-{outlet[:2]}", "outlet": outlet, "text": text}
        httpx.post(f"{server.url}/v1/articles", json=article, timeout=30).raise_for_status()
    page.reload()
    tab_to(page, "(Atom|.*[Ff]eed)")
    feed_url = page.evaluate("document.activeElement.href")
    feed = feedparser.parse(httpx.get(feed_url).content)
    assert len(feed.entries) == 1
    assert "lighthouse keeper of Orm" in json.dumps(feed.entries[0])
    first = nutgraf("alerts", "--server", server.url)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("lighthouse keeper of Orm") == 1
    assert nutgraf("alerts", "--server", server.url).stdout == ""


def _text(download: Download) -> str:
    return Path(download.path()).read_text("utf-8-sig")
