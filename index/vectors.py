"""The vectors of a snapshot: those of its segments, and the tail of what came after them.

Small segments and the tail are searched exactly. In large ones the short codes of vectors propose
more candidates than are wanted, whose cosines are then taken from the vectors themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index import deadline
from index.lists_to_read import lists_to_read
from index.segments import Segment
from index.tail import Tail

# What FAISS, BLAS and einsum may differ by in a cosine; nearer ones are told apart by einsum alone.
_ROUNDING: Final = 1e-5
_NONE: Final = np.int64(-1)
_NO_SIZES: Final = np.empty(0, dtype=np.int64)
_ROWS_AT_A_TIME: Final = 4_096  # widened to float32: 6 MB of 384 dimensions, which a cache holds

# What the codes of large segments propose for one that is wanted, for a recall of 0.99 of the best
# hundred; run scripts/bench/vectors.py again before changing it.
_PROPOSED: Final = 30
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
# When a filter leaves no more, every cosine is taken: the nearest of so few stand in any list.
_FEW: Final = 10_000


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


class VectorsView:
    """The vectors of a snapshot; safe to share between threads."""

    def __init__(
        self,
        numbers: NDArray[np.int64],
        live_segments: Sequence[Segment],
        tail: Tail,
    ) -> None:
        """`numbers`: those of the snapshot's passages, shape (passages,), int64, ascending."""
        self._positions = [
            positions_in(numbers, part)
            for part in (*(segment.numbers for segment in live_segments), tail.numbers)
        ]
        self._live = [positions >= 0 for positions in self._positions]
        self._segments = list(live_segments)
        self._exact = [at for at, part in enumerate(self._segments) if part.lists is None]
        self._coded = [at for at, part in enumerate(self._segments) if part.lists is not None]
        self._lists = [part.lists for part in self._segments if part.lists is not None]
        self._sizes = np.concatenate([lists.sizes for lists in self._lists] or [_NO_SIZES])
        self._tail = tail.wide
        self._parts = [*(segment.vectors for segment in live_segments), tail.vectors]
        self._part = np.full(len(numbers), -1, dtype=np.int16)
        self._row = np.full(len(numbers), -1, dtype=np.int32)
        for part, (positions, is_live) in enumerate(zip(self._positions, self._live, strict=True)):
            live = np.flatnonzero(is_live)
            self._part[positions[live]] = part
            self._row[positions[live]] = live
        self.embedded = int(np.count_nonzero(self._part >= 0))
        self._float16 = faiss.ScalarQuantizer(self.dim, faiss.ScalarQuantizer.QT_fp16)

    @property
    def dim(self) -> int:
        """Dimensions of a vector; 0 while there is none."""
        return max((part.shape[1] for part in self._parts if len(part)), default=0)

    def search(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The passages nearest to a query vector, best first.

        Exact, but for those in large segments: of the best hundred among them at least 99 in 100
        are found, and the same each time.

        Args:
            query: shape (dim,), float32, L2 norm 1.
            allowed: shape (passages,), bool; None: every passage.

        Returns:
            Positions in the snapshot's columns, shape (n,), int64, and cosines, shape (n,),
            float32; n <= depth. Ties go to the earlier position.

        Raises:
            DeadlineError: the question's time is over.
        """
        if self._coded and allowed is not None and np.count_nonzero(allowed) <= _FEW:
            positions = np.flatnonzero(allowed & (self._part >= 0))
        else:
            positions = np.concatenate(
                [
                    *(self._search_exactly(part, query, depth, allowed) for part in self._exact),
                    self._search_coded(query, depth, allowed),
                    self._search_tail(query, depth, allowed),
                ]
            )
        # Computed anew: a vector's cosine is the same to the last bit wherever it is kept.
        cosines = self.cosines(query, positions)
        order = np.lexsort((positions, -cosines))[:depth]
        return positions[order], cosines[order]

    def cosines(
        self, query: NDArray[np.float32], positions: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Cosines of passages at these positions, shape (len(positions),), float32.

        NaN where a passage has no vector yet.
        """
        cosines = np.full(len(positions), np.nan, dtype=np.float32)
        for at, vectors in self._stored(positions):
            # Not `@`: BLAS rounds a row as its place in the matrix has it.
            cosines[at] = np.einsum("ij,j->i", vectors, query)
        return cosines

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of passages at these positions, shape (len(positions), dim), float32.

        NaN where a passage has no vector yet.
        """
        vectors = np.full((len(positions), self.dim), np.nan, dtype=np.float32)
        for at, stored in self._stored(positions):
            vectors[at] = stored
        return vectors

    def _stored(
        self, positions: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """The vectors there are, some at a time: which of `positions` they belong to, and they."""
        parts = self._part[positions]
        for part in np.unique(parts[parts >= 0]):
            of_part = np.flatnonzero(parts == part)
            for first in range(0, len(of_part), _ROWS_AT_A_TIME):
                deadline.check()
                at = of_part[first : first + _ROWS_AT_A_TIME]
                rows = self._parts[part][self._row[positions[at]]]
                yield at, self._float16.decode(rows.view(np.uint8))  # half the time of `astype`

    def _search_exactly(
        self,
        part: int,
        query: NDArray[np.float32],
        depth: int,
        allowed: NDArray[np.bool_] | None,
    ) -> NDArray[np.int64]:
        """Positions of a small segment's best, and of all that tie with the last of them."""
        mask = self._live_and_allowed(part, allowed)
        wanted = depth + 1
        while True:
            rows, cosines = self._segments[part].search(query, wanted, None if mask.all() else mask)
            if len(rows) < wanted or cosines[-1] < cosines[depth - 1] - _ROUNDING:
                return self._positions[part][rows]
            wanted *= 2

    def _search_coded(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Positions of what the codes of large segments propose."""
        if not self._coded:
            return np.empty(0, dtype=np.int64)
        wanted = _PROPOSED * depth
        rows = None
        if allowed is not None:
            left = np.count_nonzero(allowed)
            if left < max(len(allowed) // _SPARSE, _SPARSE * wanted // 2):
                rows = self._rows(allowed)
        reading = self._reading(query, depth, self._asked_for(allowed, rows))
        found = self._proposed(query, wanted, reading, allowed, rows)
        if rows is None and 2 * len(found) < min(wanted, reading.asked_for):
            # What is not asked for, or was deleted, has taken the places.
            rows = self._rows(allowed)
            found = self._proposed(query, wanted, reading, allowed, rows)
        if len(found) < depth:  # there are too few in the lists that promised most
            rows = self._rows(allowed) if rows is None else rows
            if sum(map(len, rows)) <= max(wanted, _FEW):
                return self._positions_of(rows)
            found = self._proposed(query, wanted, self._reading_all(), allowed, rows)
        return found

    def _positions_of(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
        return np.concatenate(
            [self._positions[part][some] for part, some in zip(self._coded, rows, strict=True)]
        )

    def _rows(self, allowed: NDArray[np.bool_] | None) -> list[NDArray[np.int32]]:
        """Which rows of each large segment are live and allowed."""
        positions = np.arange(len(self._part)) if allowed is None else np.flatnonzero(allowed)
        parts, rows = self._part[positions], self._row[positions]
        return [rows[parts == part] for part in self._coded]

    def _asked_for(
        self, allowed: NDArray[np.bool_] | None, rows: Sequence[NDArray[np.int32]] | None
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        """About how many rows each list holds that are asked for; `rows` as of `_rows`, if known.

        Lists are counted on from segment to segment, here and in `_reading`.
        """
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
        for part, lists in zip(self._coded, self._lists, strict=True):
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
        for at, (part, lists) in enumerate(zip(self._coded, self._lists, strict=True)):
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
            found, close = lists.candidates(query, int(of_part) + 1, reading.lists[at], mask)
            positions.append(self._positions[part][found])
            estimates.append(close)
        if not positions:
            return np.empty(0, dtype=np.int64)
        found, close = np.concatenate(positions), np.concatenate(estimates)
        is_asked_for = found >= 0
        if allowed is not None and len(allowed):
            is_asked_for &= allowed[found]
        found, close = found[is_asked_for], close[is_asked_for]
        if len(found) > wanted:
            found = found[np.argpartition(-close, wanted - 1)[:wanted]]
        return np.sort(found)

    def _search_tail(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        rows = np.flatnonzero(self._live_and_allowed(-1, allowed))
        if len(rows) > depth:
            cosines = (self._tail @ query)[rows]
            least = np.partition(cosines, -depth)[-depth]
            rows = rows[cosines >= least - _ROUNDING]
        return self._positions[-1][rows]

    def _live_and_allowed(self, part: int, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        if allowed is None or not len(allowed):
            return self._live[part]
        # A row that is not live points to the last passage.
        return self._live[part] & allowed[self._positions[part]]


def positions_in(numbers: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where `wanted` stand in ascending `numbers`; -1 where they do not."""
    if not len(numbers):
        return np.full(len(wanted), _NONE)
    at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    return np.where(numbers[at] == wanted, at, _NONE)
