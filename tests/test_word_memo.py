"""What is made of a word is made once, and never more is kept than was allowed."""

from hypothesis import given
from hypothesis import strategies as st

from index.word_memo import WordMemo


@given(asked=st.lists(st.text("abc", min_size=1, max_size=3)), most=st.integers(2, 7))
def test_a_word_gives_what_is_made_of_it_and_no_more_than_most_are_kept(
    asked: list[str], most: int
) -> None:
    memo = WordMemo(str.upper, most=most)
    for word in asked:
        assert memo[word] == word.upper()
        assert len(memo) <= most / 2  # and as many of the generation before


def test_a_word_that_comes_often_is_made_once_however_many_others_come() -> None:
    made: list[str] = []
    memo = WordMemo(made.append, most=10)
    for number in range(100):
        memo["ferry"]
        memo[f"word {number}"]
    assert made.count("ferry") == 1


def test_a_word_is_made_once_and_a_very_long_one_each_time() -> None:
    made: list[str] = []
    memo = WordMemo(made.append, most=10)
    for word in ("ferry", "ferry", "x" * 41, "x" * 41):
        memo[word]
    assert made == ["ferry", "x" * 41, "x" * 41]
