"""Bodies become paragraphs, and every paragraph knows where it stood."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.paragraphs import collapse, ends_sentence, split

# Any text, surrogates included, with the characters that matter here more often than by chance.
BODIES = st.text(
    st.one_of(
        st.sampled_from("ab A.,-\n\n\r\t\x00\x0b\x85\xad\u200b\u2028\ud800\udfffé\u0301ש😀"),
        st.characters(),
    ),
    max_size=300,
)


def texts(body: str) -> list[str]:
    return [paragraph.text for paragraph in split(body)]


def test_a_blank_line_divides_paragraphs() -> None:
    assert texts("The ferry sailed.\n\n \t\nThe storm was over.\n") == [
        "The ferry sailed.",
        "The storm was over.",
    ]


def test_without_blank_lines_each_line_is_a_paragraph() -> None:
    body = (
        "The ferry sailed at dawn, and for the first time in nine days no gale was forecast.\n"
        "Nobody was hurt.\n"
        "Harbour master Ines Okoro said that the mole would be looked at by divers on Monday.\n"
    )
    assert texts(body) == body.splitlines()


WRAPPED = """\
The harbour of Northport opened again on Friday, nine days after the
storm had closed it, and the first ferry sailed for the islands with
two hundred passengers on board.

Fishing boats must wait until divers have looked at the outer mole,
harbour master Ines Okoro said.
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_that_are_broken_at_a_width_are_joined(ending: str) -> None:
    assert texts(WRAPPED.replace("\n", ending)) == [
        "The harbour of Northport opened again on Friday, nine days after the storm had closed it,"
        " and the first ferry sailed for the islands with two hundred passengers on board.",
        "Fishing boats must wait until divers have looked at the outer mole, harbour master Ines"
        " Okoro said.",
    ]


def test_wrapped_paragraphs_that_begin_with_an_indent_are_divided_there() -> None:
    body = WRAPPED.replace("\n\nFishing", "\n    Fishing")
    assert texts(body) == texts(WRAPPED)


def test_short_lines_below_wrapped_prose_stay_apart() -> None:
    body = WRAPPED + "\nShare\nTweet\nMost read\nFerry fares rise\nMuseum shows lost map\n"
    assert texts(body)[2:] == [
        *("Share", "Tweet", "Most read"),
        *("Ferry fares rise", "Museum shows lost map"),
    ]


def test_list_items_are_not_joined_to_the_line_before() -> None:
    lines = [
        f"- item number {number} of a list whose lines are all of a like length"
        for number in range(6)
    ]
    assert texts("\n".join(lines)) == lines


def test_a_word_broken_at_its_hyphen_keeps_it_and_gets_no_space() -> None:
    body = "He came with a group of fishermen from the Russian-\nspeaking villages of the coast."
    assert texts(body) == [
        "He came with a group of fishermen from the Russian-speaking villages of the coast."
    ]


def test_controls_surrogates_and_soft_hyphens_do_not_survive() -> None:
    assert texts("Thou\u00adsands\x00 of \ud800peo\u200bple\ufeff\u00a0\u00a0left.\x07") == [
        "Thousands of people left."
    ]


def test_joiners_and_combining_marks_survive() -> None:
    body = "می\u200cخواهم 👩\u200d🚒 cafe\u0301 \u05d0\u05b8"
    assert texts(body) == [body]


@given(BODIES)
def test_runs_lead_from_every_paragraph_back_to_the_body(body: str) -> None:
    for paragraph in split(body):
        covered = set()
        for run in paragraph.runs(7):
            start = run.start - 7
            assert run.length > 0
            piece = paragraph.text[start : start + run.length]
            assert piece == body[run.body_start : run.body_start + run.length]
            covered.update(range(start, start + run.length))
        left = set(range(len(paragraph.text))) - covered
        assert all(paragraph.text[number] == " " for number in left)


@given(BODIES)
def test_paragraphs_are_single_storable_lines_and_keep_every_letter(body: str) -> None:
    found = texts(body)
    for text in found:
        assert text == text.strip()
        assert text
        assert "  " not in text
        assert len(text.splitlines()) == 1
        text.encode("utf-8")
    letters = [character for character in body if character.isalnum()]
    assert [character for text in found for character in text if character.isalnum()] == letters


@given(BODIES)
def test_collapse_gives_one_line(text: str) -> None:
    collapsed = collapse(text)
    assert len(collapsed.splitlines()) <= 1
    assert collapsed == collapse(collapsed)
    collapsed.encode("utf-8")


@pytest.mark.parametrize(
    "text", ["It is over.", "“It is over.”", "Is it over?)", "It is…", "終わった。", "ختم۔"]
)
def test_a_sentence_ends_with_its_mark_inside_or_outside_quotes(text: str) -> None:
    assert ends_sentence(text)


@pytest.mark.parametrize(
    "text", ["", "Harbour reopens", "“Harbour reopens”", "U.S. troops", "3.5 m"]
)
def test_a_label_does_not_end_a_sentence(text: str) -> None:
    assert not ends_sentence(text)


@pytest.mark.parametrize(
    "body",
    [
        "word " * 500_000,
        "w" * 2_500_000,
        " " * 2_500_000,
        "a\u00ad" * 125_000,
        "x\n" * 125_000,
        "a-\n" * 75_000,
        "\n" * 2_500_000,
    ],
    ids=["words", "letters", "spaces", "soft hyphens", "lines", "broken words", "blank lines"],
)
def test_time_is_linear_in_the_text(body: str) -> None:
    began = time.process_time()
    split(body)
    assert time.process_time() - began < 20  # quadratic, it would be hours
