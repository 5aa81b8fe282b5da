"""A source record becomes an article with passages, or is refused with a reason."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import Origin, PreparedArticle, Published, SourceRecord, article_id
from index.errors import BadArticleError
from index.preparing import prepare
from index.recurring import line_hashes

HERE = Origin("feed.jsonl", 12)
LEAD = "The ferry sailed at dawn with two hundred passengers on board, the harbour master said."


def test_a_pasted_article_is_prepared_whole() -> None:
    record = SourceRecord(
        HERE,
        b"raw",
        f"Harbour reopens\nBy Jane Doe\n21 January 2022\n\n{LEAD}\n\nShare",
        pasted=True,
    )
    prepared = prepare(record)
    article = prepared.article
    assert (article.headline, article.byline, article.text) == ("Harbour reopens", "Jane Doe", LEAD)
    assert article.published == Published("2022-01-21")
    assert article.language == "en"
    assert article.id == article_id(record)
    assert [passage.text for passage in prepared.passages] == [LEAD]
    assert prepared.source is record


def test_stored_strings_are_on_one_line_and_normalised() -> None:
    record = SourceRecord(
        HERE,
        b"",
        LEAD,
        headline=" Harbour\n reopens\x00 ",
        outlet="Caf\u0065\u0301\tCourier",
        byline="By\u00a0 Jane\nDoe",
        section="World \u200b",
        url=" https://courier.example/1\n",
        guid="tag:\ud8001",
    )
    article = prepare(record).article
    assert article.headline == "Harbour reopens"
    assert article.outlet == "Caf\u00e9 Courier"
    assert article.byline == "Jane Doe"
    assert article.section == "World"
    assert article.url == "https://courier.example/1"
    assert article.guid == "tag:1"


def test_the_text_keeps_its_code_points() -> None:
    body = "The cafe\u0301 on the quay was open again on Friday."
    assert prepare(SourceRecord(HERE, b"", body)).article.text == body


def test_a_stated_language_wins_over_the_text() -> None:
    assert prepare(SourceRecord(HERE, b"", LEAD, language="de-AT")).article.language == "de"
    assert prepare(SourceRecord(HERE, b"", LEAD, language="?")).article.language == "en"


@pytest.mark.parametrize("body", ["", " \n\x00", "Advertisement\n\nShare"])
def test_a_record_without_a_report_is_refused_with_its_place(body: str) -> None:
    with pytest.raises(BadArticleError) as error:
        prepare(SourceRecord(HERE, b"", body, headline="Harbour reopens"))
    assert (error.value.path, error.value.line) == ("feed.jsonl", 12)
    assert error.value.reason
    assert error.value.advice


def test_recurring_lines_leave_the_passages() -> None:
    promo = "The Courier is a nonprofit newsroom on the islands."
    prepared = prepare(SourceRecord(HERE, b"", f"{LEAD}\n\n{promo}"), recurring=line_hashes(promo))
    assert all(promo not in passage.text for passage in prepared.passages)


@given(st.text(), st.text(max_size=40), st.text(max_size=40), st.text(max_size=20), st.booleans())
def test_any_record_gives_a_sound_article_or_a_reason(
    body: str, headline: str, byline: str, outlet: str, pasted: bool
) -> None:
    record = SourceRecord(
        HERE, b"", body, headline=headline, byline=byline, outlet=outlet, url=outlet, pasted=pasted
    )
    try:
        prepared = prepare(record)
    except BadArticleError:
        return
    _check(prepared)


def _check(prepared: PreparedArticle) -> None:
    article = prepared.article
    assert article.text.strip()
    article.text.encode("utf-8")
    for passage in prepared.passages:
        assert article.text[passage.start : passage.end] == passage.text
    for stored in (article.headline, article.byline, article.outlet, article.section, article.url):
        assert len(stored.splitlines()) <= 1
        assert stored == stored.strip() == unicodedata.normalize("NFC", stored)
        stored.encode("utf-8")
    for run in prepared.runs:
        piece = prepared.source.body[run.body_start : run.body_start + run.length]
        assert article.text[run.start : run.start + run.length] == piece


def test_a_flash_is_its_headline_and_a_row_of_asterisks() -> None:
    record = SourceRecord(Origin("wire.jsonl", 1), b"", "******", headline="BANK RAISES PRIME RATE")
    prepared = prepare(record)
    assert prepared.article.text == "BANK RAISES PRIME RATE"
    assert [passage.text for passage in prepared.passages] == ["BANK RAISES PRIME RATE"]
