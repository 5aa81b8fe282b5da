"""Cursors: places in a result set, which stays whole while the archive changes.

A cursor names the snapshot its result set was found on, so the next page goes on in the same set:
nothing comes twice and nothing is missing, whatever was added, replaced or removed meanwhile. That
snapshot must still be there. The newest one always is, also after a restart; of older ones only
the last few are held, since each keeps its columns in memory, the files it reads on the disk, and
SQLite from reusing its write-ahead log. A cursor that comes too late is refused as expired.

A cursor is opaque but no secret: it holds no words of the question, and says nothing that the
answer beside it does not say.
"""

import base64
import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from typing import Final, Self
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from index.errors import BadQueryError, ExpiredCursorError
from index.snapshot import Snapshot
from search.result_set import Found, Request

# While a backlog is embedded there is a new snapshot every few seconds, each with up to 20,000
# vectors of its own (46 MB).
MOST_SNAPSHOTS: Final = 16
# Of all of them: each has some 30 bytes of memory for each of its passages, 0.5 GB of so many.
MOST_PASSAGES: Final = 16_000_000
LONGEST_UNUSED_S: Final = 600.0
# A next page must not rank anew; a million passages of a result set are 28 MB.
_KEPT_SETS: Final = 256
_KEPT_PASSAGES: Final = 2_000_000
EXPIRED: Final = (
    "cursor: the archive has changed since, and the view that this cursor belongs to is no longer "
    "kept; ask again without a cursor"
)
_VERSION: Final = 1
_MOST_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind the first `offset` hits of a result set."""

    snapshot: str
    today: date  # what "yesterday" in the question was seen from
    request: str  # digest of the question, the filters, the order, what is folded
    found: str  # digest of the result set
    offset: int

    def encode(self) -> str:
        """The cursor as it travels: letters, digits, `-` and `_`."""
        parts = (_VERSION, self.snapshot, self.today.toordinal(), self.request, self.found)
        data = json.dumps([*parts, self.offset], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def at(self, offset: int) -> Self:
        """Another place in the same result set."""
        return replace(self, offset=offset)

    @classmethod
    def decode(cls, text: str) -> Self:
        """The cursor that `encode` gave.

        Raises:
            BadQueryError: it is none.
        """
        try:
            if len(text) > _MOST_CHARS:
                raise ValueError("too long")
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            version, snapshot, today, request, found, offset = json.loads(
                base64.b64decode(padded, altchars=b"-_", validate=True)
            )
            if version != _VERSION:
                raise ValueError("another version")
            if not all(isinstance(part, str) for part in (snapshot, request, found)):
                raise TypeError("no names")
            if type(offset) is not int or offset < 0:
                raise TypeError("no number of hits")
            cursor = cls(snapshot, date.fromordinal(today), request, found, offset)
            if cursor.encode() != text:
                raise ValueError("not as it was given")
        except (ValueError, TypeError, RecursionError, OverflowError):
            raise BadQueryError(
                "cursor", "this is no cursor", "give one exactly as an answer gave it, or none"
            ) from None
        return cursor


def digest_of_request(request: Request) -> str:
    """The same for the same question and choices, whenever it is asked."""
    choices = (request.mode, request.sort, request.effort, request.group)
    names = tuple(choice.value for choice in choices)
    return digest(repr((request.question, request.filters, names, request.as_of)).encode())


def digest_of_set(positions: NDArray[np.int64], snapshot: Snapshot) -> str:
    """Names the passages of a result set and their order.

    A snapshot's id may come again in a store restored from a backup, and another version may rank
    otherwise; neither must go on in a set that it did not begin.
    """
    return digest(snapshot.columns.number[positions].tobytes())


def digest(data: bytes) -> str:
    """A short name for bytes, the same for the same ones."""
    return blake2b(data, digest_size=8).hexdigest()


def reached(first: Cursor, cursor: Cursor | None, total: int) -> Cursor:
    """The place in a set of `total`, which begins at `first`, that `cursor` leads to, if any.

    Raises:
        ExpiredCursorError: the cursor belongs to another snapshot, or another set was found on it.
        BadQueryError: it lies behind the end of the set.
    """
    if cursor is None:
        return first
    if (cursor.snapshot, cursor.found) != (first.snapshot, first.found):
        raise ExpiredCursorError(EXPIRED)
    if cursor.offset >= max(total, 1):
        raise BadQueryError("cursor", "it lies behind the last hit", "leave it out")
    return first.at(cursor.offset)


def neighbours(here: Cursor, k: int, total: int) -> tuple[str | None, str | None]:
    """Cursors of the page behind the one of `k` that begins `here`, and of the one before it."""
    after, before = here.offset + k, max(here.offset - k, 0)
    return (
        here.at(after).encode() if after < total else None,
        here.at(before).encode() if here.offset else None,
    )


class HeldSnapshots:
    """The last snapshots that cursors were given on. Safe for many threads.

    Each is held until it was not used for `LONGEST_UNUSED_S`, or `MOST_SNAPSHOTS` others were used
    since, or others that have `MOST_PASSAGES` with it. The last one is held however large it is.
    They are looked at with every question.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._held: OrderedDict[str, tuple[Snapshot, float]] = OrderedDict()
        self._cleared_s = -math.inf

    def hold(self, snapshot: Snapshot) -> None:
        """Hold `snapshot`, or go on holding it; not one that the last `clear` was about.

        The cursor of a question that was under way then has expired with the next commit.
        """
        with self._guard:
            if snapshot.begun_s < self._cleared_s:
                return
            self._held[snapshot.id] = snapshot, self._clock()
            self._held.move_to_end(snapshot.id)

    def get(self, snapshot_id: str) -> Snapshot | None:
        """A snapshot that is held."""
        with self._guard:
            held = self._held.get(snapshot_id)
            return held[0] if held else None

    def let_go(self) -> None:
        """Let go of what is too old or too many."""
        with self._guard:
            oldest = self._clock() - LONGEST_UNUSED_S
            while self._held:
                _, used = next(iter(self._held.values()))
                if used >= oldest and not self._are_too_many():
                    break
                self._held.popitem(last=False)

    def _are_too_many(self) -> bool:
        passages = sum(snapshot.passages for snapshot, _ in self._held.values())
        return len(self._held) > 1 and (
            len(self._held) > MOST_SNAPSHOTS or passages > MOST_PASSAGES
        )

    def clear(self, before_s: float) -> None:
        """Let go of all that have begun to read before that, as `Snapshot.begun_s`."""
        with self._guard:
            self._cleared_s = before_s
            for snapshot, _ in list(self._held.values()):
                if snapshot.begun_s < before_s:
                    del self._held[snapshot.id]


class KeptSets:
    """The result sets found last, so that a next page does not rank anew. Safe for many threads.

    None outlives its snapshot: whoever goes on in a set has a cursor, and that holds the snapshot.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[ReferenceType[Snapshot], Request], Found] = OrderedDict()
        self._passages = 0

    def get(self, snapshot: Snapshot, request: Request) -> Found | None:
        with self._guard:
            found = self._kept.get((ref(snapshot), request))
            if found is not None:
                self._kept.move_to_end((ref(snapshot), request))
            return found

    def put(self, snapshot: Snapshot, request: Request, found: Found) -> None:
        """Keep `found`; those not asked for longest make room. What is too large is not kept."""
        if len(found.results) > _KEPT_PASSAGES:
            return
        with self._guard:
            for key in [key for key in self._kept if key[0]() is None]:
                self._let_go(key)
            if (ref(snapshot), request) in self._kept:
                self._let_go((ref(snapshot), request))
            self._passages += len(found.results)
            self._kept[ref(snapshot), request] = found
            while len(self._kept) > _KEPT_SETS or self._passages > _KEPT_PASSAGES:
                self._let_go(next(iter(self._kept)))

    def _let_go(self, key: tuple[ReferenceType[Snapshot], Request]) -> None:
        self._passages -= len(self._kept.pop(key).results)
