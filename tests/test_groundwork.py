"""Groundwork: the same here and in a child process, whatever becomes of the child."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from index.article import Origin, SourceRecord
from index.errors import BadArticleError
from index.groundwork import Groundwork, groundworks
from index.precedence import Precedence, behind
from index.preparing_ahead import PreparingAhead
from index.preparing_process import PreparingProcess

ROOT = Path(__file__).resolve().parent.parent


def record(number: int) -> SourceRecord:
    text = f"The ferry number {number} sails on Friday.\n\nNobody knows when it comes back."
    return SourceRecord(
        Origin("feed.jsonl", number), b"", text, headline="Ferry \ud800", outlet="The Islander"
    )


MANY = [record(number) for number in range(30)]
EMPTY = SourceRecord(Origin("feed.jsonl", 7), b"", "", outlet="The Islander")
RECURRING = {"The Islander": frozenset({b"12345678"})}


@pytest.fixture
def process() -> Iterator[PreparingProcess]:
    with closing(PreparingProcess()) as process:
        yield process


def wait_until_there(process: PreparingProcess) -> None:
    for _ in range(600):
        process.groundworks(MANY, RECURRING)
        if process._is_ready:
            return
        time.sleep(0.1)
    pytest.fail("the child did not come")


def plain(work: Groundwork | BadArticleError) -> tuple[object, ...]:
    if isinstance(work, BadArticleError):
        return (str(work), work.path, work.line, work.reason, work.advice)
    fields = [getattr(work, name) for name in Groundwork.__slots__ if name != "terms"]
    terms = work.terms and (work.terms.terms.tobytes(), work.terms.factors.tobytes())
    return (*fields, terms)


def test_a_child_does_the_groundwork_as_this_process_does(process: PreparingProcess) -> None:
    records = [record(1), EMPTY, *MANY]
    wait_until_there(process)
    works = process.groundworks(records, RECURRING)
    assert child_of(process)
    assert list(map(plain, works)) == list(map(plain, groundworks(records, RECURRING)))
    assert isinstance(works[1], BadArticleError)


def test_the_first_records_start_no_child_and_those_that_go_on_coming_do(
    process: PreparingProcess,
) -> None:
    for one in MANY[:20]:
        process.groundworks([one], RECURRING)
    assert process._child is None
    process.groundworks([MANY[20]], RECURRING)
    assert child_of(process)


def test_the_first_records_of_a_patient_one_wait_for_the_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("index.preparing_process.groundworks")  # nothing is prepared here
    with closing(PreparingProcess(is_patient=True)) as process:
        works = process.groundworks([record(1)], RECURRING)
        assert child_of(process)
    assert list(map(plain, works)) == list(map(plain, groundworks([record(1)], RECURRING)))


def test_the_work_of_a_child_that_is_killed_is_done_and_the_next_child_started(
    process: PreparingProcess, caplog: pytest.LogCaptureFixture
) -> None:
    wait_until_there(process)
    pid = child_of(process)
    os.kill(pid, signal.SIGKILL)
    with caplog.at_level(logging.WARNING):
        works = process.groundworks([record(1)], RECURRING)
    assert "killed" in caplog.text
    assert list(map(plain, works)) == list(map(plain, groundworks([record(1)], RECURRING)))
    process.groundworks([record(1)], RECURRING)
    assert child_of(process) != pid


def test_a_child_has_as_much_less_priority_as_was_asked_for() -> None:
    with closing(PreparingProcess(niceness=3)) as process:
        wait_until_there(process)
        mine = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, child_of(process)) == min(mine + 3, 19)


PARENT = """
from tests.test_groundwork import MANY, RECURRING, wait_until_there
from index.preparing_process import PreparingProcess
process = PreparingProcess()
wait_until_there(process)
print(process._child.pid, flush=True)
process.groundworks(MANY * 3_000, RECURRING)
"""


def test_the_child_ends_when_its_parent_is_killed_even_while_it_works() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(pid)


def test_the_child_stands_still_while_questions_are_at_work(process: PreparingProcess) -> None:
    wait_until_there(process)
    questions = Precedence()

    def prepare() -> int:
        with behind(questions):
            return len(process.groundworks(100 * MANY, RECURRING))

    with ThreadPoolExecutor(1) as pool:
        prepared = pool.submit(prepare)
        assert becomes("R", process)
        questions.begin()
        assert becomes("T", process)
        questions.end()
        assert prepared.result() == 100 * len(MANY)


def becomes(state: str, process: PreparingProcess) -> bool:
    """Whether the child is soon at work (R) or stopped (T)."""
    status = Path(f"/proc/{child_of(process)}/status")
    for _ in range(1000):
        if f"\nState:\t{state}" in status.read_text():
            return True
        time.sleep(0.002)
    return False


def test_batches_prepared_ahead_come_in_their_order() -> None:
    batches = [[record(n) for n in range(at, at + 250)] for at in (0, 250, 500)]
    batches += [[record(999), EMPTY]]
    with closing(PreparingAhead(lambda _: RECURRING)) as preparing:
        found = list(preparing.prepared(batches))
    assert [batch for batch, _, _ in found] == batches
    for batch, works, _ in found:
        alone = groundworks(batch, RECURRING, stories_wait=True)
        assert list(map(plain, works)) == list(map(plain, alone))


def test_a_few_records_start_no_child() -> None:
    with closing(PreparingAhead(lambda _: RECURRING)) as preparing:
        found = list(preparing.prepared([[record(1)], [record(2), EMPTY]]))
        assert [child._child for child in preparing._children] == [None] * len(preparing._children)
    assert [len(works) for _, works, _ in found] == [1, 2]


def test_closing_while_children_work_ends_them() -> None:
    with closing(PreparingAhead(lambda _: RECURRING)) as preparing:
        batches = ([record(n) for n in range(250)] for _ in range(3))
        next(preparing.prepared(batches))
        pids = [child_of(child) for child in preparing._children]
    for pid in pids:
        wait_until_gone(pid)


def child_of(process: PreparingProcess) -> int:
    assert process._child is not None
    return process._child.pid


def wait_until_gone(pid: int) -> None:
    for _ in range(300):
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.1)
    pytest.fail(f"process {pid} lives on")
