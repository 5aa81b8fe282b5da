import pytest
from citations import article_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from search.references.selectors import selectors

TEXT = (
    "Northport harbour opened again on Friday, nine days after the storm closed it.\n\n"
    "🐨 The ferry sails at dawn on Saturday, the harbour master told reporters."
)


def test_a_quote_with_its_neighbours_and_its_position() -> None:
    start = TEXT.index("dawn")
    assert selectors(TEXT, start, start + 4) == [
        {
            "type": "TextQuoteSelector",
            "exact": "dawn",
            "prefix": "losed it.\n\n🐨 The ferry sails at ",
            "suffix": " on Saturday, the harbour master",
        },
        {"type": "TextPositionSelector", "start": start, "end": start + 4},
    ]


def test_at_the_edges_of_the_text_there_is_less_of_them() -> None:
    quote, _ = selectors(TEXT, 0, len(TEXT))
    assert (quote["exact"], quote["prefix"], quote["suffix"]) == (TEXT, "", "")


def test_the_neighbours_grow_until_they_stand_nowhere_else() -> None:
    text = f"One. {'The ferry sails. ' * 20}Two."
    start = text.index("ferry", 100)
    quote, _ = selectors(text, start, start + 5)
    found = f"{quote['prefix']}{quote['exact']}{quote['suffix']}"
    assert text.count(found) == 1
    assert text.index(found) + len(str(quote["prefix"])) == start


@pytest.mark.parametrize("place", [0, 5])
def test_of_an_empty_stretch_there_are_none(place: int) -> None:
    assert selectors(TEXT, place, place) == []


@settings(deadline=None)
@given(article_texts(), st.data())
def test_both_lead_to_the_same_place(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote, position = selectors(text, start, end)
    around = f"{quote['prefix']}{quote['exact']}{quote['suffix']}"
    assert text.index(around) + len(str(quote["prefix"])) == position["start"] == start
    assert text[start:end] == quote["exact"]
    assert position["end"] == end
