"""Numbered lines of a stream, none longer than its limit."""

import codecs
import io
from collections.abc import Iterator

from index.formats.streams import READ_BYTES, UnreadableError, too_large


def numbered_lines(
    stream: io.BufferedReader, max_bytes: int
) -> Iterator[tuple[int, bytes | UnreadableError]]:
    """Each line with its newline and its number, from 1; a byte order mark is left out.

    A line beyond `max_bytes` comes as an error and is passed over without being held. A stream
    that breaks off comes as an error on the line where it does, and that is the last one.
    """
    number = 1
    try:
        while line := stream.readline(max_bytes + 1):
            if len(line) <= max_bytes or line.endswith(b"\n"):
                yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            else:
                _skip_line(stream)
                yield number, too_large(max_bytes, "a line of more than")
            number += 1
    except UnreadableError as error:
        yield number, error


def _skip_line(stream: io.BufferedReader) -> None:
    while (rest := stream.readline(READ_BYTES)) and not rest.endswith(b"\n"):
        pass
