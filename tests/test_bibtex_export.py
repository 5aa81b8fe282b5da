"""BibTeX, as pybtex reads it."""

import json

from exports import BASE_URL, export_of, hit, hits, provenance_of, texts
from hypothesis import given, settings
from pybtex.database import BibliographyData, parse_string

from search.exports.bibtex_export import bibtex_entries
from search.filters import Filters
from search.result_set import Damaged, Export, Hit


def written(export: Export) -> str:
    return "".join(bibtex_entries(export, provenance_of(export), BASE_URL))


def read(export: Export) -> BibliographyData:
    return parse_string(written(export), "bibtex")


@settings(deadline=None)
@given(hits())
def test_there_is_an_entry_for_each_place_whatever_the_texts(
    given_hits: list[Hit | Damaged],
) -> None:
    entries = read(export_of(given_hits, len(given_hits))).entries
    assert len(entries) == len(given_hits)
    for each, entry in zip(given_hits, entries.values(), strict=True):
        id = each.passage_id if isinstance(each, Hit) else f"omitted-{each.rank}"
        assert id in entry.fields["annote"]


@given(texts)
def test_the_comment_is_json_and_holds_nothing_that_bibtex_reads(query: str) -> None:
    export = export_of([], 0, query=query, filters=Filters.parse(outlet=["@a{b}"]))
    comment = written(export)
    assert comment.startswith("@comment{")
    assert json.loads(comment.removeprefix("@comment")) == provenance_of(export).fields()
    assert comment.count("@") == comment.count("{") == comment.count("}") == 1
    assert not read(export).entries


def test_each_entry_says_what_was_asked_and_its_place() -> None:
    entries = read(export_of([hit(1), hit(2)], 2)).entries
    for rank, entry in enumerate(entries.values(), 1):
        assert f"Hit {rank} of 2 for “ferry” in Nutgraf" in entry.fields["annote"]
        assert "note" not in entry.fields  # bibliographies print it


def test_a_damaged_row_has_an_entry_that_says_so() -> None:
    [entry] = read(export_of([Damaged(7)], 1)).entries.values()
    assert entry.fields["title"] == "{[Left out: the stored row is damaged]}"
