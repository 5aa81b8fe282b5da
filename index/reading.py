"""From paths to source records: every format, packed or not, record by record, within limits."""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.formats.archive import Member, spooled, tar_members, zip_members
from index.formats.csv_table import read_csv
from index.formats.fields import check_field_map, printable
from index.formats.folder import files_under, is_regular
from index.formats.json_document import read_json_document
from index.formats.jsonl import read_jsonl
from index.formats.limits import DEFAULT_LIMITS, Limits
from index.formats.plain_text import read_plain_text
from index.formats.sniffing import SNIFFED_BYTES, Format, sniff, unpacked_name
from index.formats.streams import (
    READ_BYTES,
    Budget,
    GuardedStream,
    OpenFile,
    Readable,
    UnreadableError,
    Unzstd,
    as_utf8,
    gunzip,
    read_whole,
)
from index.formats.xml_feed import read_xml_feed

__all__ = ["Limits", "Result", "read", "read_stream"]

Result = SourceRecord | BadArticleError

_RECORD_READERS = {
    Format.JSONL: read_jsonl,
    Format.JSON: read_json_document,
    Format.CSV: read_csv,
}
_NO_MAP: Mapping[str, str] = {}


def read(
    paths: Sequence[Path],
    *,
    field_map: Mapping[str, str] = _NO_MAP,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Result]:
    """Read all articles under some paths: files of any format we know, archives, folders.

    What cannot be read is yielded as an error in its place, never raised, and the rest goes on;
    that includes paths that do not exist. Folders are read whole, sorted, without hidden files
    and, beside a BEIR corpus, without its questions and judgments. Memory is bounded by `limits`.

    Args:
        field_map: for our field, the name the sources use: `{"headline": "title"}`.

    Raises:
        ValueError: `field_map` names a field that is none of ours. Raised at once.
    """
    check_field_map(field_map)
    return _read_paths(paths, field_map, limits)


def read_stream(
    stream: BinaryIO,
    *,
    name: str = "<stdin>",
    field_map: Mapping[str, str] = _NO_MAP,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Result]:
    """Read all articles of an open stream, as `read` does; `name` may tell the format.

    Raises:
        ValueError: `field_map` names a field that is none of ours. Raised at once.
    """
    check_field_map(field_map)
    reader = _Reader(field_map, limits)
    guarded = GuardedStream(stream, limits.max_file_bytes, reader.budget.earn)
    return reader.read(guarded, _Place(printable(name), name))


def _read_paths(
    paths: Sequence[Path], field_map: Mapping[str, str], limits: Limits
) -> Iterator[Result]:
    for path in paths:
        if not path.is_dir():
            yield from _read_file(path, field_map, limits)
            continue
        for file in files_under(path):
            if isinstance(file, OSError):
                yield _no_file(os.fsdecode(file.filename), file)
            else:
                yield from _read_file_of_folder(file, field_map, limits)


def _read_file_of_folder(
    path: Path, field_map: Mapping[str, str], limits: Limits
) -> Iterator[Result]:
    """A pipe or device is read when it was asked for by name, but not because it lies around."""
    try:
        regular = is_regular(path)
    except OSError as error:
        yield _no_file(str(path), error)
        return
    if regular:
        yield from _read_file(path, field_map, limits)
    else:
        yield BadArticleError(printable(str(path)), 1, "is no regular file", "remove it")


def _read_file(path: Path, field_map: Mapping[str, str], limits: Limits) -> Iterator[Result]:
    try:
        file = path.open("rb", buffering=0)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        yield _no_file(str(path), error)
        return
    with file:
        reader = _Reader(field_map, limits)
        guarded = GuardedStream(file, limits.max_file_bytes, reader.budget.earn)
        place = _Place(printable(str(path)), path.name, file=file if file.seekable() else None)
        yield from reader.read(guarded, place)


def _no_file(path: str, error: Exception) -> BadArticleError:
    reason = getattr(error, "strerror", None) or str(error)
    return BadArticleError(
        printable(path), 1, f"cannot be opened: {reason}", "see to the path and its permissions"
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a stream stands: `path` is for messages, `name` tells the format."""

    path: str
    name: str
    depth: int = 0  # layers of packing around it
    is_unpacked: bool = False  # the innermost layer is gzip or Zstandard: .tar.gz is one layer
    file: io.FileIO | None = None  # itself, if it can be sought in

    @property
    def layers_if_archive(self) -> int:
        return self.depth if self.is_unpacked else self.depth + 1


class _Reader:
    """Reads one file, and whatever is packed in it, on one budget."""

    def __init__(self, field_map: Mapping[str, str], limits: Limits) -> None:
        self._field_map = field_map
        self._limits = limits
        self.budget = Budget(limits)

    def read(self, stream: GuardedStream, place: _Place) -> Iterator[Result]:
        """The records of a stream, or why it has none."""
        try:
            head = stream.head(SNIFFED_BYTES)
            format_ = sniff(place.name, head)
            if not head and format_ not in _RECORD_READERS and not stream.read(1):
                raise UnreadableError("is empty", "remove it")
            yield from self._read_as(format_, stream, place)
        except UnreadableError as error:
            yield BadArticleError(place.path, 1, error.reason, error.advice)

    def _read_as(self, format_: Format, stream: GuardedStream, place: _Place) -> Iterator[Result]:
        if read_records := _RECORD_READERS.get(format_):
            text = as_utf8(stream, self._limits.max_file_bytes)
            lines: io.BufferedReader = io.BufferedReader(text, READ_BYTES)
            yield from read_records(OpenFile(place.path, lines, self._limits, self._field_map))
        elif format_ is Format.GZIP:
            yield from self._read_packed(gunzip(stream), place)
        elif format_ is Format.ZSTANDARD:
            yield from self._read_packed(Unzstd(stream), place)
        elif format_ is Format.TAR:
            yield from self._read_members(tar_members(stream, self._limits), place)
        elif format_ is Format.ZIP:
            yield from self._read_zip(stream, place)
        else:
            yield from self._read_whole(format_, stream, place.path)

    def _read_packed(self, unpacked: Readable, place: _Place) -> Iterator[Result]:
        self._check_depth(place.depth + 1)
        inner = _Place(place.path, unpacked_name(place.name), place.depth + 1, is_unpacked=True)
        yield from self.read(self._guarded(unpacked), inner)

    def _read_zip(self, stream: GuardedStream, place: _Place) -> Iterator[Result]:
        if place.file:
            self.budget.earn(os.fstat(place.file.fileno()).st_size)
            yield from self._read_members(zip_members(place.file, self._limits), place)
            return
        self._check_depth(place.layers_if_archive)
        with spooled(stream, self._limits) as file:
            yield from self._read_members(zip_members(file, self._limits), place)

    def _read_members(self, members: Iterator[Member], place: _Place) -> Iterator[Result]:
        self._check_depth(place.layers_if_archive)
        for name, member in members:
            path = f"{place.path}!{printable(name)}"
            if isinstance(member, UnreadableError):
                yield BadArticleError(path, 1, member.reason, member.advice)
                continue
            yield from self.read(self._guarded(member), _Place(path, name, place.layers_if_archive))
            if self.budget.exhausted:
                return

    def _read_whole(self, format_: Format, stream: GuardedStream, path: str) -> Iterator[Result]:
        """A file that is held in memory: a feed, or one article."""
        if format_ is Format.FEED:
            data = read_whole(stream, self._limits.max_document_bytes)
            yield from read_xml_feed(data, path, self._limits)
            return
        data = read_whole(stream, self._limits.max_record_bytes)
        try:
            yield _read_article(format_, data, Origin(path, 1))
        except BadArticleError as error:
            yield error

    def _guarded(self, unpacked: Readable) -> GuardedStream:
        return GuardedStream(unpacked, self._limits.max_file_bytes, self.budget.spend)

    def _check_depth(self, layers: int) -> None:
        if layers > self._limits.max_depth:
            reason = f"is packed more than {self._limits.max_depth} times"
            raise UnreadableError(reason, "unpack it yourself")


def _read_article(format_: Format, data: bytes, origin: Origin) -> SourceRecord:
    if format_ is not Format.HTML:
        return read_plain_text(data, origin)
    # The HTML reader loads a dozen libraries: only for those who read HTML.
    from index.formats.html_page import read_html_page

    return read_html_page(data, origin)
