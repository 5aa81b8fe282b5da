"""Proposes what is near in the large segments of a snapshot, by the short codes of their vectors.

What lists of codes are worth reading for a question, with a filter, how much each segment is to
propose, and what to do where a filter has left too little of that.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index import deadline
from index.coded_lists import CodedLists
from index.lists_to_read import lists_to_read

# What the codes of large segments propose for one that is wanted, for a recall of 0.99 of the best
# hundred; run scripts/bench/vectors.py again before changing it.
_PROPOSED: Final = 40
_NEAREST: Final = 100
# Where two hundred are wanted, half as many for each find them nearly as surely: see recall@200
# there.
_PROPOSED_OF_MANY: Final = 20
# Of that a segment gives so much more than the share that is expected of it, and so much at least.
_MORE: Final = 1.1
_AT_LEAST: Final = 0.02
# Filters of which it is known what they leave: to find out takes about as long as a search, see
# the last column there, and whoever filters asks more than once. Of ten million passages 12 MB
# each, with the mask.
_REMEMBERED: Final = 8


@dataclass(frozen=True, slots=True)
class _Left:
    """What a filter leaves of large segments.

    `counts`: of each list, shape (lists,), int64; `bitmaps`: of each segment, a bit for each of its
    rows, the least significant of a byte first.
    """

    counts: NDArray[np.int64]
    bitmaps: list[NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What of large segments to read for a question.

    `lists`: of each segment, the most promising first; `expected`: the share of the best that each
    probably holds, shape (segments,); `rows`: how many they hold in all.
    """

    lists: list[NDArray[np.int64]]
    expected: NDArray[np.float64]
    rows: int


def rows_left(positions: NDArray[np.int64], allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Which rows of a segment are live, and allowed where there is a filter; shape (n,), bool.

    Args:
        positions: where its rows stand in the snapshot, shape (n,); -1: not live.
        allowed: of the snapshot's passages, shape (passages,).
    """
    live = positions >= 0
    if allowed is None or not len(allowed):
        return live
    rows: NDArray[np.bool_] = live & allowed[positions]  # one that is not live points to the last
    return rows


class LargeSegments:
    """Safe to share between threads."""

    def __init__(
        self,
        lists: Sequence[CodedLists],
        positions: Sequence[NDArray[np.int64]],
    ) -> None:
        """
        Args:
            lists: those of each large segment, at least one.
            positions: for each of them, where its rows stand in the snapshot; -1: not live.
        """
        self._lists, self._positions = lists, positions
        # Lists are counted on from segment to segment.
        self._sizes = np.concatenate([of_segment.sizes for of_segment in self._lists])
        self._guard = threading.Lock()
        self._remembered: OrderedDict[int, tuple[NDArray[np.bool_], _Left]] = OrderedDict()

    def near(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Positions among which the best are, many times `depth`, shape (n,), int64.

        `query` and `allowed` as of `VectorsView.search`.

        Raises:
            DeadlineError: the question's time is over.
        """
        wanted = max(_PROPOSED * min(depth, _NEAREST), _PROPOSED_OF_MANY * depth)
        left = None if allowed is None else self._left_by(allowed)
        reading = self._reading(query, depth, left)
        found = self._proposed(query, wanted, reading, left)
        if left is None and 2 * len(found) < min(wanted, reading.rows):
            left = self._live  # what was deleted has taken the places
            found = self._proposed(query, wanted, self._reading(query, depth, left), left)
        if len(found) < depth:  # there are too few in the lists that promised most
            left = left or self._live
            if left.counts.sum() <= wanted:
                return self._all_of(left)
            found = self._proposed(query, wanted, self._reading_all(), left)
        return found

    @cached_property
    def _live(self) -> _Left:
        return self._found_left([rows_left(positions, None) for positions in self._positions])

    def _left_by(self, allowed: NDArray[np.bool_]) -> _Left:
        """What a filter leaves; one that cannot be written to is remembered, and may come again."""
        with self._guard:
            if id(allowed) in self._remembered:
                self._remembered.move_to_end(id(allowed))
                return self._remembered[id(allowed)][1]
        left = self._found_left([rows_left(positions, allowed) for positions in self._positions])
        if not allowed.flags.writeable:
            with self._guard:
                self._remembered[id(allowed)] = allowed, left
                if len(self._remembered) > _REMEMBERED:
                    self._remembered.popitem(last=False)
        return left

    def _found_left(self, rows: Sequence[NDArray[np.bool_]]) -> _Left:
        counts = [
            # Not by the mask itself: where it leaves half, that takes four times as long.
            np.bincount(lists.list_of_row[np.flatnonzero(some)], minlength=len(lists.sizes))
            for some, lists in zip(rows, self._lists, strict=True)
        ]
        bitmaps = [np.packbits(some, bitorder="little") for some in rows]
        return _Left(np.concatenate(counts), bitmaps)

    def _all_of(self, left: _Left) -> NDArray[np.int64]:
        return np.concatenate(
            [
                positions[np.unpackbits(bits, count=len(positions), bitorder="little").view(bool)]
                for positions, bits in zip(self._positions, left.bitmaps, strict=True)
            ]
        )

    def _reading(self, query: NDArray[np.float32], depth: int, left: _Left | None) -> _Reading:
        means, deviations = map(
            np.concatenate, zip(*(lists.cosines(query) for lists in self._lists), strict=True)
        )
        asked_for = self._sizes if left is None else left.counts
        chosen, expected = lists_to_read(means, deviations, asked_for, self._sizes, depth)
        ends = np.cumsum([len(lists.sizes) for lists in self._lists])
        part = np.searchsorted(ends, chosen, side="right")
        firsts = ends - [len(lists.sizes) for lists in self._lists]
        return _Reading(
            [chosen[part == at] - first for at, first in enumerate(firsts)],
            np.bincount(part, expected, len(ends)) / max(expected.sum(), 1e-9),
            int(self._sizes[chosen].sum()),
        )

    def _reading_all(self) -> _Reading:
        lists = [np.flatnonzero(part.sizes) for part in self._lists]
        return _Reading(lists, np.ones(len(lists)), int(self._sizes.sum()))

    def _proposed(
        self, query: NDArray[np.float32], wanted: int, reading: _Reading, left: _Left | None
    ) -> NDArray[np.int64]:
        """Positions of the best by their estimates, ascending.

        Without `left` what was deleted is proposed as well, and sorted out then.
        """
        positions, estimates = [], []
        for at, lists in enumerate(self._lists):
            deadline.check()
            if not len(reading.lists[at]):
                continue
            of_part = int(wanted * min(_MORE * reading.expected[at] + _AT_LEAST, 1)) + 1
            possible = int(lists.sizes[reading.lists[at]].sum())
            found, close = lists.candidates(
                query,
                min(of_part, possible),
                reading.lists[at],
                left.bitmaps[at] if left else None,
            )
            positions.append(self._positions[at][found])
            estimates.append(close)
        if not positions:
            return np.empty(0, dtype=np.int64)
        found, close = np.concatenate(positions), np.concatenate(estimates)
        is_live = found >= 0
        found, close = found[is_live], close[is_live]
        if len(found) > wanted:
            found = found[np.argpartition(-close, wanted - 1)[:wanted]]
        return np.sort(found)
