"""The vectors of a snapshot: those of its segments, and the tail of what came after them.

Small segments and the tail are searched exactly. Large ones propose more than are wanted
(`index/large_segments.py`), whose cosines are then taken from the vectors themselves.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index import deadline
from index.large_segments import LargeSegments, rows_left
from index.segments import Segment
from index.tail import Tail

# What FAISS, BLAS and einsum may differ by in a cosine; nearer ones are told apart by einsum alone.
_ROUNDING: Final = 1e-5
_NONE: Final = np.int64(-1)
_ROWS_AT_A_TIME: Final = 4_096  # widened to float32: 6 MB of 384 dimensions, which a cache holds

# When a filter leaves no more, every cosine is taken: the nearest of so few stand in any list.
_FEW: Final = 10_000


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
        self._segments = list(live_segments)
        self._exact = [at for at, part in enumerate(self._segments) if part.lists is None]
        self._tail = tail.wide
        self._parts = [*(segment.vectors for segment in live_segments), tail.vectors]
        self._part = np.full(len(numbers), -1, dtype=np.int16)
        self._row = np.full(len(numbers), -1, dtype=np.int32)
        for part, positions in enumerate(self._positions):
            live = np.flatnonzero(rows_left(positions, None))
            self._part[positions[live]] = part
            self._row[positions[live]] = live
        large = {at: part.lists for at, part in enumerate(self._segments) if part.lists is not None}
        self._large = (
            LargeSegments(list(large.values()), [self._positions[at] for at in large])
            if large
            else None
        )
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
            allowed: shape (passages,), bool; None: every passage. Of one that cannot be written
                to is remembered what it leaves of large segments, for when it comes again.

        Returns:
            Positions in the snapshot's columns, shape (n,), int64, and cosines, shape (n,),
            float32; n <= depth. Ties go to the earlier position.

        Raises:
            DeadlineError: the question's time is over.
        """
        if self._large and allowed is not None and np.count_nonzero(allowed) <= _FEW:
            positions = np.flatnonzero(allowed & (self._part >= 0))
        else:
            positions = np.concatenate(
                [
                    *(self._search_exactly(part, query, depth, allowed) for part in self._exact),
                    *([self._large.near(query, depth, allowed)] if self._large else []),
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
        mask = rows_left(self._positions[part], allowed)
        wanted = depth + 1
        while True:
            rows, cosines = self._segments[part].search(query, wanted, None if mask.all() else mask)
            if len(rows) < wanted or cosines[-1] < cosines[depth - 1] - _ROUNDING:
                return self._positions[part][rows]
            wanted *= 2

    def _search_tail(
        self, query: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        rows = np.flatnonzero(rows_left(self._positions[-1], allowed))
        if len(rows) > depth:
            cosines = (self._tail @ query)[rows]
            least = np.partition(cosines, -depth)[-depth]
            rows = rows[cosines >= least - _ROUNDING]
        return self._positions[-1][rows]


def positions_in(numbers: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where `wanted` stand in ascending `numbers`; -1 where they do not."""
    if not len(numbers):
        return np.full(len(wanted), _NONE)
    at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    return np.where(numbers[at] == wanted, at, _NONE)
