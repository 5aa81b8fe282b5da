import pytest
from citations import article_texts, texts
from hypothesis import given, settings

from search.references.one_line import one_line, with_pilcrows


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("  a \t b\xa0 c\r\n", "a b c"),
        ("a\u2028b\x85c\x0bd", "a b c d"),
        ("a\x00b\x1bc\x7f", "abc"),
    ],
)
def test_all_whitespace_is_one_space_and_control_characters_go(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_pilcrow_stands_between_two_paragraphs() -> None:
    assert with_pilcrows("One.\n\nTwo,\n and more.\n") == "One. ¶ Two, ¶ and more."


@settings(deadline=None)
@given(texts())
def test_the_outcome_is_one_line_for_every_reader(text: str) -> None:
    for line in (one_line(text), with_pilcrows(text)):
        assert len(line.splitlines()) <= 1
        assert line == line.strip()


@settings(deadline=None)
@given(article_texts())
def test_paragraphs_of_an_article_come_back_as_they_were(text: str) -> None:
    assert with_pilcrows(text).replace(" ¶ ", "\n\n") == text


def test_a_long_run_of_spaces_takes_no_time() -> None:
    assert with_pilcrows(f"a{' ' * 1_000_000}b") == "a b"
