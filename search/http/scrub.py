"""Re-reads the whole store in the background, so that damage is known before somebody asks for it.

A disk keeps its errors to itself until it is read. Once a day each row is held against its
checksum and each file against its digest, a little at a time: between two looks the scrub rests for
so long that it takes a fiftieth of a core.
"""

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from index import generations, row_checks, store_folder, words
from index.errors import NutgrafError, StoreCorruptError
from index.segments import SegmentInfo

logger = logging.getLogger(__name__)

SHARE_OF_A_CORE: Final = 0.02
BETWEEN_ROUNDS_S: Final = 24 * 3600.0
# A server that was just started has better things to do.
BEFORE_THE_FIRST_S: Final = 60.0
_BYTES: Final = 1 << 20  # hashed between two rests


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What the scrub has read since the server was started, and what it found."""

    rounds: int = 0  # through the whole store
    rows: int = 0
    bytes: int = 0  # of segments
    damaged: int = 0  # rows and files that are, as the newest round has it so far
    finished_s: float | None = None  # when the last round ended, in seconds since 1970 UTC


class Scrub:
    """Reads a store over and over, until `stopping` is set."""

    def __init__(self, folder: Path, stopping: threading.Event) -> None:
        self._folder, self._stopping = folder, stopping
        self.scrubbed = Scrubbed()

    def run(self) -> None:
        wait_s = BEFORE_THE_FIRST_S
        while not self._stopping.wait(wait_s):
            began_s = time.monotonic()
            for seconds in self.round():
                if self._stopping.wait(seconds / SHARE_OF_A_CORE - seconds):
                    return
            wait_s = max(0.0, BETWEEN_ROUNDS_S - (time.monotonic() - began_s))

    def round(self) -> Iterator[float]:
        """Read the store once, piece by piece; yields how many seconds each piece took."""
        damaged: set[str] = set()
        began = time.monotonic()
        for found in self._pieces():
            for place in found:
                if place not in damaged:
                    damaged.add(place)
                    logger.error("damage found place=%r; run `nutgraf verify`", place)
            if len(damaged) > self.scrubbed.damaged:
                self.scrubbed = replace(self.scrubbed, damaged=len(damaged))
            yield time.monotonic() - began
            began = time.monotonic()
        done = self.scrubbed
        self.scrubbed = replace(
            done, rounds=done.rounds + 1, damaged=len(damaged), finished_s=time.time()
        )
        logger.info("scrubbed rows=%d damaged=%d", self.scrubbed.rows, len(damaged))

    def _pieces(self) -> Iterator[list[str]]:
        """Places that are damaged, after each piece of the store."""
        try:
            with store_folder.reading(self._folder) as truth:
                for table in row_checks.TABLES:
                    yield from self._rows(truth, table)
                for info in generations.live_segments(truth):
                    yield from self._segment(truth, info)
        except NutgrafError as error:
            yield [str(error)]
        try:
            words.check_files(self._folder / store_folder.WORDS)
            yield []
        except (OSError, KeyError, TypeError, ValueError) as error:
            yield [f"{store_folder.WORDS}: {error}"]

    def _rows(self, truth: sqlite3.Connection, table: str) -> Iterator[list[str]]:
        try:
            for batch in row_checks.batches(truth, table):
                self.scrubbed = replace(self.scrubbed, rows=self.scrubbed.rows + batch.rows)
                yield list(batch.damaged)
        except sqlite3.DatabaseError as error:
            if not store_folder.is_damage(error):
                raise
            yield [f"{table} is not readable ({error})"]

    def _segment(self, truth: sqlite3.Connection, info: SegmentInfo) -> Iterator[list[str]]:
        digest = hashlib.sha256()
        try:
            with (self._folder / store_folder.SEGMENTS / info.name).open("rb") as file:
                while data := file.read(_BYTES):
                    digest.update(data)
                    self.scrubbed = replace(self.scrubbed, bytes=self.scrubbed.bytes + len(data))
                    yield []
        except FileNotFoundError:
            digest.update(b"gone")
        if digest.hexdigest() != info.sha256 and info in _live(truth):
            yield [f"{store_folder.SEGMENTS}/{info.name}"]


def _live(truth: sqlite3.Connection) -> list[SegmentInfo]:
    """A segment whose file is gone may have been replaced meanwhile."""
    try:
        return generations.live_segments(truth)
    except StoreCorruptError:
        return []  # `round` says so
