"""The table of a batch as it travels: CSV for spreadsheets, or JSON Lines."""

import csv
import io
import json
from collections.abc import Sequence
from enum import StrEnum

from search.desk.batch import COLUMNS, Row
from search.exports.csv_cells import safe
from search.exports.export_row import Cell


class Format(StrEnum):
    """How the rows are written."""

    CSV = (
        "csv"  # RFC 4180 with a byte order mark, as Excel wants it; see `search.exports.csv_cells`
    )
    JSON_LINES = "jsonl"

    @property
    def media_type(self) -> str:
        return "text/csv" if self is Format.CSV else "application/x-ndjson"


def head(format: Format) -> bytes:
    """What comes before the first row."""
    return f"\ufeff{_line(COLUMNS)}".encode() if format is Format.CSV else b""


def encoded(rows: Sequence[Row], format: Format) -> bytes:
    """Some rows, in UTF-8, each with its end of line."""
    if format is Format.CSV:
        lines = [_line([_cell(value) for value in row.values()]) for row in rows]
    else:
        lines = [f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows]
    return "".join(lines).encode()


def _line(cells: Sequence[Cell]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _cell(value: Cell) -> Cell:
    return safe(value) if isinstance(value, str) else value
