"""Segments: immutable files of vectors under `segments/`, each a FAISS index with its ids.

A file is: magic, FAISS bytes, passage numbers (int64), a JSON footer (counts, model, digest of all
before it), the footer's length, magic. A file is written once under a name never used before, and
is live only when a generation in the store names it. Its digest is checked before native code sees
a byte of it: FAISS loads most damaged files without a word.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index import deadline
from index.errors import StoreCorruptError
from index.synced_folders import sync_folder

# FAISS shares threads out by query, and we ask one at a time: more threads only wait for each
# other, which cost 18 ms a query on a busy machine of two cores.
faiss.omp_set_num_threads(1)

_MAGIC = b"NUTGRAF-SEGMENT1"
_PROBES = 32
# FAISS cannot be interrupted: of more rows than this, a fifth of a second, so many at a time.
_ROWS_BETWEEN_LOOKS = 1_000_000


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """What the store keeps of a segment."""

    name: str
    passages: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment in memory.

    `numbers` has shape (n,), int64, ascending; `vectors` (n, dim), float16, a view into `index`.
    """

    name: str
    numbers: NDArray[np.int64]
    vectors: NDArray[np.float16]
    index: faiss.IndexScalarQuantizer

    def search(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The best rows by inner product, best first.

        `allowed` has shape (n,), bool; None: all rows. Returns row numbers, shape (m,), int64,
        and cosines, shape (m,), float32; m <= depth.

        Raises:
            DeadlineError: the question's time is over.
        """
        total = self.index.ntotal
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
    data = _serialise(numbers, vectors, model)
    path = folder / name
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)  # half a segment would keep the disk full
        raise
    if path.exists():
        raise StoreCorruptError(f"{path}: a segment of this name exists; names are never reused")
    draft.rename(path)
    sync_folder(folder)
    info = SegmentInfo(name, len(numbers), hashlib.sha256(data).hexdigest())
    _probe(read_segment(folder, info), vectors)
    return info


def read_segment(folder: Path, info: SegmentInfo) -> Segment:
    """Load a segment into memory.

    Raises:
        StoreCorruptError: the file is missing, or is not what was published.
    """
    data = published_bytes(folder, info)
    footer_length = int.from_bytes(data[-len(_MAGIC) - 8 : -len(_MAGIC)], "little")
    footer_end = len(data) - len(_MAGIC) - 8
    footer = json.loads(data[footer_end - footer_length : footer_end])
    faiss_end = len(_MAGIC) + footer["faiss_bytes"]
    index: faiss.IndexScalarQuantizer = faiss.deserialize_index(  # type: ignore[assignment]
        np.frombuffer(data, dtype=np.uint8, count=footer["faiss_bytes"], offset=len(_MAGIC))
    )
    numbers = np.frombuffer(data, dtype=np.int64, count=footer["passages"], offset=faiss_end)
    codes = faiss.rev_swig_ptr(index.codes.data(), index.ntotal * index.code_size)
    vectors = codes.view(np.float16).reshape(index.ntotal, index.d)
    return Segment(info.name, numbers.copy(), vectors, index)


def published_bytes(folder: Path, info: SegmentInfo) -> bytes:
    """A segment's file, checked against the digest of its publication.

    Raises:
        StoreCorruptError: the file is missing, or is not what was published.
    """
    path = folder / info.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreCorruptError(f"{path}: {error.strerror}; the next write rebuilds it") from error
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise StoreCorruptError(
            f"{path}: not the bytes that were published; the next write rebuilds it"
        )
    return data


def _serialise(numbers: NDArray[np.int64], vectors: NDArray[np.float16], model: str) -> bytes:
    index = faiss.IndexScalarQuantizer(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.train(vectors[:1].astype(np.float32))
    index.add(vectors.astype(np.float32))
    faiss_bytes = faiss.serialize_index(index).tobytes()
    body = _MAGIC + faiss_bytes + numbers.astype("<i8").tobytes()
    footer = json.dumps(
        {
            "faiss_bytes": len(faiss_bytes),
            "passages": len(numbers),
            "dim": vectors.shape[1],
            "model": model,
            "sha256": hashlib.sha256(body).hexdigest(),
        }
    ).encode()
    return body + footer + len(footer).to_bytes(8, "little") + _MAGIC


def _probe(segment: Segment, vectors: NDArray[np.float16]) -> None:
    """Stored vectors must find themselves, or an equal one."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, _PROBES).astype(np.int64))
    for row in rows:
        query = vectors[row].astype(np.float32)
        _, cosines = segment.search(query, 1, None)
        if len(cosines) == 0 or cosines[0] < float(query @ query) - 1e-3:
            raise StoreCorruptError(
                f"{segment.name}: row {row} does not find itself; the segment was not published"
            )


# ------------------------------------------------- what the truth says of segments
