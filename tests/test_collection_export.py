"""A collection in every format, as independent readers find it."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace

import pybtex.database
import pytest
import rispy
from test_collections import FERRY, WHOLE

from index.collections import Collection, Mark, Marked
from search.desk.collection import Standing, StandingMark, WholeCollection
from search.desk.collection_export import MEDIA_TYPES, SUFFIXES, CollectionFormat, exported
from search.exports.csv_cells import original
from search.references.cite import Status

UNCHANGED = Standing(Status.UNCHANGED, 118, 123)
BASE = "https://archive.example/"
FORMULA = replace(FERRY, quote="=1+1", start=200, end=204)


def collected(*marked: Marked, note: str = "", standing: Standing = UNCHANGED) -> WholeCollection:
    marks = [
        StandingMark(Mark(number, each, note, 86_400), standing)
        for number, each in enumerate(marked, 1)
    ]
    return WholeCollection(Collection("c00000001", "Harbour", 0), tuple(marks), 0)


def read_ris(text: str) -> Sequence[dict[str, object]]:
    records: Sequence[dict[str, object]] = rispy.loads(text)
    return records


def test_every_format_has_a_media_type_and_a_suffix() -> None:
    for format in CollectionFormat:
        assert MEDIA_TYPES[format]
        assert SUFFIXES[format]
        assert exported(collected(FERRY), format)


def test_an_empty_collection_is_an_empty_document() -> None:
    empty = collected()
    for format in (CollectionFormat.RIS, CollectionFormat.BIBTEX, CollectionFormat.APA):
        assert exported(empty, format) == ""
    assert json.loads(exported(empty, CollectionFormat.CSL_JSON)) == []
    assert json.loads(exported(empty, CollectionFormat.JSON))["marks"] == []
    assert len(exported(empty, CollectionFormat.CSV).splitlines()) == 1


def test_ris_has_a_record_for_each_mark_with_its_note() -> None:
    text = exported(collected(FERRY, WHOLE, note="Ask\nER  - again"), CollectionFormat.RIS, BASE)
    first, second = read_ris(text)
    assert first["abstract"] == "ferry"
    assert first["accession_number"] == FERRY.passage_id
    assert second["accession_number"] == WHOLE.article_id
    for record in (first, second):
        assert any("Ask" in str(note) for note in record["notes"])  # type: ignore[attr-defined]


def test_bibtex_keys_and_csl_ids_are_told_apart() -> None:
    whole = collected(FERRY, replace(FERRY, start=130, end=135), FERRY, WHOLE)
    entries = pybtex.database.parse_string(exported(whole, CollectionFormat.BIBTEX), "bibtex")
    assert len(entries.entries) == 4
    items = json.loads(exported(whole, CollectionFormat.CSL_JSON))
    ids = [item["id"] for item in items]
    assert ids[0] == FERRY.passage_id
    assert len(set(ids)) == 4
    assert {item["custom"]["quote"] for item in items} == {"ferry", ""}


def test_csv_shows_a_formula_and_gives_it_back() -> None:
    note = '-2+3\r\n“two” lines, "quoted"'
    text = exported(collected(FORMULA, note=note), CollectionFormat.CSV, BASE)
    [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert row["quote"] == "'=1+1"
    assert original(row["quote"]) == FORMULA.quote
    assert original(row["note"]) == note
    assert (row["number"], row["status"], row["start"]) == ("1", "unchanged", "118")
    assert row["marked_at"] == "1970-01-02T00:00:00Z"
    assert row["archive_url"].startswith(f"{BASE}articles/harbour-041?start=118&end=123#")
    assert row["published"] == "2025-03"


@pytest.mark.parametrize("format", ["apa", "iso690", "chicago", "mla"])
def test_a_style_gives_a_reference_once_and_under_it_what_is_quoted(format: str) -> None:
    other = replace(FERRY, headline="Trams", quote="“tram”", end=124, url="")
    article = replace(WHOLE, published=FERRY.published)
    whole = collected(FERRY, other, replace(FERRY, quote="boats"), article, note="Ask.")
    later = replace(whole.marks[2], mark=replace(whole.marks[2].mark, marked_s=2 * 86_400))
    whole = replace(whole, marks=(*whole.marks[:2], later, whole.marks[3]))
    text = exported(whole, CollectionFormat(format))
    blocks = text.split("\n\n")
    assert len(blocks) == 2
    lines = blocks[0].splitlines()
    assert "Harbour <b>reopens</b>" in lines[0]
    assert lines[1:] == [
        "    ferry",
        "    Note: Ask.",
        "    boats",
        "    Note: Ask.",
        "    Note: Ask.",
    ]
    assert blocks[1].splitlines()[1] == "    “tram”"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.EDITED, "Edited since it was marked on 2 January 1970."),
        (
            Status.WITHDRAWN,
            "The archive does not have the article; cited as it was on 2 January 1970.",
        ),
    ],
)
def test_a_note_says_what_became_of_an_article(status: Status, said: str) -> None:
    whole = collected(FERRY, standing=Standing(status))
    for format in (
        CollectionFormat.RIS,
        CollectionFormat.BIBTEX,
        CollectionFormat.CSL_JSON,
        CollectionFormat.APA,
    ):
        assert said in exported(whole, format)
    [row] = csv.DictReader(io.StringIO(exported(whole, CollectionFormat.CSV), newline=""))
    assert row["status"] == status.value
