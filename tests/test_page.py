import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from conftest import ROOT, Run, Server, serving
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Locator, Page

from index.article import Published
from search.cursors import Cursor
from search.grouping import Group
from search.pages.page import stretches
from search.web_url import web_url
from search.wording import (
    coverage_in_words,
    date_in_words,
    days_in_words,
    duration_in_words,
    place_in_words,
    share_in_words,
)


@pytest.fixture(scope="module")
def browser_page(browser: Browser) -> Page:
    return browser.new_context(java_script_enabled=False).new_page()


@pytest.fixture
def ferries(tmp_path: Path, nutgraf: Run) -> Iterator[Server]:
    """A server over 25 articles on the ferry, a few days apart."""
    folder = tmp_path / "store"
    outlets = ("The Islander", "Northport & Co", "")
    articles = [
        {
            "id": f"trip-{n}",
            "text": f"The ferry made trip {n}.",
            "outlet": outlets[n % 3],
            "published": (date(2024, 1, 10) + timedelta(days=4 * n)).isoformat(),
        }
        for n in range(25)
    ]
    lines = "".join(f"{json.dumps(article)}\n" for article in articles)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    with serving(folder) as server:
        yield server


def _follow(page: Page, link: Locator) -> None:
    """Click, and wait for the whole page: it is sent in parts."""
    with page.expect_navigation():
        link.click()


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
    assert "The ferry sails at dawn" in hit.locator("strong.answer").inner_text()
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
    page.get_by_text("Narrow by outlet").click()
    page.get_by_label("Outlet").fill("the islander")
    _follow(page, page.get_by_role("button", name="Search"))
    _follow(page, page.get_by_role("link", name="Newest first"))
    outlets = page.locator(".hit .outlet").all_inner_texts()
    assert set(outlets) == {"The Islander"}
    _follow(page, page.get_by_role("link", name="Outlet: the islander"))
    assert "Northport Courier" in page.locator(".hit .outlet").all_inner_texts()
    assert page.locator(".orders [aria-current]").inner_text().startswith("Newest")


def test_a_reader_pages_to_the_end_and_back_while_the_archive_changes(
    browser_page: Page, ferries: Server
) -> None:
    page = browser_page
    page.goto(f"{ferries.url}/?q=ferry&sort=oldest")
    seen = []
    changes = 0
    while True:
        seen += [_rank_and_text(hit) for hit in page.locator(".hit").all()]
        following = page.get_by_role("link", name="Next reports")
        if not following.count():
            break
        changes += 1
        article = {"id": f"trip-{25 - changes}", "text": f"A tram, not on trip {changes}."}
        httpx.post(f"{ferries.url}/v1/articles", json=article).raise_for_status()
        _follow(page, following)
    assert [rank for rank, _ in seen] == list(range(1, 26))
    assert [text for _, text in seen] == [f"The ferry made trip {n}." for n in range(25)]
    assert changes == 2
    assert page.locator(".count").inner_text().startswith("Reports 21 to 25 of 25 ·")
    assert page.locator(".orders [aria-current]").inner_text().startswith("Oldest")
    _follow(page, page.get_by_role("link", name="Previous reports"))
    _follow(page, page.get_by_role("link", name="Previous reports"))
    assert page.locator(".hit .text").first.inner_text() == "The ferry made trip 0."
    assert not page.get_by_role("link", name="Previous reports").count()


def _rank_and_text(hit: Locator) -> tuple[int, str]:
    return int(str(hit.get_attribute("id")).removeprefix("hit-")), hit.locator(".text").inner_text()


@pytest.fixture
def reprinted(tmp_path: Path, nutgraf: Run) -> Iterator[Server]:
    """A server over one report that six outlets ran, and another article."""
    folder = tmp_path / "store"
    story = (
        "The ferry sails at dawn on Saturday, harbour master Ines Okoro told reporters beside the "
        "broken crane, which stays where it fell until a bigger one comes from the mainland."
    )
    outlets = ("Sound Wire", "The Islander", "Sound Radio", "Le Phare", "Northport Courier", "Mole")
    articles = [
        {
            "id": f"ferry-{n}",
            "headline": "Ferry sails at dawn",
            "text": story,
            "outlet": outlet,
            "published": f"2025-03-{14 + n}",
        }
        for n, outlet in enumerate(outlets)
    ]
    articles.append({"id": "fares", "text": "Fares of the ferry rise.", "outlet": "The Islander"})
    lines = "".join(f"{json.dumps(article)}\n" for article in articles)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    with serving(folder) as server:
        yield server


def test_a_report_is_one_hit_that_says_who_else_ran_it(
    browser_page: Page, reprinted: Server
) -> None:
    page = browser_page
    page.goto(f"{reprinted.url}/?q=ferry+dawn")
    assert page.locator(".count").inner_text().startswith("2 reports ·")
    first = page.locator(".hit").first
    assert "Sound Wire" in first.locator(".source").inner_text()
    said = first.locator(".copies summary")
    assert said.inner_text() == "Also in 5 other outlets: The Islander, Sound Radio, Le Phare …"
    assert first.locator(".folded").inner_text() == "6 passages in all"
    assert not page.locator(".hit").nth(1).locator(".copies").count()
    said.click()
    _follow(page, first.get_by_role("link", name="Who ran this report"))
    assert page.locator("#lineage").count()
    page.go_back()
    page.get_by_text("Narrow by outlet").click()
    page.get_by_label("One hit for").select_option("none")
    page.get_by_role("button", name="Search").click()
    assert page.locator(".count").inner_text().startswith("7 passages ·")
    assert page.get_by_label("One hit for").input_value() == "none"
    page.locator(".facets").get_by_role("link", name="Sound Radio").click()
    assert page.get_by_label("One hit for").input_value() == "none"


def test_facets_count_all_reports_and_narrow_by_a_link(browser_page: Page, ferries: Server) -> None:
    page = browser_page
    page.goto(f"{ferries.url}/?q=ferry")
    facets = page.locator(".facets")
    outlet = facets.locator("section", has=page.get_by_role("heading", name="Outlet"))
    counts = [" ".join(text.split()) for text in outlet.locator("li").all_inner_texts()]
    assert counts == ["The Islander 9 reports", "Northport & Co 8 reports", "unknown 8"]
    _follow(page, outlet.get_by_role("link", name="Northport & Co"))
    assert page.locator(".count").inner_text().startswith("8 reports ·")
    assert set(page.locator(".hit .outlet").all_inner_texts()) == {"Northport & Co"}
    month = facets.locator("section", has=page.get_by_role("heading", name="Month"))
    _follow(page, month.get_by_role("link", name="February 2024"))
    days = page.locator(".hit .source").all_inner_texts()
    assert days
    assert all("February 2024" in day for day in days)
    page.get_by_role("link", name="Outlet: Northport & Co").click()
    assert page.get_by_label("From").input_value() == "2024-02-01"
    assert page.get_by_label("To").input_value() == "2024-02-29"


def test_the_page_says_how_it_understood_the_question(browser_page: Page, harbour_url: str) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/?q=%22outer+mole%22+fish*+-tram")
    understood = page.locator(".understood").inner_text()
    assert '"outer mole" AND fish* AND NOT "tram"' in understood
    assert '"outer mole" in 1 passage' in understood
    assert 'without "tram" in 1 passage' in understood
    assert page.locator(".hit mark").first.inner_text() == "Fishing"
    page.goto(f"{harbour_url}/?q=When+does+the+ferry+sail%3F")
    assert not page.locator(".understood").count()


def test_the_page_says_in_words_whether_the_archive_answers(harbour_url: str) -> None:
    answered = _get(f"{harbour_url}/", q="Who called the map the oldest chart of the sound?")
    assert "The archive supports this" in answered
    elsewhere = _get(f"{harbour_url}/", q="Who won the cricket world cup?")
    assert "Nothing in this archive answers that" in elsewhere
    # What must stand there stands there: no verdict is needed.
    exact = _get(f"{harbour_url}/", q='"outer mole"')
    assert 'class="hit"' in exact
    assert 'class="verdict' not in exact


def test_a_misspelt_word_is_offered_as_the_archive_has_it(
    browser_page: Page, harbour_url: str
) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/?q=curatorr&outlet=The+Islander")
    _follow(page, page.locator(".meant").get_by_role("link"))
    assert page.get_by_label("Your question").input_value() == "Curator"
    assert page.get_by_role("link", name="Outlet: The Islander").count()


def test_what_an_article_holds_is_shown_and_not_run(browser_page: Page, harbour_url: str) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/?q=tram+line")
    assert page.locator("script:not([src])").count() == 0
    assert "<script>alert('tram')</script>" in page.locator(".hit .text").first.inner_text()
    assert page.locator(".hit h2").first.inner_text() == "Council <b>votes</b> on trams"
    page.goto(f"{harbour_url}/articles/council-007")
    assert page.locator("script:not([src])").count() == 0
    assert "3 < 4 & that" in page.locator(".article").inner_text()


def test_everything_can_be_reached_by_keyboard(browser_page: Page, harbour_url: str) -> None:
    page = browser_page
    page.goto(f"{harbour_url}/?q=ferry")
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if not focused.count():  # past the last link
            break
        reached.append(focused.text_content() or focused.get_attribute("name"))
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


def test_nothing_but_our_own_files_may_load(harbour_url: str) -> None:
    response = httpx.get(f"{harbour_url}/", params={"q": "tram"})
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    linked = re.findall(r'<(?:link|script|img)[^>]*(?:src|href)="([^"]*)', response.text)
    assert "/static/nutgraf.css" in linked
    assert all(url.startswith("/") and not url.startswith("//") for url in linked)
    assert httpx.get(f"{harbour_url}/static/nutgraf.css").status_code == 200
    assert "<style" not in response.text
    assert "style=" not in response.text


def test_the_source_is_linked_without_telling_where_from(harbour_url: str) -> None:
    html = _get(f"{harbour_url}/", q="ferry sails dawn")
    link = '<a href="https://courier.example/2025/03/harbour?from=front&amp;id=41" rel="noopener'
    assert link in html


def test_what_an_article_holds_is_escaped_as_it_is_sent(harbour_url: str) -> None:
    for html in (
        _get(f"{harbour_url}/", q="tram line"),
        _get(f"{harbour_url}/articles/council-007", q="tram line"),
    ):
        assert "&lt;script&gt;alert(" in html
        assert not re.search("<script(?! src=)", html)
        assert "Council &lt;b&gt;votes&lt;/b&gt; on trams" in html
        assert "<b>" not in html


def test_a_question_is_escaped_wherever_it_stands(harbour_url: str) -> None:
    for question in ('"><script>alert(1)</script>', "'; alert(1) //", "</title><b>"):
        html = _get(f"{harbour_url}/", q=question, outlet=question)
        assert not re.search("<script(?! src=)", html)
        assert "</title><b>" not in html


def test_a_question_wrongly_written_is_explained_on_the_page(harbour_url: str) -> None:
    response = httpx.get(f"{harbour_url}/", params={"q": "(ferry OR tram"})
    assert response.status_code == 422
    assert "That could not be answered" in response.text
    assert 'value="(ferry OR tram"' in response.text


def test_an_expired_page_leads_back_to_the_first(harbour_url: str) -> None:
    cursor = Cursor("0.0.0", date(2025, 3, 15), "0", "0", 10).encode()
    response = httpx.get(f"{harbour_url}/", params={"q": "ferry", "outlet": "x", "cursor": cursor})
    assert response.status_code == 422
    assert 'href="/?q=ferry&amp;outlet=x"' in response.text


def test_verbatim_is_kept_on_every_way_on(harbour_url: str) -> None:
    html = _get(f"{harbour_url}/", q="ferry", mode="verbatim", outlet="The Islander")
    links = re.findall(r'href="(/\?[^"]*)"', html)
    assert links
    assert all("mode=verbatim" in link for link in links)
    assert '<option value="verbatim" selected>' in html


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


@given(text=_TEXT, spans=_SPANS, ends=st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted))
def test_stretches_put_together_are_the_text_with_sentence_and_words_marked(
    text: str, spans: list[tuple[int, int]], ends: list[int]
) -> None:
    start, end = (min(at, len(text)) for at in ends)
    cut = stretches(text, spans, (start, end))
    assert "".join(piece.text for stretch in cut for piece in stretch.pieces) == text
    marked = [piece.marked for stretch in cut for piece in stretch.pieces for _ in piece.text]
    assert marked == [any(s <= at < e for s, e in spans) for at in range(len(text))]
    answer = "".join(p.text for stretch in cut if stretch.answers for p in stretch.pieces)
    is_all = not (text[:start].strip() or text[end:].strip())
    assert answer == ("" if is_all else text[start:end])


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


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2025-03-01", "2025-03-07", "1 March 2025 to 7 March 2025"),
        ("2025-03-01", "2025-03-01", "1 March 2025"),
        ("2024-02-01", "2024-02-29", "February 2024"),
        ("2024-02-01", "2024-02-28", "1 February 2024 to 28 February 2024"),
        ("2024-02-01", "2024-03-31", "1 February 2024 to 31 March 2024"),
        ("2015-01-01", "2015-12-31", "2015"),
        ("1990-01-01", "1999-12-31", "1990 to 1999"),
        ("0800-12-01", "0800-12-31", "December 800"),
        ("9999-12-01", "9999-12-31", "December 9999"),
        ("2016-05-03", None, "since 3 May 2016"),
        (None, "2016-05-03", "until 3 May 2016"),
        (None, None, ""),
    ],
)
def test_days_are_said_as_the_month_or_year_they_are(
    first: str | None, last: str | None, words: str
) -> None:
    days = [date.fromisoformat(day) if day else None for day in (first, last)]
    assert days_in_words(days[0], days[1]) == words


def test_a_place_in_a_result_set_is_said_as_short_as_it_is() -> None:
    assert place_in_words(1, 1, 1, Group.NONE) == "1 passage"
    assert place_in_words(1, 12, 12, Group.NONE) == "12 passages"
    assert place_in_words(11, 20, 1312, Group.REPORT) == "reports 11 to 20 of 1,312"
    assert place_in_words(21, 21, 21, Group.REPORT) == "report 21 of 21"


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
    css = (ROOT / "search" / "pages" / "static" / "nutgraf.css").read_text("utf-8")
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[theme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    grounds = ("paper", "sheet", "cited")
    pairs = [(text, ground) for text in ("ink", "quiet", "accent") for ground in grounds]
    pairs += [("on-accent", "accent"), ("on-mark", "mark")]
    for text, ground in pairs:
        assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    # The edge of a field that is to be typed in, and of what is said of the archive: 3:1.
    for edge, ground in (("edge", "sheet"), ("edge", "paper"), ("sure", "paper")):
        assert _contrast(colours[edge], colours[ground]) >= 3
