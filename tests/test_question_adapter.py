"""What the adapter may and may not do to a question's vector."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.default_model import DIM, FINGERPRINT
from search.question_adapter import adapted


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


@given(st.integers(0, 10_000))
def test_half_of_the_plain_vector_is_kept(seed: int) -> None:
    plain = unit(seed)
    turned = adapted(plain, FINGERPRINT)
    assert turned.shape == plain.shape
    assert turned.dtype == np.float32
    # The rest of the mean is a vector of norm 1.
    assert abs(np.linalg.norm(2 * turned - plain) - 1) < 1e-5


def test_vectors_of_another_model_are_left_alone() -> None:
    plain = unit(1)
    assert adapted(plain, "another") is plain
