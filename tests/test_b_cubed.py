"""B-cubed, against figures worked out by hand."""

import pytest
from b_cubed import b_cubed


def test_the_right_groups_under_other_names_agree_wholly() -> None:
    agreement = b_cubed({"a": 1, "b": 1, "c": 2}, {"a": "x", "b": "x", "c": "y"})
    assert (agreement.precision, agreement.recall, agreement.f1) == (1, 1, 1)


def test_one_group_for_all_has_all_recall_and_loses_precision() -> None:
    agreement = b_cubed({"a": 1, "b": 1, "c": 1}, {"a": "x", "b": "x", "c": "y"})
    assert agreement.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)
    assert agreement.recall == 1


def test_each_item_alone_has_all_precision_and_loses_recall() -> None:
    agreement = b_cubed({"a": 1, "b": 2, "c": 3}, {"a": "x", "b": "x", "c": "y"})
    assert agreement.precision == 1
    assert agreement.recall == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert agreement.f1 == pytest.approx(2 * (2 / 3) / (1 + 2 / 3))
