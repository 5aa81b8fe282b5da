"""Which lists of near vectors are worth reading for a question, and how many.

The cosines of a list's vectors with a question are taken to lie around their mean as a normal
distribution has them. So of each list it can be told how many of its vectors are probably among the
best. Lists are read in the order of how many of those there are for each vector that is read, until
next to nothing is expected of the others.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Chosen for a recall of 0.99 of the best hundred; run scripts/bench/vectors.py again before one is
# changed. The cosines of real vectors stray farther than a normal distribution's.
_WIDER: Final = 1.6
_FOUND: Final = 0.998  # of what is expected
# Of all rows, for the best `depth` of n: 1.1 * (depth / n) ** 0.17, but so many where there are
# fewer. Of millions a question that is near to nothing would have half read, for three more in a
# thousand of the best. To read fewer is cheap, and without it some in a hundred would be missed.
_MOST_READ: Final = 1.1
_MOST_READ_EXPONENT: Final = 0.17
_READ_ANYWAY: Final = 300_000
_NOTHING: Final = 1e-6  # to expect of a list, as a share of what the best one has
_HALVINGS: Final = 8  # of the cosines there are: to a three hundredth


def lists_to_read(
    means: NDArray[np.float32],
    deviations: NDArray[np.float32],
    asked_for: NDArray[np.int64],
    sizes: NDArray[np.int64],
    depth: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The lists to read for the best `depth` vectors, the most promising first.

    Args:
        means, deviations: of the cosines of each list's vectors, shape (lists,), float32.
        asked_for: how many of a list's vectors a filter lets through, shape (lists,), int64.
        sizes: how many a list has, shape (lists,), int64.

    Returns:
        Places in these arrays, shape (k,), int64, all that hold something asked for, where there
        are no more than `depth` in all; and how many of the best each probably holds, shape (k,),
        float32.
    """
    count = asked_for.astype(np.float32)
    total = float(count.sum())
    if total <= depth:
        every = np.flatnonzero(asked_for)
        return every, count[every]
    expected = count * _above_the_best(means, _WIDER * deviations, count, depth)
    promising = np.flatnonzero(expected > _NOTHING * expected.max())
    expected = expected[promising]
    by_promise = np.argsort(-expected / sizes[promising], kind="stable")
    found = np.cumsum(expected[by_promise])
    read = np.cumsum(sizes[promising][by_promise])
    most = _MOST_READ * (depth / total) ** _MOST_READ_EXPONENT * sizes.sum()
    most = max(most, _READ_ANYWAY)
    enough = min(np.searchsorted(found, _FOUND * found[-1]), np.searchsorted(read, most))
    chosen = by_promise[: int(enough) + 1]
    return promising[chosen], expected[chosen]


def _above_the_best(
    means: NDArray[np.float32],
    deviations: NDArray[np.float32],
    count: NDArray[np.float32],
    depth: int,
) -> NDArray[np.float32]:
    """Which share of each list lies above the cosine that `depth` of all lists lie above."""
    least, most = means.min(), np.float32(1)
    deviations = np.maximum(deviations, np.float32(1e-6))
    for _ in range(_HALVINGS):
        cosine = (least + most) / np.float32(2)
        if count @ _above((cosine - means) / deviations) > depth:
            least = cosine
        else:
            most = cosine
    return _above((least - means) / deviations)


def _above(deviations: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of a normal distribution beyond so many deviations, to a hundredth of itself.

    Börjesson, Sundberg, Simple Approximations of the Error Function, IEEE Trans. Comm. 1979.
    """
    beyond = np.abs(deviations)
    square = beyond * beyond
    share = np.exp(-square / 2) / (1.657 * beyond + 0.850 * np.sqrt(square + 5.51))
    return np.where(deviations < 0, 1 - share, share)
