"""JSON Lines: one article a line, each line read on its own."""

from collections.abc import Iterator

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.formats.encoding import LineDecoder
from index.formats.fields import record_from_fields
from index.formats.json_value import load_object
from index.formats.lines import numbered_lines
from index.formats.streams import OpenFile, UnreadableError


def read_jsonl(file: OpenFile) -> Iterator[SourceRecord | BadArticleError]:
    """Read the records of a JSON Lines file; blank lines are passed over."""
    decoder = LineDecoder()
    for number, line in numbered_lines(file.stream, file.limits.max_record_bytes):
        origin = Origin(file.path, number)
        if isinstance(line, UnreadableError):
            yield BadArticleError(file.path, number, line.reason, line.advice)
        elif raw := line.strip():
            try:
                fields = load_object(decoder.decode(raw), origin)
                yield record_from_fields(fields, origin=origin, raw=raw, field_map=file.field_map)
            except BadArticleError as error:
                yield error
