"""How sure an answer is, and when there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.verdict import Evidence, Kind, exactly, judged, nothing, passage_logits, sigmoid

LOGITS = st.lists(st.floats(-30, 30), min_size=1, max_size=30)


def evidence(cosine: float, window: float, reading: float | None) -> Evidence:
    arrays = (np.array([value]) for value in (cosine, window))
    return Evidence(*arrays, None if reading is None else np.array([reading]))


@pytest.mark.parametrize("read", [False, True])
def test_a_good_passage_is_likelier_to_answer_than_a_poor_one(read: bool) -> None:
    good = evidence(0.8, 0.7, 4.0 if read else None)
    poor = evidence(0.2, 0.1, -4.0 if read else None)
    assert sigmoid(passage_logits(good)) > 0.7
    assert sigmoid(passage_logits(poor)) < 0.05


@pytest.mark.parametrize("read", [False, True])
@given(LOGITS)
def test_a_verdict_does_not_depend_on_the_order_of_passages(
    read: bool, logits: list[float]
) -> None:
    ahead = judged(np.array(logits), read=read)
    assert judged(np.array(logits[::-1]), read=read) == ahead
    assert 0.0 <= ahead.probability <= 1.0


@pytest.mark.parametrize("read", [False, True])
def test_better_evidence_never_makes_a_worse_verdict(read: bool) -> None:
    order = [Kind.NONE, Kind.WEAK, Kind.SUPPORTED]
    verdicts = [judged(np.array([best, -6.0]), read=read) for best in np.arange(-6.0, 8.0, 0.25)]
    kinds = [order.index(verdict.kind) for verdict in verdicts]
    assert kinds == sorted(kinds)
    assert set(kinds) == {0, 1, 2}
    probabilities = [verdict.probability for verdict in verdicts]
    assert probabilities == sorted(probabilities)


def test_an_empty_set_answers_nothing_and_an_exact_search_is_answered() -> None:
    assert judged(np.empty(0), read=False) == nothing()
    assert nothing().kind is Kind.NONE
    assert exactly().kind is Kind.SUPPORTED


def test_one_passage_is_enough_for_a_verdict() -> None:
    assert judged(np.array([8.0]), read=True).kind is Kind.SUPPORTED
