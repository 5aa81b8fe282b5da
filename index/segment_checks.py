"""Holds segments against the truth: their files, and vector by vector."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from index import segments, store, store_folder
from index.checksums import columns_of, is_sound
from index.errors import StoreCorruptError
from index.findings import Finding, Part, derived
from index.generations import generation_max_seq, live_segments

_ROWS = 5_000  # vectors compared at a time
_ASKED_EVERY = 1_000  # of a large segment's vectors, those that have to find themselves


def files(folder: Path, truth: sqlite3.Connection) -> Iterator[Finding]:
    """Segments whose file is not what was published, or of which the truth says nothing sound."""
    try:
        infos = live_segments(truth)
        generation_max_seq(truth)
    except StoreCorruptError as error:
        yield _finding("", str(error).partition(";")[0])
        return
    for info in infos:
        try:
            segments.check_published(folder / store_folder.SEGMENTS, info)
        except StoreCorruptError as error:
            if _is_replaced(folder, info):
                continue
            meaning = str(error).partition(": ")[2].partition(";")[0]
            yield _finding(info.name, f"{meaning}; vectors are read from the database meanwhile")


def contents(folder: Path, truth: sqlite3.Connection) -> Iterator[Finding]:
    """Segments that do not hold exactly the vectors that the truth says they do.

    Of those that `files` finds sound.
    """
    fingerprint = str(store.meta(truth, "fingerprint") or "")
    held = [np.empty(0, dtype=np.int64)]
    for info in live_segments(truth):
        try:
            segment = segments.read_segment(folder / store_folder.SEGMENTS, info)
        except StoreCorruptError:
            if _is_replaced(folder, info):
                return  # and with it what the others hold together
            raise
        if len(segment.numbers) != info.passages or np.any(np.diff(segment.numbers) <= 0):
            yield _finding(info.name, "its passages are not those that were published")
        held.append(segment.numbers)
        wrong = sum(
            _differing(truth, fingerprint, segment, at)
            for at in range(0, len(segment.numbers), _ROWS)
        )
        if wrong:
            yield _finding(info.name, f"{wrong:,} vectors are not those of the database")
        if lost := _not_found(segment):
            yield _finding(info.name, f"{lost:,} vectors are not found where they should be")
    wanted = truth.execute(
        "SELECT p.number FROM passages p JOIN articles a ON a.number = p.article "
        "WHERE a.removed_seq IS NULL AND p.embedded_seq <= ?",
        (generation_max_seq(truth),),
    )
    numbers = np.fromiter((row[0] for row in wanted), dtype=np.int64)
    missing = np.count_nonzero(~np.isin(numbers, np.concatenate(held)))
    if missing:
        yield _finding("", f"{missing:,} embedded passages are in no segment: not found by meaning")


def _is_replaced(folder: Path, info: segments.SegmentInfo) -> bool:
    """Whether a writer has published others since, and deleted the file."""
    with store_folder.reading(folder) as now:
        return info not in live_segments(now)


def _differing(
    truth: sqlite3.Connection, fingerprint: str, segment: segments.Segment, at: int
) -> int:
    """How many of a segment's rows from `at` on have another vector in the truth.

    Rows of passages that were removed since are passed over, and so are damaged vectors, which
    are reported as rows.
    """
    numbers = segment.numbers[at : at + _ROWS]
    rows = truth.execute(
        f"SELECT p.number, {columns_of('vectors', 'v')} FROM passages p "
        "CROSS JOIN vectors v ON v.model = ? AND v.embedding = p.embedding "
        "WHERE p.number BETWEEN ? AND ?",
        (fingerprint, int(numbers[0]), int(numbers[-1])),
    )
    position = {number: at + row for row, number in enumerate(numbers.tolist())}
    return sum(
        segment.vectors[position[number]].tobytes() != row[2]
        for number, *row in rows
        if number in position and is_sound("vectors", row)
    )


def _not_found(segment: segments.Segment) -> int:
    """How many of a large segment's rows are in none of its lists, or do not find themselves.

    Each is looked for in the lists, and one of a thousand is asked for.
    """
    if segment.lists is None:
        return 0
    rows = np.arange(0, len(segment.numbers), _ASKED_EVERY)
    return segment.lists.missing + len(segments.rows_not_found(segment, segment.vectors, rows))


def _finding(name: str, meaning: str) -> Finding:
    return derived(Part.SEGMENTS, f"{store_folder.SEGMENTS}/{name}", meaning)
