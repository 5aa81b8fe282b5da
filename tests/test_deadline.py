"""A question ends when its time is over, or when nobody waits for it."""

import contextvars
import sqlite3
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from index import deadline, segments
from index.deadline import Deadline, within
from index.errors import DeadlineError
from search.searcher import Searcher

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def test_without_a_deadline_nothing_is_cut_short() -> None:
    deadline.check()


def test_a_deadline_that_has_passed_says_what_to_do() -> None:
    with within(Deadline(0)), pytest.raises(DeadlineError, match=r"in 0 s; ask .*deadline_s"):
        deadline.check()
    deadline.check()


def test_a_cancelled_deadline_ends_the_work_and_counts_as_no_exceeded_one() -> None:
    asked = Deadline(60)
    asked.cancel()
    with within(asked), pytest.raises(DeadlineError, match="nobody waits"):
        deadline.check()
    assert not asked.was_exceeded


def test_a_renewed_deadline_gives_the_whole_time_again() -> None:
    asked = Deadline(0.05)
    time.sleep(0.06)
    assert asked.has_passed
    asked.renew()
    assert not asked.is_over


def test_a_deadline_goes_with_the_context_to_another_thread() -> None:
    ended: list[bool] = []

    def work() -> None:
        try:
            deadline.check()
        except DeadlineError:
            ended.append(True)

    with within(Deadline(0)):
        context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,))
    thread.start()
    thread.join()
    assert ended == [True]


def test_a_query_of_the_store_ends_at_the_deadline_and_its_snapshot_goes_on() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    deadline.interrupt(connection)
    connection.execute("BEGIN")
    began = time.perf_counter()
    with within(Deadline(0.1)), pytest.raises(sqlite3.OperationalError, match="interrupted"):
        connection.execute(_ENDLESS).fetchall()
    assert time.perf_counter() - began < 5
    assert connection.in_transaction
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()


def test_nobody_waits_for_a_lock_beyond_the_deadline() -> None:
    lock = threading.Lock()
    with lock, within(Deadline(0.05)), pytest.raises(DeadlineError), deadline.holding(lock):
        pass
    with deadline.holding(lock):
        assert lock.locked()
    assert not lock.locked()


def test_nobody_waits_for_a_result_beyond_the_deadline() -> None:
    future = Future[int]()
    with within(Deadline(0.05)), pytest.raises(DeadlineError):
        deadline.result(future)
    future.set_result(1)
    with within(Deadline(0)):
        assert deadline.result(future) == 1


def test_a_question_whose_time_is_over_is_given_up_and_the_next_is_answered(harbour: Path) -> None:
    searcher = Searcher(harbour)
    try:
        for question in ("When does the ferry sail?", '"the storm" OR fare*'):
            with within(Deadline(0)), pytest.raises(DeadlineError):
                searcher.search(question)
            assert searcher.search(question).hits
    finally:
        searcher.close()


@pytest.mark.parametrize("is_filtered", [False, True])
def test_a_segment_that_is_searched_in_parts_finds_the_same(
    is_filtered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(7)
    vectors = random.normal(size=(1_000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    info = segments.write_segment(
        tmp_path, "one.segment", np.arange(1_000), vectors.astype(np.float16), "a model"
    )
    segment = segments.read_segment(tmp_path, info)
    allowed = random.random(1_000) < 0.3 if is_filtered else None
    whole = [segment.search(query, 50, allowed) for query in vectors[:20]]
    monkeypatch.setattr(segments, "_ROWS_BETWEEN_LOOKS", 130)
    for query, (rows, cosines) in zip(vectors[:20], whole, strict=True):
        parts, part_cosines = segment.search(query, 50, allowed)
        assert parts.tolist() == rows.tolist()
        assert part_cosines.tolist() == cosines.tolist()
    with within(Deadline(0)), pytest.raises(DeadlineError):
        segment.search(vectors[0], 50, allowed)
