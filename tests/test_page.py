import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import ROOT, Run, serving
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, sync_playwright

from index.article import Published
from search.page import pieces, web_url
from search.wording import coverage_in_words, date_in_words, duration_in_words, share_in_words

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    if not shutil.which(CHROMIUM):
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_context(java_script_enabled=False).new_page()
        yield page
        browser.close()


def _get(url: str, **parameters: str) -> str:
    response = httpx.get(url, params=parameters)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


# ---------------------------------------------------------------- in a real browser


def test_a_reader_types_a_question_presses_enter_and_sees_the_marked_passage(
    browser_page: Page, harbour_url: str
) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/")
    page.get_by_label("Your question").fill("When does the ferry sail?")
    page.keyboard.press("Enter")
    hit = page.locator(".hit").first
    assert "sails at dawn" in hit.locator(".text").inner_text()
    assert any("ferry" in mark.lower() for mark in hit.locator("mark").all_inner_texts())
    assert "19:12 (time zone unknown)" in hit.locator(".source").inner_text()
    hit.get_by_role("link", name="Read it in the article").click()
    cited = page.locator(".passage:target")
    assert "sails at dawn" in cited.inner_text()
    assert page.get_by_role("heading", level=1).inner_text() == "Harbour reopens after the storm"
    page.get_by_role("link", name="Back to").click()
    assert page.get_by_label("Your question").input_value() == "When does the ferry sail?"


def test_filters_narrow_and_are_taken_off_by_a_link(browser_page: Page, harbour_url: str) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/?q=ferry")
    page.get_by_text("Narrow and sort").click()
    page.get_by_label("Outlet").fill("the islander")
    page.get_by_label("Order").select_option("newest")
    page.get_by_role("button", name="Search").click()
    outlets = page.locator(".hit .outlet").all_inner_texts()
    assert set(outlets) == {"The Islander"}
    page.get_by_role("link", name="Outlet: the islander").click()
    assert "Northport Courier" in page.locator(".hit .outlet").all_inner_texts()
    assert page.get_by_label("Order").input_value() == "newest"


def test_what_an_article_holds_is_shown_and_not_run(browser_page: Page, harbour_url: str) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/?q=tram+line")
    assert page.locator("script").count() == 0
    assert "<script>alert('tram')</script>" in page.locator(".hit .text").first.inner_text()
    assert page.locator(".hit h2").first.inner_text() == "Council <b>votes</b> on trams"
    page.goto(f"{harbour_url}/articles/council-007")
    assert page.locator("script").count() == 0
    assert "3 < 4 & that" in page.locator(".article").inner_text()


def test_everything_can_be_reached_by_keyboard(browser_page: Page, harbour_url: str) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/?q=ferry")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if not focused.count():  # past the last link
            break
        reached.append(focused.inner_text() or focused.get_attribute("name"))
    for name in ("Skip to content", "Nutgraf", "q", "Search", "Read it in the article"):
        assert any(name in str(text) for text in reached), (name, reached)


@pytest.mark.parametrize("width", [320, 1100])
def test_nothing_is_cut_off_at_the_side(width: int, browser_page: Page, harbour_url: str) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/?q=ferry&outlet=The+Islander", "/articles/harbour-041"):
        page.goto(f"{harbour_url}{path}")
        box = page.locator("main").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


# ------------------------------------------------------------------- as it is sent


def test_nothing_but_our_style_sheet_may_load(harbour_url: str) -> None:
    response = httpx.get(f"{harbour_url}/", params={"q": "tram"})
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "script-src" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    linked = re.findall(r'(?:src|href)="([^"#?]*)', response.text)
    assert "/static/nutgraf.css" in linked
    assert httpx.get(f"{harbour_url}/static/nutgraf.css").status_code == 200
    assert "<style" not in response.text
    assert "style=" not in response.text


def test_the_source_is_linked_without_telling_where_from(harbour_url: str) -> None:
    html = _get(f"{harbour_url}/", q="ferry sails dawn")
    link = '<a href="https://courier.example/2025/03/harbour?from=front&amp;id=41" rel="noopener'
    assert link in html


def test_a_question_is_escaped_wherever_it_stands(harbour_url: str) -> None:
    for question in ('"><script>alert(1)</script>', "'; alert(1) //", "</title><b>"):
        html = _get(f"{harbour_url}/", q=question, outlet=question)
        assert "<script" not in html
        assert "</title><b>" not in html


def test_when_nothing_is_found_the_page_says_what_to_try(harbour_url: str) -> None:
    html = _get(f"{harbour_url}/", q="ferry", outlet="No Such Paper")
    assert "No passage found" in html
    assert 'href="/?q=ferry"' in html


def test_a_wrong_filter_is_explained_on_the_page(harbour_url: str) -> None:
    response = httpx.get(f"{harbour_url}/", params={"q": "ferry", "from": "31/02/2019"})
    assert response.status_code == 422
    assert "That could not be answered" in response.text
    assert "31/02/2019" in response.text


def test_an_article_that_is_gone_is_a_page_that_says_so(harbour_url: str) -> None:
    response = httpx.get(f"{harbour_url}/articles/absent")
    assert response.status_code == 404
    assert "This article is not in the archive" in response.text


def test_the_page_tells_the_state_of_the_archive(harbour_url: str) -> None:
    html = _get(f"{harbour_url}/")
    assert "4 articles" in html
    assert "all embedded" in html


def test_an_empty_archive_says_how_to_fill_it(tmp_path: Path, nutgraf: Run) -> None:
    with serving(tmp_path / "new") as server:
        html = _get(f"{server.url}/")
        assert "The archive is empty" in html
        assert "nutgraf add FOLDER" in html
        assert "No passage found" in _get(f"{server.url}/", q="ferry")


# ----------------------------------------------------------------------- the pieces

_TEXT = st.text(max_size=30)
_SPANS = st.lists(
    st.tuples(st.integers(0, 35), st.integers(0, 35)).filter(lambda span: span[0] <= span[1])
)


@given(text=_TEXT, spans=_SPANS)
def test_pieces_put_together_are_the_text_and_the_spans_are_marked(
    text: str, spans: list[tuple[int, int]]
) -> None:
    cut = pieces(text, spans)
    assert "".join(piece.text for piece in cut) == text
    marked = [piece.marked for piece in cut for _ in piece.text]
    expected = [any(start <= at < end for start, end in spans) for at in range(len(text))]
    assert marked == expected


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://courier.example/a?b=c#d", True),
        ("http://courier.example", True),
        ("javascript:alert(1)//https://courier.example", False),
        ("data:text/html,<script>", False),
        ("java\nscript:alert(1)", False),
        ("//courier.example", False),
        ("http://[::1", False),
        ("https:", False),
        ("", False),
    ],
)
def test_only_a_web_address_becomes_a_link(url: str, shown: bool) -> None:
    assert web_url(url) == (url if shown else "")


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2022", "2022"),
        ("2022-01", "January 2022"),
        ("2022-01-01", "1 January 2022"),
        ("2022-01-21T19:12", "21 January 2022, 19:12 (time zone unknown)"),
        ("2022-01-21T19:12:30Z", "21 January 2022, 19:12:30 UTC"),
        ("2022-01-21T19:12:00Z", "21 January 2022, 19:12 UTC"),
        ("2022-01-21T19:12+02:00", "21 January 2022, 19:12 UTC+02:00"),
        (None, "date unknown"),
    ],
)
def test_a_date_is_said_as_precisely_as_it_is_known(iso: str | None, words: str) -> None:
    assert date_in_words(Published(iso) if iso else None) == words


def test_all_and_nothing_are_said_only_when_they_are_so() -> None:
    shares = [share_in_words(*pair) for pair in ((0, 0), (0, 9), (1, 9000), (8999, 9000), (9, 9))]
    assert shares == ["100 %", "0 %", "1 %", "99 %", "100 %"]
    assert coverage_in_words(10, 10) == ""
    assert "(3 of 10 passages)" in coverage_in_words(10, 3)


def test_durations_have_a_unit_one_can_feel() -> None:
    assert [duration_in_words(s) for s in (0.2, 59, 90, 12_000)] == [
        "0 s",
        "59 s",
        "2 min",
        "3 h 20 min",
    ]


# ------------------------------------------------------------------------ contrast


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(theme: int) -> None:
    css = (ROOT / "search" / "static" / "nutgraf.css").read_text("utf-8")
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[theme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    grounds = ("paper", "sheet", "cited")
    pairs = [(text, ground) for text in ("ink", "quiet", "accent") for ground in grounds]
    pairs += [("on-accent", "accent"), ("on-mark", "mark")]
    for text, ground in pairs:
        assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    # The edge of a field that is to be typed in: 3:1.
    assert _contrast(colours["edge"], colours["sheet"]) >= 3
