import pytest

from search.coverage.credits import agency_of, credits_of, credits_outlet

BODY = "The harbour opened again on Friday.\nThe ferry sails at dawn on Saturday, the company said."


@pytest.mark.parametrize(
    ("byline", "text", "credited"),
    [
        ("Associated Press", BODY, {"Associated Press"}),
        ("Ines Okoro, AP", BODY, {"Associated Press"}),
        ("", f"NORTHPORT, March 14 (Reuters) - {BODY}", {"Reuters"}),
        ("", f"NORTHPORT (AP) — {BODY}", {"Associated Press"}),
        ("", f"{BODY} — AFP", {"AFP"}),
        ("", f"{BODY}\nAgence France-Presse", {"AFP"}),
        ("", f"{BODY} (Reuters)", {"Reuters"}),
        ("", f"{BODY}\nThe Associated Press contributed to this report.", {"Associated Press"}),
        ("", f"{BODY}\n© 2025 Reuters. All rights reserved.\nRead more", {"Reuters"}),
        ("", f"{BODY}\nWith Reuters and AFP", {"Reuters", "AFP"}),
    ],
)
def test_byline_dateline_and_last_lines_credit(byline: str, text: str, credited: set[str]) -> None:
    assert credits_of(byline, text) == credited


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Reuters",  # one line is the text, not its end
        "Reuters said that it would move.\nIts staff was told on Friday.",
        f"{BODY}\nThe chairman of the company that owns the ferry told the Associated Press so.",
        f"{BODY}\nA nap (in the AP class) was what the pupils wanted, the teacher of maths said.",
        f"{BODY}\nThe pupils took a nap.",
    ],
)
def test_what_a_report_only_speaks_of_it_does_not_credit(text: str) -> None:
    assert not credits_of("Tomas Lindqvist", text)


@pytest.mark.parametrize(
    ("outlet", "agency"),
    [
        ("Reuters", "Reuters"),
        ("Reuters UK", "Reuters"),
        ("www.reuters.com", "Reuters"),
        ("The Associated Press", "Associated Press"),
        ("apnews.com", "Associated Press"),
        ("AP News", "Associated Press"),
        ("Northport Courier", None),
        ("Apple Daily", None),
        ("", None),
    ],
)
def test_an_agency_goes_by_several_names(outlet: str, agency: str | None) -> None:
    assert agency_of(outlet) == agency


def test_an_outlet_that_is_no_agency_is_credited_by_its_name() -> None:
    assert credits_outlet("Coast Wire", BODY, "Coast Wire")
    assert credits_outlet(
        "", f"{BODY}\nThis report was first published by Coast Wire, originally.", "Coast Wire"
    )
    assert not credits_outlet("", BODY, "Coast Wire")
    assert not credits_outlet("", BODY, "")
