"""Which lists are read: those that promise most, and no more than are needed."""

import numpy as np
from numpy.typing import NDArray
from test_coded_lists import QUERIES, VECTORS

from index import coded_lists
from index.lists_to_read import lists_to_read

DEPTH = 20
LISTS = coded_lists.load(coded_lists.build(VECTORS))


def read_for(
    query: NDArray[np.float32], asked_for: NDArray[np.int64], depth: int = DEPTH
) -> NDArray[np.int64]:
    chosen, expected = lists_to_read(*LISTS.cosines(query), asked_for, LISTS.sizes, depth)
    assert len(set(chosen.tolist())) == len(chosen) == len(expected)
    return chosen


def test_of_the_best_nearly_all_stand_in_the_lists_that_are_read() -> None:
    found, read = [], []
    for query in QUERIES:
        chosen = read_for(query, LISTS.sizes)
        best = np.argsort(-(VECTORS.astype(np.float32) @ query))[:DEPTH]
        found.append(np.isin(LISTS.list_of_row[best], chosen).mean())
        read.append(LISTS.sizes[chosen].sum() / len(VECTORS))
    assert np.mean(found) >= 0.97
    assert np.mean(read) <= 0.5


def test_a_question_that_is_near_to_nothing_still_finds_nearly_all_of_the_best() -> None:
    far = np.random.default_rng(5).standard_normal((50, VECTORS.shape[1]), np.float32)
    far /= np.linalg.norm(far, axis=1, keepdims=True)
    found = []
    for query in far:
        best = np.argsort(-(VECTORS.astype(np.float32) @ query))[:DEPTH]
        found.append(np.isin(LISTS.list_of_row[best], read_for(query, LISTS.sizes)).mean())
    assert np.mean(found) >= 0.99


def test_a_list_of_which_a_filter_leaves_little_is_read_late() -> None:
    query = QUERIES[0]
    nearest = int(read_for(query, LISTS.sizes)[0])
    asked_for = LISTS.sizes.copy()
    asked_for[nearest] = 1
    assert read_for(query, asked_for)[0] != nearest
    asked_for[nearest] = 0
    assert nearest not in read_for(query, asked_for)


def test_where_no_more_are_left_than_are_wanted_all_are_read() -> None:
    asked_for = np.zeros_like(LISTS.sizes)
    asked_for[[2, 5]] = 4, 7
    assert sorted(read_for(QUERIES[0], asked_for, depth=11).tolist()) == [2, 5]


def test_where_nothing_is_left_nothing_is_read() -> None:
    assert not len(read_for(QUERIES[0], np.zeros_like(LISTS.sizes)))


def test_the_more_are_wanted_the_more_is_read() -> None:
    read = [
        np.mean([LISTS.sizes[read_for(query, LISTS.sizes, depth)].sum() for query in QUERIES])
        for depth in (1, 20, 400)
    ]
    assert read == sorted(read)
