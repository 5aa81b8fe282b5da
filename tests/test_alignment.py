"""Two texts side by side: the edits are right, and a reader can follow them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.coverage.alignment import Alignment, Op, align, in_words

LEAD = "The harbour opened again on Friday, nine days after the storm closed it."
FERRY = (
    "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters at the quay."
)
BOATS = "Fishing boats must wait until divers have looked at the outer mole."
STORES = "The island lived from its stores, and from what the hotels had left over."

_words = st.sampled_from(
    ["the", "ferry", "sails", "at", "dawn", "1,000", "U.S", "harbour", "東", "é"]
)
_marks = st.sampled_from([" ", " ", " ", ". ", ", ", "\n\n", " – ", " -- ", "“", "” ", "... ", "’"])
texts = st.lists(st.tuples(_words, _marks), max_size=40).map(
    lambda pairs: "".join(word + mark for word, mark in pairs)
)


@st.composite
def copies(draw: st.DrawFn) -> tuple[str, str]:
    """A text and another made of stretches of it, in any order, with more put in between."""
    original = draw(texts)
    pieces = []
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(original))] * 2)))
        pieces += [original[start:end], draw(st.sampled_from(["", " ", "\n\n", " storm. "]))]
    return original, "".join(pieces)


def _plain(text: str) -> str:
    """Without spacing, and with one shape of quotation marks and dashes."""
    for shapes, plain in (("“”„«»‘’‚`'", '"'), ("–—―‐‑", "-"), ("…", "...")):
        text = re.sub(f"[{shapes}]", plain, text)
    return "".join(re.sub("-{2,}", "-", text).split())


def _applied(original: str, copy: str, alignment: Alignment) -> str:
    """The original with the edits done to it, as `_plain` has it."""
    at, kept = 0, ""
    for start, end in sorted(edit.original for edit in alignment.edits):
        kept += _plain(original[at:start])
        at = end
    kept += _plain(original[at:])
    done = ""
    for edit in alignment.edits:
        start, end = edit.copy
        missing = len(_plain(copy[:start])) - len(done)
        done, kept = done + kept[:missing] + _plain(copy[start:end]), kept[missing:]
    return done + kept


@given(texts, texts)
def test_the_edits_done_to_the_original_give_the_copy(original: str, copy: str) -> None:
    assert _applied(original, copy, align(original, copy)) == _plain(copy)


@given(copies())
def test_so_they_do_when_stretches_were_cut_and_moved(pair: tuple[str, str]) -> None:
    assert _applied(*pair, align(*pair)) == _plain(pair[1])


@given(copies())
def test_spans_are_inside_in_order_and_apart(pair: tuple[str, str]) -> None:
    edits = align(*pair).edits
    for text, spans in (
        (pair[0], sorted(edit.original for edit in edits)),
        (pair[1], [edit.copy for edit in edits]),
    ):
        places = [place for span in spans for place in span]
        assert places == sorted(places)
        assert all(0 <= place <= len(text) for place in places)
    for edit in edits:
        (start, end), (copy_start, copy_end) = edit.original, edit.copy
        empty = {Op.CUT: (False, True), Op.ADDED: (True, False)}.get(edit.op, (False, False))
        assert (start == end, copy_start == copy_end) == empty


@given(copies())
def test_what_moved_is_the_same_in_both_places(pair: tuple[str, str]) -> None:
    for edit in align(*pair).edits:
        if edit.op is Op.MOVED:
            assert _plain(pair[0][slice(*edit.original)]) == _plain(pair[1][slice(*edit.copy)])


@given(copies())
def test_every_word_of_the_original_is_kept_cut_or_changed(pair: tuple[str, str]) -> None:
    alignment = align(*pair)
    assert 0 <= alignment.kept <= min(alignment.words, alignment.copy_words)
    assert alignment.kept + alignment.cut <= alignment.words
    assert alignment.kept + alignment.added <= alignment.copy_words
    assert 0 <= alignment.share_kept <= 1


@given(texts)
def test_identical_texts_have_no_edit(text: str) -> None:
    assert align(text, text).edits == ()
    assert align(text, text).share_kept == 1


def test_neither_spacing_nor_typography_is_a_difference() -> None:
    plain = FERRY.replace("“", '"').replace("”", '"').replace(" told", "\n\ntold")
    assert align(FERRY, plain).edits == ()
    assert align(FERRY, FERRY.replace("“", "‘").replace("”", "’")).edits == ()
    assert align("Nine days – and more…", "Nine days -- and more...").edits == ()


def _told(original: str, copy: str) -> list[tuple[str, str, str]]:
    """What is said of each edit: the operation, and the stretches of both texts."""
    return [
        (edit.op.value, original[slice(*edit.original)], copy[slice(*edit.copy)])
        for edit in align(original, copy).edits
    ]


def _paragraphs(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


@pytest.mark.parametrize(
    ("copy", "told"),
    [
        (_paragraphs(LEAD, FERRY), [("cut", BOATS, "")]),
        (_paragraphs(LEAD, BOATS), [("cut", FERRY, "")]),
        (_paragraphs(LEAD, FERRY, BOATS, STORES), [("added", "", STORES)]),
        (_paragraphs(STORES, FERRY, BOATS), [("changed", LEAD[4:-1], STORES[4:-1])]),
        (_paragraphs(LEAD, BOATS, FERRY), [("moved", BOATS, BOATS)]),
        (
            _paragraphs("NORTHPORT (Wire) – " + LEAD, FERRY, BOATS),
            [("added", "", "NORTHPORT (Wire) –")],
        ),
        (
            _paragraphs(LEAD.replace("Friday, nine", "Thursday, eight"), FERRY, BOATS),
            [("changed", "Friday, nine", "Thursday, eight")],
        ),
        (
            _paragraphs(LEAD, FERRY.replace("Ines Okoro", "Liv Aasen"), BOATS),
            [("changed", "Ines Okoro", "Liv Aasen")],
        ),
    ],
    ids=["truncated", "cut", "appended", "new lead", "moved", "dateline", "correction", "name"],
)
def test_an_edit_is_told_as_a_reader_would(copy: str, told: list[tuple[str, str, str]]) -> None:
    assert _told(_paragraphs(LEAD, FERRY, BOATS), copy) == told


def test_a_cut_between_equal_words_begins_where_the_sentence_does() -> None:
    original = "The mayor left. The ferry sails. The end is near."
    assert _told(original, "The mayor left. The end is near.") == [("cut", "The ferry sails.", "")]


def test_a_chance_word_does_not_break_what_was_written_anew() -> None:
    original = f"{LEAD} Two divers from Northport went down in the afternoon. {BOATS}"
    copy = f"{LEAD} Nobody knows in what state the mole is. {BOATS}"
    assert [op for op, *_ in _told(original, copy)] == ["changed"]


def test_a_long_run_between_long_cuts_is_kept() -> None:
    original = " ".join([STORES, LEAD, STORES.upper(), BOATS])
    assert [op for op, *_ in _told(original, f"{LEAD} {BOATS}")] == ["cut", "cut"]


def test_figures_are_said_in_words() -> None:
    text = _paragraphs(LEAD, FERRY, BOATS)
    assert in_words(align(text, text)) == "the same, word for word"
    assert in_words(align(text, _paragraphs(LEAD, FERRY))) == ("keeps 71 % of 41 words; 12 cut")
    assert in_words(align("The mole, too.", "The mole; too.")) == (
        "keeps 100 % of 3 words; other marks"
    )
    assert align("", "").share_kept == 1
