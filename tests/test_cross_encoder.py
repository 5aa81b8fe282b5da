"""What a second look tells: which passage answers, and where."""

import pytest

from index.deadline import Deadline, within
from index.errors import DeadlineError
from search.cross_encoder import CrossEncoder

QUESTION = "When does the ferry sail?"
ANSWER = "The ferry sails at dawn on Saturday, harbour master Ines Okoro told reporters."
NEAR = "Fares of the island ferry rise by 4 % in January, the company said on Monday."
FAR = "The council voted for the tram line, by nine votes to four."


@pytest.fixture(scope="module")
def reader() -> CrossEncoder:
    return CrossEncoder()


def test_the_passage_that_answers_is_likelier_than_one_near_it_and_one_far_from_it(
    reader: CrossEncoder,
) -> None:
    answer, near, far = reader.logits(QUESTION, [("", ANSWER), ("", NEAR), ("", FAR)])
    assert answer > near > far


def test_a_passage_is_read_alike_alone_and_among_others(reader: CrossEncoder) -> None:
    many = [("", FAR), ("A headline", ANSWER), ("", NEAR * 9), ("", ""), ("", NEAR)]
    for pair, logit in zip(many, reader.logits(QUESTION, many), strict=True):
        assert reader.logits(QUESTION, [pair])[0] == pytest.approx(logit, abs=2e-4)


def test_of_a_long_passage_the_beginning_is_read(reader: CrossEncoder) -> None:
    long, longer = reader.logits(QUESTION, [("", NEAR * 20), ("", NEAR * 20 + ANSWER)])
    assert long == pytest.approx(longer, abs=2e-4)


def test_no_passages_need_no_reading(reader: CrossEncoder) -> None:
    assert reader.logits(QUESTION, []).shape == (0,)


@pytest.mark.parametrize("question", ["", "?" * 5_000, "\u0000\ufffd", "Ж" * 300])
def test_any_question_can_be_read_with(reader: CrossEncoder, question: str) -> None:
    (logit,) = reader.logits(question, [("", ANSWER)])
    assert -50 < logit < 50


def test_when_the_time_is_over_the_rest_is_not_read(reader: CrossEncoder) -> None:
    with within(Deadline(seconds=0)), pytest.raises(DeadlineError):
        reader.logits(QUESTION, [("", NEAR * 9)] * 50)
    assert reader.logits(QUESTION, [("", ANSWER)])[0] > 0
