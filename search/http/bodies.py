"""The body of a request to records: with bounded memory, each record on its own."""

import io
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.formats.fields import record_from_fields, shown
from index.formats.json_value import MAX_VALUES, load_object
from index.formats.limits import DEFAULT_LIMITS as _LIMITS
from index.formats.lines import numbered_lines
from index.formats.streams import UnreadableError
from search.http.problems import ProblemError

# A body up to this size stays in memory, a larger one goes to a file that has no name.
SPOOL_BYTES = 1 << 20
_ORIGIN = "request"

Numbered = tuple[int, SourceRecord | BadArticleError]


async def spool(chunks: AsyncIterator[bytes], declared: str | None, limit: int) -> IO[bytes]:
    """All of a body in a temporary file, at its start. It is complete before a record is read.

    Args:
        declared: the header Content-Length, if there is one.
        limit: bytes.

    Raises:
        ProblemError: 413, the body is larger, whether the header says so or not.
    """
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body: IO[bytes] = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - handed on
    try:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            body.write(chunk)
        body.seek(0)
    except BaseException:
        body.close()
        raise
    return body


def read_ndjson(body: IO[bytes]) -> Iterator[Numbered]:
    """Each line that is not blank, with its number from 1; one line is in memory at a time."""
    # A temporary file reads lines as a BufferedReader does, and is declared as IO.
    for number, line in numbered_lines(cast(io.BufferedReader, body), _LIMITS.max_record_bytes):
        if isinstance(line, UnreadableError):
            yield number, BadArticleError(_ORIGIN, number, line.reason, line.advice)
        elif raw := line.strip():
            yield number, _record_of_line(raw, number)


def read_json(body: IO[bytes]) -> Iterator[Numbered]:
    """One object, a list of them, or `{"articles": [...]}`, numbered from 1.

    Raises:
        ProblemError: 400, the body is no JSON or none of these.
    """
    for place, fields in enumerate(_objects(body.read()), 1):
        yield place, _record_of_item(fields, place)


def _objects(data: bytes) -> list[object]:
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise _bad_json(f"more than {MAX_VALUES:,} values; send application/x-ndjson")
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise _bad_json("it is nested too deeply; write the fields of an article flat") from None
    except ValueError as error:
        raise _bad_json(f"{error}; send valid JSON in UTF-8") from None
    if isinstance(value, dict) and isinstance(value.get("articles"), list):
        value = value["articles"]
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return value
    raise _bad_json('send an object, a list of objects, or {"articles": [...]}')


def _record_of_line(raw: bytes, number: int) -> SourceRecord | BadArticleError:
    try:
        fields = load_object(raw.decode("utf-8"), Origin(_ORIGIN, number))
    except UnicodeDecodeError as error:
        reason = f"no UTF-8 at byte {error.start + 1}"
        return BadArticleError(_ORIGIN, number, reason, "send JSON in UTF-8")
    except BadArticleError as error:
        return error
    return _record(fields, number, raw)


def _record_of_item(item: object, place: int) -> SourceRecord | BadArticleError:
    if not isinstance(item, dict):
        reason = f"{shown(item)} where an object was expected"
        return BadArticleError(_ORIGIN, place, reason, "send an object with at least a text")
    return _record(item, place, json.dumps(item).encode())


def _record(
    fields: Mapping[str, object], number: int, raw: bytes
) -> SourceRecord | BadArticleError:
    try:
        record = record_from_fields(fields, origin=Origin(_ORIGIN, number), raw=raw)
    except BadArticleError as error:
        return error
    return replace(record, pasted=fields.get("pasted") is True)


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        413,
        "too-large",
        "The body is too large",
        f"the body is larger than {limit >> 20} MiB; send it in several requests",
    )


def _bad_json(detail: str) -> ProblemError:
    return ProblemError(400, "bad-json", "The body is no JSON of articles", detail)
