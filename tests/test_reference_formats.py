import json

import pytest
import rispy
from citations import harbour
from pybtex.database import parse_string

from search.references.reference_formats import Format, references
from search.references.reference_styles import Style, formatted

CITED = [harbour(), harbour(passage_id=None, quote="", end=0), harbour()]


@pytest.mark.parametrize(
    ("format", "media_type", "suffix"),
    [
        ("ris", "application/x-research-info-systems", ".ris"),
        ("bibtex", "application/x-bibtex", ".bib"),
        ("csl-json", "application/vnd.citationstyles.csl+json", ".json"),
        *((style.value, "text/plain", ".txt") for style in Style),
    ],
)
def test_each_has_a_media_type_and_a_suffix(format: str, media_type: str, suffix: str) -> None:
    assert (Format(format).media_type, Format(format).suffix) == (media_type, suffix)


def test_every_format_is_named_above() -> None:
    assert {format.value for format in Format} == {"ris", "bibtex", "csl-json", *Style}


def test_each_file_has_a_reference_for_each_citation_in_order() -> None:
    ids = [citation.id for citation in CITED]
    assert [each["id"] for each in rispy.loads(references(CITED, Format.RIS))] == ids
    assert [each["id"] for each in json.loads(references(CITED, Format.CSL_JSON))] == ids
    keys = list(parse_string(references(CITED, Format.BIBTEX), "bibtex").entries)
    assert keys[2] == f"{keys[0]}-2"  # the same again has a key of its own
    assert references(CITED, Format.APA).splitlines() == [
        formatted(citation, Style.APA) for citation in CITED
    ]


@pytest.mark.parametrize("format", [Format.RIS, Format.BIBTEX, Format.CSL_JSON])
def test_notes_go_with_each(format: Format) -> None:
    assert references(CITED, format, ["Check with Ana."]).count("Check with Ana.") == len(CITED)


def test_no_citations_are_a_file_without_any() -> None:
    assert [references([], format) for format in (Format.RIS, Format.BIBTEX, Format.APA)] == [
        "", "", "",
    ]  # fmt: skip
    assert json.loads(references([], Format.CSL_JSON)) == []
