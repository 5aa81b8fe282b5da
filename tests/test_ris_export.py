"""RIS, as rispy reads it."""

import rispy
from exports import BASE_URL, export_of, hit, hits, provenance_of
from hypothesis import given

from search.exports.ris_export import ris_records
from search.result_set import Damaged, Export, Hit


def read(export: Export) -> list[dict[str, object]]:
    text = "".join(ris_records(export, provenance_of(export), BASE_URL))
    return list(rispy.loads(text))


@given(hits())
def test_there_is_a_record_for_each_place_whatever_the_texts(
    given_hits: list[Hit | Damaged],
) -> None:
    records = read(export_of(given_hits, len(given_hits)))
    assert [record["accession_number"] for record in records] == [
        each.passage_id if isinstance(each, Hit) else f"omitted-{each.rank}" for each in given_hits
    ]


def test_each_record_says_what_was_asked_and_its_place() -> None:
    export = export_of([hit(1), hit(2)], 2)
    for rank, record in enumerate(read(export), 1):
        assert provenance_of(export).note(rank) in record["notes"]  # type: ignore[operator]
        assert record["abstract"] == "The ferry sails at dawn."


def test_a_damaged_row_has_a_record_that_says_so() -> None:
    [record] = read(export_of([Damaged(1)], 1))
    assert record["title"] == "[Left out: the stored row is damaged]"
    assert "abstract" not in record


def test_nothing_found_is_no_record() -> None:
    assert read(export_of([], 0)) == []
