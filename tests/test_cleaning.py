"""What is left of a body is the report, and leads back to the body."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import Origin, Published, SourceRecord
from index.cleaning import Cleaned, clean
from index.promo_lines import LABELS
from index.recurring import line_hash, line_hashes

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).parents[1] / "../shared/data"))
HERE = Origin("article.txt", 1)
LEAD = (
    "The ferry sailed at dawn with two hundred passengers on board, for the first time since the "
    "storm closed the harbour nine days ago."
)
QUOTE = "“Follow us on Twitter for the times of sailing,” harbour master Ines Okoro told them."
LAST = "Divers will look at the outer mole on Monday."


def pasted(*lines: str) -> Cleaned:
    return clean(SourceRecord(HERE, b"", "\n".join(lines), pasted=True))


def paragraphs(cleaned: Cleaned) -> list[str]:
    return cleaned.text.split("\n\n")


PASTED = f"""\
Skip to content
Home > News > Islands
Harbour reopens after the storm
By JANE DOE, Staff Writer
Published: March 3, 2019 at 5:04 pm
5 min read
Share Tweet Print Email
Photo: Reuters

{LEAD}

ADVERTISEMENT - CONTINUE READING BELOW

{QUOTE}

Read more: Ferry fares rise

{LAST}

Sign up for our newsletter
© 2019 The Courier. All rights reserved.
Most read
Ferry fares rise
Museum shows lost map
X
"""


def test_a_pasted_page_comes_out_as_its_report() -> None:
    cleaned = pasted(PASTED)
    assert cleaned.headline == "Harbour reopens after the storm"
    assert cleaned.byline == "JANE DOE, Staff Writer"
    assert cleaned.published == Published("2019-03-03T17:04")
    assert paragraphs(cleaned) == [LEAD, QUOTE, LAST]


def test_the_same_page_with_one_paragraph_a_line_comes_out_the_same() -> None:
    assert pasted(PASTED.replace("\n\n", "\n")).text == pasted(PASTED).text


def test_the_same_page_with_windows_line_ends_comes_out_the_same() -> None:
    assert pasted(PASTED.replace("\n", "\r\n")).text == pasted(PASTED).text


def test_a_dateline_is_part_of_the_report() -> None:
    cleaned = pasted("Ministers meet", "", "GENEVA, Jan. 21 – " + LEAD)
    assert cleaned.headline == "Ministers meet"
    assert cleaned.text == "GENEVA, Jan. 21 – " + LEAD


def test_a_text_without_a_headline_keeps_its_first_sentence() -> None:
    cleaned = pasted(LEAD, "", LAST)
    assert cleaned.headline == ""
    assert paragraphs(cleaned) == [LEAD, LAST]


def test_one_line_alone_is_text_and_no_headline() -> None:
    cleaned = pasted("Harbour reopens")
    assert (cleaned.headline, cleaned.text) == ("", "Harbour reopens")


def test_a_headline_above_nothing_but_a_date_is_the_text() -> None:
    cleaned = pasted("Harbour reopens", "21 January 2022")
    assert cleaned.text == "Harbour reopens"
    assert cleaned.published == Published("2022-01-21")


def test_a_page_of_promo_lines_has_no_text() -> None:
    assert pasted("Share", "Advertisement", "Read more: Ferry fares rise").text == ""


def test_an_unknown_date_stays_unknown() -> None:
    assert pasted("Harbour reopens", "", LEAD).published is None


def record(body: str, **stated: str) -> SourceRecord:
    return SourceRecord(HERE, b"", body, **stated)  # type: ignore[arg-type]


def test_a_record_s_body_loses_its_repeated_headline_date_and_byline() -> None:
    body = f"HARBOUR REOPENS\n\nBy Jane Doe\n\n3 March 2019\n\n{LEAD}"
    cleaned = clean(record(body, headline="Harbour reopens"))
    assert cleaned.text == LEAD
    assert (cleaned.byline, cleaned.published) == ("Jane Doe", Published("2019-03-03"))


def test_what_a_record_states_wins_over_its_first_lines() -> None:
    source = SourceRecord(
        HERE,
        b"",
        f"By Jane Doe\n\n3 March 2019\n\n{LEAD}",
        byline="J. Roe",
        published=Published("2020"),
    )
    cleaned = clean(source)
    assert cleaned.text == LEAD
    assert (cleaned.byline, cleaned.published) == ("J. Roe", Published("2020"))


def test_promo_lines_are_dropped_from_records_too() -> None:
    assert clean(record(f"{LEAD}\n\nAdvertisement\n\n{LAST}")).text == f"{LEAD}\n\n{LAST}"


def test_a_record_without_a_headline_gets_none_from_its_body() -> None:
    assert clean(record(f"First ferry sails\n\n{LEAD}")).headline == ""


def test_a_recurring_line_is_dropped() -> None:
    promo = "The Courier is a nonprofit newsroom that looks into abuses of power."
    recurring = line_hashes(promo)
    assert clean(record(f"{LEAD}\n\n{promo}"), recurring).text == LEAD
    assert clean(record(f"{LEAD}\n\n{promo}")).text == f"{LEAD}\n\n{promo}"


def test_a_text_of_recurring_lines_alone_is_kept_as_it_was() -> None:
    body = "Thunder showers are expected.\n\nWinds are light."
    assert clean(record(body), line_hashes(body)).text == body


def test_a_recurring_line_that_was_broken_at_a_width_is_dropped() -> None:
    promo = (
        "The Courier is a nonprofit newsroom that looks into the abuses\n"
        "of power on the islands and on the mainland, and it is paid for\n"
        "by its readers and by nobody else, which is why its pages are so\n"
        "few."
    )
    hashed = line_hash(promo.replace("\n", " "))
    assert hashed
    assert clean(record(f"{LEAD}\n\n{promo}"), {hashed}).text == LEAD


BODIES = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.sampled_from([LEAD, QUOTE, LAST, *sorted(LABELS)[::40]]),
        st.sampled_from(
            ["", "By Jane Doe", "21 January 2022", "a\x00b\ud800c\xad", "\u2028x\t  y"]
        ),
    ),
    max_size=12,
).map("\n".join)


@given(BODIES, st.booleans(), st.sampled_from(["", "Harbour reopens"]))
def test_runs_lead_from_the_text_back_to_the_body(
    body: str, is_pasted: bool, headline: str
) -> None:
    cleaned = clean(SourceRecord(HERE, b"", body, headline=headline, pasted=is_pasted))
    covered = [False] * len(cleaned.text)
    before = 0
    for run in cleaned.runs:
        assert run.body_start >= before
        before = run.body_start + run.length
        piece = cleaned.text[run.start : run.start + run.length]
        assert piece == body[run.body_start : before]
        assert not any(covered[run.start : run.start + run.length])
        covered[run.start : run.start + run.length] = [True] * run.length
    assert {
        character
        for character, is_covered in zip(cleaned.text, covered, strict=True)
        if not is_covered
    } <= {" ", "\n"}


@given(BODIES, st.booleans())
def test_text_is_storable_paragraphs(body: str, is_pasted: bool) -> None:
    text = clean(SourceRecord(HERE, b"", body, pasted=is_pasted)).text
    text.encode("utf-8")
    assert text == "\n\n".join(text.split("\n\n"))
    for paragraph in text.split("\n\n") if text else []:
        assert paragraph == " ".join(paragraph.split())
        assert paragraph.isprintable() or not any(map("\x00\x07\x1b\xad\ud800".count, paragraph))


@given(BODIES)
def test_sentences_of_a_report_survive_any_surroundings(body: str) -> None:
    text = pasted(body, "", LEAD, "", QUOTE, "", LAST).text
    assert LEAD in text
    assert QUOTE in text
    assert LAST in text


@pytest.mark.parametrize("line", ["word " * 2_000_000, "w" * 10_000_000, "ab,\n" * 100_000])
def test_time_is_linear_in_the_text(line: str) -> None:
    began = time.process_time()
    assert pasted(line).text
    assert time.process_time() - began < 20


@pytest.mark.skipif(
    not (DATA / "seed-article.txt").exists(), reason="set NUTGRAF_DATA to the folder of test data"
)
def test_the_seed_article_comes_out_whole_and_without_promos() -> None:
    body = (DATA / "seed-article.txt").read_text("utf-8")
    cleaned = pasted(body)
    assert cleaned.headline == "US Secretary of State warns Russia’s Lavrov of Western sanctions"
    assert cleaned.published == Published("2022-01-21T19:12")
    assert cleaned.published.zone is None
    report = body[body.index("Washington is open") : body.index("Follow us on Twitter")]
    assert paragraphs(cleaned) == [
        paragraph for paragraph in report.strip().split("\n\n") if paragraph != "Video of day"
    ]
    assert len(paragraphs(cleaned)) == 13


def test_a_picture_with_what_it_shows_is_an_article_of_its_own_and_a_caption_beside_a_report() -> (
    None
):
    caption = (
        "Divers searched the outer mole of Northport on Friday for debris. (Image credit: Ada Onn)"
    )
    report = "The harbour opened again on Saturday, nine days after the storm had closed it."
    alone, beside = (
        clean(SourceRecord(Origin("a.jsonl", 1), b"", body))
        for body in (caption, f"{report}\n\n{caption}")
    )
    assert alone.text == caption
    assert beside.text == report
