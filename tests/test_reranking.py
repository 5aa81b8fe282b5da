"""What the learned ranker sees in a text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.reranking import WEIGHTS, WINDOW, Features, text_features

IDF = {"ferri": 3.0, "dawn": 2.0, "sail": 1.0}


def window(*terms: str) -> float:
    return float(text_features([terms], IDF)[0][0])


def test_words_that_stand_together_count_more_than_words_strewn_over_a_passage() -> None:
    far = ["x"] * WINDOW
    assert window("ferri", "sail", "dawn") == 1.0
    assert window("ferri", *far, "sail", *far, "dawn") == pytest.approx(3 / 6)
    assert window("dawn", *far, "ferri", "sail") == pytest.approx(4 / 6)


def test_a_window_is_so_many_terms_wide() -> None:
    assert window("ferri", *["x"] * (WINDOW - 2), "dawn") == pytest.approx(5 / 6)
    assert window("ferri", *["x"] * (WINDOW - 1), "dawn") == pytest.approx(3 / 6)


def test_a_word_counts_once_however_often_it_stands_there() -> None:
    assert window("sail", "sail", "sail") == pytest.approx(1 / 6)


def test_without_words_to_look_for_and_without_text_there_is_no_window() -> None:
    assert window() == 0.0
    assert text_features([["ferri"]], {})[0][0] == 0.0


def test_very_short_passages_are_not_better_for_being_short() -> None:
    _, lengths = text_features([["a"] * count for count in (0, 1, 12, 24)], IDF)
    assert lengths.tolist() == [math.log(12)] * 3 + [math.log(24)]


@given(st.lists(st.sampled_from([*IDF, "x", "y"]), max_size=60))
def test_a_window_holds_no_more_than_the_passage(terms: list[str]) -> None:
    share = sum(IDF[term] for term in set(terms) & set(IDF)) / sum(IDF.values())
    assert 0.0 <= window(*terms) <= share + 1e-9


def test_what_speaks_for_a_passage_raises_it_and_length_lowers_it() -> None:
    def logit(fused: float = 0.5, about: float = 0.5, window: float = 0.5, length: float = 3.0):
        return Features(*(np.array([value]) for value in (fused, about, window, length))).logits()

    assert logit(fused=0.6) > logit()
    assert logit(about=0.6) > logit()
    assert logit(window=0.6) > logit()
    assert logit(length=4.0) < logit()
    assert WEIGHTS.fused > 0
