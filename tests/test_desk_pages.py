"""What a reader does at an article: goes on to the next hit, cites, keeps, and comes back later."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from accessibility import assert_accessible
from conftest import Run, Server, serving
from playwright.sync_api import Browser, Page, expect
from two_stories import ARTICLES

HOSTILE = {
    "id": "hostile:1",
    "headline": "<script>alert('gull')</script> Gulls & chess",
    "outlet": "The <Islander>",
    "byline": '"><img src=x onerror=alert(1)>',
    "url": "https://gull.example/?'onclick=alert(2)//",
    "published": "2025-03-11",
    "text": "A gull said </title><script>alert(3)</script> to the chess club of Orm.\n\n"
    "“Emoji 🐦 count as one,” keeper Ada Moen said of the gull 🐦 on the roof.",
}
LONG = "\n\n".join(
    f"In paragraph {n} as the warden of Orm tells it, "
    + " ".join(f"the weir held back water on day {n}{day}," for day in range(20))
    + f" and paragraph {n} ends there."
    for n in range(3)
)
LINKED = [
    {"url": f"https://courier.example/{a['id']}", "byline": "Ana Duarte"} | a for a in ARTICLES
]


def filled(folder: Path, nutgraf: Run) -> Path:
    lines = "".join(
        f"{json.dumps(article)}\n" for article in [*LINKED, HOSTILE, {"id": "long-1", "text": LONG}]
    )
    # Embedded before it is served: what a hit's rank leads to must not change meanwhile.
    added = nutgraf("add", "-", "--store", folder, stdin=lines)
    assert added.returncode == 0, added.stderr
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[Server]:
    """A server that keeps what readers keep. Each test makes what it needs."""
    with serving(filled(tmp_path_factory.mktemp("desk") / "store", nutgraf)) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """With scripts; nothing on it may fail or be refused by the policy."""
    context = browser.new_context(base_url=server.url)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Policy" in said.text else None)
    yield page
    context.close()
    assert not problems


@pytest.fixture
def plain_page(browser: Browser, server: Server) -> Iterator[Page]:
    """Without scripts."""
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def add(server: Server, article: dict[str, str]) -> None:
    httpx.post(f"{server.url}/v1/articles", json=article, timeout=30).raise_for_status()


def passage_ids(server: Server, id: str) -> list[str]:
    return list(httpx.get(f"{server.url}/v1/articles/{id}").json()["passage_ids"])


def hits(server: Server, question: str) -> list[tuple[str, str]]:
    answer = httpx.get(
        f"{server.url}/v1/search", params={"q": question, "k": 50, "effort": "thorough"}
    ).json()
    return [(hit["article_id"], hit["passage_id"]) for hit in answer["hits"]]


def at_hit(server: Server, question: str, rank: int) -> str:
    article, passage = hits(server, question)[rank - 1]
    return f"/articles/{article}?q={question}&rank={rank}#{passage}"


# ---------------------------------------------------------------- hits before and behind


def test_a_reader_goes_through_the_hits_by_links_and_by_keys(page: Page, server: Server) -> None:
    found = hits(server, "ferry")
    page.goto(at_hit(server, "ferry", 1))
    bar = page.get_by_role("navigation", name="Hits")
    assert f"Hit 1 of {len(found)}" in bar.inner_text()
    assert not bar.get_by_role("link", name="Previous").count()
    bar.get_by_role("link", name="Next").click()
    assert page.url.endswith(f"rank=2#{found[1][1]}")
    page.wait_for_load_state()
    page.keyboard.press("n")
    page.wait_for_url(f"**rank=3#{found[2][1]}")
    page.wait_for_load_state()
    page.keyboard.press("p")
    page.wait_for_url(f"**rank=2#{found[1][1]}")
    assert page.locator(".passage:target").get_attribute("id") == found[1][1]
    page.get_by_role("link", name="Back to").click()
    expect(page.locator("#hit-2")).to_have_count(1)


def test_what_made_an_article_a_hit_is_marked_in_it(plain_page: Page, server: Server) -> None:
    plain_page.goto(at_hit(server, "ferry", 1))
    marks = plain_page.locator(".passage:target mark").all_inner_texts()
    assert "ferry" in {mark.lower() for mark in marks}


def test_a_hit_that_is_another_one_by_now_is_not_passed_off_as_it(server: Server) -> None:
    (first, _), *_ = hits(server, "ferry")
    other = next(article["id"] for article in LINKED if article["id"] != first)
    html = httpx.get(f"{server.url}/articles/{other}", params={"q": "ferry", "rank": 1}).text
    assert "The archive has changed since" in html
    assert "Hit 1 of" not in html
    wrong = httpx.get(f"{server.url}/articles/{other}", params={"q": "(ferry OR tram", "rank": 1})
    assert wrong.status_code == 200


# ---------------------------------------------------------------- the cited stretch


def test_a_stretch_in_the_address_is_marked_over_passages_and_no_other(plain_page: Page) -> None:
    start, end = (
        LONG.index("paragraph 1 ends"),
        LONG.index("as the warden", LONG.index("paragraph 2")),
    )
    plain_page.goto(f"/articles/long-1?start={start}&end={end}")
    marked = plain_page.locator(".passage mark").all_text_contents()
    assert "\n\n".join(marked) == LONG[start:end]
    assert plain_page.locator(".passage.cited").count() == len(marked) == 2
    assert plain_page.locator(".passage").count() > 2


def test_a_passage_in_the_address_is_marked(plain_page: Page, server: Server) -> None:
    _, second, *_ = passage_ids(server, "wire-1") * 2
    plain_page.goto(f"/articles/wire-1?cite={second}")
    assert plain_page.locator(".passage.cited").get_attribute("id") == second


def test_a_text_fragment_leads_to_the_words_and_marks_them(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 240})
    page.goto("/articles/wire-1#:~:text=carries%20passengers%20and%20mail")
    words = page.locator(".passage", has_text="carries passengers and mail")
    expect(words).to_be_in_viewport()
    assert page.evaluate("scrollY") > 0


def test_what_a_link_cites_and_is_not_there_is_said(server: Server) -> None:
    for query in ("start=5&end=99999", "start=9&end=9", "cite=wire-1-000000000000"):
        html = httpx.get(f"{server.url}/articles/wire-1?{query}").text
        assert "What was cited is no longer here in these words" in html
        assert "<mark>" not in html


# ---------------------------------------------------------------- citing


def test_what_is_selected_can_be_cited_to_the_letter(page: Page) -> None:
    page.goto("/articles/hostile:1")
    link = page.get_by_role("link", name="Cite the selection")
    expect(link).to_be_hidden()
    page.evaluate(
        """() => {
          const text = [...document.querySelectorAll(".passage .text")].at(-1).firstChild;
          const range = document.createRange();
          range.setStart(text, text.data.indexOf("count as"));
          range.setEnd(text, text.data.indexOf("on the roof."));
          getSelection().addRange(range);
        }"""
    )
    expect(link).to_be_visible()
    link.click()
    assert page.locator(".cited-quote").inner_text() == (
        "count as one,” keeper Ada Moen said of the gull 🐦"
    )


def test_the_panel_gives_every_reference_to_be_copied_and_downloaded(page: Page) -> None:
    page.goto("/articles/wire-1")
    page.locator(".passage").first.hover()
    page.get_by_role("link", name="Cite passage 1").click()
    assert "caught fire off Tern Island" in page.locator(".cited-quote").inner_text()
    assert page.get_by_role("status").inner_text().startswith("Unchanged")
    assert "#:~:text=" in str(page.locator("#live").get_attribute("href"))
    for label in ("APA 7", "Chicago", "MLA 9", "ISO 690", "RIS", "BibTeX", "CSL-JSON"):
        reference = page.locator(".reference", has=page.get_by_role("heading", name=label))
        button = reference.locator("[data-copy]")
        button.click()
        expect(button).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert "duarte" in copied.lower()
        assert "Tern Island" in copied
        link = reference.get_by_role("link", name="Download")
        file = page.request.get(str(link.get_attribute("href")))
        assert file.ok
        assert file.text().split() == copied.split()
    selectors = json.loads(page.locator("#ref-selectors").text_content() or "")
    assert {each["type"] for each in selectors} == {"TextQuoteSelector", "TextPositionSelector"}


def test_without_scripts_references_can_be_read_and_selected(plain_page: Page) -> None:
    plain_page.goto("/articles/wire-1/cite")
    assert not plain_page.get_by_role("button", name="Copy").count()
    plain_page.locator(".reference", has_text="BibTeX").get_by_text("Show it").click()
    assert plain_page.locator("#ref-bibtex").inner_text().startswith("@article{")


def test_reference_managers_find_what_they_read(server: Server) -> None:
    html = httpx.get(f"{server.url}/articles/wire-1").text
    assert '<link rel="unapi-server" type="application/xml" title="unAPI" href="/unapi">' in html
    assert '<abbr class="unapi-id" title="wire-1"></abbr>' in html
    assert '<meta name="citation_author" content="Duarte, Ana">' in html


def test_a_passage_that_was_edited_is_shown_beside_what_stands_there_now(
    page: Page, server: Server
) -> None:
    article = {
        "id": "edited-1",
        "headline": "Lock to be mended",
        "text": "The lock at Mill Pond will be mended in spring, engineer Ole Ruud said.\n\n"
        "Boats may pass it until then.",
    }
    add(server, article)
    (before, *_) = passage_ids(server, "edited-1")
    add(server, article | {"text": article["text"].replace("spring", "autumn")})
    page.goto(f"/articles/edited-1#{before}")
    page.get_by_role("link", name="See what has become of it").click()
    assert page.get_by_role("status").inner_text().startswith("Edited")
    assert "spring" in page.locator("del").inner_text()
    assert "autumn" in page.locator("ins").inner_text()


def test_of_an_article_that_was_withdrawn_the_panel_says_when_and_nothing_else(
    server: Server,
) -> None:
    add(server, {"id": "withdrawn-1", "text": "The sluice keeper hid the golden key."})
    (passage, *_) = passage_ids(server, "withdrawn-1")
    httpx.delete(f"{server.url}/v1/articles/withdrawn-1").raise_for_status()
    panel = httpx.get(f"{server.url}/articles/withdrawn-1/cite", params={"passage": passage})
    assert panel.status_code == 200
    assert "Withdrawn: the article is not in the archive any more, since" in panel.text
    assert "golden key" not in panel.text
    gone = httpx.get(f"{server.url}/articles/withdrawn-1")
    assert gone.status_code == 404
    assert "It was withdrawn" in gone.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/articles/absent/cite", 404),
        ("/articles/wire-1/cite?passage=wire-1-000000000000", 404),
        ("/articles/wire-1/cite?start=5", 422),
        ("/articles/wire-1/cite?start=5&end=99999", 422),
        ("/collections/c00000000", 404),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(server: Server, path: str, status: int) -> None:
    answer = httpx.get(f"{server.url}{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


# ---------------------------------------------------------------- the story as a picture


def test_the_picture_shows_every_report_and_where_the_reader_is(plain_page: Page) -> None:
    plain_page.goto("/articles/islander-1")
    picture = plain_page.locator("figure.picture")
    assert (
        picture.locator("circle.dot").count()
        == plain_page.locator("section[aria-labelledby=story] ol > li").count()
    )
    assert picture.locator("circle.current title").text_content() == (
        "Fire on the Petrel: islanders watched the rescue · The Islander · 10 March 2025, 08:10 UTC"
    )
    picture.locator("a", has_text="Owner of ferry Petrel").locator("circle").click()
    assert plain_page.get_by_role("heading", level=1).inner_text().startswith("Owner of ferry")
    plain_page.get_by_role("link", name="The whole story").click()
    assert plain_page.locator("figure.picture circle.news").count() == 2


def test_a_copy_stands_at_the_report_it_is_a_copy_of(plain_page: Page) -> None:
    plain_page.goto("/articles/courier-1")
    current = plain_page.locator("figure.picture circle.current title").text_content()
    assert str(current).endswith("1 copy")


def test_related_coverage_is_grouped_by_what_it_is_to_the_article(plain_page: Page) -> None:
    plain_page.goto("/articles/wire-1")
    headings = plain_page.locator(".related h3").all_inner_texts()
    assert headings[0] == "The same event"
    assert set(headings) <= {"The same event", "What followed", "Other versions", "Background"}


# ---------------------------------------------------------------- keeping


def test_a_reader_keeps_a_passage_with_a_note_and_finds_out_what_became_of_it(
    plain_page: Page, server: Server
) -> None:
    page = plain_page
    article = {
        "id": "kept-1",
        "headline": "Weir to be opened",
        "text": "The weir at Orm will be opened in June, warden Siri Holm said.",
        "outlet": "The Islander",
        "published": "2025-03-20",
    }
    add(server, article)
    page.goto("/articles/kept-1/cite?start=4&end=8")
    if page.get_by_label("Collection", exact=True).count():
        page.get_by_label("Collection", exact=True).select_option(label="A new one, named beside")
    page.get_by_label("New collection").fill("Weirs & <locks>")
    page.get_by_label("Your note").fill("Ask her:\nwhich June?")
    page.get_by_role("button", name="Keep it").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Weirs & <locks>"
    page.wait_for_load_state()  # the note's lines are kept apart by the style sheet
    mark = page.locator(".kept > li")
    assert mark.locator(".cited-quote").inner_text() == "weir"
    assert mark.locator(".note").inner_text() == "Ask her:\nwhich June?"
    assert mark.locator(".standing").inner_text() == "The article still says this."
    collection = re.sub("#.*", "", page.url)

    page.goto("/articles/kept-1/cite")
    page.get_by_label("Collection", exact=True).select_option(label="Weirs & <locks>")
    page.get_by_role("button", name="Keep it").click()
    assert re.sub("#.*", "", page.url) == collection
    assert page.locator(".kept > li").count() == 2

    mark.first.get_by_text("Change the note").click()
    mark.first.get_by_label("Note").fill("Asked.")
    mark.first.get_by_role("button", name="Keep the note").click()
    assert page.locator(".note").inner_text() == "Asked."
    file = page.request.get(str(page.get_by_role("link", name="RIS").get_attribute("href")))
    assert file.ok
    assert "Asked." in file.text()

    add(server, article | {"text": article["text"].replace("weir", "sluice")})
    page.reload()
    assert mark.first.locator(".standing").inner_text().startswith("The article has been edited")
    httpx.delete(f"{server.url}/v1/articles/kept-1").raise_for_status()
    page.reload()
    standings = mark.locator(".standing").all_inner_texts()
    assert standings == ["The article is no longer in the archive."] * 2

    mark.first.get_by_role("button", name="Remove").click()
    assert page.locator(".kept > li").count() == 1
    page.get_by_text("Add by id, rename or remove").click()
    page.get_by_label("Passage or article").fill("museum-3")
    page.get_by_role("button", name="Add", exact=True).click()
    assert page.locator(".kept > li").count() == 2
    page.get_by_text("Add by id, rename or remove").click()
    page.get_by_label("Name").fill("Weirs")
    page.get_by_role("button", name="Rename").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Weirs"
    page.get_by_text("Add by id, rename or remove").click()
    page.get_by_role("button", name="Remove this collection").click()
    assert not page.get_by_role("link", name="Weirs").count()


def test_a_reader_saves_a_search_and_sees_what_comes_in(plain_page: Page, server: Server) -> None:
    saved = httpx.post(
        f"{server.url}/searches",
        data={"q": "kestrel AND belfry", "name": "Kestrels <here>", "outlet": "", "from": ""},
    )
    assert saved.status_code == 303
    add(
        server,
        {
            "id": "kestrel-1",
            "headline": "Kestrel nests in belfry",
            "text": "A kestrel nests in the belfry of Orm church, sexton Per Lie said.",
        },
    )
    page = plain_page
    page.goto(saved.headers["location"])
    search = page.locator(".kept > li", has_text="Kestrels <here>")
    assert "1 new" in search.inner_text()
    search.get_by_text("What came last").click()
    assert search.get_by_role("link", name="Kestrel nests in belfry").is_visible()
    feed = page.request.get(str(search.get_by_role("link", name="Feed").get_attribute("href")))
    assert "Kestrel nests in belfry" in feed.text()
    search.get_by_role("link", name="Ask it again").click()
    assert page.get_by_label("Your question").input_value() == "kestrel AND belfry"
    page.go_back()
    search.get_by_role("button", name="Remove").click()
    assert not search.count()


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("/searches", {"q": "(ferry OR tram", "name": "x"}, "parenthesis"),
        ("/searches", {"q": "  "}, "q:"),
        ("/searches", {"q": "ferry", "from": "31/02/2025"}, "31/02/2025"),
        ("/searches", {"q": "ferry", "as_of": "2025-03-01"}, "as_of"),
        ("/searches/q0/remove", {}, "no saved search"),
        ("/collections", {"name": " "}, "name"),
        ("/collections", {"name": "x", "article": "absent"}, "absent"),
        ("/collections", {"name": "x", "article": "wire-1", "start": "4"}, "end"),
        ("/collections/c0/marks", {"cited": "wire-1"}, "no collection"),
        ("/collections/c0/marks/1", {"note": "x"}, "c0"),
        ("/collections/c0/marks/1/remove", {}, "c0"),
        ("/collections/c0/remove", {}, "no collection"),
    ],
)
def test_what_cannot_be_kept_is_explained_and_changes_nothing(
    server: Server, path: str, data: dict[str, str], reason: str
) -> None:
    before = httpx.get(f"{server.url}/v1/collections").json()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{server.url}{path}", data=data, headers=headers)
    assert answer.status_code in (404, 422)
    assert "That could not be done" in answer.text
    assert reason in answer.text
    assert httpx.get(f"{server.url}/v1/collections").json() == before


def test_a_form_of_another_site_keeps_nothing(server: Server) -> None:
    for path in ("/collections", "/searches", "/collections/c0/remove", "/searches/q0/remove"):
        answer = httpx.post(
            f"{server.url}{path}",
            data={"name": "x", "q": "ferry"},
            headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"},
        )
        assert answer.status_code == 403
    assert '"x"' not in httpx.get(f"{server.url}/v1/searches").text


def test_a_server_that_only_answers_offers_nothing_to_keep(harbour_url: str) -> None:
    for path in ("/collections", "/searches", "/articles/harbour-041/cite"):
        html = httpx.get(f"{harbour_url}{path}").text
        assert 'method="post"' not in html
    refused = httpx.post(f"{harbour_url}/collections", data={"name": "x"})
    assert refused.status_code == 503
    assert "That could not be done" in refused.text


# ---------------------------------------------------------------- whatever an article holds


def test_whatever_an_article_holds_is_shown_as_text(page: Page, server: Server) -> None:
    page.goto("/collections")
    page.get_by_label("A new collection").fill("Gulls")
    page.get_by_role("button", name="Make it").click()
    page.get_by_text("Add by id, rename or remove").click()
    page.get_by_label("Passage or article").fill("hostile:1")
    page.get_by_role("button", name="Add", exact=True).click()
    kept = page.url.removeprefix(server.url)
    for path in ("/articles/hostile:1", "/articles/hostile:1/cite", kept):
        page.goto(path)
        assert "<script>alert('gull')</script>" in page.locator("h1, h2").all_inner_texts()[
            1 if path == kept else 0
        ].replace("Cite “", "")
        assert not page.locator("main script, main img").count()
        assert not page.locator('a[href^="javascript:"]').count()


PATHS = ("/articles/wire-1", "/articles/wire-1/cite?start=0&end=30", "/collections", "/searches")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(browser: Browser, server: Server, scheme: str) -> None:
    made = httpx.post(
        f"{server.url}/collections", data={"name": "Fires", "article": "wire-1", "note": "See"}
    )
    httpx.post(f"{server.url}/searches", data={"q": "ferry", "name": "Ferries"})
    story = httpx.get(f"{server.url}/v1/articles/wire-1").json()["story"]
    context = browser.new_context(
        base_url=server.url, color_scheme="dark" if scheme == "dark" else "light", bypass_csp=True
    )
    page = context.new_page()
    hit = at_hit(server, "ferry", 2)
    for path in (*PATHS, hit, made.headers["location"], f"/stories/{story}"):
        page.goto(path)
        for details in page.locator("details").all():
            details.evaluate("each => each.open = true")
        assert_accessible(page)
    context.close()


def test_nothing_is_wider_than_a_narrow_screen(plain_page: Page, server: Server) -> None:
    made = httpx.post(f"{server.url}/collections", data={"name": "W" * 150, "article": "wire-1"})
    plain_page.set_viewport_size({"width": 320, "height": 640})
    story = httpx.get(f"{server.url}/v1/articles/wire-1").json()["story"]
    hit = at_hit(server, "ferry", 2)
    for path in (*PATHS, hit, made.headers["location"], f"/stories/{story}"):
        plain_page.goto(path)
        assert plain_page.evaluate("document.documentElement.scrollWidth") <= 320, path
