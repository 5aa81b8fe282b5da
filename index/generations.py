"""Generations: which segments are live, and which vectors are in none of them yet.

A commit that names a generation is the only publication of a segment. Vectors that were committed
up to a generation's `max_seq` are in its segments; later ones are the tail.
"""

import logging
import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.segments import SegmentInfo
from index.store import crc

logger = logging.getLogger(__name__)

# Design section 4: compaction at a fifth of dead vectors or more than eight segments.
_MAX_DEAD_SHARE = 0.2
_MAX_SEGMENTS = 8


def publish(
    truth: sqlite3.Connection,
    infos: Sequence[SegmentInfo],
    fingerprint: str,
    *,
    keep: bool,
    max_seq: int,
) -> None:
    """Name the live segments: the new ones, and with `keep` those before.

    Inside the transaction that is open; its commit is the publication.
    """
    names = [info.name for info in live_segments(truth)] if keep else []
    truth.executemany(
        "INSERT INTO segments VALUES (?, ?, ?, ?)",
        [(info.name, fingerprint, info.passages, info.sha256) for info in infos],
    )
    number = truth.execute("INSERT INTO generations (max_seq) VALUES (?)", (max_seq,)).lastrowid
    truth.executemany(
        "INSERT INTO generation_segments VALUES (?, ?)",
        [(number, name) for name in [*names, *(info.name for info in infos)]],
    )
    truth.execute("DELETE FROM generation_segments WHERE generation < ?", (number,))
    truth.execute("DELETE FROM generations WHERE number < ?", (number,))
    truth.execute(
        "DELETE FROM segments WHERE name NOT IN (SELECT segment FROM generation_segments)"
    )


def need_compaction(truth: sqlite3.Connection) -> bool:
    """Whether there are too many segments, or too many of their vectors are dead."""
    infos = live_segments(truth)
    if len(infos) > _MAX_SEGMENTS - 1:
        return True
    held = sum(info.passages for info in infos)
    if not held:
        return False
    row = truth.execute(
        "SELECT count(*) FROM passages p JOIN articles a ON a.number = p.article "
        "WHERE a.removed_seq IS NULL AND p.embedded_seq <= ?",
        (generation_max_seq(truth),),
    ).fetchone()
    return held - int(row[0]) > _MAX_DEAD_SHARE * held


def live_vectors(
    truth: sqlite3.Connection, fingerprint: str
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """All vectors of a model that live passages have; see `checked_vectors`."""
    return checked_vectors(truth.execute(f"{_LIVE_VECTORS} ORDER BY p.number", (fingerprint,)))


def tail(
    truth: sqlite3.Connection, fingerprint: str
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Those of `live_vectors` that are in no segment yet."""
    return checked_vectors(
        truth.execute(
            f"{_LIVE_VECTORS} AND p.embedded_seq > ? ORDER BY p.number",
            (fingerprint, generation_max_seq(truth)),
        )
    )


_LIVE_VECTORS = (
    "SELECT p.number, v.embedding, v.vector, v.crc FROM passages p "
    "JOIN articles a ON a.number = p.article "
    "JOIN vectors v ON v.model = ? AND v.embedding = p.embedding "
    "WHERE a.removed_seq IS NULL"
)


def live_segments(truth: sqlite3.Connection) -> list[SegmentInfo]:
    """The segments of the newest generation, by name."""
    rows = truth.execute(
        "SELECT s.name, s.passages, s.sha256 FROM segments s "
        "JOIN generation_segments g ON g.segment = s.name ORDER BY s.name"
    )
    return [SegmentInfo(*row) for row in rows]


def generation_max_seq(truth: sqlite3.Connection) -> int:
    """Vectors up to this seq are in the newest generation's segments; later ones are the tail."""
    return int(truth.execute("SELECT max(max_seq) FROM generations").fetchone()[0])


def checked_vectors(
    rows: sqlite3.Cursor,
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Rows of (passage number, embedding hash, vector, crc) as arrays; damaged ones are left out.

    Returns passage numbers, shape (n,), int64, and vectors, shape (n, dim), float16.
    """
    numbers, blobs = [], []
    for number, name, vector, stored in rows:
        if crc(name, vector) == stored:
            numbers.append(number)
            blobs.append(vector)
        else:
            logger.warning("the vector of passage number %d is damaged, left out", number)
    dim = len(blobs[0]) // 2 if blobs else 0
    vectors = np.frombuffer(b"".join(blobs), dtype=np.float16).reshape(len(blobs), dim)
    return np.array(numbers, dtype=np.int64), vectors
