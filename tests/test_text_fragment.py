"""Text fragments, read by the steps of the specification, and by a real browser."""

from html import escape

import pytest
from fragment_reader import folded, found, parsed
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from search.references.text_fragment import link_to_text, text_fragment

TEXT = (
    "Northport harbour opened again on Friday, nine days after the storm closed it.\n\n"
    "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters.\n\n"
    "The ferry sails at dawn on Sunday too. Fares & times, tax-free, are as before.\n\n"
    + " ".join(f"Boat {number} has to wait at the outer mole." for number in range(1, 31))
)


def span_of(quote: str) -> tuple[int, int]:
    start = TEXT.index(quote)
    return start, start + len(quote)


def fragment_of(quote: str) -> str:
    return text_fragment(TEXT, *span_of(quote))


@pytest.mark.parametrize(
    ("quote", "fragment"),
    [
        (
            "Northport harbour opened again on Friday",
            # It ends before a comma: with what follows it is whole words.
            "Northport%20harbour%20opened%20again%20on%20Friday,-%2C%20nine%20days",
        ),
        (
            "Fares & times, tax-free, are as before.",
            "Fares%20%26%20times%2C%20tax%2Dfree%2C%20are%20as%20before.",
        ),
        # Few words have neighbours, as the page around the article may say them too.
        ("Ines Okoro", "Saturday%2C%E2%80%9D%20harbour%20master-,Ines%20Okoro,-told%20reporters."),
        ("Saturday", "at%20dawn%20on-,Saturday,-%2C%E2%80%9D%20harbour%20master"),
        # Inside a word.
        ("rbou", "Northport%20ha-,rbou,-r%20opened%20again"),
        # As much of it as is in the paragraph before, too, makes it no other.
        ("The ferry sails at dawn on Sunday", "The%20ferry%20sails%20at%20dawn%20on%20Sunday"),
    ],
)
def test_a_short_quote_is_named_whole(quote: str, fragment: str) -> None:
    assert fragment_of(quote) == f":~:text={fragment}"


def test_a_stretch_over_paragraphs_is_named_by_its_first_and_last_words() -> None:
    quote = TEXT[: TEXT.index("\n\nThe ferry")]
    assert fragment_of(quote) == (
        ":~:text=Northport%20harbour%20opened%20again%20on,master%20Ines%20Okoro%20told%20reporters."
    )


def test_a_long_paragraph_is_named_by_as_many_words_as_it_takes() -> None:
    paragraph = TEXT.rpartition("\n")[2]
    # What five words say, "wait at the outer mole.", is in all its sentences.
    assert fragment_of(paragraph) == (
        ":~:text=Boat%201%20has%20to%20wait%20at%20the%20outer%20mole.%20Boat,"
        "mole.%20Boat%2030%20has%20to%20wait%20at%20the%20outer%20mole."
    )


def test_what_stands_twice_is_told_apart_by_its_neighbours() -> None:
    text = "All boats wait.\n\nThe mole is shut.\n\nAll boats sail.\n\nThe mole is shut."
    start = text.rindex("The mole")
    assert text_fragment(text, start, len(text)) == (
        ":~:text=All%20boats%20sail.-,The%20mole%20is%20shut."
    )


def test_a_long_paragraph_that_stands_twice_makes_no_long_link() -> None:
    text = f"{TEXT[-1500:]}\n\n{TEXT[-1500:]}"
    assert len(text_fragment(text, len(text) - 1500, len(text))) < 6_000


@pytest.mark.parametrize("span", [(0, 0), (5, 5), (78, 80), (9, 10)])
def test_of_nothing_there_is_none(span: tuple[int, int]) -> None:
    assert text_fragment(TEXT, *span) == ""


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://a.example/b", "https://a.example/b#:~:text=abc"),
        ("https://a.example/b#top", "https://a.example/b#top:~:text=abc"),
        ("", ""),
    ],
)
def test_a_link_keeps_the_fragment_that_it_has(url: str, link: str) -> None:
    assert link_to_text(url, "abc", 0, 3) == link


def test_without_a_quote_the_link_is_the_url() -> None:
    assert link_to_text("https://a.example/b", "abc", 1, 1) == "https://a.example/b"


@st.composite
def texts_and_spans(draw: st.DrawFn) -> tuple[str, int, int]:
    """Texts of few words, so that all stands in them more than once, and any span."""
    word = st.sampled_from(
        ["a", "A", "b,", "“b", "c-d", "é", "e", "x&y", "don’t", "日本。語", "%20", "ab", "–"]
    )
    line = st.lists(word, min_size=1, max_size=draw(st.sampled_from([5, 120]))).map(" ".join)
    text = "\n\n".join(draw(st.lists(line, min_size=1, max_size=4)))
    start = draw(st.integers(0, len(text) - 1))
    return text, start, draw(st.integers(start + 1, len(text)))


@settings(deadline=None)
@given(texts_and_spans())
def test_a_browser_takes_every_fragment_and_finds_the_quote_or_its_like(
    case: tuple[str, int, int],
) -> None:
    text, start, end = case
    quote = text[start:end].strip()
    fragment = text_fragment(text, start, end)
    if not quote:
        assert fragment == ""
        return
    directive = parsed(fragment)
    assert directive
    place = found(text, directive)
    assert place
    span = (text.index(quote, start), text.index(quote, start) + len(quote))
    assert place <= span
    # The last paragraph of a stretch may be one word, and stand in it before.
    if folded(text).count(folded(quote)) == 1 and "\n" not in quote:
        assert place == span


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_page()


def test_a_real_browser_scrolls_to_the_paragraph(page: Page) -> None:
    far = '<div style="height: 3000px"></div>'
    paragraphs = TEXT.split("\n\n")
    body = far.join(f"<p>{escape(paragraph)}</p>" for paragraph in ["", *paragraphs, ""])
    page.route(
        "**/*",
        lambda route: route.fulfill(
            body=f"<!doctype html><meta charset=utf-8>{body}", content_type="text/html"
        ),
    )
    for number, quote in enumerate(
        [
            "Friday",
            "The ferry sails at dawn on Sat",
            "The ferry sails at dawn on Sunday",
            paragraphs[3],
        ]
    ):
        page.goto(link_to_text(f"http://courier.example/{number}", TEXT, *span_of(quote)))
        page.wait_for_function("scrollY > 0", timeout=5_000)
        seen = page.evaluate(
            "[...document.querySelectorAll('p')].findIndex("
            "p => p.getBoundingClientRect().bottom > 0) - 1"
        )
        assert seen == number
