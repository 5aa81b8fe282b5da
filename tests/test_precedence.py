"""Changes give way to questions, and come through however much is asked."""

import contextvars
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from index import precedence
from index.article import SourceRecord
from index.precedence import Precedence, behind, give_way, held_back
from index.writer import Writer
from search.http.bodies import read_ndjson


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_S", 30.0)


def test_a_change_waits_until_the_last_question_is_answered(patient: None) -> None:
    questions = Precedence()
    questions.begin()
    questions.begin()
    went_on = threading.Event()

    def change() -> None:
        with behind(questions):
            give_way()
        went_on.set()

    thread = threading.Thread(target=change)
    thread.start()
    questions.end()
    assert not went_on.wait(0.05)
    questions.end()
    assert went_on.wait(10)
    thread.join()


def test_a_change_comes_through_though_questions_never_end() -> None:
    questions = Precedence()
    questions.begin()
    began = time.perf_counter()
    with behind(questions):
        give_way()
    assert precedence.LONGEST_S <= time.perf_counter() - began < 20 * precedence.LONGEST_S


def test_without_questions_nothing_waits(patient: None) -> None:
    questions = Precedence()
    questions.begin()
    give_way()  # of no server
    questions.end()
    with behind(questions):
        give_way()


def test_each_article_that_is_added_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["The ferry sails at dawn.", "The harbour is open.", "The museum shows a map."]
    lines = BytesIO(b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts))
    records = [record for _, record in read_ndjson(lines) if isinstance(record, SourceRecord)]
    waited: list[int] = []
    questions = Precedence()
    monkeypatch.setattr(questions, "wait", lambda: waited.append(1))
    with Writer(tmp_path / "store") as writer:

        def add() -> None:
            with behind(questions):
                writer.add(records)

        contextvars.copy_context().run(add)
    assert len(waited) >= 4 * len(texts)  # prepared, put, its report, its story


def becomes(state: str, child: "subprocess.Popen[bytes]") -> bool:
    """Whether a child comes to be `stopped` or `at work`: a signal takes a moment to arrive."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        code = Path(f"/proc/{child.pid}/stat").read_text().rpartition(") ")[2][0]
        if (code == "T") == (state == "stopped"):
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield child
        child.kill()


def test_a_child_that_works_for_a_change_is_stopped_while_questions_are_at_work(
    child: "subprocess.Popen[bytes]",
) -> None:
    questions = Precedence()
    with behind(questions), held_back(child.pid):
        assert becomes("at work", child)
        questions.begin()
        questions.begin()
        assert becomes("stopped", child)
        questions.end()
        assert becomes("stopped", child)
        questions.end()
        assert becomes("at work", child)
        questions.begin()
        assert becomes("stopped", child)
    assert becomes("at work", child), "the change is made"
    questions.begin()
    with held_back(child.pid):
        assert becomes("at work", child), "it works for nobody who gives way"


def test_a_stopped_child_goes_on_though_questions_never_end(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precedence, "_MOST_CREDIT_S", 0.2)
    questions = Precedence()
    with behind(questions), held_back(child.pid):
        questions.begin()
        assert becomes("stopped", child)
        time.sleep(0.2)
        questions.begin()  # whoever comes or goes sees that it has waited enough
        assert becomes("at work", child)


def test_a_child_that_has_ended_disturbs_no_question(child: "subprocess.Popen[bytes]") -> None:
    questions = Precedence()
    with behind(questions), held_back(child.pid):
        child.kill()
        child.wait()
        questions.begin()
        questions.end()
