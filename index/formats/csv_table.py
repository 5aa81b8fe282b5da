"""CSV with a header: one article a row, each row read on its own."""

import csv
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.formats.encoding import LineDecoder, decode_only
from index.formats.fields import field_of, one_line, record_from_fields
from index.formats.lines import numbered_lines
from index.formats.streams import READ_BYTES, OpenFile, UnreadableError

DELIMITERS = ",;\t|"
# After a row with a stray quotation mark its later lines are read again, as rows of their own.
# Reading again costs at most this many times what was read: linear, whatever the file.
_READ_AGAIN = 4
_READ_AGAIN_AT_LEAST = 2**20
MAX_HEADER_BYTES = 2**16

Row = tuple[int, bytes, list[str] | UnreadableError]  # first line, raw lines, cells


def read_csv(file: OpenFile) -> Iterator[SourceRecord | BadArticleError]:
    """Read the rows of a CSV file by the names in its first row.

    Commas, semicolons, tabs and bars are told apart by the header. Line numbers are those of
    the file, quoted newlines counted. Without a column for the text there is one error.
    """
    rows = csv_rows(file, _delimiter(file))
    for line, _, header in rows:
        if isinstance(header, UnreadableError):
            yield BadArticleError(file.path, line, header.reason, header.advice)
            return
        names = [name.strip() for name in header]
        if not _has_text(names, file.field_map):
            yield _no_text_column(file.path, line, names)
            return
        for line, raw, cells in rows:
            yield _read_row(raw, cells, names, Origin(file.path, line), file.field_map)


def delimiter_of(header: str, mapped: Collection[str]) -> str:
    """The delimiter that cuts a header into the most columns we know; a comma if none does."""
    return max(DELIMITERS, key=lambda delimiter: known_columns(header, delimiter, mapped))


def known_columns(header: str, delimiter: str, mapped: Collection[str] = ()) -> int:
    """How many columns of a header go by a name we know, or one of those mapped to ours."""
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    return sum(name in mapped or field_of(name) is not None for name in names)


def _has_text(names: Sequence[str], field_map: Mapping[str, str]) -> bool:
    if "text" in field_map:
        return field_map["text"] in names
    return any(field_of(name) == "text" for name in names)


def _no_text_column(path: str, line: int, names: Sequence[str]) -> BadArticleError:
    columns = ", ".join(one_line(name)[:40] for name in names[:20])
    return BadArticleError(
        path, line, f"no column for the text (columns: {columns})", "name it by --map text=COLUMN"
    )


def _read_row(
    raw: bytes,
    cells: list[str] | UnreadableError,
    names: Sequence[str],
    origin: Origin,
    field_map: Mapping[str, str],
) -> SourceRecord | BadArticleError:
    if isinstance(cells, UnreadableError):
        return BadArticleError(origin.path, origin.line, cells.reason, cells.advice)
    if len(cells) != len(names):
        reason = f"{len(cells)} cells where the header has {len(names)}"
        return BadArticleError(origin.path, origin.line, reason, "quote cells that hold delimiters")
    fields = dict(zip(names, cells, strict=True))
    try:
        return record_from_fields(fields, origin=origin, raw=raw, field_map=field_map)
    except BadArticleError as error:
        return error


def csv_rows(file: OpenFile, delimiter: str) -> Iterator[Row]:
    """The rows of a CSV file that are not blank, each by the number of its first line, from 1.

    A row that cannot be read comes as an error in its place, and the others go on.
    """
    lines = _Lines(file)
    # The limit is the process's own; what bounds a row is _Lines, in bytes.
    csv.field_size_limit(max(csv.field_size_limit(), file.limits.max_record_bytes))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.start_row()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            advice = 'close each quotation mark, and write those inside a cell as ""'
            line, raw = lines.give_up_row()
            yield line, raw, UnreadableError(f"broken CSV: {error}", advice)
        except UnreadableError as error:
            yield lines.number, b"", error
        else:
            if cells is None:
                return
            if any(cells):
                yield lines.first, lines.raw, cells


def _delimiter(file: OpenFile) -> str:
    header = file.stream.peek(READ_BYTES)[:MAX_HEADER_BYTES].splitlines()
    return delimiter_of(decode_only(header[0]), file.field_map.values()) if header else ","


class _Lines:
    """The lines of a file for csv.reader, and which of them the current row is made of."""

    def __init__(self, file: OpenFile) -> None:
        self._max_bytes = file.limits.max_record_bytes
        self._new = numbered_lines(file.stream, self._max_bytes)
        self._again: deque[tuple[int, bytes]] = deque()
        self._decoder = LineDecoder()
        self._row: list[tuple[int, bytes]] = []
        self._row_bytes = 0
        self._may_read_again = _READ_AGAIN_AT_LEAST
        self.number = 1  # of the line read last

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._new_line()
        self._row.append(line)
        self._row_bytes += len(line[1])
        if self._row_bytes > self._max_bytes:
            raise csv.Error(f"a row of more than {self._max_bytes:,} bytes")
        return self._decoder.decode(line[1])

    def start_row(self) -> None:
        self._row, self._row_bytes = [], 0

    @property
    def first(self) -> int:
        return self._row[0][0]

    @property
    def raw(self) -> bytes:
        return b"".join(data for _, data in self._row)

    def give_up_row(self) -> tuple[int, bytes]:
        """The first line of a broken row; its others will be read again, as rows of their own."""
        rest_bytes = self._row_bytes - len(self._row[0][1])
        if rest_bytes <= self._may_read_again:
            self._may_read_again -= rest_bytes
            self._again.extendleft(reversed(self._row[1:]))
        return self._row[0]

    def _new_line(self) -> tuple[int, bytes]:
        self.number, line = next(self._new)
        if isinstance(line, UnreadableError):
            raise line
        self._may_read_again += _READ_AGAIN * len(line)
        return self.number, line
