"""The planted edits do what their names say, on an article of our own."""

from random import Random

import pytest
from planted_copies import PLANTED, Edit, Story, planted

from index.copies import overlap

HARBOUR = Story(
    "Harbour reopens after the storm",
    "NORTHPORT (NCP) — Northport harbour opened again on Friday, nine days after the storm closed "
    "it and drove two trawlers onto the outer mole, the port authority said.\n\n"
    "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told those who had waited "
    "on the quay since the early morning for word of the 14 boats still missing from the list.\n\n"
    "Fishing boats must wait until divers have looked at the mole, where 300 tonnes of stone slid "
    "into the channel and left less than 4 metres of water over the sill at low tide.",
)
TRAMS = Story(
    "Council votes on trams",
    "The council voted for the tram line after a debate of six hours, by 31 votes to 12.\n\n"
    "Mayor Liv Aasen said that the first tram would run in May, from the station to the old mill, "
    "and that the depot would follow a year later if the province paid its share of the cost.",
)


def made(*edits: Edit, seed: int = 1) -> Story:
    return planted(edits, HARBOUR, TRAMS, Random(seed))


def test_a_truncated_copy_is_the_first_words() -> None:
    words = HARBOUR.text.split()
    kept = made(Edit.TRUNCATED).text.split()
    assert kept == words[: len(kept)]
    assert 0.3 * len(words) - 1 <= len(kept) <= 0.7 * len(words) + 1


def test_a_local_lead_stands_between_the_dateline_and_the_text() -> None:
    text = made(Edit.LOCAL_LEAD).text
    assert text.startswith("NORTHPORT (NCP) — ")
    assert text.endswith(HARBOUR.text.removeprefix("NORTHPORT (NCP) — "))
    assert len(text) > len(HARBOUR.text)


def test_appended_paragraphs_stand_at_the_end() -> None:
    text = made(Edit.APPENDED).text
    assert text.startswith(HARBOUR.text)
    assert len(text) > len(HARBOUR.text)


def test_a_changed_dateline_takes_the_place_of_the_old_one() -> None:
    text = made(Edit.DATELINE).text
    assert "NORTHPORT" not in text
    assert "Northport harbour opened again" in text
    assert text.count("(NCP)") + text.count("(Islander)") == 1


def test_a_correction_replaces_words_and_leaves_their_number() -> None:
    before, after = HARBOUR.text.split(), made(Edit.CORRECTED).text.split()
    assert len(before) == len(after)
    assert 1 <= sum(a != b for a, b in zip(before, after, strict=True)) <= 2


def test_a_new_headline_leaves_the_text() -> None:
    assert made(Edit.HEADLINE) == Story(TRAMS.headline, HARBOUR.text)


@pytest.mark.parametrize("edits", PLANTED, ids=" and ".join)
def test_any_edits_are_the_same_for_the_same_seed(edits: tuple[Edit, ...]) -> None:
    assert made(*edits) == made(*edits)
    assert made(*edits) != HARBOUR


@pytest.mark.parametrize("edits", PLANTED, ids=" and ".join)
def test_most_of_the_shorter_text_stays(edits: tuple[Edit, ...]) -> None:
    assert overlap(HARBOUR.text, made(*edits).text) > 0.5  # corrections weigh much in so few words
