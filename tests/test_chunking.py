"""Passages: the whole text, in order, none too long for the model, boundaries that stay put."""

import io
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Article, ArticleId, Passage, embedding_text
from index.chunking import (
    ALONE_TOKENS,
    ENOUGH_TOKENS,
    PASSAGE_CHARS,
    PASSAGE_TOKENS,
    chunk,
    sentences,
)
from index.default_model import MAX_TOKENS
from index.model import HEADLINE_TOKENS, SPECIAL_TOKENS, token_counter

ROOT = Path(__file__).resolve().parent.parent
PRESS = (
    Path(os.environ.get("NUTGRAF_DATA", ROOT.parent / "shared" / "data"))
    / "press-2012-2020.jsonl.zst"
)

# 24 tokens; four of them are more than ENOUGH_TOKENS, eight more than PASSAGE_TOKENS.
SENTENCE = (
    "The ferry to the outer islands will sail again on Friday, nine days after the storm closed "
    "the harbour to every ship. "
)
PARAGRAPH = (SENTENCE * 4).strip()


def article(text: str, *, headline: str = "", language: str = "en") -> Article:
    return Article(ArticleId("a"), headline, text, language=language)


def texts(text: str, *, language: str = "en") -> list[str]:
    return [passage.text for passage in chunk(article(text, language=language))]


def assert_whole(of: Article, passages: tuple[Passage, ...]) -> None:
    """All that holds for any text."""
    count = token_counter()
    assert_nothing_is_left_out(of, passages)
    for ordinal, passage in enumerate(passages):
        assert passage.ordinal == ordinal
        assert passage.article_id == of.id
        assert of.text[passage.start : passage.end] == passage.text
        assert passage.text.strip() == passage.text != ""
        assert count(passage.text) <= PASSAGE_TOKENS
        assert len(passage.text) <= PASSAGE_CHARS
    assert len({passage.id for passage in passages}) == len(passages)


def assert_nothing_is_left_out(of: Article, passages: tuple[Passage, ...]) -> None:
    behind = 0
    for passage in passages:
        assert passage.start >= behind
        assert not of.text[behind : passage.start].strip()
        behind = passage.end
    assert not of.text[behind:].strip()


# What articles are made of and what breaks splitters, in lumps that reach the limits quickly.
LUMPS = st.one_of(
    st.text(max_size=30),
    st.characters(categories=["Cs"]),  # lone surrogates
    st.sampled_from(
        [
            *["\n\n", "\n", "\r\n", " ", "\t", "\x00", "\x0b", "\x85", "\u2028", "\u00a0"],
            *[
                "[SEP]",
                "[CLS",
                "e\u0301",
                "\u0301" * 40,
                "\u200d",
                "😀👩‍👩‍👧",
                "سلام عليكم. ",
                "각" * 60,
            ],
            *["これは文です。", "中" * 90, "“quote. ", "Dr. J. R. Smith of the U.S. ", "x" * 500],
            *["1.234,56 ", "-/-" * 70, SENTENCE, PARAGRAPH, "\n\n" + PARAGRAPH * 3, "co\u00adop "],
            *["international" * 7, "_" * 30, "Heading", "a b c d e f g h i j k l m n o p " * 9],
        ]
    ),
)
TEXTS = st.lists(LUMPS, max_size=14).map("".join)


@settings(deadline=None)
@given(text=TEXTS, language=st.sampled_from(["", "en", "ar", "ja", "xx"]))
def test_passages_are_slices_in_order_that_fit_the_model_and_leave_nothing_out(
    text: str, language: str
) -> None:
    whole = article(text, language=language)
    passages = chunk(whole)
    assert_whole(whole, passages)
    assert chunk(whole) == passages


def test_passage_and_longest_headline_fill_one_window_of_the_model() -> None:
    assert HEADLINE_TOKENS + PASSAGE_TOKENS + SPECIAL_TOKENS == MAX_TOKENS
    headline = "ferry " * HEADLINE_TOKENS
    for passage in chunk(article(PARAGRAPH * 5, headline=headline)):
        both = embedding_text(headline, passage.text)
        assert token_counter()(both) + SPECIAL_TOKENS <= MAX_TOKENS


def test_text_without_words_has_no_passages() -> None:
    assert chunk(article("")) == ()
    assert chunk(article(" \n\n\t\u00a0")) == ()


def test_a_paragraph_of_enough_tokens_is_a_passage_of_its_own() -> None:
    assert token_counter()(PARAGRAPH) >= ENOUGH_TOKENS
    assert texts(f"{PARAGRAPH}\n\n{PARAGRAPH}") == [PARAGRAPH, PARAGRAPH]


def test_equal_passages_of_one_article_have_different_ids() -> None:
    first, second = chunk(article(f"{PARAGRAPH}\n\n{PARAGRAPH}"))
    assert first.id != second.id


def test_short_neighbours_are_packed_until_they_are_enough() -> None:
    sentence = SENTENCE.strip()
    packed = "\n\n".join([sentence] * 4)
    assert texts(f"{packed}\n\n{packed}") == [packed, packed]


def test_a_cross_heading_joins_the_paragraph_below_it() -> None:
    assert texts(f"{PARAGRAPH}\n\nThe harbour\n\n{PARAGRAPH}") == [
        PARAGRAPH,
        f"The harbour\n\n{PARAGRAPH}",
    ]


def test_a_credit_at_the_end_joins_the_passage_above_it() -> None:
    credit = "Reporting by Ines Okoro"
    assert token_counter()(credit) < ALONE_TOKENS
    assert texts(f"{PARAGRAPH}\n\n{credit}") == [f"{PARAGRAPH}\n\n{credit}"]


def test_a_long_paragraph_is_divided_between_sentences_only() -> None:
    passages = texts(SENTENCE * 20)
    assert len(passages) == 5
    assert all(passage.startswith("The ferry") for passage in passages)
    assert all(passage.endswith("every ship.") for passage in passages)


def test_the_sentence_a_window_cuts_is_not_divided() -> None:
    # No multiple of the sentence's length falls on the 2,000 characters of a window.
    passages = texts(SENTENCE * 200)
    assert all(passage.startswith("The ferry") for passage in passages)


def test_sentences_end_as_their_language_ends_them() -> None:
    sentence = "港は嵐の九日後の金曜日に再び開かれ、漁船は外の防波堤が調べられるまで待つ。"
    passages = texts(sentence * 20, language="ja")
    assert len(passages) > 2
    assert all(passage.endswith("。") for passage in passages)


def test_a_sentence_too_long_for_the_model_is_divided_between_words() -> None:
    words = " ".join(f"harbour{number}" for number in range(900))
    passages = texts(words)
    assert len(passages) > 4
    assert " ".join(passages) == words


def test_a_word_without_end_is_divided_so_that_it_stays_readable() -> None:
    word = "x" * 10_000  # one unknown token to the model
    passages = texts(word)
    assert "".join(passages) == word
    assert len(passages) > 3


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    edited=st.text(alphabet="abc de.", min_size=1, max_size=900),
)
def test_an_edit_moves_no_boundary_beyond_the_next_paragraph_that_is_enough(
    sizes: list[int], edited: str
) -> None:
    def passages_behind(first: str) -> list[str]:
        rest = [(SENTENCE * size).strip() for size in sizes]
        # The last one is no scrap, which could join the passage before it.
        return texts("\n\n".join([first, PARAGRAPH, *rest, PARAGRAPH]))

    def behind_anchor(passages: list[str]) -> list[str]:
        at = next(n for n, passage in enumerate(passages) if passage.endswith(PARAGRAPH))
        return passages[at + 1 :]

    before, after = passages_behind("An introduction."), passages_behind(f"{edited}x")
    assert behind_anchor(before) == behind_anchor(after)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("unit", "megabytes"),
    [
        (SENTENCE, 3),
        ("word ", 3),
        ("x", 3),
        ("( ", 3),
        ("“quote. ", 1),  # sentencex alone would take most of a minute
    ],
)
def test_time_is_linear_in_the_length_of_a_line(unit: str, megabytes: int) -> None:
    line = unit * (megabytes * 1_000_000 // len(unit))
    assert_nothing_is_left_out(article(line), chunk(article(line)))


def test_sentences_end_with_their_line_at_the_latest() -> None:
    text = " The ferry sails. Dr. Okoro waits\nA heading\n\n“Who?” he asked. "
    cut = ["The ferry sails.", "Dr. Okoro waits", "A heading", "“Who?” he asked."]
    assert [text[start:end] for start, end in sentences(text, "en")] == cut
    assert [text[start:end] for start, end in sentences(text, "")] == cut
    assert list(sentences(" \n", "en")) == []


def press_articles() -> Iterator[Article]:
    if not PRESS.exists():
        pytest.skip(f"{PRESS} is not here: real press articles, which cannot be published")
    with PRESS.open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8")
        for line in islice(lines, 1_000):
            record = json.loads(line)
            yield Article(ArticleId(record["_id"]), record["title"], record["text"], language="en")


def test_press_passages_are_short_paragraphs_and_none_is_a_scrap() -> None:
    count = token_counter()
    sizes = []
    for press in press_articles():
        passages = chunk(press)
        assert_whole(press, passages)
        sizes += [count(passage.text) for passage in passages]
        if len(passages) > 1:
            # Only an end that did not fit into the passage before it may be a scrap.
            assert all(count(passage.text) >= ALONE_TOKENS for passage in passages[:-1])
    assert 95 < sum(sizes) / len(sizes) < 125
