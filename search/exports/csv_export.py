"""A result set as CSV, for spreadsheets.

As in RFC 4180, in UTF-8. A byte order mark comes first, without which Excel takes UTF-8 for an
older encoding (Python's `utf-8-sig` reads it). A text that a spreadsheet might take for a formula
has a quote mark before it, see `search.exports.csv_cells`, which tells how to take it away. Numbers
have none, and what is unknown is an empty cell.
"""

import csv
from collections.abc import Iterator

from search.exports.csv_cells import safe
from search.exports.export_row import COLUMNS, Cell, row
from search.exports.provenance import Provenance
from search.result_set import Export


def csv_rows(export: Export, provenance: Provenance, base_url: str) -> Iterator[str]:
    """The names of the columns, then `export.total` rows; the last columns are the provenance."""
    given = provenance.fields()
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield "\ufeff"
    yield writer.writerow([*COLUMNS, *given])
    stated = [_cell(value) for value in given.values()]
    for hit in export.hits:
        yield writer.writerow([*map(_cell, row(hit, base_url).values()), *stated])


def _cell(value: Cell) -> Cell:
    return safe(value) if isinstance(value, str) else value


class _Line:
    """Hands back what `csv` writes, so that each row is there at once and none is kept."""

    def write(self, text: str) -> str:
        return text
