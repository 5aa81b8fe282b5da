"""Which words of a text are marked as the question's."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.words import _analyzer
from search.highlighting import Highlighter
from search.query import Mode, Query, parse

analyze = _analyzer().analyze


def marked(question: str, text: str, mode: Mode = Mode.PLAIN) -> list[str]:
    query = parse(question, mode=mode, today=date(2025, 3, 15))
    return [text[start:end] for start, end in Highlighter(query, analyze).spans(text)]


def test_words_match_as_they_were_indexed_by_stem_case_and_accent() -> None:
    text = "The MINISTERS have negotiated in Zürich."
    assert marked("minister negotiations zurich", text) == ["MINISTERS", "negotiated", "Zürich"]


def test_stop_words_and_question_words_are_not_marked() -> None:
    assert marked("What did the mayor say to her?", "What the mayor did to her was right.") == [
        "mayor"
    ]


def test_words_side_by_side_are_marked_as_one() -> None:
    assert marked("New York mayor", "In New York-based talks the mayor spoke.") == [
        "New York",
        "mayor",
    ]
    assert marked("new york", "New\n\nYork") == ["New", "York"]


def test_spans_count_code_points() -> None:
    assert marked("ferry", "🚢🚢 Die Ferry fährt") == ["Ferry"]


def test_a_question_of_stop_words_marks_nothing() -> None:
    assert marked("what is it", "what it is") == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ('"the no"', ["the No"]),  # stop words too, where they are one after the other
        ('"Zurich no"', ["Zürich"]),  # as a word that ranks
        ("strik*", ["Strikers", "strike"]),
        ("strik* -mayor", ["Strikers", "strike"]),
        ("strikers AND NOT (mayor OR no)", ["Strikers"]),
        ('"the mayor" NEAR/9 strik*', ["Strikers", "the mayor", "strike"]),
        ("headline:mayor strikers", ["Strikers", "mayor"]),
        ("outlet:mayor strikers", ["Strikers"]),
    ],
)
def test_what_restricts_a_question_is_marked_as_it_must_be_written(
    question: str, expected: list[str]
) -> None:
    text = "Strikers heard the No of Zürich, and the mayor heard of the strike."
    assert marked(question, text) == expected


def test_a_verbatim_question_is_marked_to_the_last_comma() -> None:
    text = "“No, no,” he said. No, no: “No, no.”"
    assert marked(" No, no,” ", text, Mode.VERBATIM) == ["No, no,”"]
    assert marked("No, no", text, Mode.VERBATIM) == ["No, no"] * 3
    assert marked("no (", text, Mode.VERBATIM) == []


@given(st.text(max_size=200), st.text(max_size=200))
def test_spans_are_in_order_apart_and_begin_and_end_with_a_word(question: str, text: str) -> None:
    question = question.encode("utf-8", "replace").decode()
    text = text.encode("utf-8", "replace").decode()
    end_before = 0
    for start, end in Highlighter(Query(question, question, None), analyze).spans(text):
        assert end_before <= start < end <= len(text)
        assert re.match(r"[^\W_]", text[start])
        assert re.match(r"[^\W_]", text[end - 1])
        end_before = end
