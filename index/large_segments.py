"""Proposes what is near in the large segments of a snapshot, by the short codes of their vectors.

What lists of codes are worth reading for a question, with a filter, how much each segment is to
propose, and what to do where a filter has left too little of that.
"""

from collections.abc import Mapping, Sequence
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
_PROPOSED: Final = 30
_NEAREST: Final = 100
# With half as much for each, where two hundred are wanted, they are found nearly as surely: see
# recall@200 there.
_PROPOSED_OF_MANY: Final = 15
# Of that a segment gives so much more than the share that is expected of it, and so much at least.
_MORE: Final = 1.1
_AT_LEAST: Final = 0.02
# When a filter leaves less than one passage in so many, FAISS looks at each before it proposes it.
# Where it leaves more, so many more are proposed, and sorted out then: that is quicker.
_SPARSE: Final = 25
# How many a filter leaves in a list is told from one passage in so many, or from fewer where so
# many to a list are seen in them; and as if it had left so many there as everywhere.
_SAMPLED: Final = 4
_SEEN: Final = 8
_AS_EVERYWHERE: Final = 4


@dataclass(frozen=True, slots=True)
class _Reading:
    """What of large segments to read for a question.

    `lists`: of each segment, the most promising first; `expected`: the share of the best that each
    probably holds, shape (segments,). They hold about `asked_for` passages that are asked for, of
    what is nearest one in `one_in`.
    """

    lists: list[NDArray[np.int64]]
    expected: NDArray[np.float64]
    asked_for: float
    one_in: float


class LargeSegments:
    """Safe to share between threads."""

    def __init__(
        self,
        lists: Mapping[int, CodedLists],
        positions: Sequence[NDArray[np.int64]],
        part: NDArray[np.int16],
        row: NDArray[np.int32],
    ) -> None:
        """
        Args:
            lists: those of each large segment, at least one, by its number in `part`.
            positions: for each of them, where its rows stand in the snapshot; -1: not live.
            part, row: for each passage of the snapshot, which segment it is in, and where in it.
        """
        self._numbers, self._lists = list(lists), list(lists.values())
        self._positions, self._part, self._row = positions, part, row
        # Lists are counted on from segment to segment.
        self._sizes = np.concatenate([of_segment.sizes for of_segment in self._lists])

    def near(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Positions among which the best are, many times `depth`, shape (n,), int64.

        `query` and `allowed` as of `VectorsView.search`.

        Raises:
            DeadlineError: the question's time is over.
        """
        wanted = max(_PROPOSED * min(depth, _NEAREST), _PROPOSED_OF_MANY * depth)
        rows = None
        if allowed is not None:
            left = np.count_nonzero(allowed)
            # Or if what would have to be proposed were a twelfth of all there is.
            if left < max(len(allowed) // _SPARSE, _SPARSE * wanted // 2):
                rows = self._rows(allowed)
        reading = self._reading(query, depth, self._asked_for(allowed, rows))
        if rows is None and reading.one_in > _SPARSE:
            rows = self._rows(allowed)
        found = self._proposed(query, wanted, reading, allowed, rows)
        if rows is None and 2 * len(found) < min(wanted, reading.asked_for):
            # What is not asked for, or was deleted, has taken the places.
            rows = self._rows(allowed)
            found = self._proposed(query, wanted, reading, allowed, rows)
        if len(found) < depth:  # there are too few in the lists that promised most
            rows = self._rows(allowed) if rows is None else rows
            if sum(map(len, rows)) <= wanted:
                return np.concatenate(
                    [where[some] for where, some in zip(self._positions, rows, strict=True)]
                )
            found = self._proposed(query, wanted, self._reading_all(), allowed, rows)
        return found

    def _rows(self, allowed: NDArray[np.bool_] | None) -> list[NDArray[np.int32]]:
        """Which rows of each large segment are live and allowed."""
        positions = np.arange(len(self._part)) if allowed is None else np.flatnonzero(allowed)
        parts, rows = self._part[positions], self._row[positions]
        return [rows[parts == part] for part in self._numbers]

    def _asked_for(
        self, allowed: NDArray[np.bool_] | None, rows: Sequence[NDArray[np.int32]] | None
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        """About how many allowed rows each list holds; `rows` as of `_rows`, if known."""
        if allowed is None:
            return self._sizes
        if rows is not None:
            return np.concatenate(
                [
                    np.bincount(lists.list_of_row[some], minlength=len(lists.sizes))
                    for some, lists in zip(rows, self._lists, strict=True)
                ]
            )
        sampled = allowed[::_SAMPLED]
        apart = max(int(np.count_nonzero(sampled)) // (_SEEN * len(self._sizes)), 1)
        seen = np.bincount(
            self._sampled_lists[::apart][sampled[::apart]], minlength=len(self._sizes) + 1
        )[:-1]
        looked_at = self._sizes / (_SAMPLED * apart)
        everywhere = seen.sum() / looked_at.sum()
        density = (seen + _AS_EVERYWHERE * everywhere) / (looked_at + _AS_EVERYWHERE)
        asked_for: NDArray[np.float64] = self._sizes * density
        return asked_for

    @cached_property
    def _sampled_lists(self) -> NDArray[np.int32]:
        """The list of each passage that is sampled; one more than there are: in none."""
        parts, rows = self._part[::_SAMPLED], self._row[::_SAMPLED]
        found = np.full(len(parts), len(self._sizes), dtype=np.int32)
        first = 0
        for part, lists in zip(self._numbers, self._lists, strict=True):
            at = np.flatnonzero(parts == part)
            found[at] = first + lists.list_of_row[rows[at]]
            first += len(lists.sizes)
        return found

    def _reading(
        self,
        query: NDArray[np.float32],
        depth: int,
        asked_for: NDArray[np.int64] | NDArray[np.float64],
    ) -> _Reading:
        means, deviations = map(
            np.concatenate, zip(*(lists.cosines(query) for lists in self._lists), strict=True)
        )
        chosen, expected = lists_to_read(means, deviations, asked_for, self._sizes, depth)
        ends = np.cumsum([len(lists.sizes) for lists in self._lists])
        part = np.searchsorted(ends, chosen, side="right")
        firsts = ends - [len(lists.sizes) for lists in self._lists]
        held = float(asked_for[chosen].sum())
        # Where a filter leaves much of some lists and little of others, what is as near as the best
        # is mostly what it does not leave.
        as_near = expected @ (self._sizes[chosen] / np.maximum(asked_for[chosen], 1e-9))
        left = min(expected.sum() / max(as_near, 1e-9), asked_for.sum() / self._sizes.sum())
        return _Reading(
            [chosen[part == at] - first for at, first in enumerate(firsts)],
            np.bincount(part, expected, len(ends)) / max(expected.sum(), 1e-9),
            held,
            float(1 / max(left, 1e-9)),
        )

    def _reading_all(self) -> _Reading:
        lists = [np.flatnonzero(part.sizes) for part in self._lists]
        return _Reading(lists, np.ones(len(lists)), 0, 1)

    def _proposed(
        self,
        query: NDArray[np.float32],
        wanted: int,
        reading: _Reading,
        allowed: NDArray[np.bool_] | None,
        rows: Sequence[NDArray[np.int32]] | None,
    ) -> NDArray[np.int64]:
        """Allowed positions of the best by their estimates, ascending.

        `rows` as of `_rows`; None: what is not allowed, and what was deleted, is proposed as well
        and sorted out then.
        """
        positions, estimates = [], []
        for at, lists in enumerate(self._lists):
            deadline.check()
            if not len(reading.lists[at]):
                continue
            of_part = wanted * min(_MORE * reading.expected[at] + _AT_LEAST, 1)
            mask = None
            if rows is None:
                of_part *= reading.one_in
            else:
                mask = np.zeros(len(lists.list_of_row), dtype=np.bool_)
                mask[rows[at]] = True
            possible = int(lists.sizes[reading.lists[at]].sum())
            found, close = lists.candidates(
                query, min(int(of_part) + 1, possible), reading.lists[at], mask
            )
            positions.append(self._positions[at][found])
            estimates.append(close)
        if not positions:
            return np.empty(0, dtype=np.int64)
        found, close = np.concatenate(positions), np.concatenate(estimates)
        is_asked_for = found >= 0
        if allowed is not None:
            is_asked_for &= allowed[found]
        found, close = found[is_asked_for], close[is_asked_for]
        if len(found) > wanted:
            found = found[np.argpartition(-close, wanted - 1)[:wanted]]
        return np.sort(found)
