"""The question's vector, turned towards what its answers look like.

The default model puts texts that say the same near each other; a question says something else than
its answer. A linear map of the question alone, learned from questions and the passages that answer
them, makes up for some of that, and no passage needs another vector:

    adapted = (q + (q + q A) / |q + q A|) / 2

`A` was started at 0 and learned by scripts/train/question_adapter.py; half of the plain vector is
kept, so that a kind of question it never saw loses little. docs/ranking.md has what it gives.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index import default_model

_WEIGHTS: Final = Path(__file__).parent / "weights" / "question_adapter.npy"


def adapted(embedding: NDArray[np.float32], fingerprint: str) -> NDArray[np.float32]:
    """The vector that the dense arm asks with.

    Args:
        embedding: of the question, shape (dim,), float32, L2 norm 1.
        fingerprint: of the model it comes from; any but the default model's is left as it is.

    Returns:
        Shape (dim,), float32, L2 norm 1 or a little less.
    """
    if fingerprint != default_model.FINGERPRINT:
        return embedding
    turned = embedding + embedding @ _matrix()
    mean = (embedding + turned / np.linalg.norm(turned)) / 2
    return np.asarray(mean, np.float32)


@cache
def _matrix() -> NDArray[np.float32]:
    """Shape (dim, dim), float32."""
    return np.asarray(np.load(_WEIGHTS), np.float32)
