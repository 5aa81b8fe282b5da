"""A JSON document: one article, a list of them, an object with such a list, or several of these.

The document is cut into its records by their brackets, and each is then parsed alone: a broken
one leaves the others be, has the line it starts at, and a list may be longer than memory.
"""

import codecs
import io
import json
import re
from collections.abc import Iterator

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.formats.encoding import LineDecoder
from index.formats.fields import field_of, record_from_fields
from index.formats.json_feed import is_json_feed, record_from_item
from index.formats.json_value import load_object
from index.formats.streams import READ_BYTES, OpenFile, UnreadableError, too_large

# Members of an object that hold its articles.
LISTS = ("articles", "items")
# What an object says of itself beside its list, such as a feed's title, is short.
_MAX_MEMBER_BYTES = 2**16

_PUNCTUATION = (b"", b",", b":", b"]", b"}")
_SPACE = re.compile(rb"[ \t\r\n]*+")
_BRACKET_OR_QUOTE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SCALAR = re.compile(rb'[^,\[\]{}": \t\r\n]*+')

Result = SourceRecord | BadArticleError


def read_json_document(file: OpenFile) -> Iterator[Result]:
    """Read the records of a JSON document, as it streams in; objects with a list are held whole."""
    text = JsonText(file.stream)
    reader = _Reader(file)
    try:
        while first := text.peek():
            if first == b"[":
                text.take(1)
                yield from reader.read_list(text, {})
            elif first == b"{":
                line = text.line
                raw = text.take_value(file.limits.max_document_bytes)
                yield from reader.read_object(raw, line)
            elif first == b",":
                text.take(1)
            else:
                reason = "broken JSON: neither an object nor a list"
                yield BadArticleError(file.path, text.line, reason, "write one {…} an article")
                return
    except UnreadableError as error:
        yield BadArticleError(file.path, text.line, error.reason, error.advice)


class JsonText:
    """JSON as it streams in, taken value by value without parsing; `line` is where it stands."""

    def __init__(self, stream: io.BufferedReader | io.BytesIO, line: int = 1) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._started = False
        self.line = line

    def peek(self) -> bytes:
        """The next character that is no space, without taking it; empty at the end."""
        while True:
            end = _end(_SPACE, self._buffer, self._at)
            self._advance(end)
            if end < len(self._buffer):
                return self._buffer[end : end + 1]
            if not self._fill():
                return b""

    def take(self, length: int) -> bytes:
        """The next characters, which peek has seen."""
        start = self._at
        self._advance(start + length)
        return self._buffer[start : self._at]

    def take_value(self, max_bytes: int) -> bytes | None:
        """The bytes of the next value, to its closing bracket or quotation mark, or its last byte.

        None: it is larger than `max_bytes`; it is then passed over without being held. A value
        that the end of the text cuts short comes as far as it goes; punctuation where a value
        should be comes as it is.
        """
        if self.peek() in _PUNCTUATION:
            return self.take(1)
        pieces: list[bytes] = []
        size, depth, in_string, is_whole = 0, 0, False, False
        while not is_whole:
            start = self._at
            end, depth, in_string, is_whole = self._scan(start, depth, in_string)
            size += end - start
            if size <= max_bytes:
                pieces.append(self._buffer[start:end])
            else:
                pieces.clear()
            self._advance(end)
            is_whole = is_whole or not self._fill()
        return b"".join(pieces) if size <= max_bytes else None

    def _scan(self, at: int, depth: int, in_string: bool) -> tuple[int, int, bool, bool]:
        """Go on to the end of the value or buffer: (end, depth, in a string?, whole?)."""
        buffer = self._buffer
        if depth == 0 and not in_string and buffer[at : at + 1] not in (b'"', b"{", b"["):
            end = _end(_SCALAR, buffer, at)
            return end, 0, False, end < len(buffer)
        while True:
            if in_string:
                at = _end(_IN_STRING, buffer, at)
                if at >= len(buffer) or buffer[at : at + 1] == b"\\":  # its pair is yet to come
                    return at, depth, True, False
                at, in_string = at + 1, False
            else:
                match = _BRACKET_OR_QUOTE.search(buffer, at)
                if not match:
                    return len(buffer), depth, False, False
                at = match.end()
                in_string = match[0] == b'"'
                depth += (match[0] in b"{[") - (match[0] in b"}]")
            if depth <= 0 and not in_string:
                return at, 0, False, True

    def _advance(self, end: int) -> None:
        self.line += self._buffer.count(b"\n", self._at, end)
        self._at = end

    def _fill(self) -> bool:
        """Read on, keeping what was not taken; False at the end."""
        piece = self._stream.read1(READ_BYTES)  # read would lose what comes before an error
        if not self._started:
            self._started = True
            piece = piece.removeprefix(codecs.BOM_UTF8)
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return bool(piece)


class _Reader:
    """Turns the values of one file into its records."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._max_bytes = file.limits.max_record_bytes
        self._decoder = LineDecoder()

    def read_object(self, raw: bytes | None, line: int) -> Iterator[Result]:
        """An article, or what holds a list of them."""
        if raw is None:
            yield self._bad(
                line, too_large(self._file.limits.max_document_bytes, "an object of more than")
            )
            return
        head, has_list = self._head_of(raw, line)
        if has_list:
            yield from self._read_list_in(raw, line, head)
        else:
            yield self._read_record(raw, line, {})

    def read_list(self, text: JsonText, head: dict[str, object]) -> Iterator[Result]:
        """The records of a list whose opening bracket was taken, and its closing one."""
        while first := text.peek():
            if first in (b",", b"]"):
                text.take(1)
                if first == b"]":
                    return
                continue
            line = text.line
            yield self._read_record(text.take_value(self._max_bytes), line, head)
        error = UnreadableError("is cut short: its list is not closed", "fetch it again")
        yield self._bad(text.line, error)

    def _head_of(self, raw: bytes, line: int) -> tuple[dict[str, object], bool]:
        """The short members of an object, and whether it holds a list of articles.

        An object with a text of its own is an article, whatever lists it has.
        """
        members: dict[str, object] = {}
        has_list = has_text = False
        text = _opened(raw, line)
        while (name := _next_name(text)) is not None:
            if name in LISTS and text.peek() == b"[":
                has_list = True
                text.take_value(0)
            else:
                has_text = has_text or field_of(name) == "text"
                members[name] = _short_value(text.take_value(_MAX_MEMBER_BYTES))
        return members, has_list and not has_text

    def _read_list_in(self, raw: bytes, line: int, head: dict[str, object]) -> Iterator[Result]:
        text = _opened(raw, line)
        while (name := _next_name(text)) is not None:
            if name in LISTS and text.peek() == b"[":
                text.take(1)
                yield from self.read_list(text, head)
            else:
                text.take_value(0)

    def _read_record(self, raw: bytes | None, line: int, head: dict[str, object]) -> Result:
        if raw is None:
            return self._bad(line, too_large(self._max_bytes, "a record of more than"))
        origin = Origin(self._file.path, line)
        try:
            fields = load_object(self._decoder.decode(raw), origin)
            if is_json_feed(head):
                return record_from_item(fields, head, origin=origin, raw=raw)
            return record_from_fields(
                fields, origin=origin, raw=raw, field_map=self._file.field_map
            )
        except BadArticleError as error:
            return error

    def _bad(self, line: int, error: UnreadableError) -> BadArticleError:
        return BadArticleError(self._file.path, line, error.reason, error.advice)


def _end(pattern: re.Pattern[bytes], buffer: bytes, at: int) -> int:
    """Where a match of a pattern that also matches nothing ends."""
    match = pattern.match(buffer, at)
    return match.end() if match else at


def _opened(raw: bytes, line: int) -> JsonText:
    """An object's text after its opening brace."""
    text = JsonText(io.BytesIO(raw), line)
    text.peek()
    text.take(1)
    return text


def _next_name(text: JsonText) -> str | None:
    """The name of the next member, taken with its colon; None after the last, or in broken JSON."""
    while text.peek() == b",":
        text.take(1)
    if text.peek() != b'"':
        return None
    name = _short_value(text.take_value(_MAX_MEMBER_BYTES))
    if text.peek() != b":":
        return None
    text.take(1)
    return name if isinstance(name, str) else ""


def _short_value(raw: bytes | None) -> object:
    """A member's value; None when it is long or broken."""
    try:
        value: object = json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return None
    return value
