"""The tail: vectors that came after the segments, one commit after another.

Snapshots that follow each other share one copy of it: what is added goes behind what they look at.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tail:
    """The vectors that one snapshot sees, in the order in which they came."""

    numbers: NDArray[np.int64]  # of their passages, shape (n,)
    vectors: NDArray[np.float16]  # shape (n, dim)
    wide: NDArray[np.float32]  # the same: the product with a question takes this type only


NO_TAIL: Final = Tail(
    np.empty(0, np.int64), np.empty((0, 0), np.float16), np.empty((0, 0), np.float32)
)


class GrowingTail:
    """What the tails of snapshots are taken from. For one thread at a time."""

    def __init__(self) -> None:
        self._rows = 0
        self._numbers, self._vectors, self._wide = NO_TAIL.numbers, NO_TAIL.vectors, NO_TAIL.wide

    def grown(self, numbers: NDArray[np.int64], vectors: NDArray[np.float16]) -> Tail:
        """The tail with these behind it, shapes (n,) and (n, dim); n may be 0."""
        first, self._rows = self._rows, self._rows + len(numbers)
        if len(numbers):
            self._make_room(vectors.shape[1])
            self._numbers[first : self._rows] = numbers
            self._vectors[first : self._rows] = vectors
            self._wide[first : self._rows] = vectors
        return Tail(
            self._numbers[: self._rows], self._vectors[: self._rows], self._wide[: self._rows]
        )

    def _make_room(self, dim: int) -> None:
        """Twice as much as there was: each vector is copied about once more."""
        if self._rows > len(self._numbers):
            more = max(self._rows, 2 * len(self._numbers)) - len(self._numbers)
            self._numbers = np.pad(self._numbers, (0, more))
            wider = dim - self._vectors.shape[1]  # the first ones
            self._vectors = np.pad(self._vectors, ((0, more), (0, wider)))
            self._wide = np.pad(self._wide, ((0, more), (0, wider)))
