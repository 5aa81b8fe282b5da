"""How far the passages of articles agree: passage to passage, by their vectors or their words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.term_vectors import TermVector, term_of, words_of


def agreements(
    mine: NDArray[np.float32], theirs: NDArray[np.float32], owner: NDArray[np.int64], articles: int
) -> NDArray[np.float64]:
    """How far each article's passages agree with mine.

    Of each passage the cosine with that of the other side which it is nearest to; of these the
    mean on either side, and the mean of both sides.

    Args:
        mine: vectors of my passages, shape (n, dim); a row of NaN has none yet, likewise below.
        theirs: of all articles' passages, shape (m, dim).
        owner: the article of each of these, shape (m,), from 0 to `articles` - 1, ascending.

    Returns:
        Shape (articles,); NaN where either side has no vector yet.
    """
    agreed = np.full(articles, np.nan)
    mine, known = mine[_have(mine)], _have(theirs)
    owner = owner[known]
    if not len(mine) or not len(owner):
        return agreed
    cosines = theirs[known] @ mine.T
    having, starts, counts = np.unique(owner, return_index=True, return_counts=True)
    of_theirs = np.add.reduceat(cosines.max(axis=1), starts) / counts
    of_mine = np.maximum.reduceat(cosines, starts, axis=0).mean(axis=1)
    agreed[having] = (of_theirs + of_mine) / 2
    return agreed


def nearest_pair(
    mine: NDArray[np.float32], theirs: NDArray[np.float32]
) -> tuple[int, int, float] | None:
    """The two passages with the greatest cosine, by place, and this; None: no vectors yet."""
    at, there = np.flatnonzero(_have(mine)), np.flatnonzero(_have(theirs))
    if not len(at) or not len(there):
        return None
    cosines = mine[at] @ theirs[there].T
    row, column = divmod(int(cosines.argmax()), len(there))
    return int(at[row]), int(there[column]), float(cosines[row, column])


def pair_by_words(
    mine: Sequence[str], theirs: Sequence[str], my_vector: TermVector, their_vector: TermVector
) -> tuple[int, int] | None:
    """The two texts that share the weightiest terms, by place; None: none shares one."""
    _, at, there = np.intersect1d(
        my_vector.terms, their_vector.terms, assume_unique=True, return_indices=True
    )
    terms = my_vector.terms[at]
    weights = my_vector.weights[at] * their_vector.weights[there]
    if not len(terms) or not mine or not theirs:
        return None
    shared = (_holding(mine, terms) * weights) @ _holding(theirs, terms).T
    row, column = divmod(int(shared.argmax()), len(theirs))
    return (row, column) if shared[row, column] > 0 else None


def _have(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    if not vectors.shape[1]:
        return np.zeros(len(vectors), dtype=np.bool_)
    return ~np.isnan(vectors[:, 0])


def _holding(texts: Sequence[str], terms: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Which texts hold which terms: shape (len(texts), len(terms)), 1 or 0."""
    held = [np.array([term_of(word) for word in words_of(text)], dtype=np.uint32) for text in texts]
    return np.array([np.isin(terms, each) for each in held], dtype=np.float32)
