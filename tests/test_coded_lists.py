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


def test_a_vector_is_in_a_list_around_it(lists: CodedLists) -> None:
    for row in range(0, len(VECTORS), 100):
        assert lists.list_of_row[row] in lists.around(VECTORS[row].astype(np.float32))


def test_the_cosines_of_a_list_are_told_about_as_they_are(lists: CodedLists) -> None:
    ratios = []
    for query in QUERIES:
        cosines = VECTORS.astype(np.float32) @ query
        means, deviations = lists.cosines(query)
        for at in range(len(lists.sizes)):
            of_list = cosines[lists.list_of_row == at]
            assert abs(means[at] - of_list.mean()) < 0.05
            ratios.append(deviations[at] / of_list.std())
    assert 0.7 < np.median(ratios) < 1.4


def bits_of(allowed: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.packbits(allowed, bitorder="little")


@pytest.mark.parametrize("share_allowed", [1.0, 0.3, 0.02])
def test_what_is_near_and_allowed_is_among_the_candidates(
    lists: CodedLists, share_allowed: float
) -> None:
    allowed = np.random.default_rng(2).random(len(VECTORS)) < share_allowed
    every = np.arange(len(lists.sizes))
    found = []
    for query in QUERIES:
        rows, estimates = lists.candidates(query, 400, every, bits_of(allowed))
        assert allowed[rows].all()
        assert len(set(rows.tolist())) == len(rows) <= 400
        assert np.all(np.diff(estimates) <= 0)
        best = nearest(query, np.flatnonzero(allowed))
        found.append(len(best & set(rows.tolist())) / len(best))
    assert np.mean(found) >= 0.97


def test_candidates_are_all_of_the_lists_that_are_read(lists: CodedLists) -> None:
    read = np.array([3, 0, 7])
    rows, _ = lists.candidates(QUERIES[0], len(VECTORS), read, None)
    assert sorted(rows.tolist()) == np.flatnonzero(np.isin(lists.list_of_row, read)).tolist()
    allowed = np.zeros(len(VECTORS), dtype=np.bool_)
    allowed[[7, 2_001, 5_999]] = True
    rows, _ = lists.candidates(QUERIES[0], 10, np.arange(len(lists.sizes)), bits_of(allowed))
    assert sorted(rows.tolist()) == [7, 2_001, 5_999]


def test_vectors_that_are_all_alike_have_lists_as_well() -> None:
    alike = np.tile(VECTORS[:1], (1_000, 1))
    lists = coded_lists.load(coded_lists.build(alike))
    assert lists.missing == 0
    every = np.arange(len(lists.sizes))
    rows, _ = lists.candidates(VECTORS[0].astype(np.float32), 1_000, every, None)
    assert sorted(rows.tolist()) == list(range(1_000))
