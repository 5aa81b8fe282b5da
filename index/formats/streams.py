"""Bytes of a file, unpacked or not, within limits: whatever goes wrong is an UnreadableError."""

import codecs
import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import zstandard

from index.formats.encoding import utf16_encoding
from index.formats.limits import MIB, Limits

READ_BYTES = MIB
# Zstandard can turn 4 bytes into 128 KiB: this much input never becomes more than 32 MiB. The
# second figure is how much it hands over at a time, the quickest of those tried.
_PACKED_READ_BYTES = 1024
_ZSTD_WRITE_BYTES = 32_768
_UNPACKED_READ_BYTES = MIB // 8


class UnreadableError(Exception):
    """A stream cannot be read, or not further; what was read before counts."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


class Readable(Protocol):
    """What bytes can be read from: up to `size`, none at the end."""

    def read(self, size: int, /) -> bytes: ...


class Budget:
    """What one file given to us may unpack to, over all that is packed in it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._packed_bytes = 0
        self._unpacked_bytes = 0
        self.exhausted = False  # nothing more of this file is to be read

    def earn(self, packed_bytes: int) -> None:
        """Count bytes of the file itself."""
        self._packed_bytes += packed_bytes

    def spend(self, unpacked_bytes: int) -> None:
        """Count bytes that came out of it. UnreadableError: too many for its size."""
        self._unpacked_bytes += unpacked_bytes
        ratio = self._limits.max_expansion
        if self._unpacked_bytes > self._limits.free_expansion_bytes + ratio * self._packed_bytes:
            self.exhausted = True
            raise UnreadableError(
                f"unpacks to more than {ratio} times its size",
                "it looks made to fill the machine; if it is real, unpack it yourself",
            )


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file or archive member that is ready to be read by the reader of its format."""

    path: str  # as messages show it
    stream: io.BufferedReader
    limits: Limits
    field_map: Mapping[str, str]


class GuardedStream(io.RawIOBase):
    """At most `max_bytes` of a source, whose library errors come out as UnreadableError.

    `on_read` is told the size of each piece, and may raise.
    """

    def __init__(
        self, source: Readable, max_bytes: int, on_read: Callable[[int], None] | None = None
    ) -> None:
        # read1 hands over what is there, so that a later error cannot take it away.
        self._read_some: Callable[[int], bytes] = getattr(source, "read1", source.read)
        self._max_bytes = max_bytes
        self._on_read = on_read
        self._bytes = 0
        self._waiting = memoryview(b"")  # read, but not yet taken
        self._failure: UnreadableError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        if not self._waiting:
            self._waiting = memoryview(self._next_piece(len(buffer)))
        piece = self._waiting[: len(buffer)]
        self._waiting = self._waiting[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def head(self, size: int) -> bytes:
        """The next bytes, at least `size` of them unless the stream ends, without taking them."""
        pieces = [bytes(self._waiting)]
        missing = size - len(self._waiting)
        while missing > 0:
            try:
                piece = self._next_piece(missing)
            except UnreadableError:
                break  # it comes up again for whoever reads as far as that
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        head = b"".join(pieces)
        self._waiting = memoryview(head)
        return head

    def _next_piece(self, size: int) -> bytes:
        if self._failure:
            raise self._failure
        try:
            return self._read_checked(size)
        except UnreadableError as error:
            self._failure = error  # a library that is asked again may take it for the end
            raise

    def _read_checked(self, size: int) -> bytes:
        piece = self._read_translated(size)
        self._bytes += len(piece)
        if self._bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        if self._on_read:
            self._on_read(len(piece))
        return piece

    def _read_translated(self, size: int) -> bytes:
        again = "fetch or pack it again"
        try:
            return self._read_some(size) or b""
        except EOFError as error:
            raise UnreadableError("is cut short", again) from error
        except zstandard.ZstdError as error:
            raise UnreadableError(f"is damaged ({error})", again) from error
        except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            raise UnreadableError(f"is damaged ({error})", again) from error
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise UnreadableError(f"is damaged ({error})", again) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise UnreadableError(f"cannot be read: {reason}", "see to the file") from error


def too_large(max_bytes: int, what: str = "is larger than") -> UnreadableError:
    """What is said of anything beyond its limit."""
    size = f"{max_bytes / MIB:,.0f} MiB" if max_bytes >= MIB else f"{max_bytes:,} bytes"
    return UnreadableError(f"{what} {size}", "split it into smaller ones")


def read_whole(stream: Readable, max_bytes: int) -> bytes:
    """All bytes of a stream. UnreadableError: it is larger, or breaks off."""
    pieces = []
    left = max_bytes
    while piece := stream.read(min(READ_BYTES, left + 1)):
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            raise too_large(max_bytes)
    return b"".join(pieces)


def gunzip(packed: Readable) -> Readable:
    """What a gzip stream holds, all its members one after the other."""
    unpacked: Readable = gzip.GzipFile(fileobj=packed)  # type: ignore[call-overload]  # only reads
    return unpacked


class Unzstd:
    """What a Zstandard stream holds, all its frames; EOFError if the last one is cut short.

    zstandard's own reader takes a stream that breaks off for one that ends.
    """

    def __init__(self, packed: Readable) -> None:
        self._packed = packed
        self._input = memoryview(b"")
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._failure: Exception | None = None

    def read(self, size: int, /) -> bytes:
        """About `size` bytes; more when a block does not divide."""
        pieces: list[bytes] = []
        ready = 0
        while ready < min(size, _UNPACKED_READ_BYTES) and not self._failure:
            try:
                piece = self._unpack_some()
            except (EOFError, zstandard.ZstdError, UnreadableError) as error:
                self._failure = error  # what came before it counts: the next call raises it
                break
            if piece is None:
                break
            pieces.append(piece)
            ready += len(piece)
        if self._failure and not pieces:
            raise self._failure
        return b"".join(pieces)

    def _unpack_some(self) -> bytes | None:
        if not self._input:
            self._input = memoryview(self._packed.read(READ_BYTES))
        if not self._input:
            if self._frame:
                raise EOFError
            return None
        self._frame = self._frame or _new_frame()
        some, self._input = self._input[:_PACKED_READ_BYTES], self._input[_PACKED_READ_BYTES:]
        piece = self._frame.decompress(some)
        if self._frame.eof:
            self._input = memoryview(self._frame.unused_data + bytes(self._input))
            self._frame = None
        return piece


def _new_frame() -> "zstandard.ZstdDecompressionObj":  # a name that only its stubs have
    return zstandard.ZstdDecompressor().decompressobj(write_size=_ZSTD_WRITE_BYTES)


def as_utf8(stream: GuardedStream, max_bytes: int) -> GuardedStream:
    """For formats of lines: UTF-16 and UTF-32 turned to UTF-8, lone carriage returns to newlines.

    Any other encoding is left to be decoded line by line.
    """
    head = stream.head(READ_BYTES // 16)
    encoding = utf16_encoding(head)
    if encoding:
        return GuardedStream(_Recoded(stream, encoding), max_bytes)
    if b"\r" in head and b"\n" not in head:
        return GuardedStream(_Newlined(stream), max_bytes)
    return stream


class _Recoded:
    def __init__(self, stream: GuardedStream, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read(self, size: int, /) -> bytes:
        while True:
            data = self._stream.read(size) or b""
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode("utf-8", "replace")


class _Newlined:
    def __init__(self, stream: GuardedStream) -> None:
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        return (self._stream.read(size) or b"").replace(b"\r", b"\n")
