"""How alike the articles of an event are, and which belong together: on term vectors alone.

Two belong together by their own likeness and by their neighbours': reports of one event are like
the same others. Groups are joined while the average agreement stays high enough.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.term_vectors import TermVector

NO_WORDS: Final = TermVector(np.empty(0, np.uint32), np.empty(0, np.float32))
_NEIGHBOURS = 5  # chosen on events, as the least agreement in `stories`


def similarities(vectors: Sequence[TermVector]) -> NDArray[np.float32]:
    """How alike articles are, each with each: shape (n, n), float32, 0 to 1, with 1 for itself."""
    rows, terms, weights = _laid_out(vectors)
    _, column, times = np.unique(terms, return_inverse=True, return_counts=True)
    # A term that one article alone holds has no part in any product.
    shared = times > 1
    kept = shared[column]
    matrix = np.zeros((len(vectors), np.count_nonzero(shared)), dtype=np.float32)
    matrix[rows[kept], (np.cumsum(shared) - 1)[column[kept]]] = weights[kept]
    alike: NDArray[np.float32] = matrix @ matrix.T
    np.fill_diagonal(alike, 1)
    return alike


def agreed(alike: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half the likeness of two, half that of their nearest neighbours: shape (n, n), float32."""
    nearest = min(_NEIGHBOURS, len(alike) - 1)
    if nearest < 1:
        return alike.copy()
    others = alike.copy()
    np.fill_diagonal(others, -1)
    columns = np.argpartition(-others, nearest - 1, axis=1)[:, :nearest]
    weights = np.zeros_like(alike)
    np.put_along_axis(weights, columns, np.take_along_axis(others, columns, 1).clip(0), 1)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-9))
    return ((alike + weights @ alike @ weights.T) / 2).astype(np.float32)


def joined(agreement: NDArray[np.float32], least: float) -> list[list[int]]:
    """Groups of positions, joined while the greatest average agreement of two is `least` or more.

    Average linkage, by the recurrence of Lance and Williams, The Computer Journal 9 (1967).
    """
    groups = [[at] for at in range(len(agreement))]
    means = agreement.astype(np.float64)
    np.fill_diagonal(means, -np.inf)
    while len(groups) > 1:
        a, b = divmod(int(means.argmax()), len(groups))
        if means[a, b] < least:
            break
        of_a, of_b = len(groups[a]), len(groups[b])
        means[a] = means[:, a] = (of_a * means[a] + of_b * means[b]) / (of_a + of_b)
        means[a, a] = means[b] = means[:, b] = -np.inf
        groups[a] += groups[b]
        groups[b] = []
    return [group for group in groups if group]


def products(vector: TermVector, others: Sequence[TermVector]) -> NDArray[np.float32]:
    """How alike an article is with each of the others, shape (len(others),), float32."""
    rows, terms, weights = _laid_out(others)
    if not len(vector.terms):
        return np.zeros(len(others), dtype=np.float32)
    at = np.minimum(np.searchsorted(vector.terms, terms), len(vector.terms) - 1)
    products = np.where(vector.terms[at] == terms, vector.weights[at] * weights, 0)
    return np.bincount(rows, products, minlength=len(others)).astype(np.float32)


def _laid_out(
    many: Sequence[TermVector],
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]:
    """All terms of vectors in a row: whose each is, the term, and its weight."""
    return (
        np.repeat(np.arange(len(many)), [len(vector.terms) for vector in many]),
        np.concatenate([NO_WORDS.terms, *(vector.terms for vector in many)]),
        np.concatenate([NO_WORDS.weights, *(vector.weights for vector in many)]),
    )
