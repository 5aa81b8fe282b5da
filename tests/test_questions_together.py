"""Questions of many threads are embedded together, each as if it were alone."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from index.deadline import Deadline, within
from index.errors import DeadlineError, ModelError
from index.model import DEFAULT_MODEL, load_encoder
from search.questions_together import QuestionsTogether

QUESTIONS = ["harbour", "When does the ferry sail?", "storm damage in Northport", "council vote"]


class Held:
    """Embeds a text as its length; the first batch waits until it is told to go on."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.began, self.go_on = threading.Event(), threading.Event()

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.batches.append(list(texts))
        if not self.began.is_set():
            self.began.set()
            assert self.go_on.wait(10)
        if "bad" in texts:
            raise ModelError("bad is no question")
        return np.array([[len(text)] for text in texts], dtype=np.float32)


def _ask_behind(held: Held, questions: Sequence[str]) -> tuple[list[str], list[float | ModelError]]:
    """What is embedded behind a first batch while these wait, and what each is given."""
    together = QuestionsTogether(held)

    def ask(question: str) -> float | ModelError:
        try:
            return float(together.embed(question)[0])
        except ModelError as error:
            return error

    with ThreadPoolExecutor(len(questions) + 1) as pool:
        first = pool.submit(ask, "first")
        assert held.began.wait(10)
        others = [pool.submit(ask, question) for question in questions]
        while len(together._waiting) < len(questions):
            threading.Event().wait(0.001)
        held.go_on.set()
        first.result()
        given = [other.result() for other in others]
    return sorted(held.batches[1]), given


def test_what_comes_while_a_batch_is_at_work_is_the_next_batch() -> None:
    batch, given = _ask_behind(Held(), ["a", "bb", "ccc"])
    assert batch == ["a", "bb", "ccc"]
    assert given == [1, 2, 3]


def test_a_question_that_cannot_be_embedded_spoils_no_other() -> None:
    _, given = _ask_behind(Held(), ["a", "bad", "ccc"])
    assert isinstance(given[1], ModelError)
    assert [given[0], given[2]] == [1, 3]


def test_who_waits_gives_up_at_the_deadline_and_others_go_on() -> None:
    held = Held()
    together = QuestionsTogether(held)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(together.embed, "first")
        assert held.began.wait(10)
        with within(Deadline(0.01)), pytest.raises(DeadlineError):
            together.embed("late")
        held.go_on.set()
        assert first.result() == [5]
    assert together.embed("next") == [4]


def test_vectors_are_those_of_each_question_alone_far_below_what_ranking_sees() -> None:
    encoder = load_encoder(DEFAULT_MODEL, threads=1)
    alone = np.concatenate([encoder.embed([question]) for question in QUESTIONS])
    assert np.abs(encoder.embed(QUESTIONS) - alone).max() < 2e-7
