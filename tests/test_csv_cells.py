"""Cells of CSV that no spreadsheet works out, and that give their text back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.exports.csv_cells import original, safe


@pytest.mark.parametrize("first", list("=+-@\t\r\n＝＋－＠"))
def test_text_that_begins_like_a_formula_is_quoted(first: str) -> None:
    assert safe(f"{first}HYPERLINK(1)") == f"'{first}HYPERLINK(1)"


@pytest.mark.parametrize("text", ["", "Harbour reopens", "'Twas a storm", "3 = 3", "'", " -"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


@given(st.text(alphabet=st.one_of(st.sampled_from("'=+-@\t\r\n a"), st.characters())))
def test_a_cell_gives_its_text_back_and_begins_no_formula(text: str) -> None:
    assert original(safe(text)) == text
    assert not safe(text).startswith(tuple("=+-@\t\r\n＝＋－＠"))
