"""The members of zip and tar archives, one after the other, unpacked as they are read."""

import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, BinaryIO, cast

from index.formats.folder import is_hidden, is_judgment
from index.formats.limits import MIB, Limits
from index.formats.streams import READ_BYTES, GuardedStream, Readable, UnreadableError, too_large

# A name, and what is under it or why that cannot be read.
Member = tuple[str, Readable | UnreadableError]

# What zipfile and tarfile ask for at once besides members: names, sizes, a zip's directory of
# 250,000 members. More is made to fill memory.
MAX_DIRECTORY_BYTES = 32 * MIB
# Methods whose memory the archive cannot choose (LZMA's dictionary may be 4 GiB).
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_BLOCK_BYTES = 512
_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, NotImplementedError, ValueError, OverflowError),
    *(EOFError, OSError, struct.error, RecursionError, IndexError),
)


def zip_members(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    """The files in a zip, in its own order; hidden ones and BEIR's judgments are passed over.

    Raises:
        UnreadableError: it is no zip, is damaged, or has too many members.
    """
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], _CappedFile(file)))
    except _DAMAGED as error:
        raise _damaged(error) from error
    with archive:
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
        if len(infos) > limits.max_members:
            raise _too_many(limits)
        names = {info.filename for info in infos}
        for info in infos:
            if not _is_passed_over(info.filename, names):
                yield info.filename, _open_zip_member(archive, info)


def tar_members(stream: GuardedStream, limits: Limits) -> Iterator[Member]:
    """The files in a tar, in its own order; links, hidden ones and judgments are passed over.

    Each is to be read before the next is asked for.

    Raises:
        UnreadableError: it is no tar, is damaged or cut short, or has too many members.
    """
    forward = _ForwardFile(stream)
    names: set[str] = set()
    try:
        with tarfile.open(fileobj=cast(IO[bytes], forward), mode="r:") as archive:
            while info := archive.next():
                archive.members = []  # type: ignore[attr-defined]  # it keeps all it saw, for random access
                name = info.name.removeprefix("./")
                names.add(name)
                if len(names) > limits.max_members:
                    raise _too_many(limits)
                if info.isreg() and not _is_passed_over(name, names):
                    yield name, _open_tar_member(forward, info)
    except _DAMAGED as error:
        raise _damaged(error) from error
    if not forward.stands_at_end_mark:  # tarfile takes a broken header for the end
        raise UnreadableError("is cut short or damaged", "fetch or pack it again")


@contextmanager
def spooled(stream: GuardedStream, limits: Limits) -> Iterator[BinaryIO]:
    """The whole of a stream as a temporary file, for a zip needs seeking.

    Raises:
        UnreadableError: it is larger than `max_spooled_bytes`, breaks off, or finds no space.
    """
    with tempfile.TemporaryFile() as file:
        size = 0
        while piece := stream.read(READ_BYTES):
            size += len(piece)
            if size > limits.max_spooled_bytes:
                raise too_large(limits.max_spooled_bytes)
            try:
                file.write(piece)
            except OSError as error:
                reason = f"cannot be copied to a temporary file: {error.strerror}"
                raise UnreadableError(reason, "make room, or set TMPDIR") from error
        file.seek(0)
        yield cast(BinaryIO, file)


class _CappedFile:
    """A file that refuses to be read in pieces only a hostile archive asks for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1, /) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise too_large(MAX_DIRECTORY_BYTES, "has a directory of more than")
        return self._file.read(size if size >= 0 else MAX_DIRECTORY_BYTES)


class _TarMember:
    """The bytes of a member as far as they go; tarfile's reader drops those before an error."""

    def __init__(self, file: "_ForwardFile", info: tarfile.TarInfo) -> None:
        self._file = file
        self._left = info.size
        file.seek(info.offset_data)

    def read(self, size: int, /) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        if not data and self._left and size:
            raise EOFError
        return data


class _ForwardFile:
    """A stream as a file that can be sought forwards only, which is all that tarfile needs."""

    def __init__(self, stream: GuardedStream) -> None:
        self._stream = stream
        self._at = 0
        self._last_block = b""
        self._failure: UnreadableError | None = None

    def read(self, size: int, /) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise too_large(MAX_DIRECTORY_BYTES, "has a header of more than")
        data = self._read_all(size)
        self._at += len(data)
        self._last_block = data
        return data

    def _read_all(self, size: int) -> bytes:
        """`size` bytes, or what there is before the end or an error, which the next call raises."""
        pieces: list[bytes] = []
        while size > 0 and not self._failure:
            try:
                piece = self._stream.read(size)
            except UnreadableError as error:
                self._failure = error
                break
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        if self._failure and not pieces:
            raise self._failure
        return b"".join(pieces)

    def seek(self, position: int, /) -> int:
        if position < self._at:
            raise tarfile.ReadError("its headers point backwards")
        while self._at < position:
            if not self.read(min(position - self._at, READ_BYTES)):
                break
        return self._at

    def tell(self) -> int:
        return self._at

    @property
    def stands_at_end_mark(self) -> bool:
        return len(self._last_block) == _BLOCK_BYTES and not any(self._last_block)


def _open_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Readable | UnreadableError:
    if info.flag_bits & _ENCRYPTED:
        return UnreadableError("is encrypted", "unpack the archive with its password")
    if info.compress_type not in _METHODS:
        return UnreadableError("is packed by an unusual method", "pack it again as zip (deflate)")
    try:
        return archive.open(info)
    except UnreadableError as error:
        return error
    except (*_DAMAGED, RuntimeError) as error:  # RuntimeError: a password is asked for
        return _damaged(error)


def _open_tar_member(file: _ForwardFile, info: tarfile.TarInfo) -> Readable | UnreadableError:
    if info.issparse():
        return UnreadableError("is a file with holes", "pack it again without --sparse")
    return _TarMember(file, info)


def _is_passed_over(name: str, names: set[str]) -> bool:
    path = PurePosixPath(name)
    return is_hidden(path) or is_judgment(path, names)


def _damaged(error: Exception) -> UnreadableError:
    return UnreadableError(f"is damaged ({error})", "fetch or pack it again")


def _too_many(limits: Limits) -> UnreadableError:
    return UnreadableError(
        f"has more than {limits.max_members:,} members", "split it into smaller archives"
    )
