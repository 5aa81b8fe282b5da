"""Parquet: typed columns, row groups, and the provenance as metadata."""

import io
import json
import sys

import pytest
from exports import BASE_URL, export_of, hit, hits, provenance_of
from hypothesis import given, settings
from pyarrow import parquet

from index.errors import NotInstalledError
from search.exports.export_row import COLUMNS, row
from search.exports.parquet_export import ROWS_AT_A_TIME, parquet_file
from search.filters import Filters
from search.result_set import Damaged, Export, Hit


def written(export: Export) -> io.BytesIO:
    return io.BytesIO(b"".join(parquet_file(export, provenance_of(export), BASE_URL)))


@settings(max_examples=30, deadline=None)
@given(hits())
def test_every_cell_comes_back_and_there_is_a_row_for_each_place(
    given_hits: list[Hit | Damaged],
) -> None:
    table = parquet.read_table(written(export_of(given_hits, len(given_hits))))
    assert table.column_names == list(COLUMNS)
    assert table.to_pylist() == [row(each, BASE_URL) for each in given_hits]


def test_the_metadata_says_what_was_asked_and_when_even_if_nothing_is_found() -> None:
    filters = Filters.parse(outlet=["Le Phare, Été"])
    export = export_of([], 0, query='"ferry" {x}', filters=filters)
    metadata = parquet.read_schema(written(export)).metadata
    assert json.loads(metadata[b"nutgraf"]) == provenance_of(export).fields()


def test_rows_are_written_some_at_a_time() -> None:
    count = 2 * ROWS_AT_A_TIME + 1
    export = export_of((hit(rank) for rank in range(1, count + 1)), count)
    file = parquet.ParquetFile(written(export))
    groups = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert groups == [ROWS_AT_A_TIME, ROWS_AT_A_TIME, 1]


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NotInstalledError, match=r"pip install 'nutgraf\[parquet\]'"):
        written(export_of([], 0))
