"""The questions of a batch: from CSV with a header, JSON Lines, or a list, one question a line.

| column or field | what it says |
| --- | --- |
| question, query, q or name | the question; of several the first named here |
| id | the asker's own name for it, which comes back |
| from, to, outlet, byline, section, language, mode | for this question, in place of the batch's |

In a cell `;` stands between several outlets, bylines, sections or languages; in JSON they are a
list. Columns of other names are the asker's own and left alone.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from index.article import Origin
from index.errors import BadArticleError, BadQueryError
from index.formats.csv_table import DELIMITERS, MAX_HEADER_BYTES, csv_rows
from index.formats.encoding import LineDecoder, decode_only
from index.formats.fields import one_line, shown
from index.formats.json_value import load_object
from index.formats.limits import MIB, Limits
from index.formats.lines import numbered_lines
from index.formats.streams import (
    READ_BYTES,
    GuardedStream,
    OpenFile,
    Readable,
    UnreadableError,
    as_utf8,
)
from index.model import encodable
from search.filters import Filters
from search.query import Mode

_QUESTION: Final = ("question", "query", "q", "name")
_SEVERAL: Final = ("outlet", "byline", "section", "language")
_KNOWN: Final = frozenset({*_QUESTION, *_SEVERAL, "id", "from", "to", "mode"})
# A row is a question of 10,000 characters at most and whatever its asker keeps beside it.
_LIMITS: Final = Limits(max_record_bytes=MIB)


class Layout(StrEnum):
    """How questions are written down."""

    CSV = "csv"  # with a header; comma, semicolon, tab or bar
    JSON_LINES = "jsonl"
    LIST = "list"


_ENDINGS: Final = {
    ".csv": Layout.CSV,
    ".tsv": Layout.CSV,
    ".jsonl": Layout.JSON_LINES,
    ".ndjson": Layout.JSON_LINES,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One of a batch. What it does not say for itself is as the batch says."""

    line: int  # where it stands, from 1
    id: str  # empty: none was given
    text: str
    mode: Mode | None
    filters: Filters


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be asked; `id` and `text` as far as they could be read."""

    line: int
    id: str
    text: str
    problem: str  # why, then what to do


def read_questions(
    stream: Readable, name: str, layout: Layout | None = None
) -> Iterator[Question | BadLine]:
    """The questions in their order; blank lines are passed over, one line is in memory at a time.

    Args:
        name: of the file, for messages; its ending may tell the layout.
        layout: None: as its name says, else its first line, see `layout_of`.

    Raises:
        BadQueryError: CSV without a column for the question, or with one of ours twice.
    """
    guarded = GuardedStream(stream, _LIMITS.max_file_bytes)
    text = as_utf8(guarded, _LIMITS.max_file_bytes)
    lines: io.BufferedReader = io.BufferedReader(text, READ_BYTES)
    head = lines.peek(READ_BYTES)[:MAX_HEADER_BYTES]
    layout = layout or _ENDINGS.get(PurePath(name).suffix.lower()) or layout_of(head)
    if layout is Layout.CSV:
        return _read_csv(OpenFile(name, lines, _LIMITS, {}), head)
    return _read_lines(lines, layout)


def layout_of(head: bytes) -> Layout:
    """How a file that begins so is written: JSON by `{`, CSV by a column for the question."""
    first = _first_line(head)
    if first.startswith("{"):
        return Layout.JSON_LINES
    named = _names(first, _delimiter(first))
    return Layout.CSV if any(name in _QUESTION for name in named) else Layout.LIST


def _first_line(head: bytes) -> str:
    lines = (line.strip() for line in decode_only(head).splitlines())
    return next((line for line in lines if line), "")


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=lambda each: sum(n in _KNOWN for n in _names(header, each)))


def _names(header: str, delimiter: str) -> list[str]:
    return [name.strip().casefold() for name in next(csv.reader([header], delimiter=delimiter), [])]


def _read_csv(file: OpenFile, head: bytes) -> Iterator[Question | BadLine]:
    delimiter = _delimiter(_first_line(head))
    rows = csv_rows(file, delimiter)
    line, _, header = next(rows, (1, b"", []))
    if isinstance(header, UnreadableError):
        raise BadQueryError(f"{file.path}:{line}", str(header), header.advice)
    names = [name.strip().casefold() for name in header]
    _check_columns(names, f"{file.path}:{line}")
    return (_of_row(line, names, cells, delimiter) for line, _, cells in rows)


def _check_columns(names: Sequence[str], place: str) -> None:
    columns = ", ".join(one_line(name)[:40] for name in names[:20]) or "none"
    if not any(name in _QUESTION for name in names):
        advice = f"name it {', '.join(_QUESTION[:-1])} or {_QUESTION[-1]}"
        raise BadQueryError(place, f"no column for the question (columns: {columns})", advice)
    for name in _KNOWN:
        if names.count(name) > 1:
            raise BadQueryError(place, f"two columns are named {name}", "rename one of them")


def _of_row(
    line: int, names: Sequence[str], cells: list[str] | UnreadableError, delimiter: str
) -> Question | BadLine:
    if isinstance(cells, UnreadableError):
        return BadLine(line, "", "", f"{cells}; {cells.advice}")
    if len(names) == 1:  # written by hand as a list: commas belong to the question
        cells = [delimiter.join(cells)]
    if len(cells) != len(names):
        reason = f"{len(cells)} cells where the header has {len(names)}"
        return BadLine(line, "", "", f"{reason}; quote cells that hold delimiters")
    return _question(line, dict(zip(names, cells, strict=True)))


def _read_lines(lines: io.BufferedReader, layout: Layout) -> Iterator[Question | BadLine]:
    decoder = LineDecoder()
    for number, raw in numbered_lines(lines, _LIMITS.max_record_bytes):
        if isinstance(raw, UnreadableError):
            yield BadLine(number, "", "", f"{raw}; {raw.advice}")
        elif text := decoder.decode(raw).strip():
            if layout is Layout.LIST:
                yield _question(number, {"question": text})
            else:
                yield _of_json(number, text)


def _of_json(number: int, text: str) -> Question | BadLine:
    try:
        fields = load_object(text, Origin("", number))
    except BadArticleError as error:
        return BadLine(number, "", "", f"{error.reason}; write one object a line")
    return _question(number, {name.strip().casefold(): value for name, value in fields.items()})


def _question(line: int, fields: Mapping[str, object]) -> Question | BadLine:
    id, text = "", ""
    try:
        id = _line_of("id", fields)
        text = _line_of(next((name for name in _QUESTION if name in fields), "question"), fields)
        mode = _line_of("mode", fields)
        several = {name: _values(name, fields.get(name)) for name in _SEVERAL}
        filters = Filters.parse(
            **several,
            published_from=_line_of("from", fields) or None,
            published_to=_line_of("to", fields) or None,
        )
        return Question(line, id, text, _mode(mode) if mode else None, filters)
    except BadQueryError as error:
        return BadLine(line, id, text, str(error))


def _line_of(name: str, fields: Mapping[str, object]) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadQueryError(name, f"{shown(value)}, not a string", "write it as one string")
    return encodable(value).strip()


def _values(name: str, value: object) -> list[str]:
    items = value if isinstance(value, list) else _line_of(name, {name: value}).split(";")
    return [text for item in items if (text := _line_of(name, {name: item}))]


def _mode(name: str) -> Mode:
    try:
        return Mode(name.casefold())
    except ValueError:
        raise BadQueryError("mode", f"{shown(name)} is none", "use plain or verbatim") from None
