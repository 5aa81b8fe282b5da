"""Which articles say that they are a later version, and of what."""

from dataclasses import dataclass

import pytest

from index.article import Published
from index.updates import Mark, days_apart, mark_of, plain_headline, supersedes

TEXT = (
    "Northport harbour opened again on Friday, nine days after the storm closed it, and the first "
    "ferry is to sail for the islands at dawn. Fishing boats must wait until divers have been down "
    "to the wreck of a barge that lies across the inner channel."
)
MORE = (
    " The council hopes to raise it within 14 days, mayor Liv Aasen said, and asks the state to pay"
    " half of what the damage costs."
)


@dataclass(frozen=True)
class Piece:
    headline: str = "Harbour reopens after the storm"
    text: str = TEXT
    outlet: str = "Northport Courier"
    at: str = "2025-03-14T19:12"

    @property
    def published(self) -> Published | None:
        return Published(self.at) if self.at else None


@pytest.mark.parametrize(
    ("headline", "mark", "plain"),
    [
        ("UPDATE 1-Harbour reopens", Mark.UPDATE, "Harbour reopens"),
        ("UPDATE 12 - Harbour reopens", Mark.UPDATE, "Harbour reopens"),
        ("WRAPUP 3-Harbour reopens", Mark.UPDATE, "Harbour reopens"),
        ("UPDATED: Harbour reopens", Mark.UPDATE, "Harbour reopens"),
        ("Harbour reopens (UPDATED)", Mark.UPDATE, "Harbour reopens"),
        ("Harbour reopens [Updated at 4:45 p.m.]", Mark.UPDATE, "Harbour reopens"),
        ("Harbour reopens (Recasts, adds quote)", Mark.UPDATE, "Harbour reopens"),
        ("CORRECTED-Harbour reopens", Mark.CORRECTION, "Harbour reopens"),
        ("CORRECTED: Harbour reopens", Mark.CORRECTION, "Harbour reopens"),
        ("Correction: Harbour reopens", Mark.CORRECTION, "Harbour reopens"),
        ("CORRECTED-UPDATE 2-Harbour reopens", Mark.CORRECTION, "Harbour reopens"),
        ("UPDATE 2/CORRECTED-Harbour reopens", Mark.CORRECTION, "Harbour reopens"),
        ("REFILE-UPDATE 1-Harbour reopens", Mark.REPEAT, "Harbour reopens"),
        ("RPT-Harbour reopens", Mark.REPEAT, "Harbour reopens"),
        # What only sounds like one.
        ("Update on the harbour expected", None, "Update on the harbour expected"),
        ("Corrections officers strike", None, "Corrections officers strike"),
        ("Correction-facility plan dropped", None, "Correction-facility plan dropped"),
        ("Repeat offender jailed", None, "Repeat offender jailed"),
        ("Harbour reopens (adults free)", None, "Harbour reopens (adults free)"),
        ("UPDATE 1-", Mark.UPDATE, "UPDATE 1-"),
        ("", None, ""),
    ],
)
def test_a_headline_says_what_it_is_and_has_a_plain_form(
    headline: str, mark: Mark | None, plain: str
) -> None:
    assert mark_of(headline, TEXT) is mark
    assert plain_headline(headline) == plain


@pytest.mark.parametrize(
    ("before", "after", "mark"),
    [
        ("(Recasts, adds quote) ", "", Mark.UPDATE),
        ("(Adds details, share price) ", "", Mark.UPDATE),
        ("(Corrects day in first paragraph) ", "", Mark.CORRECTION),
        ("(Refiles to fix a slip in the headline) ", "", Mark.REPEAT),
        ("EDS: UPDATES with mayor's words. ", "", Mark.UPDATE),
        ("(Eds: Corrects spelling of Okoro.) ", "", Mark.CORRECTION),
        ("This story has been corrected. ", "", Mark.CORRECTION),
        ("", "\n\nThis story has been corrected to show that it was a Friday.", Mark.CORRECTION),
        ("", "\n\nThis report was updated at 7:25 a.m.", Mark.UPDATE),
        ("", "\n\nAn earlier version of this article misstated the day.", Mark.CORRECTION),
        ("", "", None),
        ("Adds the mayor: it cannot stay so. ", "", None),
        ("", "\n\nThis story is not over. The timetable was updated.", None),
    ],
)
def test_first_and_last_words_say_what_an_article_is(
    before: str, after: str, mark: Mark | None
) -> None:
    assert mark_of("Harbour reopens", f"{before}{TEXT}{after}") is mark


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        pytest.param(
            Piece("UPDATE 1-Harbour reopens after the storm", TEXT + MORE, at="2025-03-14T19:40"),
            Piece(),
            id="an update of what had no mark",
        ),
        pytest.param(
            Piece("UPDATE 2-Harbour reopens after the storm", at="2025-03-14"),
            Piece("UPDATE 1-Harbour reopens after the storm", at="2025-03-14"),
            id="the higher number, of one day",
        ),
        pytest.param(
            Piece("UPDATE 2-Harbour reopens after the storm", at="2025-03-14T19:12"),
            Piece("UPDATE 1-Harbour reopens after the storm", at="2025-03-14T20:00"),
            id="the higher number, though dated before",
        ),
        pytest.param(
            Piece("CORRECTED-Harbour reopens after the storm", at=""),
            Piece(at=""),
            id="no dates",
        ),
        pytest.param(
            Piece("UPDATE 1-Ferries to sail again at dawn", TEXT + MORE, at="2025-03-15"),
            Piece(at="2025-03-14"),
            id="another headline, the same text and more",
        ),
        pytest.param(
            Piece("UPDATE 1-Harbour reopens after the storm", MORE * 2, at="2025-03-14T21:00"),
            Piece(text="Northport harbour has opened again, the harbour master says."),
            id="a new text under the same headline, on the same day",
        ),
        pytest.param(
            Piece(text=TEXT + MORE, at="2025-03-14T23:00"),
            Piece("UPDATE 1-Harbour reopens after the storm", at="2025-03-14T20:00"),
            id="without a mark, after one with it",
        ),
        pytest.param(
            Piece("CORRECTED: harbour REOPENS after the storm", outlet="", at="2025-03-15"),
            Piece(outlet="", at="2025-03-14"),
            id="both of an unknown outlet",
        ),
    ],
)
def test_a_later_version_supersedes_the_earlier_and_never_the_other_way(
    later: Piece, earlier: Piece
) -> None:
    assert supersedes(later, earlier)
    assert not supersedes(earlier, later)


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        pytest.param(Piece(at="2025-03-15"), Piece(at="2025-03-14"), id="no mark"),
        pytest.param(
            Piece("UPDATE 1-Harbour reopens after the storm", outlet="The Islander"),
            Piece(),
            id="another outlet",
        ),
        pytest.param(
            Piece("UPDATE 1-Harbour reopens after the storm", at="2025-03-18"),
            Piece(at="2025-03-14"),
            id="four days later",
        ),
        pytest.param(
            Piece("UPDATE 1-Harbour reopens after the storm", MORE * 2, at="2025-03-15"),
            Piece(at="2025-03-14"),
            id="a new text, on another day",
        ),
        pytest.param(
            Piece("UPDATE 1-Election results", MORE * 2), Piece("Election results"), id="two words"
        ),
        pytest.param(
            Piece("UPDATE 1-Council votes on trams", MORE * 2), Piece(), id="another piece"
        ),
        pytest.param(
            Piece("UPDATE 1-Harbour reopens after the storm"),
            Piece("UPDATE 1-Harbour reopens after the storm"),
            id="the same twice",
        ),
    ],
)
def test_other_articles_supersede_neither_way(later: Piece, earlier: Piece) -> None:
    assert not supersedes(later, earlier)
    assert not supersedes(earlier, later)


def test_days_apart_are_known_only_between_days() -> None:
    assert days_apart(Published("2025-03-14T23:59"), Published("2025-03-15")) == 1
    assert days_apart(Published("2025-03"), Published("2025-03-15")) is None
    assert days_apart(Published("2025-03-14"), None) is None
