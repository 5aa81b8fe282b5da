"""CSV: what a spreadsheet reads, and what gives every text back."""

import csv
import io

from exports import BASE_URL, copies, export_of, hit, hits, provenance_of
from hypothesis import given

from search.exports.csv_cells import original
from search.exports.csv_export import csv_rows
from search.exports.export_row import COLUMNS
from search.filters import Filters
from search.result_set import Damaged, Export, Hit


def written(export: Export, base_url: str = BASE_URL) -> str:
    return "".join(csv_rows(export, provenance_of(export), base_url))


def read(text: str) -> list[dict[str, str]]:
    """As the standard library reads it from a file of `utf-8-sig`."""
    return list(csv.DictReader(io.StringIO(text.encode().decode("utf-8-sig"), newline="")))


@given(hits())
def test_every_text_comes_back_and_there_is_a_row_for_each_place(
    given_hits: list[Hit | Damaged],
) -> None:
    rows = read(written(export_of(given_hits, len(given_hits))))
    assert [int(row["rank"]) for row in rows] == [each.rank for each in given_hits]
    for row, each in zip(rows, given_hits, strict=True):
        if isinstance(each, Damaged):
            assert row["omitted"] == "the stored row is damaged"
            assert row["passage_id"] == row["quote"] == row["start"] == ""
            continue
        texts = (each.text, each.headline, each.byline, each.outlet, each.section)
        columns = ("quote", "headline", "byline", "outlet", "section")
        assert tuple(original(row[column]) for column in columns) == texts
        assert (int(row["start"]), int(row["end"])) == (each.start, each.end)
        assert float(row["score"]) == each.score


def test_a_row_says_what_is_known_and_leaves_empty_what_is_not() -> None:
    [row] = read(written(export_of([hit(1, copies=copies(3))], 1)))
    assert row["published"] == "2025-03-14T19:12"
    assert row["archive_url"] == f"{BASE_URL}articles/harbour-1#harbour-1-0f6b2c9d1e5a"
    assert (row["probability"], row["dense"], row["lexical"]) == ("0.91", "0.655", "")
    assert (row["passages"], row["copies"], row["story"], row["omitted"]) == ("2", "3", "", "")
    assert read(written(export_of([hit(1)], 1), base_url=""))[0]["archive_url"] == ""


def test_the_last_columns_say_what_was_asked_and_when() -> None:
    filters = Filters.parse(outlet=["The Islander"], published_from="2025-03-10")
    [row] = read(written(export_of([hit(1)], 1, query="-tram ferry", filters=filters)))
    assert list(row)[: len(COLUMNS)] == list(COLUMNS)
    assert dict(list(row.items())[len(COLUMNS) :]) == {
        "query": "'-tram ferry",
        "mode": "plain",
        "sort": "relevance",
        "effort": "quick",
        "group": "report",
        "filters": "outlet=The+Islander&from=2025-03-10",
        "as_of": "",
        "snapshot": "42.7.412",
        "total": "1",
        "exported_at": "2025-03-15T08:30:00Z",
    }


def test_no_cell_begins_like_a_formula_and_numbers_are_numbers() -> None:
    text = written(export_of([hit(1, "=HYPERLINK(1)", headline="@SUM(A1)", score=-0.5)], 1))
    [row] = read(text)
    assert (row["quote"], row["headline"], row["score"]) == ("'=HYPERLINK(1)", "'@SUM(A1)", "-0.5")


def test_lines_end_as_rfc_4180_says_and_a_byte_order_mark_comes_first() -> None:
    text = written(export_of([], 0))
    assert text.startswith("\ufeffrank,passage_id,")
    assert text.endswith(",exported_at\r\n")
    assert text.count("\n") == 1
