"""Saved pages give their article and what they state about it, and bad ones a reason."""

import hashlib
import os
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import Article, Origin, Published, SourceRecord
from index.errors import BadArticleError
from index.formats.html_page import read_html_page
from index.preparing import prepare

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).parents[1] / "../shared/data"))
HERE = Origin("page.html", 1)


class Page(NamedTuple):
    """What a reader of a saved page would say it holds.

    A sentence is its first two words, its length in characters and the beginning of the SHA-256
    of its UTF-8 bytes; `chars` is the length of the report from the first sentence to the last.
    """

    file: str
    headline: str
    byline: str
    published: str
    outlet: str
    section: str
    first: tuple[str, int, str]
    last: tuple[str, int, str]
    chars: int
    absent: tuple[str, ...]


PAGES = (
    Page(
        "abc7news.com-Napa.html",
        "Napa Co. enters exclusive agreement that could bring Margaritaville Resort to "
        "Lake Berryessa",
        "J.R. Stone",
        "2023-11-09T07:32:00Z",
        "ABC7 San Francisco",
        "business",
        first=("NAPA COUNTY,", 145, "fea0a4f124d09f43"),
        last=("The plan", 71, "c03d9e5fe7188761"),
        chars=2642,
        absent=(
            "MORE:",
            "Black-led group",
            "click here",
            "ABC7 News app",
            "Copyright",
            "Top Stories",
        ),
    ),
    Page(
        "bbc.com.52241221.html",
        "Coronavirus: New York ramps up mass burials amid outbreak",
        "",
        "2020-04-10T17:58:15+01:00",
        "BBC News",
        "US & Canada",
        first=("Images have", 135, "0bab82524beed48e"),
        last=("He said", 82, "e3286212b4e1237a"),
        chars=5074,
        absent=(
            "SIMPLE GUIDE",
            "LOOK-UP TOOL",
            "Nada Tawfik",
            "Image copyright",
            "Related Topics",
            "Share this with",
            "New York ramps up mass burials",
        ),
    ),
    Page(
        "cbsnews.com.carolina.html",
        "Black voters in South Carolina are crucial for Democratic candidates",
        "",
        "2020-02-24T12:57:13+00:00",
        "CBS News",
        "CBS This Morning",
        first=("The stakes", 124, "8bd52f66aa527e0a"),
        last=("I need", 31, "e5db683589a2952f"),
        chars=4754,
        absent=("Copyright", "CBSN", "First published", "Share"),
    ),
    Page(
        "guardian.co.tt-massy.html",
        "Massy Stores stalled nationwide by cyber attack",
        "PETER CHRISTOPHER",
        "2022-04-28",
        "Trinidad Guardian",
        "",
        first=("Thousands of", 229, "94f88645cf2b4230"),
        last=("Massy said", 80, "6ad0952910d4c3a5"),
        chars=4515,
        absent=(
            "NICOLE DRAYTON",
            "peter.christopher@",
            "PETER CHRISTOPHER",
            "Staff at Massy Stores Westmoorings",
            "Customers at Massy Stores Super Centre",
            "Tech Summit",
            "\xad",
        ),
    ),
    Page(
        "haitiantimes.com-family.html",
        "Family seeks funds to treat rising tennis star sidelined by rare illness",
        "J.O. Haselhoef",
        "2022-04-26T09:32:40-04:00",
        "The Haitian Times",
        "Florida",
        first=("WEST PALM", 167, "002de7ae17f72363"),
        last=("“Maybe there's", 113, "c97bee40589a6248"),
        chars=912,
        absent=(
            "subscribe",
            "Join now",
            "Membership",
            "First-time",
            "log in for",
            "Annual Subscription",
            "Posted in",
        ),
    ),
    Page(
        "independent.co.uk.penalty.html",
        "Coronavirus: £1,000 fine for falsely reporting a contact to force them to self-isolate",
        "Andrew Woodcock",
        "2020-09-28T12:41:29Z",
        "The Independent",
        "UK Politics",
        first=("Anyone falsely", 258, "4ff5d70c5ca01b4b"),
        last=("The only", 173, "8e6b9d0e6056107b"),
        chars=3640,
        absent=(
            "UK news in pictures",
            "Show all",
            "Independent Premium",
            "bookmark",
            "Getty",
            "ad-free",
            "Coronavirus: £1,000",
        ),
    ),
    Page(
        "japantimes.co.jp.surgical.html",
        "Losing face: 6,000 surgical masks stolen from Kobe hospital",
        "",
        "2020-02-18T18:07:56+09:00",
        "The Japan Times",
        "",
        first=("KOBE –", 100, "a7ec9ac93432cde1"),
        last=("The incident", 153, "70acf2ef00ce30e6"),
        chars=875,
        absent=("Sponsored", "RELATED", "Episode 40", "LATEST", "JT Media", "No Author"),
    ),
    Page(
        "kaieteurnewsonline.com-essequibo.html",
        "Essequibo hunter found dead with gunshot wounds",
        "",
        "2022-05-06T04:27:36+00:00",
        "Kaieteur News",
        "",
        first=("Kaieteur News", 228, "116d2bc0db7183a9"),
        last=("His remains", 88, "56cbba4fef551311"),
        chars=3615,
        absent=(
            "... more",
            "Freedom of speech",
            "May 06, 2022",
            "Latest update",
            "Upper Corentyne",
            "Contact:",
            "email protected",
        ),
    ),
    Page(
        "latimes.com.bloomberg.html",
        "As his first debate nears, Bloomberg is having to answer about his past",
        "Evan Halper",
        "2020-02-19T12:00:10Z",
        "Los Angeles Times",
        "Politics",
        first=("This is", 55, "176c70ca74283fe0"),
        last=("One thing", 76, "b49cecd72c1fc1f1"),
        chars=7431,
        absent=(
            "Staff Writer",
            "Newsletter",
            "Subscribe",
            "Advertisement",
            "sharing options",
            "Getty",
        ),
    ),
    Page(
        "medicalnewstoday.com.318674.html",
        "How does the brain turn unconscious information into conscious thought?",
        "Ana Sandoiu",
        "2017-07-27T15:00:00Z",
        "Medical News Today",
        "Biology / Biochemistry,Neurology / Neuroscience,Psychology / Psychiatry",
        first=("Neuroscience tells", 122, "852ba21e810c83f3"),
        last=("The findings", 209, "c6dbe9f1282c8db2"),
        chars=5501,
        absent=("Written by", "Share", "left-brained", "Latest news", "Newsletter"),
    ),
    Page(
        "metrotimes.com-Mezcal.html",
        "Detroit’s Mezcal restaurant goes beyond familiar Mexican fare",
        "Jane Slaughter",
        "2023-11-09T04:00:00",
        "Detroit Metro Times",
        "",
        first=("Mezcal is", 25, "dc43264669ffeeaa"),
        last=("Its menu", 63, "c3f08ca40047461c"),
        chars=5273,
        absent=("Location Details", "Subscribe", "Follow us", "Omar S", "Shell Shock", "Scroll"),
    ),
    Page(
        "miamitodaynews.com-Transitway.html",
        "Transit tax trust rejects county’s South Dade Transitway data",
        "",
        "2023-11-07T23:18:43+00:00",
        "Miami Today",
        "",
        first=("The trust", 273, "d32d5894e49288ee"),
        last=("Also delaying", 317, "f3b070e7e86de91d"),
        chars=5939,
        absent=(
            "Written by",
            "Bill Osborne",
            "Leave a Reply",
            "Your email address",
            "Recent",
            "rejects county’s",
        ),
    ),
    Page(
        "nationnews.com-schools.html",
        "Schools ‘safe’ amidst surge",
        "Barry Alleyne",
        "2022-04-22T00:15:45-04:00",
        "NationNews Barbados",
        "",
        first=("Calling the", 236, "f841ddeec3360840"),
        last=("She also", 246, "296f4a51e300bda2"),
        chars=1266,
        absent=(
            "Posted on",
            "Picture by",
            "eNATION",
            "download",
            "Article by",
            "Barry Alleyne",
            "Comment *",
        ),
    ),
    Page(
        "newsday.co.tt-forex.html",
        "Forex motion defeated in Senate",
        "Clint Chan Tack",
        "2022-04-28T22:46:25+00:00",
        "Trinidad and Tobago Newsday",
        "News",
        first=("A PRIVATE", 200, "756d602d49aa87b4"),
        last=("He identified", 207, "f6b93f2e0b3dabcb"),
        chars=5026,
        absent=(
            "Forex motion defeated",
            "Clint Chan Tack",
            "Comments",
            "Reply to",
            "Elizabeth Gonzales",
        ),
    ),
    Page(
        "nytimes.com.blackouts.html",
        "Rolling Blackouts in California Have Power Experts Stumped",
        "Ivan Penn",
        "2020-08-16T19:40:47-04:00",
        "The New York Times",
        "Business",
        first=("As temperatures", 197, "6e8bd151f9375a1c"),
        last=("“Tomorrow evening,", 37, "848ddf0686dc55a8"),
        chars=5253,
        absent=(
            "Ivan Penn",
            "Credit",
            "Rich Pedroncelli",
            "Advertisement",
            "Supported by",
            "Continue reading",
        ),
    ),
    Page(
        "politico.com.retirement.html",
        "Mark Meadows accused of timing retirement to help elect wife’s friend",
        "Ally Mutnick",
        "2019-12-30T05:03-05:00",
        "POLITICO",
        "",
        first=("Rep. Mark", 219, "9009fed16f16780d"),
        last=("The younger", 133, "f8a9477f8b08bfb8"),
        chars=7259,
        absent=(
            "Patrick Semansky",
            "Mark Meadows accused",
            "ALLY MUTNICK",
            'They have all been eyeing that seat and figured they had two more years."',
            "MOST READ",
            "newsletter",
        ),
    ),
)


def article_of(page: bytes) -> Article:
    return prepare(read_html_page(page, HERE)).article


def find(sentence: tuple[str, int, str], text: str) -> int:
    label, length, digest = sentence
    start = text.find(label)
    while start >= 0:
        found = text[start : start + length].encode()
        if hashlib.sha256(found).hexdigest().startswith(digest):
            return start
        start = text.find(label, start + 1)
    raise AssertionError(f"the sentence {label!r} ... is not in the text")


@pytest.mark.skipif(
    not (DATA / "webpages").is_dir(), reason="set NUTGRAF_DATA to the folder of test data"
)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_a_saved_page_gives_what_a_reader_sees(page: Page) -> None:
    prepared = prepare(read_html_page((DATA / "webpages" / page.file).read_bytes(), HERE))
    article = prepared.article
    assert article.published
    stated = (article.headline, article.byline, article.published.iso)
    assert stated == (page.headline, page.byline, page.published)
    assert (article.outlet, article.section) == (page.outlet, page.section)
    assert article.language == "en"
    assert article.url.startswith("http")
    start = find(page.first, article.text)
    end = find(page.last, article.text) + page.last[1]
    assert end - start == page.chars
    # Above the report a deck or a dateline may stand, below it a box or who contributed.
    assert start <= 90
    assert len(article.text) - end <= 210
    for passage in prepared.passages:
        for string in page.absent:
            assert string not in passage.text


REPORT = (
    "The harbour of Northport opened again on Friday, nine days after the storm closed it.",
    "“The ferry sails at dawn,” harbour master Ines Okoro told reporters on the quay.",
    "Fishing boats must wait until divers have looked at the outer mole, which lost its light.",
    "Nobody was hurt in the storm, but two houses on the island lost their roofs.",
)
BODY = "".join(f"<p>{sentence}</p>" for sentence in REPORT)


def page(body: str = BODY, head: str = "<title>Harbour reopens</title>") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def with_json_ld(script: str, body: str = BODY) -> SourceRecord:
    return read_html_page(page(body, f'<script type="application/ld+json">{script}</script>'), HERE)


def test_the_text_is_the_paragraphs() -> None:
    assert article_of(page()).text == "\n\n".join(REPORT)


def test_json_ld_states_everything() -> None:
    record = with_json_ld(
        """{"@context": "https://schema.org", "@type": "NewsArticle",
        "headline": "Harbour reopens &amp; ferry sails",
        "datePublished": "2025-03-14T19:12:00+01:00",
        "author": [{"@type": "Person", "name": "By Jane Doe"},
        {"@type": "Person", "name": "J. Roe"}],
        "publisher": {"@type": "Organization", "name": "Courier"}, "articleSection": ["Local"],
        "inLanguage": "en-GB", "mainEntityOfPage": {"@id": "https://courier.example/1"}}"""
    )
    assert record.headline == "Harbour reopens & ferry sails"
    assert record.published == Published("2025-03-14T19:12:00+01:00")
    assert record.byline == "Jane Doe, J. Roe"
    assert (record.outlet, record.section, record.language) == ("Courier", "Local", "en-GB")
    assert record.url == "https://courier.example/1"


@pytest.mark.parametrize(
    "author",
    [
        '"Jane Doe"',
        '["Jane Doe"]',
        '{"@type": "Person", "name": "Jane Doe"}',
        '{"name": ["Jane Doe"]}',
        '[{"@id": "#jane"}]',
        '["https://courier.example/jane", "Jane Doe"]',
    ],
)
def test_forms_of_an_author_in_json_ld(author: str) -> None:
    record = with_json_ld(
        f'[{{"@graph": [{{"@type": ["Article", "NewsArticle"], "headline": "Harbour reopens", '
        f'"author": {author}}}, {{"@id": "#jane", "@type": "Person", "name": "Jane Doe"}}]}}]'
    )
    assert record.byline == "Jane Doe"


@pytest.mark.parametrize(
    "author", ['"Courier"', '"admin"', '"No Author"', "7", "null", "{}", "[[]]"]
)
def test_the_outlet_and_nobody_are_no_byline(author: str) -> None:
    record = with_json_ld(
        f'{{"@type": "NewsArticle", "headline": "Harbour reopens", "author": {author}, '
        '"publisher": {"name": "Courier"}}'
    )
    assert record.byline == ""


@pytest.mark.parametrize(
    "script",
    [
        "",
        "{",
        "null",
        "[1, 2, [3]]",
        '"text"',
        "[" * 100_000,
        '{"@type": "NewsArticle", "headline": 7, "datePublished": "soon", "publisher": [[]]}',
        '{"@type": "NewsArticle", "headline": ["", null], "@id": {"a": 1}, "author": [{"@id": 7}]}',
        '{"@graph": {"@graph": {"@graph": []}}, "@type": null}',
    ],
    ids=lambda script: script[:30],
)
def test_broken_json_ld_does_not_break_the_page(script: str) -> None:
    record = with_json_ld(script)
    assert all(sentence in record.body for sentence in REPORT)
    assert record.published is None


def test_json_ld_with_a_trailing_comma_and_raw_newlines_is_read() -> None:
    record = with_json_ld(
        '/*<![CDATA[*/{"@type": "NewsArticle", "headline": "Harbour\n reopens",}/*]]>*/;'
    )
    assert record.headline == "Harbour reopens"


def test_meta_tags_state_what_json_ld_does_not() -> None:
    record = read_html_page(
        page(
            head="""<title>Harbour reopens - Courier</title>
            <link rel="canonical" href="https://courier.example/harbour">
            <meta property="og:title" content="Harbour reopens - Courier">
            <meta property="og:site_name" content="Courier">
            <meta property="article:published_time" content="2025-03-14T18:12:00Z">
            <meta property="article:section" content="Local">
            <meta name="author" content="By Jane Doe">"""
        ),
        HERE,
    )
    assert (record.headline, record.outlet, record.byline) == (
        "Harbour reopens",
        "Courier",
        "Jane Doe",
    )
    assert record.published == Published("2025-03-14T18:12:00Z")
    assert (record.section, record.url) == ("Local", "https://courier.example/harbour")


def test_the_moment_is_given_in_the_zone_that_the_page_shows_it_in() -> None:
    head = '<meta property="article:published_time" content="2025-03-15T02:12:00+00:00">'
    shown = '<time datetime="2025-03-14T22:12:00-04:00">March 14</time>'
    record = read_html_page(page(shown + BODY, head), HERE)
    assert record.published == Published("2025-03-14T22:12:00-04:00")


def test_the_headline_that_the_reader_sees_counts() -> None:
    head = '<title>Storm: harbour reopens</title><meta property="og:title" content="Ferry is back">'
    assert read_html_page(page(f"<h1>Storm: harbour reopens</h1>{BODY}", head), HERE).headline == (
        "Storm: harbour reopens"
    )


def test_a_logo_in_the_first_heading_is_no_headline() -> None:
    head = (
        '<title>Harbour reopens | Courier</title><meta property="og:site_name" content="Courier">'
    )
    assert read_html_page(page(f"<h1>Courier</h1>{BODY}", head), HERE).headline == "Harbour reopens"


def test_the_outlet_is_at_the_end_of_the_title_when_nothing_states_it() -> None:
    head = "<title>Harbour of Northport reopens - The Courier</title>"
    body = f"<h1>Harbour of Northport reopens</h1>{BODY}"
    assert read_html_page(page(body, head), HERE).outlet == "The Courier"


def test_a_byline_in_the_markup_is_found() -> None:
    assert article_of(
        page(f'<div class="byline">By <b>Jane Doe</b> | 5 min</div>{BODY}')
    ).byline == ("Jane Doe")


def test_the_author_of_a_comment_or_of_a_related_article_is_no_byline() -> None:
    others = (
        '<div class="related-posts"><span class="author">J. Roe Smith</span></div>'
        '<ul><li><span class="comment-author-link">Bill Smith</span> on '
        '<a href="/x">Ferries</a></ul>'
    )
    assert article_of(page(BODY + others)).byline == ""


def test_an_unknown_date_stays_unknown() -> None:
    assert article_of(page()).published is None


def test_a_copyright_year_is_no_date() -> None:
    assert article_of(page(f"{BODY}<footer>© 2019 Courier</footer>")).published is None


@pytest.mark.parametrize(
    "part",
    [
        '<div class="newsletter-signup"><p>The best of the islands each morning.</p></div>',
        "<aside><p>Ferry fares rise by four per cent in January.</p></aside>",
        "<figure><img src=x><figcaption>The ferry at the quay.</figcaption></figure>",
        '<div class="image"><img src=x><p>The ferry at the quay on Friday.</p></div>',
        "<ul><li><a href=x>Ferry fares rise</a></li><li><a href=y>Lost map found</a></li></ul>",
        "<p><a href=x>Ferry fares rise by four per cent</a></p>",
        "<p>MORE: Ferry fares rise</p>",
        '<p class="photo-credit">Jane Doe for the Courier</p>',
    ],
)
def test_parts_that_are_no_report_are_left_out(part: str) -> None:
    paragraphs = [f"<p>{sentence}</p>" for sentence in REPORT]
    body = "".join([*paragraphs[:2], part, *paragraphs[2:]])
    assert article_of(page(f"<article>{body}</article>")).text == "\n\n".join(REPORT)


def test_links_inside_sentences_stay() -> None:
    linked = BODY.replace("Ines Okoro", '<a href="/okoro">Ines Okoro</a>')
    assert article_of(page(linked)).text == "\n\n".join(REPORT)


@pytest.mark.parametrize("name", ["sidebar widget", "related", "comments-area", "newsletter"])
def test_an_element_that_holds_the_report_stays_whatever_its_name(name: str) -> None:
    assert article_of(page(f'<div class="{name}">{BODY}</div>')).text == "\n\n".join(REPORT)


def test_a_list_of_facts_stays() -> None:
    facts = "<ul><li>Two houses lost their roofs.</li><li>Nine ferries did not sail.</li></ul>"
    text = article_of(page(f"<article>{BODY}{facts}</article>")).text
    assert "Two houses lost their roofs." in text
    assert "Nine ferries did not sail." in text


def test_an_old_page_laid_out_with_line_breaks_is_read() -> None:
    body = "<FONT SIZE=2><B>HARBOUR REOPENS</B><BR>March 3, 1999<BR><BR>" + "<BR><BR>".join(REPORT)
    article = article_of(page(body, ""))
    assert article.headline == "HARBOUR REOPENS"
    assert article.published == Published("1999-03-03")
    assert all(sentence in article.text for sentence in REPORT)


def test_an_old_page_laid_out_in_a_table_is_read() -> None:
    cells = f"<td><a href=x>Home</a></td><td><h2>Harbour reopens</h2>{BODY}</td>"
    body = f"<table><tr>{cells}</tr></table>"
    text = article_of(page(body, "")).text
    assert all(sentence in text for sentence in REPORT)
    assert "Home" not in text.split("\n\n")


def test_a_page_inside_a_form_is_read() -> None:
    assert article_of(page(f"<form id=aspnetForm>{BODY}</form>")).text == "\n\n".join(REPORT)


def test_soft_hyphens_do_not_hide_words() -> None:
    assert article_of(page(BODY.replace("Northport", "North\u00adport"))).text == "\n\n".join(
        REPORT
    )


def test_the_declared_encoding_counts() -> None:
    head = '<meta charset="iso-8859-1"><title>x</title>'
    data = page(BODY.replace("“", '"').replace("”", '"').replace("storm", "tempête"), head)
    text = article_of(data.decode().encode("iso-8859-1")).text
    assert "tempête" in text


def test_entities_are_never_resolved_from_outside(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of the harbour master")
    entities = f'<!ENTITY x SYSTEM "file://{secret}"><!ENTITY a "aaaa"><!ENTITY b "&a;&a;">'
    doctype = f"<!DOCTYPE html [{entities}]>"
    data = (doctype + page(f"<p>&x; &b; &b;</p>{BODY}").decode()).encode()
    assert "secret of" not in article_of(data).text


HOSTILE = {
    "empty": b"",
    "blank": b" \n ",
    "plain text": b"Harbour reopens. No tags here.",
    "binary": bytes(range(256)) * 1000,
    "PDF": b"%PDF-1.4 <a>\x00\x01\x02\x03" * 100,
    "no body": b"<html><head><title>Harbour reopens</title></head></html>",
    "only links": b"<body>" + b"<a href=x>Harbour</a> " * 100,
    "deep": b"<html><body>" + b"<div>" * 100_000 + b"<p>x</p>",
    "20 MB": b"<html><body>" + b"<p>word word. </p>" * 1_300_000,
    "many elements": b"<html><body>" + b"<b>x</b>" * 200_000,
    "many nested lists": b"<body>" + b"<ul><li><a>x</a>" * 100 + b"<li><a>x</a>" * 40_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_news_page_is_refused_with_reason_and_advice(data: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(BadArticleError) as error:
        read_html_page(data, Origin("archive.zip!page.html", 1))
    assert error.value.path == "archive.zip!page.html"
    assert error.value.reason
    assert error.value.advice
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "data",
    [
        page(f"<p>{'word word word. ' * 300_000}</p>"),
        page(f'<div class="{"a " * 2_000_000}">{BODY}</div>'),
        page(BODY, f"<title>{'a | ' * 1_000_000}</title>"),
        page(
            BODY, f"<title>x</title><script type='application/ld+json'>{'[' * 1_000_000}</script>"
        ),
        page("<h1>Harbour reopens now</h1>" * 10_000 + BODY),
        page("<div class=author>" * 100 + "<b>x</b>" * 8_000 + BODY),
        page('<time datetime="2022-01-01T00:00:00Z">now</time>' * 10_000 + BODY),
    ],
    ids=["text", "class", "title", "json", "headings", "authors", "times"],
)
def test_a_page_that_is_hard_to_read_is_read_all_the_same(data: bytes) -> None:
    began = time.monotonic()
    assert read_html_page(data, HERE).body
    assert time.monotonic() - began < 40


@pytest.mark.parametrize("character", ["\x01", "\x1b", "&#1;", "&#xFFFF;", "\uffff", "\ufffe"])
def test_characters_that_no_markup_may_hold_are_dropped(character: str) -> None:
    # Where a menu is cut out, what stands behind it is written anew.
    body = f"<p>{character}Before</p><nav>Home</nav>{character} Behind it.{BODY}"
    assert "Behind it." in read_html_page(page(body), HERE).body


@given(st.binary(max_size=400), st.text(max_size=200))
def test_any_bytes_give_an_article_or_a_reason(data: bytes, text: str) -> None:
    for candidate in (data, page(text), page(BODY, text), b"<p>" + data, with_script(text)):
        try:
            record = read_html_page(candidate, HERE)
        except BadArticleError:
            continue
        assert record.body
        assert record.raw == candidate


def with_script(text: str) -> bytes:
    return page(BODY, f'<script type="application/ld+json">{text}</script>')
