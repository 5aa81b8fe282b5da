"""A piece of HTML gives its text, a line for each paragraph."""

import time

import pytest

from index.formats.fragment import fragment_text


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        (
            "<p>One <b>two</b>\n three</p><p>Four<br/>five &amp; six</p>",
            "One two three\nFour\nfive & six",
        ),
        ("<ul><li>One<li>Two</ul>tail", "One\nTwo\ntail"),
        ("a<script>no()</script><style>p{}</style><!-- no --> b", "a b"),
        ("AT&amp;T rose.\n\nShares &lt; 5", "AT&T rose.\n\nShares < 5"),
        ("<p>\ud800 x\0</p>", "? x"),
        ("<!-- nothing -->", ""),
        ("", ""),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
    ],
)
def test_tags_become_lines_and_entities_characters(fragment: str, text: str) -> None:
    assert fragment_text(fragment) == text


@pytest.mark.parametrize(
    "piece", ["<div>", "<b>", "<", "<a ", "<!--", "<p>", '<a href="', "&lt;<p>"]
)
def test_any_nesting_takes_linear_time_and_no_recursion(piece: str) -> None:
    start = time.perf_counter()
    fragment_text("<p>text</p>" + piece * 100_000)
    assert time.perf_counter() - start < 30
