"""The search page in a real browser with its script, and as it is sent."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from accessibility import assert_accessible
from conftest import ROOT, Run, serving
from playwright.sync_api import Browser, Locator, Page, expect

STATIC = ROOT / "search" / "pages" / "static"
STORY = (
    "The ferry sails at dawn on Saturday, harbour master Ines Okoro told reporters beside the "
    "broken crane, which stays where it fell until a bigger one comes from the mainland."
)


def _articles() -> Iterator[dict[str, object]]:
    """A report that three outlets ran, and thirty others on the ferry, four days apart."""
    for n, outlet in enumerate(("Sound Wire", "The Islander", "Le Phare")):
        yield {
            "id": f"dawn-{n}",
            "headline": "Ferry sails at dawn",
            "text": STORY,
            "outlet": outlet,
            "byline": "Tomas Lindqvist",
            "url": f"https://outlet-{n}.example/dawn",
            "published": f"2024-01-0{2 + n}",
        }
    for n in range(30):
        yield {
            "id": f"trip-{n}",
            "headline": f"Ferry makes trip {n}",
            "text": f"The ferry made trip {n}.",
            "outlet": ("Northport & Co", "<b>Bold</b> Post")[n % 2],
            "published": (date(2024, 1, 10) + timedelta(days=4 * n)).isoformat(),
        }


@pytest.fixture(scope="module")
def ferry_url(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("ferry") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in _articles())
    lines += '{"id": "empty", "text": " "}\n'
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 3
    with serving(folder) as server:
        yield server.url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose script and network have nothing to complain of when the test is over."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    # An answer of 4xx is told on the console too.
    assert not [text for text in complaints if "status of 4" not in text]


def _parameters(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


# ------------------------------------------------------------------ accessibility


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_every_view_is_accessible_in_light_and_dark_and_on_a_narrow_screen(
    scheme: Literal["light", "dark"], width: int, browser: Browser, ferry_url: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for path in (
        "/",
        "/?q=ferry",
        "/?q=ferry&outlet=Nowhere",
        "/?q=%28ferry+OR",
        "/?q=%22ferry+sails%22+daw*&sort=newest",
        "/archive",
    ):
        page.goto(f"{ferry_url}{path}")
        assert_accessible(page)
    context.close()


def test_what_is_opened_is_accessible_too(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry+dawn")
    page.locator(".copies summary").first.click()
    page.locator(".unfolded ol").wait_for()
    page.locator(".menu summary").first.click()
    assert_accessible(page)
    page.locator("h1").press("?")
    assert_accessible(page)


@pytest.mark.parametrize("width", [320, 760, 1200])
def test_no_view_is_wider_than_the_screen(width: int, page: Page, ferry_url: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/?q=ferry", "/archive"):
        page.goto(f"{ferry_url}{path}")
        for menu in page.locator(".menu summary").all():
            menu.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            panel = page.locator(".menu[open] .panel").bounding_box()
            assert panel
            assert panel["x"] >= 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# --------------------------------------------------------------------------- keys


def test_a_reader_goes_through_the_hits_by_keys(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry")
    page.keyboard.press("j")
    assert page.locator("#hit-1 h2 a:focus").count()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator("#hit-2 h2 a:focus").count()
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles/**")
    assert _parameters(page.url)["rank"] == ["2"]
    page.go_back()
    page.keyboard.press("n")
    page.wait_for_url("**cursor=**")
    assert page.locator("#hit-11").count()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jk?")
    assert page.get_by_label("Your question").input_value() == "jk?"


def test_the_keys_are_told_by_a_dialog(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.get_by_role("button", name="Keys").click()
    assert dialog.is_visible()
    dialog.get_by_role("button", name="Close").click()
    assert not dialog.is_visible()


# ---------------------------------------------------------------------- histogram


def test_a_bar_narrows_to_its_days_and_holds_as_many_hits_as_it_says(
    page: Page, ferry_url: str
) -> None:
    page.goto(f"{ferry_url}/?q=ferry")
    bar = page.locator(".histogram a").nth(3)
    said = re.fullmatch(r"(.+): (\d+) reports?", str(bar.get_attribute("aria-label")))
    assert said
    bar.click(position={"x": 2, "y": 40})
    page.wait_for_url("**from=**")
    assert page.locator(".count").inner_text().startswith(f"{said[2]} report")
    bounds = _parameters(page.url)
    assert (date.fromisoformat(bounds["to"][0]) - date.fromisoformat(bounds["from"][0])).days == 6


def test_all_bars_together_are_the_result_set(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry")
    counts = [int(str(bar.get_attribute("data-count"))) for bar in _bars(page)]
    assert sum(counts) == 31
    assert page.locator(".count").inner_text().startswith("Reports 1 to 10 of 31")


def _bars(page: Page) -> list[Locator]:
    return page.locator(".histogram [data-first]").all()


def test_bars_are_chosen_by_dragging_over_them(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry&sort=newest")
    bars = page.locator(".histogram [data-first]")
    box = page.locator(".histogram svg").bounding_box()
    assert box
    width = box["width"] / bars.count()
    y = box["y"] + 20
    page.mouse.move(box["x"] + 2.5 * width, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 5.5 * width, y, steps=3)
    hits = sum(int(str(bars.nth(at).get_attribute("data-count"))) for at in range(2, 6))
    assert page.locator(".choice").inner_text().endswith(f": {hits}")
    first = bars.nth(2).get_attribute("data-first")
    last = bars.nth(5).get_attribute("data-last")
    page.mouse.up()
    page.wait_for_url("**from=**")
    assert _parameters(page.url) == {
        "q": ["ferry"],
        "sort": ["newest"],
        "from": [first],
        "to": [last],
    }


def test_bars_are_chosen_by_keys_and_are_one_stop_of_the_tab_key(
    page: Page, ferry_url: str
) -> None:
    page.goto(f"{ferry_url}/?q=ferry")
    links = page.locator(".histogram a")
    assert page.locator('.histogram a[tabindex="0"]').count() == 1
    links.first.focus()
    first = links.nth(1).get_attribute("data-first")
    last = links.nth(3).get_attribute("data-last")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator(".choice").inner_text().startswith("8 January 2024 to 28 January 2024: ")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=**")
    bounds = _parameters(page.url)
    assert (bounds["from"], bounds["to"]) == ([first], [last])
    # They can be typed as well, and are shown where they would be.
    assert page.get_by_label("From").input_value() == first


# ------------------------------------------------------- copies, export and saving


def test_copies_unfold_in_place(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry+dawn")
    copies = page.locator("#hit-1 .copies")
    copies.locator("summary").click()
    listed = copies.locator("li")
    listed.first.wait_for()
    assert [text.split(",")[0] for text in listed.all_inner_texts()] == [
        "Sound Wire",
        "The Islander",
        "Le Phare",
    ]
    listed.nth(1).get_by_role("link").click()
    page.wait_for_url("**/articles/dawn-1**")


def test_copies_of_later_days_do_not_unfold_as_of_an_earlier_one(ferry_url: str) -> None:
    html = httpx.get(f"{ferry_url}/copies/dawn-0", params={"as_of": "2024-01-03"}).text
    assert "The Islander" in html
    assert "Le Phare" not in html
    assert httpx.get(f"{ferry_url}/copies/absent").status_code == 404


def test_an_export_has_what_the_screen_has(ferry_url: str) -> None:
    shown = {"q": "ferry", "outlet": "Northport & Co", "sort": "oldest", "as_of": "2024-03-01"}
    html = httpx.get(f"{ferry_url}/", params=shown).text
    links = [link.replace("&amp;", "&") for link in re.findall(r'"(/v1/export\?[^"]*)"', html)]
    formats = [_parameters(link).pop("format")[0] for link in links]
    assert formats == ["ris", "bibtex", "csl-json", "csv", "jsonl", "parquet"]
    lines = httpx.get(f"{ferry_url}{links[formats.index('jsonl')]}").text.splitlines()
    header, *hits = map(json.loads, lines)
    on_screen = re.findall(r"<code>(trip-[^<]*)</code>", html)
    assert [hit["passage_id"] for hit in hits][: len(on_screen)] == on_screen
    assert header["total"] == len(hits)


def test_a_search_is_saved_with_all_that_narrows_it(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry&outlet=%3Cb%3EBold%3C%2Fb%3E+Post&sort=newest")
    page.locator(".menu summary", has_text="Save").click()
    page.get_by_label("Save this search as").fill("Bold ferries")
    page.locator(".menu[open]").get_by_role("button", name="Save").click()
    page.wait_for_url("**/searches**")
    page.get_by_role("link", name="Bold ferries").first.click()
    page.locator("#q").wait_for()
    assert page.get_by_label("Outlet", exact=True).input_value() == "<b>Bold</b> Post"


def test_a_menu_closes_when_another_opens_and_by_escape(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry")
    save, export = page.locator(".menu summary").all()
    save.click()
    export.click()
    assert page.locator(".menu[open]").count() == 1
    page.keyboard.press("Escape")
    assert not page.locator(".menu[open]").count()


# ------------------------------------------------------------------ state and time


def test_as_of_is_a_filter_that_can_be_taken_off(page: Page, ferry_url: str) -> None:
    page.goto(f"{ferry_url}/?q=ferry&as_of=2024-01-10")
    assert page.locator(".count").inner_text().startswith("2 reports")
    page.locator(".active").get_by_role("link", name="As of: 2024-01-10").click()
    assert page.locator(".count").inner_text().startswith("Reports 1 to 10 of 31")


def test_a_link_of_a_hit_takes_the_whole_question_along(ferry_url: str) -> None:
    shown = {"q": "ferry", "from": "2024-02-01", "sort": "newest", "group": "none"}
    html = httpx.get(f"{ferry_url}/", params=shown).text
    link = re.search(r'<h2[^>]*><a href="([^"#]*)', html)
    assert link
    asked = _parameters(link[1].replace("&amp;", "&"))
    assert asked == {**{name: [value] for name, value in shown.items()}, "rank": ["1"]}


def test_the_archive_tells_what_it_holds_and_what_it_could_not_take(
    page: Page, ferry_url: str
) -> None:
    page.goto(f"{ferry_url}/?q=ferry")
    page.get_by_role("link", name="Archive", exact=True).click()
    figures = " ".join(page.locator(".figures").inner_text().split())
    assert "Articles 33" in figures
    assert "Outlets 5" in figures
    rows = page.locator(".rejected tbody tr")
    assert rows.count() == 1
    assert "34" in rows.first.locator("td").first.inner_text()


def test_without_script_all_of_it_is_there(browser: Browser, ferry_url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{ferry_url}/?q=ferry+dawn")
    page.locator("#hit-1 .copies summary").click()
    assert page.get_by_role("link", name="Who ran this report").is_visible()
    assert page.locator(".histogram a").count() > 10
    page.locator(".menu summary", has_text="Export").click()
    assert page.get_by_role("link", name="RIS").is_visible()
    assert not page.get_by_role("button", name="Keys").is_visible()
    context.close()


# ------------------------------------------------------------------- as it is sent


def test_the_first_page_with_all_it_loads_takes_at_most_100_kilobytes(
    page: Page, ferry_url: str
) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{ferry_url}/?q=ferry", wait_until="networkidle")
    assert len(sizes) >= 4
    assert sum(sizes) <= 100_000


def test_a_page_is_the_same_compressed_or_not(ferry_url: str) -> None:
    response = httpx.get(f"{ferry_url}/", params={"q": "ferry"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    plain = httpx.get(f"{ferry_url}/", params={"q": "ferry"}, headers={"Accept-Encoding": ""})
    assert "content-encoding" not in plain.headers
    took = re.compile(r"\d+ ms")
    assert took.sub("", plain.text) == took.sub("", response.text)


def test_what_is_vendored_is_what_its_note_says() -> None:
    note = (STATIC / "VENDORED.md").read_text("utf-8")
    digest = hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest()
    assert digest in note
    assert (STATIC / "htmx.LICENSE.txt").read_text("utf-8").startswith("Zero-Clause BSD")


def test_nothing_in_templates_or_scripts_needs_an_exception_from_the_policy() -> None:
    for path in [*(ROOT / "search" / "pages" / "templates").iterdir(), STATIC / "nutgraf.js"]:
        text = path.read_text("utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|hx-on|javascript:|\beval\(", text), path
        assert not re.search(r"<script(?! src=\"/static/)", text), path


def test_on_paper_the_question_stands_and_nothing_that_is_for_clicking(
    page: Page, ferry_url: str
) -> None:
    page.emulate_media(media="print")
    page.goto(f"{ferry_url}/?q=ferry&rank=1")
    expect(page.locator(".on-paper")).to_have_text("ferry")
    for hidden in (".ask", ".menu", ".masthead nav", ".facets", ".pages"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()
    page.goto(f"{ferry_url}{page.locator('.hit h2 a').first.get_attribute('href')}")
    for hidden in (".hitbar", ".actions", ".passage .tools", ".selection"):
        for each in page.locator(hidden).all():
            expect(each).to_be_hidden()
