import re

import pytest
import rispy
from citations import article_texts, citations, harbour, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Published
from search.references.citation import Citation
from search.references.ris import record


def read(text: str) -> dict[str, object]:
    (reference,) = rispy.loads(text)
    return reference


def test_a_record_of_a_passage() -> None:
    assert record(harbour(), ["Check with Ana.", "Second edition"]).split("\r\n") == [
        "TY  - NEWS",
        "AU  - Lindqvist, Tomas",
        "TI  - Harbour reopens after the storm",
        "T2  - Northport Courier",
        "PY  - 2025",
        "DA  - 2025/03/14/",
        "SE  - Local",
        "LA  - en",
        "UR  - https://courier.example/2025/03/harbour?from=front&id=41",
        "L2  - http://archive.example/articles/harbour-041#harbour-041-0123456789ab",
        "Y2  - 2025/06/01/",
        "DB  - Nutgraf",
        "AN  - harbour-041-0123456789ab",
        "ID  - harbour-041-0123456789ab",
        f"AB  - {harbour().quote}",
        "N1  - article harbour-041#char=0,78, passage harbour-041-0123456789ab",
        "N1  - Check with Ana.",
        "N1  - Second edition",
        "ER  - ",
        "",
    ]


def test_what_is_not_known_has_no_line() -> None:
    bare = harbour(
        passage_id=None,
        headline="",
        outlet="",
        byline="",
        section="",
        language="",
        published=None,
        url="",
        quote="",
        end=0,
        archive_url="",
    )
    assert [line[:2] for line in record(bare).splitlines()] == [
        "TY", "Y2", "DB", "AN", "ID", "N1", "ER",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("iso", "date"),
    [("1963", "1963///"), ("2024-12", "2024/12//"), ("2025-03-14T19:12", "2025/03/14/")],
)
def test_the_date_is_as_precise_as_it_is_known(iso: str, date: str) -> None:
    assert read(record(harbour(published=Published(iso))))["date"] == date


def test_each_author_has_a_line_and_an_agency_is_not_turned_around() -> None:
    byline = "By Ana Duarte, Martin King Jr. and Associated Press"
    assert read(record(harbour(byline=byline)))["authors"] == [
        "Duarte, Ana",
        "King, Martin, Jr.",
        "Associated Press",
    ]


def test_a_semicolon_in_a_url_does_not_make_it_two() -> None:
    url = "https://courier.example/a;b"
    assert read(record(harbour(url=url)))["urls"] == ["https://courier.example/a%3Bb"]


@settings(deadline=None)
@given(citations(article_texts()))
def test_another_reader_gets_quote_id_and_span_as_they_were(citation: Citation) -> None:
    found = read(record(citation))
    assert str(found["abstract"]).replace(" ¶ ", "\n\n") == citation.quote
    assert found["accession_number"] == citation.id
    (locator,) = found["notes"]  # type: ignore[misc]
    span = re.match(r"article (\S+)#char=(\d+),(\d+)", locator)
    assert span
    assert span.groups() == (citation.article_id, str(citation.start), str(citation.end))


@settings(deadline=None)
@given(citations(texts()), st.lists(texts(), max_size=3))
def test_no_text_ends_a_record_or_begins_another(citation: Citation, notes: list[str]) -> None:
    text = record(citation, notes) * 2
    found = rispy.loads(text)
    assert len(found) == 2
    assert [line[:2] for line in text.splitlines()].count("ER") == 2
    for reference in found:
        assert len(reference["notes"]) == 1 + len(notes)
        assert "unknown_tag" not in reference
