"""Segments: immutable files of vectors under `segments/`, each with its ids.

A file is: magic, vectors (float16), FAISS bytes, passage numbers (int64), a JSON footer (counts,
model, digest of all before it), the footer's length, magic. A small segment is searched exactly:
its FAISS bytes are the vectors, and it holds none beside them. A large one has lists of short codes
and what they are turned by (`index/coded_lists.py`). A file is written once under a name never used
before, and is live only when a generation in the store names it. Its digest is checked before
native code sees a byte of it: FAISS loads most damaged files without a word.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index import coded_lists, deadline
from index.coded_lists import CodedLists
from index.errors import StoreCorruptError
from index.synced_folders import sync_folder

# FAISS shares threads out by query, and we ask one at a time: more threads only wait for each
# other, which cost 18 ms a query on a busy machine of two cores.
faiss.omp_set_num_threads(1)

_MAGIC = b"NUTGRAF-SEGMENT1"
_CODES: Final = "turned"  # what those of a large segment are of
_FOOTER_BYTES: Final = 1 << 12  # more than a footer has
_PROBES = 32
# A stored vector is among the first by its code, in a list nearest to it.
_PROBED: Final = 1_000
# More are not searched exactly: about from here on the codes are quicker, and find nearly all that
# is nearest (both: scripts/bench/vectors.py).
EXACT_PASSAGES: Final = 50_000
# Of so many at most a segment is made: 770 MB, half a minute of two cores.
MOST_PASSAGES: Final = 1_000_000
# FAISS cannot be interrupted: of more rows than this, a fifth of a second, so many at a time.
_ROWS_BETWEEN_LOOKS = 1_000_000


def new_name(seq: int) -> str:
    """A name that no segment ever had. `seq`: the store's, before the vectors are read."""
    return f"{seq:012d}-{os.urandom(4).hex()}.seg"


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """What the store keeps of a segment."""

    name: str
    passages: int
    sha256: str

    @property
    def seq(self) -> int:
        """That of `new_name`: whatever was removed after it is dead in the segment."""
        return int(self.name.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that is open.

    `numbers` has shape (n,), int64, ascending; `vectors` (n, dim), float16: in memory, or in the
    file where it was opened as mapped. `lists` finds what is near among them; None: the segment is
    small, and `index`, into which `vectors` is a view, is searched exactly.
    """

    name: str
    numbers: NDArray[np.int64]
    vectors: NDArray[np.float16]
    index: faiss.IndexScalarQuantizer | None
    lists: CodedLists | None

    def search(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The best rows of a small segment by inner product, best first; exact.

        `allowed` has shape (n,), bool; None: all rows. Returns row numbers, shape (m,), int64,
        and cosines, shape (m,), float32; m <= depth.

        Raises:
            DeadlineError: the question's time is over.
        """
        total = len(self.numbers)
        if total <= _ROWS_BETWEEN_LOOKS:
            return self._search(query, depth, allowed)
        parts = []
        for first in range(0, total, _ROWS_BETWEEN_LOOKS):
            part = np.zeros(total, dtype=np.bool_)
            part[first : first + _ROWS_BETWEEN_LOOKS] = True
            parts.append(self._search(query, depth, part if allowed is None else part & allowed))
        rows, cosines = map(np.concatenate, zip(*parts, strict=True))
        best = np.argsort(-cosines, kind="stable")[:depth]
        return rows[best], cosines[best]

    def _search(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        deadline.check()
        parameters = None
        if allowed is not None:
            bitmap = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        assert self.index is not None
        cosines, rows = self.index.search(query[None, :], depth, params=parameters)
        found = rows[0] >= 0
        return rows[0][found], cosines[0][found]


def write_segment(
    folder: Path,
    name: str,
    numbers: NDArray[np.int64],
    vectors: NDArray[np.float16],
    model: str,
) -> SegmentInfo:
    """Write a segment so that it survives a power cut, read it back and probe it.

    Args:
        numbers: passage numbers, shape (n,), int64, ascending.
        vectors: shape (n, dim), float16, L2 norm 1.

    Raises:
        StoreCorruptError: what was read back is not what was written.
    """
    parts = _parts(numbers, vectors, model)
    path = folder / name
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)  # half a segment would keep the disk full
        raise
    if path.exists():
        raise StoreCorruptError(f"{path}: a segment of this name exists; names are never reused")
    draft.rename(path)
    sync_folder(folder)
    info = SegmentInfo(name, len(numbers), _digest(parts))
    _probe(read_segment(folder, info, mapped=True), vectors)
    return info


def read_segment(folder: Path, info: SegmentInfo, *, mapped: bool = False) -> Segment:
    """Open a segment; what is not mapped is read into memory.

    Args:
        mapped: a large segment's vectors stay in the file, and the system keeps in memory what is
            asked for often. A disk that fails under them ends the process, not the question.

    Raises:
        StoreCorruptError: the file is missing, or is not what was published.
    """
    data = _mapped(folder, info) if mapped else published_bytes(folder, info)
    footer = _footer(data[-_FOOTER_BYTES:])
    count, dim = footer["passages"], footer["dim"]
    faiss_begin = len(_MAGIC) + footer.get("vector_bytes", 0)
    faiss_end = faiss_begin + footer["faiss_bytes"]
    faiss_bytes = np.frombuffer(data, np.uint8, footer["faiss_bytes"], faiss_begin)
    numbers = np.frombuffer(data, np.int64, count, faiss_end).copy()
    if faiss_begin > len(_MAGIC):
        vectors = np.frombuffer(data, np.float16, count * dim, len(_MAGIC)).reshape(count, dim)
        return Segment(info.name, numbers, vectors, None, coded_lists.load(faiss_bytes))
    index: faiss.IndexScalarQuantizer = faiss.deserialize_index(  # type: ignore[assignment]
        faiss_bytes
    )
    codes = faiss.rev_swig_ptr(index.codes.data(), index.ntotal * index.code_size)
    vectors = codes.view(np.float16).reshape(index.ntotal, index.d)
    return Segment(info.name, numbers, vectors, index, None)


def published_bytes(folder: Path, info: SegmentInfo) -> bytes:
    """A segment's file, checked against the digest of its publication.

    Raises:
        StoreCorruptError: the file is missing, or is not what was published.
    """
    path = folder / info.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _missing(path, error) from error
    _check(path, info, hashlib.sha256(data).hexdigest(), data[-_FOOTER_BYTES:])
    return data


def check_published(folder: Path, info: SegmentInfo) -> None:
    """Hold a segment's file against the digest of its publication, a piece at a time.

    Raises:
        StoreCorruptError: as `published_bytes`.
    """
    path = folder / info.name
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(max(file.tell() - _FOOTER_BYTES, 0))
            end = file.read()
    except OSError as error:
        raise _missing(path, error) from error
    _check(path, info, digest, end)


def _check(path: Path, info: SegmentInfo, digest: str, end: bytes) -> None:
    if digest != info.sha256:
        raise _changed(path)
    footer = _footer(end)
    if footer.get("vector_bytes") and footer.get("codes") != _CODES:
        raise StoreCorruptError(
            f"{path}: its codes are those of another version; the next write rebuilds it"
        )


def _footer(end: bytes) -> dict[str, Any]:
    """What a file says of itself, from its last bytes."""
    at = len(end) - len(_MAGIC) - 8
    length = int.from_bytes(end[at : at + 8], "little")
    footer: dict[str, Any] = json.loads(end[at - length : at])
    return footer


def _mapped(folder: Path, info: SegmentInfo) -> mmap.mmap:
    check_published(folder, info)
    path = folder / info.name
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise _missing(path, error) from error


def _missing(path: Path, error: OSError) -> StoreCorruptError:
    return StoreCorruptError(f"{path}: {error.strerror}; the next write rebuilds it")


def _changed(path: Path) -> StoreCorruptError:
    return StoreCorruptError(
        f"{path}: not the bytes that were published; the next write rebuilds it"
    )


def _parts(
    numbers: NDArray[np.int64], vectors: NDArray[np.float16], model: str
) -> list[bytes | memoryview]:
    """What a segment's file is made of, one after the other."""
    count, dim = vectors.shape
    if count > EXACT_PASSAGES and not dim % coded_lists.NUMBERS_A_CODE:
        beside = np.ascontiguousarray(vectors, dtype="<f2").data.cast("B")
        faiss_bytes = coded_lists.build(vectors).data
    else:
        beside = memoryview(b"")
        faiss_bytes = _exact_index(vectors).data
    body: list[bytes | memoryview] = [_MAGIC, beside, faiss_bytes, numbers.astype("<i8").tobytes()]
    footer = json.dumps(
        {
            "vector_bytes": beside.nbytes,
            "faiss_bytes": faiss_bytes.nbytes,
            "passages": count,
            "dim": dim,
            "codes": _CODES,
            "model": model,
            "sha256": _digest(body),
        }
    ).encode()
    return [*body, footer, len(footer).to_bytes(8, "little"), _MAGIC]


def _digest(parts: Sequence[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _exact_index(vectors: NDArray[np.float16]) -> NDArray[np.uint8]:
    index = faiss.IndexScalarQuantizer(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors[:1].astype(np.float32))
    index.add(vectors.astype(np.float32))
    return faiss.serialize_index(index)


def _probe(segment: Segment, vectors: NDArray[np.float16]) -> None:
    """Stored vectors must find themselves, or an equal one."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, _PROBES).astype(np.int64))
    if lost := rows_not_found(segment, vectors, rows):
        raise StoreCorruptError(
            f"{segment.name}: row {lost[0]} does not find itself; the segment was not published"
        )


def rows_not_found(
    segment: Segment, vectors: NDArray[np.float16], rows: NDArray[np.int64]
) -> list[int]:
    """Which of these rows, asked for by their own vector, find neither themselves nor an equal.

    `vectors` has the shape of the segment's, `rows` (n,), int64.
    """
    lost = []
    for row in rows.tolist():
        query = vectors[row].astype(np.float32)
        if segment.lists is None:
            found = segment.search(query, 1, None)[0]
        else:
            lists = segment.lists.around(query)
            found = segment.lists.candidates(query, _PROBED, lists, None)[0]
        cosines = segment.vectors[found].astype(np.float32) @ query
        if cosines.max(initial=-1.0) < float(query @ query) - 1e-3:
            lost.append(row)
    return lost
