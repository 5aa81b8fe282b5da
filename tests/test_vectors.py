"""A snapshot's vectors where segments are large: near enough to exact, and the same each time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_coded_lists import QUERIES, clustered_vectors

from index import coded_lists, segments, vectors
from index.tail import NO_TAIL, GrowingTail
from index.vectors import VectorsView

PASSAGES = 9_000
VECTORS = clustered_vectors(PASSAGES, seed=4)
# Two large segments and a small one whose numbers lie between each other's, and a tail.
PARTS = np.array_split(np.random.default_rng(5).permutation(PASSAGES), [4_000, 8_000, 8_500])
DELETED = np.random.default_rng(6).random(PASSAGES) < 0.05
LIVE = np.flatnonzero(~DELETED)

Opened = Callable[[bool], VectorsView]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    folder = tmp_path_factory.mktemp("segments")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "EXACT_PASSAGES", 1_000)
        patch.setattr(coded_lists, "_ROWS_A_LIST", 50)  # as many lists to a subject as news have
        infos = [
            segments.write_segment(folder, f"{at}.seg", np.sort(part), VECTORS[np.sort(part)], "m")
            for at, part in enumerate(PARTS[:3])
        ]

    def view(mapped: bool) -> VectorsView:
        loaded = [segments.read_segment(folder, info, mapped=mapped) for info in infos]
        assert [segment.lists is None for segment in loaded] == [False, False, True]
        tail = np.sort(PARTS[3])
        return VectorsView(LIVE, loaded, GrowingTail().grown(tail, VECTORS[tail]))

    return view


@pytest.fixture
def view(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> VectorsView:
    monkeypatch.setattr(vectors, "_FEW", 100)
    return opened(False)


def allowed_by_chance(share: float) -> NDArray[np.bool_] | None:
    return None if share == 1 else np.random.default_rng(8).random(len(LIVE)) < share


def exactly(query: NDArray[np.float32], allowed: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    cosines = np.einsum("ij,j->i", VECTORS[LIVE].astype(np.float32), query)
    possible = np.arange(len(LIVE)) if allowed is None else np.flatnonzero(allowed)
    return possible[np.lexsort((possible, -cosines[possible]))]


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.03])
def test_of_the_best_nearly_all_are_found_in_their_order(view: VectorsView, share: float) -> None:
    allowed = allowed_by_chance(share)
    found = []
    for query in QUERIES:
        positions, cosines = view.search(query, 50, allowed)
        assert len(positions) == 50
        assert allowed is None or allowed[positions].all()
        assert cosines.tolist() == view.cosines(query, positions).tolist()
        assert positions.tolist() == positions[np.lexsort((positions, -cosines))].tolist()
        found.append(np.isin(exactly(query, allowed)[:50], positions).mean())
    assert np.mean(found) >= 0.97


def test_where_a_filter_leaves_few_passages_the_search_is_exact(view: VectorsView) -> None:
    allowed = np.zeros(len(LIVE), dtype=np.bool_)
    allowed[np.random.default_rng(9).choice(len(LIVE), 90, replace=False)] = True
    for query in QUERIES:
        positions, _ = view.search(query, 50, allowed)
        assert positions.tolist() == exactly(query, allowed)[:50].tolist()


def test_where_a_filter_leaves_little_of_large_segments_all_of_it_is_found(
    view: VectorsView,
) -> None:
    small, large = (np.isin(LIVE, part) for part in (np.concatenate(PARTS[2:]), PARTS[0]))
    few = large & (np.random.default_rng(12).random(len(LIVE)) < 0.01)
    for allowed in (small, small | few):
        for query in QUERIES:
            positions, _ = view.search(query, 50, allowed)
            assert positions.tolist() == exactly(query, allowed)[:50].tolist()


def test_where_a_filter_leaves_only_what_is_far_the_best_of_it_are_found(
    view: VectorsView,
) -> None:
    found = []
    subjects = np.random.default_rng(99).standard_normal((20, VECTORS.shape[1]))
    subject = np.argmax(VECTORS[LIVE] @ subjects.T, axis=1)
    for query in QUERIES:
        allowed = np.isin(subject, np.argsort(-(subjects @ query))[5:])
        positions, _ = view.search(query, 50, allowed)
        assert len(positions) == 50
        assert allowed[positions].all()
        found.append(np.isin(exactly(query, allowed)[:50], positions).mean())
    assert np.mean(found) >= 0.97


def test_a_filter_finds_the_same_when_it_comes_again(view: VectorsView) -> None:
    filters = [np.random.default_rng(at).random(len(LIVE)) < 0.3 for at in range(12)]
    by_itself = [[part.tolist() for part in view.search(QUERIES[0], 50, f)] for f in filters]
    for allowed in filters:
        allowed.flags.writeable = False
    for _ in range(2):  # by turns, and more of them than are remembered
        for allowed, alone in zip(filters, by_itself, strict=True):
            for _ in range(2):
                found = [part.tolist() for part in view.search(QUERIES[0], 50, allowed)]
                assert found == alone


def test_whoever_asks_for_all_gets_all(view: VectorsView) -> None:
    positions, _ = view.search(QUERIES[0], PASSAGES, None)
    assert positions.tolist() == exactly(QUERIES[0], None).tolist()


def test_where_all_that_is_near_was_deleted_as_many_as_asked_for_are_found(tmp_path: Path) -> None:
    count = 10_000
    stored = clustered_vectors(count, seed=11)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "EXACT_PASSAGES", 1_000)
        info = segments.write_segment(tmp_path, "1.seg", np.arange(count), stored, "m")
    query = QUERIES[0]
    far = np.sort(np.argsort(-(stored.astype(np.float32) @ query))[count // 5 :])
    view = VectorsView(far, [segments.read_segment(tmp_path, info)], NO_TAIL)
    positions, _ = view.search(query, 60, None)
    assert len(positions) == 60


def test_a_filter_that_lets_nothing_through_finds_nothing(view: VectorsView) -> None:
    positions, cosines = view.search(QUERIES[0], 5, np.zeros(len(LIVE), dtype=np.bool_))
    assert (positions.tolist(), cosines.tolist()) == ([], [])


def test_mapped_vectors_and_those_in_memory_give_the_same_answers(opened: Opened) -> None:
    in_memory, mapped, again = opened(False), opened(True), opened(False)
    for query in QUERIES:
        answers = [
            [part.tolist() for part in view.search(query, 50, allowed_by_chance(0.4))]
            for view in (in_memory, mapped, again)
        ]
        assert answers[0] == answers[1] == answers[2]


def test_a_vector_and_its_cosine_are_those_that_were_stored(view: VectorsView) -> None:
    positions = np.array([0, 5, 4_000, len(LIVE) - 1])
    stored = VECTORS[LIVE[positions]].astype(np.float32)
    assert np.array_equal(view.at(positions), stored)
    expected = np.einsum("ij,j->i", stored, QUERIES[1])
    assert view.cosines(QUERIES[1], positions).tolist() == expected.tolist()
