"""Generations: which segments are live, and which vectors are in none of them yet.

A commit that names a generation is the only publication of a segment. Vectors that were committed
up to a generation's `max_seq` are in its segments; later ones are the tail.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.checksums import columns_of, insert_into, is_sound, sealed
from index.errors import StoreCorruptError
from index.segments import EXACT_PASSAGES, MOST_PASSAGES, SegmentInfo
from index.store import OF_LIVE_ARTICLE, next_number

logger = logging.getLogger(__name__)

# Design section 4: compaction at a fifth of dead vectors, no more than eight small segments.
_MAX_DEAD_SHARE = 0.2
_MAX_SMALL = 8
_SQL_VARIABLES = 10_000  # of the 32,766 that SQLite takes in one statement


def publish(
    truth: sqlite3.Connection,
    infos: Sequence[SegmentInfo],
    fingerprint: str,
    *,
    keep: Iterable[SegmentInfo],
    max_seq: int,
) -> None:
    """Name the live segments: the new ones, and those of before that are to `keep`.

    Inside the transaction that is open; its commit is the publication.
    """
    names = [info.name for info in keep]
    truth.executemany(
        insert_into("segments"),
        [sealed("segments", info.name, fingerprint, info.passages, info.sha256) for info in infos],
    )
    number = next_number(truth, "generations")
    truth.execute(insert_into("generations"), sealed("generations", number, max_seq))
    truth.executemany(
        insert_into("generation_segments"),
        [
            sealed("generation_segments", number, name)
            for name in [*names, *(info.name for info in infos)]
        ],
    )
    truth.execute("DELETE FROM generation_segments WHERE generation < ?", (number,))
    truth.execute("DELETE FROM generations WHERE number < ?", (number,))
    truth.execute(
        "DELETE FROM segments WHERE name NOT IN (SELECT segment FROM generation_segments)"
    )


def need_compaction(truth: sqlite3.Connection) -> bool:
    """Whether too many of the segments' vectors are dead.

    Also when what the truth says of them is damaged: new ones are right again.
    """
    try:
        infos = live_segments(truth)
    except StoreCorruptError as error:
        logger.warning("%s", error)
        return True
    held = sum(info.passages for info in infos)
    too_many = int(_MAX_DEAD_SHARE * held) + 1
    if not held or _removed_since(truth, min(info.seq for info in infos), too_many) < too_many:
        return False
    row = truth.execute(
        "SELECT count(*) FROM passages p JOIN articles a ON a.number = p.article "
        "WHERE a.removed_seq IS NULL AND p.embedded_seq <= ?",
        (generation_max_seq(truth),),
    ).fetchone()
    return held - int(row[0]) > _MAX_DEAD_SHARE * held


def _removed_since(truth: sqlite3.Connection, seq: int, most: int) -> int:
    """How many passages were removed since, no more than `most`: to count the live takes longer."""
    row = truth.execute(
        "SELECT count(*) FROM (SELECT 1 FROM tombstones WHERE seq > ? LIMIT ?)", (seq, most)
    ).fetchone()
    return int(row[0])


def to_merge(infos: Sequence[SegmentInfo]) -> list[SegmentInfo]:
    """Segments that are to become one, so that neither their number nor what is rewritten grows.

    Small ones, which are searched exactly, when they are many or together too large for that; then
    those that are neither small nor full, when they fill one. A vector is written a few times in
    all, however large the archive becomes.
    """
    small = [info for info in infos if info.passages <= EXACT_PASSAGES]
    if len(small) > _MAX_SMALL or _passages(small) > EXACT_PASSAGES:
        return small
    middle = [info for info in infos if EXACT_PASSAGES < info.passages <= MOST_PASSAGES // 2]
    return middle if _passages(middle) > MOST_PASSAGES // 2 else []


def _passages(infos: Iterable[SegmentInfo]) -> int:
    return sum(info.passages for info in infos)


def live_numbers(truth: sqlite3.Connection, fingerprint: str) -> NDArray[np.int64]:
    """Numbers of live passages that have a vector of a model, shape (n,), int64, ascending."""
    rows = truth.execute(f"SELECT p.number {_EMBEDDED} ORDER BY p.number", (fingerprint,))
    return _numbers(rows)


def tail(truth: sqlite3.Connection, fingerprint: str) -> NDArray[np.int64]:
    """Those of `live_numbers` that are in no segment yet."""
    rows = truth.execute(
        # By the index of embedded_seq, which the order would keep the planner from.
        f"SELECT p.number {_EMBEDDED} AND p.embedded_seq > ? ORDER BY +p.number",
        (fingerprint, generation_max_seq(truth)),
    )
    return _numbers(rows)


def _numbers(rows: sqlite3.Cursor) -> NDArray[np.int64]:
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


def vectors_of(
    truth: sqlite3.Connection, fingerprint: str, numbers: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """The vectors that live passages among these have of a model; see `checked_vectors`.

    `numbers`: ascending.
    """
    return checked_vectors(
        truth.execute(
            f"SELECT p.number, {columns_of('vectors', 'v')} {_EMBEDDED} "
            "AND p.number IN (SELECT value FROM json_each(?)) ORDER BY p.number",
            (fingerprint, json.dumps(list(numbers))),
        )
    )


def known_embeddings(
    truth: sqlite3.Connection, hashes: Sequence[bytes], fingerprint: str
) -> set[bytes]:
    """Those of these texts, by their hashes, that have a vector of a model."""
    known: set[bytes] = set()
    for at in range(0, len(hashes), _SQL_VARIABLES):
        some = hashes[at : at + _SQL_VARIABLES]
        rows = truth.execute(
            "SELECT embedding FROM vectors WHERE model = ? "
            f"AND embedding IN ({', '.join('?' * len(some))})",
            (fingerprint, *some),
        )
        known.update(row[0] for row in rows)
    return known


# CROSS: in this order. The planner takes a model for something that few vectors have, and would go
# through all of them for each passage asked for.
_EMBEDDED = (
    "FROM passages p CROSS JOIN vectors v ON v.model = ? AND v.embedding = p.embedding "
    f"WHERE {OF_LIVE_ARTICLE}"
)


def live_segments(truth: sqlite3.Connection) -> list[SegmentInfo]:
    """The segments of the newest generation, by name.

    Raises:
        StoreCorruptError: what the truth says of them is damaged; the vectors themselves need not
            be.
    """
    generation = _newest(truth)[0]
    named = _all_sound(truth, "generation_segments", "generation = ?", generation)
    found = _all_sound(truth, "segments", "name IN (SELECT segment FROM generation_segments)")
    if [segment for _, segment in named] != [name for name, *_ in found]:
        raise _damaged("segments")
    return [SegmentInfo(name, passages, sha256) for name, _, passages, sha256 in found]


def generation_max_seq(truth: sqlite3.Connection) -> int:
    """Vectors up to this seq are in the newest generation's segments; later ones are the tail.

    Raises:
        StoreCorruptError: the row that says so is damaged.
    """
    return _newest(truth)[1]


def _newest(truth: sqlite3.Connection) -> tuple[int, int]:
    """Number and `max_seq` of the newest generation."""
    rows = _all_sound(truth, "generations", "TRUE")
    if not rows:
        raise _damaged("generations")
    number, max_seq = rows[-1]
    return number, max_seq


def _all_sound(
    truth: sqlite3.Connection, table: str, condition: str, *values: int
) -> list[tuple[Any, ...]]:
    """Rows in the order of their key; StoreCorruptError if one of them fails its check."""
    rows = truth.execute(
        f"SELECT {columns_of(table)} FROM {table} WHERE {condition} ORDER BY 1, 2", values
    ).fetchall()
    if not all(is_sound(table, row) for row in rows):
        raise _damaged(table)
    return [row[:-1] for row in rows]


def _damaged(table: str) -> StoreCorruptError:
    return StoreCorruptError(
        f"what the store says of its segments is damaged (table {table}); "
        "the next write rebuilds them"
    )


def checked_vectors(
    rows: sqlite3.Cursor,
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Rows of a passage number and a row of vectors as arrays; damaged ones are left out.

    Returns passage numbers, shape (n,), int64, and vectors, shape (n, dim), float16.
    """
    numbers, blobs = [], []
    for number, *row in rows:
        if is_sound("vectors", row):
            numbers.append(number)
            blobs.append(row[2])
        else:
            logger.warning("the vector of passage number %d is damaged, left out", number)
    dim = len(blobs[0]) // 2 if blobs else 0
    vectors = np.frombuffer(b"".join(blobs), dtype=np.float16).reshape(len(blobs), dim)
    return np.array(numbers, dtype=np.int64), vectors
