"""Headline, date line and byline are found in the first lines."""

import pytest

from index.article import Published
from index.head import Head, is_byline, plain_byline, read_head

LEAD = (
    "The ferry sailed at dawn with two hundred passengers on board, for the first time since the "
    "storm closed the harbour nine days ago."
)


def head(*lines: str, headline: str = "", pasted: bool = True) -> Head:
    return read_head([*lines, LEAD], headline=headline, pasted=pasted)


def test_headline_date_line_and_byline_of_pasted_text() -> None:
    found = head("Harbour reopens", "By Jane Doe", "21 January 2022, 07:12 PM")
    assert found.headline == "Harbour reopens"
    assert found.byline == "Jane Doe"
    assert found.published == Published("2022-01-21T19:12")
    assert found.lines == {0, 1, 2}


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("By JANE DOE, Staff Writer", "JANE DOE, Staff Writer"),
        ("by Jane Doe and J.R. Stone", "Jane Doe and J.R. Stone"),
        ("Written by Jane Doe", "Jane Doe"),
        ("Por Inés Carrasco Velde", "Inés Carrasco Velde"),
        ("By Anne-Marie O’Neill", "Anne-Marie O’Neill"),
        ("Jane Doe | Reuters", "Jane Doe, Reuters"),
        ("Jane Doe, Reuters", "Jane Doe, Reuters"),
        ("By Ana de la Cruz, Political Editor", "Ana de la Cruz, Political Editor"),
    ],
)
def test_forms_of_a_byline(line: str, byline: str) -> None:
    found = head("Harbour reopens", line)
    assert found.byline == byline
    assert found.lines == {0, 1}


@pytest.mark.parametrize(
    "line",
    [
        "By any measure, the storm was the worst in a decade",
        "By dawn the ferry had gone",
        "From the quay the crowd waved",
        "Jane Doe",  # a name alone may be a cross-heading
        "What the council wants",
    ],
)
def test_a_line_that_is_no_byline_stays(line: str) -> None:
    assert head("Harbour reopens", line).lines == {0}


@pytest.mark.parametrize(
    "line",
    [
        "Jane Doe | 21 January 2022 | 5 min read",
        "By Jane Doe January 21, 2022",
        "Jane Doe · 2022-01-21",
    ],
)
def test_a_byline_and_a_date_on_one_line(line: str) -> None:
    found = head("Harbour reopens", line)
    assert found.byline == "Jane Doe"
    assert found.published == Published("2022-01-21")


def test_a_name_beside_a_date_line_or_an_address_is_a_byline() -> None:
    assert head("Harbour reopens", "Jane Doe", "January 21, 2022").byline == "Jane Doe"
    found = head("Harbour reopens", "JANE DOE", "jane.doe@courier.example")
    assert found.byline == "JANE DOE"
    assert found.lines == {0, 1, 2}


def test_a_role_below_a_byline_goes() -> None:
    assert head("Harbour reopens", "By Jane Doe", "Staff Writer").lines == {0, 1, 2}
    assert head("Harbour reopens", "Staff Writer").lines == {0}


def test_an_outlet_beside_a_date_line_is_no_byline() -> None:
    found = head("Harbour reopens", "The Northport Times", "January 21, 2022")
    assert (found.byline, found.lines) == ("", {0, 1, 2})


def test_the_publication_counts_before_the_update() -> None:
    found = head("Harbour reopens", "Updated: 22 January 2022", "Published: 21 January 2022")
    assert found.published == Published("2022-01-21")


def test_an_update_counts_when_nothing_else_is_said() -> None:
    assert head("Harbour reopens", "Updated 22 January 2022").published == Published("2022-01-22")


def test_an_unknown_date_stays_unknown() -> None:
    assert head("Harbour reopens").published is None


def test_a_long_first_sentence_is_no_headline() -> None:
    found = head("The harbour of Northport opened again on Friday, nine days after the storm.")
    assert found.headline == ""
    assert found.lines == set()


def test_a_dateline_is_no_headline() -> None:
    assert head("GENEVA, Jan. 21 – The ferry sailed").headline == ""


def test_an_upper_case_headline_and_a_question_are_headlines() -> None:
    assert head("HARBOUR REOPENS").headline == "HARBOUR REOPENS"
    assert head("Will the harbour open?").headline == "Will the harbour open?"


def test_a_section_above_the_headline_is_the_section() -> None:
    found = head("World", "Harbour reopens")
    assert (found.section, found.headline) == ("World", "Harbour reopens")


def test_promo_lines_above_the_headline_are_passed_over() -> None:
    assert head("Skip to content", "X", "Harbour reopens").headline == "Harbour reopens"


def test_a_deck_stays_in_the_text_and_the_date_below_it_is_found() -> None:
    found = head("Harbour reopens", "First ferry sails for the islands", "21 January 2022")
    assert found.lines == {0, 2}


def test_a_stated_headline_that_is_repeated_goes() -> None:
    found = head("HARBOUR REOPENS", headline="Harbour reopens", pasted=False)
    assert found.lines == {0}
    assert found.headline == "Harbour reopens"


def test_of_a_record_no_line_becomes_the_headline() -> None:
    found = head("First ferry sails for the islands", pasted=False)
    assert (found.headline, found.lines) == ("", set())


def test_a_date_line_deep_in_the_report_is_not_taken() -> None:
    found = read_head(
        ["Harbour reopens", LEAD * 2, "21 January 2022", LEAD], headline="", pasted=True
    )
    assert found.published is None


@pytest.mark.parametrize(
    "text", ["By Jane Doe", "by: Jane Doe", "BY Jane Doe", "Jane Doe", "Story by Jane Doe"]
)
def test_a_byline_is_kept_without_by(text: str) -> None:
    assert plain_byline(text) == "Jane Doe"


def test_a_name_that_begins_with_by_keeps_it() -> None:
    assert plain_byline("Byron Bay Staff") == "Byron Bay Staff"


def test_a_byline_in_the_middle_is_known() -> None:
    assert is_byline("Analysis by Jane Doe, BBC News, Washington")
    assert not is_byline("By Friday the ferry had sailed.")
