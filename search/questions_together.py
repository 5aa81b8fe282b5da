"""Questions that come at the same time are embedded in one batch.

A question of ten words takes the model 10 ms, four of them in one batch 20: most of the time goes
into reading its weights. So one thread embeds, and what comes meanwhile is the next batch; nobody
waits for others to come.

A vector differs by its company in the last bits, 3e-8 of a component; scores are rounded far above.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index import deadline
from index.errors import NutgrafError

# A batch is as long as its longest: a pasted page must not keep the others waiting.
_LONGEST_CHARS: Final = 200

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class QuestionsTogether:
    """Embeds questions of one model. Safe for many threads."""

    def __init__(self, embed: Embed) -> None:
        """`embed`: gives texts their embeddings, shape (len(texts), dim), in their order."""
        self._embed = embed
        self._guard = threading.Lock()
        self._at_work = threading.Lock()
        self._waiting: list[_Waiting] = []

    def embed(self, question: str) -> NDArray[np.float32]:
        """The question's embedding, shape (dim,), float32.

        Raises:
            DeadlineError: its time was over before its turn came.
            ModelError: as the model says.
        """
        own = _Waiting(question)
        if len(question) > _LONGEST_CHARS:
            self._embed_all([own])
            return own.given()
        with self._guard:
            self._waiting.append(own)
        with deadline.holding(self._at_work):
            if own.embedding is None:
                self._embed_with_others(own)
        return own.given()

    def _embed_with_others(self, own: "_Waiting") -> None:
        with self._guard:
            batch, self._waiting = self._waiting, []
        if own not in batch:  # it was, when another one's turn failed
            batch.append(own)
        try:
            self._embed_all(batch)
        except NutgrafError:
            if len(batch) == 1:
                raise
            self._embed_all([own])  # whose fault it was is seen when each is alone

    def _embed_all(self, batch: "Sequence[_Waiting]") -> None:
        embeddings = self._embed([each.question for each in batch])
        for each, embedding in zip(batch, embeddings, strict=True):
            each.embedding = embedding


class _Waiting:
    """A question that waits for its embedding."""

    def __init__(self, question: str) -> None:
        self.question = question
        self.embedding: NDArray[np.float32] | None = None

    def given(self) -> NDArray[np.float32]:
        assert self.embedding is not None
        return self.embedding
