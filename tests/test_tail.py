"""The tail grows behind what earlier snapshots look at."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracle import embed, record, vector_of

from index.article import ArticleId
from index.snapshot import Snapshot, SnapshotReader
from index.tail import GrowingTail
from index.writer import Writer


@given(st.lists(st.integers(0, 40), max_size=12))
def test_each_tail_has_all_that_came_so_far_and_stays_as_it_is(sizes: list[int]) -> None:
    growing, numbers = GrowingTail(), np.arange(sum(sizes))
    vectors = np.random.default_rng(1).standard_normal((len(numbers), 4)).astype(np.float16)
    ends = np.cumsum(sizes, dtype=int)
    tails = [
        growing.grown(numbers[end - size : end], vectors[end - size : end])
        for size, end in zip(sizes, ends, strict=True)
    ]
    for tail, end in zip(tails, ends, strict=True):
        assert np.array_equal(tail.numbers, numbers[:end])
        assert np.array_equal(tail.vectors.ravel(), vectors[:end].ravel())
        assert np.array_equal(tail.wide, tail.vectors.astype(np.float32))


def test_snapshots_that_follow_each_other_share_one_copy() -> None:
    growing, numbers, vectors = GrowingTail(), np.arange(3), np.ones((3, 4), np.float16)
    growing.grown(numbers, vectors)
    before, after = (growing.grown(numbers[:1], vectors[:1]) for _ in range(2))
    assert np.shares_memory(before.wide, after.wide)
    assert np.shares_memory(before.vectors, after.vectors)


def test_a_reader_that_follows_finds_what_a_new_one_finds(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        reader = SnapshotReader(tmp_path)
        for step in (
            lambda: writer.add([record(f"a{at}", f"word{at}") for at in range(6)]),
            lambda: embed(writer, 2),
            lambda: embed(writer, 3),
            lambda: writer.remove([ArticleId("a5")]),
            lambda: writer.add([record("a4", "changed"), record("b", "new")]),
            lambda: embed(writer, 1),
            writer.publish,
            lambda: writer.add([record("c", "later")]),
            lambda: embed(writer, 100),
            writer.compact,
        ):
            step()
            fresh = SnapshotReader(tmp_path)
            assert nearest(reader.latest()) == nearest(fresh.latest())
            fresh.close()
        reader.close()


def nearest(snapshot: Snapshot) -> list[tuple[int, float]]:
    if not snapshot.embedded:
        return []
    positions, cosines = snapshot.vectors.search(vector_of("Report word1"), 100, None)
    return list(zip(snapshot.columns.number[positions].tolist(), cosines.tolist(), strict=True))
