"""Lists of coded vectors: nothing is in two lists or in none, and what is near is proposed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from index import coded_lists
from index.coded_lists import CodedLists

DIM = 32


def clustered_vectors(count: int, seed: int = 0) -> NDArray[np.float16]:
    """Unit vectors around twenty centres, as texts lie around their subjects."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((20, DIM))
    vectors = centres[random.integers(0, 20, count)] + 0.5 * random.standard_normal((count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


VECTORS = clustered_vectors(6_000)
QUERIES = clustered_vectors(30, seed=1).astype(np.float32)


@pytest.fixture(scope="module")
def lists() -> CodedLists:
    return coded_lists.load(coded_lists.build(VECTORS))


def nearest(query: NDArray[np.float32], possible: NDArray[np.int64]) -> set[int]:
    cosines = VECTORS[possible].astype(np.float32) @ query
    return set(possible[np.argsort(-cosines)[:10]].tolist())


def test_equal_vectors_give_equal_bytes() -> None:
    assert np.array_equal(coded_lists.build(VECTORS), coded_lists.build(VECTORS.copy()))


def test_every_row_is_in_one_list(lists: CodedLists) -> None:
    assert lists.missing == 0
    assert lists.sizes.sum() == len(VECTORS)
    assert np.array_equal(np.bincount(lists.list_of_row), lists.sizes)


@pytest.mark.parametrize("share_allowed", [1.0, 0.3, 0.02])
def test_what_is_near_and_allowed_is_among_the_candidates(
    lists: CodedLists, share_allowed: float
) -> None:
    allowed = np.random.default_rng(2).random(len(VECTORS)) < share_allowed
    found = []
    for query in QUERIES:
        rows, estimates = lists.candidates(query, 400, 0.6, allowed)
        assert allowed[rows].all()
        assert len(set(rows.tolist())) == len(rows) <= 400
        assert np.all(np.diff(estimates) <= 0)
        best = nearest(query, np.flatnonzero(allowed))
        found.append(len(best & set(rows.tolist())) / len(best))
    assert np.mean(found) >= 0.97


def test_with_all_lists_read_every_allowed_row_is_a_candidate(lists: CodedLists) -> None:
    allowed = np.zeros(len(VECTORS), dtype=np.bool_)
    allowed[[7, 2_001, 5_999]] = True
    rows, _ = lists.candidates(QUERIES[0], 10, 1.0, allowed)
    assert sorted(rows.tolist()) == [7, 2_001, 5_999]
    every, _ = lists.candidates(QUERIES[0], len(VECTORS), 1.0, None)
    assert sorted(every.tolist()) == list(range(len(VECTORS)))


def test_where_a_filter_lets_through_only_what_is_far_its_lists_are_read(
    lists: CodedLists,
) -> None:
    query = QUERIES[0]
    nearest_list = int(np.argmax(lists.centres @ query))
    allowed = lists.list_of_row != nearest_list
    rows, _ = lists.candidates(query, 50, 0.2, allowed)
    assert len(rows) == 50
    assert allowed[rows].all()
